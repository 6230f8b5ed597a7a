#ifndef DOCKET_TOOLS_POLICYTEST_INSTANTS_H_
#define DOCKET_TOOLS_POLICYTEST_INSTANTS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// Instants as scenario files write them and as results show them: what is shown can be written.
namespace docket::policytest {

// "Fri 2026-11-20 17:00", with seconds and their fractions when there are any; "end of Fri 2026-11-20" for the last
// microsecond of a day; "none" for InfiniteFuture.
std::string FormatInstant(absl::Time time, absl::TimeZone zone);

// The forms above, the weekday optional but right, RFC 3339, and "+2w", "+1h30m" from `base`. kInvalidArgument names
// the text and what was wanted.
absl::StatusOr<absl::Time> ParseInstant(absl::string_view text, absl::Time base, absl::TimeZone zone);

}  // namespace docket::policytest

#endif  // DOCKET_TOOLS_POLICYTEST_INSTANTS_H_
