#include "tools/policytest/instants.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tools/cli/moments.h"
#include "workflow/policy/map_reader.h"

namespace docket::policytest {
namespace {

constexpr absl::string_view kEndOf = "end of ";

absl::Status Bad(absl::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat("found \"", text.substr(0, 80),
                   "\", want a time such as 2026-11-20 17:00, Fri 2026-11-20 17:00, end of 2026-11-20, "
                   "2026-11-20T17:00:00Z or +1h30m"));
}

// "Fri " in front of a date.
absl::string_view TakeWeekday(absl::string_view* text) {
  for (const char* day : {"Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun "}) {
    if (absl::ConsumePrefix(text, day)) return absl::string_view(day).substr(0, 3);
  }
  return "";
}

absl::StatusOr<absl::Time> ParseDated(absl::string_view date, bool end, absl::Time base, absl::TimeZone zone) {
  if (!end) return cli::ParseMoment(date, base, zone);
  absl::CivilDay day;
  if (!absl::ParseCivilTime(date, &day)) return Bad(date);
  return absl::FromCivil(day + 1, zone) - absl::Microseconds(1);
}

}  // namespace

std::string FormatInstant(absl::Time time, absl::TimeZone zone) {
  if (time == absl::InfiniteFuture()) return "none";
  const absl::CivilDay day = absl::ToCivilDay(time, zone);
  if (time == absl::FromCivil(day + 1, zone) - absl::Microseconds(1)) {
    return absl::StrCat(kEndOf, absl::FormatTime("%a %Y-%m-%d", time, zone));
  }
  const auto civil = zone.At(time);
  const bool whole = civil.cs.second() == 0 && civil.subsecond == absl::ZeroDuration();
  return absl::FormatTime(whole ? "%a %Y-%m-%d %H:%M" : "%a %Y-%m-%d %H:%M:%E*S", time, zone);
}

absl::StatusOr<absl::Time> ParseInstant(absl::string_view text, absl::Time base, absl::TimeZone zone) {
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "+")) {
    const auto span = policy::ParseSpan(rest);
    if (!span.ok()) return Bad(text);
    return base + *span;
  }
  const bool end = absl::ConsumePrefix(&rest, kEndOf);
  const absl::string_view weekday = TakeWeekday(&rest);
  const auto time = ParseDated(rest, end, base, zone);
  if (!time.ok() || absl::StartsWith(rest, "-")) return Bad(text);
  const std::string actual = absl::FormatTime("%a", *time, zone);
  if (!weekday.empty() && weekday != actual) {
    return absl::InvalidArgumentError(absl::StrCat("found \"", text, "\", which is a ", actual, ", want its weekday"));
  }
  return time;
}

}  // namespace docket::policytest
