#include "workflow/case/allowed.h"

#include <string>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "docket/v1/annotations.pb.h"
#include "docket/v1/command.pb.h"
#include "workflow/case/decide.h"
#include "workflow/case/owed_items.h"
#include "workflow/case/ownership.h"
#include "workflow/case/routing.h"
#include "workflow/case/second_person.h"
#include "workflow/case/status.h"
#include "workflow/escalation/escalation.h"

namespace docket::workflow {
namespace {

bool OfPeople(const std::string& command) {
  return command != "file" && command != "record_source_row" && command != "end_history" && command != "advance" &&
         command != "roll_out";
}

bool HasEscalation(const v1::Case& state, bool (*wanted)(const v1::Escalation&)) {
  return absl::c_any_of(state.escalations(), wanted);
}

bool IsRequested(const v1::Escalation& one) { return one.state() == v1::Escalation::REQUESTED; }

void AddUnmetForTransferAnswer(const v1::Case& state, const policy::PolicySet& policies, const std::string& asker,
                               bool accepts, std::vector<Unmet>* unmet) {
  if (state.has_transfer() && asker.empty()) return;
  v1::Actor actor;
  actor.set_principal_id(asker);
  const DecideContext context{.actor = &actor, .policies = &policies};
  for (Unmet& one : UnmetForTransferAnswer(Draft(state, context), accepts)) unmet->push_back(std::move(one));
}

// Conditions that the commands themselves check, beyond the chart.
void AddOwnConditions(const v1::Case& state, const policy::PolicySet& policies, const std::string& command,
                      const std::string& asker, std::vector<Unmet>* unmet) {
  if (state.revision() >= EventLimit(command)) {
    unmet->push_back({"CASE_FULL", absl::StrCat(state.revision(), " events, the limit is ", EventLimit(command)), ""});
  }
  if (command == "route") {
    const Route route = RouteFor(state, policies, absl::InfiniteFuture());
    if (route.queue.empty()) unmet->push_back({"NO_ROUTE", "no routing rule holds for this case", "queue"});
  }
  if (command == "queue" && state.has_transfer()) {
    unmet->push_back({"TRANSFER_PENDING", "the transfer is not yet answered", "refuse_transfer"});
  }
  if (command == "release" && state.owner().empty()) unmet->push_back({"NO_OWNER", "owner: none", "take"});
  if (command == "accept_transfer" || command == "refuse_transfer") {
    AddUnmetForTransferAnswer(state, policies, asker, command == "accept_transfer", unmet);
  }
  if (command == "reopen") WantAnotherPerson(state, asker, unmet);
  if (command == "transfer" && state.has_transfer()) {
    unmet->push_back({"TRANSFER_PENDING", "the last transfer is not yet answered", "refuse_transfer"});
  }
  if (command == "mark_no_reply_needed" && state.unanswered_inbound().empty()) {
    unmet->push_back({"NOT_UNANSWERED", "no message waits for an answer", "record_inbound"});
  }
  const auto any_item = [&](auto fits) { return absl::c_any_of(state.items(), fits); };
  if ((command == "accept_item" || command == "refuse_item") &&
      !any_item([](const v1::OwedItem& one) { return one.state() == v1::OwedItem::ASKED; })) {
    unmet->push_back({"ITEM_NOT_FOUND", "nothing asked waits to be accepted", "ask_item"});
  }
  if ((command == "return_item" || command == "complete_item") && !any_item([](const v1::OwedItem& one) {
        return one.state() == v1::OwedItem::ASKED || one.state() == v1::OwedItem::TAKEN_ON;
      })) {
    unmet->push_back({"ITEM_NOT_FOUND", "nothing is owed for the case", "ask_item"});
  }
  if (command == "cancel_item" && !any_item(IsOpen)) {
    unmet->push_back({"ITEM_NOT_FOUND", "nothing is owed for the case", "ask_item"});
  }
  if (command == "judge_late_entry" &&
      !absl::c_any_of(state.clocks(), [](const v1::Clock& one) { return one.disputed(); })) {
    unmet->push_back({"CLOCK_NOT_FOUND", "no entry is disputed", ""});
  }
  const auto unfinished = [](const v1::Clock& one) { return one.state() == v1::RUNNING || one.state() == v1::PAUSED; };
  if ((command == "extend_clock" || command == "set_due") && !absl::c_any_of(state.clocks(), unfinished)) {
    unmet->push_back({"CLOCK_NOT_FOUND", "no clock runs", ""});
  }
  const auto exemptable = [&](const v1::Clock& one) {
    const bool late = one.state() == v1::FULFILLED && one.has_breached_due_at();
    return one.nature() == v1::DUTY && one.exempt_cause().empty() && (unfinished(one) || late);
  };
  if (command == "exempt_clock" && !absl::c_any_of(state.clocks(), exemptable)) {
    unmet->push_back({"CLOCK_NOT_FOUND", "no duty runs or was late", ""});
  }
  if (command == "report_delivery" && state.sent().empty()) {
    unmet->push_back({"NOT_SENT", "no public message was sent", "send_outbound"});
  }
  if (command == "acknowledge_escalation" && !HasEscalation(state, escalation::WaitsForAck)) {
    unmet->push_back({"NO_OPEN_ESCALATION", "no escalation waits to be acknowledged", "escalate"});
  }
  if (command == "close_escalation" && !HasEscalation(state, escalation::IsOpen)) {
    unmet->push_back({"NO_OPEN_ESCALATION", "no escalation is open", "escalate"});
  }
  if ((command == "approve_escalation" || command == "decline_escalation") && !HasEscalation(state, IsRequested)) {
    unmet->push_back({"NO_REQUESTED_ESCALATION", "no escalation waits for a second person", "escalate"});
  }
  if (command == "clear_conflict" && state.conflicts().empty()) {
    unmet->push_back({"NO_CONFLICT", "nobody has declared a conflict", "declare_conflict"});
  }
  if (command == "remove_watcher" && state.watchers().empty()) {
    unmet->push_back({"NOT_A_WATCHER", "nobody watches the case", "add_watcher"});
  }
}

void AddOne(const v1::Chart& chart, const v1::Case& state, const policy::PolicySet& policies, const std::string& asker,
            const google::protobuf::FieldDescriptor& field, std::vector<AllowedCommand>* out) {
  const std::string& name = field.name();
  Choice choice = ChooseTransition(chart, state, name, nullptr);
  std::vector<Unmet> unmet = std::move(choice.unmet);
  if (choice.transition == nullptr) {
    if (!choice.listed && NeedsTransition(name)) return;  // no command of this chart at all
    if ((choice.listed || NeedsTransition(name)) && !AllowedInFinalStatus(name)) {
      unmet.push_back({"TRANSITION_NOT_ALLOWED", absl::StrCat("not from status ", state.status().status()), ""});
    } else if (!state.status().active() && !AllowedInFinalStatus(name)) {
      unmet.push_back({"CASE_NOT_ACTIVE", absl::StrCat("status ", state.status().status(), " is final"), "reopen"});
    }
  }
  AddOwnConditions(state, policies, name, asker, &unmet);
  AllowedCommand allowed{.command = name, .allowed = unmet.empty()};
  allowed.unmet = std::move(unmet);
  if (choice.transition != nullptr) {
    allowed.leads_to = choice.transition->back_to_resume() ? state.wait().resume_to() : choice.transition->to();
  }
  for (int i = 0; i < field.message_type()->field_count(); ++i) {
    const auto* part = field.message_type()->field(i);
    if (part->options().GetExtension(v1::required)) allowed.required_fields.push_back(part->name());
  }
  out->push_back(std::move(allowed));
}

}  // namespace

std::vector<AllowedCommand> AllowedCommands(const v1::Case& state, const policy::PolicySet& policies,
                                            const std::string& asker) {
  std::vector<AllowedCommand> out;
  const absl::StatusOr<const v1::Chart*> chart = PinnedChart(state, policies);
  if (!chart.ok()) return out;
  const auto* oneof = v1::Command::descriptor()->FindOneofByName("command");
  for (int i = 0; i < oneof->field_count(); ++i) {
    if (OfPeople(oneof->field(i)->name())) AddOne(**chart, state, policies, asker, *oneof->field(i), &out);
  }
  return out;
}

}  // namespace docket::workflow
