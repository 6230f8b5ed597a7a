#ifndef DOCKET_WORKFLOW_ESCALATION_TARGETS_H_
#define DOCKET_WORKFLOW_ESCALATION_TARGETS_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/policy.pb.h"
#include "workflow/policy/policy_set.h"

// Who hears of a level, settled when it fires. Pure.
namespace docket::escalation {

// The most principals one level is told to; of a role with more holders the first by id.
inline constexpr size_t kMaxTargets = 8;
// A directory has no circles; this bounds every walk up a line all the same.
inline constexpr int kMaxLineDepth = 64;

struct Targets {
  std::vector<std::string> principals;  // to be told; empty: nobody is left
  std::vector<std::string> absent;      // meant, but away: their deputies are among `principals`
  // The level's target, or where the way up ended: MANAGER, DEPARTMENT_LEAD, COMPLIANCE, NO_TARGET.
  std::string basis;
  std::vector<std::string> conflicted;  // passed over because of a conflict
};

// Whom `level` is for as the case stands and people are present at `at`. Somebody in conflict is passed over, upward:
// persons by their managers, everybody by the leads of the departments above, at the end by role COMPLIANCE. Somebody
// absent is stood in for by the deputy, unless that one is in conflict. Nobody of `past` is told: it is for somebody
// above them. Those of `told` are passed over too, as long as the line goes on above them; when it ends they hear again.
Targets ResolveTargets(const v1::Ladder::Level& level, const v1::Case& state, const policy::PolicySet& policies,
                       absl::Time at, const std::vector<std::string>& past, const std::vector<std::string>& told = {});

// Where the case stands: the department of its queue, else the accountable one.
std::string DepartmentOf(const v1::Case& state);

}  // namespace docket::escalation

#endif  // DOCKET_WORKFLOW_ESCALATION_TARGETS_H_
