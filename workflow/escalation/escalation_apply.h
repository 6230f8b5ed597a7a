#ifndef DOCKET_WORKFLOW_ESCALATION_ESCALATION_APPLY_H_
#define DOCKET_WORKFLOW_ESCALATION_ESCALATION_APPLY_H_

#include <cstdint>

#include "absl/status/status.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/event.pb.h"

// Folding the events of escalations. Pure and closed: reads the event and the state.
namespace docket::escalation {

// Folds any of EscalationRaised … EscalationScheduled. kDataLoss: another event, an escalation the case does not have,
// or a key that has fired before.
absl::Status ApplyEscalationEvent(const v1::Event& event, uint32_t revision, v1::Case* state);

// Did somebody of ours do something about the case? Not what policies make of it (events with a rule), nor what comes
// from outside (a message and the status it makes by itself, a report of delivery), nor who looks on.
bool IsActivity(const v1::Event& event);

// Silences count from this event, which is an activity, on.
void NoteActivity(const v1::Event& event, uint32_t revision, v1::Case* state);

}  // namespace docket::escalation

#endif  // DOCKET_WORKFLOW_ESCALATION_ESCALATION_APPLY_H_
