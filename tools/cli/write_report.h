#ifndef DOCKET_TOOLS_CLI_WRITE_REPORT_H_
#define DOCKET_TOOLS_CLI_WRITE_REPORT_H_

#include "docket/v1/case_service.pb.h"
#include "tools/cli/global_options.h"

namespace docket::cli {

// What a write did: number, status, next duty and its due, what may be done now (asked of the server), commit and
// positions. With JSON the reply alone.
void ReportWrite(GlobalOptions& options, const v1::ExecuteReply& reply);

// The events a dry run says would happen.
void ReportDryRun(GlobalOptions& options, const v1::ExecuteReply& reply);

}  // namespace docket::cli

#endif  // DOCKET_TOOLS_CLI_WRITE_REPORT_H_
