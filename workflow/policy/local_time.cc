#include "workflow/policy/local_time.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace docket::policy {

std::optional<uint32_t> ParseClock(absl::string_view text) {
  uint32_t hour = 0, minute = 0;
  const bool shaped =
      text.size() == 5 && text[2] == ':' && absl::ascii_isdigit(text[0]) && absl::ascii_isdigit(text[3]);
  if (!shaped || !absl::SimpleAtoi(text.substr(0, 2), &hour) || !absl::SimpleAtoi(text.substr(3), &minute))
    return std::nullopt;
  if (minute > 59 || hour > 24 || (hour == 24 && minute > 0)) return std::nullopt;
  return hour * 3600 + minute * 60;
}

std::optional<absl::CivilDay> ParseDay(absl::string_view text) {
  absl::CivilDay day;
  // The library also takes 2026-1-1 and leading blanks; one way of writing a day is enough.
  if (text.size() != 10 || !absl::ParseCivilTime(text, &day) || absl::FormatCivilTime(day) != text) return std::nullopt;
  return day;
}

std::optional<DayRange> ParseDays(absl::string_view text) {
  const std::vector<std::string> ends = absl::StrSplit(text, "..");
  const auto first = std::find(kDayNames.begin(), kDayNames.end(), ends.front());
  const auto last = std::find(kDayNames.begin(), kDayNames.end(), ends.back());
  if (ends.size() > 2 || first == kDayNames.end() || last == kDayNames.end() || last < first) return std::nullopt;
  return DayRange{static_cast<size_t>(first - kDayNames.begin()), static_cast<size_t>(last - kDayNames.begin())};
}

}  // namespace docket::policy
