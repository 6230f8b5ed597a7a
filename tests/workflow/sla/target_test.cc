#include "workflow/sla/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/workflow/sla/calendars.h"
#include "workflow/base/time.h"

namespace docket::sla {
namespace {

using testing::At;
using testing::CalendarSpec;
using ::testing::HasSubstr;
using testing::London;
using testing::Make;
using testing::Show;

constexpr char kLondon[] = "Europe/London";

v1::Target Promise(absl::string_view text) { return *ParseTarget(text); }

TEST(ParseTarget, ReadsAndWritesEveryForm) {
  const std::pair<const char*, const char*> forms[] = {
      {"0s", "0s"},
      {"90s", "1m30s"},
      {"45m", "45m"},
      {"8h", "8h"},
      {"1h30m", "1h30m"},
      {"1h1s", "1h1s"},
      {"3bd@close", "3bd@close"},
      {"3bd@end", "3bd@end"},
      {"3bd@same", "3bd@same"},
      {"15cd", "15cd@end"},
      {"15cd@end", "15cd@end"},
      {"15cd@same", "15cd@same"},
      {"8w@end", "8w@end"},
      {"8w", "8w@end"},
      {"2mo@end+next", "2mo@end+next"},
      {"2mo+prev", "2mo@end+prev"},
      {"15cd@close+next", "15cd@close+next"},
      {"60m", "1h"},
      {"87600h", "87600h"},
      {"3660bd@close", "3660bd@close"},
      {"fixed", "fixed"},
      {"fixed@same", "fixed"},
      {"fixed@end", "fixed@end"},
      {"fixed+next", "fixed+next"},
      {"fixed@end+prev", "fixed@end+prev"},
      {"fixed@close+next", "fixed@close+next"},
  };
  for (const auto& [text, canonical] : forms) {
    const auto target = ParseTarget(text);
    ASSERT_TRUE(target.ok()) << text << ": " << target.status();
    EXPECT_EQ(FormatTarget(*target), canonical);
    EXPECT_EQ(ParseTarget(canonical)->SerializeAsString(), target->SerializeAsString());
  }
}

TEST(ParseTarget, RefusesWhatItCannotPromiseAndSaysWhatItWanted) {
  const std::pair<const char*, const char*> refusals[] = {
      {"", "want working time"},
      {"8", "want working time"},
      {"h", "want working time"},
      {"-8h", "want working time"},
      {"8h ", "want working time"},
      {"30m1h", "want working time"},
      {"1h1h", "want working time"},
      {"1.5h", "want working time"},
      {"8d", "want working time"},
      {"3bd", "want @close or @end"},
      {"3bd@noon", "want working time"},
      {"0bd@close", "1..3660"},
      {"3661cd", "1..3660"},
      {"521w", "1..520"},
      {"121mo", "1..120"},
      {"15cd@close", "only a business day has a close"},
      {"87601h", "at most 87600h"},
      {"9999999999h", "want working time"},
      {"3bd@close+later", "want working time"},
      {"2mo@end+next+next", "want working time"},
      {"fixed@close", "only a business day has a close"},
      {"fixed@noon", "want working time"},
      {"1fixed", "want working time"},
      {"Fixed", "want working time"},
  };
  for (const auto& [text, wanted] : refusals) {
    const auto target = ParseTarget(text);
    ASSERT_FALSE(target.ok()) << text;
    EXPECT_EQ(target.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(target.status().message()), HasSubstr(wanted)) << text;
    EXPECT_THAT(std::string(target.status().message()), HasSubstr(absl::StrCat("\"", text, "\"")));
  }
}

TEST(ParseTarget, AFixedTargetNeedsACase) {
  EXPECT_TRUE(ParseTargetOfNoCase("15cd@end").ok());
  const auto fixed = ParseTargetOfNoCase("fixed@end");
  EXPECT_EQ(fixed.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(fixed.status().message()), HasSubstr("\"fixed@end\", is the instant promised for a case"));
}

struct DayRow {
  const char* start;
  const char* target;
  const char* due;
};

TEST(ComputeDue, DayCountsAreCivil) {
  CalendarSpec spec = London();
  spec.exceptions.push_back({"2026-12-25", "", "Christmas Day"});
  spec.exceptions.push_back({"2026-12-28", "", "Boxing Day, substitute"});
  const auto calendar = Make(spec);
  const DayRow rows[] = {
      // Months end on the last day there is.
      {"2026-01-31 10:00", "1mo@end", "Sat 2026-02-28 23:59:59.999999"},
      {"2027-11-30 10:00", "3mo@end", "Tue 2028-02-29 23:59:59.999999"},
      {"2026-03-31 10:00", "12mo@same", "Wed 2027-03-31 10:00:00"},
      {"2026-10-31 10:00", "1mo@same", "Mon 2026-11-30 10:00:00"},
      // The same time of day, whatever the clocks did; a skipped one is the transition, a repeated one the last.
      {"2026-10-24 10:00:00.25", "1cd@same", "Sun 2026-10-25 10:00:00.25"},
      {"2026-03-28 01:30", "1cd@same", "Sun 2026-03-29 02:00:00"},
      {"2026-10-24 01:30", "1cd@same", "Sun 2026-10-25 01:30:00"},
      // Rolls.
      {"2026-12-18 10:00", "1w@end", "Fri 2026-12-25 23:59:59.999999"},
      {"2026-12-18 10:00", "1w@end+next", "Tue 2026-12-29 23:59:59.999999"},
      {"2026-12-18 10:00", "1w@end+prev", "Thu 2026-12-24 23:59:59.999999"},
      {"2026-12-18 10:00", "1w@close+next", "Tue 2026-12-29 17:00:00"},
      {"2026-12-18 10:00", "1w@same+prev", "Thu 2026-12-24 10:00:00"},
      {"2026-11-21 10:00", "1cd@end+prev", "Sat 2026-11-21 10:00:00"},  // never before the start
      // Business days.
      {"2026-12-24 10:00", "1bd@close", "Tue 2026-12-29 17:00:00"},
      {"2026-12-24 10:00", "1bd@end", "Tue 2026-12-29 23:59:59.999999"},
      {"2026-12-24 10:00", "1bd@same", "Tue 2026-12-29 10:00:00"},
      {"2026-11-20 23:59:59.999999", "1bd@close", "Mon 2026-11-23 17:00:00"},
      {"2026-11-21 00:00", "1bd@close", "Mon 2026-11-23 17:00:00"},
  };
  for (const DayRow& row : rows) {
    EXPECT_EQ(Show(kLondon, ComputeDue(*calendar, At(kLondon, row.start), Promise(row.target)).at), row.due)
        << row.start << " + " << row.target;
  }
  const absl::Time repeated = ComputeDue(*calendar, At(kLondon, "2026-10-24 01:30"), Promise("1cd@same")).at;
  EXPECT_EQ(Show("UTC", repeated), "Sun 2026-10-25 01:30:00");  // the second of the two
}

TEST(ComputeDue, TheEndOfADayWithoutMidnightIsTheTransition) {
  CalendarSpec spec;
  spec.zone = "America/Sao_Paulo";
  spec.week = testing::Weekdays("09:00-17:00");
  const auto calendar = Make(spec);
  // 4 Nov 2018 began at 01:00.
  EXPECT_EQ(Show("UTC", ComputeDue(*calendar, At(spec.zone, "2018-11-02 10:00"), Promise("1cd@end")).at),
            "Sun 2018-11-04 02:59:59.999999");
  // 17 Feb 2018 had 23:00 to 24:00 twice.
  EXPECT_EQ(Show("UTC", ComputeDue(*calendar, At(spec.zone, "2018-02-16 10:00"), Promise("1cd@end")).at),
            "Sun 2018-02-18 02:59:59.999999");
}

TEST(ComputeDue, AFixedTargetIsTheInstantPromisedOrATimeOfItsDay) {
  CalendarSpec spec = London();
  spec.until = "2026-12-01";
  const auto calendar = Make(spec);
  const absl::Time start = At(kLondon, "2026-10-20 10:00");
  auto due = [&](const char* target, absl::Time promised, std::vector<TimeSpan> pauses = {}) {
    return ComputeDue(*calendar, start, Promise(target), pauses, promised);
  };
  const absl::Time saturday = At(kLondon, "2026-11-21 03:00");
  EXPECT_EQ(due("fixed", saturday), (Due{saturday, false}));
  EXPECT_EQ(due("fixed", saturday, {{start, absl::InfiniteFuture()}}), (Due{saturday, false}));  // it never pauses
  EXPECT_EQ(Show(kLondon, due("fixed@end", saturday).at), "Sat 2026-11-21 23:59:59.999999");
  EXPECT_EQ(Show(kLondon, due("fixed+next", saturday).at), "Mon 2026-11-23 03:00:00");
  EXPECT_EQ(Show(kLondon, due("fixed@close+prev", saturday).at), "Fri 2026-11-20 17:00:00");
  EXPECT_EQ(Show(kLondon, due("fixed@end+next", saturday).at), "Mon 2026-11-23 23:59:59.999999");
  // The hour before and the hour after the clocks went back, both called 01:30.
  const absl::Time first = At("UTC", "2026-10-25 00:30");
  EXPECT_EQ(due("fixed", first).at, first);
  EXPECT_EQ(due("fixed", first + absl::Hours(1)).at, first + absl::Hours(1));
  // An instant is certain however far the calendar reaches; the end of its day is not.
  const absl::Time later = At(kLondon, "2027-05-01 12:00");
  EXPECT_FALSE(due("fixed", later).provisional);
  EXPECT_TRUE(due("fixed@end", later).provisional);
  EXPECT_EQ(due("fixed", start - absl::Hours(1)).at, start);  // never before the start
  EXPECT_EQ(due("fixed", absl::InfiniteFuture()), (Due{absl::InfiniteFuture(), false}));
}

TEST(ComputeWarnings, OfAFixedTargetAreSharesOfTheWallClock) {
  const auto calendar = Make(London());
  const absl::Time start = At(kLondon, "2026-11-20 12:00");
  const absl::Time due = At(kLondon, "2026-11-22 12:00");
  const auto warnings =
      ComputeWarnings(*calendar, start, Promise("fixed"), {}, due, {500, 1000}, {absl::Hours(6), absl::Hours(72)});
  EXPECT_EQ(FromProto(warnings[0].at()), At(kLondon, "2026-11-21 12:00"));
  EXPECT_EQ(FromProto(warnings[1].at()), due);
  EXPECT_EQ(FromProto(warnings[2].at()), At(kLondon, "2026-11-22 06:00"));
  EXPECT_EQ(FromProto(warnings[3].at()), start);
}

TEST(ComputeDue, PausesMoveBusinessDaysButNoCivilCount) {
  const auto calendar = Make(London());
  const absl::Time start = At(kLondon, "2026-11-18 10:00");
  auto due = [&](const char* target, const char* from, const char* to) {
    const absl::Time end = *to == '\0' ? absl::InfiniteFuture() : At(kLondon, to);
    return Show(kLondon, ComputeDue(*calendar, start, Promise(target), {{At(kLondon, from), end}}).at);
  };
  EXPECT_EQ(due("2bd@close", "2026-11-19 16:59", "2026-11-19 17:01"), "Mon 2026-11-23 17:00:00");
  EXPECT_EQ(due("2bd@close", "2026-11-19 09:00", "2026-11-19 16:59"), "Fri 2026-11-20 17:00:00");
  EXPECT_EQ(due("2bd@close", "2026-11-19 17:00", "2026-11-20 09:00"), "Fri 2026-11-20 17:00:00");
  EXPECT_EQ(due("2bd@close", "2026-11-19 09:00", "2026-11-19 17:00"), "Fri 2026-11-20 17:00:00");
  EXPECT_EQ(due("2bd@close", "2026-11-20 17:00", ""), "Fri 2026-11-20 17:00:00");  // already due
  EXPECT_EQ(due("2bd@close", "2026-11-20 16:00", ""), "never");
  EXPECT_EQ(due("2cd@end", "2026-11-18 11:00", "2026-12-18 11:00"), "Fri 2026-11-20 23:59:59.999999");
  EXPECT_EQ(due("8h", "2026-11-18 11:00", ""), "never");
  EXPECT_EQ(due("8h", "2026-11-19 10:00", ""), "Thu 2026-11-19 10:00:00");  // already due
  EXPECT_TRUE(CanPause(Promise("8h")) && CanPause(Promise("2bd@close")));
  EXPECT_FALSE(CanPause(Promise("fixed")) || CanPause(Promise("2cd")) || CanPause(Promise("2w")) ||
               CanPause(Promise("2mo")));
}

TEST(ComputeDue, BeyondTheCalendarADueIsProvisional) {
  CalendarSpec spec = London();
  spec.until = "2026-12-01";
  const auto calendar = Make(spec);
  auto due = [&](const char* start, const char* target) {
    return ComputeDue(*calendar, At(kLondon, start), Promise(target));
  };
  EXPECT_FALSE(due("2026-11-30 09:00", "8h").provisional);
  EXPECT_EQ(due("2026-11-30 09:00", "12h"), (Due{At(kLondon, "2026-12-01 13:00"), true}));
  EXPECT_EQ(due("2026-11-27 09:00", "3bd@close"), (Due{At(kLondon, "2026-12-02 17:00"), true}));
  EXPECT_EQ(due("2026-11-27 09:00", "1w@end"), (Due{At(kLondon, "2026-12-04 23:59:59.999999"), true}));
  EXPECT_FALSE(due("2026-11-29 09:00", "1cd@end").provisional);
  // Round the clock nothing can be unknown about a span of time, but a civil day may change its length.
  CalendarSpec always;
  always.always = true;
  always.until = "2026-12-01";
  EXPECT_EQ(ComputeDue(*Make(always), At(kLondon, "2026-11-30 09:00"), Promise("48h")),
            (Due{At(kLondon, "2026-12-02 09:00"), false}));
  EXPECT_TRUE(ComputeDue(*Make(always), At(kLondon, "2026-11-30 09:00"), Promise("2cd")).provisional);
}

TEST(ComputeDue, ACalendarWithoutAnyWindowIsNeverDue) {
  CalendarSpec spec = London();
  spec.week = std::vector<std::string>(7, "");
  const auto calendar = Make(spec);
  const absl::Time start = At(kLondon, "2026-11-18 10:00");
  EXPECT_EQ(ComputeDue(*calendar, start, Promise("1s")).at, absl::InfiniteFuture());
  EXPECT_EQ(ComputeDue(*calendar, start, Promise("1bd@close")).at, absl::InfiniteFuture());
  EXPECT_EQ(ComputeDue(*calendar, start, Promise("1cd@end+next")).at, absl::InfiniteFuture());
  EXPECT_EQ(ComputeDue(*calendar, start, Promise("0s")).at, start);
}

TEST(ComputeWarnings, OfDayCountsAreSharesOfTheWallClock) {
  const auto calendar = Make(London());
  const absl::Time start = At(kLondon, "2026-11-18 12:00");
  const v1::Target target = Promise("2cd@same");
  const absl::Time due = ComputeDue(*calendar, start, target).at;
  const auto warnings =
      ComputeWarnings(*calendar, start, target, {}, due, {500, 1000}, {absl::Hours(6), absl::Hours(72)});
  ASSERT_EQ(warnings.size(), 4);
  EXPECT_EQ(Show(kLondon, FromProto(warnings[0].at())), "Thu 2026-11-19 12:00:00");
  EXPECT_EQ(FromProto(warnings[1].at()), due);
  EXPECT_EQ(Show(kLondon, FromProto(warnings[2].at())), "Fri 2026-11-20 06:00:00");
  EXPECT_EQ(FromProto(warnings[3].at()), start);  // asked for more time than there is
}

TEST(ComputeWarnings, UnderAnOpenPauseOnlyThoseBeforeItHaveAnInstant) {
  const auto calendar = Make(London());
  const absl::Time start = At(kLondon, "2026-11-18 09:00");
  const v1::Target target = Promise("8h");
  const std::vector<TimeSpan> pauses = {{At(kLondon, "2026-11-18 13:30"), absl::InfiniteFuture()}};
  const auto warnings =
      ComputeWarnings(*calendar, start, target, pauses, absl::InfiniteFuture(), {500, 750}, {absl::Hours(1)});
  ASSERT_EQ(warnings.size(), 3);
  EXPECT_EQ(Show(kLondon, FromProto(warnings[0].at())), "Wed 2026-11-18 13:00:00");
  EXPECT_FALSE(warnings[1].has_at());
  EXPECT_FALSE(warnings[2].has_at());
}

}  // namespace
}  // namespace docket::sla
