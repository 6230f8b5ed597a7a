#include "workflow/sla/calendar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/workflow/sla/calendars.h"
#include "workflow/sla/calendar_compile.h"

namespace docket::sla {
namespace {

using ::testing::HasSubstr;
using Edge = WorkingCalendar::Edge;
using testing::At;
using testing::CalendarSpec;
using testing::Compiled;
using testing::London;
using testing::Make;
using testing::Show;
using testing::Zone;

constexpr char kLondon[] = "Europe/London";

std::vector<std::string> Windows(const CalendarSpec& spec, const char* from, const char* to) {
  std::vector<std::string> lines;
  for (const TimeSpan& span : Make(spec)->Windows(At(spec.zone, from), At(spec.zone, to))) {
    lines.push_back(absl::StrCat(absl::FormatTime("%a %H:%M", span.start, Zone(spec.zone)), " - ",
                                 absl::FormatTime("%a %H:%M", span.end, Zone(spec.zone))));
  }
  return lines;
}

TEST(Calendar, ExceptionsReplaceTheDay) {
  CalendarSpec spec = London();
  spec.exceptions = {{"2026-11-19", "", "closed"},
                     {"2026-11-20", "08:00-10:00 11:00-12:00", "half day"},
                     {"2026-11-21", "09:00-13:00", "make-up day"}};
  EXPECT_THAT(Windows(spec, "2026-11-18 00:00", "2026-11-24 00:00"),
              ::testing::ElementsAre("Wed 09:00 - Wed 17:00", "Fri 08:00 - Fri 10:00", "Fri 11:00 - Fri 12:00",
                                     "Sat 09:00 - Sat 13:00", "Mon 09:00 - Mon 17:00"));
  const auto calendar = Make(spec);
  EXPECT_FALSE(calendar->IsWorkingDay(absl::CivilDay(2026, 11, 19)));
  EXPECT_TRUE(calendar->IsWorkingDay(absl::CivilDay(2026, 11, 21)));
  EXPECT_FALSE(calendar->IsWorkingDay(absl::CivilDay(2026, 11, 22)));
  EXPECT_EQ(calendar->CloseOf(absl::CivilDay(2026, 11, 19)), absl::InfinitePast());
  EXPECT_EQ(Show(kLondon, calendar->CloseOf(absl::CivilDay(2026, 11, 20))), "Fri 2026-11-20 12:00:00");
  EXPECT_EQ(calendar->LabelOf(absl::CivilDay(2026, 11, 21)), "make-up day");
  EXPECT_EQ(calendar->LabelOf(absl::CivilDay(2026, 11, 23)), "");
}

TEST(Calendar, WindowsThatTouchAreOneButADayClosesAtItsOwnEnd) {
  CalendarSpec nights;
  nights.week = {"22:00-24:00", "00:00-06:00 22:00-24:00", "00:00-06:00", "", "", "", ""};
  EXPECT_THAT(Windows(nights, "2026-11-16 00:00", "2026-11-20 00:00"),
              ::testing::ElementsAre("Mon 22:00 - Tue 06:00", "Tue 22:00 - Wed 06:00"));
  EXPECT_EQ(Show(kLondon, Make(nights)->CloseOf(absl::CivilDay(2026, 11, 16))), "Tue 2026-11-17 00:00:00");
  CalendarSpec adjacent;
  adjacent.week = testing::Weekdays("09:00-12:00 12:00-17:00");
  EXPECT_EQ(Compiled(adjacent).windows_delta_s_size(), Compiled(London()).windows_delta_s_size());
}

TEST(Calendar, AWindowSwallowedByTheGapIsNoWindow) {
  CalendarSpec spec;
  spec.week = {"", "", "", "", "", "", "01:10-01:50"};
  EXPECT_THAT(Windows(spec, "2026-03-29 00:00", "2026-03-30 00:00"), ::testing::IsEmpty());
  EXPECT_FALSE(Make(spec)->IsWorkingDay(absl::CivilDay(2026, 3, 29)));
  EXPECT_TRUE(Make(spec)->IsWorkingDay(absl::CivilDay(2026, 3, 22)));
}

TEST(Calendar, WindowsThatTheFoldMakesOverlapCountOnce) {
  CalendarSpec spec;  // 00:30–01:30 ends at the second 01:30, 01:30–02:30 begins at the first
  spec.week = std::vector<std::string>(7, "00:30-01:30 01:30-02:30");
  EXPECT_EQ(Make(spec)->Elapsed(At(kLondon, "2026-10-25 00:00"), At(kLondon, "2026-10-25 12:00")), absl::Hours(3));
}

TEST(Calendar, ADayThatAZoneLeftOutHasNoWindows) {
  CalendarSpec spec;
  spec.zone = "Pacific/Apia";  // had no 30 December 2011
  spec.week = std::vector<std::string>(7, "09:00-17:00");
  spec.from = "2011-01-01";
  const auto calendar = Make(spec);
  EXPECT_FALSE(calendar->IsWorkingDay(absl::CivilDay(2011, 12, 30)));
  EXPECT_TRUE(calendar->IsWorkingDay(absl::CivilDay(2011, 12, 31)));
  EXPECT_EQ(calendar->Elapsed(At(spec.zone, "2011-12-29 00:00"), At(spec.zone, "2012-01-01 00:00")), absl::Hours(16));
}

// Every quarter of an hour for half a day around every change of the clocks of many years.
TEST(Calendar, TheOffsetTableAgreesWithTheZoneDataAtEveryTransition) {
  for (const char* name : {"Europe/London", "America/New_York", "Asia/Shanghai", "America/Sao_Paulo",
                           "Australia/Lord_Howe", "Pacific/Chatham", "Pacific/Apia", "America/St_Johns",
                           "Africa/Casablanca", "Asia/Gaza", "Europe/Dublin", "Antarctica/Troll"}) {
    CalendarSpec spec = London();
    spec.zone = name;
    spec.from = "1990-01-01";
    spec.until = "2036-01-01";
    const auto calendar = Make(spec);
    const absl::TimeZone zone = Zone(name);
    int mismatches = 0;
    for (const auto& offset : calendar->compiled().offsets()) {
      const absl::Time transition = absl::FromUnixSeconds(offset.at_s());
      const absl::CivilSecond civil = absl::ToCivilSecond(transition, zone);
      for (int quarter = -48; quarter <= 48; ++quarter) {
        const absl::Time t = transition + absl::Minutes(15) * quarter;
        if (t < transition && offset.at_s() == calendar->compiled().offsets(0).at_s()) continue;
        mismatches += calendar->ToCivil(t) != absl::ToCivilSecond(t, zone);
        const absl::CivilSecond local = civil + 900 * quarter;
        const absl::TimeZone::TimeInfo info = zone.At(local);
        if (info.pre < absl::FromUnixSeconds(calendar->compiled().compiled_from_s())) continue;
        const bool skipped = info.kind == absl::TimeZone::TimeInfo::SKIPPED;
        mismatches += calendar->FromCivil(local, Edge::kStart) != (skipped ? info.trans : info.pre);
        mismatches += calendar->FromCivil(local, Edge::kEnd) != (skipped ? info.trans : info.post);
      }
    }
    EXPECT_EQ(mismatches, 0) << name;
    EXPECT_GE(calendar->compiled().offsets_size(), name == std::string("Asia/Shanghai") ? 1 : 10) << name;
  }
}

TEST(Calendar, OutsideTheCompiledSpanTheWeekGoesOn) {
  CalendarSpec spec = London();
  spec.from = "2026-11-01";
  spec.until = "2026-12-01";  // no change of the clocks on either side for a while
  spec.exceptions = {{"2026-10-28", "", "before"}, {"2026-12-02", "", "after"}};
  const auto short_one = Make(spec);
  CalendarSpec wide = London();
  const auto long_one = Make(wide);
  for (const char* text :
       {"2026-10-26 12:00", "2026-10-31 12:00", "2026-11-18 03:00", "2026-12-02 10:00", "2027-02-01 10:00"}) {
    const absl::Time t = At(kLondon, text);
    for (int hours : {1, 7, 40, 150}) {
      EXPECT_EQ(short_one->Advance(t, absl::Hours(hours)), long_one->Advance(t, absl::Hours(hours)))
          << text << " +" << hours;
    }
    EXPECT_EQ(short_one->Elapsed(t, t + absl::Hours(100)), long_one->Elapsed(t, t + absl::Hours(100))) << text;
    EXPECT_EQ(short_one->Windows(t, t + absl::Hours(100)), long_one->Windows(t, t + absl::Hours(100))) << text;
  }
  EXPECT_EQ(short_one->Retreat(At(kLondon, "2027-02-01 12:00"), absl::Hours(500)),
            long_one->Retreat(At(kLondon, "2027-02-01 12:00"), absl::Hours(500)));
  // Its exceptions there have no effect, on hours and on days alike.
  EXPECT_TRUE(short_one->IsWorkingDay(absl::CivilDay(2026, 12, 2)));
  EXPECT_EQ(Show(kLondon, short_one->complete_until()), "Tue 2026-12-01 00:00:00");
}

TEST(Calendar, AlwaysWorks) {
  const auto always = WorkingCalendar::Always();
  const absl::Time t = At("UTC", "2026-11-21 10:00");
  EXPECT_EQ(always->Advance(t, absl::Hours(100)), t + absl::Hours(100));
  EXPECT_EQ(always->Retreat(t, absl::Hours(100)), t - absl::Hours(100));
  EXPECT_EQ(always->Elapsed(t, t + absl::Hours(5), {{t + absl::Hours(1), t + absl::Hours(2)}}), absl::Hours(4));
  EXPECT_EQ(always->complete_until(), absl::InfiniteFuture());
  EXPECT_TRUE(always->IsWorkingDay(absl::CivilDay(2026, 11, 21)));
  EXPECT_EQ(Show("UTC", always->CloseOf(absl::CivilDay(2026, 11, 21))), "Sun 2026-11-22 00:00:00");
  EXPECT_EQ(always->Windows(t, t + absl::Hours(1)), (std::vector<TimeSpan>{{t, t + absl::Hours(1)}}));
}

TEST(Calendar, InfinitiesAreAnswered) {
  const auto calendar = Make(London());
  const absl::Time t = At(kLondon, "2026-11-18 09:00");
  EXPECT_EQ(calendar->Elapsed(t, absl::InfiniteFuture()), absl::InfiniteDuration());
  EXPECT_EQ(calendar->Elapsed(t, absl::InfiniteFuture(), {{t + absl::Hours(2), absl::InfiniteFuture()}}),
            absl::Hours(2));
  EXPECT_EQ(calendar->Elapsed(t, t - absl::Hours(1)), absl::ZeroDuration());
  EXPECT_EQ(calendar->Advance(t, absl::Hours(3), {{t + absl::Hours(2), absl::InfiniteFuture()}}),
            absl::InfiniteFuture());
  EXPECT_EQ(calendar->Advance(t, absl::Hours(2), {{t + absl::Hours(2), absl::InfiniteFuture()}}), t + absl::Hours(2));
  EXPECT_EQ(calendar->Advance(t, absl::InfiniteDuration()), absl::InfiniteFuture());
  EXPECT_EQ(calendar->Retreat(t, absl::Hours(1), {{absl::InfinitePast(), t}}), absl::InfinitePast());
  EXPECT_EQ(WorkingCalendar::Always()->Elapsed(t, absl::InfiniteFuture()), absl::InfiniteDuration());
}

TEST(Calendar, MergeSpansIsTheUnion) {
  const absl::Time t = At(kLondon, "2026-11-18 09:00");
  auto span = [&](int a, int b) { return TimeSpan{t + absl::Hours(a), t + absl::Hours(b)}; };
  EXPECT_EQ(MergeSpans({span(5, 6), span(1, 2), span(2, 3), span(4, 4), span(8, 7), span(5, 5)}),
            (std::vector<TimeSpan>{span(1, 3), span(5, 6)}));
}

// Compiling.

absl::Status Compile(v1::Calendar calendar) {
  return CompileCalendar(At("UTC", "2026-01-01 00:00"), At("UTC", "2027-01-01 00:00"), &calendar);
}

TEST(Compile, CoversWholeLocalDaysAndSaysByWhichZoneData) {
  v1::Calendar calendar = ToProto(testing::Shanghai());
  ASSERT_TRUE(CompileCalendar(At("UTC", "2026-01-01 20:00"), At("UTC", "2026-02-01 00:00"), &calendar).ok());
  EXPECT_EQ(Show("Asia/Shanghai", absl::FromUnixSeconds(calendar.compiled_from_s())), "Fri 2026-01-02 00:00:00");
  EXPECT_EQ(Show("Asia/Shanghai", absl::FromUnixSeconds(calendar.complete_until_s())), "Mon 2026-02-02 00:00:00");
  EXPECT_THAT(calendar.tz_version(), ::testing::MatchesRegex("20[0-9][0-9][a-z]+|unknown"));
  EXPECT_EQ(calendar.offsets_size(), 1);
  EXPECT_EQ(calendar.offsets(0).offset_s(), 8 * 3600);
}

TEST(Compile, IsTheSameEachTimeAndRoundTrips) {
  const v1::Calendar once = Compiled(London());
  v1::Calendar twice = once;
  ASSERT_TRUE(CompileCalendar(absl::FromUnixSeconds(once.compiled_from_s()),
                              absl::FromUnixSeconds(once.complete_until_s()), &twice)
                  .ok());
  EXPECT_EQ(once.SerializeAsString(), twice.SerializeAsString());
  EXPECT_EQ((*WorkingCalendar::FromCompiled(once))->compiled().SerializeAsString(), once.SerializeAsString());
}

TEST(Compile, NoticesZoneDataThatSaysOtherwise) {
  const v1::Calendar compiled = Compiled(London());
  EXPECT_TRUE(AgreesWithZoneData(compiled));
  v1::Calendar renamed = compiled;
  renamed.set_tz_version("2001a");
  EXPECT_TRUE(AgreesWithZoneData(renamed)) << "another release, the same windows";
  v1::Calendar shifted = compiled;
  shifted.mutable_offsets(1)->set_offset_s(shifted.offsets(1).offset_s() + 1800);
  EXPECT_FALSE(AgreesWithZoneData(shifted));
  v1::Calendar elsewhere = compiled;
  elsewhere.set_zone("Atlantis/Capital");
  EXPECT_TRUE(AgreesWithZoneData(elsewhere)) << "a zone this machine does not know";
}

TEST(Compile, RefusesWhatIsWrongByName) {
  auto refused = [](const CalendarSpec& spec, const char* wanted) {
    const absl::Status status = Compile(ToProto(spec));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(wanted));
  };
  CalendarSpec spec = London();
  spec.zone = "Europe/Atlantis";
  refused(spec, "zone: \"Europe/Atlantis\"");
  spec = London();
  spec.zone = "";
  refused(spec, "zone: \"\"");
  spec = London();
  spec.week.pop_back();
  refused(spec, "week: 6 days, want 7");
  spec = London();
  spec.week[1] = "09:00-12:00 11:00-17:00";
  refused(spec, "week[1].windows[1]: starts 11:00");
  spec = London();
  spec.week[2] = "13:00-17:00 09:00-12:00";
  refused(spec, "week[2].windows[1]");
  spec = London();
  spec.week[0] = "22:00-06:00";
  refused(spec, "a night shift is two windows");
  spec = London();
  spec.week[0] = "09:00-09:00";
  refused(spec, "want an end after the start");
  spec = London();
  spec.week[0] = "09:00-24:01";
  refused(spec, "at most 24:00");
  spec = London();
  spec.exceptions = {{"2026-12-25", "", ""}, {"2026-12-25", "", ""}};
  refused(spec, "exceptions[1] (2026-12-25)");
  spec = London();
  spec.exceptions = {{"2026-12-25", "10:00-09:00", ""}};
  refused(spec, "exceptions[0] (2026-12-25).windows[0]");
  spec = London();
  spec.always = true;
  refused(spec, "neither week nor exceptions");
  v1::Calendar calendar = ToProto(London());
  EXPECT_EQ(CompileCalendar(At("UTC", "2027-01-01 00:00"), At("UTC", "2026-01-01 00:00"), &calendar).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CompileCalendar(At("UTC", "1800-01-01 00:00"), At("UTC", "2026-01-01 00:00"), &calendar).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(Compile, TheWindowLimitIsRefusedOneAboveIt) {
  v1::Calendar calendar = ToProto(London());
  for (uint32_t i = 0; i < 64; ++i) {
    if (i == 0) calendar.mutable_week(0)->clear_windows();
    v1::Calendar::LocalWindow* window = calendar.mutable_week(0)->add_windows();
    window->set_start_s(i * 60);
    window->set_end_s(i * 60 + 30);
  }
  EXPECT_TRUE(Compile(calendar).ok());
  v1::Calendar::LocalWindow* window = calendar.mutable_week(0)->add_windows();
  window->set_start_s(80'000);
  window->set_end_s(80'001);
  EXPECT_THAT(std::string(Compile(calendar).message()), HasSubstr("65 windows, want at most 64"));
}

TEST(Compile, TooManyWindowsInAllAreRefused) {
  v1::Calendar calendar = ToProto(London());
  for (int day = 0; day < 7; ++day) {
    calendar.mutable_week(day)->clear_windows();
    for (uint32_t i = 0; i < 64; ++i) {
      v1::Calendar::LocalWindow* window = calendar.mutable_week(day)->add_windows();
      window->set_start_s(i * 60);
      window->set_end_s(i * 60 + 30);
    }
  }
  const absl::Status status = CompileCalendar(At("UTC", "2024-01-01 00:00"), At("UTC", "2027-01-01 00:00"), &calendar);
  EXPECT_THAT(std::string(status.message()), HasSubstr("windows in all, want at most 65536"));
}

TEST(FromCompiled, RefusesADamagedFormByName) {
  auto refused = [](v1::Calendar calendar, const char* wanted) {
    const auto made = WorkingCalendar::FromCompiled(calendar);
    ASSERT_FALSE(made.ok()) << wanted;
    EXPECT_EQ(made.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(made.status().message()), HasSubstr(wanted));
  };
  const v1::Calendar good = Compiled(London());
  v1::Calendar bad = good;
  bad.clear_offsets();
  refused(bad, "was it compiled?");
  bad = good;
  bad.mutable_week()->RemoveLast();
  refused(bad, "want 7");
  bad = good;
  bad.add_windows_delta_s(5);
  refused(bad, "want pairs");
  bad = good;
  bad.set_windows_delta_s(4, 0);
  refused(bad, "windows_delta_s[4]");
  bad = good;
  bad.set_windows_delta_s(4, 2'000'000'000);
  refused(bad, "past complete_until_s");
  bad = good;
  bad.set_complete_until_s(bad.compiled_from_s());
  refused(bad, "complete_until_s");
  bad = good;
  bad.mutable_offsets()->SwapElements(1, 2);
  refused(bad, "want ascending");
  bad = good;
  bad.mutable_offsets(0)->set_at_s(bad.compiled_from_s() + 1);
  refused(bad, "at or before compiled_from_s");
  bad = good;
  bad.mutable_week(0)->mutable_windows(0)->set_end_s(90'000);
  refused(bad, "week[0]");
}

}  // namespace
}  // namespace docket::sla
