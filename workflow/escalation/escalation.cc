#include "workflow/escalation/escalation.h"

#include <algorithm>

#include "absl/algorithm/container.h"
#include "workflow/base/time.h"
#include "workflow/escalation/raise.h"
#include "workflow/escalation/targets.h"

namespace docket::escalation {
namespace {

// Is `principal` `who` or above them in the line?
bool IsAbove(const std::string& principal, std::string who, const policy::PolicySet& policies) {
  for (int depth = 0; depth < kMaxLineDepth && !who.empty(); ++depth) {
    if (who == principal) return true;
    const v1::Principal* known = policies.Principal(who);
    who = known == nullptr ? "" : known->manager();
  }
  return false;
}

}  // namespace

bool WaitsForAck(const v1::Escalation& escalation) {
  return escalation.state() == v1::Escalation::RAISED && !escalation.passed();
}

bool NeedsAnswer(const v1::Escalation& escalation) {
  return WaitsForAck(escalation) || escalation.state() == v1::Escalation::REQUESTED;
}

absl::Time StandsSince(const v1::Escalation& escalation) {
  return FromProto(escalation.has_raised_at() ? escalation.raised_at() : escalation.requested_at());
}

bool IsOpen(const v1::Escalation& escalation) {
  return escalation.state() == v1::Escalation::RAISED || escalation.state() == v1::Escalation::ACKNOWLEDGED;
}

bool MayAcknowledge(const v1::Escalation& escalation, const std::string& principal, const policy::PolicySet& policies,
                    absl::Time at) {
  const bool somebody = absl::c_any_of(
      escalation.targets(), [&](const std::string& target) { return policies.Principal(target) != nullptr; });
  if (!somebody && policies.Department(escalation.department()) == nullptr) return true;
  if (escalation.targets().empty()) return true;
  const auto above = [&](const std::string& who) {
    return IsAbove(principal, who, policies) || policies.absences().ActingFor(who, at) == principal;
  };
  if (absl::c_any_of(escalation.targets(), above) || absl::c_any_of(escalation.absent(), above)) return true;
  std::string department = escalation.department();
  for (int depth = 0; depth < kMaxLineDepth && !department.empty(); ++depth) {
    const v1::Department* known = policies.Department(department);
    if (known == nullptr) return false;
    if (known->lead() == principal) return true;
    department = known->parent();
  }
  return false;
}

bool MayApprove(const v1::Case& state, const v1::Escalation& escalation, const std::string& principal,
                const policy::PolicySet& policies, absl::Time at) {
  const auto acts = [&](const std::string& who) {
    return who == principal || policies.absences().ActingFor(who, at) == principal;
  };
  if (absl::c_any_of(escalation.targets(), acts)) return true;
  const v1::Principal* known = policies.Principal(principal);
  if (known == nullptr) return false;
  const bool role =
      absl::c_linear_search(known->roles(), "SUPERVISOR") || absl::c_linear_search(known->roles(), "APPROVER");
  return role && (policies.IsWithin(escalation.department(), known->department()) ||
                  policies.IsWithin(DepartmentOf(state), known->department()) ||
                  policies.Department(escalation.department()) == nullptr);
}

const v1::Escalation* FindRequest(const v1::Case& state, const v1::EscalationRequested& requested) {
  for (const v1::Escalation& one : state.escalations()) {
    if (one.state() == v1::Escalation::REQUESTED && one.ladder().id() == requested.ladder().id() &&
        one.trigger_key() == requested.trigger_key()) {
      return &one;
    }
  }
  return nullptr;
}

const v1::Escalation* NextAckDue(const v1::Case& state) {
  const v1::Escalation* next = nullptr;
  for (const v1::Escalation& one : state.escalations()) {
    if (!WaitsForAck(one) || !one.has_ack_due_at() || one.has_lapsed_at()) continue;
    if (next == nullptr || FromProto(one.ack_due_at()) < FromProto(next->ack_due_at())) next = &one;
  }
  return next;
}

std::vector<Closing> ClosedBy(const v1::Case& after, const v1::Event& event) {
  uint32_t clock_no = 0;
  if (event.has_clock_fulfilled()) clock_no = event.clock_fulfilled().clock_no();
  if (event.has_clock_cancelled()) clock_no = event.clock_cancelled().clock_no();
  if (event.has_clock_exempted()) clock_no = event.clock_exempted().clock_no();
  const bool closed = event.has_status_changed() && !after.status().active();
  std::vector<Closing> closings;
  if (clock_no == 0 && !closed) return closings;
  for (const v1::Escalation& one : after.escalations()) {
    if (!one.auto_close() || !IsOpen(one) || !(closed || one.clock_no() == clock_no)) continue;
    closings.push_back({one.escalation_no(), closed ? "CASE_CLOSED" : "CLOCK_ENDED", RuleOf(one.ladder())});
  }
  return closings;
}

uint32_t HighestLevel(const v1::Case& state) {
  uint32_t highest = 0;
  for (const v1::Escalation& one : state.escalations()) {
    if (IsOpen(one)) highest = std::max(highest, one.level());
  }
  return highest;
}

}  // namespace docket::escalation
