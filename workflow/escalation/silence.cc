#include "workflow/escalation/silence.h"

#include <algorithm>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "workflow/base/time.h"
#include "workflow/escalation/escalation_apply.h"
#include "workflow/escalation/excuse.h"
#include "workflow/escalation/raise.h"

namespace docket::escalation {
namespace {

using Level = v1::Ladder::Level;

absl::Time EndOfSilence(const Level& level, absl::Time since, const policy::PolicySet& policies) {
  return SpanAfter(level, level.span(), since, policies);
}

// The lowest level above `above` that waits for silence and whose conditions hold.
const Level* LevelAbove(const v1::Case& state, const v1::Ladder& rules, uint32_t above) {
  const Level* found = nullptr;
  for (const Level& level : rules.levels()) {
    if (level.trigger() != "NO_ACTIVITY" || level.level() <= above || !Matches(state, rules, level)) continue;
    if (found == nullptr || level.level() < found->level()) found = &level;
  }
  return found;
}

v1::EscalationScheduled Schedule(const v1::PolicyPin& ladder, const Level* level, const std::string& key,
                                 absl::Time since, absl::Time not_before, const policy::PolicySet& policies) {
  v1::EscalationScheduled scheduled;
  *scheduled.mutable_ladder() = ladder;
  scheduled.set_trigger_key(key);
  const absl::Time at = level == nullptr ? absl::InfiniteFuture() : EndOfSilence(*level, since, policies);
  if (at == absl::InfiniteFuture()) return scheduled;
  scheduled.set_level(level->level());
  *scheduled.mutable_at() = ToProto(std::max(at, not_before));
  *scheduled.mutable_since() = ToProto(since);
  return scheduled;
}

const v1::ScheduledEscalation* SilenceOf(const v1::Case& state, const std::string& ladder) {
  for (const v1::ScheduledEscalation& one : state.scheduled_escalations()) {
    if (one.ladder().id() == ladder && !IsClockKey(one.trigger_key())) return &one;
  }
  return nullptr;
}

bool HasRaised(const v1::Case& state, const v1::ScheduledEscalation& silence) {
  return absl::c_any_of(state.escalations(), [&](const v1::Escalation& one) {
    return one.ladder().id() == silence.ladder().id() && one.trigger_key() == silence.trigger_key();
  });
}

const Level* LevelOf(const v1::Ladder& rules, uint32_t number) {
  for (const Level& level : rules.levels()) {
    if (level.trigger() == "NO_ACTIVITY" && level.level() == number) return &level;
  }
  return nullptr;
}

// Does something that was done since move the end of the silence?
bool WasActive(const v1::ScheduledEscalation& silence, const Level& level, const policy::PolicySet& policies) {
  return silence.active_revision() != 0 &&
         EndOfSilence(level, FromProto(silence.active_at()), policies) > FromProto(silence.at());
}

}  // namespace

std::vector<v1::EscalationScheduled> SilencesAfter(const v1::Case& after, const v1::Event& event, uint32_t revision,
                                                   const policy::PolicySet& policies, absl::Time now) {
  std::vector<v1::EscalationScheduled> out;
  const bool active = IsActivity(event);
  const bool begins = active || event.has_status_changed() || event.has_inbound_received();
  if (after.history() || !after.status().active() || !begins) return out;
  // An import's silence before its end was not ours.
  const absl::Time since = event.has_history_ended() ? now : FromProto(event.occurred_at());
  for (const auto* ladder : policies.Ladders(NoticedAt(since, now))) {
    const Level* first = LevelAbove(after, *ladder->value, 0);
    if (first == nullptr) continue;
    const v1::ScheduledEscalation* silence = SilenceOf(after, ladder->pin.id());
    if (silence != nullptr && !(active && HasRaised(after, *silence))) continue;
    if (silence == nullptr && after.scheduled_escalations_size() >= kMaxScheduled) continue;
    v1::EscalationScheduled scheduled =
        Schedule(ladder->pin, first, absl::StrCat("silence/", revision), since, since, policies);
    if (scheduled.level() > 0) out.push_back(std::move(scheduled));
  }
  return out;
}

const v1::ScheduledEscalation* NextLook(const v1::Case& state) {
  if (state.history() || !state.status().active()) return nullptr;
  const v1::ScheduledEscalation* next = nullptr;
  for (const v1::ScheduledEscalation& one : state.scheduled_escalations()) {
    if (IsClockKey(one.trigger_key())) {
      const v1::Clock* clock = FindClock(state, one.trigger_key());
      if (clock == nullptr || !WasExcused(*clock)) continue;
    }
    if (next == nullptr || LooksAt(one) < LooksAt(*next)) next = &one;
  }
  return next;
}

absl::Time LooksAt(const v1::ScheduledEscalation& look) {
  const absl::Duration grace = IsClockKey(look.trigger_key()) ? absl::Microseconds(1) : absl::ZeroDuration();
  return FromProto(look.at()) + grace;
}

std::optional<Firing> BrokenSilence(const v1::Case& state, const v1::ScheduledEscalation& silence,
                                    const policy::PolicySet& policies) {
  const v1::Ladder* rules = policies.LadderAt(silence.ladder());
  const Level* level = rules == nullptr ? nullptr : LevelOf(*rules, silence.level());
  if (level == nullptr || WasActive(silence, *level, policies) || !Matches(state, *rules, *level)) return std::nullopt;
  Firing firing{.ladder = silence.ladder(), .rules = rules, .level = level, .key = silence.trigger_key()};
  if (!MayFire(state, firing)) return std::nullopt;
  return firing;
}

v1::EscalationScheduled AfterSilence(const v1::Case& state, const v1::ScheduledEscalation& silence,
                                     const policy::PolicySet& policies) {
  const absl::Time at = FromProto(silence.at());
  const v1::Ladder* pinned = policies.LadderAt(silence.ladder());
  const Level* level = pinned == nullptr ? nullptr : LevelOf(*pinned, silence.level());
  v1::PolicyPin pin = silence.ladder();
  if (level == nullptr) return Schedule(pin, nullptr, silence.trigger_key(), at, at, policies);
  const absl::Time since = FromProto(silence.active_at());
  if (!WasActive(silence, *level, policies)) {
    return Schedule(pin, LevelAbove(state, *pinned, silence.level()), silence.trigger_key(), since, at, policies);
  }
  // Another silence began, by the rules of today.
  const v1::Ladder* rules = pinned;
  for (const auto* ladder : policies.Ladders(at)) {
    if (ladder->pin.id() != pin.id()) continue;
    pin = ladder->pin;
    rules = ladder->value.get();
  }
  return Schedule(pin, LevelAbove(state, *rules, 0), absl::StrCat("silence/", silence.active_revision()), since, at,
                  policies);
}

}  // namespace docket::escalation
