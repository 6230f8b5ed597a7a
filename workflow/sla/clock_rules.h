#ifndef DOCKET_WORKFLOW_SLA_CLOCK_RULES_H_
#define DOCKET_WORKFLOW_SLA_CLOCK_RULES_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/event.pb.h"
#include "workflow/policy/policy_set.h"

// What the SLA policies make of case events. Pure.
namespace docket::sla {

// The clock events that follow from `event`, in the fixed order of DOMAIN 5: stop, cancel, retarget, pause and resume
// (a CaseReopened acts here: R4), start; within one step by clock_no, then by metric. `before` and `after` are the
// states around `event`; none of the returned events is applied to `after` yet. All carry occurred_at of `event` (a
// stop's own instant is in stopped_at). Never returns an event for an event of the clocks themselves.
absl::StatusOr<std::vector<v1::Event>> ClockConsequences(const v1::Case& before, const v1::Case& after,
                                                         const v1::Event& event, const policy::PolicySet& policies);

// The next thing that time alone makes true of a clock of `state` (a warning or the breach), at or before `until`;
// at = InfiniteFuture when there is none. Ties: by clock_no, warnings before the breach.
struct ClockMoment {
  absl::Time at = absl::InfiniteFuture();
  v1::Event event;  // WarningReached or ClockBreached with occurred_at = at
};
ClockMoment NextClockMoment(const v1::Case& state);

// Overdue at `t` (R5): a duty whose due has passed without an effective stop, whatever the status.
bool IsLate(const v1::Clock& clock, absl::Time t);

// The instant from which IsLate holds if nothing happens; InfiniteFuture when never (stopped, paused without end).
absl::Time LateFrom(const v1::Clock& clock);

}  // namespace docket::sla

#endif  // DOCKET_WORKFLOW_SLA_CLOCK_RULES_H_
