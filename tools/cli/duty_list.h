#ifndef DOCKET_TOOLS_CLI_DUTY_LIST_H_
#define DOCKET_TOOLS_CLI_DUTY_LIST_H_

#include <string>

#include "docket/v1/queue_service.pb.h"
#include "tools/cli/global_options.h"

namespace docket::cli {

// "Overdue: 12 late duties in 9 cases, 3 regulatory, the oldest late since …"; every figure "at least" when the count
// was cut short.
std::string OverdueHeader(const GlobalOptions& options, const v1::ListDutiesReply& reply);

// "3 regulatory". Of a count that was cut short no figure is an all-clear: "at least 3 regulatory", "regulatory: not
// counted".
std::string RegulatoryText(const v1::ListDutiesReply::Header& header);

// The rows of any duty list; with `waits` also for whom the case waits, since and until when.
void PrintDuties(GlobalOptions& options, const v1::ListDutiesReply& reply, bool waits = false);

}  // namespace docket::cli

#endif  // DOCKET_TOOLS_CLI_DUTY_LIST_H_
