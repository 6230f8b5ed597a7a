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
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/advance.h"
#include "workflow/case/allowed.h"

namespace docket::testing {
namespace {

constexpr uint64_t kFirstSeed = 20261118;
constexpr size_t kFewCases = 6;  // beyond, cases are worked rather than filed
constexpr int kSmallKeySpace = 6;  // external keys, so that the same one is filed twice now and then

const std::vector<std::string>& People() {
  static const auto& people = *new std::vector<std::string>{
      "amara.osei", "helen.marsh", "luis.romero",    "grace.lind", "tomasz.zielinski", "priya.nair",
      "sam.doyle",  "owen.pritchard", "mei.tan",     "jonas.weber", "ruth.adler",      "nikhil.rao"};
  return people;
}

const std::vector<std::string>& Queues() {
  static const auto& queues = *new std::vector<std::string>{"intake",        "complaints", "service-desk", "billing",
                                                            "field-service", "it-desk",    "legal"};
  return queues;
}

const std::vector<std::string>& ImportStatuses() {
  static const auto& statuses = *new std::vector<std::string>{
      "NEW", "ACTIVE", "AWAITING_USER_INFO", "AWAITING_VENDOR", "AWAITING_PROBLEM", "AWAITING_EVIDENCE",
      "RESOLVED", "CLOSED", "UNMAPPED_100"};
  return statuses;
}

// Every command but those that only make sense inside an import or when filing.
std::vector<std::string> CommandNames() {
  std::vector<std::string> names;
  const auto* oneof = v1::Command::descriptor()->FindOneofByName("command");
  for (int i = 0; i < oneof->field_count(); ++i) {
    if (oneof->field(i)->name() != "file") names.push_back(oneof->field(i)->name());
  }
  return names;
}

// What leads into the depths of a chart is done more often than what ends a story early.
int WeightOf(const std::string& command) {
  static const auto& weights = *new std::map<std::string, int>{
      {"accept", 24}, {"triage", 10}, {"hold", 12},          {"draft_decision", 30}, {"issue_decision", 30},
      {"close", 16},  {"resolve", 10}, {"accept_transfer", 16}, {"refuse_transfer", 16}, {"record_inbound", 8},
      {"resume", 3},  {"void", 1},     {"decline", 2},        {"resolve_on_the_spot", 2}, {"reopen", 8}};
  const auto found = weights.find(command);
  return found == weights.end() ? 4 : found->second;
}

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
    : house_(house), seed_(seed), options_(options), dice_(seed) {}

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
  } else if (choice < 46) {
    AskAndHold();
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
}

void RandomWalk::Retry() {
  if (!last_accepted_.has_value()) return;
  const uint64_t commits = house_->log().Head().commits;
  const auto reply = house_->Do(last_accepted_->first, last_accepted_->second);
  Note(absl::StrCat("retry of ", last_accepted_->first.request_id(), " -> ", Outcome(reply)));
  if (!reply.ok()) {
    broken_.push_back(absl::StrCat("retry: ", reply.status().ToString()));
    return;
  }
  ++counts_.replayed;
  if (!reply->replayed()) broken_.push_back("a retry was executed again");
  if (house_->log().Head().commits != commits) broken_.push_back("a retry wrote a commit");
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

// ---- what is sent ----

void RandomWalk::FileCase() {
  v1::ExecuteRequest request;
  v1::FileCase* file = request.mutable_command()->mutable_file();
  static const auto& kinds = *new std::vector<v1::CaseKind>{v1::COMPLAINT, v1::COMPLAINT, v1::COMPLAINT,
                                                            v1::INTERNAL_COMPLAINT, v1::REQUEST, v1::INCIDENT, v1::INQUIRY};
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
  if (dice_.Chance(15)) {
    file->mutable_external_ref()->set_source("portal");
    file->mutable_external_ref()->set_key(absl::StrCat("P", dice_.Below(kSmallKeySpace)));
  }
  if (dice_.Chance(5)) request.set_case_id(house_->NewRequestId());
  if (dice_.Chance(20)) request.set_expected_revision(0);
  ChooseOccurredAt(&request);
  Send(std::move(request), dice_.Pick(People()));
}

void RandomWalk::FillRow(v1::SourceRow* row) {
  row->set_file("incidents.csv");
  row->set_line(2 + dice_.Below(1000));
  row->set_status(dice_.Pick(ImportStatuses()));
  row->set_source_status(row->status());
  if (dice_.Chance(70)) row->set_queue(dice_.Chance(50) ? dice_.Pick(Queues()) : absl::StrCat("Group ", dice_.Below(5)));
  if (dice_.Chance(60)) row->set_owner(absl::StrCat("Resolver ", dice_.Below(5)));
  row->set_impact(1 + dice_.Below(3));
  row->set_urgency(1 + dice_.Below(3));
  row->set_priority(1 + dice_.Below(4));
  if (dice_.Chance(50)) row->set_category(absl::StrCat("Category ", dice_.Below(4)));
  row->set_updated_by_ref("Updated by 7");
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
  FillRow(file->mutable_row());
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
    FillRow(row);
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
  ChooseOccurredAt(&request);
  std::string principal = dice_.Chance(3) ? "nobody.known" : dice_.Pick(People());
  if (state->has_transfer() && dice_.Chance(50)) {
    // Somebody who may answer the transfer.
    const auto policies = house_->engine().Read().policies;
    const v1::Department* receiver = policies->Department(state->transfer().to_department());
    if (receiver != nullptr) principal = receiver->lead();
  }
  Send(std::move(request), principal);
}

// Contacts are entered late now and then, other things only by mistake.
void RandomWalk::ChooseOccurredAt(v1::ExecuteRequest* request) {
  const v1::Command& command = request->command();
  const bool contact = command.has_file() || command.has_accept() || command.has_record_inbound() || command.has_send_outbound();
  if (!dice_.Chance(contact ? 15 : 3)) return;
  *request->mutable_occurred_at() = ToProto(Now() - dice_.Span(absl::Minutes(-5), absl::Hours(80)));
  if (dice_.Chance(80)) request->set_evidence_ref("call-log-17");
}

std::string RandomWalk::CommandNameFor(const v1::Case& state) {
  static const auto& all = *new std::vector<std::string>(CommandNames());
  if (dice_.Chance(25)) return dice_.Pick(all);
  std::vector<std::string> allowed;
  for (const workflow::AllowedCommand& one : workflow::AllowedCommands(state, *house_->engine().Read().policies)) {
    if (one.allowed) allowed.insert(allowed.end(), WeightOf(one.command), one.command);
  }
  return allowed.empty() ? dice_.Pick(all) : dice_.Pick(allowed);
}

v1::Command RandomWalk::CommandFor(const v1::Case& state) {
  const std::string name = CommandNameFor(state);
  v1::Command command;
  const auto* field = v1::Command::descriptor()->FindFieldByName(name);
  DOCKET_CHECK(field != nullptr);
  command.GetReflection()->MutableMessage(&command, field);  // also the commands without fields
  FillIntake(name, &command);
  FillOwnership(name, state, &command);
  FillTalk(name, state, &command);
  FillStatus(name, state, &command);
  FillDecision(name, state, &command);
  return command;
}

void RandomWalk::FillIntake(const std::string& name, v1::Command* command) {
  if (name == "accept" && dice_.Chance(20)) {
    v1::Criterion* criterion = command->mutable_accept()->add_criteria();
    criterion->set_criterion(dice_.Chance(90) ? "ACTUAL_HARM" : "NICE_WEATHER");
    if (dice_.Chance(50)) command->mutable_accept()->set_override_reason("GOODWILL");
  } else if (name == "decline") {
    static const auto& reasons = *new std::vector<std::string>{"OUT_OF_SCOPE", "DUPLICATE", "NO_HARM", "BAD_MOOD"};
    command->mutable_decline()->set_reason_code(dice_.Pick(reasons));
    command->mutable_decline()->set_explanation(Personal());
  } else if (name == "triage") {
    v1::TriageCase* triage = command->mutable_triage();
    triage->set_severity(1 + dice_.Below(dice_.Chance(5) ? 9 : 4));
    triage->set_impact(1 + dice_.Below(3));
    triage->set_urgency(1 + dice_.Below(3));
    triage->set_safety(dice_.Chance(15));
    triage->set_regulatory(dice_.Chance(15));
  } else if (name == "set_priority") {
    v1::SetPriority* set = command->mutable_set_priority();
    if (dice_.Chance(50)) {
      set->set_priority(1 + dice_.Below(5));
      if (dice_.Chance(90)) set->set_override_reason("BY_MANAGER");
    } else {
      set->set_impact(1 + dice_.Below(3));
      set->set_urgency(1 + dice_.Below(3));
    }
  } else if (name == "classify") {
    command->mutable_classify()->set_category(absl::StrCat("topic-", dice_.Below(3)));
  } else if (name == "record_source_row") {
    FillRow(command->mutable_record_source_row()->mutable_row());
    command->mutable_record_source_row()->mutable_row()->set_cursor(1 + dice_.Below(3));
  } else if (name == "end_history") {
    *command->mutable_end_history()->mutable_observed_until() = ToProto(Now());
  }
}

void RandomWalk::FillOwnership(const std::string& name, const v1::Case& state, v1::Command* command) {
  if (name == "queue") {
    command->mutable_queue()->set_queue(dice_.Chance(4) ? "biling" : dice_.Pick(Queues()));
  } else if (name == "assign") {
    command->mutable_assign()->set_owner(dice_.Chance(4) ? "grace.lynd" : dice_.Pick(People()));
  } else if (name == "transfer") {
    command->mutable_transfer()->set_to_queue(dice_.Pick(Queues()));
    command->mutable_transfer()->set_handoff_note(Personal());
  } else if (name == "refuse_transfer") {
    command->mutable_refuse_transfer()->set_reason_code("NOT_OURS");
  } else if (name == "escalate") {
    command->mutable_escalate()->set_kind(dice_.Chance(50) ? v1::FUNCTIONAL : v1::HIERARCHICAL);
    command->mutable_escalate()->set_reason_code("CUSTOMER_ASKED");
    command->mutable_escalate()->set_justification(Personal());
  } else if (name == "acknowledge_escalation" && !state.escalations().empty() && dice_.Chance(70)) {
    command->mutable_acknowledge_escalation()->set_escalation_no(
        state.escalations(dice_.Below(state.escalations_size())).escalation_no());
  }
}

void RandomWalk::FillTalk(const std::string& name, const v1::Case& state, v1::Command* command) {
  if (name == "record_inbound") {
    v1::RecordInbound* inbound = command->mutable_record_inbound();
    inbound->set_body(Personal());
    inbound->set_internal(dice_.Chance(20));
    inbound->set_no_reply_needed(dice_.Chance(20));
  } else if (name == "send_outbound") {
    v1::SendOutbound* outbound = command->mutable_send_outbound();
    static const auto& kinds = *new std::vector<v1::OutboundKind>{v1::ACKNOWLEDGEMENT, v1::RESPONSE, v1::UPDATE,
                                                                  v1::INFORMATION_REQUEST, v1::INFORMATION_REQUEST};
    outbound->set_kind(dice_.Pick(kinds));
    outbound->set_body(Personal());
    outbound->set_automated(dice_.Chance(20));
    outbound->set_internal(dice_.Chance(10));
    if (!state.unanswered_inbound().empty() && dice_.Chance(30)) outbound->add_answers(state.unanswered_inbound(0));
    if (dice_.Chance(3)) outbound->add_answers(9999);
  } else if (name == "add_note") {
    command->mutable_add_note()->set_body(Personal());
  } else if (name == "mark_no_reply_needed") {
    const uint32_t revision = state.unanswered_inbound().empty() ? 1 : state.unanswered_inbound(0);
    command->mutable_mark_no_reply_needed()->set_inbound_revision(revision);
  }
}

void RandomWalk::FillStatus(const std::string& name, const v1::Case& state, v1::Command* command) {
  if (name == "hold") {
    static const auto& whom = *new std::vector<v1::WaitingOn>{v1::COMPLAINANT, v1::DEPARTMENT, v1::THIRD_PARTY, v1::LEGAL,
                                                              v1::SCHEDULE};
    const bool asked = state.last_information_request() != 0 && dice_.Chance(80);
    command->mutable_hold()->set_waiting_on(asked ? v1::COMPLAINANT : dice_.Pick(whom));
    command->mutable_hold()->set_reason_code("WAITING");
    if (dice_.Chance(65)) *command->mutable_hold()->mutable_until() = Soon();
    if (dice_.Chance(4)) *command->mutable_hold()->mutable_until() = ToProto(Now() - absl::Hours(1));
  } else if (name == "resolve") {
    command->mutable_resolve()->set_resolution_code("FIXED");
    if (dice_.Chance(50)) command->mutable_resolve()->set_solution(Personal());
  } else if (name == "close") {
    static const auto& bases = *new std::vector<std::string>{"ACCEPTED", "ACCEPTED", "NO_REPLY", "BORED"};
    command->mutable_close()->set_basis(dice_.Pick(bases));
  } else if (name == "reopen") {
    static const auto& reasons =
        *new std::vector<v1::ReopenReason>{v1::NOT_RESOLVED, v1::QUESTION_UNANSWERED, v1::NEW_FACTS};
    command->mutable_reopen()->set_reason(dice_.Pick(reasons));
  } else if (name == "void") {
    command->mutable_void_()->set_reason_code("CREATED_IN_ERROR");
    command->mutable_void_()->set_approver(dice_.Chance(10) ? "nobody.known" : dice_.Pick(People()));
  }
}

void RandomWalk::FillDecision(const std::string& name, const v1::Case& state, v1::Command* command) {
  if (name == "draft_decision") {
    v1::DraftDecision* draft = command->mutable_draft_decision();
    draft->set_text(Personal());
    for (const v1::Matter& matter : state.matters()) {
      if (dice_.Chance(8)) continue;
      v1::MatterFinding* finding = draft->add_findings();
      finding->set_matter_no(matter.matter_no());
      finding->set_finding(dice_.Chance(50) ? v1::UPHELD : v1::NOT_UPHELD);
      if (dice_.Chance(90)) finding->set_root_cause("PROCESS");
    }
  } else if (name == "issue_decision") {
    if (dice_.Chance(85)) command->mutable_issue_decision()->add_parts("REASONS");
    if (dice_.Chance(85)) command->mutable_issue_decision()->add_parts("FURTHER_ROUTES");
    if (dice_.Chance(40)) *command->mutable_issue_decision()->mutable_reply_until() = Soon();
  } else if (name == "resolve_on_the_spot") {
    command->mutable_resolve_on_the_spot()->set_remedy("APOLOGY");
    command->mutable_resolve_on_the_spot()->set_accepted_how("SPOKEN");
  }
}

}  // namespace docket::testing
