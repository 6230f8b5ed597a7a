#ifndef DOCKET_SERVICES_ENGINE_ROLLOUT_H_
#define DOCKET_SERVICES_ENGINE_ROLLOUT_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "docket/v1/event.pb.h"
#include "docket/v1/policy_service.pb.h"
#include "services/engine/engine.h"
#include "store/event_log.h"

// Another version of a calendar or policy for clocks that run already (R10).
namespace docket::engine {

inline constexpr int kMaxRolloutChanges = 1000;  // told one by one; all are counted

// The plan of a rollout to `version` (0: the newest), not counted yet. NOT_FOUND POLICY_NOT_FOUND.
// FAILED_PRECONDITION ROLLOUT_KIND: neither CALENDAR nor SLA.
absl::StatusOr<v1::PolicyRolloutPlanned> MakeRolloutPlan(const policy::PolicySet& policies,
                                                         const v1::PlanRolloutRequest& request,
                                                         const std::string& planned_by);

// Counts what `plan` would do to the cases of `view`, as of `now`. `progress` is called now and then with the cases
// looked at and false ends it with kCancelled. Cost: every case is loaded.
absl::StatusOr<v1::PlanRolloutReply> PreviewRollout(const ReadView& view, const store::EventLog& log,
                                                    v1::PolicyRolloutPlanned plan, absl::Time now,
                                                    const std::function<bool(uint64_t done, uint64_t total)>& progress);

// Null: no such rollout.
const policy::Rollout* FindRollout(const policy::PolicySet& policies, const std::string& id);

// Whether the plan would change anything about a case.
bool ConcernsCase(const v1::Case& state, const v1::PolicyRolloutPlanned& plan);

}  // namespace docket::engine

#endif  // DOCKET_SERVICES_ENGINE_ROLLOUT_H_
