#include "workflow/sla/explain.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "workflow/base/time.h"
#include "workflow/sla/clock_math.h"
#include "workflow/sla/target.h"

namespace docket::sla {
namespace {

using Edge = WorkingCalendar::Edge;

// Half-open; `spans` are merged.
bool Covers(const std::vector<TimeSpan>& spans, absl::Time t) {
  auto after = std::upper_bound(spans.begin(), spans.end(), t,
                                [](absl::Time value, const TimeSpan& span) { return value < span.start; });
  return after != spans.begin() && t < std::prev(after)->end;
}

void Append(CountedInterval interval, std::vector<CountedInterval>* list) {
  if (interval.span.start >= interval.span.end) return;
  if (!list->empty() && list->back().why == interval.why && list->back().label == interval.label) {
    list->back().span.end = interval.span.end;
  } else {
    list->push_back(std::move(interval));
  }
}

struct Pauses {
  std::vector<TimeSpan> waits;
  std::vector<TimeSpan> excluded;
};
Pauses MergedPauses(const v1::Clock& clock) {
  std::vector<TimeSpan> waits;
  std::vector<TimeSpan> excluded;
  const std::vector<TimeSpan> all = PausesOf(clock);
  for (int i = 0; i < clock.pauses_size(); ++i) (clock.pauses(i).excluded() ? excluded : waits).push_back(all[i]);
  return {MergeSpans(waits), MergeSpans(excluded)};
}

// Every instant in [start, end) at which the answer may change.
std::vector<absl::Time> Cuts(const WorkingCalendar& calendar, const std::vector<std::vector<TimeSpan>>& sets,
                             absl::Time start, absl::Time end) {
  std::vector<absl::Time> cuts = {start, end};
  auto add = [&](absl::Time t) {
    if (start < t && t < end) cuts.push_back(t);
  };
  for (const auto& set : sets) {
    for (const TimeSpan& span : set) {
      add(span.start);
      add(span.end);
    }
  }
  for (const v1::Calendar::Exception& exception : calendar.compiled().exceptions()) {
    if (exception.label().empty()) continue;
    const absl::CivilDay day = absl::CivilDay(1970, 1, 1) + exception.civil_day();
    add(calendar.FromCivil(absl::CivilSecond(day), Edge::kStart));
    add(calendar.FromCivil(absl::CivilSecond(day + 1), Edge::kStart));
  }
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  return cuts;
}

std::vector<CountedInterval> ExplainWorkingTime(const WorkingCalendar& calendar, const v1::Clock& clock,
                                                absl::Time start, absl::Time end) {
  const Pauses pauses = MergedPauses(clock);
  const std::vector<TimeSpan> windows = MergeSpans(calendar.Windows(start, end));
  const std::vector<absl::Time> cuts = Cuts(calendar, {windows, pauses.waits, pauses.excluded}, start, end);
  std::vector<CountedInterval> list;
  for (size_t i = 0; i + 1 < cuts.size(); ++i) {
    CountedInterval interval{.span = {cuts[i], cuts[i + 1]}, .why = CountedInterval::kOutsideHours, .label = {}};
    if (Covers(pauses.excluded, cuts[i])) {
      interval.why = CountedInterval::kExcluded;
    } else if (Covers(pauses.waits, cuts[i])) {
      interval.why = CountedInterval::kPaused;
    } else {
      if (Covers(windows, cuts[i])) interval.why = CountedInterval::kCounted;
      interval.label = calendar.LabelOf(absl::CivilDay(calendar.ToCivil(cuts[i])));
    }
    Append(std::move(interval), &list);
  }
  return list;
}

std::vector<CountedInterval> ExplainDays(const WorkingCalendar& calendar, const v1::Clock& clock, absl::Time start,
                                         absl::Time end) {
  const bool business = clock.target().unit() == v1::Target::BUSINESS_DAYS;
  const std::vector<TimeSpan> pauses = MergeSpans(PausesOf(clock));
  v1::Target unrolled = clock.target();
  unrolled.clear_roll();
  unrolled.set_at(v1::Target::END);
  const absl::Time last = business ? end : ComputeDue(calendar, start, unrolled).at;
  std::vector<CountedInterval> list;
  absl::CivilDay day(calendar.ToCivil(start));
  absl::Time at = start;
  for (uint32_t counted = 0; at < end; ++day) {
    const absl::Time midnight = calendar.FromCivil(absl::CivilSecond(day + 1), Edge::kEnd);
    CountedInterval interval{
        .span = {at, std::min(end, midnight)}, .why = CountedInterval::kOutsideHours, .label = calendar.LabelOf(day)};
    const absl::Time close = calendar.CloseOf(day);
    if (at == start) {
      interval.label = "day of receipt";
    } else if (business && close != absl::InfinitePast() && SpanAround(close, pauses) != nullptr) {
      interval.why = CountedInterval::kPaused;
    } else if (!business && at > last) {
      if (interval.label.empty()) interval.label = "moved to a business day";
    } else if (!business || close != absl::InfinitePast()) {
      interval.why = CountedInterval::kCounted;
      interval.label = absl::StrCat("day ", ++counted, interval.label.empty() ? "" : ", ", interval.label);
    }
    Append(std::move(interval), &list);
    at = std::max(at, midnight);
  }
  return list;
}

}  // namespace

std::vector<CountedInterval> ExplainDue(const WorkingCalendar& calendar, const v1::Clock& clock, absl::Time until) {
  const absl::Time start = FromProto(clock.start_at());
  absl::Time end = std::min(until, DueAt(clock));
  if (end == absl::InfiniteFuture()) {
    // Paused without a known end: what has counted so far, then the pause.
    end = start;
    for (const TimeSpan& pause : PausesOf(clock)) end = std::max(end, pause.start);
    std::vector<CountedInterval> list = ExplainDue(calendar, clock, end);
    Append({.span = {end, absl::InfiniteFuture()}, .why = CountedInterval::kPaused, .label = {}}, &list);
    return list;
  }
  if (start >= end) return {};
  switch (clock.target().unit()) {
    case v1::Target::WORKING_TIME:
      return ExplainWorkingTime(calendar, clock, start, end);
    case v1::Target::FIXED:
      return {{.span = {start, end}, .why = CountedInterval::kCounted, .label = "until the instant promised"}};
    case v1::Target::UNTIL:
      return {{.span = {start, end}, .why = CountedInterval::kCounted, .label = "until the instant set"}};
    default:
      return ExplainDays(calendar, clock, start, end);
  }
}

}  // namespace docket::sla
