#ifndef DOCKET_WORKFLOW_SLA_CLOCK_MATH_H_
#define DOCKET_WORKFLOW_SLA_CLOCK_MATH_H_

#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/policy.pb.h"
#include "workflow/sla/calendar.h"
#include "workflow/sla/target.h"

// The due, warnings and remaining time of one clock, from its recorded intervals. Pure.
namespace docket::sla {

inline bool Unfinished(const v1::Clock& clock) { return clock.state() == v1::RUNNING || clock.state() == v1::PAUSED; }

// The due; InfiniteFuture while there is none.
absl::Time DueAt(const v1::Clock& clock);

// True when the due has passed at `t`, or had passed before a retarget; whatever the nature. Only of unfinished clocks.
bool IsOver(const v1::Clock& clock, absl::Time t);

// Earlier visits have used more than the whole target.
bool IsLateAtStart(const v1::Clock& clock);

// Recorded pauses and excluded times; an open one ends at InfiniteFuture.
std::vector<TimeSpan> PausesOf(const v1::Clock& clock);

// What a clock is judged by: promised span, in which calendar, when to warn.
struct Terms {
  v1::Target target;
  const WorkingCalendar* calendar = nullptr;
  std::vector<uint32_t> permille;
  std::vector<absl::Duration> before;
  absl::Time promised = absl::InfiniteFuture();  // for FIXED targets: PromisedDue of the case
  std::vector<v1::Warning> silent;  // instants that ladders want, without `at`; see workflow/escalation/instants.h
};

// Where the reckoning of a clock begins: at its start with what earlier visits used, or where a retarget carried time
// over.
struct Base {
  absl::Time at;
  absl::Duration used = absl::ZeroDuration();
};
Base BaseOf(const v1::Clock& clock);

// Time of the target used at `at`, which is not before the base.
absl::Duration UsedAt(absl::Time at, const v1::Clock& clock, const WorkingCalendar& calendar,
                      absl::Span<const TimeSpan> pauses);

// The instant promised for the case itself; InfiniteFuture: none.
absl::Time PromisedDue(const v1::Case& state);
// The terms the clock has now.
Terms TermsOf(const v1::Clock& clock, const WorkingCalendar& calendar, absl::Time promised);

struct Plan {
  Due due;
  std::vector<v1::Warning> warnings;  // `reached` is taken over from the clock for the same share or span
};
// `latest`: the due is moved no later than this.
Plan PlanClock(const v1::Clock& clock, const Terms& terms, absl::Span<const TimeSpan> pauses,
               absl::Time latest = absl::InfiniteFuture());

// Working time between `from` and the due that the clock would have without any pause after `pauses`.
absl::Duration RemainingAt(absl::Time from, const v1::Clock& clock, const Terms& terms,
                           absl::Span<const TimeSpan> pauses);

}  // namespace docket::sla

#endif  // DOCKET_WORKFLOW_SLA_CLOCK_MATH_H_
