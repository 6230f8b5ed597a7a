#include "workflow/case/ownership.h"

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"
#include "workflow/case/conflict.h"
#include "workflow/case/conflicted.h"
#include "workflow/case/status.h"

namespace docket::workflow {
namespace {

// Who is asked to accept a transfer is of the receiving department or of one below it, or stands in for somebody there
// who is away; somebody above may have made it.
bool ActsForReceiver(const Draft& draft) {
  const v1::Actor& actor = *draft.context().actor;
  const v1::PendingTransfer& transfer = draft.state().transfer();
  const policy::PolicySet& policies = *draft.context().policies;
  // Where nobody is left to answer, anybody may, or the case would be stuck.
  if (policies.Department(transfer.to_department()) == nullptr) return true;
  const auto receives = [&](const v1::Principal& one) {
    return policies.IsWithin(one.department(), transfer.to_department());
  };
  if (absl::c_none_of(policies.directory().principals(), receives)) return true;
  const v1::Principal* principal = policies.Principal(actor.principal_id());
  if (principal == nullptr) return policies.IsWithin(actor.department_id(), transfer.to_department());
  if (receives(*principal)) return true;
  if (ConflictOf(draft.state(), principal->id()) != nullptr) return false;
  return absl::c_any_of(policies.directory().principals(), [&](const v1::Principal& one) {
    return receives(one) && policies.absences().ActingFor(one.id(), draft.context().now) == principal->id();
  });
}

// Who hands a case over does not accept it too, unless nobody else receives there now: somebody away does so by who
// stands in for them. To stand in for a receiver oneself is no way around it (R12).
void AddUnmetForSender(const Draft& draft, std::vector<Unmet>* unmet) {
  const v1::PendingTransfer& transfer = draft.state().transfer();
  const std::string& by = draft.context().actor->principal_id();
  if (transfer.by().empty() || transfer.by() != by) return;
  const policy::PolicySet& policies = *draft.context().policies;
  bool others = false;
  bool receives = false;
  bool stands_in = false;
  for (const v1::Principal& one : policies.directory().principals()) {
    if (!policies.IsWithin(one.department(), transfer.to_department())) continue;
    const std::string acting = policies.absences().ActingFor(one.id(), draft.context().now);
    others = others || (one.id() != by && acting != by && policies.Principal(acting) != nullptr);
    stands_in = stands_in || (one.id() != by && acting == by);
    receives = receives || one.id() == by;
  }
  if (!others && (receives || !stands_in)) return;
  unmet->push_back({"SECOND_PERSON_MISSING",
                    absl::StrCat("accept_transfer: ", by, " handed the case over, want another person of ",
                                 transfer.to_department(), others ? "" : ", where everybody is away now"),
                    ""});
}

}  // namespace

std::vector<Unmet> UnmetForTransferAnswer(const Draft& draft, bool accepts) {
  if (!draft.state().has_transfer()) {
    return {{"NO_PENDING_TRANSFER", "no transfer waits for an answer", "transfer"}};
  }
  if (!ActsForReceiver(draft)) {
    return {{"NOT_THE_RECEIVER",
             absl::StrCat("only department ", draft.state().transfer().to_department(), " can answer this transfer, ",
                          draft.context().actor->principal_id(), " is not of it"),
             ""}};
  }
  std::vector<Unmet> unmet;
  if (accepts) AddUnmetForSender(draft, &unmet);
  return unmet;
}

void CheckDepartment(const DecideContext& context, absl::string_view field, const std::string& id,
                     std::vector<BadField>* bad) {
  if (context.policies->Department(id) == nullptr) {
    bad->push_back({std::string(field), context.policies->DescribeUnknown(policy::NameKind::kDepartment, id)});
  }
}

void CheckQueue(const DecideContext& context, absl::string_view field, const std::string& id,
                std::vector<BadField>* bad) {
  if (context.policies->Queue(id) == nullptr) {
    bad->push_back({std::string(field), context.policies->DescribeUnknown(policy::NameKind::kQueue, id)});
  }
}

void CheckPrincipal(const DecideContext& context, absl::string_view field, const std::string& id,
                    std::vector<BadField>* bad) {
  if (context.policies->Principal(id) == nullptr) {
    bad->push_back({std::string(field), context.policies->DescribeUnknown(policy::NameKind::kPrincipal, id)});
  }
}

v1::CaseQueued QueuedIn(const Draft& draft, const std::string& queue, absl::Time since) {
  v1::CaseQueued queued;
  queued.set_queue(queue);
  queued.set_previous(draft.state().queue());
  *queued.mutable_queue_since() = ToProto(since);
  if (const v1::Queue* known = draft.context().policies->Queue(queue); known != nullptr) {
    queued.set_department(known->department());
    if (known->has_default_due()) {
      *queued.mutable_default_due_at() =
          ToProto(FromProto(draft.state().received_at()) + FromProto(known->default_due()));
    }
  }
  return queued;
}

absl::Status EmitQueued(Draft& draft, const std::string& queue, const std::vector<std::string>& skills,
                        const std::string& rule) {
  v1::Event event;
  event.set_rule(rule);
  *event.mutable_case_queued() = QueuedIn(draft, queue, draft.context().effective);
  event.mutable_case_queued()->mutable_skills()->Assign(skills.begin(), skills.end());
  return draft.Emit(std::move(event));
}

absl::Status EmitDequeued(Draft& draft) {
  v1::Event event;
  event.mutable_case_dequeued()->set_queue(draft.state().queue());
  return draft.Emit(std::move(event));
}

absl::Status EmitAssigned(Draft& draft, const std::string& owner, v1::AssignMode mode) {
  v1::Event event;
  v1::OwnerAssigned* assigned = event.mutable_owner_assigned();
  assigned->set_owner(owner);
  assigned->set_mode(mode);
  assigned->set_previous(draft.state().owner());
  if (const v1::Principal* principal = draft.context().policies->Principal(owner); principal != nullptr) {
    assigned->set_department(principal->department());
  }
  return draft.Emit(std::move(event));
}

absl::Status EmitReleased(Draft& draft) {
  v1::Event event;
  event.mutable_owner_released()->set_previous(draft.state().owner());
  return draft.Emit(std::move(event));
}

void AddUnmetForQueue(const Draft& draft, absl::string_view verb, const std::string& queue, std::vector<Unmet>* unmet) {
  const v1::Case& state = draft.state();
  if (state.has_transfer()) {
    unmet->push_back({"TRANSFER_PENDING", "the transfer is not yet answered", "refuse_transfer"});
  } else if (const v1::Queue* to = draft.context().policies->Queue(queue);
             !state.owner().empty() && to->department() != state.queue_department()) {
    // What somebody works on is handed over, not pushed over: the other department has to accept it.
    unmet->push_back({"OTHER_DEPARTMENT",
                      absl::StrCat(verb, ": ", queue, " is of department ", to->department(), ", and ", state.owner(),
                                   " of ", state.queue_department(), " works on the case"),
                      "transfer"});
  }
}

absl::Status DecideQueue(Draft& draft, const v1::Command& command) {
  const std::string& queue = command.queue().queue();
  std::vector<BadField> bad;
  CheckQueue(draft.context(), "queue.queue", queue, &bad);
  if (!bad.empty()) return RefuseFields("UNKNOWN_QUEUE", bad);
  std::vector<Unmet> unmet;
  AddUnmetForQueue(draft, "queue.queue", queue, &unmet);
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  if (queue != draft.state().queue()) DOCKET_RETURN_IF_ERROR(EmitQueued(draft, queue));
  return Follow(draft, transition);
}

absl::Status DecideAssign(Draft& draft, const v1::Command& command) {
  const std::string& owner = command.assign().owner();
  std::vector<BadField> bad;
  CheckPrincipal(draft.context(), "assign.owner", owner, &bad);
  if (!bad.empty()) return RefuseFields("UNKNOWN_PRINCIPAL", bad);
  std::vector<Unmet> unmet;
  CheckNoConflict(draft.state(), "assign.owner", owner, &unmet);
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  if (owner != draft.state().owner()) DOCKET_RETURN_IF_ERROR(EmitAssigned(draft, owner, v1::GIVE));
  return Follow(draft, transition);
}

absl::Status DecideTake(Draft& draft, const v1::Command& command) {
  const std::string& taker = draft.context().actor->principal_id();
  std::vector<BadField> bad;
  CheckPrincipal(draft.context(), "docket-principal", taker, &bad);
  if (!bad.empty()) return RefuseFields("UNKNOWN_PRINCIPAL", bad);
  std::vector<Unmet> unmet;
  CheckNoConflict(draft.state(), "docket-principal", taker, &unmet);
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  if (taker != draft.state().owner()) {
    DOCKET_RETURN_IF_ERROR(EmitAssigned(draft, taker, draft.state().owner().empty() ? v1::TAKE : v1::STEAL));
  }
  return Follow(draft, transition);
}

absl::Status DecideRelease(Draft& draft, const v1::Command& command) {
  std::vector<Unmet> unmet;
  if (draft.state().owner().empty()) unmet.push_back({"NO_OWNER", "owner: none, nothing to release", "take"});
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  DOCKET_RETURN_IF_ERROR(EmitReleased(draft));
  return Follow(draft, transition);
}

absl::Status DecideTransfer(Draft& draft, const v1::Command& command) {
  const v1::TransferCase& transfer = command.transfer();
  const v1::Case& state = draft.state();
  std::vector<BadField> bad;
  CheckQueue(draft.context(), "transfer.to_queue", transfer.to_queue(), &bad);
  if (!bad.empty()) return RefuseFields("UNKNOWN_QUEUE", bad);
  const v1::Queue& queue = *draft.context().policies->Queue(transfer.to_queue());
  std::vector<Unmet> unmet;
  if (state.has_transfer()) {
    unmet.push_back({"TRANSFER_PENDING",
                     absl::StrCat("in transit to ", state.transfer().to_department(), ", not yet answered"),
                     "refuse_transfer"});
  }
  if (queue.department() == state.queue_department() ||
      (state.queue().empty() && queue.department() == state.department())) {
    unmet.push_back({"SAME_DEPARTMENT",
                     absl::StrCat("transfer.to_queue: ", queue.id(), " is of the same department ", queue.department(),
                                  ", want another one"),
                     "queue"});
  }
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  v1::Event event;
  v1::CaseTransferred* transferred = event.mutable_case_transferred();
  transferred->set_from_department(state.queue_department().empty() ? state.department() : state.queue_department());
  transferred->set_to_department(queue.department());
  transferred->set_to_queue(queue.id());
  *transferred->mutable_handoff_note() = draft.Seal(transfer.handoff_note());
  transferred->set_by(draft.context().actor->principal_id());
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Follow(draft, transition);
}

absl::Status DecideAcceptTransfer(Draft& draft, const v1::Command& command) {
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition,
                          RequireTransition(draft, command, UnmetForTransferAnswer(draft, /*accepts=*/true)));
  const v1::PendingTransfer transfer = draft.state().transfer();
  v1::Event event;
  event.mutable_transfer_accepted()->set_from_department(transfer.from_department());
  event.mutable_transfer_accepted()->set_to_department(transfer.to_department());
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  // Released before it is queued: what enters a queue is nobody's yet, and the receiver's time to own it begins.
  if (!draft.state().owner().empty()) DOCKET_RETURN_IF_ERROR(EmitReleased(draft));
  DOCKET_RETURN_IF_ERROR(EmitQueued(draft, transfer.to_queue()));
  // The accountable department moves with the case; what is owed to the customer does not move.
  v1::Event accountable;
  accountable.mutable_accountable_owner_set()->set_department(transfer.to_department());
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(accountable)));
  return Follow(draft, transition);
}

absl::Status DecideRefuseTransfer(Draft& draft, const v1::Command& command) {
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition,
                          RequireTransition(draft, command, UnmetForTransferAnswer(draft, /*accepts=*/false)));
  v1::Event event;
  event.mutable_transfer_refused()->set_by_department(draft.state().transfer().to_department());
  event.mutable_transfer_refused()->set_reason_code(command.refuse_transfer().reason_code());
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Follow(draft, transition);
}

absl::Status ApplyCaseQueued(const v1::CaseQueued& event, v1::Case* state) {
  state->set_queue(event.queue());
  state->set_queue_department(event.department());
  *state->mutable_queue_since() = event.queue_since();
  state->clear_queue_default_due_at();
  if (event.has_default_due_at()) *state->mutable_queue_default_due_at() = event.default_due_at();
  *state->mutable_required_skills() = event.skills();
  return absl::OkStatus();
}

absl::Status ApplyCaseDequeued(v1::Case* state) {
  state->clear_queue();
  state->clear_queue_department();
  state->clear_queue_since();
  state->clear_queue_default_due_at();
  state->clear_required_skills();
  return absl::OkStatus();
}

absl::Status ApplyOwnerAssigned(const v1::OwnerAssigned& event, v1::Case* state) {
  state->set_owner_previous(state->owner());
  state->set_owner(event.owner());
  state->set_owner_department(event.department());
  return absl::OkStatus();
}

absl::Status ApplyOwnerReleased(v1::Case* state) {
  state->set_owner_previous(state->owner());
  state->clear_owner();
  state->clear_owner_department();
  return absl::OkStatus();
}

absl::Status ApplyAccountableOwnerSet(const v1::AccountableOwnerSet& event, v1::Case* state) {
  state->set_department(event.department());
  state->set_accountable_principal(event.principal());
  return absl::OkStatus();
}

absl::Status ApplyCaseTransferred(const v1::Event& event, v1::Case* state) {
  const v1::CaseTransferred& transferred = event.case_transferred();
  v1::PendingTransfer* transfer = state->mutable_transfer();
  transfer->set_from_department(transferred.from_department());
  transfer->set_to_department(transferred.to_department());
  transfer->set_to_queue(transferred.to_queue());
  *transfer->mutable_handoff_note() = transferred.handoff_note();
  *transfer->mutable_since() = event.occurred_at();
  transfer->set_by(transferred.by());
  if (transferred.has_accept_due_at()) *transfer->mutable_accept_due_at() = transferred.accept_due_at();
  state->set_transfer_count(state->transfer_count() + 1);
  return absl::OkStatus();
}

absl::Status ApplyTransferEnded(v1::Case* state) {
  state->clear_transfer();
  return absl::OkStatus();
}

}  // namespace docket::workflow
