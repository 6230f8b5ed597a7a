#ifndef DOCKET_SERVICES_QUERY_DUTY_REPLAY_H_
#define DOCKET_SERVICES_QUERY_DUTY_REPLAY_H_

#include <string>

#include "absl/status/status.h"
#include "docket/v1/queue_service.pb.h"
#include "services/query/page_token.h"
#include "services/query/reader.h"

namespace docket::query {

// Fills items, header and next_page_token of a ListDuties about the past: folds every case as of the cursor's times,
// one after another, and keeps only the rows of the page. Takes time proportional to the log, memory to the page. The
// header is always complete; it comes with the first page only. kResourceExhausted REPLAY_BUSY: the reader's gate is
// full. kCancelled: nobody waits for the answer any more.
absl::Status DutiesByReplay(const Reader& reader, const v1::ListDutiesRequest& request, const std::string& query_digest,
                            Cursor cursor, v1::ListDutiesReply* reply);

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_DUTY_REPLAY_H_
