#ifndef DOCKET_WORKFLOW_CASE_DECISION_H_
#define DOCKET_WORKFLOW_CASE_DECISION_H_

#include <cstdint>

#include "absl/status/status.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/command.pb.h"
#include "docket/v1/event.pb.h"
#include "workflow/case/draft.h"

// Findings, decisions, resolutions on the spot.
namespace docket::workflow {

absl::Status DecideDraftDecision(Draft& draft, const v1::Command& command);
absl::Status DecideIssueDecision(Draft& draft, const v1::Command& command);
absl::Status DecideResolveOnTheSpot(Draft& draft, const v1::Command& command);

absl::Status ApplyDecisionDrafted(const v1::Event& event, uint32_t revision, v1::Case* state);
absl::Status ApplyDecisionIssued(const v1::Event& event, v1::Case* state);
absl::Status ApplyResolutionAccepted(const v1::ResolutionAccepted& event, v1::Case* state);

}  // namespace docket::workflow

#endif  // DOCKET_WORKFLOW_CASE_DECISION_H_
