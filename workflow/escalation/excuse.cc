#include "workflow/escalation/excuse.h"

#include <algorithm>
#include <utility>

#include "workflow/base/time.h"
#include "workflow/escalation/instants.h"
#include "workflow/escalation/silence.h"

namespace docket::escalation {
namespace {

using Level = v1::Ladder::Level;

// The first look of a ladder at the clock after `after`; level 0: none of its levels is held back so long.
v1::EscalationScheduled NextLook(const v1::Clock* clock, const v1::PolicyPin& ladder, const v1::Ladder* rules,
                                 absl::Time after, absl::Time since, const policy::PolicySet& policies) {
  v1::EscalationScheduled look;
  *look.mutable_ladder() = ladder;
  absl::Time next = absl::InfiniteFuture();
  if (clock == nullptr || rules == nullptr) return look;
  look.set_trigger_key(ClockKey(clock->clock_no()));
  for (const Level& level : rules->levels()) {
    const absl::Time at = ExcusedFor(level, *clock, policies);
    if (at <= after || at == absl::InfiniteFuture() || at > next) continue;
    look.set_level(at == next ? std::min(look.level(), level.level()) : level.level());
    next = at;
  }
  if (next == absl::InfiniteFuture()) return look;
  *look.mutable_at() = ToProto(next);
  *look.mutable_since() = ToProto(since);
  return look;
}

}  // namespace

bool WasExcused(const v1::Clock& clock) {
  const bool runs = clock.state() == v1::RUNNING || clock.state() == v1::PAUSED;
  return runs && clock.has_breached_due_at() && clock.has_excused_until();
}

absl::Time ExcusedFor(const Level& level, const v1::Clock& clock, const policy::PolicySet& policies) {
  if (!WasExcused(clock) || !AppliesToMetric(level, clock.metric(), clock.nature())) return absl::InfinitePast();
  const absl::Time until = FromProto(clock.excused_until());
  if (level.trigger() == "BREACH" || level.trigger() == "AT_DUE") return until;
  if (level.trigger() != "AFTER_DUE") return absl::InfinitePast();
  const auto calendar = level.elapsed() ? nullptr : policies.Calendar(clock.calendar());
  const absl::Duration span = FromProto(level.span());
  return calendar == nullptr ? until + span : calendar->Advance(until, span);
}

std::vector<v1::EscalationScheduled> HeldBack(const v1::Case& after, const v1::Event& event,
                                              const policy::PolicySet& policies, absl::Time now) {
  std::vector<v1::EscalationScheduled> out;
  if (!event.has_clock_breached() || !event.clock_breached().has_excused_until() || after.history()) return out;
  const v1::Clock* clock = FindClock(after, event.clock_breached().clock_no());
  const absl::Time at = FromProto(event.occurred_at());
  for (const auto* ladder : policies.Ladders(NoticedAt(at, now))) {
    if (after.scheduled_escalations_size() + static_cast<int>(out.size()) >= kMaxScheduled) break;
    v1::EscalationScheduled look =
        NextLook(clock, ladder->pin, ladder->value.get(), absl::InfinitePast(), at, policies);
    if (look.level() > 0) out.push_back(std::move(look));
  }
  return out;
}

std::vector<Firing> FiredAfterExcuse(const v1::Case& state, const v1::ScheduledEscalation& look,
                                     const policy::PolicySet& policies) {
  std::vector<Firing> out;
  const v1::Clock* clock = FindClock(state, look.trigger_key());
  const v1::Ladder* rules = policies.LadderAt(look.ladder());
  if (clock == nullptr || rules == nullptr) return out;
  for (const Level& level : rules->levels()) {
    if (ExcusedFor(level, *clock, policies) != FromProto(look.at()) || !Matches(state, *rules, level)) continue;
    Firing firing{.ladder = look.ladder(),
                  .rules = rules,
                  .level = &level,
                  .key = look.trigger_key(),
                  .clock_no = clock->clock_no()};
    if (MayFire(state, firing)) out.push_back(std::move(firing));
  }
  return out;
}

v1::EscalationScheduled AfterExcuse(const v1::Case& state, const v1::ScheduledEscalation& look,
                                    const policy::PolicySet& policies) {
  const v1::Clock* clock = FindClock(state, look.trigger_key());
  v1::EscalationScheduled next = NextLook(clock, look.ladder(), policies.LadderAt(look.ladder()), FromProto(look.at()),
                                          FromProto(look.active_at()), policies);
  next.set_trigger_key(look.trigger_key());
  return next;
}

}  // namespace docket::escalation
