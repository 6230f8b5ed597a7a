#ifndef DOCKET_TOOLS_CLI_APPROVAL_LIST_H_
#define DOCKET_TOOLS_CLI_APPROVAL_LIST_H_

#include <string>

#include "docket/v1/queue_service.pb.h"
#include "tools/cli/global_options.h"

namespace docket::cli {

// "Approvals: 3 wait for a second person in 2 cases, 1 regulatory, the longest since …"; "at least" when the count was
// cut short; and a line on rollouts of policies, which are approved elsewhere.
std::string ApprovalsHeader(const GlobalOptions& options, const v1::ListDutiesReply& reply);

void PrintApprovals(GlobalOptions& options, const v1::ListDutiesReply& reply);

}  // namespace docket::cli

#endif  // DOCKET_TOOLS_CLI_APPROVAL_LIST_H_
