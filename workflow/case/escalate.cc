#include "workflow/case/escalate.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/status.h"
#include "workflow/escalation/escalation.h"

namespace docket::workflow {
absl::Status DecideEscalate(Draft& draft, const v1::Command& command) {
  const v1::EscalateCase& request = command.escalate();
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command));
  v1::Event event;
  *event.mutable_escalation_raised() =
      escalation::ManualEscalation(draft.state(), request.kind(), draft.context().actor->principal_id(),
                                   draft.context().effective, *draft.context().policies);
  v1::EscalationRaised* raised = event.mutable_escalation_raised();
  raised->set_trigger_key(absl::StrCat("manual/", draft.next_revision()));
  raised->set_reason_code(request.reason_code());
  *raised->mutable_justification() = draft.Seal(request.justification());
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Follow(draft, transition);
}

absl::Status DecideAcknowledgeEscalation(Draft& draft, const v1::Command& command) {
  const uint32_t wanted = command.acknowledge_escalation().escalation_no();
  std::vector<const v1::Escalation*> open;
  for (const v1::Escalation& one : draft.state().escalations()) {
    if (one.state() == v1::Escalation::RAISED && (wanted == 0 || one.escalation_no() == wanted)) {
      open.push_back(&one);
    }
  }
  std::vector<Unmet> unmet;
  if (open.empty()) {
    unmet.push_back({"NO_OPEN_ESCALATION",
                     wanted == 0 ? "no escalation waits to be acknowledged"
                                 : absl::StrCat("acknowledge_escalation.escalation_no: ", wanted, " is not open"),
                     "escalate"});
  } else if (open.size() > 1) {
    unmet.push_back({"ESCALATION_AMBIGUOUS",
                     absl::StrCat(open.size(), " escalations are open, name one by escalation_no (",
                                  open.front()->escalation_no(), " …)"),
                     ""});
  } else if (const std::string& by = draft.context().actor->principal_id();
             !escalation::MayAcknowledge(*open.front(), by, *draft.context().policies)) {
    unmet.push_back(
        {"NOT_YOUR_ESCALATION",
         absl::StrCat(by, " is neither a target (", absl::StrJoin(open.front()->targets(), ", "), ") nor above one"),
         ""});
  }
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  v1::Event event;
  event.mutable_escalation_acknowledged()->set_escalation_no(open.front()->escalation_no());
  event.mutable_escalation_acknowledged()->set_by(draft.context().actor->principal_id());
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Follow(draft, transition);
}

}  // namespace docket::workflow
