#include "tests/support/random_walk.h"

#include <algorithm>
#include <cstdlib>
#include <future>
#include <memory>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "store/requests.h"
#include "store/uuid.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/advance.h"

namespace docket::testing {
namespace {

constexpr uint64_t kFirstSeed = 20261118;
constexpr size_t kFewCases = 6;    // beyond, cases are worked rather than filed
constexpr int kSmallKeySpace = 6;  // external keys, so that the same one is filed twice now and then

std::string NameOf(const v1::Command& command) {
  const auto* oneof = v1::Command::descriptor()->FindOneofByName("command");
  return command.GetReflection()->GetOneofFieldDescriptor(command, oneof)->name();
}

std::string Outcome(const absl::StatusOr<v1::ExecuteReply>& reply) {
  if (!reply.ok()) return ReasonOf(reply.status());
  if (reply->unchanged()) return "unchanged";
  return absl::StrCat("ok, revision ", reply->revision(), reply->replayed() ? ", replayed" : "");
}

// A pack as shipped, changed enough to be a new version: other targets, the same structure.
std::string NewVersionOf(const std::string& pack, int n) {
  const std::string yaml = absl::StrReplaceAll(
      ReadPack(pack), {{"target: 8h}", n % 2 == 0 ? "target: 6h}" : "target: 8h}"}, {"target: 40h}", "target: 36h}"}});
  return absl::StrCat(yaml, "# edition ", n, "\n");
}

}  // namespace

RandomWalk::RandomWalk(House* house, uint64_t seed, Options options)
    : house_(house), seed_(seed), options_(options), dice_(seed) {
  // The house has a short ladder; here every way to escalate is walked.
  const absl::Status published = house_->Publish(ReadPack("ladder-complaints.yaml"));
  DOCKET_CHECK(published.ok());
  // To inquiries nothing is promised, so that some cases have no clock.
  const absl::Status fewer =
      house_->Publish(absl::StrReplaceAll(ReadPack("sla-standard.yaml"), {{"INCIDENT, INQUIRY]", "INCIDENT]"}}));
  DOCKET_CHECK(fewer.ok());
  if (!options_.more_promises) return;
  for (const char* pack : {"internal-ola.yaml", "fca-disp-psd.yaml", "routing-standard.yaml"}) {
    const absl::Status status = house_->Publish(ReadPack(pack));
    if (!status.ok()) broken_.push_back(absl::StrCat("publishing ", pack, ": ", std::string(status.message())));
  }
}

void RandomWalk::Note(absl::string_view line) {
  story_.push_back(absl::StrCat(story_.size() + 1, "  ", FormatUtc(Now()), "  ", line));
}

std::string RandomWalk::Story() const { return absl::StrCat("DOCKET_SEED=", seed_, "\n", absl::StrJoin(story_, "\n")); }

std::string RandomWalk::Personal() { return absl::StrCat(kPersonalMark, " text ", ++texts_, " of walk ", seed_); }

google::protobuf::Timestamp RandomWalk::Soon() {
  const absl::Time at = Now() + dice_.Span(absl::Minutes(1), absl::Hours(24 * 14));
  // Often a whole hour: then several things fall on one instant.
  return ToProto(dice_.Chance(50) ? absl::FromUnixSeconds((absl::ToUnixSeconds(at) / 3600 + 1) * 3600) : at);
}

void RandomWalk::Step() {
  if (stay_with_.empty()) {
    house_->clock().Advance(dice_.Chance(70) ? dice_.Span(absl::Milliseconds(1), absl::Minutes(20))
                                             : dice_.Span(absl::Milliseconds(1), absl::Hours(6)));
    house_->Settle();
  }
  const int choice = stay_with_.empty() ? dice_.Below(100) : 99;
  const bool passing = choice >= 15 && choice < 27;
  if (case_ids_.empty() || choice < (case_ids_.size() < kFewCases ? 12 : 4)) {
    FileCase();
  } else if (choice < 15) {
    options_.imports && (case_ids_.size() < kFewCases || choice == 14) ? FileHistory() : DoCommand();
  } else if (passing) {
    PassTime();
  } else if (choice < 30) {
    Retry();
  } else if (choice < 33) {
    TakeNext();
  } else if (choice < 34) {
    PublishPolicy();
  } else if (choice < 36) {
    Restart();
  } else if (choice < 38) {
    ProposeAdvance();
  } else if (choice < 44) {
    AskAndHold();
  } else if (choice < 46) {
    dice_.Chance(70) ? EnterAnswerLate() : Extend();
  } else if (choice < 47) {
    AskToEscalate();
  } else {
    DoCommand();
  }
  if (!passing) stay_with_.clear();
  house_->Settle();
}

void RandomWalk::ProposeAdvance() {
  v1::ExecuteRequest request;
  request.set_case_id(dice_.Pick(case_ids_));
  request.mutable_command()->mutable_advance();
  Send(std::move(request), dice_.Pick(People()));
}

// Waiting for the person who asked wants two commands, and is the only wait that stops a clock.
void RandomWalk::AskAndHold() {
  v1::ExecuteRequest ask;
  ask.set_case_id(SomeCase());
  v1::SendOutbound* outbound = ask.mutable_command()->mutable_send_outbound();
  outbound->set_kind(v1::INFORMATION_REQUEST);
  outbound->set_body(Personal());
  v1::ExecuteRequest hold;
  hold.set_case_id(ask.case_id());
  hold.mutable_command()->mutable_hold()->set_waiting_on(v1::COMPLAINANT);
  hold.mutable_command()->mutable_hold()->set_reason_code("QUESTION");
  if (dice_.Chance(60)) *hold.mutable_command()->mutable_hold()->mutable_until() = Soon();
  const std::string principal = dice_.Pick(People());
  Send(std::move(ask), principal);
  if (dice_.Chance(70)) house_->AdvanceTo(Now() + dice_.Span(absl::Seconds(1), absl::Hours(3)));
  Send(std::move(hold), principal);
}

// More time for what a regulator is owed, told to whoever waits for it and agreed by a second person.
void RandomWalk::Extend() {
  v1::ExecuteRequest file;
  file.mutable_command()->mutable_file()->set_kind(v1::COMPLAINT);
  file.mutable_command()->mutable_file()->set_title(Personal());
  file.mutable_command()->mutable_file()->set_category("payment-services");
  const size_t before = case_ids_.size();
  Send(std::move(file), "grace.lind");
  if (case_ids_.size() == before) return;
  v1::ExecuteRequest told;
  told.set_case_id(case_ids_.back());
  told.mutable_command()->mutable_send_outbound()->set_kind(v1::HOLDING);
  told.mutable_command()->mutable_send_outbound()->set_body(Personal());
  Send(std::move(told), "grace.lind");
  v1::ExecuteRequest extend;
  extend.set_case_id(case_ids_.back());
  extend.set_approver("helen.marsh");
  extend.mutable_command()->mutable_extend_clock()->set_metric("FINAL_RESPONSE");
  extend.mutable_command()->mutable_extend_clock()->set_ground("EXCEPTIONAL");
  Send(std::move(extend), "grace.lind");
}

// What only a second person may raise, and mostly that person.
void RandomWalk::AskToEscalate() {
  v1::ExecuteRequest ask;
  ask.set_case_id(SomeCase());
  if (ask.case_id().empty()) return;
  auto* escalate = ask.mutable_command()->mutable_escalate();
  escalate->set_kind(v1::REGULATORY);
  escalate->set_reason_code("OMBUDSMAN");
  escalate->set_justification(Personal());
  v1::ExecuteRequest answer;
  answer.set_case_id(ask.case_id());
  if (dice_.Chance(60)) {
    answer.mutable_command()->mutable_approve_escalation();
  } else {
    answer.mutable_command()->mutable_decline_escalation()->set_reason_code("NOT_NEEDED");
  }
  Send(std::move(ask), "grace.lind");
  Send(std::move(answer), dice_.Chance(80) ? "jonas.weber" : dice_.Pick(People()));
}

// An answer given in time and entered after the due, and somebody else who looks at it.
void RandomWalk::EnterAnswerLate() {
  v1::ExecuteRequest file;
  file.mutable_command()->mutable_file()->set_kind(v1::INCIDENT);
  file.mutable_command()->mutable_file()->set_title(Personal());
  const size_t before = case_ids_.size();
  Send(std::move(file), "grace.lind");
  if (case_ids_.size() == before) return;
  const absl::Time called = Now() + absl::Minutes(1);
  house_->AdvanceTo(Now() + absl::Hours(60));
  v1::ExecuteRequest answer;
  answer.set_case_id(case_ids_.back());
  *answer.mutable_occurred_at() = ToProto(called);
  answer.set_evidence_ref("call-log-18");
  answer.mutable_command()->mutable_send_outbound()->set_kind(v1::RESPONSE);
  answer.mutable_command()->mutable_send_outbound()->set_body(Personal());
  Send(std::move(answer), "grace.lind");
  v1::ExecuteRequest judge;
  judge.set_case_id(case_ids_.back());
  judge.mutable_command()->mutable_judge_late_entry()->set_confirmed(dice_.Chance(50));
  if (dice_.Chance(80)) Send(std::move(judge), dice_.Pick(People()));
}

// Few cases get as far as a draft, so many of these are issued at once: an answer to what is unanswered, then the
// issue.
void RandomWalk::IssueDraft(const std::string& case_id) {
  v1::ExecuteRequest answer;
  answer.set_case_id(case_id);
  answer.mutable_command()->mutable_send_outbound()->set_kind(v1::RESPONSE);
  answer.mutable_command()->mutable_send_outbound()->set_body(Personal());
  Send(std::move(answer), dice_.Pick(People()));
  v1::ExecuteRequest issue;
  issue.set_case_id(case_id);
  issue.mutable_command()->mutable_issue_decision()->add_parts("REASONS");
  issue.mutable_command()->mutable_issue_decision()->add_parts("FURTHER_ROUTES");
  Send(std::move(issue), dice_.Pick(People()));
}

// Mostly one of the newest, so that some get far.
std::string RandomWalk::SomeCase() {
  if (!stay_with_.empty()) return stay_with_;
  const int newest = std::min<int>(3, static_cast<int>(case_ids_.size()));
  return dice_.Chance(60) ? case_ids_[case_ids_.size() - 1 - dice_.Below(newest)] : dice_.Pick(case_ids_);
}

void RandomWalk::PassTime() {
  const int reach = dice_.Below(100);
  absl::Time to = Now() + (reach < 50   ? dice_.Span(absl::Minutes(1), absl::Hours(12))
                           : reach < 85 ? dice_.Span(absl::Hours(1), absl::Hours(72))
                                        : dice_.Span(absl::Hours(1), options_.longest_advance));
  if (dice_.Chance(40)) {
    // Exactly to an instant at which something is due, or a microsecond to either side of it.
    const std::string case_id = SomeCase();
    const auto state = house_->Get(case_id);
    DOCKET_CHECK(state.ok());
    std::vector<absl::Time> moments = {workflow::NextMoment(*state)};
    for (const v1::Clock& clock : state->clocks()) {
      if (clock.has_due_at() && !clock.has_stopped_at()) moments.push_back(FromProto(clock.due_at()));
    }
    const absl::Time moment = dice_.Pick(moments) + absl::Microseconds(dice_.Chance(50) ? 0 : dice_.Below(3) - 1);
    if (moment > Now() && moment < absl::InfiniteFuture()) {
      to = moment;
      if (dice_.Chance(60)) stay_with_ = case_id;  // what is done next happens to it at that very instant
    }
  }
  Note(absl::StrCat("advance to ", FormatUtc(to)));
  house_->AdvanceTo(to);
}

void RandomWalk::Restart() {
  if (!options_.restarts) return;
  Note("restart");
  house_->Reopen();
}

void RandomWalk::PublishPolicy() {
  if (!options_.publishing) return;
  const std::string pack = dice_.Chance(70) ? "sla-standard.yaml" : "ladder-standard.yaml";
  const absl::Status status = house_->Publish(NewVersionOf(pack, ++published_));
  Note(absl::StrCat("publish ", pack, " -> ", status.ok() ? "ok" : std::string(status.message())));
  if (!status.ok()) broken_.push_back(absl::StrCat("publishing ", pack, ": ", std::string(status.message())));
}

void RandomWalk::Send(v1::ExecuteRequest request, const std::string& principal) {
  request.set_request_id(house_->NewRequestId());
  const uint64_t commits = house_->log().Head().commits;
  const std::string name = NameOf(request.command());
  const absl::StatusOr<v1::ExecuteReply> reply = house_->Do(request, principal);
  Note(absl::StrCat(request.ShortDebugString(), " by ", principal, " -> ", Outcome(reply)));
  const bool wrote = house_->log().Head().commits != commits;
  if (!reply.ok()) {
    ++counts_.refused[ReasonOf(reply.status())];
    if (ReasonOf(reply.status()).empty()) broken_.push_back(absl::StrCat(name, ": ", reply.status().ToString()));
    return;
  }
  if (request.validate_only()) {
    ++counts_.validated;
    if (wrote) broken_.push_back("validate_only wrote a commit");
    return;
  }
  if (reply->unchanged()) {
    ++counts_.unchanged;
    if (wrote) broken_.push_back("an unchanged answer wrote a commit");
    return;
  }
  ++counts_.accepted[name];
  last_accepted_.emplace(std::move(request), principal);
  if (name == "file") case_ids_.push_back(reply->case_id());
  if (name == "draft_decision" && dice_.Chance(60)) IssueDraft(reply->case_id());
}

void RandomWalk::Retry() {
  if (!last_accepted_.has_value()) return;
  const uint64_t commits = house_->log().Head().commits;
  const auto reply = house_->Do(last_accepted_->first, last_accepted_->second);
  Note(absl::StrCat("retry of ", last_accepted_->first.request_id(), " -> ", Outcome(reply)));
  if (house_->log().Head().commits != commits) broken_.push_back("a retry wrote a commit");
  const absl::Time made = absl::FromUnixMillis(*store::ParseUuidV7(last_accepted_->first.request_id()));
  if (house_->clock().Now() - made > absl::FromChrono(store::kRequestHorizon)) {
    if (ReasonOf(reply.status()) != "REQUEST_ID_TOO_OLD") broken_.push_back("a retry after 30 days was not refused");
    return;
  }
  if (!reply.ok()) {
    broken_.push_back(absl::StrCat("retry: ", reply.status().ToString()));
    return;
  }
  ++counts_.replayed;
  if (!reply->replayed()) broken_.push_back("a retry was executed again");
}

void RandomWalk::TakeNext() {
  auto answer = std::make_shared<std::promise<absl::StatusOr<v1::ExecuteReply>>>();
  auto future = answer->get_future();
  const std::string queue = dice_.Pick(Queues());
  const std::string principal = dice_.Pick(People());
  house_->engine().SubmitTakeNext(
      queue, house_->NewRequestId(), engine::Caller{.principal_id = principal},
      [answer](absl::StatusOr<v1::ExecuteReply> reply) { answer->set_value(std::move(reply)); });
  const auto reply = future.get();
  Note(absl::StrCat("take next of ", queue, " by ", principal, " -> ", Outcome(reply)));
  reply.ok() ? ++counts_.accepted["take_next"] : ++counts_.refused[ReasonOf(reply.status())];
}

void ForEachSeed(int count, absl::FunctionRef<void(uint64_t seed)> walk) {
  uint64_t first = kFirstSeed;
  if (const char* seed = std::getenv("DOCKET_SEED"); seed != nullptr) {
    DOCKET_CHECK(absl::SimpleAtoi(seed, &first));
    count = 1;
  }
  if (const char* walks = std::getenv("DOCKET_WALKS"); walks != nullptr) DOCKET_CHECK(absl::SimpleAtoi(walks, &count));
  for (int i = 0; i < count && !::testing::Test::HasFatalFailure() && !::testing::Test::HasNonfatalFailure(); ++i) {
    walk(first + i);
  }
}

void RandomWalk::FileCase() {
  v1::ExecuteRequest request;
  v1::FileCase* file = request.mutable_command()->mutable_file();
  static const auto& kinds = *new std::vector<v1::CaseKind>{
      v1::COMPLAINT, v1::COMPLAINT, v1::COMPLAINT, v1::INTERNAL_COMPLAINT, v1::REQUEST, v1::INCIDENT, v1::INQUIRY};
  file->set_kind(dice_.Chance(3) ? v1::FEEDBACK : dice_.Pick(kinds));
  file->set_title(Personal());
  if (dice_.Chance(40)) file->set_narrative(Personal());
  for (int i = dice_.Below(4); i > 0; --i) file->add_matters(Personal());
  if (dice_.Chance(40)) file->set_requester(Personal());
  if (dice_.Chance(60)) {
    file->set_impact(1 + dice_.Below(3));
    file->set_urgency(1 + dice_.Below(3));
  }
  if (dice_.Chance(50)) file->set_queue(dice_.Chance(4) ? "intke" : dice_.Pick(Queues()));
  if (dice_.Chance(30)) file->set_tier(dice_.Pick(std::vector<std::string>{"VIP", "MAIN", "ORDINARY", "SMALL"}));
  if (dice_.Chance(30)) *file->mutable_received_at() = ToProto(Now() - dice_.Span(absl::Minutes(1), absl::Hours(60)));
  if (dice_.Chance(20)) *file->mutable_due_at() = ToProto(Now() + dice_.Span(absl::Hours(-2), absl::Hours(24 * 9)));
  if (dice_.Chance(30)) file->set_category("payment-services");
  if (dice_.Chance(15)) {
    file->mutable_external_ref()->set_source("portal");
    file->mutable_external_ref()->set_key(absl::StrCat("P", dice_.Below(kSmallKeySpace)));
  }
  if (dice_.Chance(5)) request.set_case_id(house_->NewRequestId());
  if (dice_.Chance(20)) request.set_expected_revision(0);
  ChooseOccurredAt(&request);
  Send(std::move(request), dice_.Pick(People()));
}

void RandomWalk::FileHistory() {
  v1::ExecuteRequest request;
  v1::FileCase* file = request.mutable_command()->mutable_file();
  Import import;
  import.at = Now() - dice_.Span(absl::Hours(1), absl::Hours(24 * 90));
  file->set_kind(v1::INCIDENT);
  file->set_workflow("servicenow-incident");
  file->set_title(Personal());
  file->set_history(true);
  file->mutable_external_ref()->set_source("servicenow-incident");
  file->mutable_external_ref()->set_key(absl::StrCat("INC", case_ids_.size()));
  FillRow(import.at, file->mutable_row());
  file->mutable_row()->set_cursor(import.cursor);
  if (dice_.Chance(70)) file->mutable_row()->set_status("NEW");
  *file->mutable_received_at() = ToProto(import.at);
  *request.mutable_occurred_at() = ToProto(import.at);
  const size_t before = case_ids_.size();
  Send(std::move(request), "importer");
  if (case_ids_.size() > before) imports_[case_ids_.back()] = import;
}

void RandomWalk::GoOnImporting(const std::string& case_id, Import* import) {
  v1::ExecuteRequest request;
  request.set_case_id(case_id);
  absl::Time at = import->at + dice_.Span(absl::ZeroDuration(), absl::Hours(24 * 10));
  if (at > Now()) at = Now();
  if (dice_.Chance(25)) {
    *request.mutable_command()->mutable_end_history()->mutable_observed_until() = ToProto(at);
  } else {
    v1::SourceRow* row = request.mutable_command()->mutable_record_source_row()->mutable_row();
    FillRow(at, row);
    row->set_cursor(import->cursor + (dice_.Chance(85) ? 1 : 0));
    *request.mutable_occurred_at() = ToProto(at);
  }
  const int accepted = counts_.accepted["record_source_row"];
  const int ended = counts_.accepted["end_history"];
  Send(std::move(request), "importer");
  if (counts_.accepted["end_history"] > ended) {
    imports_.erase(case_id);
  } else if (counts_.accepted["record_source_row"] > accepted) {
    ++import->cursor;
    import->at = at;
  }
}

void RandomWalk::DoCommand() {
  const std::string case_id = SomeCase();
  const auto import = imports_.find(case_id);
  if (import != imports_.end() && dice_.Chance(80)) return GoOnImporting(case_id, &import->second);
  const auto state = house_->Get(case_id);
  DOCKET_CHECK(state.ok());
  v1::ExecuteRequest request;
  if (dice_.Chance(70)) {
    request.set_case_id(case_id);
  } else {
    request.set_case_no(state->case_no());
  }
  *request.mutable_command() = CommandFor(*state);
  if (dice_.Chance(15)) request.set_expected_revision(state->revision() - (dice_.Chance(25) ? 1 : 0));
  request.set_validate_only(dice_.Chance(4));
  request.set_return_case(dice_.Chance(10));
  ChooseApprover(&request);
  ChooseOccurredAt(&request);
  std::string principal = dice_.Chance(3) ? "nobody.known" : dice_.Pick(People());
  if (state->has_transfer() && dice_.Chance(50)) {
    // Somebody who may answer the transfer.
    const auto policies = house_->engine().Read().policies;
    const v1::Department* receiver = policies->Department(state->transfer().to_department());
    if (receiver != nullptr) principal = receiver->lead();
  }
  if (!state->items().empty() && dice_.Chance(50)) {
    // Somebody who owes something for the case.
    const v1::OwedItem& item = state->items(dice_.Below(state->items_size()));
    const v1::Department* owes = house_->engine().Read().policies->Department(item.department());
    if (owes != nullptr) principal = owes->lead();
  }
  Send(std::move(request), principal);
}

void RandomWalk::ChooseApprover(v1::ExecuteRequest* request) {
  if (dice_.Chance(50)) request->set_approver(dice_.Chance(5) ? "nobody.known" : dice_.Pick(People()));
  if (dice_.Chance(50)) request->set_evidence_ref("letter-4");
}

// Contacts are entered late now and then, other things only by mistake.
void RandomWalk::ChooseOccurredAt(v1::ExecuteRequest* request) {
  const v1::Command& command = request->command();
  const bool contact =
      command.has_file() || command.has_accept() || command.has_record_inbound() || command.has_send_outbound();
  if (!dice_.Chance(contact ? 15 : 3)) return;
  *request->mutable_occurred_at() = ToProto(Now() - dice_.Span(absl::Minutes(-5), absl::Hours(80)));
  if (dice_.Chance(80)) request->set_evidence_ref("call-log-17");
}

}  // namespace docket::testing
