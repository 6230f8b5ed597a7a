#include "workflow/case/allowed.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "docket/v1/annotations.pb.h"
#include "docket/v1/command.pb.h"
#include "workflow/case/decide.h"
#include "workflow/case/status.h"

namespace docket::workflow {
namespace {

bool OfPeople(const std::string& command) {
  return command != "file" && command != "record_source_row" && command != "end_history" && command != "advance";
}

bool AllowedInFinalStatus(const std::string& command) {
  return command == "add_note" || command == "record_inbound" || command == "send_outbound" ||
         command == "mark_no_reply_needed" || command == "acknowledge_escalation";
}

// Conditions that the commands themselves check, beyond the chart.
void AddOwnConditions(const v1::Case& state, const std::string& command, std::vector<Unmet>* unmet) {
  if (state.revision() >= EventLimit(command)) {
    unmet->push_back({"CASE_FULL", absl::StrCat(state.revision(), " events, the limit is ", EventLimit(command)), ""});
  }
  if (command == "queue" && state.has_transfer()) {
    unmet->push_back({"TRANSFER_PENDING", "the transfer is not yet answered", "refuse_transfer"});
  }
  if (command == "release" && state.owner().empty()) unmet->push_back({"NO_OWNER", "owner: none", "take"});
  if ((command == "accept_transfer" || command == "refuse_transfer") && !state.has_transfer()) {
    unmet->push_back({"NO_PENDING_TRANSFER", "no transfer waits for an answer", "transfer"});
  }
  if (command == "transfer" && state.has_transfer()) {
    unmet->push_back({"TRANSFER_PENDING", "the last transfer is not yet answered", "refuse_transfer"});
  }
  if (command == "mark_no_reply_needed" && state.unanswered_inbound().empty()) {
    unmet->push_back({"NOT_UNANSWERED", "no message waits for an answer", "record_inbound"});
  }
  if (command == "acknowledge_escalation") {
    for (const v1::Escalation& one : state.escalations()) {
      if (one.state() == v1::Escalation::RAISED) return;
    }
    unmet->push_back({"NO_OPEN_ESCALATION", "no escalation waits to be acknowledged", "escalate"});
  }
}

void AddOne(const v1::Chart& chart, const v1::Case& state, const google::protobuf::FieldDescriptor& field,
            std::vector<AllowedCommand>* out) {
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
  AddOwnConditions(state, name, &unmet);
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

std::vector<AllowedCommand> AllowedCommands(const v1::Case& state, const policy::PolicySet& policies) {
  std::vector<AllowedCommand> out;
  const absl::StatusOr<const v1::Chart*> chart = PinnedChart(state, policies);
  if (!chart.ok()) return out;
  const auto* oneof = v1::Command::descriptor()->FindOneofByName("command");
  for (int i = 0; i < oneof->field_count(); ++i) {
    if (OfPeople(oneof->field(i)->name())) AddOne(**chart, state, *oneof->field(i), &out);
  }
  return out;
}

}  // namespace docket::workflow
