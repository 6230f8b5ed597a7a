#include "workflow/escalation/triggers.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "workflow/base/time.h"
#include "workflow/case/decide.h"
#include "workflow/case/facts.h"
#include "workflow/escalation/excuse.h"
#include "workflow/escalation/instants.h"
#include "workflow/policy/condition.h"
#include "workflow/policy/levels.h"

namespace docket::escalation {
namespace {

using Level = v1::Ladder::Level;

constexpr char kClockPrefix[] = "clock/";
constexpr char kFactsPrefix[] = "facts/";
constexpr char kFacts[] = "FACTS";

// Each level FACTS is a trigger instance of its own: what one is about says nothing of another.
std::string FactsKey(const Level& level) { return absl::StrCat(kFactsPrefix, level.level()); }

bool Hold(const v1::CaseFacts& case_facts, const v1::Ladder& rules, const Level& level) {
  const policy::Facts facts{.case_facts = &case_facts, .command = nullptr, .event = nullptr};
  return policy::Evaluate(rules.when(), facts) && policy::Evaluate(level.when(), facts);
}

// The clock that `event` says something about in time: a breach or a warning; null: another event.
const v1::Clock* ClockOf(const v1::Case& state, const v1::Event& event) {
  if (event.has_clock_breached()) return FindClock(state, event.clock_breached().clock_no());
  if (event.has_warning_reached()) return FindClock(state, event.warning_reached().clock_no());
  return nullptr;
}

bool FiredByClock(const Level& level, const v1::Clock& clock, const v1::Event& event) {
  if (!AppliesToMetric(level, clock.metric(), clock.nature())) return false;
  if (event.has_clock_breached()) {
    return clock.nature() == v1::DUTY && (level.trigger() == "BREACH" || level.trigger() == "AT_DUE");
  }
  const int index = static_cast<int>(event.warning_reached().warning());
  const std::optional<v1::Warning> instant = InstantOf(level, clock.nature());
  return instant.has_value() && index < clock.warnings_size() && SameInstant(*instant, clock.warnings(index));
}

// The trigger instance that `event` makes for levels other than those of clocks; "": it does not set the level off.
std::string InstanceFor(const Level& level, const v1::Case& after, const v1::Event& event, uint32_t revision) {
  const std::string& trigger = level.trigger();
  if (trigger == "REOPENED") {
    return event.has_case_reopened() && after.reopen_count() >= level.count() ? "reopened" : "";
  }
  if (trigger == "TRANSFERS") {
    return event.has_case_transferred() && after.transfer_count() >= level.count() ? "transfers" : "";
  }
  if (trigger == "TRANSFER_REFUSED") return event.has_transfer_refused() ? absl::StrCat("refused/", revision) : "";
  return "";
}

// Imports fire no ladder, neither while they last nor for what they told of.
bool IsImported(const v1::Case& state, absl::Time at) {
  return state.history() || (state.has_observed_until() && at <= FromProto(state.observed_until()));
}

// The levels climbed to from the key; by hand it matters what was asked for.
std::string GroupOfKey(const v1::Case& state, const std::string& key, v1::EscalationKind kind) {
  if (IsClockKey(key)) return policy::kClockGroup;
  if (absl::StartsWith(key, "silence/")) return "NO_ACTIVITY";
  if (absl::StartsWith(key, "refused/")) return "TRANSFER_REFUSED";
  if (key == "reopened") return "REOPENED";
  if (key == "transfers") return "TRANSFERS";
  if (absl::StartsWith(key, kFactsPrefix)) return kFacts;
  for (const v1::Escalation& one : state.escalations()) {
    if (one.trigger_key() == key) return policy::ManualGroup(one.kind());
  }
  return policy::ManualGroup(kind);
}

bool HasFired(const v1::Case& state, absl::string_view ladder, absl::string_view key, uint32_t level) {
  return absl::c_any_of(state.escalations(), [&](const v1::Escalation& one) {
    return one.ladder().id() == ladder && one.trigger_key() == key && one.level() == level;
  });
}

// Where a level that nobody acknowledged leads; nothing above it is dropped only when the work is over.
std::vector<Firing> AfterLapse(const v1::Case& state, uint32_t escalation_no, const policy::PolicySet& policies) {
  const v1::Escalation* one = FindEscalation(state, escalation_no);
  const v1::Ladder* rules = one == nullptr ? nullptr : policies.LadderAt(one->ladder());
  if (rules == nullptr || !state.status().active()) return {};
  if (const v1::Clock* clock = FindClock(state, one->clock_no()); clock != nullptr && clock->has_stopped_at())
    return {};
  const Level* next = NextLevel(state, *rules, one->trigger_key(), one->kind(), one->level());
  if (next == nullptr) return {};
  return {{.ladder = one->ladder(),
           .rules = rules,
           .level = next,
           .key = one->trigger_key(),
           .clock_no = one->clock_no(),
           .lapsed_no = escalation_no}};
}

const Level* LevelWithoutLadder(v1::EscalationKind kind) {
  static const auto* const functional = [] {
    auto* level = new Level();
    level->set_level(1);
    level->set_target("QUEUE_LEAD");
    return level;
  }();
  static const auto* const upward = [] {
    auto* level = new Level();
    level->set_level(1);
    level->set_target("DEPARTMENT_LEAD");
    return level;
  }();
  return kind == v1::FUNCTIONAL ? functional : upward;
}

}  // namespace

absl::Time NoticedAt(absl::Time at, absl::Time now) { return now > at + workflow::kClockTolerance ? now : at; }

std::vector<Firing> Triggered(const v1::Case& after, const v1::Event& event, uint32_t revision,
                              const policy::PolicySet& policies, absl::Time now) {
  std::vector<Firing> out;
  const absl::Time at = FromProto(event.occurred_at());
  if (IsImported(after, at)) return out;
  if (event.has_escalation_ack_lapsed()) {
    return AfterLapse(after, event.escalation_ack_lapsed().escalation_no(), policies);
  }
  const v1::Clock* clock = ClockOf(after, event);
  for (const auto* ladder : policies.Ladders(NoticedAt(at, now))) {
    const v1::Ladder& rules = *ladder->value;
    for (const Level& level : rules.levels()) {
      Firing firing{.ladder = ladder->pin, .rules = &rules, .level = &level};
      if (clock != nullptr) {
        if (!FiredByClock(level, *clock, event) || !Matches(after, rules, level)) continue;
        if (ExcusedFor(level, *clock, policies) >= at) continue;  // the ladder looks again then
        firing.key = ClockKey(clock->clock_no());
        firing.clock_no = clock->clock_no();
      } else {
        firing.key = InstanceFor(level, after, event, revision);
        if (firing.key.empty() || !Matches(after, rules, level)) continue;
      }
      if (MayFire(after, firing)) out.push_back(std::move(firing));
    }
  }
  return out;
}

std::optional<v1::CaseFacts> FactsToWatch(const v1::Case& state, const policy::PolicySet& policies, absl::Time at) {
  for (const auto* ladder : policies.Ladders(at)) {
    for (const Level& level : ladder->value->levels()) {
      if (level.trigger() == kFacts) return workflow::BuildFacts(state);
    }
  }
  return std::nullopt;
}

std::vector<Firing> TriggeredByFacts(const v1::CaseFacts* before, const v1::Case& after,
                                     const policy::PolicySet& policies, absl::Time now) {
  std::vector<Firing> out;
  const absl::Time at = FromProto(after.last_event_at());
  if (after.revision() == 0 || IsImported(after, at)) return out;
  for (const auto* ladder : policies.Ladders(NoticedAt(at, now))) {
    for (const Level& level : ladder->value->levels()) {
      Firing firing{.ladder = ladder->pin, .rules = ladder->value.get(), .level = &level};
      firing.key = FactsKey(level);
      if (level.trigger() != kFacts || !MayFire(after, firing) || !Matches(after, *firing.rules, level)) continue;
      const bool held = before != nullptr && Hold(*before, *firing.rules, level);
      if (!held) out.push_back(std::move(firing));
    }
  }
  return out;
}

Firing ByHand(const v1::Case& state, v1::EscalationKind kind, uint32_t revision, const policy::PolicySet& policies,
              absl::Time at) {
  Firing firing{.key = absl::StrCat("manual/", revision)};
  for (const auto* ladder : policies.Ladders(at)) {
    for (const Level& level : ladder->value->levels()) {
      if (level.trigger() != "MANUAL" || level.kind() != kind || !Matches(state, *ladder->value, level)) continue;
      firing.ladder = ladder->pin;
      firing.rules = ladder->value.get();
      firing.level = &level;
      return firing;
    }
  }
  firing.level = LevelWithoutLadder(kind);
  return firing;
}

Firing FiringOf(const v1::Case& state, const v1::Escalation& one, const policy::PolicySet& policies) {
  Firing firing{.ladder = one.ladder(),
                .rules = policies.LadderAt(one.ladder()),
                .level = LevelWithoutLadder(one.kind()),
                .key = one.trigger_key(),
                .clock_no = one.clock_no()};
  if (firing.rules == nullptr) return firing;
  const std::string group = GroupOfKey(state, one.trigger_key(), one.kind());
  for (const Level& level : firing.rules->levels()) {
    const std::string of = policy::GroupOf(level);
    if (level.level() == one.level() && (of == group || of == policy::kEveryGroup)) firing.level = &level;
  }
  return firing;
}

bool MayFire(const v1::Case& state, const Firing& firing) {
  if (state.escalations_size() >= kMaxEscalations) return false;
  return absl::c_none_of(state.escalations(), [&](const v1::Escalation& one) {
    return one.ladder().id() == firing.ladder.id() && one.trigger_key() == firing.key &&
           one.level() >= firing.level->level();
  });
}

const Level* NextLevel(const v1::Case& state, const v1::Ladder& rules, const std::string& key, v1::EscalationKind kind,
                       uint32_t level) {
  const std::string group = GroupOfKey(state, key, kind);
  const v1::Clock* clock = FindClock(state, key);
  const Level* next = nullptr;
  for (const Level& one : rules.levels()) {
    const std::string of = policy::GroupOf(one);
    if (one.level() <= level || (of != group && of != policy::kEveryGroup)) continue;
    if (policy::RidesOnClock(one) && (clock == nullptr || !AppliesToMetric(one, clock->metric(), clock->nature()))) {
      continue;
    }
    if (!Matches(state, rules, one)) continue;
    // What it is about has been told, and its actions are taken.
    if (one.trigger() == kFacts && HasFired(state, rules.id(), FactsKey(one), one.level())) continue;
    if (next == nullptr || one.level() < next->level()) next = &one;
  }
  return next;
}

bool Matches(const v1::Case& state, const v1::Ladder& rules, const Level& level) {
  return Hold(workflow::BuildFacts(state), rules, level);
}

std::string ClockKey(uint32_t clock_no) { return absl::StrCat(kClockPrefix, clock_no); }

bool IsClockKey(absl::string_view key) { return absl::StartsWith(key, kClockPrefix); }

const v1::Clock* FindClock(const v1::Case& state, absl::string_view key) {
  uint32_t clock_no = 0;
  if (!absl::ConsumePrefix(&key, kClockPrefix) || !absl::SimpleAtoi(key, &clock_no)) return nullptr;
  return FindClock(state, clock_no);
}

const v1::Clock* FindClock(const v1::Case& state, uint32_t clock_no) {
  for (const v1::Clock& clock : state.clocks()) {
    if (clock.clock_no() == clock_no) return &clock;
  }
  return nullptr;
}

const v1::Escalation* FindEscalation(const v1::Case& state, uint32_t escalation_no) {
  for (const v1::Escalation& one : state.escalations()) {
    if (one.escalation_no() == escalation_no) return &one;
  }
  return nullptr;
}

}  // namespace docket::escalation
