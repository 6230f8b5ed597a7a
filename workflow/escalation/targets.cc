#include "workflow/escalation/targets.h"

#include <algorithm>

#include "absl/algorithm/container.h"
#include "workflow/case/conflicted.h"

namespace docket::escalation {
namespace {

class Resolver {
 public:
  Resolver(const v1::Case& state, const policy::PolicySet& policies, absl::Time at,
           const std::vector<std::string>& past)
      : state_(state), policies_(policies), at_(at), past_(past) {}

  Targets Resolve(const v1::Ladder::Level& level) {
    LookUp(level);
    if (!Found()) TellCompliance();
    if (!Found()) result_.basis = "NO_TARGET";
    return std::move(result_);
  }

  // The same without the end of the line: empty, when it has nobody.
  Targets ResolveInLine(const v1::Ladder::Level& level) {
    LookUp(level);
    return std::move(result_);
  }

 private:
  void LookUp(const v1::Ladder::Level& level) {
    const std::vector<std::string> wanted = Wanted(level);
    for (const std::string& who : wanted) Tell(who);
    result_.basis = level.target();
    // Of persons the line is walked; a queue, role or rota has only the departments above.
    const bool person =
        level.target() == "OWNER" || level.target() == "OWNER_MANAGER" || level.target() == "ACCOUNTABLE_MANAGER";
    if (!Found() && person && !wanted.empty()) TellManagers(wanted.front());
    if (!Found()) TellLeads();
  }

  bool Found() const { return !result_.principals.empty(); }

  bool Conflicted(const std::string& who) {
    if (workflow::ConflictOf(state_, who) == nullptr) return false;
    if (!absl::c_linear_search(result_.conflicted, who)) result_.conflicted.push_back(who);
    return true;
  }

  // False: not to be told, look further up.
  bool Tell(const std::string& who) {
    if (who.empty() || result_.principals.size() >= kMaxTargets || absl::c_linear_search(past_, who)) return false;
    if (Conflicted(who)) return false;
    std::string acting = policies_.absences().ActingFor(who, at_);
    // A deputy who left the directory stands in for nobody.
    if (acting.empty() || policies_.Principal(acting) == nullptr) acting = who;
    if (acting != who && (absl::c_linear_search(past_, acting) || Conflicted(acting))) return false;
    if (acting != who) result_.absent.push_back(who);
    if (!absl::c_linear_search(result_.principals, acting)) result_.principals.push_back(acting);
    return true;
  }

  std::string ManagerOf(const std::string& who) const {
    const v1::Principal* known = policies_.Principal(who);
    return known == nullptr ? "" : known->manager();
  }

  void TellManagers(std::string who) {
    for (int depth = 0; depth < kMaxLineDepth && !who.empty(); ++depth) {
      who = ManagerOf(who);
      if (!Tell(who)) continue;
      result_.basis = "MANAGER";
      return;
    }
  }

  void TellLeads() {
    std::string id = DepartmentOf(state_);
    for (int depth = 0; depth < kMaxLineDepth && !id.empty(); ++depth) {
      const v1::Department* department = policies_.Department(id);
      if (department == nullptr) return;
      if (Tell(department->lead())) {
        result_.basis = "DEPARTMENT_LEAD";
        return;
      }
      id = department->parent();
    }
  }

  void TellCompliance() {
    for (const std::string& who : HoldersOf("COMPLIANCE")) {
      if (Tell(who)) result_.basis = "COMPLIANCE";
    }
    if (Found()) return;
    // The department of the case may have left the directory.
    for (const v1::Principal& principal : policies_.directory().principals()) {
      if (absl::c_linear_search(principal.roles(), "COMPLIANCE") && Tell(principal.id())) result_.basis = "COMPLIANCE";
    }
  }

  // Holders of a role, by id, within the nearest department, upward from where the case stands, that has one who can be
  // told.
  std::vector<std::string> HoldersOf(const std::string& role) {
    std::vector<const v1::Principal*> all;
    for (const v1::Principal& principal : policies_.directory().principals()) {
      if (absl::c_linear_search(principal.roles(), role)) all.push_back(&principal);
    }
    std::string id = DepartmentOf(state_);
    for (int depth = 0; depth < kMaxLineDepth && !id.empty(); ++depth) {
      std::vector<std::string> holders;
      for (const v1::Principal* one : all) {
        if (policies_.IsWithin(one->department(), id)) holders.push_back(one->id());
      }
      std::sort(holders.begin(), holders.end());
      const bool reachable = absl::c_any_of(
          holders, [&](const std::string& who) { return !absl::c_linear_search(past_, who) && !Conflicted(who); });
      if (reachable) return holders;
      const v1::Department* department = policies_.Department(id);
      id = department == nullptr ? "" : department->parent();
    }
    return {};
  }

  std::string ManagerAbove(std::string who, uint32_t levels) const {
    for (uint32_t i = 0; i < std::max<uint32_t>(levels, 1); ++i) {
      const std::string above = ManagerOf(who);
      if (above.empty()) return i == 0 ? "" : who;  // the line ends below: its top
      who = above;
    }
    return who;
  }

  std::string AccountablePerson() const {
    if (!state_.accountable_principal().empty()) return state_.accountable_principal();
    const v1::Department* department = policies_.Department(state_.department());
    return department == nullptr ? "" : department->lead();
  }

  std::vector<std::string> Wanted(const v1::Ladder::Level& level) {
    const std::string& target = level.target();
    if (target == "OWNER") return One(state_.owner());
    if (target == "OWNER_MANAGER") return One(ManagerAbove(state_.owner(), level.levels_up()));
    if (target == "ACCOUNTABLE_MANAGER") return One(ManagerAbove(AccountablePerson(), level.levels_up()));
    if (target == "ROLE") return HoldersOf(level.role());
    if (target == "ROTA") return policies_.OnDuty(level.rota(), at_);
    if (target == "QUEUE_LEAD") {
      const v1::Queue* queue = policies_.Queue(state_.queue());
      return One(queue == nullptr ? "" : queue->lead());
    }
    return {};  // DEPARTMENT_LEAD: the first of the leads upward
  }

  static std::vector<std::string> One(const std::string& who) {
    return who.empty() ? std::vector<std::string>() : std::vector<std::string>{who};
  }

  const v1::Case& state_;
  const policy::PolicySet& policies_;
  const absl::Time at_;
  const std::vector<std::string>& past_;
  Targets result_;
};

}  // namespace

std::string DepartmentOf(const v1::Case& state) {
  return state.queue_department().empty() ? state.department() : state.queue_department();
}

Targets ResolveTargets(const v1::Ladder::Level& level, const v1::Case& state, const policy::PolicySet& policies,
                       absl::Time at, const std::vector<std::string>& past, const std::vector<std::string>& told) {
  if (!told.empty()) {
    std::vector<std::string> below = past;
    below.insert(below.end(), told.begin(), told.end());
    Targets above = Resolver(state, policies, at, below).ResolveInLine(level);
    if (!above.principals.empty()) return above;
  }
  return Resolver(state, policies, at, past).Resolve(level);
}

}  // namespace docket::escalation
