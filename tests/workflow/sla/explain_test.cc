#include "workflow/sla/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/workflow/sla/calendars.h"
#include "tests/workflow/sla/desk.h"
#include "workflow/base/time.h"
#include "workflow/sla/clock_math.h"
#include "workflow/sla/target.h"

namespace docket::sla {
namespace {

using testing::At;
using testing::CalendarSpec;
using ::testing::ElementsAre;
using testing::London;
using testing::Make;
using testing::Zone;

constexpr char kLondon[] = "Europe/London";

std::vector<std::string> Lines(const std::vector<CountedInterval>& list) {
  std::vector<std::string> lines;
  for (const CountedInterval& it : list) {
    const char* why[] = {"counted", "outside", "paused", "excluded"};
    const std::string end =
        it.span.end == absl::InfiniteFuture() ? "…" : absl::FormatTime("%a %d %H:%M", it.span.end, Zone(kLondon));
    lines.push_back(absl::StrCat(absl::FormatTime("%a %d %H:%M", it.span.start, Zone(kLondon)), " - ", end, " ",
                                 why[it.why], it.label.empty() ? "" : " ", it.label));
  }
  return lines;
}

absl::Duration Counted(const std::vector<CountedInterval>& list) {
  absl::Duration total;
  for (const CountedInterval& it : list) {
    if (it.why == CountedInterval::kCounted) total += it.span.end - it.span.start;
  }
  return total;
}

v1::Clock ClockOf(const WorkingCalendar& calendar, absl::Time start, const std::string& target,
                  const std::vector<TimeSpan>& pauses = {}) {
  v1::Clock clock;
  clock.set_state(v1::RUNNING);
  *clock.mutable_start_at() = ToProto(start);
  *clock.mutable_target() = *ParseTarget(target);
  for (const TimeSpan& pause : pauses) {
    v1::Interval* added = clock.add_pauses();
    *added->mutable_start() = ToProto(pause.start);
    if (pause.end != absl::InfiniteFuture()) *added->mutable_end() = ToProto(pause.end);
  }
  const Due due = ComputeDue(calendar, start, clock.target(), pauses);
  if (due.at != absl::InfiniteFuture()) *clock.mutable_due_at() = ToProto(due.at);
  return clock;
}

TEST(Explain, WorkingTimeShowsWindowsHolidaysWaitsAndRests) {
  CalendarSpec spec = London();
  spec.exceptions.push_back({"2026-11-20", "", "Founders' Day"});
  testing::Desk desk;
  desk.Publish("london", spec);
  v1::MetricRule rule =
      testing::Metric("RESOLUTION", testing::On("case_received"),
                      testing::On("status_changed", {testing::Is("case.category", "RESOLVED")}), "16h");
  rule.set_pausable(true);
  rule.set_reopens(true);
  desk.Publish(testing::Policy("p", v1::CUSTOMER, 1, "london", {rule}));
  desk.Receive("2026-11-18 09:00");
  desk.Wait("2026-11-18 11:00", "WAITING");
  desk.Move("2026-11-18 13:00", "OPEN");
  desk.Move("2026-11-18 15:00", "RESOLVED");
  desk.Reopen("2026-11-19 10:00", v1::NEW_FACTS);
  const v1::Clock& clock = desk.Clock("RESOLUTION");
  const auto list = ExplainDue(*desk.policies().Calendar(clock.calendar()), clock, absl::InfiniteFuture());
  EXPECT_THAT(Lines(list), ElementsAre("Wed 18 09:00 - Wed 18 11:00 counted", "Wed 18 11:00 - Wed 18 13:00 paused",
                                       "Wed 18 13:00 - Wed 18 15:00 counted", "Wed 18 15:00 - Thu 19 10:00 excluded",
                                       "Thu 19 10:00 - Thu 19 17:00 counted", "Thu 19 17:00 - Fri 20 00:00 outside",
                                       "Fri 20 00:00 - Sat 21 00:00 outside Founders' Day",
                                       "Sat 21 00:00 - Mon 23 09:00 outside", "Mon 23 09:00 - Mon 23 14:00 counted"));
  EXPECT_EQ(Counted(list), absl::Hours(16));
}

TEST(Explain, StopsWhereItIsAskedTo) {
  const auto calendar = Make(London());
  const v1::Clock clock = ClockOf(*calendar, At(kLondon, "2026-11-18 09:00"), "8h");
  EXPECT_THAT(Lines(ExplainDue(*calendar, clock, At(kLondon, "2026-11-18 12:00"))),
              ElementsAre("Wed 18 09:00 - Wed 18 12:00 counted"));
  EXPECT_THAT(ExplainDue(*calendar, clock, At(kLondon, "2026-11-18 08:00")), ::testing::IsEmpty());
}

TEST(Explain, AnOpenWaitHasNoEnd) {
  const auto calendar = Make(London());
  const v1::Clock clock = ClockOf(*calendar, At(kLondon, "2026-11-18 09:00"), "8h",
                                  {{At(kLondon, "2026-11-18 12:00"), absl::InfiniteFuture()}});
  EXPECT_THAT(Lines(ExplainDue(*calendar, clock, absl::InfiniteFuture())),
              ElementsAre("Wed 18 09:00 - Wed 18 12:00 counted", "Wed 18 12:00 - … paused"));
}

TEST(Explain, BusinessDaysShowWhichCounted) {
  CalendarSpec spec = London();
  spec.exceptions.push_back({"2026-11-20", "", "Founders' Day"});
  const auto calendar = Make(spec);
  const v1::Clock clock = ClockOf(*calendar, At(kLondon, "2026-11-18 15:00"), "3bd@close",
                                  {{At(kLondon, "2026-11-19 16:00"), At(kLondon, "2026-11-20 10:00")}});
  EXPECT_THAT(Lines(ExplainDue(*calendar, clock, absl::InfiniteFuture())),
              ElementsAre("Wed 18 15:00 - Thu 19 00:00 outside day of receipt", "Thu 19 00:00 - Fri 20 00:00 paused",
                          "Fri 20 00:00 - Sat 21 00:00 outside Founders' Day", "Sat 21 00:00 - Mon 23 00:00 outside",
                          "Mon 23 00:00 - Tue 24 00:00 counted day 1", "Tue 24 00:00 - Wed 25 00:00 counted day 2",
                          "Wed 25 00:00 - Wed 25 17:00 counted day 3"));
}

TEST(Explain, CivilDaysCountEveryDayAndShowTheRoll) {
  const auto calendar = Make(London());
  const v1::Clock clock = ClockOf(*calendar, At(kLondon, "2026-11-19 15:00"), "2cd@end+next");
  EXPECT_THAT(Lines(ExplainDue(*calendar, clock, absl::InfiniteFuture())),
              ElementsAre("Thu 19 15:00 - Fri 20 00:00 outside day of receipt",
                          "Fri 20 00:00 - Sat 21 00:00 counted day 1", "Sat 21 00:00 - Sun 22 00:00 counted day 2",
                          "Sun 22 00:00 - Mon 23 23:59 outside moved to a business day"));
}

TEST(Explain, AFixedInstantIsOneIntervalUpToIt) {
  const auto calendar = Make(London());
  v1::Clock clock;
  clock.set_state(v1::RUNNING);
  *clock.mutable_start_at() = ToProto(At(kLondon, "2026-11-19 15:00"));
  *clock.mutable_target() = *ParseTarget("fixed");
  *clock.mutable_due_at() = ToProto(At(kLondon, "2026-11-24 12:00"));
  EXPECT_THAT(Lines(ExplainDue(*calendar, clock, absl::InfiniteFuture())),
              ElementsAre("Thu 19 15:00 - Tue 24 12:00 counted until the instant promised"));
}

RC_GTEST_PROP(ExplainLaws, TheCountedIntervalsAreTheTargetAndLeaveNoGap, ()) {
  static const auto calendar = Make(testing::Shanghai());
  const absl::Time base = At("Asia/Shanghai", "2026-09-28 00:00");
  auto instant = [&] { return base + absl::Minutes(*rc::gen::inRange(0, 20 * 1440)); };
  const absl::Time start = instant();
  std::vector<TimeSpan> pauses(*rc::gen::inRange(0, 4));
  for (TimeSpan& pause : pauses) {
    pause.start = instant();
    pause.end = pause.start + absl::Minutes(*rc::gen::inRange(1, 3000));
  }
  const absl::Duration target = absl::Seconds(*rc::gen::inRange(1, 300'000));
  v1::Clock clock = ClockOf(*calendar, start, absl::StrCat(absl::ToInt64Seconds(target), "s"), pauses);
  for (v1::Interval& pause : *clock.mutable_pauses()) pause.set_excluded(*rc::gen::arbitrary<bool>());
  const auto list = ExplainDue(*calendar, clock, absl::InfiniteFuture());
  RC_ASSERT(Counted(list) == target);
  RC_ASSERT(list.front().span.start == start);
  RC_ASSERT(list.back().span.end == DueAt(clock));
  for (size_t i = 1; i < list.size(); ++i) RC_ASSERT(list[i].span.start == list[i - 1].span.end);
}

}  // namespace
}  // namespace docket::sla
