#include "workflow/escalation/escalation.h"

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "workflow/base/time.h"
#include "workflow/case/decide.h"
#include "workflow/case/facts.h"
#include "workflow/policy/condition.h"

namespace docket::escalation {
namespace {

constexpr int kMaxDepartmentDepth = 64;  // a directory has no cycles; this bounds the walk all the same

struct Target {
  std::string principal;  // "": nobody found
  std::string basis;
};

using Skipped = std::vector<std::string>;

// The lead of a department or of the nearest one above it that has a lead who is not skipped.
Target LeadAbove(absl::string_view department, const policy::PolicySet& policies, const Skipped& skipped) {
  std::string id(department);
  for (int depth = 0; depth < kMaxDepartmentDepth && !id.empty(); ++depth) {
    const v1::Department* found = policies.Department(id);
    if (found == nullptr) break;
    if (!found->lead().empty() && !absl::c_linear_search(skipped, found->lead())) {
      return {found->lead(), "DEPARTMENT_LEAD"};
    }
    id = found->parent();
  }
  return {"", "NO_TARGET"};
}

std::string DepartmentOf(const v1::Case& state) {
  return state.queue_department().empty() ? state.department() : state.queue_department();
}

Target Resolve(const std::string& target, const v1::Case& state, const policy::PolicySet& policies,
               const Skipped& skipped) {
  const auto reaches = [&](const std::string& who) { return !who.empty() && !absl::c_linear_search(skipped, who); };
  if (target == "QUEUE_LEAD") {
    const v1::Queue* queue = policies.Queue(state.queue());
    if (queue != nullptr && reaches(queue->lead())) return {queue->lead(), "QUEUE_LEAD"};
  } else if (target == "OWNER_MANAGER") {
    const v1::Principal* owner = policies.Principal(state.owner());
    if (owner != nullptr && reaches(owner->manager())) return {owner->manager(), "OWNER_MANAGER"};
  }
  return LeadAbove(DepartmentOf(state), policies, skipped);
}

bool AlreadyFired(const v1::Case& state, const std::string& ladder, uint32_t level, const std::string& key) {
  return absl::c_any_of(state.escalations(), [&](const v1::Escalation& one) {
    return one.ladder().id() == ladder && one.level() == level && one.trigger_key() == key;
  });
}

void SetAckDue(const v1::Ladder::Level& level, absl::Time at, const policy::PolicySet& policies,
               v1::EscalationRaised* raised) {
  if (!level.has_ack_within()) return;
  const auto* calendar = level.calendar().empty() ? nullptr : policies.CalendarNamed(level.calendar(), at);
  const absl::Duration within = FromProto(level.ack_within());
  const absl::Time due = calendar == nullptr ? at + within : calendar->value->Advance(at, within);
  if (due != absl::InfiniteFuture()) *raised->mutable_ack_due_at() = ToProto(due);
}

v1::EscalationRaised Raise(const v1::Case& state, const v1::PolicyPin& ladder, const v1::Ladder::Level& level,
                           absl::Time at, const policy::PolicySet& policies, const Skipped& skipped) {
  v1::EscalationRaised raised;
  raised.set_kind(level.kind());
  *raised.mutable_ladder() = ladder;
  raised.set_level(level.level());
  const Target target = Resolve(level.target(), state, policies, skipped);
  if (!target.principal.empty()) raised.add_targets(target.principal);
  raised.set_target_basis(target.basis);
  raised.set_department(DepartmentOf(state));
  raised.set_queue(state.queue());
  SetAckDue(level, at, policies, &raised);
  return raised;
}

bool Matches(const v1::Case& state, const v1::Condition& ladder, const v1::Condition& level) {
  const v1::CaseFacts case_facts = workflow::BuildFacts(state);
  const policy::Facts facts{.case_facts = &case_facts, .command = nullptr, .event = nullptr};
  return policy::Evaluate(ladder, facts) && policy::Evaluate(level, facts);
}

const v1::Clock* FindClock(const v1::Case& state, uint32_t clock_no) {
  for (const v1::Clock& clock : state.clocks()) {
    if (clock.clock_no() == clock_no) return &clock;
  }
  return nullptr;
}

}  // namespace

std::vector<v1::Event> LadderConsequences(const v1::Case& after, const v1::Event& event,
                                          const policy::PolicySet& policies, absl::Time now) {
  std::vector<v1::Event> out;
  if (!event.has_clock_breached() || after.history()) return out;
  const v1::Clock* clock = FindClock(after, event.clock_breached().clock_no());
  if (clock == nullptr || clock->nature() != v1::DUTY) return out;
  const absl::Time at = FromProto(event.occurred_at());
  if (after.has_observed_until() && at <= FromProto(after.observed_until())) return out;  // imports fire no ladder
  const absl::Time noticed = now > at + workflow::kClockTolerance ? now : at;
  const std::string key = absl::StrCat("clock/", clock->clock_no());
  for (const auto* ladder : policies.Ladders(noticed)) {
    for (const v1::Ladder::Level& level : ladder->value->levels()) {
      if (level.trigger() != "BREACH") continue;
      if (!level.metrics().empty() && !absl::c_linear_search(level.metrics(), clock->metric())) continue;
      if (AlreadyFired(after, ladder->pin.id(), level.level(), key)) continue;
      if (!Matches(after, ladder->value->when(), level.when())) continue;
      v1::Event raised;
      *raised.mutable_occurred_at() = event.occurred_at();
      raised.set_visibility(v1::VISIBILITY_INTERNAL);
      raised.set_rule(absl::StrCat(ladder->pin.id(), "@", ladder->pin.version()));
      // Whose own case it is hears of it anyway.
      const Skipped skipped = level.kind() == v1::HIERARCHICAL ? Skipped{after.owner()} : Skipped{};
      *raised.mutable_escalation_raised() = Raise(after, ladder->pin, level, noticed, policies, skipped);
      raised.mutable_escalation_raised()->set_trigger_key(key);
      raised.mutable_escalation_raised()->set_clock_no(clock->clock_no());
      out.push_back(std::move(raised));
    }
  }
  return out;
}

v1::EscalationRaised ManualEscalation(const v1::Case& state, v1::EscalationKind kind, const std::string& by,
                                      absl::Time at, const policy::PolicySet& policies) {
  Skipped skipped = {by};
  if (kind == v1::HIERARCHICAL && !state.owner().empty()) skipped.push_back(state.owner());
  for (const auto* ladder : policies.Ladders(at)) {
    for (const v1::Ladder::Level& level : ladder->value->levels()) {
      if (level.trigger() == "MANUAL" && level.kind() == kind && Matches(state, ladder->value->when(), level.when())) {
        return Raise(state, ladder->pin, level, at, policies, skipped);
      }
    }
  }
  v1::Ladder::Level level;
  level.set_level(1);
  level.set_kind(kind);
  level.set_target(kind == v1::HIERARCHICAL ? "DEPARTMENT_LEAD" : "QUEUE_LEAD");
  return Raise(state, {}, level, at, policies, skipped);
}

bool MayAcknowledge(const v1::Escalation& escalation, const std::string& principal, const policy::PolicySet& policies) {
  const bool somebody = absl::c_any_of(
      escalation.targets(), [&](const std::string& target) { return policies.Principal(target) != nullptr; });
  if (!somebody && policies.Department(escalation.department()) == nullptr) return true;
  if (escalation.targets().empty()) return true;
  for (std::string who : escalation.targets()) {
    for (int depth = 0; depth < kMaxDepartmentDepth && !who.empty(); ++depth) {
      if (who == principal) return true;
      const v1::Principal* known = policies.Principal(who);
      who = known == nullptr ? "" : known->manager();
    }
  }
  std::string department = escalation.department();
  for (int depth = 0; depth < kMaxDepartmentDepth && !department.empty(); ++depth) {
    const v1::Department* known = policies.Department(department);
    if (known == nullptr) return false;
    if (known->lead() == principal) return true;
    department = known->parent();
  }
  return false;
}

uint32_t HighestLevel(const v1::Case& state) {
  uint32_t highest = 0;
  for (const v1::Escalation& one : state.escalations()) highest = std::max(highest, one.level());
  return highest;
}

absl::Status ApplyEscalationRaised(const v1::Event& event, uint32_t revision, v1::Case* state) {
  const v1::EscalationRaised& raised = event.escalation_raised();
  if (AlreadyFired(*state, raised.ladder().id(), raised.level(), raised.trigger_key())) {
    return absl::DataLossError(
        absl::StrCat("escalation ", raised.trigger_key(), " level ", raised.level(), " fired twice"));
  }
  v1::Escalation* one = state->add_escalations();
  one->set_escalation_no(revision);
  one->set_kind(raised.kind());
  *one->mutable_ladder() = raised.ladder();
  one->set_level(raised.level());
  one->set_trigger_key(raised.trigger_key());
  one->set_clock_no(raised.clock_no());
  *one->mutable_targets() = raised.targets();
  one->set_department(raised.department());
  one->set_queue(raised.queue());
  *one->mutable_raised_at() = event.occurred_at();
  if (raised.has_ack_due_at()) *one->mutable_ack_due_at() = raised.ack_due_at();
  one->set_state(v1::Escalation::RAISED);
  one->set_reason_code(raised.reason_code());
  if (raised.has_justification()) *one->mutable_justification() = raised.justification();
  return absl::OkStatus();
}

absl::Status ApplyEscalationAcknowledged(const v1::Event& event, v1::Case* state) {
  for (v1::Escalation& one : *state->mutable_escalations()) {
    if (one.escalation_no() != event.escalation_acknowledged().escalation_no()) continue;
    one.set_state(v1::Escalation::ACKNOWLEDGED);
    *one.mutable_acknowledged_at() = event.occurred_at();
    one.set_acknowledged_by(event.escalation_acknowledged().by());
    return absl::OkStatus();
  }
  return absl::DataLossError(
      absl::StrCat("escalation ", event.escalation_acknowledged().escalation_no(), " does not exist"));
}

}  // namespace docket::escalation
