#ifndef DOCKET_WORKFLOW_CASE_INTAKE_H_
#define DOCKET_WORKFLOW_CASE_INTAKE_H_

#include "absl/status/status.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/command.pb.h"
#include "docket/v1/event.pb.h"
#include "workflow/case/draft.h"

// Filing, admitting, classifying and prioritising a case.
namespace docket::workflow {

// The tiers a case may have (DOMAIN 7), and how refusals name them.
inline constexpr const char* kTiers[] = {"VIP", "MAIN", "ORDINARY", "SMALL"};
inline constexpr char kTiersInWords[] = "VIP, MAIN, ORDINARY or SMALL";

absl::Status DecideFile(Draft& draft, const v1::Command& command);
absl::Status DecideAccept(Draft& draft, const v1::Command& command);
absl::Status DecideDecline(Draft& draft, const v1::Command& command);
absl::Status DecideTriage(Draft& draft, const v1::Command& command);
absl::Status DecideSetPriority(Draft& draft, const v1::Command& command);
absl::Status DecideClassify(Draft& draft, const v1::Command& command);

absl::Status ApplyCaseReceived(const v1::Event& event, v1::Case* state);
absl::Status ApplyCaseAccepted(const v1::CaseAccepted& event, v1::Case* state);
absl::Status ApplyCaseDeclined(const v1::CaseDeclined& event, v1::Case* state);
absl::Status ApplyCaseTriaged(const v1::CaseTriaged& event, v1::Case* state);
absl::Status ApplyPrioritySet(const v1::PrioritySet& event, v1::Case* state);
absl::Status ApplyCaseClassified(const v1::CaseClassified& event, v1::Case* state);
absl::Status ApplyPromisedDueSet(const v1::PromisedDueSet& event, v1::Case* state);

}  // namespace docket::workflow

#endif  // DOCKET_WORKFLOW_CASE_INTAKE_H_
