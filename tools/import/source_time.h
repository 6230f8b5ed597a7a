#ifndef DOCKET_TOOLS_IMPORT_SOURCE_TIME_H_
#define DOCKET_TOOLS_IMPORT_SOURCE_TIME_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// Times as other systems write them. Pure.
namespace docket::import_tool {

// Which of the two instants a local time means that came twice, when the clocks went back: a case is received at the
// first, everything else happens at the last. So what took less than the hour is never told to have ended before it
// began.
enum class TwiceMeans { kFirst, kLast };

struct SourceTime {
  absl::Time at;
  std::string remark;  // what had to be decided about a local time that never was or came twice; "": nothing
};

// `text` in the first of `formats` (absl::ParseTime) that fits. Without an offset in the format it is local time of
// `zone`; one that the clocks skipped is taken as if they had not been put forward, as a machine's clock that was not.
// kInvalidArgument: none fits.
absl::StatusOr<SourceTime> ParseSourceTime(absl::string_view text, const std::vector<std::string>& formats,
                                           absl::TimeZone zone, TwiceMeans twice);

// Whether the server takes the instant: the years 1970 to 9999.
bool IsStorable(absl::Time time);

}  // namespace docket::import_tool

#endif  // DOCKET_TOOLS_IMPORT_SOURCE_TIME_H_
