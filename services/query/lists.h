#ifndef DOCKET_SERVICES_QUERY_LISTS_H_
#define DOCKET_SERVICES_QUERY_LISTS_H_

#include "absl/status/statusor.h"
#include "docket/v1/case_service.pb.h"
#include "docket/v1/queue_service.pb.h"
#include "services/query/reader.h"

// The lists: one index range each, paged by key, bounded by ScanBudget; replies name the position they are true at.
// All refuse names that nobody ever had (INVALID_ARGUMENT UNKNOWN_DEPARTMENT, UNKNOWN_QUEUE, …; filter_names.h), a
// token of another question (INVALID_ARGUMENT PAGE_TOKEN_MISMATCH) and a min_position not readable yet (kUnavailable
// POSITION_NOT_REACHED).
namespace docket::query {

// By case id: the order of filing. A valid_at of the past is answered from the rows of the past; a known_at by replay.
absl::StatusOr<v1::ListCasesReply> ListCases(const Reader& reader, const v1::ListCasesRequest& request);

// In the order of work (DOMAIN 7).
absl::StatusOr<v1::ListQueueReply> ListQueue(const Reader& reader, const v1::ListQueueRequest& request);

// Queues, duties, escalations and control lists are answered as of any valid_at, past or future, from the index. A
// known_at of the past is answered by folding every case as of then: exact, but its cost grows with the whole log, and
// each page pays it again.

// Unstopped duties, earliest first; WAITING_DUTIES: the longest wait first; APPROVALS: what waits for a second person,
// the longest first. The header counts the first 2,000 matching rows of the index and says when there are more; replay
// counts all. kInvalidArgument PRINCIPAL_MISSING: MINE without an owner asked by nobody known.
absl::StatusOr<v1::ListDutiesReply> ListDuties(const Reader& reader, const v1::ListDutiesRequest& request);

// Unacknowledged first, oldest first.
absl::StatusOr<v1::ListEscalationsReply> ListEscalations(const Reader& reader,
                                                         const v1::ListEscalationsRequest& request);

// In the order that ControlList says.
absl::StatusOr<v1::ListControlReply> ListControl(const Reader& reader, const v1::ListControlRequest& request);

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_LISTS_H_
