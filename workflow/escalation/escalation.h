#ifndef DOCKET_WORKFLOW_ESCALATION_ESCALATION_H_
#define DOCKET_WORKFLOW_ESCALATION_ESCALATION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/event.pb.h"
#include "workflow/policy/policy_set.h"

// Escalations as they stand beside a case. An escalation is not a status. Start here, then triggers.h (when), targets.h
// (who), raise.h (what is recorded), silence.h; workflow/case/climb.h puts it into a decision.
//
// REQUESTED -> DECLINED | RAISED -> ACKNOWLEDGED -> CLOSED; lapsed_at and passed are marks beside the state.
namespace docket::escalation {

// Raised, told, and nobody has acknowledged it.
bool WaitsForAck(const v1::Escalation& escalation);

// Somebody has to answer it: acknowledge what is raised, or be the second person for what is requested.
bool NeedsAnswer(const v1::Escalation& escalation);

// Since when it stands: raised, before that requested.
absl::Time StandsSince(const v1::Escalation& escalation);

// Raised or acknowledged, and not closed.
bool IsOpen(const v1::Escalation& escalation);

// Whether `principal` may answer for an escalation at `at`: its targets, whoever is above them, those they stand in
// for, whoever stands in for any of these at `at`, and the leads of its department and of those above it. Anybody, if
// it found no target or target and department have left the directory.
bool MayAcknowledge(const v1::Escalation& escalation, const std::string& principal, const policy::PolicySet& policies,
                    absl::Time at);

// Whether `principal` may grant or decline one that is requested in `state`: its targets to be, whoever stands in for
// them at `at`, and supervisors and approvers of its department, of that where the case stands, or of one above.
bool MayApprove(const v1::Case& state, const v1::Escalation& escalation, const std::string& principal,
                const policy::PolicySet& policies, absl::Time at);

// The one that `requested` is about, which waits already and is asked of others, or has just been recorded; null: none
// waits, it is a new one.
const v1::Escalation* FindRequest(const v1::Case& state, const v1::EscalationRequested& requested);

// The escalation whose time to acknowledge ends first; null: none runs.
const v1::Escalation* NextAckDue(const v1::Case& state);

// Those that close by themselves because of `event`: their clock ended, or the case is closed. With the reason.
struct Closing {
  uint32_t escalation_no = 0;
  std::string reason_code;
  std::string rule;
};
std::vector<Closing> ClosedBy(const v1::Case& after, const v1::Event& event);

// Highest level among the open escalations of a case; 0: none.
uint32_t HighestLevel(const v1::Case& state);

}  // namespace docket::escalation

#endif  // DOCKET_WORKFLOW_ESCALATION_ESCALATION_H_
