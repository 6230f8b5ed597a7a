#ifndef DOCKET_WORKFLOW_CASE_OWED_ITEMS_H_
#define DOCKET_WORKFLOW_CASE_OWED_ITEMS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/command.pb.h"
#include "docket/v1/event.pb.h"
#include "workflow/case/draft.h"

// What somebody owes for a case by a date: asked, accepted, returned, done, refused, cancelled (R15). Every kind goes
// the same way; its clock is a metric with per_item of an SLA policy.
namespace docket::workflow {

inline constexpr int kMaxOwedItems = 512;  // per case, ended ones too

absl::Status DecideAskItem(Draft& draft, const v1::Command& command);
absl::Status DecideAcceptItem(Draft& draft, const v1::Command& command);
absl::Status DecideReturnItem(Draft& draft, const v1::Command& command);
absl::Status DecideCompleteItem(Draft& draft, const v1::Command& command);
absl::Status DecideRefuseItem(Draft& draft, const v1::Command& command);
absl::Status DecideCancelItem(Draft& draft, const v1::Command& command);

// Whether somebody still owes it.
bool IsOpen(const v1::OwedItem& item);

// Any of the OwedItem… events.
absl::Status ApplyOwedItemEvent(const v1::Event& event, uint32_t revision, v1::Case* state);

}  // namespace docket::workflow

#endif  // DOCKET_WORKFLOW_CASE_OWED_ITEMS_H_
