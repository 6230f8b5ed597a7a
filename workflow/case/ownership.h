#ifndef DOCKET_WORKFLOW_CASE_OWNERSHIP_H_
#define DOCKET_WORKFLOW_CASE_OWNERSHIP_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/command.pb.h"
#include "docket/v1/event.pb.h"
#include "workflow/base/refusal.h"
#include "workflow/case/draft.h"

// Queue, handler, accountable department, transfers.
namespace docket::workflow {

// Adds a BadField naming the nearest known name when the directory does not know `id`.
void CheckDepartment(const DecideContext& context, absl::string_view field, const std::string& id,
                     std::vector<BadField>* bad);
void CheckQueue(const DecideContext& context, absl::string_view field, const std::string& id,
                std::vector<BadField>* bad);
void CheckPrincipal(const DecideContext& context, absl::string_view field, const std::string& id,
                    std::vector<BadField>* bad);

// The event that puts the case into a queue of the directory; it stands there since `since`.
v1::CaseQueued QueuedIn(const Draft& draft, const std::string& queue, absl::Time since);
// `skills` and `rule`: of the routing rule that chose the queue, if one did.
absl::Status EmitQueued(Draft& draft, const std::string& queue, const std::vector<std::string>& skills = {},
                        const std::string& rule = "");
// Why a case may not be put into `queue` as it stands.
void AddUnmetForQueue(const Draft& draft, absl::string_view verb, const std::string& queue, std::vector<Unmet>* unmet);
// Why who asks may not answer the transfer, or not by accepting it.
std::vector<Unmet> UnmetForTransferAnswer(const Draft& draft, bool accepts);
absl::Status EmitDequeued(Draft& draft);
absl::Status EmitAssigned(Draft& draft, const std::string& owner, v1::AssignMode mode);
absl::Status EmitReleased(Draft& draft);

absl::Status DecideQueue(Draft& draft, const v1::Command& command);
absl::Status DecideAssign(Draft& draft, const v1::Command& command);
absl::Status DecideTake(Draft& draft, const v1::Command& command);
absl::Status DecideRelease(Draft& draft, const v1::Command& command);
absl::Status DecideTransfer(Draft& draft, const v1::Command& command);
absl::Status DecideAcceptTransfer(Draft& draft, const v1::Command& command);
absl::Status DecideRefuseTransfer(Draft& draft, const v1::Command& command);

absl::Status ApplyCaseQueued(const v1::CaseQueued& event, v1::Case* state);
absl::Status ApplyCaseDequeued(v1::Case* state);
absl::Status ApplyOwnerAssigned(const v1::OwnerAssigned& event, v1::Case* state);
absl::Status ApplyOwnerReleased(v1::Case* state);
absl::Status ApplyAccountableOwnerSet(const v1::AccountableOwnerSet& event, v1::Case* state);
absl::Status ApplyCaseTransferred(const v1::Event& event, v1::Case* state);
absl::Status ApplyTransferEnded(v1::Case* state);

}  // namespace docket::workflow

#endif  // DOCKET_WORKFLOW_CASE_OWNERSHIP_H_
