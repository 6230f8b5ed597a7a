#ifndef DOCKET_TOOLS_CLI_MOMENTS_H_
#define DOCKET_TOOLS_CLI_MOMENTS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"

// Instants and spans as people type and read them.
namespace docket::cli {

inline constexpr absl::string_view kMomentWanted =
    "an RFC 3339 time (2026-11-20T17:00:00Z), a local one (2026-11-20 17:00), now, or a distance from now (+4h, -30m)";

// kInvalidArgument when `text` is none of the forms of kMomentWanted.
absl::StatusOr<absl::Time> ParseMoment(absl::string_view text, absl::Time now, absl::TimeZone zone);

// "90s", "4h", "1h30m", "2d" (days of 24 h).
absl::StatusOr<absl::Duration> ParseSpan(absl::string_view text);

// "Fri 2026-11-20 17:00", with seconds when there are any; the last microsecond of a day is "end of Fri 2026-11-20".
// Unset instants are "".
std::string FormatMoment(absl::Time time, absl::TimeZone zone);
std::string FormatMoment(const google::protobuf::Timestamp& time, absl::TimeZone zone);

// The two largest units: "2d 3h", "3h 5m", "45m", "30s"; "0s". Negative spans have a minus sign.
std::string FormatSpan(absl::Duration span);

// Working time, which has no days of 24 hours: "160h", "7h 30m", "45s".
std::string FormatWorkingTime(absl::Duration span);

}  // namespace docket::cli

#endif  // DOCKET_TOOLS_CLI_MOMENTS_H_
