#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"
#include "workflow/case/facts.h"
#include "workflow/case/status.h"
#include "workflow/policy/condition.h"

namespace docket::workflow {
namespace {

// Does the condition speak of the command's own fields?
bool SpeaksOfCommand(const v1::Condition& condition) {
  switch (condition.node_case()) {
    case v1::Condition::kAll:
      return absl::c_any_of(condition.all().of(), SpeaksOfCommand);
    case v1::Condition::kAny:
      return absl::c_any_of(condition.any().of(), SpeaksOfCommand);
    case v1::Condition::kNot:
      return SpeaksOfCommand(condition.not_());
    case v1::Condition::kComparison:
      return condition.comparison().fact().rfind("command.", 0) == 0;
    case v1::Condition::NODE_NOT_SET:
      return false;
  }
  return false;
}

std::vector<Unmet> Unfulfilled(const v1::Transition& transition, const policy::Facts& facts) {
  std::vector<Unmet> unmet;
  for (const v1::Guard& guard : transition.guards()) {
    if (facts.command == nullptr && SpeaksOfCommand(guard.require())) continue;
    if (!policy::Evaluate(guard.require(), facts)) unmet.push_back({guard.reason(), guard.message(), guard.meet_by()});
  }
  return unmet;
}

// What forbids a transition: its guards, and an owner that its status wants.
std::vector<Unmet> UnmetOf(const v1::Chart& chart, const v1::Transition& transition, const v1::Case& state,
                           const policy::Facts& facts) {
  std::vector<Unmet> unmet = Unfulfilled(transition, facts);
  const v1::Status* to = FindStatus(chart, transition.to());
  if (to != nullptr && to->requires_owner() && state.owner().empty()) {
    unmet.push_back({"OWNER_MISSING", absl::StrCat("owner: none, ", to->id(), " wants one"), "take"});
  }
  return unmet;
}

std::string Subject(const v1::Case& state) { return absl::StrCat("case ", state.case_no()); }

absl::Status RefuseStatus(const v1::Chart& chart, const v1::Case& state, absl::string_view command,
                          const Choice& choice) {
  if (!choice.listed) {
    return RefuseUnmet("COMMAND_NOT_IN_CHART", Subject(state),
                       {{"COMMAND_NOT_IN_CHART",
                         absl::StrCat(command, " is no command of workflow ", chart.id(), "@", chart.version()), ""}});
  }
  std::vector<std::string> from;
  for (const v1::Transition& one : chart.transitions()) {
    if (one.command() == command) from.insert(from.end(), one.from().begin(), one.from().end());
  }
  absl::c_sort(from);
  from.erase(std::unique(from.begin(), from.end()), from.end());
  return RefuseUnmet("TRANSITION_NOT_ALLOWED", Subject(state),
                     {{"TRANSITION_NOT_ALLOWED",
                       absl::StrCat("status: ", state.status().status(), ", ", command, " wants one of ",
                                    absl::StrJoin(from, ", "), " and the conditions of its transition"),
                       ""}});
}

}  // namespace

std::string CommandName(const v1::Command& command) {
  const auto* oneof = v1::Command::descriptor()->FindOneofByName("command");
  const auto* field = command.GetReflection()->GetOneofFieldDescriptor(command, oneof);
  return field == nullptr ? "" : field->name();
}

const google::protobuf::Message* CommandBody(const v1::Command& command) {
  const auto* oneof = v1::Command::descriptor()->FindOneofByName("command");
  const auto* field = command.GetReflection()->GetOneofFieldDescriptor(command, oneof);
  return field == nullptr ? nullptr : &command.GetReflection()->GetMessage(command, field);
}

bool AllowedInFinalStatus(absl::string_view command) {
  static constexpr absl::string_view kNames[] = {
      "add_note",         "record_inbound",  "send_outbound", "mark_no_reply_needed", "acknowledge_escalation",
      "accept_item",      "return_item",     "complete_item", "refuse_item",          "cancel_item",
      "extend_clock",     "exempt_clock",    "set_due",       "judge_late_entry",     "correct_received_at",
      "roll_out",         "report_delivery", "ask_item",      "decline_escalation",   "close_escalation",
      "declare_conflict", "clear_conflict",  "add_watcher",   "remove_watcher"};
  return absl::c_linear_search(kNames, command);
}

bool NeedsTransition(absl::string_view command) {
  static constexpr absl::string_view kNames[] = {
      "accept", "decline", "hold", "resume", "resolve", "draft_decision", "issue_decision", "resolve_on_the_spot",
      "close",  "reopen",  "void"};
  return absl::c_linear_search(kNames, command);
}

const v1::Status* FindStatus(const v1::Chart& chart, absl::string_view id) {
  for (const v1::Status& status : chart.statuses()) {
    if (status.id() == id) return &status;
  }
  return nullptr;
}

v1::StatusEntered EnteredOf(const v1::Chart& chart, const v1::Status& status, absl::Time at) {
  v1::StatusEntered entered;
  entered.set_status(status.id());
  entered.set_category(status.category());
  *entered.mutable_pauses() = status.pauses();
  entered.set_leaves_queue(status.leaves_queue());
  entered.set_active(status.active());
  entered.set_closure_code(status.closure_code());
  for (const v1::Transition& transition : chart.transitions()) {
    if (transition.by_timer() && absl::c_linear_search(transition.from(), status.id())) {
      *entered.mutable_timer_at() = ToProto(at + FromProto(transition.after()));
      entered.set_timer_transition(transition.id());
      break;
    }
  }
  return entered;
}

absl::StatusOr<const v1::Chart*> PinnedChart(const v1::Case& state, const policy::PolicySet& policies) {
  const v1::Chart* chart = policies.Chart(state.workflow());
  if (chart == nullptr) {
    return absl::DataLossError(absl::StrCat("workflow ", state.workflow().id(), "@", state.workflow().version(), " of ",
                                            state.case_no(), " is not in the log"));
  }
  return chart;
}

Choice ChooseTransition(const v1::Chart& chart, const v1::Case& state, absl::string_view command,
                        const google::protobuf::Message* body) {
  Choice choice;
  const v1::CaseFacts case_facts = BuildFacts(state);
  const policy::Facts facts{.case_facts = &case_facts, .command = body, .event = nullptr};
  for (const v1::Transition& transition : chart.transitions()) {
    if (transition.command() != command) continue;
    choice.listed = true;
    if (transition.by_timer() || !absl::c_linear_search(transition.from(), state.status().status())) continue;
    // Before its fields are known a command may take any transition whose `when` asks for them: the first that is free.
    const bool depends = body == nullptr && SpeaksOfCommand(transition.when());
    if (!depends && !policy::Evaluate(transition.when(), facts)) continue;
    std::vector<Unmet> unmet = UnmetOf(chart, transition, state, facts);
    if (choice.transition == nullptr || unmet.empty()) {
      choice.transition = &transition;
      choice.unmet = std::move(unmet);
    }
    if (!depends || choice.unmet.empty()) break;
  }
  return choice;
}

std::vector<Unmet> UnmetGuards(const v1::Transition& transition, const v1::Case& state) {
  const v1::CaseFacts case_facts = BuildFacts(state);
  return Unfulfilled(transition, {.case_facts = &case_facts, .command = nullptr, .event = nullptr});
}

absl::StatusOr<const v1::Transition*> RequireTransition(const Draft& draft, const v1::Command& command,
                                                        std::vector<Unmet> more) {
  const v1::Case& state = draft.state();
  const std::string name = CommandName(command);
  DOCKET_ASSIGN_OR_RETURN(const v1::Chart* chart, PinnedChart(state, *draft.context().policies));
  Choice choice = ChooseTransition(*chart, state, name, CommandBody(command));
  if (choice.transition == nullptr) {
    if (NeedsTransition(name)) return RefuseStatus(*chart, state, name, choice);
    const bool always = AllowedInFinalStatus(name);
    if (!always && choice.listed) return RefuseStatus(*chart, state, name, choice);
    if (!always && !state.status().active()) {
      more.insert(
          more.begin(),
          {"CASE_NOT_ACTIVE",
           absl::StrCat("status: ", state.status().status(), " is final, ", name, " wants an active case"), "reopen"});
    }
  }
  std::vector<Unmet> unmet = std::move(choice.unmet);
  unmet.insert(unmet.end(), more.begin(), more.end());
  if (!unmet.empty()) return RefuseUnmet("CONDITIONS_UNMET", Subject(state), unmet);
  return choice.transition;
}

absl::Status Follow(Draft& draft, const v1::Transition* transition, const v1::Wait* wait) {
  if (transition == nullptr) return absl::OkStatus();
  const v1::Case& state = draft.state();
  DOCKET_ASSIGN_OR_RETURN(const v1::Chart* chart, PinnedChart(state, *draft.context().policies));
  const std::string to = transition->back_to_resume() ? state.wait().resume_to() : transition->to();
  const v1::Status* status = FindStatus(*chart, to);
  if (status == nullptr) {
    return absl::DataLossError(absl::StrCat("transition ", transition->id(), " leads to unknown status ", to));
  }
  absl::Time at = draft.context().effective;
  if (state.has_last_event_at()) at = std::max(at, FromProto(state.last_event_at()));
  v1::Event event;
  event.set_visibility(v1::VISIBILITY_PUBLIC);
  *event.mutable_occurred_at() = ToProto(at);
  v1::StatusChanged* changed = event.mutable_status_changed();
  changed->set_from(state.status().status());
  changed->set_from_category(state.status().category());
  *changed->mutable_entered() = EnteredOf(*chart, *status, at);
  changed->set_transition_id(transition->id());
  changed->set_by_message(transition->command() == "record_inbound");
  if (wait != nullptr) *changed->mutable_wait() = *wait;
  return draft.Emit(std::move(event));
}

}  // namespace docket::workflow
