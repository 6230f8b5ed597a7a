// What must hold of a life: laws of any one act, and the real clocks beside the twin's.
#include <rapidcheck.h>

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/workflow/sla/life.h"
#include "workflow/base/time.h"
#include "workflow/sla/clock_math.h"
#include "workflow/sla/clock_rules.h"

namespace docket::sla::testing {

// What must hold of any one act, told by the real clocks alone.
void Life::JudgeAgainst(const v1::Case& before) const {
  for (int i = 0; i < before.clocks_size(); ++i) {
    const v1::Clock& was = before.clocks(i);
    const v1::Clock& is = desk_.state().clocks(i);
    const bool judged = IsDisputed(was) && !IsDisputed(is);
    const bool ended = (was.state() != is.state() || judged) && !Unfinished(is);
    if (IsLate(was, now_) && !excused_) RC_ASSERT(ended || IsLate(is, now_));
    if (was.obligation() != v1::REGULATOR) continue;
    RC_ASSERT(is.pauses().empty());
    if (!excused_ && Unfinished(is)) RC_ASSERT(DueAt(is) <= DueAt(was));
  }
}

// The real clocks beside the twin's.
void Life::Compare() {
  for (const TwinClock& clock : twin_.clocks()) {
    const bool waits = clock.paused && clock.pauses.back().end == absl::InfiniteFuture();
    if (Unended(clock) && !waits && twin_.Due(clock) == absl::InfiniteFuture())
      over_ = true;  // beyond the minutes known
  }
  if (over_) return;
  RC_ASSERT(desk_.state().clocks_size() == static_cast<int>(twin_.clocks().size()));
  for (const TwinClock& clock : twin_.clocks()) CompareOne(clock, Real(clock));
}
const v1::Clock& Life::Real(const TwinClock& clock) const {
  for (const v1::Clock& one : desk_.state().clocks()) {
    if (one.metric() == clock.rule->metric && one.cycle() == static_cast<uint32_t>(clock.cycle)) return one;
  }
  RC_FAIL("a clock is missing");
  return desk_.state().clocks(0);
}
void Life::CompareOne(const TwinClock& clock, const v1::Clock& real) const {
  RC_LOG() << "  twin of " << clock.rule->metric << " cycle " << clock.cycle << ": due "
           << absl::FormatTime(twin_.Due(clock), absl::UTCTimeZone()) << (clock.paused ? ", paused" : "")
           << (clock.breached ? ", breached" : "") << "; real: " << real.ShortDebugString() << "\n";
  RC_ASSERT(Unfinished(real) == Unended(clock));
  RC_ASSERT(real.has_breached_due_at() == clock.breached.has_value());
  if (clock.breached) RC_ASSERT(FromProto(real.breached_due_at()) == *clock.breached);
  RC_ASSERT(Breaches(real.clock_no()) == clock.breaches);
  RC_ASSERT(IsLate(real, now_) == twin_.Late(clock, now_));
  if (Unended(clock)) {
    RC_ASSERT((real.state() == v1::PAUSED) == clock.paused);
    if (!clock.breached) RC_ASSERT(DueAt(real) == twin_.Due(clock));
    return;
  }
  RC_ASSERT(FromProto(real.stopped_at()) == clock.stopped);
  RC_ASSERT(real.on_time() == clock.on_time);
  RC_ASSERT(real.disputed() == clock.disputed);
  if (clock.ending != TwinClock::kMet) return;
  RC_ASSERT(FromProto(real.elapsed()) == clock.elapsed);
  // A breach stands if and only if nothing stopped the clock up to its due; what was entered late waits for a second
  // person.
  if (!clock.breached && !clock.rule->window) RC_ASSERT(clock.stopped <= DueAt(real));
  if (clock.breached && !clock.disputed && !clock.exempted && !ClockTwin::LateAtStart(clock)) {
    RC_ASSERT(clock.stopped > *clock.breached);
  }
}
// The dues whose breach is on record, in the order of the log; never two at once.
std::vector<absl::Time> Life::Breaches(uint32_t clock_no) const {
  std::vector<absl::Time> dues;
  bool stands = false;
  for (const auto& [revision, event] : desk_.log()) {
    if (event.has_breach_annulled() && event.breach_annulled().clock_no() == clock_no) stands = false;
    if (!event.has_clock_breached() || event.clock_breached().clock_no() != clock_no) continue;
    RC_ASSERT(!stands);
    stands = true;
    dues.push_back(FromProto(event.clock_breached().due_at()));
  }
  return dues;
}

}  // namespace docket::sla::testing
