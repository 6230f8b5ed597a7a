#ifndef DOCKET_WORKFLOW_ESCALATION_SILENCE_H_
#define DOCKET_WORKFLOW_ESCALATION_SILENCE_H_

#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/event.pb.h"
#include "workflow/escalation/triggers.h"
#include "workflow/policy/policy_set.h"

// Levels NO_ACTIVITY: nobody of ours did anything for some time. Pure.
//
// Each ladder looks at one instant at a time (EscalationScheduled). What people do meanwhile moves nothing; when the
// instant comes and something was done, it looks again later, so activity costs no event. What is
// an activity says IsActivity (escalation_apply.h).
namespace docket::escalation {

// The limit of Case.scheduled_escalations; further ladders do not look.
inline constexpr int kMaxScheduled = 64;

// What is to be scheduled because of `event`: by a ladder that looks at nothing yet (a message from outside is reason
// enough), or has raised a level since the case was last active.
std::vector<v1::EscalationScheduled> SilencesAfter(const v1::Case& after, const v1::Event& event, uint32_t revision,
                                                   const policy::PolicySet& policies, absl::Time now);

// What is looked at next, a silence or a duty that was excused (excuse.h); null: nothing, also while the case is closed
// or its history imported.
const v1::ScheduledEscalation* NextLook(const v1::Case& state);

// From when on it is looked at: at its instant, at a duty just after it, for one stopped exactly then is not late.
absl::Time LooksAt(const v1::ScheduledEscalation& look);

// The level that the silence sets off when its instant has come; nullopt: something was done meanwhile, the conditions
// do not hold, or the level has fired.
std::optional<Firing> BrokenSilence(const v1::Case& state, const v1::ScheduledEscalation& silence,
                                    const policy::PolicySet& policies);

// Where the ladder looks after that; level 0: nowhere.
v1::EscalationScheduled AfterSilence(const v1::Case& state, const v1::ScheduledEscalation& silence,
                                     const policy::PolicySet& policies);

}  // namespace docket::escalation

#endif  // DOCKET_WORKFLOW_ESCALATION_SILENCE_H_
