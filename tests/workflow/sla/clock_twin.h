#ifndef DOCKET_TESTS_WORKFLOW_SLA_CLOCK_TWIN_H_
#define DOCKET_TESTS_WORKFLOW_SLA_CLOCK_TWIN_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "tests/workflow/sla/slow_twin.h"

// The rulings about clocks once more, as plainly as they can be written: every question is answered by walking over the
// minutes, and nothing is kept that could be asked again. Shares no code with workflow/sla.
namespace docket::sla::testing {

// What is promised for one metric, in working time.
struct TwinRule {
  std::string metric;
  bool regulatory = false;
  bool from_receipt = true;
  bool window = false;
  bool pausable = false;
  bool reopens = false;
  std::string reopen;  // as in MetricRule
  std::string tighten = "ALL";
  std::string loosen = "SHARE";
  bool not_before_old_due = false;
  bool not_after_old_due = false;  // always so of a regulatory one
};

struct TwinClock {
  const TwinRule* rule = nullptr;
  int cycle = 1;
  uint32_t began = 0;  // revision after which it stood
  absl::Time start;
  absl::Duration target;
  // Counted from here with so much used.
  absl::Time base;
  absl::Duration used;
  std::string visit;       // cycles of one share the target
  absl::Duration brought;  // of the target, used by the others
  bool carried = false;
  bool extended = false;
  // What it counted by until it was retargeted: target, base and used.
  struct Terms {
    absl::Time until;
    absl::Duration target;
    absl::Time base;
    absl::Duration used;
  };
  std::vector<Terms> former;
  std::vector<TimeSpan> pauses;
  bool paused = false;  // the last of them is in force
  // Those that wait for the party: where they start, and when the question was sent.
  std::vector<std::pair<absl::Time, absl::Time>> party_waits;
  uint32_t stopped_by = 0;  // revision of the message that stopped it
  std::optional<absl::Time> breached;
  std::vector<absl::Time> breaches;  // all there were, annulled ones too

  bool exempted = false;
  bool withdrawn = false;
  enum Ending { kNone, kMet, kCancelled, kExempted } ending = kNone;
  absl::Time stopped;
  absl::Duration elapsed;  // when it was stopped
  bool on_time = false;
  bool disputed = false;
};

class ClockTwin {
 public:
  // Both outlive the twin.
  explicit ClockTwin(const SlowTwin* minutes) : minutes_(minutes) {}

  std::vector<TwinClock>& clocks() { return clocks_; }

  // Until the next is started.
  TwinClock* Start(const TwinRule& rule, absl::Time start, absl::Duration target) {
    TwinClock clock{.rule = &rule, .start = start, .target = target, .base = start};
    for (const TwinClock& one : clocks_) clock.cycle += one.rule == &rule ? 1 : 0;
    clocks_.push_back(clock);
    return &clocks_.back();
  }

  // InfiniteFuture: never, as things stand or within the minutes known.
  absl::Time Due(const TwinClock& clock) const { return Reach(clock.base, clock.target - clock.used, clock.pauses); }
  bool Late(const TwinClock& clock, absl::Time now) const {
    if (clock.rule->window) return false;
    if (clock.disputed) return true;  // only said to have been met
    return clock.ending == TwinClock::kNone && clock.breached.value_or(Due(clock)) < now;
  }
  absl::Duration Counted(absl::Time a, absl::Time b, const std::vector<TimeSpan>& pauses) const {
    absl::Duration total;
    for (absl::Time t = a; t < b; t += absl::Minutes(1)) {
      if (minutes_->Works(t, pauses)) total += std::min(absl::Minutes(1), b - t);
    }
    return total;
  }

  // Earlier visits took more than there was, so this one is late however short.
  static bool LateAtStart(const TwinClock& clock) { return !clock.carried && clock.brought > clock.target; }

  // What time alone shows.
  void Pass(TwinClock& clock, absl::Time now) {
    if (Due(clock) < now) Breach(clock);
  }
  void BreachIfOver(TwinClock& clock, absl::Time now) {
    if (Due(clock) < now || LateAtStart(clock)) Breach(clock);
  }

  void Stop(TwinClock& clock, absl::Time at) {
    BreachIfOver(clock, at);
    EndPause(clock, at);
    clock.ending = TwinClock::kMet;
    clock.stopped = at;
    clock.elapsed = clock.brought + Counted(clock.start, at, clock.pauses);
    clock.on_time = clock.rule->window ? at <= Due(clock) : !clock.breached.has_value();
    clock.disputed = clock.breached.has_value() && at <= *clock.breached && !LateAtStart(clock);
  }
  void Cancel(TwinClock& clock, absl::Time at) {
    BreachIfOver(clock, at);
    EndPause(clock, at);
    clock.ending = TwinClock::kCancelled;
    clock.stopped = at;
  }
  void Exempt(TwinClock& clock, absl::Time at) {
    clock.exempted = true;
    clock.disputed = false;
    if (clock.ending != TwinClock::kNone) return;
    Cancel(clock, at);
    clock.ending = TwinClock::kExempted;
  }
  void SetAside(TwinClock& clock, absl::Time excluded_until = absl::InfinitePast()) {
    clock.ending = TwinClock::kNone;
    clock.on_time = clock.disputed = false;
    if (clock.stopped < excluded_until) clock.pauses.push_back({clock.stopped, excluded_until});
    JudgeFormer(clock);
  }

  // As the status wants it: pauses since and until then, or none (`wanted` false). `asked` InfiniteFuture: nothing was.
  void Wait(TwinClock& clock, bool wanted, absl::Time since, absl::Time until, bool for_party, absl::Time asked,
            absl::Time now) {
    wanted = wanted && clock.rule->pausable;
    if (clock.paused) {
      if (wanted && clock.pauses.back().end == until) return;
      EndPause(clock, now);
    }
    if (!wanted) return;
    for (const TimeSpan& pause : clock.pauses) {
      if (since < pause.end) since = std::max(since, now);
    }
    since = std::max(since, clock.base);
    const absl::Time due = Due(clock);
    if (clock.breached.has_value() || due < now || since >= due || since >= until) return;
    clock.pauses.push_back({since, until});
    clock.paused = true;
    if (for_party) clock.party_waits.emplace_back(since, asked);
  }

  void Retarget(TwinClock& clock, absl::Duration target, absl::Time now) {
    if (clock.target == target || clock.extended) return;
    BreachIfOver(clock, now);
    clock.former.push_back({now, clock.target, clock.base, clock.used});
    const TwinRule& rule = *clock.rule;
    std::vector<TimeSpan> known = clock.pauses;
    if (clock.paused && known.back().end == absl::InfiniteFuture()) known.pop_back();
    const absl::Time moment = clock.paused ? clock.pauses.back().start : std::max(now, clock.base);
    const absl::Time old_due = Reach(clock.base, clock.target - clock.used, known);
    const bool later = Reach(clock.start, target - clock.brought, known) > old_due;
    const std::string carry = later ? rule.loosen : rule.tighten;
    absl::Duration used = clock.used + Counted(clock.base, moment, known);
    if (carry == "SHARE" && target > clock.target) used *= target / clock.target;
    if (carry == "SHARE" && target < clock.target)
      used = absl::Floor(used / (clock.target / target), absl::Microseconds(1));
    if (carry == "NONE") used = absl::ZeroDuration();
    clock.carried = carry != "ALL";
    clock.base = carry == "ALL" ? clock.start : moment;
    clock.used = carry == "ALL" ? clock.brought : std::min(used, target);
    clock.target = target;
    const absl::Time due = Reach(clock.base, target - clock.used, known);
    absl::Time wanted = rule.not_before_old_due ? std::max(due, old_due) : due;
    if (!later || rule.not_after_old_due || rule.regulatory) wanted = std::min(wanted, old_due);
    if (wanted != due) {
      clock.carried = true;
      clock.base = std::min(moment, wanted);
      clock.used = target - Counted(clock.base, wanted, known);
    }
    BreachIfOver(clock, now);
  }

  void CorrectStart(TwinClock& clock, absl::Time start, absl::Time now, bool annuls) {
    BreachIfOver(clock, now);
    MoveStart(clock, start, annuls);
    BreachIfOver(clock, now);
  }
  void MoveStart(TwinClock& clock, absl::Time start, bool annuls) {
    clock.used += clock.carried ? Counted(start, clock.start, clock.pauses) - Counted(clock.start, start, clock.pauses)
                                : absl::ZeroDuration();
    clock.start = start;
    clock.former.clear();
    if (!clock.carried) clock.base = start;
    if (annuls && clock.breached.has_value() && Due(clock) != *clock.breached) clock.breached.reset();
  }

  // Whether it is more.
  bool Extend(TwinClock& clock, absl::Duration target, absl::Time now) {
    BreachIfOver(clock, now);
    const absl::Time due = Reach(clock.start, target, clock.pauses);
    if (due <= Due(clock)) return false;
    clock.base = clock.start;
    clock.used = absl::ZeroDuration();
    clock.carried = false;
    clock.target = target;
    clock.extended = true;
    clock.former.clear();
    clock.breached.reset();
    BreachIfOver(clock, now);
    return true;
  }

  // A message of the party ends the waits for it when it came; one that came after the question, but before the wait
  // began, leaves nothing of it.
  void Heard(TwinClock& clock, absl::Time at) {
    const absl::Duration before = Counted(clock.start, clock.base, clock.pauses);
    for (TimeSpan& pause : clock.pauses) {
      for (const auto& [start, asked] : clock.party_waits) {
        if (start != pause.start || at >= pause.end) continue;
        if (start < at || (asked <= at && asked < start)) pause.end = std::max(start, at);
      }
    }
    if (clock.carried) clock.used += Counted(clock.start, clock.base, clock.pauses) - before;
    JudgeFormer(clock);
  }

  // A question that never arrived excuses no wait; another of `standing` excuses what is left.
  void Unasked(TwinClock& clock, absl::Time question, const std::vector<absl::Time>& standing, absl::Time heard,
               absl::Time now) {
    const absl::Duration before = Counted(clock.start, clock.base, clock.pauses);
    for (TimeSpan& pause : clock.pauses) {
      for (auto& [start, asked] : clock.party_waits) {
        const auto excuses = [&, asked = asked](absl::Time one) {
          return one < pause.end && (asked <= one || (heard < one && heard < asked));
        };
        const bool waits = start == pause.start && start < pause.end && asked < absl::InfiniteFuture();
        if (!waits || !excuses(question)) continue;
        absl::Time from = absl::InfiniteFuture();
        for (const absl::Time one : standing) {
          if (excuses(one)) from = std::min(from, one);
        }
        if (from <= start) continue;
        if (from >= pause.end) {
          pause.end = pause.start;
        } else {
          pause.start = start = from;
        }
        break;
      }
    }
    if (clock.carried) clock.used += Counted(clock.start, clock.base, clock.pauses) - before;
    JudgeFormer(clock);
    if (clock.ending == TwinClock::kNone) Pass(clock, now);
  }

 private:
  // Late before it was retargeted, as is known by now.
  void JudgeFormer(TwinClock& clock) {
    for (const TwinClock::Terms& terms : clock.former) {
      const absl::Time due = Reach(terms.base, terms.target - terms.used, clock.pauses);
      if (clock.ending != TwinClock::kNone || clock.breached.has_value() || due >= terms.until) continue;
      clock.breached = due;
      clock.breaches.push_back(due);
    }
  }

  void Breach(TwinClock& clock) {
    if (clock.rule->window || clock.breached.has_value()) return;
    clock.breached = Due(clock);
    clock.breaches.push_back(*clock.breached);
  }

  absl::Time Reach(absl::Time from, absl::Duration left, const std::vector<TimeSpan>& pauses) const {
    for (absl::Time t = from; t < minutes_->Until(); t += absl::Minutes(1)) {
      if (left <= absl::ZeroDuration()) return t;
      if (!minutes_->Works(t, pauses)) continue;
      if (left <= absl::Minutes(1)) return t + left;
      left -= absl::Minutes(1);
    }
    return absl::InfiniteFuture();
  }

  static void EndPause(TwinClock& clock, absl::Time at) {
    if (!clock.paused) return;
    clock.paused = false;
    clock.pauses.back().end = std::min(clock.pauses.back().end, at);
    if (clock.pauses.back().end > clock.pauses.back().start) return;
    std::erase_if(clock.party_waits, [&](const auto& wait) { return wait.first == clock.pauses.back().start; });
    clock.pauses.pop_back();
  }

  const SlowTwin* const minutes_;
  std::vector<TwinClock> clocks_;
};

}  // namespace docket::sla::testing

#endif  // DOCKET_TESTS_WORKFLOW_SLA_CLOCK_TWIN_H_
