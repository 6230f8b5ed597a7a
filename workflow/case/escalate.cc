#include "workflow/case/escalate.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/climb.h"
#include "workflow/case/conflict.h"
#include "workflow/case/status.h"
#include "workflow/escalation/escalation.h"
#include "workflow/escalation/raise.h"

namespace docket::workflow {
namespace {

constexpr int kMaxByHand = escalation::kMaxEscalations - escalation::kEscalationsKeptForLadders;

absl::Time Effective(const Draft& draft) {
  return std::max(draft.context().effective, FromProto(draft.state().last_event_at()));
}

using Judge = absl::FunctionRef<bool(const v1::Escalation&)>;

// The escalation a command speaks of: the one it names, else the only one that `fits` and that the caller `may` answer
// for, or the first where there is none of those. What is missing goes to `unmet`.
const v1::Escalation* TheOne(const v1::Case& state, absl::string_view command, uint32_t wanted, Judge fits, Judge may,
                             const Unmet& none, std::vector<Unmet>* unmet) {
  std::vector<const v1::Escalation*> found;
  std::vector<const v1::Escalation*> own;
  for (const v1::Escalation& one : state.escalations()) {
    if (!fits(one) || (wanted != 0 && one.escalation_no() != wanted)) continue;
    found.push_back(&one);
    if (may(one)) own.push_back(&one);
  }
  if (!found.empty() && own.empty()) return found.front();
  found = std::move(own);
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    Unmet missing = none;
    if (wanted != 0) missing.description = absl::StrCat(command, ".escalation_no: ", wanted, " is not open");
    unmet->push_back(std::move(missing));
  } else {
    unmet->push_back({"ESCALATION_AMBIGUOUS",
                      absl::StrCat(found.size(), " escalations are open to you, name one by escalation_no (",
                                   found.front()->escalation_no(), " …)"),
                      ""});
  }
  return nullptr;
}

// What the caller `may` acknowledge or close.
const v1::Escalation* OwnOne(const Draft& draft, absl::string_view command, uint32_t wanted, Judge fits,
                             const Unmet& none, std::vector<Unmet>* unmet) {
  const std::string& by = draft.context().actor->principal_id();
  const auto may = [&](const v1::Escalation& one) {
    return escalation::MayAcknowledge(one, by, *draft.context().policies, draft.context().now);
  };
  const v1::Escalation* one = TheOne(draft.state(), command, wanted, fits, may, none, unmet);
  if (one == nullptr) return nullptr;
  if (!may(*one)) {
    unmet->push_back(
        {"NOT_YOUR_ESCALATION",
         absl::StrCat(by, " is neither a target (", absl::StrJoin(one->targets(), ", "), ") nor above one"), ""});
  }
  CheckNoConflict(draft.state(), "docket-principal", by, unmet);
  return one;
}

bool IsRequested(const v1::Escalation& one) { return one.state() == v1::Escalation::REQUESTED; }

const v1::Escalation* RequestedOne(const Draft& draft, absl::string_view command, uint32_t wanted,
                                   std::vector<Unmet>* unmet) {
  const std::string& by = draft.context().actor->principal_id();
  const auto may = [&](const v1::Escalation& one) {
    return one.requested_by() != by &&
           escalation::MayApprove(draft.state(), one, by, *draft.context().policies, draft.context().now);
  };
  const v1::Escalation* one =
      TheOne(draft.state(), command, wanted, IsRequested, may,
             {"NO_REQUESTED_ESCALATION", "no escalation waits for a second person", "escalate"}, unmet);
  if (one == nullptr) return nullptr;
  if (one->requested_by() == by) {
    unmet->push_back({"SECOND_PERSON_MISSING",
                      absl::StrCat(command, ": ", by, " asked for the escalation, want another person"), ""});
  } else if (!escalation::MayApprove(draft.state(), *one, by, *draft.context().policies, draft.context().now)) {
    unmet->push_back({"NOT_YOUR_ESCALATION",
                      absl::StrCat(command, ": ", by, " is neither a target (", absl::StrJoin(one->targets(), ", "),
                                   ") nor a supervisor or approver of ", one->department()),
                      ""});
  }
  CheckNoConflict(draft.state(), "docket-principal", by, unmet);
  return one;
}

absl::Status Request(Draft& draft, const escalation::Firing& firing, const v1::EscalationRaised& by_hand,
                     v1::EscalationKind kind) {
  const std::string& by = draft.context().actor->principal_id();
  const escalation::Targets targets =
      escalation::TargetsOf(draft.state(), firing, kind, by, *draft.context().policies, draft.context().effective);
  v1::Event event;
  v1::EscalationRequested* requested = event.mutable_escalation_requested();
  *requested = escalation::Request(draft.state(), firing, kind, targets, *draft.context().policies);
  requested->set_by(by);
  requested->set_source(by_hand.source());
  requested->set_reason_code(by_hand.reason_code());
  *requested->mutable_justification() = by_hand.justification();
  return draft.Emit(std::move(event));
}

}  // namespace

absl::Status DecideEscalate(Draft& draft, const v1::Command& command) {
  const v1::EscalateCase& request = command.escalate();
  std::vector<Unmet> unmet;
  if (draft.state().escalations_size() >= kMaxByHand) {
    unmet.push_back({"TOO_MANY_ESCALATIONS",
                     absl::StrCat("escalations: the case has ", draft.state().escalations_size(), ", want at most ",
                                  kMaxByHand, " before another by hand"),
                     ""});
  }
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  const escalation::Firing firing = escalation::ByHand(draft.state(), request.kind(), draft.next_revision(),
                                                       *draft.context().policies, draft.context().effective);
  v1::EscalationRaised by_hand;
  by_hand.set_reason_code(request.reason_code());
  *by_hand.mutable_justification() = draft.Seal(request.justification());
  by_hand.set_source(request.source() == v1::EscalationSource::VALUE_UNSPECIFIED ? v1::EscalationSource::INTERNAL
                                                                                 : request.source());
  if (firing.level->approval()) {
    DOCKET_RETURN_IF_ERROR(Request(draft, firing, by_hand, request.kind()));
  } else {
    DOCKET_RETURN_IF_ERROR(RaiseLevel(draft, firing, request.kind(), Effective(draft), by_hand));
  }
  return Follow(draft, transition);
}

absl::Status DecideApproveEscalation(Draft& draft, const v1::Command& command) {
  std::vector<Unmet> unmet;
  const v1::Escalation* found =
      RequestedOne(draft, "approve_escalation", command.approve_escalation().escalation_no(), &unmet);
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  const v1::Escalation one = *found;
  v1::EscalationRaised by_hand;
  by_hand.set_reason_code(one.reason_code());
  by_hand.set_source(one.source());
  by_hand.set_request_no(one.escalation_no());
  DOCKET_RETURN_IF_ERROR(RaiseLevel(draft, escalation::FiringOf(draft.state(), one, *draft.context().policies),
                                    one.kind(), Effective(draft), by_hand));
  return Follow(draft, transition);
}

absl::Status DecideDeclineEscalation(Draft& draft, const v1::Command& command) {
  const v1::DeclineEscalation& decline = command.decline_escalation();
  std::vector<Unmet> unmet;
  const v1::Escalation* one = RequestedOne(draft, "decline_escalation", decline.escalation_no(), &unmet);
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  v1::Event event;
  event.mutable_escalation_declined()->set_escalation_no(one->escalation_no());
  event.mutable_escalation_declined()->set_by(draft.context().actor->principal_id());
  event.mutable_escalation_declined()->set_reason_code(decline.reason_code());
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Follow(draft, transition);
}

absl::Status DecideAcknowledgeEscalation(Draft& draft, const v1::Command& command) {
  const std::string& by = draft.context().actor->principal_id();
  std::vector<Unmet> unmet;
  const v1::Escalation* one =
      OwnOne(draft, "acknowledge_escalation", command.acknowledge_escalation().escalation_no(), escalation::WaitsForAck,
             {"NO_OPEN_ESCALATION", "no escalation waits to be acknowledged", "escalate"}, &unmet);
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  v1::Event event;
  event.mutable_escalation_acknowledged()->set_escalation_no(one->escalation_no());
  event.mutable_escalation_acknowledged()->set_by(by);
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Follow(draft, transition);
}

absl::Status DecideCloseEscalation(Draft& draft, const v1::Command& command) {
  const v1::CloseEscalation& close = command.close_escalation();
  const std::string& by = draft.context().actor->principal_id();
  std::vector<Unmet> unmet;
  const v1::Escalation* one = OwnOne(draft, "close_escalation", close.escalation_no(), escalation::IsOpen,
                                     {"NO_OPEN_ESCALATION", "no escalation is open", "escalate"}, &unmet);
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  v1::Event event;
  v1::EscalationClosed* closed = event.mutable_escalation_closed();
  closed->set_escalation_no(one->escalation_no());
  closed->set_by(by);
  closed->set_reason_code(close.reason_code());
  *closed->mutable_justification() = draft.Seal(close.justification());
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Follow(draft, transition);
}

}  // namespace docket::workflow
