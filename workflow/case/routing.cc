#include "workflow/case/routing.h"

#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/case/facts.h"
#include "workflow/case/ownership.h"
#include "workflow/case/status.h"
#include "workflow/policy/condition.h"

namespace docket::workflow {

Route RouteFor(const v1::Case& state, const policy::PolicySet& policies, absl::Time at) {
  const v1::CaseFacts facts = BuildFacts(state);
  for (const policy::Published<v1::Routing>* routing : policies.Routings(at)) {
    for (const v1::Routing::Rule& rule : routing->value->rules()) {
      // A queue that has left the directory since takes nothing in.
      if (!policy::Evaluate(rule.when(), {.case_facts = &facts}) || policies.Queue(rule.queue()) == nullptr) continue;
      return {.queue = rule.queue(),
              .skills = {rule.skills().begin(), rule.skills().end()},
              .rule = absl::StrCat(routing->pin.id(), "@", routing->pin.version())};
    }
  }
  return {};
}

absl::Status DecideRoute(Draft& draft, const v1::Command& command) {
  const v1::Case& state = draft.state();
  const Route route = RouteFor(state, *draft.context().policies, draft.InForce(draft.context().effective));
  std::vector<Unmet> unmet;
  if (route.queue.empty()) {
    unmet.push_back({"NO_ROUTE", "no routing rule holds for this case", "queue"});
  } else {
    AddUnmetForQueue(draft, "route", route.queue, &unmet);
  }
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  if (route.queue != state.queue()) DOCKET_RETURN_IF_ERROR(EmitQueued(draft, route.queue, route.skills, route.rule));
  return Follow(draft, transition);
}

}  // namespace docket::workflow
