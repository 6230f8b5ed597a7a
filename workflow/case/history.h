#ifndef DOCKET_WORKFLOW_CASE_HISTORY_H_
#define DOCKET_WORKFLOW_CASE_HISTORY_H_

#include "absl/status/status.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/command.pb.h"
#include "docket/v1/event.pb.h"
#include "workflow/case/draft.h"

// Imports (R18): what another system did is recorded as it was. No guard, window or missing edge refuses it; departures
// from the chart are written into the events.
namespace docket::workflow {

// `received` holds a CaseReceived made from `file`; its first row decides the status the case begins in.
absl::Status DecideHistoricalFile(Draft& draft, const v1::FileCase& file, const v1::Chart& chart, v1::Event received);
// A row at or before the recorded cursor emits nothing.
absl::Status DecideSourceRow(Draft& draft, const v1::Command& command);
absl::Status DecideEndHistory(Draft& draft, const v1::Command& command);

absl::Status ApplySourceRowRecorded(const v1::SourceRowRecorded& event, v1::Case* state);
absl::Status ApplyHistoryEnded(const v1::HistoryEnded& event, v1::Case* state);

}  // namespace docket::workflow

#endif  // DOCKET_WORKFLOW_CASE_HISTORY_H_
