#include "workflow/sla/target.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"

namespace docket::sla {
namespace {

using v1::Target;

constexpr char kWanted[] =
    "want working time such as \"45m\", \"8h\", \"1h30m\" or a day count such as \"3bd@close\", \"15cd@end\", "
    "\"15cd@same\", \"8w@end\", \"2mo@end\", \"fixed\", \"fixed@end\", optionally with +next or +prev, or "
    "\"until:2026-12-24T12:00:00Z\"";

absl::Status Bad(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("target: \"", text, "\", ", why));
}

// Takes the digits at the front of `rest`; nothing when there are none or too many.
std::optional<uint32_t> TakeNumber(absl::string_view* rest) {
  size_t digits = 0;
  while (digits < rest->size() && absl::ascii_isdigit((*rest)[digits])) ++digits;
  uint32_t number = 0;
  if (digits == 0 || digits > 9 || !absl::SimpleAtoi(rest->substr(0, digits), &number)) return std::nullopt;
  rest->remove_prefix(digits);
  return number;
}

absl::StatusOr<Target> ParseWorkingTime(absl::string_view text) {
  struct Unit {
    char letter;
    int64_t seconds;
  };
  constexpr Unit kUnits[] = {{'h', 3600}, {'m', 60}, {'s', 1}};
  int64_t total = 0;
  int next = 0;
  absl::string_view rest = text;
  do {
    const std::optional<uint32_t> number = TakeNumber(&rest);
    if (!number.has_value() || rest.empty()) return Bad(text, kWanted);
    while (next < 3 && kUnits[next].letter != rest[0]) ++next;
    if (next == 3) return Bad(text, kWanted);
    total += int64_t{*number} * kUnits[next++].seconds;
    rest.remove_prefix(1);
  } while (!rest.empty());
  if (absl::Seconds(total) > kMaxWorkingTime) {
    return Bad(text, absl::StrCat("want at most ", absl::ToInt64Hours(kMaxWorkingTime), "h"));
  }
  Target target;
  target.set_unit(Target::WORKING_TIME);
  target.mutable_duration()->set_seconds(total);
  return target;
}

struct DayUnit {
  Target::Unit unit;
  absl::string_view suffix;
  uint32_t max;
};
constexpr DayUnit kDayUnits[] = {{Target::BUSINESS_DAYS, "bd", kMaxDayCount},
                                 {Target::CIVIL_DAYS, "cd", kMaxDayCount},
                                 {Target::CIVIL_MONTHS, "mo", kMaxMonthCount},
                                 {Target::CIVIL_WEEKS, "w", kMaxWeekCount}};
constexpr absl::string_view kFixed = "fixed";

// What stands behind the count: "@end+next".
absl::StatusOr<Target> ParseDay(absl::string_view text, Target target, absl::string_view rest) {
  const bool business = target.unit() == Target::BUSINESS_DAYS;
  if (absl::ConsumeSuffix(&rest, "+next")) {
    target.set_roll(Target::ROLL_NEXT);
  } else if (absl::ConsumeSuffix(&rest, "+prev")) {
    target.set_roll(Target::ROLL_PREVIOUS);
  }
  if (rest == "@close") {
    if (!business && target.roll() == Target::ROLL_NONE) {
      return Bad(text, "want @end or @same, or +next or +prev as well: only a business day has a close");
    }
    target.set_at(Target::CLOSE);
  } else if (rest == "@same" || (rest.empty() && target.unit() == Target::FIXED)) {
    target.set_at(Target::SAME);
  } else if (rest == "@end" || (rest.empty() && !business)) {
    target.set_at(Target::END);
  } else if (rest.empty()) {
    return Bad(text, "want @close or @end after a count of business days");
  } else {
    return Bad(text, kWanted);
  }
  return target;
}

absl::StatusOr<Target> ParseDayCount(absl::string_view text, const DayUnit& unit, uint32_t count,
                                     absl::string_view rest) {
  if (count < 1 || count > unit.max) return Bad(text, absl::StrCat("want a count of 1..", unit.max));
  Target target;
  target.set_unit(unit.unit);
  target.set_count(count);
  return ParseDay(text, std::move(target), rest);
}

// Civil arithmetic of one day count. A fixed instant is a count of no days from itself.
class DayCounter {
 public:
  DayCounter(const WorkingCalendar& calendar, absl::Time start, const Target& target, absl::Span<const TimeSpan> pauses)
      : calendar_(calendar),
        target_(target),
        start_(start),
        local_start_(calendar.ToCivil(start)),
        pauses_(target.unit() == Target::BUSINESS_DAYS ? MergeSpans(pauses) : std::vector<TimeSpan>()) {}

  absl::Time Due() const {
    const absl::CivilDay day0(local_start_);
    switch (target_.unit()) {
      case Target::BUSINESS_DAYS:
        return NthBusinessDay(day0);
      case Target::CIVIL_DAYS:
        return Rolled(day0 + target_.count());
      case Target::CIVIL_WEEKS:
        return Rolled(day0 + 7 * int64_t{target_.count()});
      case Target::FIXED:
        return Rolled(day0);
      case Target::CIVIL_MONTHS: {
        const absl::CivilMonth month = absl::CivilMonth(day0) + target_.count();
        const int last = (absl::CivilDay(month + 1) - 1).day();
        return Rolled(absl::CivilDay(month.year(), month.month(), std::min(day0.day(), last)));
      }
      default:
        return start_;
    }
  }

 private:
  // A calendar that works on no day at all must not be searched for ever.
  static constexpr int kMaxIdleDays = 3 * 366;

  absl::Time NthBusinessDay(absl::CivilDay day) const {
    uint32_t counted = 0;
    int idle = 0;
    while (idle <= kMaxIdleDays) {
      ++day;
      const absl::Time close = calendar_.CloseOf(day);
      if (close == absl::InfinitePast()) {
        ++idle;
        continue;
      }
      idle = 0;
      const TimeSpan* pause = SpanAround(close, pauses_);
      if (pause != nullptr && pause->end == absl::InfiniteFuture()) return absl::InfiniteFuture();
      if (pause == nullptr && ++counted >= target_.count()) return At(day);
    }
    return absl::InfiniteFuture();
  }

  absl::Time Rolled(absl::CivilDay day) const {
    const int step = target_.roll() == Target::ROLL_NEXT ? 1 : target_.roll() == Target::ROLL_PREVIOUS ? -1 : 0;
    for (int idle = 0; step != 0 && !calendar_.IsWorkingDay(day); ++idle, day += step) {
      if (idle > kMaxIdleDays) return absl::InfiniteFuture();
    }
    return At(day);
  }

  absl::Time At(absl::CivilDay day) const {
    using Edge = WorkingCalendar::Edge;
    switch (target_.at()) {
      case Target::CLOSE:
        return calendar_.CloseOf(day);
      case Target::SAME: {
        // Not by way of local time, which may have the hour twice.
        if (target_.unit() == Target::FIXED && day == absl::CivilDay(local_start_)) return start_;
        const absl::Duration in_second =
            absl::Microseconds(((absl::ToUnixMicros(start_) % 1'000'000) + 1'000'000) % 1'000'000);
        return calendar_.FromCivil(
                   absl::CivilSecond(day) + (local_start_ - absl::CivilSecond(absl::CivilDay(local_start_))),
                   Edge::kEnd) +
               in_second;
      }
      default:
        return calendar_.FromCivil(absl::CivilSecond(day + 1), Edge::kEnd) - absl::Microseconds(1);
    }
  }

  const WorkingCalendar& calendar_;
  const Target& target_;
  const absl::Time start_;
  const absl::CivilSecond local_start_;
  const std::vector<TimeSpan> pauses_;
};

Due Judge(const WorkingCalendar& calendar, const Target& target, absl::Time at) {
  // Round the clock needs no windows, so a span of it is certain however far it reaches; an instant needs no calendar.
  const bool certain = target.unit() == Target::FIXED
                           ? target.at() == Target::SAME && target.roll() == Target::ROLL_NONE
                           : target.unit() == Target::WORKING_TIME && calendar.compiled().always();
  return {at, !certain && at != absl::InfiniteFuture() && at > calendar.complete_until()};
}

// floor(whole * part / of), without overflow for spans of microseconds.
absl::Duration Scale(absl::Duration whole, int64_t part, int64_t of) {
  const __int128 product = static_cast<__int128>(absl::ToInt64Microseconds(whole)) * part;
  return absl::Microseconds(static_cast<int64_t>(product / of));
}

}  // namespace

std::string PromiseFault(absl::Time due, absl::Time received, bool live) {
  if (due < received || (live && due == received)) {
    return absl::StrCat(FormatUtc(due), ", want it ", live ? "after" : "no earlier than", " received_at, ",
                        FormatUtc(received));
  }
  if (due - received <= kMaxPromise) return "";
  return absl::StrCat(FormatUtc(due), ", want at most ", absl::ToInt64Hours(kMaxPromise), "h after received_at, ",
                      FormatUtc(received));
}

absl::StatusOr<Target> ParseTarget(absl::string_view text) {
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "until:")) {
    absl::Time until;
    if (!absl::ParseTime(absl::RFC3339_full, rest, &until, nullptr)) return Bad(text, kWanted);
    Target target;
    target.set_unit(Target::UNTIL);
    *target.mutable_until() = ToProto(until);
    return target;
  }
  if (absl::ConsumePrefix(&rest, kFixed)) {
    Target target;
    target.set_unit(Target::FIXED);
    return ParseDay(text, std::move(target), rest);
  }
  const std::optional<uint32_t> number = TakeNumber(&rest);
  if (!number.has_value()) return Bad(text, kWanted);
  for (const DayUnit& unit : kDayUnits) {
    absl::string_view tail = rest;
    if (absl::ConsumePrefix(&tail, unit.suffix)) return ParseDayCount(text, unit, *number, tail);
  }
  return ParseWorkingTime(text);
}

absl::StatusOr<Target> ParseTargetOfNoCase(absl::string_view text) {
  DOCKET_ASSIGN_OR_RETURN(Target target, ParseTarget(text));
  if (target.unit() == Target::FIXED) {
    return Bad(text,
               "is the instant promised for a case, and there is no case here; want a span such as \"8h\" or \"15cd\"");
  }
  return target;
}

std::string FormatTarget(const Target& target) {
  if (target.unit() == Target::UNTIL) return absl::StrCat("until:", FormatUtc(FromProto(target.until())));
  if (target.unit() == Target::WORKING_TIME) {
    const int64_t total = target.duration().seconds();
    if (total == 0) return "0s";
    std::string text;
    if (total >= 3600) absl::StrAppend(&text, total / 3600, "h");
    if (total / 60 % 60 != 0) absl::StrAppend(&text, total / 60 % 60, "m");
    if (total % 60 != 0) absl::StrAppend(&text, total % 60, "s");
    return text;
  }
  const char* at = target.at() == Target::CLOSE ? "@close" : target.at() == Target::SAME ? "@same" : "@end";
  const char* roll = target.roll() == Target::ROLL_NEXT       ? "+next"
                     : target.roll() == Target::ROLL_PREVIOUS ? "+prev"
                                                              : "";
  if (target.unit() == Target::FIXED) return absl::StrCat(kFixed, target.at() == Target::SAME ? "" : at, roll);
  for (const DayUnit& unit : kDayUnits) {
    if (unit.unit == target.unit()) return absl::StrCat(target.count(), unit.suffix, at, roll);
  }
  return "";
}

bool CanPause(const Target& target) {
  return target.unit() == Target::WORKING_TIME || target.unit() == Target::BUSINESS_DAYS;
}

// A close at the very edge of a pause is not inside it: a pause that begins when the day is done changes nothing.
const TimeSpan* SpanAround(absl::Time t, absl::Span<const TimeSpan> merged) {
  auto after = std::lower_bound(merged.begin(), merged.end(), t,
                                [](const TimeSpan& span, absl::Time value) { return span.start < value; });
  if (after == merged.begin()) return nullptr;
  const TimeSpan& span = *std::prev(after);
  return t < span.end ? &span : nullptr;
}

absl::Duration ShareOf(absl::Duration whole, absl::Duration part, absl::Duration of) {
  if (of <= absl::ZeroDuration()) return whole;
  return Scale(whole, absl::ToInt64Microseconds(part), absl::ToInt64Microseconds(of));
}

Due ComputeDue(const WorkingCalendar& calendar, absl::Time start, const Target& target,
               absl::Span<const TimeSpan> pauses, absl::Time promised, absl::Duration used) {
  if (target.unit() == Target::WORKING_TIME) {
    const absl::Duration left = std::max(absl::ZeroDuration(), FromProto(target.duration()) - used);
    return Judge(calendar, target, calendar.Advance(start, left, pauses));
  }
  if (target.unit() == Target::UNTIL) return {FromProto(target.until()), false};
  const bool fixed = target.unit() == Target::FIXED;
  if (fixed && promised == absl::InfiniteFuture()) return {promised, false};
  return Judge(calendar, target, std::max(start, DayCounter(calendar, fixed ? promised : start, target, pauses).Due()));
}

Due ComputeRetargetedDue(const WorkingCalendar& calendar, const Target& target, const CarryOver& from,
                         absl::Span<const TimeSpan> pauses) {
  const absl::Time begin = from.carry == Carry::kNone ? from.now : from.start;
  const bool carried = from.carry == Carry::kShare || from.carry == Carry::kTime;
  if (!carried || target.unit() != Target::WORKING_TIME || from.old_target->unit() != Target::WORKING_TIME) {
    return ComputeDue(calendar, begin, target, pauses, from.promised);
  }
  const absl::Duration whole = FromProto(target.duration());
  const absl::Duration old_whole = FromProto(from.old_target->duration());
  absl::Duration used = from.old_calendar->Elapsed(from.start, from.now, pauses);
  if (from.carry == Carry::kShare) {
    used = ShareOf(whole, used, old_whole);
  }
  return ComputeDue(calendar, from.now, target, pauses, absl::InfiniteFuture(), used);
}

std::vector<v1::Warning> ComputeWarnings(const WorkingCalendar& calendar, absl::Time start, const Target& target,
                                         absl::Span<const TimeSpan> pauses, absl::Time due,
                                         const std::vector<uint32_t>& permille,
                                         const std::vector<absl::Duration>& before, absl::Duration used) {
  const bool working = target.unit() == Target::WORKING_TIME;
  const bool known = due != absl::InfiniteFuture();
  std::vector<v1::Warning> warnings;
  auto set = [&](v1::Warning& warning, absl::Time at) {
    if (at != absl::InfiniteFuture()) *warning.mutable_at() = ToProto(std::max(start, std::min(at, due)));
  };
  for (uint32_t share : permille) {
    v1::Warning& warning = warnings.emplace_back();
    warning.set_permille(share);
    if (working) {
      const absl::Duration until = Scale(FromProto(target.duration()), share, 1000) - used;
      set(warning, calendar.Advance(start, std::max(absl::ZeroDuration(), until), pauses));
    } else if (known) {
      set(warning, start + Scale(due - start, share, 1000));
    }
  }
  for (absl::Duration span : before) {
    v1::Warning& warning = warnings.emplace_back();
    *warning.mutable_before() = ToProto(span);
    if (known) set(warning, working ? calendar.Retreat(due, span, pauses) : due - span);
  }
  return warnings;
}

}  // namespace docket::sla
