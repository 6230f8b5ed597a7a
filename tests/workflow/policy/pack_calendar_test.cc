#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/workflow/policy/pack_support.h"
#include "workflow/sla/calendar.h"

namespace docket::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

constexpr char kCalendar[] = R"(calendar: shanghai
zone: Asia/Shanghai
week:
  mon..fri: [09:00-12:00, 13:30-18:00]
  sat: []
exceptions:
  2026-10-01..2026-10-07: {windows: [], label: Golden Week}
  2026-10-10: [09:00-12:00, 13:30-18:00]
)";

v1::Calendar Compile(absl::string_view yaml) {
  const Pack pack = ParsePack(yaml, PolicySet(), TestNow());
  EXPECT_THAT(pack.findings, IsEmpty()) << Explain(pack.findings);
  return pack.documents.empty() ? v1::Calendar() : pack.documents[0].compiled.calendar();
}

TEST(CalendarPack, IsCompiledAroundTheDayOfPublishing) {
  const v1::Calendar calendar = Compile(kCalendar);
  ASSERT_EQ(calendar.week_size(), 7);
  EXPECT_EQ(calendar.week(0).windows(0).start_s(), 9 * 3600);
  EXPECT_EQ(calendar.week(4).windows(1).end_s(), 18 * 3600);
  EXPECT_EQ(calendar.week(5).windows_size(), 0);
  ASSERT_EQ(calendar.exceptions_size(), 8);
  EXPECT_EQ(calendar.exceptions(0).label(), "Golden Week");
  EXPECT_EQ(calendar.exceptions(7).windows_size(), 2);
  const absl::CivilSecond from =
      absl::ToCivilSecond(absl::FromUnixSeconds(calendar.compiled_from_s()), absl::UTCTimeZone());
  EXPECT_EQ(from, absl::CivilSecond(2006, 11, 17, 16, 0, 0)) << "local midnight, twenty years back";
  EXPECT_GE(calendar.complete_until_s(),
            absl::ToUnixSeconds(absl::FromCivil(absl::CivilDay(2032, 11, 18), absl::UTCTimeZone())));
}

// Vector V7 of the domain's golden ones: Friday 9 October 17:00 and two hours, with the worked Saturday after.
TEST(CalendarPack, TheMakeUpDayCounts) {
  const auto calendar = sla::WorkingCalendar::FromCompiled(Compile(kCalendar));
  ASSERT_TRUE(calendar.ok()) << calendar.status();
  absl::TimeZone zone;
  ASSERT_TRUE(absl::LoadTimeZone("Asia/Shanghai", &zone));
  const auto at = [&](int day, int hour) {
    return absl::FromCivil(absl::CivilSecond(2026, 10, day, hour, 0, 0), zone);
  };
  EXPECT_EQ((*calendar)->Advance(at(9, 17), absl::Hours(2)), at(10, 10));
}

TEST(CalendarPack, TheDayEndsAtMidnight) {
  const v1::Calendar calendar = Compile("calendar: night\nzone: UTC\nweek: {mon: [22:00-24:00], tue: [00:00-06:00]}\n");
  EXPECT_EQ(calendar.week(0).windows(0).end_s(), 86'400);
}

TEST(CalendarPack, ALeapDayTodayCompiles) {
  const Pack pack =
      ParsePack(kCalendar, PolicySet(), absl::FromCivil(absl::CivilDay(2028, 2, 29), absl::UTCTimeZone()));
  EXPECT_THAT(pack.findings, IsEmpty()) << Explain(pack.findings);
}

class BrokenCalendar : public ::testing::TestWithParam<Broken> {};

TEST_P(BrokenCalendar, IsFoundAtItsLine) {
  const Pack pack = ParsePack(Break(kCalendar, GetParam()), PolicySet(), TestNow());
  EXPECT_THAT(Brief(pack.findings), ElementsAreArray(GetParam().findings)) << Explain(pack.findings);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BrokenCalendar,
    ::testing::Values(
        Broken{"no zone", "zone: Asia/Shanghai\n", "", {"1 MISSING_KEY"}},
        Broken{"unknown zone", "Asia/Shanghai", "Asia/Shanghigh", {"2 UNKNOWN_ZONE"}},
        Broken{"zone a file", "Asia/Shanghai", "/etc/localtime", {"2 UNKNOWN_ZONE"}},
        Broken{"zone a way out", "Asia/Shanghai", "../zoneinfo/UTC", {"2 UNKNOWN_ZONE"}},
        Broken{"zone of the machine", "Asia/Shanghai", "localtime", {"2 UNKNOWN_ZONE"}},
        Broken{
            "week a list", "week:\n  mon..fri: [09:00-12:00, 13:30-18:00]\n  sat: []", "week: [x]", {"3 WRONG_TYPE"}},
        Broken{"no week", "week:\n  mon..fri: [09:00-12:00, 13:30-18:00]\n  sat: []\n", "", {"1 MISSING_KEY"}},
        Broken{"unknown day", "sat: []", "sab: []", {"5 UNKNOWN_KEY"}},
        Broken{"days backwards", "mon..fri:", "fri..mon:", {"4 UNKNOWN_KEY"}},
        Broken{"day twice", "sat: []", "fri: []", {"5 DUPLICATE_KEY"}},
        Broken{"windows no list", "sat: []", "sat: none", {"5 WRONG_TYPE"}},
        Broken{"no window", "sat: []", "sat: [9-17]", {"5 BAD_WINDOW"}},
        Broken{"hour 25", "sat: []", "sat: [09:00-25:00]", {"5 BAD_WINDOW"}},
        Broken{"after midnight", "sat: []", "sat: [09:00-24:01]", {"5 BAD_WINDOW"}},
        Broken{"minute 60", "sat: []", "sat: [09:60-10:00]", {"5 BAD_WINDOW"}},
        Broken{"signed", "sat: []", "sat: [09:+1-10:00]", {"5 BAD_WINDOW"}},
        Broken{"empty window", "sat: []", "sat: [09:00-09:00]", {"5 BAD_WINDOW"}},
        Broken{"over midnight", "sat: []", "sat: [22:00-06:00]", {"5 BAD_WINDOW"}},
        Broken{"overlap", "sat: []", "sat: [09:00-12:00, 11:59-13:00]", {"5 WINDOWS_OVERLAP"}},
        Broken{"descending", "sat: []", "sat: [13:00-14:00, 09:00-12:00]", {"5 WINDOWS_OVERLAP"}},
        Broken{"never works",
               "mon..fri: [09:00-12:00, 13:30-18:00]\n  sat: []\nexceptions:",
               "mon..fri: []\n  sat: []\nexceptions:\n  2026-10-10: []\nold:",
               {"3 NO_WORKING_TIME", "8 UNKNOWN_KEY"}},
        Broken{"exceptions a list",
               "exceptions:\n  2026-10-01..2026-10-07: {windows: [], label: Golden Week}\n  2026-10-10: [09:00-12:00, "
               "13:30-18:00]",
               "exceptions: []",
               {"6 WRONG_TYPE"}},
        Broken{"no date", "2026-10-10:", "10 October:", {"8 BAD_DATE"}},
        Broken{"date that is none", "2026-10-10:", "2026-02-29:", {"8 BAD_DATE"}},
        Broken{"date written short", "2026-10-10:", "2026-10-1:", {"8 BAD_DATE"}},
        Broken{"range backwards", "2026-10-01..2026-10-07", "2026-10-07..2026-10-01", {"7 BAD_DATE"}},
        Broken{"range too long", "2026-10-01..2026-10-07", "2026-10-01..2027-10-02", {"7 BAD_DATE"}},
        Broken{"day in a range again", "2026-10-10:", "2026-10-07:", {"8 DUPLICATE_KEY"}},
        Broken{"exception key", "label: Golden Week", "name: Golden Week", {"7 UNKNOWN_KEY"}},
        Broken{"exception without windows",
               "{windows: [], label: Golden Week}",
               "{label: Golden Week}",
               {"7 MISSING_KEY"}},
        Broken{"always with a week",
               "zone: Asia/Shanghai",
               "zone: Asia/Shanghai\nalways: true",
               {"4 ALWAYS_WITH_WINDOWS"}}),
    [](const auto& info) { return std::to_string(info.index); });

TEST(CalendarPack, AYearIsTheLongestRange) {
  EXPECT_EQ(Compile(Break(kCalendar, {"", "2026-10-01..2026-10-07", "2026-10-11..2027-10-11", {}})).exceptions_size(),
            367);
}

TEST(CalendarPack, WindowsAreLimitedInAll) {
  const std::string seven = "00:00-01:00, 02:00-03:00, 04:00-05:00, 06:00-07:00, 08:00-09:00, 10:00-11:00, 12:00-13:00";
  const auto find = [&](const std::string& windows) {
    return Brief(
        ParsePack("calendar: c\nzone: UTC\nweek: {mon..sun: [" + windows + "]}\n", PolicySet(), TestNow()).findings);
  };
  EXPECT_THAT(find(seven), ElementsAre("3 BAD_CALENDAR")) << "7 a day in 26 years are 66,000";
  EXPECT_THAT(find(seven.substr(0, seven.rfind(','))), IsEmpty());
}

TEST(CalendarPack, ExceptionsAreLimited) {
  std::string yaml = "calendar: many\nzone: UTC\nweek: {mon: [09:00-10:00]}\nexceptions:\n";
  for (int year = 2010; year < 2016; ++year) {
    yaml += "  " + std::to_string(year) + "-01-01.." + std::to_string(year) + "-12-31: []\n";
  }
  EXPECT_THAT(Brief(ParsePack(yaml, PolicySet(), TestNow()).findings), ElementsAre("5 TOO_MANY"));
}

}  // namespace
}  // namespace docket::policy
