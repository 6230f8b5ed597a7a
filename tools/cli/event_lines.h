#ifndef DOCKET_TOOLS_CLI_EVENT_LINES_H_
#define DOCKET_TOOLS_CLI_EVENT_LINES_H_

#include <string>

#include "docket/v1/case_service.pb.h"
#include "tools/cli/global_options.h"

namespace docket::cli {

// One event on one line, for feeds that have no end and so no columns to align:
// "41  Fri 2026-11-20 17:00  case 0191…  rev 3  StatusChanged  alice (claimed)  from=… entered=…  [entered late]".
std::string EventLine(const GlobalOptions& options, const v1::HistoryEvent& event);

}  // namespace docket::cli

#endif  // DOCKET_TOOLS_CLI_EVENT_LINES_H_
