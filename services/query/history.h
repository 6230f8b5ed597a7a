#ifndef DOCKET_SERVICES_QUERY_HISTORY_H_
#define DOCKET_SERVICES_QUERY_HISTORY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "docket/v1/audit_service.pb.h"
#include "services/query/case_fold.h"
#include "services/query/event_writer.h"
#include "services/query/reader.h"

namespace docket::query {

// The events of one case in bounded messages. Finite: ends at the revision that was last when it was opened. Holds no
// snapshot between messages. Not thread-safe.
class HistoryReader {
 public:
  // kNotFound CASE_NOT_FOUND; kOutOfRange REVISION_BEYOND_END.
  static absl::StatusOr<HistoryReader> Open(const Reader& reader, const v1::ReadHistoryRequest& request);

  // The next docket.v1.ReadHistoryReply (at least one entry), serialised; nullopt: the end.
  absl::StatusOr<std::optional<std::string>> Next(const Reader& reader);

 private:
  explicit HistoryReader(const std::string& case_id) : case_id_(case_id), fold_(case_id, AsOf{}) {}
  // Without states, starts at the commit that holds `next_revision_`.
  absl::Status SkipToFirst(const Reader& reader);
  absl::Status AppendEntry(const Reader& reader, const CaseEvent& one, EventWriter* writer, BatchLimit* limit,
                           std::string* out);

  std::string case_id_;
  std::vector<uint64_t> commits_;
  size_t next_commit_ = 0;      // index in commits_
  uint32_t next_revision_ = 1;  // first revision not yet answered
  uint32_t last_revision_ = 0;
  bool with_state_ = false;
  CaseFold fold_;
  v1::CommitRecord record_;  // the one being looked at; kept for its memory
};

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_HISTORY_H_
