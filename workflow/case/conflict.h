#ifndef DOCKET_WORKFLOW_CASE_CONFLICT_H_
#define DOCKET_WORKFLOW_CASE_CONFLICT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/command.pb.h"
#include "docket/v1/event.pb.h"
#include "workflow/base/refusal.h"
#include "workflow/case/draft.h"

// Conflicts of interest and recusal (R12): principals who must not decide about a case.
namespace docket::workflow {

inline constexpr int kMaxConflicts = 64;  // the limit of Case.conflicts

// Adds CONFLICT_OF_INTEREST when `principal`, given in `field`, is in conflict with the case.
void CheckNoConflict(const v1::Case& state, absl::string_view field, const std::string& principal,
                     std::vector<Unmet>* unmet);

absl::Status DecideDeclareConflict(Draft& draft, const v1::Command& command);
absl::Status DecideClearConflict(Draft& draft, const v1::Command& command);

absl::Status ApplyConflictDeclared(const v1::Event& event, v1::Case* state);
absl::Status ApplyConflictCleared(const v1::ConflictCleared& event, v1::Case* state);

}  // namespace docket::workflow

#endif  // DOCKET_WORKFLOW_CASE_CONFLICT_H_
