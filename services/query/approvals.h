#ifndef DOCKET_SERVICES_QUERY_APPROVALS_H_
#define DOCKET_SERVICES_QUERY_APPROVALS_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "docket/v1/queue_service.pb.h"
#include "services/query/duty_page.h"
#include "services/query/list_scan.h"

// The preset APPROVALS of ListDuties: what waits for a second person, the longest first.
namespace docket::query {

// Both fill items, the header with the first page, and the place where the next page begins.
absl::Status ApprovalsFromIndex(const DutyQuestion& question, v1::ListDutiesReply* reply, std::optional<Place>* next);
absl::Status ApprovalsByReplay(const DutyQuestion& question, absl::Time known_at, v1::ListDutiesReply* reply,
                               std::optional<Place>* next);

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_APPROVALS_H_
