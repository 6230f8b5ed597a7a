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

// By case id: the order of filing.
absl::StatusOr<v1::ListCasesReply> ListCases(const Reader& reader, const v1::ListCasesRequest& request);

// In the order of work (DOMAIN 7).
absl::StatusOr<v1::ListQueueReply> ListQueue(const Reader& reader, const v1::ListQueueRequest& request);

// Unstopped duties, earliest first. `valid_at` now or later reads the index; the past is answered by folding every case
// as of then: exact, but its cost grows with the whole log, and each page pays it again. The header counts the first
// 2,000 matching rows of the index and says when there are more; replay counts all. kInvalidArgument PRINCIPAL_MISSING:
// MINE without an owner asked by nobody known.
absl::StatusOr<v1::ListDutiesReply> ListDuties(const Reader& reader, const v1::ListDutiesRequest& request);

// Unacknowledged first, oldest first.
absl::StatusOr<v1::ListEscalationsReply> ListEscalations(const Reader& reader,
                                                         const v1::ListEscalationsRequest& request);

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_LISTS_H_
