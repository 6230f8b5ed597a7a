#ifndef DOCKET_WORKFLOW_ESCALATION_TRIGGERS_H_
#define DOCKET_WORKFLOW_ESCALATION_TRIGGERS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/event.pb.h"
#include "docket/v1/policy.pb.h"
#include "workflow/policy/policy_set.h"

// What sets off a level. Pure.
//
// A key (ladder, trigger instance, level) fires once in the life of a case. The instance is the clock, the silence, the
// refusal, the level FACTS, the call by hand; reopenings and transfers are one instance each. Within an instance levels
// are climbed upward only: once a level has fired, lower ones no longer do.
namespace docket::escalation {

// The limit of Case.escalations; beyond it ladders are silent. People may use all but those kept for ladders.
inline constexpr int kMaxEscalations = 256;
inline constexpr int kEscalationsKeptForLadders = 64;

// A level to be raised. Points into the policy set.
struct Firing {
  v1::PolicyPin ladder;               // unset: by hand, where no ladder says anything about that kind
  const v1::Ladder* rules = nullptr;  // null then
  const v1::Ladder::Level* level = nullptr;
  std::string key;         // of the trigger instance
  uint32_t clock_no = 0;   // 0: of no clock
  uint32_t lapsed_no = 0;  // the escalation whose acknowledgement lapsed; 0: the level's own trigger
};

// The instant of which `at`, when noticed at `now`, can be told: itself, unless it is noticed late (R13).
absl::Time NoticedAt(absl::Time at, absl::Time now);

// The levels that `event`, of this revision, sets off by the ladders in force, in ladder and level order; `after` is
// the state after it. Nothing fires while history is imported, nor for an instant that was imported.
std::vector<Firing> Triggered(const v1::Case& after, const v1::Event& event, uint32_t revision,
                              const policy::PolicySet& policies, absl::Time now);

// The facts of `state` that levels FACTS of the ladders in force at `at` look at; nullopt when there is no such level.
std::optional<v1::CaseFacts> FactsToWatch(const v1::Case& state, const policy::PolicySet& policies, absl::Time at);

// The levels FACTS whose conditions hold in `after` and did not in `before`; `before` null: the case was not yet filed.
// Asked of a whole command or timer, not of each of its events, so that what it sets first and last is no change.
std::vector<Firing> TriggeredByFacts(const v1::CaseFacts* before, const v1::Case& after,
                                     const policy::PolicySet& policies, absl::Time now);

// The level for an escalation of this kind asked for by hand: the first level MANUAL of a ladder in force that matches,
// else one without a ladder, to the lead of queue (FUNCTIONAL) or department.
Firing ByHand(const v1::Case& state, v1::EscalationKind kind, uint32_t revision, const policy::PolicySet& policies,
              absl::Time at);

// What raised an escalation, or would raise what is requested, for telling it to others: its level, and without a
// ladder, or where the level is gone, one to the lead of queue (FUNCTIONAL) or department.
Firing FiringOf(const v1::Case& state, const v1::Escalation& one, const policy::PolicySet& policies);

// False: the key or a higher one has fired, or the case holds as many escalations as it may.
bool MayFire(const v1::Case& state, const Firing& firing);

// The level above `level` in the climb that `key` began by hand of `kind` or by a trigger; null: none. The conditions
// of the levels count; a level FACTS that has fired by itself is passed over.
const v1::Ladder::Level* NextLevel(const v1::Case& state, const v1::Ladder& rules, const std::string& key,
                                   v1::EscalationKind kind, uint32_t level);

// Do the conditions of ladder and level hold?
bool Matches(const v1::Case& state, const v1::Ladder& rules, const v1::Ladder::Level& level);

// The trigger instance of a clock, and the clock of an instance; null: it is another instance, or there is no such
// clock.
std::string ClockKey(uint32_t clock_no);
bool IsClockKey(absl::string_view key);
const v1::Clock* FindClock(const v1::Case& state, absl::string_view key);
const v1::Clock* FindClock(const v1::Case& state, uint32_t clock_no);
const v1::Escalation* FindEscalation(const v1::Case& state, uint32_t escalation_no);

}  // namespace docket::escalation

#endif  // DOCKET_WORKFLOW_ESCALATION_TRIGGERS_H_
