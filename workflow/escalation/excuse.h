#ifndef DOCKET_WORKFLOW_ESCALATION_EXCUSE_H_
#define DOCKET_WORKFLOW_ESCALATION_EXCUSE_H_

#include <vector>

#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/event.pb.h"
#include "workflow/escalation/triggers.h"
#include "workflow/policy/policy_set.h"

// Levels of a duty that a retarget, not time, made late. Until the due it had before has passed nobody is to blame
// (R8), so levels BREACH and AT_DUE wait for that, and the spans of levels AFTER_DUE begin there. The ladder looks at
// one such instant at a time (EscalationScheduled with the key of the clock). Pure.
namespace docket::escalation {

// Is the clock late and excused so far, or has it been?
bool WasExcused(const v1::Clock& clock);

// When `level` counts at the earliest for a clock that was excused; InfinitePast: the excuse does not concern it.
absl::Time ExcusedFor(const v1::Ladder::Level& level, const v1::Clock& clock, const policy::PolicySet& policies);

// Where the ladders in force look because of `event`, a breach that is excused; empty: another event.
std::vector<v1::EscalationScheduled> HeldBack(const v1::Case& after, const v1::Event& event,
                                              const policy::PolicySet& policies, absl::Time now);

// The levels that count from the instant looked at on, in level order, whose conditions hold and that have not fired.
std::vector<Firing> FiredAfterExcuse(const v1::Case& state, const v1::ScheduledEscalation& look,
                                     const policy::PolicySet& policies);

// Where the ladder looks after that; level 0: nowhere.
v1::EscalationScheduled AfterExcuse(const v1::Case& state, const v1::ScheduledEscalation& look,
                                    const policy::PolicySet& policies);

}  // namespace docket::escalation

#endif  // DOCKET_WORKFLOW_ESCALATION_EXCUSE_H_
