#ifndef DOCKET_WORKFLOW_CASE_ESCALATE_H_
#define DOCKET_WORKFLOW_CASE_ESCALATE_H_

#include "absl/status/status.h"
#include "docket/v1/command.pb.h"
#include "workflow/case/draft.h"

// Escalating by hand, granting it, acknowledging and closing.
namespace docket::workflow {

absl::Status DecideEscalate(Draft& draft, const v1::Command& command);
absl::Status DecideApproveEscalation(Draft& draft, const v1::Command& command);
absl::Status DecideDeclineEscalation(Draft& draft, const v1::Command& command);
absl::Status DecideAcknowledgeEscalation(Draft& draft, const v1::Command& command);
absl::Status DecideCloseEscalation(Draft& draft, const v1::Command& command);

}  // namespace docket::workflow

#endif  // DOCKET_WORKFLOW_CASE_ESCALATE_H_
