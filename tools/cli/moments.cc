#include "tools/cli/moments.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"

namespace docket::cli {
namespace {

absl::Status BadMoment(absl::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat("\"", text, "\", want ", kMomentWanted));
}

}  // namespace

absl::StatusOr<absl::Time> ParseMoment(absl::string_view text, absl::Time now, absl::TimeZone zone) {
  if (text == "now") return now;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    const auto span = ParseSpan(text.substr(1));
    if (!span.ok()) return BadMoment(text);
    return text[0] == '+' ? now + *span : now - *span;
  }
  // The formats are tried in turn; none accepts what another reads differently. Those without an offset are local.
  static constexpr const char* kFormats[] = {
      "%Y-%m-%d%ET%H:%M:%E*S%Ez", "%Y-%m-%d%ET%H:%M%Ez", "%Y-%m-%d %H:%M:%E*S%Ez", "%Y-%m-%d%ET%H:%M:%E*S",
      "%Y-%m-%d%ET%H:%M",         "%Y-%m-%d %H:%M:%E*S", "%Y-%m-%d %H:%M"};
  for (const char* format : kFormats) {
    absl::Time time;
    std::string error;
    if (absl::ParseTime(format, text, zone, &time, &error) && time != absl::InfiniteFuture() &&
        time != absl::InfinitePast()) {
      return time;
    }
  }
  return BadMoment(text);
}

absl::StatusOr<absl::Duration> ParseSpan(absl::string_view text) {
  constexpr int64_t kMostDays = 100'000;
  absl::Duration span;
  int64_t count = 0;
  absl::string_view digits = text;
  const int64_t days = absl::ConsumeSuffix(&digits, "d") ? 1 : absl::ConsumeSuffix(&digits, "w") ? 7 : 0;
  if (days > 0 && absl::SimpleAtoi(digits, &count) && count >= 0 && count <= kMostDays / days) {
    return absl::Hours(24 * days * count);
  }
  if (absl::ParseDuration(text, &span) && span >= absl::ZeroDuration() && span <= absl::Hours(24 * kMostDays))
    return span;
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text, "\", want a span such as 90s, 45m, 4h, 1h30m, 2d or 8w, ", kMostDays, "d at most"));
}

std::string FormatMoment(absl::Time time, absl::TimeZone zone) {
  if (time == absl::InfiniteFuture() || time == absl::InfinitePast()) return "";
  const auto civil = zone.At(time);
  const bool last_second = civil.cs.hour() == 23 && civil.cs.minute() == 59 && civil.cs.second() == 59;
  if (last_second && civil.subsecond >= absl::Microseconds(999'999)) {
    return absl::StrCat("end of ", absl::FormatTime("%a %Y-%m-%d", time, zone));
  }
  const bool seconds = civil.cs.second() != 0;
  return absl::FormatTime(seconds ? "%a %Y-%m-%d %H:%M:%S" : "%a %Y-%m-%d %H:%M", time, zone);
}

std::string FormatMoment(const google::protobuf::Timestamp& time, absl::TimeZone zone) {
  return time.seconds() == 0 && time.nanos() == 0 ? "" : FormatMoment(FromProto(time), zone);
}

std::string FormatWorkingTime(absl::Duration span) {
  const int64_t hours = absl::ToInt64Hours(span);
  const absl::Duration rest = span - absl::Hours(hours);
  if (hours == 0) return FormatSpan(span);
  return rest < absl::Minutes(1) ? absl::StrCat(hours, "h")
                                 : absl::StrCat(hours, "h ", absl::ToInt64Minutes(rest), "m");
}

std::string FormatSpan(absl::Duration span) {
  if (span < absl::ZeroDuration()) return absl::StrCat("-", FormatSpan(-span));
  const int64_t seconds = absl::ToInt64Seconds(span);
  static constexpr struct {
    int64_t seconds;
    const char* name;
  } kUnits[] = {{86'400, "d"}, {3'600, "h"}, {60, "m"}, {1, "s"}};
  for (int i = 0; i < 4; ++i) {
    const int64_t whole = seconds / kUnits[i].seconds;
    if (whole == 0) continue;
    const int64_t rest = i == 3 ? 0 : seconds % kUnits[i].seconds / kUnits[i + 1].seconds;
    if (rest == 0) return absl::StrCat(whole, kUnits[i].name);
    return absl::StrCat(whole, kUnits[i].name, " ", rest, kUnits[i + 1].name);
  }
  return "0s";
}

}  // namespace docket::cli
