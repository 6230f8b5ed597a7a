// Random ladders over random clocks, judged by a twin that counts minute by minute: which levels fire, when, in which
// order, each once, and who is told after downtime. In zones whose clocks change at midnight, by half an hour, by
// nothing at all. DOCKET_SEED=n takes one case alone.
#include <cstdlib>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/workflow/escalation/ladder_twin.h"
#include "tests/workflow/sla/calendars.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"
#include "workflow/case/advance.h"
#include "workflow/case/draft.h"
#include "workflow/escalation/escalation.h"
#include "workflow/policy/policy_set.h"

namespace docket::escalation {
namespace {

using sla::testing::SlowTwin;
using testing::Fires;
using testing::LadderTwin;
using testing::TwinLevel;
using testing::TwinRaised;

constexpr int kWorlds = 60;
constexpr int kCasesPerWorld = 170;  // 10,200 in all
constexpr int kDays = 5;             // a case lives so long
constexpr char kMetric[] = "RESOLUTION";

struct Place {
  const char* zone;
  const char* transition;  // a day near which the zone changes its clocks
};
constexpr Place kPlaces[] = {{"Europe/London", "2026-03-29"},       {"America/New_York", "2026-11-01"},
                             {"Asia/Shanghai", "2026-10-05"},       {"America/Sao_Paulo", "2018-11-04"},
                             {"Australia/Lord_Howe", "2026-10-04"}, {"Pacific/Chatham", "2026-04-05"}};

class Dice {
 public:
  explicit Dice(uint64_t seed) : generator_(seed) {}
  int Below(int n) { return static_cast<int>(generator_() % static_cast<uint64_t>(n)); }
  bool Chance(int percent) { return Below(100) < percent; }
  absl::Duration Minutes(int least, int most) { return absl::Minutes(least + Below(most - least + 1)); }

 private:
  std::mt19937_64 generator_;
};

std::string TimeOfDay(int quarter) {
  return absl::StrCat(quarter / 4 < 10 ? "0" : "", quarter / 4, ":", quarter % 4 == 0 ? "00" : "",
                      quarter % 4 == 0 ? "" : absl::StrCat(quarter % 4 * 15));
}

std::string RandomDay(Dice& dice) {
  if (dice.Chance(25)) return "";
  const int start = dice.Below(60);
  const int end = start + 1 + dice.Below(96 - start);
  return absl::StrCat(TimeOfDay(start), "-", TimeOfDay(end));
}

// Nobody's texts are kept.
class NoSealer : public workflow::Sealer {
 public:
  v1::SealedText Seal(absl::string_view, absl::string_view) override { return {}; }
};

// A calendar near a change of the clocks, with its twin.
struct World {
  explicit World(uint64_t seed) : dice(seed), place(kPlaces[seed % std::size(kPlaces)]) {
    sla::testing::CalendarSpec spec;
    spec.zone = place.zone;
    for (int i = 0; i < 7; ++i) spec.week.push_back(i == 2 ? "09:00-17:00" : RandomDay(dice));
    absl::CivilDay day;
    const bool parsed = absl::ParseCivilTime(place.transition, &day);
    DOCKET_CHECK(parsed);
    spec.from = absl::FormatCivilTime(day - 40);
    spec.until = absl::FormatCivilTime(day + 40);
    compiled = sla::testing::Compiled(spec);
    middle = absl::FromCivil(absl::CivilSecond(day) + 12 * 3600, sla::testing::Zone(place.zone));
    twin = std::make_unique<SlowTwin>(compiled, middle - absl::Hours(24 * 16), middle + absl::Hours(24 * 30));
  }

  Dice dice;
  Place place;
  v1::Calendar compiled;
  absl::Time middle;
  std::unique_ptr<SlowTwin> twin;
};

std::vector<TwinLevel> RandomLevels(Dice& dice) {
  std::vector<TwinLevel> levels(static_cast<size_t>(1 + dice.Below(5)));
  for (size_t i = 0; i < levels.size(); ++i) {
    TwinLevel& level = levels[i];
    level.fires = static_cast<Fires>(dice.Below(i == 0 ? 4 : 5));
    // Of a target in steps of twenty minutes every twentieth is a whole minute.
    if (level.fires == Fires::kFraction) level.permille = 50 * static_cast<uint32_t>(1 + dice.Below(20));
    if (level.fires == Fires::kBeforeDue || level.fires == Fires::kAfterDue) {
      level.span = dice.Minutes(1, 900);
      level.elapsed = dice.Chance(40);
    }
    if (dice.Chance(60)) {
      level.ack_within = dice.Minutes(1, 600);
      level.ack_working = dice.Chance(50);
    }
  }
  return levels;
}

v1::Ladder LadderOf(const std::vector<TwinLevel>& levels) {
  static const char* const kTriggers[] = {"FRACTION", "BEFORE_DUE", "BREACH", "AFTER_DUE", "ACK_LAPSED"};
  v1::Ladder ladder;
  for (size_t i = 0; i < levels.size(); ++i) {
    v1::Ladder::Level* level = ladder.add_levels();
    level->set_level(static_cast<uint32_t>(i + 1));
    level->set_kind(v1::HIERARCHICAL);
    level->set_trigger(kTriggers[static_cast<int>(levels[i].fires)]);
    level->set_target("QUEUE_LEAD");
    level->set_permille(levels[i].permille);
    level->set_elapsed(levels[i].elapsed);
    if (levels[i].span > absl::ZeroDuration()) *level->mutable_span() = ToProto(levels[i].span);
    if (levels[i].ack_within > absl::ZeroDuration()) *level->mutable_ack_within() = ToProto(levels[i].ack_within);
    if (levels[i].ack_working) level->set_calendar("cal");
  }
  return ladder;
}

v1::SlaPolicy PolicyOf(absl::Duration target) {
  v1::SlaPolicy policy;
  policy.set_obligation(v1::CUSTOMER);
  policy.set_calendar("cal");
  v1::MetricRule* rule = policy.add_metrics();
  rule->set_metric(kMetric);
  rule->set_nature(v1::DUTY);
  rule->mutable_start()->set_event("case_received");
  rule->set_start_at("received_at");
  rule->add_stop()->set_event("outbound_sent");
  rule->set_pausable(true);
  v1::Target* promised = rule->add_targets()->mutable_target();
  promised->set_unit(v1::Target::WORKING_TIME);
  *promised->mutable_duration() = ToProto(target);
  return policy;
}

std::shared_ptr<const policy::PolicySet> PoliciesOf(const v1::Calendar& calendar, absl::Duration target,
                                                    const std::vector<TwinLevel>& levels) {
  std::shared_ptr<const policy::PolicySet> set = std::make_shared<policy::PolicySet>();
  uint64_t position = 1;
  const auto add = [&](v1::PolicyKind kind, const std::string& id, const v1::CompiledPolicy& compiled) {
    v1::Event event;
    v1::PolicyPublished* published = event.mutable_policy_published();
    published->set_kind(kind);
    published->set_id(id);
    published->set_version(1);
    *published->mutable_effective_from() = ToProto(absl::FromUnixSeconds(0));
    *published->mutable_compiled() = compiled;
    auto next = set->With(event, position++, absl::UnixEpoch(), "x");
    DOCKET_CHECK(next.ok());
    set = *std::move(next);
  };
  v1::CompiledPolicy compiled;
  *compiled.mutable_calendar() = calendar;
  add(v1::CALENDAR, "cal", compiled);
  *compiled.mutable_sla() = PolicyOf(target);
  add(v1::SLA, "sla", compiled);
  *compiled.mutable_ladder() = LadderOf(levels);
  add(v1::LADDER, "ladder", compiled);
  return set;
}

// The case itself, under the rules that are judged.
class RealCase {
 public:
  explicit RealCase(const policy::PolicySet* policies) : policies_(policies) { actor_.set_principal_id("x"); }

  void Receive(absl::Time at) {
    v1::Event event;
    *event.mutable_case_received()->mutable_received_at() = ToProto(at);
    *event.mutable_case_received()->mutable_entered() = Entered(/*waits=*/false);
    Emit(at, std::move(event));
  }
  // As the timers do: at each instant up to `until`.
  void RunTimers(absl::Time until) {
    for (absl::Time next = workflow::WakeAt(state_); next <= until; next = workflow::WakeAt(state_)) Advance(next);
  }
  void Advance(absl::Time now) {
    const workflow::DecideContext context = ContextAt(now);
    workflow::Draft draft(state_, context);
    const absl::Status advanced = workflow::Advance(draft, now);
    DOCKET_CHECK(advanced.ok());
    state_ = draft.state();
  }
  void Emit(absl::Time now, v1::Event event) {
    const workflow::DecideContext context = ContextAt(now);
    workflow::Draft draft(state_, context);
    const absl::Status emitted = draft.Emit(std::move(event));
    DOCKET_CHECK(emitted.ok());
    state_ = draft.state();
  }
  void Move(absl::Time at, bool waits) {
    if ((state_.status().category() == v1::WAITING) == waits) return;
    v1::Event event;
    v1::StatusChanged* changed = event.mutable_status_changed();
    changed->set_from(state_.status().status());
    changed->set_from_category(state_.status().category());
    *changed->mutable_entered() = Entered(waits);
    if (waits) {
      changed->mutable_wait()->set_on(v1::DEPARTMENT);
      *changed->mutable_wait()->mutable_since() = ToProto(at);
    }
    Emit(at, std::move(event));
  }
  void Stop(absl::Time at) {
    v1::Event event;
    event.mutable_outbound_sent()->set_human(true);
    Emit(at, std::move(event));
  }
  void Acknowledge(absl::Time at) {
    for (const v1::Escalation& one : state_.escalations()) {
      if (!WaitsForAck(one)) continue;
      v1::Event event;
      event.mutable_escalation_acknowledged()->set_escalation_no(one.escalation_no());
      return Emit(at, std::move(event));
    }
  }

  const v1::Case& state() const { return state_; }

 private:
  static v1::StatusEntered Entered(bool waits) {
    v1::StatusEntered entered;
    entered.set_status(waits ? "WAITING" : "OPEN");
    entered.set_category(waits ? v1::WAITING : v1::OPEN);
    entered.set_active(true);
    if (waits) entered.add_pauses(kMetric);
    return entered;
  }
  workflow::DecideContext ContextAt(absl::Time now) {
    workflow::DecideContext context;
    context.now = now;
    context.effective = now;
    context.actor = &actor_;
    context.policies = policies_;
    context.sealer = &sealer_;
    return context;
  }

  const policy::PolicySet* policies_;
  v1::Actor actor_;
  NoSealer sealer_;
  v1::Case state_;
};

std::string Show(const World& world, absl::Time at) { return sla::testing::Show(world.place.zone, at); }

std::vector<std::string> Lines(const World& world, const std::vector<TwinRaised>& raised) {
  std::vector<std::string> lines;
  for (const TwinRaised& one : raised) {
    lines.push_back(absl::StrCat(one.level, " ", Show(world, one.at), one.passed ? " passed" : "",
                                 one.ack_due.has_value() ? absl::StrCat(" by ", Show(world, *one.ack_due)) : "",
                                 one.acknowledged ? " acknowledged" : "", one.lapsed ? " lapsed" : ""));
  }
  return lines;
}

std::vector<std::string> Lines(const World& world, const v1::Case& state) {
  std::vector<TwinRaised> raised;
  for (const v1::Escalation& one : state.escalations()) {
    TwinRaised& twin = raised.emplace_back();
    twin.level = one.level();
    twin.at = FromProto(one.raised_at());
    twin.passed = one.passed();
    if (one.has_ack_due_at()) twin.ack_due = FromProto(one.ack_due_at());
    twin.acknowledged = one.state() == v1::Escalation::ACKNOWLEDGED;
    twin.lapsed = one.has_lapsed_at();
  }
  return Lines(world, raised);
}

struct Tally {
  int raised = 0, passed = 0, lapsed = 0, acknowledged = 0;
};

// One life of a case: now and then somebody does something, now and then the server is down.
void LiveOneCase(World& world, uint64_t seed, Tally* tally) {
  Dice dice(seed);
  const absl::Duration target = absl::Minutes(20 * (1 + dice.Below(60)));
  const std::vector<TwinLevel> levels = RandomLevels(dice);
  const auto policies = PoliciesOf(world.compiled, target, levels);
  absl::Time now = world.middle - dice.Minutes(0, 24 * 60 * kDays);
  RealCase real(policies.get());
  LadderTwin twin(world.twin.get(), levels, now, target);
  real.Receive(now);
  const absl::Time end = now + absl::Hours(24 * kDays);
  while (now < end) {
    const bool down = dice.Chance(20);
    const absl::Time next = now + dice.Minutes(1, down ? 3 * 24 * 60 : 600);
    if (!down) {
      // The twin is asked at every minute, just before and just after it.
      real.RunTimers(next);
      for (; now <= next; now += absl::Minutes(1)) {
        twin.Advance(now);
        if (now < next) twin.Advance(now + absl::Microseconds(1));
      }
    }
    now = next;
    real.Advance(now);
    twin.Advance(now);
    switch (dice.Below(10)) {
      case 0:
      case 1:
        real.Move(now, true);
        twin.Pause(now);
        break;
      case 2:
      case 3:
      case 4:
        real.Move(now, false);
        twin.Resume(now);
        break;
      case 5:
        if (dice.Chance(30)) {
          real.Stop(now);
          twin.Stop(now);
        }
        break;
      case 6:
        real.Acknowledge(now);
        twin.Acknowledge(now);
        break;
      default:
        break;
    }
    real.Advance(now);
    twin.Advance(now);
    ASSERT_EQ(Lines(world, real.state()), Lines(world, twin.raised())) << "DOCKET_SEED=" << seed << "\n"
                                                                       << LadderOf(levels).DebugString();
  }
  std::set<std::pair<std::string, uint32_t>> keys;
  for (const v1::Escalation& one : real.state().escalations()) {
    EXPECT_TRUE(keys.insert({one.trigger_key(), one.level()}).second) << "fired twice, DOCKET_SEED=" << seed;
    ++tally->raised;
    tally->passed += one.passed();
    tally->lapsed += one.has_lapsed_at();
    tally->acknowledged += one.state() == v1::Escalation::ACKNOWLEDGED;
  }
}

TEST(LadderTwinTest, LevelsFireAsTheSlowTwinSays) {
  Tally tally;
  uint64_t only = 0;
  const char* wanted = std::getenv("DOCKET_SEED");
  if (wanted != nullptr) {
    ASSERT_TRUE(absl::SimpleAtoi(wanted, &only)) << "DOCKET_SEED=" << wanted << ", want a number";
  }
  for (uint64_t i = 0; i < kWorlds; ++i) {
    if (wanted != nullptr && only / 1000 != i + 1) continue;
    World world(i + 1);
    for (uint64_t j = 0; j < kCasesPerWorld; ++j) {
      const uint64_t seed = (i + 1) * 1000 + j;
      if (wanted == nullptr || only == seed) LiveOneCase(world, seed, &tally);
      if (HasFatalFailure()) return;
    }
  }
  if (wanted != nullptr) return;
  // A test in which nothing happens would prove nothing.
  EXPECT_GT(tally.raised, 10'000);
  EXPECT_GT(tally.passed, 500);
  EXPECT_GT(tally.lapsed, 500);
  EXPECT_GT(tally.acknowledged, 200);
}

}  // namespace
}  // namespace docket::escalation
