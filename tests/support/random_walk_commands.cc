// What a walk sends: one function per subject fills the fields of its commands.
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/random_walk.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"
#include "workflow/case/allowed.h"

namespace docket::testing {
namespace {

const std::vector<std::string>& ImportStatuses() {
  static const auto& statuses = *new std::vector<std::string>{
      "NEW",      "ACTIVE", "AWAITING_USER_INFO", "AWAITING_VENDOR", "AWAITING_PROBLEM", "AWAITING_EVIDENCE",
      "RESOLVED", "CLOSED", "UNMAPPED_100"};
  return statuses;
}

// Every command but filing.
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
  static const auto& weights = *new std::map<std::string, int>{{"accept", 24},
                                                               {"triage", 10},
                                                               {"hold", 12},
                                                               {"draft_decision", 30},
                                                               {"issue_decision", 30},
                                                               {"close", 16},
                                                               {"resolve", 10},
                                                               {"accept_transfer", 16},
                                                               {"refuse_transfer", 16},
                                                               {"record_inbound", 8},
                                                               {"resume", 3},
                                                               {"void", 1},
                                                               {"decline", 2},
                                                               {"resolve_on_the_spot", 2},
                                                               {"reopen", 8},
                                                               {"declare_conflict", 1},
                                                               {"clear_conflict", 8},
                                                               {"add_watcher", 2},
                                                               {"remove_watcher", 2}};
  const auto found = weights.find(command);
  return found == weights.end() ? 4 : found->second;
}

}  // namespace

const std::vector<std::string>& People() {
  static const auto& people = *new std::vector<std::string>{
      "amara.osei", "helen.marsh",    "luis.romero", "grace.lind",  "tomasz.zielinski", "priya.nair",
      "sam.doyle",  "owen.pritchard", "mei.tan",     "jonas.weber", "ruth.adler",       "nikhil.rao"};
  return people;
}

const std::vector<std::string>& Queues() {
  static const auto& queues = *new std::vector<std::string>{"intake",        "complaints", "service-desk", "billing",
                                                            "field-service", "it-desk",    "legal"};
  return queues;
}

void RandomWalk::FillRow(absl::Time at, v1::SourceRow* row) {
  row->set_file("incidents.csv");
  row->set_line(2 + dice_.Below(1000));
  row->set_status(dice_.Pick(ImportStatuses()));
  row->set_source_status(row->status());
  if (dice_.Chance(70))
    row->set_queue(dice_.Chance(50) ? dice_.Pick(Queues()) : absl::StrCat("Group ", dice_.Below(5)));
  if (dice_.Chance(60)) row->set_owner(absl::StrCat("Resolver ", dice_.Below(5)));
  row->set_impact(1 + dice_.Below(3));
  row->set_urgency(1 + dice_.Below(3));
  row->set_priority(1 + dice_.Below(4));
  if (dice_.Chance(50)) row->set_category(absl::StrCat("Category ", dice_.Below(4)));
  row->set_updated_by_ref("Updated by 7");
  if (dice_.Chance(40)) *row->mutable_due_at() = ToProto(at + dice_.Span(absl::Hours(-24), absl::Hours(24 * 20)));
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
  FillPeople(name, state, &command);
  FillTalk(name, state, &command);
  FillStatus(name, state, &command);
  FillDecision(name, state, &command);
  FillClocks(name, state, &command);
  FillItems(name, state, &command);
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
    command->mutable_classify()->set_category(dice_.Chance(30) ? "payment-services"
                                                               : absl::StrCat("topic-", dice_.Below(3)));
  } else if (name == "record_source_row") {
    FillRow(Now(), command->mutable_record_source_row()->mutable_row());
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
    static const auto& kinds =
        *new std::vector<v1::EscalationKind>{v1::FUNCTIONAL, v1::HIERARCHICAL, v1::CUSTOMER_ESCALATION, v1::REGULATORY};
    command->mutable_escalate()->set_kind(dice_.Pick(kinds));
    if (dice_.Chance(50)) command->mutable_escalate()->set_source(v1::EscalationSource::CUSTOMER);
    command->mutable_escalate()->set_reason_code("CUSTOMER_ASKED");
    command->mutable_escalate()->set_justification(Personal());
  } else if (name == "acknowledge_escalation" && !state.escalations().empty() && dice_.Chance(70)) {
    command->mutable_acknowledge_escalation()->set_escalation_no(
        state.escalations(dice_.Below(state.escalations_size())).escalation_no());
  }
}

void RandomWalk::FillPeople(const std::string& name, const v1::Case& state, v1::Command* command) {
  if (name == "decline_escalation") {
    command->mutable_decline_escalation()->set_reason_code("NOT_NEEDED");
  } else if (name == "close_escalation") {
    command->mutable_close_escalation()->set_reason_code("SOLVED");
    command->mutable_close_escalation()->set_justification(Personal());
    if (!state.escalations().empty() && dice_.Chance(70)) {
      command->mutable_close_escalation()->set_escalation_no(
          state.escalations(dice_.Below(state.escalations_size())).escalation_no());
    }
  } else if (name == "declare_conflict") {
    command->mutable_declare_conflict()->set_nature("KINSHIP");
    if (dice_.Chance(80)) command->mutable_declare_conflict()->set_principal(dice_.Pick(People()));
  } else if (name == "clear_conflict") {
    command->mutable_clear_conflict()->set_principal(
        state.conflicts().empty() ? dice_.Pick(People())
                                  : state.conflicts(dice_.Below(state.conflicts_size())).principal());
    command->mutable_clear_conflict()->set_reason_code("MISTAKE");
  } else if (name == "add_watcher" && dice_.Chance(80)) {
    command->mutable_add_watcher()->set_principal(dice_.Pick(People()));
  } else if (name == "remove_watcher" && !state.watchers().empty()) {
    command->mutable_remove_watcher()->set_principal(state.watchers(dice_.Below(state.watchers_size())));
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
    static const auto& kinds = *new std::vector<v1::OutboundKind>{
        v1::ACKNOWLEDGEMENT, v1::RESPONSE, v1::UPDATE, v1::INFORMATION_REQUEST, v1::INFORMATION_REQUEST, v1::HOLDING};
    outbound->set_kind(state.category() == "payment-services" && dice_.Chance(40) ? v1::HOLDING : dice_.Pick(kinds));
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
  } else if (name == "report_delivery") {
    static const auto& outcomes = *new std::vector<v1::DeliveryOutcome>{v1::DELIVERED, v1::BOUNCED, v1::BOUNCED};
    command->mutable_report_delivery()->set_outbound_revision(
        state.sent().empty() ? 3 : state.sent(dice_.Below(state.sent_size())).revision());
    command->mutable_report_delivery()->set_outcome(dice_.Pick(outcomes));
  }
}

void RandomWalk::FillClocks(const std::string& name, const v1::Case& state, v1::Command* command) {
  const uint32_t some_clock = state.clocks().empty() ? 1 : state.clocks(dice_.Below(state.clocks_size())).clock_no();
  if (name == "correct_received_at") {
    v1::CorrectReceivedAt* correct = command->mutable_correct_received_at();
    *correct->mutable_received_at() = ToProto(Now() - dice_.Span(absl::Minutes(1), absl::Hours(200)));
    correct->set_reason_code("MISREAD");
  } else if (name == "extend_clock") {
    command->mutable_extend_clock()->set_metric("FINAL_RESPONSE");
    command->mutable_extend_clock()->set_ground(dice_.Chance(90) ? "EXCEPTIONAL" : "TIRED");
  } else if (name == "exempt_clock") {
    command->mutable_exempt_clock()->set_clock_no(some_clock);
    command->mutable_exempt_clock()->set_cause("FORCE_MAJEURE");
  } else if (name == "judge_late_entry") {
    command->mutable_judge_late_entry()->set_confirmed(dice_.Chance(50));
  } else if (name == "set_due") {
    command->mutable_set_due()->set_clock_no(some_clock);
    command->mutable_set_due()->set_reason_code("AGREED");
    if (dice_.Chance(80)) *command->mutable_set_due()->mutable_due_at() = Soon();
  } else if (name == "roll_out") {
    command->mutable_roll_out()->set_rollout_id("none");
  }
}

void RandomWalk::FillItems(const std::string& name, const v1::Case& state, v1::Command* command) {
  static const auto& departments = *new std::vector<std::string>{"complaints", "billing", "legal", "it", "leagl"};
  const uint32_t some_item =
      state.items().empty() || dice_.Chance(20) ? 0 : state.items(dice_.Below(state.items_size())).item_no();
  if (name == "ask_item") {
    v1::AskItem* ask = command->mutable_ask_item();
    ask->set_kind(dice_.Chance(70) ? v1::WORK : v1::SUPERVISION_ORDER);
    ask->set_department(dice_.Pick(departments));
    ask->set_what("LOOK_INTO_IT");
    if (dice_.Chance(50)) ask->set_text(Personal());
    if (dice_.Chance(20)) *ask->mutable_due_at() = Soon();
    for (const v1::OwedItem& item : state.items()) {
      if (item.state() != v1::OwedItem::RETURNED || dice_.Chance(20)) continue;
      ask->set_item_no(item.item_no());
      ask->set_kind(item.kind());
      ask->clear_due_at();
    }
  } else if (name == "accept_item") {
    command->mutable_accept_item()->set_item_no(some_item);
  } else if (name == "return_item") {
    command->mutable_return_item()->set_item_no(some_item);
    command->mutable_return_item()->set_reason_code("FILE_MISSING");
  } else if (name == "complete_item") {
    command->mutable_complete_item()->set_item_no(some_item);
    command->mutable_complete_item()->set_result(Personal());
  } else if (name == "refuse_item") {
    command->mutable_refuse_item()->set_item_no(some_item);
    command->mutable_refuse_item()->set_reason_code("NOT_OURS");
  } else if (name == "cancel_item") {
    command->mutable_cancel_item()->set_item_no(some_item);
    command->mutable_cancel_item()->set_reason_code("NOT_NEEDED");
  }
}

void RandomWalk::FillStatus(const std::string& name, const v1::Case& state, v1::Command* command) {
  if (name == "hold") {
    static const auto& whom =
        *new std::vector<v1::WaitingOn>{v1::COMPLAINANT, v1::DEPARTMENT, v1::THIRD_PARTY, v1::LEGAL, v1::SCHEDULE};
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
