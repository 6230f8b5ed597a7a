// Laws of the SLA arithmetic that hold for every calendar, judged against a twin that counts minute by minute, in zones
// whose clocks change at midnight, by half an hour, by nothing at all.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include "tests/workflow/sla/calendars.h"
#include "tests/workflow/sla/slow_twin.h"
#include "tests/workflow/sla/world.h"
#include "workflow/base/time.h"
#include "workflow/sla/target.h"

namespace docket::sla {
namespace {

using testing::CalendarSpec;
using testing::kPlaces;
using testing::SlowTwin;
using testing::World;
using testing::ZoneYear;

RC_GTEST_PROP(Twin, ElapsedAgrees, ()) {
  const World world;
  const absl::Time a = world.Instant();
  const absl::Time b = a + world.Span();
  const auto pauses = world.Pauses();
  RC_ASSERT(world.calendar->Elapsed(a, b, pauses) == world.twin->Elapsed(a, b, pauses));
}

RC_GTEST_PROP(Twin, AdvanceAgrees, ()) {
  const World world;
  const absl::Time start = world.Instant();
  const absl::Duration target = world.Span();
  const auto pauses = world.Pauses();
  const absl::Time slow = world.twin->Advance(start, target, pauses);
  const absl::Time fast = world.calendar->Advance(start, target, pauses);
  RC_CLASSIFY(slow == absl::InfiniteFuture(), "beyond the twin");
  if (slow == absl::InfiniteFuture()) {
    RC_ASSERT(fast > world.twin->Until());
  } else {
    RC_ASSERT(fast == slow);
  }
}

RC_GTEST_PROP(Twin, RetreatAgrees, ()) {
  const World world;
  const absl::Time end = world.Instant();
  const absl::Duration span = world.Span();
  const auto pauses = world.Pauses();
  const absl::Time slow = world.twin->Retreat(end, span, pauses);
  const absl::Time fast = world.calendar->Retreat(end, span, pauses);
  if (slow == absl::InfinitePast()) {
    RC_ASSERT(fast < world.middle - absl::Hours(24 * 12) + absl::Minutes(1));
  } else {
    RC_ASSERT(fast == slow);
  }
}

RC_GTEST_PROP(Laws, ElapsedUntilTheDueIsTheTarget, ()) {
  const World world;
  const absl::Time start = world.Instant();
  const absl::Duration target = world.Span() + absl::Microseconds(*rc::gen::inRange(0, 1'000'000));
  const auto pauses = world.Pauses();
  const absl::Time due = world.calendar->Advance(start, target, pauses);
  if (due == absl::InfiniteFuture()) {  // only a calendar without a single window never gets there
    RC_ASSERT(world.calendar->Elapsed(start, start + absl::Hours(24 * 400)) <= absl::Hours(24 * 80));
    return;
  }
  RC_ASSERT(world.calendar->Elapsed(start, due, pauses) == target);
  if (target > absl::ZeroDuration()) {  // and it is the first such instant
    RC_ASSERT(world.calendar->Elapsed(start, due - absl::Microseconds(1), pauses) < target);
  }
}

RC_GTEST_PROP(Laws, ElapsedIsAdditiveAndMonotone, ()) {
  const World world;
  const absl::Time a = world.Instant();
  const absl::Time b = a + world.Span();
  const absl::Time c = b + world.Span();
  const auto pauses = world.Pauses();
  const auto& calendar = *world.calendar;
  RC_ASSERT(calendar.Elapsed(a, b, pauses) + calendar.Elapsed(b, c, pauses) == calendar.Elapsed(a, c, pauses));
  RC_ASSERT(calendar.Elapsed(a, b, pauses) <= calendar.Elapsed(a, c, pauses));
  RC_ASSERT(calendar.Elapsed(a, b, pauses) <= b - a);
}

RC_GTEST_PROP(Laws, TheDueIsMonotoneInTargetAndInPauses, ()) {
  const World world;
  const absl::Time start = world.Instant();
  const absl::Duration target = world.Span();
  auto pauses = world.Pauses();
  const absl::Time due = world.calendar->Advance(start, target, pauses);
  RC_ASSERT(world.calendar->Advance(start, target + world.Span(), pauses) >= due);
  const absl::Time more = world.Instant();
  pauses.push_back({more, more + world.Span()});
  RC_ASSERT(world.calendar->Advance(start, target, pauses) >= due);
}

RC_GTEST_PROP(Laws, APauseOutsideTheWindowsChangesNothing, ()) {
  const World world;
  const absl::Time start = world.Instant();
  const absl::Time end = start + absl::Hours(24 * 4);
  std::vector<TimeSpan> gaps;
  absl::Time at = start;
  for (const TimeSpan& window : world.calendar->Windows(start, end)) {
    gaps.push_back({at, window.start});
    at = window.end;
  }
  gaps.push_back({at, end});
  const absl::Duration target = world.Span();
  RC_ASSERT(world.calendar->Advance(start, target, gaps) == world.calendar->Advance(start, target));
  RC_ASSERT(world.calendar->Elapsed(start, end, gaps) == world.calendar->Elapsed(start, end));
}

RC_GTEST_PROP(Laws, PausesAreAUnionWhateverTheirOrder, ()) {
  const World world;
  const absl::Time start = world.Instant();
  const absl::Duration target = world.Span();
  auto pauses = world.Pauses();
  const absl::Time due = world.calendar->Advance(start, target, pauses);
  RC_ASSERT(world.calendar->Advance(start, target, MergeSpans(pauses)) == due);
  std::reverse(pauses.begin(), pauses.end());
  pauses.insert(pauses.end(), pauses.begin(), pauses.end());
  RC_ASSERT(world.calendar->Advance(start, target, pauses) == due);
}

RC_GTEST_PROP(Laws, TheWindowsAreWhatIsCounted, ()) {
  const World world;
  const absl::Time a = world.Instant();
  const absl::Time b = a + world.Span();
  absl::Duration total;
  absl::Time last = absl::InfinitePast();
  for (const TimeSpan& window : world.calendar->Windows(a, b)) {
    RC_ASSERT(last < window.start);
    RC_ASSERT(window.start < window.end);
    total += window.end - window.start;
    last = window.end;
  }
  RC_ASSERT(total == world.calendar->Elapsed(a, b));
}

RC_GTEST_PROP(Laws, RetreatTakesBackWhatAdvanceGave, ()) {
  const World world;
  const absl::Time start = world.Instant();
  const absl::Duration target = world.Span() + absl::Minutes(1);
  const auto pauses = world.Pauses();
  const absl::Time due = world.calendar->Advance(start, target, pauses);
  RC_PRE(due != absl::InfiniteFuture());
  const absl::Time back = world.calendar->Retreat(due, target, pauses);
  RC_ASSERT(back >= start);
  RC_ASSERT(world.calendar->Elapsed(back, due, pauses) == target);
}

RC_GTEST_PROP(Laws, AWindowAcrossMidnightEqualsThePairThatMeetsThere, ()) {
  // 22:00–24:00 and 00:00–06:00 against one window of eight hours that a whole week of such nights makes.
  const ZoneYear place = *rc::gen::elementOf(std::vector<ZoneYear>(std::begin(kPlaces), std::end(kPlaces)));
  CalendarSpec pair;
  pair.zone = place.zone;
  pair.week = std::vector<std::string>(7, "00:00-06:00 22:00-24:00");
  const absl::CivilDay day = absl::ToCivilDay(testing::Middle(place), testing::Zone(place.zone));
  pair.from = absl::FormatCivilTime(day - 20);
  pair.until = absl::FormatCivilTime(day + 20);
  const auto calendar = Make(pair);
  const absl::CivilDay evening = day + *rc::gen::inRange(-3, 3);
  const absl::Time ten = calendar->FromCivil(absl::CivilSecond(evening) + 22 * 3600, WorkingCalendar::Edge::kStart);
  const absl::Time six = calendar->FromCivil(absl::CivilSecond(evening + 1) + 6 * 3600, WorkingCalendar::Edge::kEnd);
  RC_ASSERT(calendar->Elapsed(ten, six) == six - ten);
  RC_ASSERT((calendar->Windows(ten - absl::Hours(3), six + absl::Hours(3)) == std::vector<TimeSpan>{{ten, six}}));
}

RC_GTEST_PROP(Civil, TheTableAgreesWithTheZoneData, ()) {
  const World world;
  const absl::TimeZone zone = testing::Zone(world.place.zone);
  const absl::Time t = world.Instant();
  RC_ASSERT(world.calendar->ToCivil(t) == absl::ToCivilSecond(t, zone));
  const absl::CivilSecond civil = absl::ToCivilSecond(t, zone) + *rc::gen::inRange(-7200, 7200);
  const absl::TimeZone::TimeInfo info = zone.At(civil);
  const bool skipped = info.kind == absl::TimeZone::TimeInfo::SKIPPED;
  RC_CLASSIFY(skipped, "skipped");
  RC_CLASSIFY(info.kind == absl::TimeZone::TimeInfo::REPEATED, "repeated");
  RC_ASSERT(world.calendar->FromCivil(civil, WorkingCalendar::Edge::kStart) == (skipped ? info.trans : info.pre));
  RC_ASSERT(world.calendar->FromCivil(civil, WorkingCalendar::Edge::kEnd) == (skipped ? info.trans : info.post));
}

RC_GTEST_PROP(Civil, NothingDependsOnTheTimeZoneOfTheProcess, ()) {
  const World world;
  const absl::Time start = world.Instant();
  const auto pauses = world.Pauses();
  v1::Target target;
  target.set_unit(v1::Target::BUSINESS_DAYS);
  target.set_count(*rc::gen::inRange(1, 10));
  target.set_at(v1::Target::END);
  const absl::Duration span = world.Span();
  const char* old = std::getenv("TZ");
  const std::string saved = old == nullptr ? "" : old;
  std::vector<std::pair<absl::Time, absl::Time>> results;
  std::vector<std::string> forms;
  for (const char* tz : {"UTC", "America/Los_Angeles", "Pacific/Kiritimati"}) {
    setenv("TZ", tz, 1);
    tzset();
    v1::Calendar again = ToProto(world.spec);
    forms.push_back(Compiled(world.spec).SerializeAsString());
    results.emplace_back(world.calendar->Advance(start, span, pauses),
                         ComputeDue(*world.calendar, start, target, pauses).at);
  }
  old == nullptr ? unsetenv("TZ") : setenv("TZ", saved.c_str(), 1);
  tzset();
  RC_ASSERT(results[0] == results[1]);
  RC_ASSERT(results[0] == results[2]);
  RC_ASSERT(forms[0] == forms[1]);
  RC_ASSERT(forms[0] == forms[2]);
}

// Day counts against a walk over the days that asks the zone data.
RC_GTEST_PROP(DayCounts, AgreeWithAWalkOverTheDays, ()) {
  const World world;
  const absl::TimeZone zone = testing::Zone(world.place.zone);
  const absl::Time start = world.Instant();
  const auto pauses = world.Pauses();
  const int count = *rc::gen::inRange(1, 6);
  const SlowTwin& twin = *world.twin;
  auto midnight = [&](absl::CivilDay day) {
    const absl::TimeZone::TimeInfo info = zone.At(absl::CivilSecond(day));
    return info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.post;
  };
  absl::CivilDay day = absl::ToCivilDay(start, zone);
  int counted = 0;
  for (int walked = 0; counted < count; ++walked) {
    RC_PRE(walked < 6);  // beyond, the twin knows no minutes
    ++day;
    // The last working minute of the day is the one before its close.
    absl::Time close = absl::InfinitePast();
    for (absl::Time t = midnight(day); t < midnight(day + 1); t += absl::Minutes(1)) {
      if (twin.Works(t, {})) close = t + absl::Minutes(1);
    }
    if (close == absl::InfinitePast()) continue;
    bool waited_through = false;
    for (const TimeSpan& pause : MergeSpans(pauses)) waited_through |= pause.start < close && close < pause.end;
    if (!waited_through) ++counted;
  }
  v1::Target target;
  target.set_unit(v1::Target::BUSINESS_DAYS);
  target.set_count(static_cast<uint32_t>(count));
  target.set_at(v1::Target::END);
  RC_ASSERT(ComputeDue(*world.calendar, start, target, pauses).at == midnight(day + 1) - absl::Microseconds(1));
}

}  // namespace
}  // namespace docket::sla
