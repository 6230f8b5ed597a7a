#include "workflow/case/conflict.h"

#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"
#include "workflow/case/climb.h"
#include "workflow/case/conflicted.h"
#include "workflow/case/ownership.h"
#include "workflow/case/status.h"
#include "workflow/escalation/escalation.h"
#include "workflow/escalation/targets.h"

namespace docket::workflow {
namespace {

constexpr char kConflictKey[] = "conflict/";

// Was `who` told of `one` because nobody in its line is free? An escalation of a ladder may be for them for another
// reason: their role is what a level names, or it went to them as to the owner.
bool WasToldAtTheEndOfTheLine(const Draft& draft, const v1::Escalation& one, const std::string& who, absl::Time at) {
  const bool stands = escalation::IsOpen(one) || one.state() == v1::Escalation::REQUESTED;
  if (!stands || one.passed() || !absl::c_linear_search(one.targets(), who)) return false;
  if (absl::StartsWith(one.trigger_key(), kConflictKey)) return true;
  const policy::PolicySet& policies = *draft.context().policies;
  const escalation::Firing firing = escalation::FiringOf(draft.state(), one, policies);
  return escalation::ResolveTargets(*firing.level, draft.state(), policies, at, {}).basis == "COMPLIANCE";
}

// Has `who` been told already: by this declaration, for an escalation went on to them, or before, by one that still
// stands?
bool HasHeard(const Draft& draft, const std::string& who, absl::Time at) {
  const bool now = absl::c_any_of(draft.events(), [&](const v1::Event& event) {
    return absl::c_linear_search(event.escalation_raised().targets(), who) ||
           absl::c_linear_search(event.escalation_requested().targets(), who);
  });
  return now || absl::c_any_of(draft.state().escalations(), [&](const v1::Escalation& one) {
           return WasToldAtTheEndOfTheLine(draft, one, who, at);
         });
}

// Is it known already that nobody is left? Then one is open that names nobody, and anybody may answer it.
bool IsOpenToAnybody(const Draft& draft) {
  return absl::c_any_of(draft.state().escalations(), [&](const v1::Escalation& one) {
    return escalation::IsOpen(one) && !one.passed() && one.targets().empty() &&
           ConflictOf(draft.state(), one.acknowledged_by()) == nullptr;
  });
}

// Nobody in the line of the case is free to look at it any more: role COMPLIANCE hears of it, once.
absl::Status TellComplianceWhenAlone(Draft& draft, uint32_t revision) {
  v1::Ladder::Level level;
  level.set_level(1);
  level.set_kind(v1::HIERARCHICAL);
  level.set_target("QUEUE_LEAD");
  const escalation::Firing firing{.level = &level, .key = absl::StrCat(kConflictKey, revision)};
  const absl::Time at = FromProto(draft.state().last_event_at());
  const escalation::Targets line = escalation::ResolveTargets(level, draft.state(), *draft.context().policies, at, {});
  if (line.basis != "COMPLIANCE" && line.basis != "NO_TARGET") return absl::OkStatus();
  const auto heard = [&](const std::string& who) { return HasHeard(draft, who, at); };
  const bool known = line.principals.empty() ? IsOpenToAnybody(draft) : absl::c_all_of(line.principals, heard);
  if (known) return absl::OkStatus();
  if (!escalation::MayFire(draft.state(), firing)) return absl::OkStatus();
  return RaiseLevel(draft, firing, level.kind(), at);
}

}  // namespace

void CheckNoConflict(const v1::Case& state, absl::string_view field, const std::string& principal,
                     std::vector<Unmet>* unmet) {
  const v1::Conflict* conflict = ConflictOf(state, principal);
  if (conflict == nullptr) return;
  unmet->push_back({"CONFLICT_OF_INTEREST",
                    absl::StrCat(field, ": ", principal, " has a conflict of interest (", conflict->nature(),
                                 "), want somebody else"),
                    "clear_conflict"});
}

absl::Status DecideDeclareConflict(Draft& draft, const v1::Command& command) {
  const v1::DeclareConflict& declare = command.declare_conflict();
  const std::string by = draft.context().actor->principal_id();
  const std::string who = declare.principal().empty() ? by : declare.principal();
  std::vector<BadField> bad;
  CheckPrincipal(draft.context(), "declare_conflict.principal", who, &bad);
  if (!bad.empty()) return RefuseFields("UNKNOWN_PRINCIPAL", bad);
  std::vector<Unmet> unmet;
  if (const v1::Conflict* known = ConflictOf(draft.state(), who); known != nullptr) {
    unmet.push_back({"CONFLICT_DECLARED",
                     absl::StrCat("declare_conflict.principal: ", who, " is in conflict already, ", known->nature()),
                     "clear_conflict"});
  } else if (draft.state().conflicts_size() >= kMaxConflicts) {
    unmet.push_back({"TOO_MANY_CONFLICTS",
                     absl::StrCat("conflicts: ", draft.state().conflicts_size(), ", want at most ", kMaxConflicts),
                     "clear_conflict"});
  }
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  const uint32_t revision = draft.next_revision();
  v1::Event event;
  event.mutable_conflict_declared()->set_principal(who);
  event.mutable_conflict_declared()->set_nature(declare.nature());
  event.mutable_conflict_declared()->set_by(by);
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  if (draft.state().owner() == who) DOCKET_RETURN_IF_ERROR(EmitReleased(draft));
  DOCKET_RETURN_IF_ERROR(TellBeyondConflict(draft, who));
  DOCKET_RETURN_IF_ERROR(TellComplianceWhenAlone(draft, revision));
  return Follow(draft, transition);
}

absl::Status DecideClearConflict(Draft& draft, const v1::Command& command) {
  const v1::ClearConflict& clear = command.clear_conflict();
  const std::string by = draft.context().actor->principal_id();
  std::vector<BadField> bad;
  CheckPrincipal(draft.context(), "docket-principal", by, &bad);  // of two persons the second has to be somebody
  if (!bad.empty()) return RefuseFields("UNKNOWN_PRINCIPAL", bad);
  std::vector<Unmet> unmet;
  if (ConflictOf(draft.state(), clear.principal()) == nullptr) {
    unmet.push_back({"NO_CONFLICT",
                     absl::StrCat("clear_conflict.principal: ", clear.principal(), " has declared no conflict"),
                     "declare_conflict"});
  } else if (clear.principal() == by) {
    unmet.push_back({"SECOND_PERSON_MISSING",
                     absl::StrCat("clear_conflict.principal: ", by, " asks for it, want another person"), ""});
  } else {
    CheckNoConflict(draft.state(), "docket-principal", by, &unmet);
  }
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  v1::Event event;
  event.mutable_conflict_cleared()->set_principal(clear.principal());
  event.mutable_conflict_cleared()->set_by(by);
  event.mutable_conflict_cleared()->set_reason_code(clear.reason_code());
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Follow(draft, transition);
}

absl::Status ApplyConflictDeclared(const v1::Event& event, v1::Case* state) {
  const v1::ConflictDeclared& declared = event.conflict_declared();
  if (ConflictOf(*state, declared.principal()) != nullptr) {
    return absl::DataLossError(absl::StrCat("ConflictDeclared: ", declared.principal(), " is in conflict already"));
  }
  v1::Conflict* conflict = state->add_conflicts();
  conflict->set_principal(declared.principal());
  conflict->set_nature(declared.nature());
  conflict->set_declared_by(declared.by());
  *conflict->mutable_declared_at() = event.occurred_at();
  return absl::OkStatus();
}

absl::Status ApplyConflictCleared(const v1::ConflictCleared& event, v1::Case* state) {
  auto* conflicts = state->mutable_conflicts();
  for (auto it = conflicts->begin(); it != conflicts->end(); ++it) {
    if (it->principal() != event.principal()) continue;
    conflicts->erase(it);
    return absl::OkStatus();
  }
  return absl::DataLossError(absl::StrCat("ConflictCleared: ", event.principal(), " is in no conflict"));
}

}  // namespace docket::workflow
