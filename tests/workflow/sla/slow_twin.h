#ifndef DOCKET_TESTS_WORKFLOW_SLA_SLOW_TWIN_H_
#define DOCKET_TESTS_WORKFLOW_SLA_SLOW_TWIN_H_

#include <vector>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "tests/workflow/sla/calendars.h"
#include "workflow/sla/calendar.h"

// The calendar arithmetic as slowly and plainly as it can be written: one bit per minute, asked of the machine's zone
// data, walked one by one. Shares no code with WorkingCalendar. Everything is in whole minutes.
namespace docket::sla::testing {

class SlowTwin {
 public:
  // Knows the minutes of [from, until).
  SlowTwin(const v1::Calendar& rules, absl::Time from, absl::Time until)
      : zone_(Zone(rules.zone())),
        from_(from),
        working_(static_cast<size_t>((until - from) / absl::Minutes(1)), false) {
    const absl::CivilDay last = absl::ToCivilDay(until, zone_) + 1;
    for (absl::CivilDay day = absl::ToCivilDay(from, zone_) - 1; day <= last; ++day) {
      for (const auto& window : WindowsOf(rules, day)) {
        Mark(Start(absl::CivilSecond(day) + window.start_s()), End(absl::CivilSecond(day) + window.end_s()));
      }
    }
  }

  bool Works(absl::Time minute, absl::Span<const TimeSpan> pauses) const {
    for (const TimeSpan& pause : pauses) {
      if (pause.start <= minute && minute < pause.end) return false;
    }
    return working_[static_cast<size_t>((minute - from_) / absl::Minutes(1))];
  }

  absl::Duration Elapsed(absl::Time a, absl::Time b, absl::Span<const TimeSpan> pauses) const {
    absl::Duration total;
    for (absl::Time t = a; t < b; t += absl::Minutes(1)) {
      if (Works(t, pauses)) total += absl::Minutes(1);
    }
    return total;
  }

  // InfiniteFuture when the minutes known do not suffice.
  absl::Time Advance(absl::Time start, absl::Duration target, absl::Span<const TimeSpan> pauses) const {
    absl::Time t = start;
    for (absl::Duration left = target; left > absl::ZeroDuration(); t += absl::Minutes(1)) {
      if (t >= Until()) return absl::InfiniteFuture();
      if (Works(t, pauses)) left -= absl::Minutes(1);
    }
    return t;
  }

  // InfinitePast when the minutes known do not suffice.
  absl::Time Retreat(absl::Time end, absl::Duration span, absl::Span<const TimeSpan> pauses) const {
    absl::Time t = end;
    for (absl::Duration left = span; left > absl::ZeroDuration();) {
      if (t <= from_) return absl::InfinitePast();
      t -= absl::Minutes(1);
      if (Works(t, pauses)) left -= absl::Minutes(1);
    }
    return t;
  }

  absl::Time Until() const { return from_ + absl::Minutes(1) * static_cast<int64_t>(working_.size()); }

 private:
  static std::vector<v1::Calendar::LocalWindow> WindowsOf(const v1::Calendar& rules, absl::CivilDay day) {
    const int64_t number = day - absl::CivilDay(1970, 1, 1);
    for (const auto& exception : rules.exceptions()) {
      if (exception.civil_day() == number) return {exception.windows().begin(), exception.windows().end()};
    }
    const auto& windows = rules.week(static_cast<int>(absl::GetWeekday(day))).windows();
    return {windows.begin(), windows.end()};
  }

  absl::Time Start(absl::CivilSecond local) const {
    const absl::TimeZone::TimeInfo info = zone_.At(local);
    return info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.pre;
  }
  absl::Time End(absl::CivilSecond local) const {
    const absl::TimeZone::TimeInfo info = zone_.At(local);
    return info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.post;
  }

  void Mark(absl::Time start, absl::Time end) {
    for (absl::Time t = std::max(start, from_); t < std::min(end, Until()); t += absl::Minutes(1)) {
      working_[static_cast<size_t>((t - from_) / absl::Minutes(1))] = true;
    }
  }

  absl::TimeZone zone_;
  absl::Time from_;
  std::vector<bool> working_;
};

}  // namespace docket::sla::testing

#endif  // DOCKET_TESTS_WORKFLOW_SLA_SLOW_TWIN_H_
