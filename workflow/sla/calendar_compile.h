#ifndef DOCKET_WORKFLOW_SLA_CALENDAR_COMPILE_H_
#define DOCKET_WORKFLOW_SLA_CALENDAR_COMPILE_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "docket/v1/policy.pb.h"

// Fills compiled_from_s, complete_until_s, offsets, windows_delta_s and tz_version of a calendar that has zone, week
// and exceptions. The only place that reads the machine's time-zone data; called when a calendar is published and at
// every start.
namespace docket::sla {

// Default span compiled around `now`, wide enough for imports of old logs.
inline constexpr int kCompileYearsBack = 20;
inline constexpr int kCompileYearsAhead = 6;

inline constexpr int kMaxCompiledYears = 130;         // delta fields are 32 bits of seconds
inline constexpr int kMaxWindowsPerDay = 64;          // the default limit of repeated fields
inline constexpr size_t kMaxCompiledDeltas = 131072;  // max_size of Calendar.windows_delta_s

// Compiles whole local days: from the one that holds `from` to the one that holds the instant before `until`.
// A window is resolved by the offset in force: a skipped local time becomes the transition instant, a repeated one
// its first occurrence for a start and its last for an end. Windows that touch are merged.
// Exceptions outside the compiled days are kept but have no effect.
//
// kInvalidArgument: unknown zone, not seven days, windows that overlap or descend, end not after start, beyond 24:00,
// exceptions that descend or name a day twice, an empty or too long span; names the field.
absl::Status CompileCalendar(absl::Time from, absl::Time until, v1::Calendar* calendar);

// Whether the machine's zone data still makes the same offsets and windows of a compiled calendar's rules. Countries
// change their clocks at short notice (R10). True of a zone the machine does not know: nothing speaks against it.
bool AgreesWithZoneData(const v1::Calendar& compiled);

}  // namespace docket::sla

#endif  // DOCKET_WORKFLOW_SLA_CALENDAR_COMPILE_H_
