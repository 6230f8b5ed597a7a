#ifndef DOCKET_TESTS_WORKFLOW_SLA_WORLD_H_
#define DOCKET_TESTS_WORKFLOW_SLA_WORLD_H_

#include <rapidcheck.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "tests/workflow/sla/calendars.h"
#include "tests/workflow/sla/slow_twin.h"
#include "workflow/sla/calendar.h"

// Random calendars near a change of the clocks, for properties; only inside one.
namespace docket::sla::testing {

struct ZoneYear {
  const char* zone;
  // A day near which this zone changes its clocks; the tests play within a few days of it.
  const char* transition;
};
// São Paulo changed at midnight until 2019, so its days once had no 00:00; Lord Howe changes by 30 minutes; Chatham
// sits at a quarter of an hour; Shanghai never changes.
inline constexpr ZoneYear kPlaces[] = {
    {"Europe/London", "2026-03-29"},     {"Europe/London", "2026-10-25"},       {"America/New_York", "2026-03-08"},
    {"America/New_York", "2026-11-01"},  {"Asia/Shanghai", "2026-10-05"},       {"America/Sao_Paulo", "2018-11-04"},
    {"America/Sao_Paulo", "2018-02-18"}, {"Australia/Lord_Howe", "2026-04-05"}, {"Australia/Lord_Howe", "2026-10-04"},
    {"Pacific/Chatham", "2026-04-05"},
};
inline constexpr int kDaysAround = 5;

inline std::string TimeOfDay(int minute) {
  return absl::StrCat(minute / 60 < 10 ? "0" : "", minute / 60, ":", minute % 60 < 10 ? "0" : "", minute % 60);
}

// A random day: up to three windows, some of which touch midnight.
inline std::string RandomDay() {
  auto cuts = *rc::gen::container<std::vector<int>>(*rc::gen::element(0, 2, 2, 4, 6), rc::gen::inRange(0, 97));
  std::sort(cuts.begin(), cuts.end());
  std::string text;
  for (size_t i = 0; i + 1 < cuts.size(); i += 2) {
    if (cuts[i] < cuts[i + 1])
      absl::StrAppend(&text, text.empty() ? "" : " ", TimeOfDay(cuts[i] * 15), "-", TimeOfDay(cuts[i + 1] * 15));
  }
  return text;
}

inline absl::Time Middle(const ZoneYear& place) {
  absl::CivilDay day;
  absl::ParseCivilTime(place.transition, &day);
  return absl::FromCivil(absl::CivilSecond(day) + 12 * 3600, Zone(place.zone));
}

// Calendar, twin and random instants around a change of the clocks.
struct World {
  // The twin knows the minutes of so many days before and after the middle. A day of the week without windows has
  // `otherwise`.
  explicit World(int days_known = 12, const std::string& otherwise = "")
      : place(*rc::gen::elementOf(std::vector<ZoneYear>(std::begin(kPlaces), std::end(kPlaces)))),
        middle(Middle(place)) {
    spec.zone = place.zone;
    for (int i = 0; i < 7; ++i) {
      spec.week.push_back(RandomDay());
      if (spec.week.back().empty()) spec.week.back() = otherwise;
    }
    const absl::CivilDay day = absl::ToCivilDay(middle, Zone(place.zone));
    for (int i = -kDaysAround; i <= kDaysAround; ++i) {
      if (*rc::gen::inRange(0, 4) == 0) spec.exceptions.push_back({absl::FormatCivilTime(day + i), RandomDay(), ""});
    }
    spec.from = absl::FormatCivilTime(day - 40);
    spec.until = absl::FormatCivilTime(day + 40);
    compiled = Compiled(spec);
    calendar = *WorkingCalendar::FromCompiled(compiled);
    twin = std::make_unique<SlowTwin>(compiled, middle - absl::Hours(24 * days_known),
                                      middle + absl::Hours(24 * days_known));
  }
  absl::Time Instant() const {
    return middle + absl::Minutes(*rc::gen::inRange(-24 * 60 * kDaysAround, 24 * 60 * kDaysAround));
  }
  absl::Duration Span() const { return absl::Minutes(*rc::gen::inRange(0, 3000)); }
  std::vector<TimeSpan> Pauses() const {
    std::vector<TimeSpan> pauses(*rc::gen::inRange(0, 4));
    for (TimeSpan& pause : pauses) {
      pause.start = Instant();
      pause.end = pause.start + Span();
    }
    return pauses;
  }

  ZoneYear place;
  absl::Time middle;
  CalendarSpec spec;
  v1::Calendar compiled;
  std::shared_ptr<const WorkingCalendar> calendar;
  std::unique_ptr<SlowTwin> twin;
};

}  // namespace docket::sla::testing

#endif  // DOCKET_TESTS_WORKFLOW_SLA_WORLD_H_
