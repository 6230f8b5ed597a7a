#ifndef DOCKET_WORKFLOW_SLA_CALENDAR_COMPILE_H_
#define DOCKET_WORKFLOW_SLA_CALENDAR_COMPILE_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "docket/v1/policy.pb.h"

// Fills compiled_from_s, complete_until_s, offsets, windows_delta_s and tz_version of a calendar that has zone, week
// and exceptions. The only place that reads the machine's time-zone data; called when a calendar is published.
namespace docket::sla {

// Default span compiled around `now`, wide enough for imports of old logs.
inline constexpr int kCompileYearsBack = 20;
inline constexpr int kCompileYearsAhead = 6;

// kInvalidArgument: unknown zone, windows that overlap, end before start, beyond 24:00; names the field.
absl::Status CompileCalendar(absl::Time from, absl::Time until, v1::Calendar* calendar);

}  // namespace docket::sla

#endif  // DOCKET_WORKFLOW_SLA_CALENDAR_COMPILE_H_
