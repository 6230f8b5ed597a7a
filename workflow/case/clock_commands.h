#ifndef DOCKET_WORKFLOW_CASE_CLOCK_COMMANDS_H_
#define DOCKET_WORKFLOW_CASE_CLOCK_COMMANDS_H_

#include "absl/status/status.h"
#include "docket/v1/command.pb.h"
#include "workflow/case/draft.h"

// What people decide about single clocks and about the instant they count from (R5, R7, R10).
namespace docket::workflow {

absl::Status DecideCorrectReceivedAt(Draft& draft, const v1::Command& command);
absl::Status DecideExtendClock(Draft& draft, const v1::Command& command);
absl::Status DecideExemptClock(Draft& draft, const v1::Command& command);
absl::Status DecideJudgeLateEntry(Draft& draft, const v1::Command& command);
absl::Status DecideSetDue(Draft& draft, const v1::Command& command);
absl::Status DecideRollOut(Draft& draft, const v1::Command& command);

}  // namespace docket::workflow

#endif  // DOCKET_WORKFLOW_CASE_CLOCK_COMMANDS_H_
