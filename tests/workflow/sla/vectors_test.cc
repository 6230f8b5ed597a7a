// The golden vectors of the domain, checked against an independent implementation. One row each; a row that fails
// means that a promise to a customer moved.
#include <gtest/gtest.h>

#include "tests/workflow/sla/calendars.h"
#include "workflow/base/time.h"
#include "workflow/sla/target.h"

namespace docket::sla {
namespace {

using testing::At;
using testing::CalendarSpec;
using testing::London;
using testing::Make;
using testing::Shanghai;
using testing::Show;
using testing::Weekdays;

v1::Target Promise(absl::string_view text) {
  auto target = ParseTarget(text);
  EXPECT_TRUE(target.ok()) << target.status();
  return target.ok() ? *target : v1::Target();
}

struct Pause {
  std::string start;
  std::string end;  // "": open
};

struct Row {
  std::string id;
  CalendarSpec calendar;
  std::string start;
  std::string target;
  std::string due;
  std::vector<Pause> pauses = {};
};

CalendarSpec Hours(const std::string& zone, const std::string& weekdays) {
  CalendarSpec spec;
  spec.zone = zone;
  spec.week = Weekdays(weekdays);
  return spec;
}

CalendarSpec Closed(CalendarSpec spec, const std::vector<std::string>& days) {
  for (const std::string& day : days) spec.exceptions.push_back({day, "", "holiday"});
  return spec;
}

CalendarSpec ShanghaiWithoutMakeUp() {
  CalendarSpec spec = Shanghai();
  spec.exceptions.pop_back();
  return spec;
}

CalendarSpec EveShort() {
  CalendarSpec spec = London();
  spec.exceptions.push_back({"2026-12-24", "09:00-12:30", "Christmas Eve"});
  return spec;
}

std::vector<Row> Rows() {
  return {
      {"V1", London(), "2026-11-20 16:30", "1h", "Mon 2026-11-23 09:30:00"},
      {"V2", London(), "2026-11-20 16:00", "1h", "Fri 2026-11-20 17:00:00"},
      {"V3", London(), "2026-11-21 10:00", "0s", "Sat 2026-11-21 10:00:00"},
      {"V4", London(), "2026-11-21 10:00", "1s", "Mon 2026-11-23 09:00:01"},
      {"V5", Hours("America/Sao_Paulo", "08:00-12:00 13:30-18:00"), "2026-11-18 11:30", "2h",
       "Wed 2026-11-18 15:00:00"},
      {"V6", Closed(London(), {"2026-12-25", "2026-12-28"}), "2026-12-24 16:00", "4h", "Tue 2026-12-29 12:00:00"},
      {"V7", Shanghai(), "2026-10-09 17:00", "2h", "Sat 2026-10-10 10:00:00"},
      {"V7 without the make-up day", ShanghaiWithoutMakeUp(), "2026-10-09 17:00", "2h", "Mon 2026-10-12 10:00:00"},
      {"V11",
       London(),
       "2026-11-18 09:00",
       "8h",
       "Mon 2026-11-23 13:00:00",
       {{"2026-11-18 11:00", "2026-11-20 15:00"}}},
      {"V12",
       London(),
       "2026-11-18 09:00",
       "12h",
       "Thu 2026-11-19 13:00:00",
       {{"2026-11-18 18:00", "2026-11-19 08:00"}}},
      {"V13",
       London(),
       "2026-11-18 09:00",
       "4h",
       "Wed 2026-11-18 16:00:00",
       {{"2026-11-18 10:00", "2026-11-18 12:00"}, {"2026-11-18 11:00", "2026-11-18 13:00"}}},
      {"V14 before",
       London(),
       "2026-11-18 09:00",
       "24h",
       "Mon 2026-11-23 14:00:00",
       {{"2026-11-18 11:00", "2026-11-18 16:00"}}},
      {"V14 pauses kept",
       London(),
       "2026-11-18 09:00",
       "4h",
       "Thu 2026-11-19 10:00:00",
       {{"2026-11-18 11:00", "2026-11-18 16:00"}}},
      {"V14 pauses forgotten", London(), "2026-11-18 09:00", "4h", "Wed 2026-11-18 13:00:00"},
      {"V15", London(), "2026-11-19 16:59", "3bd@close", "Tue 2026-11-24 17:00:00"},
      {"V15 on a Saturday", London(), "2026-11-21 10:00", "3bd@close", "Wed 2026-11-25 17:00:00"},
      {"V16", London(), "2026-11-02 10:00", "8w@end", "Mon 2026-12-28 23:59:59.999999"},
      {"V16 across the change", London(), "2026-10-01 10:00", "8w@end", "Thu 2026-11-26 23:59:59.999999"},
      {"V17", Hours("America/New_York", "09:00-17:00"), "2026-02-20 23:30", "15cd@end",
       "Sat 2026-03-07 23:59:59.999999"},
      {"N1 new facts",
       London(),
       "2026-11-18 09:00",
       "8h",
       "Mon 2026-11-23 10:01:00",
       {{"2026-11-18 16:59", "2026-11-23 10:00"}}},
      {"N1 not resolved", London(), "2026-11-18 09:00", "8h", "Wed 2026-11-18 17:00:00"},
      {"N4", London(), "2026-11-18 09:00", "8h", "Thu 2026-11-19 17:00:00", {{"2026-11-18 11:00", "2026-11-19 11:00"}}},
      {"N5 pinned", London(), "2022-09-08 10:00", "15bd@close", "Thu 2022-09-29 17:00:00"},
      {"N5 after the rollout", Closed(London(), {"2022-09-19"}), "2022-09-08 10:00", "15bd@close",
       "Fri 2022-09-30 17:00:00"},
      {"N6 pinned", London(), "2026-11-18 09:00", "12h", "Thu 2026-11-19 13:00:00"},
      {"N6 after the rollout", Closed(London(), {"2026-11-19"}), "2026-11-18 09:00", "12h", "Fri 2026-11-20 13:00:00"},
      {"N7", EveShort(), "2026-12-21 10:00", "3bd@close", "Thu 2026-12-24 12:30:00"},
      {"N8", Shanghai(), "2026-10-08 10:00", "3bd@close", "Mon 2026-10-12 18:00:00"},
      {"N9 New York", Hours("America/New_York", "09:00-17:00"), "2026-11-20 23:30", "15cd@end",
       "Sat 2026-12-05 23:59:59.999999"},
      {"N11", London(), "2026-05-05 10:00", "8w@end", "Tue 2026-06-30 23:59:59.999999"},
      {"N12 A", London(), "2026-11-02 09:00", "80h", "Fri 2026-11-13 17:00:00"},
      {"N12 B", London(), "2026-11-16 09:00", "80h", "Fri 2026-11-27 17:00:00"},
  };
}

class Vectors : public ::testing::TestWithParam<Row> {};

TEST_P(Vectors, GiveTheDue) {
  const Row& row = GetParam();
  const auto calendar = Make(row.calendar);
  const std::string& zone = row.calendar.zone;
  std::vector<TimeSpan> pauses;
  for (const Pause& pause : row.pauses) pauses.push_back({At(zone, pause.start), At(zone, pause.end)});
  const Due due = ComputeDue(*calendar, At(zone, row.start), Promise(row.target), pauses);
  EXPECT_EQ(Show(zone, due.at), row.due);
  EXPECT_FALSE(due.provisional);
}

INSTANTIATE_TEST_SUITE_P(Domain, Vectors, ::testing::ValuesIn(Rows()), [](const auto& info) {
  std::string name = info.param.id;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
});

TEST(Vectors, V8RoundTheClockADayHasAsManyHoursAsItHas) {
  CalendarSpec spec;
  spec.always = true;
  const auto calendar = Make(spec);
  auto day = [&](const char* from, const char* to) {
    return calendar->Elapsed(At(spec.zone, from), At(spec.zone, to));
  };
  EXPECT_EQ(day("2026-10-25 00:00", "2026-10-26 00:00"), absl::Seconds(90'000));
  EXPECT_EQ(day("2026-03-29 00:00", "2026-03-30 00:00"), absl::Seconds(82'800));
}

TEST(Vectors, V9AWindowThatBeginsInTheGapBeginsAtTheTransition) {
  CalendarSpec spec;
  spec.week = std::vector<std::string>(7, "01:30-03:00");
  const auto calendar = Make(spec);
  const auto windows = calendar->Windows(At(spec.zone, "2026-03-29 00:00"), At(spec.zone, "2026-03-30 00:00"));
  ASSERT_EQ(windows.size(), 1);
  EXPECT_EQ(Show("UTC", windows[0].start), "Sun 2026-03-29 01:00:00");
  EXPECT_EQ(Show(spec.zone, windows[0].start), "Sun 2026-03-29 02:00:00");
  EXPECT_EQ(windows[0].end - windows[0].start, absl::Seconds(3'600));
}

TEST(Vectors, V10AWindowThatBeginsInTheFoldBeginsTheFirstTime) {
  CalendarSpec spec;
  spec.week = std::vector<std::string>(7, "01:30-03:00");
  const auto calendar = Make(spec);
  const auto windows = calendar->Windows(At(spec.zone, "2026-10-25 00:00"), At(spec.zone, "2026-10-26 00:00"));
  ASSERT_EQ(windows.size(), 1);
  EXPECT_EQ(Show("UTC", windows[0].start), "Sun 2026-10-25 00:30:00");
  EXPECT_EQ(windows[0].end - windows[0].start, absl::Seconds(9'000));
}

TEST(Vectors, V19WarningsAreSharesOfTheTargetByTheSameWalk) {
  const auto calendar = Make(London());
  const absl::Time start = At("Europe/London", "2026-11-18 13:00");
  const v1::Target target = Promise("8h");
  const Due due = ComputeDue(*calendar, start, target);
  const auto warnings = ComputeWarnings(*calendar, start, target, {}, due.at, {500, 750, 900, 1000}, {});
  ASSERT_EQ(warnings.size(), 4);
  EXPECT_EQ(Show("Europe/London", FromProto(warnings[0].at())), "Wed 2026-11-18 17:00:00");
  EXPECT_EQ(Show("Europe/London", FromProto(warnings[1].at())), "Thu 2026-11-19 11:00:00");
  EXPECT_EQ(Show("Europe/London", FromProto(warnings[2].at())), "Thu 2026-11-19 12:12:00");
  EXPECT_EQ(Show("Europe/London", FromProto(warnings[3].at())), "Thu 2026-11-19 13:00:00");
  EXPECT_EQ(FromProto(warnings[3].at()), due.at);
}

TEST(Vectors, N9ALondonCalendarCountsTheDaysOfLondon) {
  const auto calendar = Make(London());
  const Due due = ComputeDue(*calendar, At("America/New_York", "2026-11-20 23:30"), Promise("15cd@end"));
  EXPECT_EQ(Show("Europe/London", due.at), "Sun 2026-12-06 23:59:59.999999");
}

TEST(Vectors, N10WarningsBeforeTheDueCountBackThroughTheWindows) {
  const auto calendar = Make(London());
  const absl::Time start = At("Europe/London", "2026-11-20 09:00");
  const v1::Target target = Promise("8h30m");
  const Due due = ComputeDue(*calendar, start, target);
  ASSERT_EQ(Show("Europe/London", due.at), "Mon 2026-11-23 09:30:00");
  const auto warnings =
      ComputeWarnings(*calendar, start, target, {}, due.at, {}, {absl::Hours(1), absl::Minutes(45), absl::Minutes(30)});
  ASSERT_EQ(warnings.size(), 3);
  EXPECT_EQ(Show("Europe/London", FromProto(warnings[0].at())), "Fri 2026-11-20 16:30:00");
  EXPECT_EQ(Show("Europe/London", FromProto(warnings[1].at())), "Fri 2026-11-20 16:45:00");
  EXPECT_EQ(Show("Europe/London", FromProto(warnings[2].at())), "Mon 2026-11-23 09:00:00");
}

// What a change of target makes of the due, by how the time already used is carried over.
struct CarryRow {
  std::string id;
  CalendarSpec old_calendar;
  CalendarSpec calendar;
  std::string now;  // Europe/London; the clock started Wed 18 Nov 2026 09:00 there
  std::string old_target;
  std::string target;
  std::vector<Pause> pauses;
  Carry carry;
  std::string due;  // in the zone of `calendar`
};

std::vector<CarryRow> CarryRows() {
  const std::vector<Pause> v14 = {{"2026-11-18 11:00", "2026-11-18 16:00"}};
  auto n2 = [](Carry carry, const char* due) {
    return CarryRow{"N2", London(), London(), "2026-11-18 16:30", "8h", "24h", {}, carry, due};
  };
  auto v14_row = [&](Carry carry, const char* due) {
    return CarryRow{"V14", London(), London(), "2026-11-19 10:00", "24h", "4h", v14, carry, due};
  };
  auto n3 = [](Carry carry, const char* due) {
    CalendarSpec china = Shanghai();
    china.exceptions.clear();
    return CarryRow{"N3", London(), china, "2026-11-19 10:00", "16h", "16h", {}, carry, due};
  };
  return {
      n2(Carry::kAll, "Fri 2026-11-20 17:00:00"),        n2(Carry::kTime, "Fri 2026-11-20 17:00:00"),
      n2(Carry::kShare, "Thu 2026-11-19 10:00:00"),      n2(Carry::kNone, "Mon 2026-11-23 16:30:00"),
      v14_row(Carry::kAll, "Thu 2026-11-19 10:00:00"),   v14_row(Carry::kTime, "Thu 2026-11-19 10:00:00"),
      v14_row(Carry::kShare, "Thu 2026-11-19 13:20:00"), v14_row(Carry::kNone, "Thu 2026-11-19 14:00:00"),
      n3(Carry::kAll, "Fri 2026-11-20 18:00:00"),        n3(Carry::kTime, "Fri 2026-11-20 17:30:00"),
  };
}

TEST(Vectors, N2N3V14WhatARetargetCarriesOver) {
  const std::string london = "Europe/London";
  for (const CarryRow& row : CarryRows()) {
    const auto old_calendar = Make(row.old_calendar);
    const auto calendar = Make(row.calendar);
    std::vector<TimeSpan> pauses;
    for (const Pause& pause : row.pauses) pauses.push_back({At(london, pause.start), At(london, pause.end)});
    const v1::Target old_target = Promise(row.old_target);
    const CarryOver from{.carry = row.carry,
                         .start = At(london, "2026-11-18 09:00"),
                         .now = At(london, row.now),
                         .old_target = &old_target,
                         .old_calendar = old_calendar.get()};
    EXPECT_EQ(Show(row.calendar.zone, ComputeRetargetedDue(*calendar, Promise(row.target), from, pauses).at), row.due)
        << row.id << " carry " << static_cast<int>(row.carry);
  }
}

}  // namespace
}  // namespace docket::sla
