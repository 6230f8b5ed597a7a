#include "tests/services/outbox/fake_sender.h"

#include <set>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "services/outbox/signature.h"
#include "workflow/base/check.h"

namespace docket::outbox {

Arrival ParseArrival(const SendRequest& request) {
  google::protobuf::Struct event;
  DOCKET_CHECK(google::protobuf::util::JsonStringToMessage(request.body, &event).ok());
  const auto text = [&](const char* name) {
    const auto found = event.fields().find(name);
    return found == event.fields().end() ? std::string() : found->second.string_value();
  };
  Arrival arrival{.id = text("id"),
                  .position = 0,
                  .case_no = text("subject"),
                  .preceding_lost = text("docketprecedinglost"),
                  .signature = "",
                  .body = request.body};
  DOCKET_CHECK(absl::SimpleAtoi(arrival.id.substr(arrival.id.find('/') + 1), &arrival.position));
  for (absl::string_view header : request.headers) {
    if (absl::ConsumePrefix(&header, std::string(kSignatureHeader) + ": ")) arrival.signature = std::string(header);
  }
  return arrival;
}

class FakeSender final : public Sender {
 public:
  explicit FakeSender(FakeNetwork* network) : network_(network), thread_([this] { Run(); }) {}
  ~FakeSender() override {
    {
      const MutexLock lock(&mutex_);
      stopping_ = true;
      changed_.NotifyAll();
    }
    thread_.join();
  }
  void Send(SendRequest request, absl::AnyInvocable<void(SendResult)> done) override {
    const MutexLock lock(&mutex_);
    queue_.emplace_back(std::move(request), std::move(done));
    changed_.NotifyAll();
  }

 private:
  void Run() {
    while (true) {
      std::pair<SendRequest, absl::AnyInvocable<void(SendResult)>> one;
      {
        const MutexLock lock(&mutex_);
        while (queue_.empty() && !stopping_) changed_.Wait(&mutex_);
        if (stopping_) return;
        one = std::move(queue_.front());
        queue_.pop_front();
      }
      one.second(network_->Take(one.first));
    }
  }

  FakeNetwork* const network_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<std::pair<SendRequest, absl::AnyInvocable<void(SendResult)>>> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

std::unique_ptr<Sender> FakeNetwork::NewSender() { return std::make_unique<FakeSender>(this); }

void FakeNetwork::SetAnswer(Answer answer) {
  const MutexLock lock(&mutex_);
  answer_ = std::move(answer);
}

SendResult FakeNetwork::Take(const SendRequest& request) {
  const Arrival arrival = ParseArrival(request);
  const MutexLock lock(&mutex_);
  attempts_.push_back(arrival);
  const SendResult result = answer_ ? answer_(arrival) : SendResult{.http_status = 200};
  if (result.http_status / 100 == 2) delivered_.push_back(arrival);
  changed_.NotifyAll();
  return result;
}

std::vector<Arrival> FakeNetwork::attempts() const {
  const MutexLock lock(&mutex_);
  return attempts_;
}

std::vector<Arrival> FakeNetwork::delivered() const {
  const MutexLock lock(&mutex_);
  return delivered_;
}

void FakeNetwork::Await(const std::function<bool(const std::vector<Arrival>&)>& done) const {
  const MutexLock lock(&mutex_);
  while (!done(attempts_)) changed_.Wait(&mutex_);
}

void FakeNetwork::AwaitAttempts(size_t count) const {
  Await([count](const std::vector<Arrival>& attempts) { return attempts.size() >= count; });
}

void FakeNetwork::AwaitDelivered(size_t count) const {
  const MutexLock lock(&mutex_);
  std::set<std::string> ids;
  while (true) {
    for (const Arrival& arrival : delivered_) ids.insert(arrival.id);
    if (ids.size() >= count) return;
    changed_.Wait(&mutex_);
  }
}

}  // namespace docket::outbox
