#include "tests/e2e/storm/clients.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tools/client/request_id.h"

namespace docket::storm {

client::ClientOptions PatientClient(const std::string& address) {
  client::ClientOptions options;
  options.server = address;
  options.principal = "grace.lind";
  options.call_timeout = absl::Minutes(5);
  options.retry.max_attempts = 600;  // the better part of a minute
  options.retry.max_delay = absl::Milliseconds(100);
  return options;
}

Writers::Writers(const std::string& address, const std::vector<std::string>& case_ids, size_t clients)
    : case_ids_(case_ids), clients_(clients) {
  for (size_t writer = 0; writer < clients; ++writer) {
    threads_.emplace_back([this, address, writer] { Work(address, writer); });
  }
}

Writers::~Writers() {
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
}

void Writers::Work(const std::string& address, size_t writer) {
  client::Client client(PatientClient(address));
  for (size_t i = writer; !stopping_; i += clients_) {
    v1::ExecuteRequest note;
    note.set_request_id(client::NewRequestId());
    note.set_case_id(case_ids_[i % case_ids_.size()]);
    note.mutable_command()->mutable_add_note()->set_body("Called back while everything fell due");
    const absl::StatusOr<v1::ExecuteReply> reply = client.Execute(note);
    const MutexLock lock(&mutex_);
    if (!reply.ok()) {
      refused_.Update(reply.status());
      return;
    }
    acknowledged_[note.request_id()] = reply->commit();
  }
}

absl::StatusOr<std::map<std::string, uint64_t>> Writers::Finish() {
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  const MutexLock lock(&mutex_);
  if (!refused_.ok()) return refused_;
  return std::move(acknowledged_);
}

Follower::Follower(const std::string& address, Of of, uint64_t from_position, bool rests)
    : next_(from_position), rests_(rests) {
  thread_ = std::thread([this, address, of, from_position] { Follow(address, of, from_position); });
}

Follower::~Follower() {
  {
    const MutexLock lock(&mutex_);
    ending_ = true;
    changed_.NotifyAll();
  }
  ended_.Cancel();
  thread_.join();
}

void Follower::Follow(const std::string& address, Of of, uint64_t from_position) {
  client::Client client(PatientClient(address));
  absl::Status ended;
  if (of == Of::kEvents) {
    v1::SubscribeRequest request;
    request.set_from_position(from_position);
    ended = client::Subscribe(
        client, request, [this](const v1::SubscribeReply& reply) { return Take(reply); }, &ended_);
  } else {
    v1::WatchAlertsRequest request;
    request.set_from_position(from_position);
    ended = client::WatchAlerts(
        client, request, [this](const v1::WatchAlertsReply& reply) { return Take(reply); }, &ended_);
  }
  const MutexLock lock(&mutex_);
  status_.Update(ended);
  changed_.NotifyAll();
}

bool Follower::Take(const v1::SubscribeReply& reply) {
  Counts more;
  absl::Status wrong;
  for (const v1::HistoryEvent& event : reply.events()) {
    if (event.position() != next_) {
      wrong = absl::InternalError(absl::StrCat("event ", event.position(), " was told, want ", next_));
    }
    next_ = event.position() + 1;
    more.warnings += event.event().has_warning_reached() ? 1 : 0;
    more.breaches += event.event().has_clock_breached() ? 1 : 0;
    more.escalations += event.event().has_escalation_raised() ? 1 : 0;
  }
  return Add(more, wrong);
}

bool Follower::Take(const v1::WatchAlertsReply& reply) {
  Counts more;
  absl::Status wrong;
  for (const v1::Alert& alert : reply.alerts()) {
    if (alert.position() < next_) {
      wrong = absl::InternalError(absl::StrCat("alert ", alert.position(), " was told, want ", next_, " or later"));
    }
    next_ = alert.position() + 1;
    more.warnings += alert.kind() == v1::WARNING ? 1 : 0;
    more.breaches += alert.kind() == v1::BREACH ? 1 : 0;
    more.escalations += alert.kind() == v1::ESCALATION ? 1 : 0;
  }
  next_ = std::max(next_, reply.progress() + 1);
  return Add(more, wrong);
}

bool Follower::Add(const Counts& more, const absl::Status& wrong) {
  const MutexLock lock(&mutex_);
  read_.warnings += more.warnings;
  read_.breaches += more.breaches;
  read_.escalations += more.escalations;
  status_.Update(wrong);
  changed_.NotifyAll();
  while (rests_ && !ending_) changed_.Wait(&mutex_);
  return status_.ok() && !ending_;
}

absl::Status Follower::Await(const Counts& wanted, absl::Duration patience) {
  const MutexLock lock(&mutex_);
  rests_ = false;
  changed_.NotifyAll();
  const bool came = changed_.WaitFor(&mutex_, patience, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !status_.ok() || (read_.warnings >= wanted.warnings && read_.breaches >= wanted.breaches &&
                             read_.escalations >= wanted.escalations);
  });
  if (!status_.ok()) return status_;
  if (came) return absl::OkStatus();
  return absl::DeadlineExceededError(absl::StrCat(
      "waited in vain for ", wanted.warnings, " warnings, ", wanted.breaches, " breaches and ", wanted.escalations,
      " escalations, got ", read_.warnings, ", ", read_.breaches, " and ", read_.escalations));
}

}  // namespace docket::storm
