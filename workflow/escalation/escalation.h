#ifndef DOCKET_WORKFLOW_ESCALATION_ESCALATION_H_
#define DOCKET_WORKFLOW_ESCALATION_ESCALATION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/event.pb.h"
#include "workflow/policy/policy_set.h"

// Ladders: what is escalated to whom when. An escalation is not a status; it stands beside it.
namespace docket::escalation {

// The EscalationRaised events that `event` sets off in state `after` by the ladders in force, in ladder and level
// order. A key (ladder, trigger instance, level) fires once in the life of a case. Nothing fires while history is
// imported. The time to acknowledge runs from `now`, when somebody can hear of it, if `event` is noticed late (R13).
std::vector<v1::Event> LadderConsequences(const v1::Case& after, const v1::Event& event,
                                          const policy::PolicySet& policies, absl::Time now);

// An escalation asked for by hand: by the first ladder level with trigger MANUAL of this kind that matches, else to the
// lead of the queue or department. `at` is when it takes effect. It goes up past whoever asks and, up the line, past the
// owner.
v1::EscalationRaised ManualEscalation(const v1::Case& state, v1::EscalationKind kind, const std::string& by,
                                      absl::Time at, const policy::PolicySet& policies);

// Whether `principal` may answer for an escalation: its targets, whoever is above them, and the leads of its department
// and of those above it. Anybody, if it found no target or target
// and department have left the directory.
bool MayAcknowledge(const v1::Escalation& escalation, const std::string& principal, const policy::PolicySet& policies);

// Highest level among the escalations of a case; 0: none.
uint32_t HighestLevel(const v1::Case& state);

absl::Status ApplyEscalationRaised(const v1::Event& event, uint32_t revision, v1::Case* state);
absl::Status ApplyEscalationAcknowledged(const v1::Event& event, v1::Case* state);

}  // namespace docket::escalation

#endif  // DOCKET_WORKFLOW_ESCALATION_ESCALATION_H_
