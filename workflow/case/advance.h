#ifndef DOCKET_WORKFLOW_CASE_ADVANCE_H_
#define DOCKET_WORKFLOW_CASE_ADVANCE_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "workflow/case/draft.h"
#include "workflow/policy/policy_set.h"

// What time alone makes true of a case. Pure.
namespace docket::workflow {

// The next instant at which time alone changes this case: a warning, just after a due, the end of a wait, a timer of
// the chart, just after an acknowledgement was due, the end of a silence or of an excuse. InfiniteFuture: none. While
// history is imported only clocks move, with the rows.
absl::Time NextMoment(const v1::Case& state);

// When the timer service has to wake for the case: NextMoment, or InfiniteFuture while history is imported.
absl::Time WakeAt(const v1::Case& state);

// Emits everything true by `until`, in due order, each with its due as occurred_at. At one instant: warnings, then the
// end of a wait, then a timer, then acknowledgements that lapse, then ends of silences and excuses. Breaches come just
// after: a duty stopped exactly at its due is met, so its breach is true only a microsecond later, whoever stops the
// clock. Stops early after kMaxAdvanceEvents events; call again then.
inline constexpr int kMaxAdvanceEvents = 128;
absl::Status Advance(Draft& draft, absl::Time until);

// The case at `at` if nothing happens: with the warnings, breaches and ends of waits that are true by then, recorded or
// not. Fulfilments that nothing can set aside any more are not provisional. Actions (timers of the chart, ladders)
// happen only by their event, so they are not in it. Revision and last_event_at stay those of the last event.
absl::StatusOr<v1::Case> StateAt(v1::Case state, const policy::PolicySet& policies, absl::Time at);

}  // namespace docket::workflow

#endif  // DOCKET_WORKFLOW_CASE_ADVANCE_H_
