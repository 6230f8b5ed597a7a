#ifndef DOCKET_WORKFLOW_SLA_EXPLAIN_H_
#define DOCKET_WORKFLOW_SLA_EXPLAIN_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "workflow/sla/calendar.h"

// Why a due is what it is: the time from the start of a clock to its due, cut into what counts and what does not. Pure.
namespace docket::sla {

struct CountedInterval {
  TimeSpan span;
  enum Why {
    kCounted,       // inside the windows; of a day count: a day that counts
    kOutsideHours,  // outside the windows; of a day count: a day that does not count
    kPaused,        // a wait that pauses the clock
    kExcluded,      // spent resolved, set aside by a reopening
  } why = kCounted;
  // What the calendar calls the day, "Christmas Day"; of a day count also "day 3" and "day of receipt".
  std::string label;
};

// The intervals from the start of `clock` to its due or to `until`, whichever is earlier: ascending, without gaps, each
// different from the one before it. Up to the due of a working-time target the counted ones sum up to the target;
// up to that of a day count as many are counted as it has days.
// `calendar` is the one the clock pins. `until` may be InfiniteFuture; a pause without a known end then ends there.
// Cost: linear in the number of windows and days of that time.
std::vector<CountedInterval> ExplainDue(const WorkingCalendar& calendar, const v1::Clock& clock, absl::Time until);

}  // namespace docket::sla

#endif  // DOCKET_WORKFLOW_SLA_EXPLAIN_H_
