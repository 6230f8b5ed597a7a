#ifndef DOCKET_WORKFLOW_CASE_ROUTING_H_
#define DOCKET_WORKFLOW_CASE_ROUTING_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/command.pb.h"
#include "workflow/case/draft.h"
#include "workflow/policy/policy_set.h"

// Which queue a case belongs to by its facts.
namespace docket::workflow {

struct Route {
  std::string queue;  // "": no rule holds
  std::vector<std::string> skills;
  std::string rule;  // "standard@1"
};

// The first rule that holds for `state`, over the routing policies in force at `at`.
Route RouteFor(const v1::Case& state, const policy::PolicySet& policies, absl::Time at);

absl::Status DecideRoute(Draft& draft, const v1::Command& command);

}  // namespace docket::workflow

#endif  // DOCKET_WORKFLOW_CASE_ROUTING_H_
