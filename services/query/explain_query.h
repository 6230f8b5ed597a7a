#ifndef DOCKET_SERVICES_QUERY_EXPLAIN_QUERY_H_
#define DOCKET_SERVICES_QUERY_EXPLAIN_QUERY_H_

#include "absl/status/statusor.h"
#include "docket/v1/queue_service.pb.h"
#include "services/query/reader.h"

namespace docket::query {

inline constexpr int kMaxExplainedIntervals = 4096;  // of one answer, and so the steps

// Why the due of a clock is what it is, as of any time. Reads every record of the case.
// kNotFound: CASE_NOT_FOUND, CLOCK_NOT_FOUND.
absl::StatusOr<v1::ExplainDueReply> ExplainDue(const Reader& reader, const v1::ExplainDueRequest& request);

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_EXPLAIN_QUERY_H_
