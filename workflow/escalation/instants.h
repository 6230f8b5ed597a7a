#ifndef DOCKET_WORKFLOW_ESCALATION_INSTANTS_H_
#define DOCKET_WORKFLOW_ESCALATION_INSTANTS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "docket/v1/event.pb.h"
#include "docket/v1/policy.pb.h"
#include "workflow/policy/policy_set.h"

// Levels that fire at an instant of a clock. They ride on the warnings of the clock, so that pauses, resumptions and
// retargets move them by the walk that moves the due. Pure.
namespace docket::escalation {

// Without metrics a level is for every duty; a window has to be named.
bool AppliesToMetric(const v1::Ladder::Level& level, absl::string_view metric, v1::MetricNature nature);

// The warning that a clock of this nature has to give for the level; its `at` is unset. nullopt: the level needs none,
// for it fires at the breach or by no clock.
std::optional<v1::Warning> InstantOf(const v1::Ladder::Level& level, v1::MetricNature nature);

// Equal share or span, whoever wants it.
bool SameInstant(const v1::Warning& a, const v1::Warning& b);

// What the ladders in force at `at` want of a new clock: silent warnings, each once, in ladder and level order.
std::vector<v1::Warning> InstantsFor(const policy::PolicySet& policies, absl::string_view metric,
                                     v1::MetricNature nature, absl::Time at);

}  // namespace docket::escalation

#endif  // DOCKET_WORKFLOW_ESCALATION_INSTANTS_H_
