#include "workflow/sla/calendar_compile.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "workflow/base/check.h"
#include "workflow/sla/zone_table.h"

namespace docket::sla {
namespace {

constexpr int64_t kDay = 86'400;
const absl::CivilSecond kCivilEpoch(1970, 1, 1);

std::string DayName(int64_t civil_day) { return absl::FormatCivilTime(absl::CivilDay(kCivilEpoch) + civil_day); }

std::string ClockTime(uint32_t second) {
  return absl::StrCat(second / 36000, second / 3600 % 10, ":", second % 3600 / 600, second % 3600 / 60 % 10);
}

absl::Status CheckWindows(absl::string_view field,
                          const google::protobuf::RepeatedPtrField<v1::Calendar::LocalWindow>& windows) {
  if (windows.size() > kMaxWindowsPerDay) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, ": ", windows.size(), " windows, want at most ", kMaxWindowsPerDay));
  }
  uint32_t previous_end = 0;
  for (int i = 0; i < windows.size(); ++i) {
    const uint32_t start = windows[i].start_s();
    const uint32_t end = windows[i].end_s();
    const std::string name = absl::StrCat(field, ".windows[", i, "]");
    if (end > kDay) {
      return absl::InvalidArgumentError(absl::StrCat(name, ": ends ", end, " s after midnight, want at most 24:00"));
    }
    if (end <= start) {
      return absl::InvalidArgumentError(absl::StrCat(name, ": ", ClockTime(start), "-", ClockTime(end),
                                                     ", want an end after the start; a night shift is two windows"));
    }
    if (i > 0 && start < previous_end) {
      return absl::InvalidArgumentError(absl::StrCat(name, ": starts ", ClockTime(start),
                                                     ", want ascending windows that do not overlap (the one before "
                                                     "ends ",
                                                     ClockTime(previous_end), ")"));
    }
    previous_end = end;
  }
  return absl::OkStatus();
}

absl::Status CheckRules(const v1::Calendar& calendar) {
  if (calendar.always()) {
    if (calendar.week_size() != 0 || calendar.exceptions_size() != 0) {
      return absl::InvalidArgumentError("always: a 24 x 7 calendar has neither week nor exceptions");
    }
    return absl::OkStatus();
  }
  if (calendar.week_size() != 7) {
    return absl::InvalidArgumentError(absl::StrCat("week: ", calendar.week_size(), " days, want 7, Monday first"));
  }
  for (int i = 0; i < 7; ++i) {
    DOCKET_RETURN_IF_ERROR(CheckWindows(absl::StrCat("week[", i, "]"), calendar.week(i).windows()));
  }
  for (int i = 0; i < calendar.exceptions_size(); ++i) {
    const v1::Calendar::Exception& exception = calendar.exceptions(i);
    const std::string name = absl::StrCat("exceptions[", i, "] (", DayName(exception.civil_day()), ")");
    if (i > 0 && exception.civil_day() <= calendar.exceptions(i - 1).civil_day()) {
      return absl::InvalidArgumentError(absl::StrCat(name, ": want ascending days, each once"));
    }
    DOCKET_RETURN_IF_ERROR(CheckWindows(name, exception.windows()));
  }
  return absl::OkStatus();
}

// The version of the installed zone data ("2026a"), for the record; Abseil does not tell it.
std::string ZoneDataVersion() {
  const char* folder = std::getenv("TZDIR");
  std::ifstream file(absl::StrCat(folder != nullptr ? folder : "/usr/share/zoneinfo", "/tzdata.zi"));
  std::string line;
  if (!std::getline(file, line)) return "unknown";
  absl::string_view version = line;
  if (!absl::ConsumePrefix(&version, "# version ")) return "unknown";
  return std::string(version.substr(0, 32));
}

int64_t CivilDayOf(absl::Time t, absl::TimeZone zone) {
  return absl::CivilDay(zone.At(t).cs) - absl::CivilDay(kCivilEpoch);
}

absl::Time LocalMidnight(int64_t civil_day, absl::TimeZone zone) {
  const absl::TimeZone::TimeInfo info = zone.At(absl::CivilSecond(absl::CivilDay(kCivilEpoch) + civil_day));
  return info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.pre;
}

void CompileOffsets(absl::TimeZone zone, absl::Time from, absl::Time until, v1::Calendar* calendar) {
  calendar->clear_offsets();
  auto add = [&](absl::Time at) {
    v1::Calendar::Offset* offset = calendar->add_offsets();
    offset->set_at_s(absl::ToUnixSeconds(at));
    offset->set_offset_s(zone.At(at).offset);
  };
  add(from);
  absl::TimeZone::CivilTransition transition;
  absl::Time at = from;
  while (zone.NextTransition(at, &transition)) {
    at = zone.At(transition.to).trans;
    if (at > until) break;
    // Zone data also lists changes of name or of the daylight flag alone.
    if (zone.At(at).offset != calendar->offsets(calendar->offsets_size() - 1).offset_s()) add(at);
  }
}

absl::Status CompileWindows(int64_t first_day, int64_t last_day, v1::Calendar* calendar) {
  calendar->clear_windows_delta_s();
  const ZoneTable zone(calendar->offsets());
  const int64_t from = calendar->compiled_from_s();
  const int64_t until = calendar->complete_until_s();
  std::vector<SecondSpan> merged;
  for (int64_t day = first_day; day < last_day; ++day) {
    for (const SecondSpan& span : ResolveWindows(zone, day, WindowsOfDay(*calendar, day))) {
      const int64_t start = std::max(span.start_s, from);
      const int64_t end = std::min(span.end_s, until);
      if (start >= end) continue;
      if (!merged.empty() && start <= merged.back().end_s) {
        merged.back().end_s = std::max(merged.back().end_s, end);
      } else {
        merged.push_back({start, end});
      }
    }
  }
  if (2 * merged.size() > kMaxCompiledDeltas) {
    return absl::InvalidArgumentError(absl::StrCat("week: ", merged.size(), " windows in all, want at most ",
                                                   kMaxCompiledDeltas / 2, "; publish for fewer years"));
  }
  calendar->mutable_windows_delta_s()->Reserve(static_cast<int>(2 * merged.size()));
  int64_t at = from;
  for (const SecondSpan& span : merged) {
    calendar->add_windows_delta_s(static_cast<uint32_t>(span.start_s - at));
    calendar->add_windows_delta_s(static_cast<uint32_t>(span.end_s - span.start_s));
    at = span.end_s;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CompileCalendar(absl::Time from, absl::Time until, v1::Calendar* calendar) {
  if (from >= until || until - from > absl::Hours(24 * 366) * kMaxCompiledYears) {
    return absl::InvalidArgumentError(
        absl::StrCat("compiled span: want a start before the end and at most ", kMaxCompiledYears, " years"));
  }
  DOCKET_RETURN_IF_ERROR(CheckRules(*calendar));
  absl::TimeZone zone = absl::UTCTimeZone();
  if (calendar->zone().empty() && calendar->always()) calendar->set_zone("UTC");
  if (!absl::LoadTimeZone(calendar->zone(), &zone)) {
    return absl::InvalidArgumentError(
        absl::StrCat("zone: \"", calendar->zone(), "\", want an IANA name such as Europe/London"));
  }
  // Whole local days, so that no day is half known.
  const int64_t first_day = CivilDayOf(from, zone);
  const int64_t last_day = CivilDayOf(until - absl::Nanoseconds(1), zone) + 1;
  const absl::Time first = LocalMidnight(first_day, zone);
  const absl::Time end = LocalMidnight(last_day, zone);
  CompileOffsets(zone, first, end, calendar);
  calendar->set_compiled_from_s(absl::ToUnixSeconds(first));
  calendar->set_complete_until_s(absl::ToUnixSeconds(end));
  calendar->set_tz_version(ZoneDataVersion());
  if (calendar->always()) {
    calendar->clear_windows_delta_s();
    return absl::OkStatus();
  }
  return CompileWindows(first_day, last_day, calendar);
}

bool AgreesWithZoneData(const v1::Calendar& compiled) {
  v1::Calendar again = compiled;
  const absl::Time from = absl::FromUnixSeconds(compiled.compiled_from_s());
  const absl::Time until = absl::FromUnixSeconds(compiled.complete_until_s());
  if (!CompileCalendar(from, until, &again).ok()) return true;
  again.set_tz_version(compiled.tz_version());  // a newer release that changes nothing here
  return again.SerializeAsString() == compiled.SerializeAsString();
}

}  // namespace docket::sla
