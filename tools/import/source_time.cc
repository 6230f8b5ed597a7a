#include "tools/import/source_time.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "workflow/base/time.h"

namespace docket::import_tool {
namespace {

const absl::Time kEndOfTime = absl::FromUnixSeconds(253'402'300'800);  // the year 10000

// %z, %Ez, %E*z and %s say which instant is meant.
bool HasOffset(absl::string_view format) {
  for (size_t i = 0; i + 1 < format.size(); ++i) {
    if (format[i] != '%') continue;
    ++i;
    while (i + 1 < format.size() && (format[i] == 'E' || format[i] == 'O' || format[i] == '*')) ++i;
    if (format[i] == 'z' || format[i] == 's') return true;
  }
  return false;
}

SourceTime Resolve(absl::Time as_utc, absl::string_view text, absl::TimeZone zone, TwiceMeans twice) {
  const absl::CivilSecond local = absl::ToCivilSecond(as_utc, absl::UTCTimeZone());
  const absl::Duration in_second = as_utc - absl::FromCivil(local, absl::UTCTimeZone());
  const absl::TimeZone::TimeInfo found = zone.At(local);
  switch (found.kind) {
    case absl::TimeZone::TimeInfo::SKIPPED: {
      const absl::Time at = found.pre + in_second;
      return {at, absl::StrCat("\"", text, "\" never was in ", zone.name(), ", the clocks were put forward; taken as ",
                               FormatUtc(at))};
    }
    case absl::TimeZone::TimeInfo::REPEATED: {
      const bool first = twice == TwiceMeans::kFirst;
      const absl::Time at = (first ? found.pre : found.post) + in_second;
      return {at,
              absl::StrCat("\"", text, "\" came twice in ", zone.name(), ", the clocks were put back; taken as the ",
                           first ? "first" : "last", ", ", FormatUtc(at))};
    }
    default:
      return {found.pre + in_second, ""};
  }
}

}  // namespace

absl::StatusOr<SourceTime> ParseSourceTime(absl::string_view text, const std::vector<std::string>& formats,
                                           absl::TimeZone zone, TwiceMeans twice) {
  std::string error;
  for (const std::string& format : formats) {
    absl::Time parsed;
    if (!absl::ParseTime(format, text, absl::UTCTimeZone(), &parsed, &error)) continue;
    if (parsed == absl::InfiniteFuture() || parsed == absl::InfinitePast()) {
      error = "no instant";
      continue;
    }
    return HasOffset(format) ? SourceTime{parsed, ""} : Resolve(parsed, text, zone, twice);
  }
  return absl::InvalidArgumentError(absl::StrCat("\"", text, "\": ", error, ", want ", formats.front()));
}

bool IsStorable(absl::Time time) { return time >= absl::UnixEpoch() && time < kEndOfTime; }

}  // namespace docket::import_tool
