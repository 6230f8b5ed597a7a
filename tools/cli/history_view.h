#ifndef DOCKET_TOOLS_CLI_HISTORY_VIEW_H_
#define DOCKET_TOOLS_CLI_HISTORY_VIEW_H_

#include <iosfwd>

#include "docket/v1/audit_service.pb.h"
#include "tools/cli/global_options.h"

// Every event of a case, one row each.
namespace docket::cli {

void PrintHistory(GlobalOptions& options, const v1::ReadHistoryReply& history);

// The same as CSV (csv_output.h). No two kinds of events have the same fields, so what an event says is one column of
// words.
void PrintHistoryCsvHeader(std::ostream& out);
void PrintHistoryCsv(const v1::ReadHistoryReply& history, std::ostream& out);

}  // namespace docket::cli

#endif  // DOCKET_TOOLS_CLI_HISTORY_VIEW_H_
