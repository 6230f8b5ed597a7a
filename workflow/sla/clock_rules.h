#ifndef DOCKET_WORKFLOW_SLA_CLOCK_RULES_H_
#define DOCKET_WORKFLOW_SLA_CLOCK_RULES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/event.pb.h"
#include "workflow/policy/policy_set.h"
#include "workflow/sla/calendar.h"

// What the SLA policies make of case events. Pure.
namespace docket::sla {

// The most clocks one case may have, all cycles counted: the limit of Case.clocks.
inline constexpr int kMaxClocks = 4096;

// Who and when, beside the event itself.
struct Occasion {
  absl::Time in_force;     // new clocks and targets are chosen from the policies and calendars in force then
  std::string actor;       // principal who did it
  std::string approver;    // a second person who agrees; "": none
  bool by_person = false;  // a command of somebody, not time or an import: limits of one person's power apply
  absl::Time now = absl::InfinitePast();  // when it is recorded
};

// The clock events that follow from `event`, in the fixed order of DOMAIN 5: stop, cancel, retarget, pause and resume
// (a CaseReopened acts here: R4), start; within one step by clock_no, then by metric. `before` and `after` are the
// states around `event`; none of the returned events is applied to `after` yet, and each may be applied only after the
// ones before it. All carry occurred_at of `event` (a stop's own instant is in stopped_at) and the policy as `rule`.
// Never returns an event for an event of the clocks themselves.
//
// kFailedPrecondition: a policy names a calendar of which no version is effective, or SECOND_PERSON_MISSING (R8).
// kResourceExhausted: kMaxClocks.
// kInternal: a clock pins a policy or calendar that `policies` does not hold.
absl::StatusOr<std::vector<v1::Event>> ClockConsequences(const v1::Case& before, const v1::Case& after,
                                                         const v1::Event& event, const policy::PolicySet& policies,
                                                         const Occasion& occasion);

// The next thing that time alone makes true of a clock of `state` (a warning or the breach); at = InfiniteFuture when
// there is none. Ties: by clock_no, warnings before the breach.
//
// A warning is true from `at` on, one after the due just after it. A duty stopped exactly at its due is met, so a
// breach is true only after `at`: whoever advances a case to the effective time T of a command fires what has
// true_from <= T first and leaves a breach whose due is T itself to what comes after the command.
struct ClockMoment {
  absl::Time at = absl::InfiniteFuture();
  absl::Time true_from = absl::InfiniteFuture();
  // WarningReached or ClockBreached; occurred_at = at, or the last event of the case where `at` lies before it (a case
  // filed late, a retarget into the past), for the time of a case never goes back.
  v1::Event event;
};
ClockMoment NextClockMoment(const v1::Case& state);

// Said by an entry made late to have been met in time, which nobody else has judged yet (R7).
bool IsDisputed(const v1::Clock& clock);

// Overdue at `t` (R5): a duty whose due has passed without an effective stop, whatever the status.
// IsLate(clock, t) is LateFrom(clock) < t.
bool IsLate(const v1::Clock& clock, absl::Time t);

// The due after which IsLate holds if nothing happens, the one that passed if it was breached; InfiniteFuture when
// never (stopped and not disputed, a window, paused without end).
absl::Time LateFrom(const v1::Clock& clock);

// Fills in a breach of `clock` as the case stands. The cause of an imported case is IMPORT, whatever is given.
void FillBreach(const v1::Case& state, const v1::Clock& clock, absl::string_view cause, v1::ClockBreached* breach);
// Adds who answered for `clock` for how much of the working time from its start to `until`.
void AddShares(const v1::Clock& clock, const WorkingCalendar& calendar, absl::Time until,
               google::protobuf::RepeatedPtrField<v1::DepartmentShare>* shares);
// Says who answered for how much of the time up to the due, earlier visits included (R11); kInternal: the clock's
// calendar is not known.
absl::Status FillShares(const v1::Clock& clock, const policy::PolicySet& policies, v1::ClockBreached* breach);

// When the oldest message of the requester came that waits for an answer; InfiniteFuture: none does.
absl::Time OldestUnanswered(const v1::Case& state);
// An information request that has not bounced.
inline bool IsStandingQuestion(const v1::SentMessage& one) {
  return one.kind() == v1::INFORMATION_REQUEST && one.outcome() != v1::BOUNCED;
}
// MetricRule.start_at of clocks that count from it.
inline constexpr absl::string_view kOldestUnanswered = "oldest_unanswered";
// Cause of clocks that no policy promises any more.
inline constexpr char kNoPolicy[] = "NO_POLICY";
// Of those that would not have begun without a message that bounced, and of stops set aside because theirs did.
inline constexpr char kUndelivered[] = "UNDELIVERED";
// The closing basis or decline reason of a case that the requester takes back. It ends every clock, met by none (R4),
// whatever the policies say of closing; what it ended runs on if the case is reopened.
inline constexpr char kWithdrawn[] = "WITHDRAWN";

}  // namespace docket::sla

#endif  // DOCKET_WORKFLOW_SLA_CLOCK_RULES_H_
