#ifndef DOCKET_WORKFLOW_SLA_CLOCK_DECISIONS_H_
#define DOCKET_WORKFLOW_SLA_CLOCK_DECISIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/event.pb.h"
#include "docket/v1/policy.pb.h"
#include "workflow/policy/policy_set.h"
#include "workflow/sla/clock_rules.h"

// What people decide about one clock (R5, R7, R10), as events to be applied in order at `at`. Pure. Whether they may is
// for the caller to ask, but for what the policy says. A breach that is due is recorded before anything else.
// `clock_no` must be a clock of the case.
namespace docket::sla {

// The extension that the clock's policy offers on this ground; null: none.
absl::StatusOr<const v1::MetricRule::Extension*> ExtensionOn(const v1::Clock& clock, absl::string_view ground,
                                                             const policy::PolicySet& policies);
// FAILED_PRECONDITION EXTENSION_NOT_LATER: it would not move the due.
absl::StatusOr<std::vector<v1::Event>> ExtendClock(const v1::Case& state, uint32_t clock_no,
                                                   const v1::MetricRule::Extension& extension, uint32_t told_revision,
                                                   absl::Time at, const policy::PolicySet& policies,
                                                   const Occasion& occasion);
absl::StatusOr<std::vector<v1::Event>> ExemptClock(const v1::Case& state, uint32_t clock_no, absl::string_view cause,
                                                   absl::string_view evidence_ref, absl::Time at,
                                                   const policy::PolicySet& policies, const Occasion& occasion);
// A due by hand; InfinitePast: the policy decides again.
absl::StatusOr<std::vector<v1::Event>> SetDue(const v1::Case& state, uint32_t clock_no, absl::Time due, absl::Time at,
                                              const policy::PolicySet& policies, const Occasion& occasion);
absl::StatusOr<std::vector<v1::Event>> AnnulBreach(const v1::Case& state, uint32_t clock_no, absl::string_view cause,
                                                   absl::Time at, const policy::PolicySet& policies,
                                                   const Occasion& occasion);
// One retarget for every unfinished clock that pins an older version than the plan's; none: nothing to do.
absl::StatusOr<std::vector<v1::Event>> RollOut(const v1::Case& state, const v1::PolicyRolloutPlanned& plan,
                                               absl::Time at, const policy::PolicySet& policies,
                                               const Occasion& occasion);

}  // namespace docket::sla

#endif  // DOCKET_WORKFLOW_SLA_CLOCK_DECISIONS_H_
