#ifndef DOCKET_SERVICES_QUERY_LOG_TAIL_H_
#define DOCKET_SERVICES_QUERY_LOG_TAIL_H_

#include <cstdint>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "docket/v1/record.pb.h"
#include "services/engine/engine.h"
#include "services/query/event_writer.h"
#include "services/query/reader.h"
#include "store/event_log.h"

namespace docket::query {

// Where somebody who follows the log for ever stands in it. Commits come from the feed while it holds the next one,
// from the log otherwise; nothing is kept between two steps, so nothing is lost or repeated at the hand-over, however
// slow the reader is. Not thread-safe.
class LogTail {
 public:
  // `from_position` 0: behind the last. kOutOfRange POSITION_BEYOND_END: more than one past the end.
  static absl::StatusOr<LogTail> Open(const Reader& reader, uint64_t from_position);

  // Looks at the events of `record` from `from` on and returns the last position looked at, which lies before the end
  // of the record only when the limit is full.
  using Visit = absl::FunctionRef<absl::StatusOr<uint64_t>(const v1::CommitRecord& record, uint64_t from)>;
  struct Step {
    bool moved = false;      // at least one position was looked at
    bool caught_up = false;  // the live end was reached in this step
    bool any() const { return moved || caught_up; }
  };
  // Visits commits below `end` (from Feed::next_commit) until `limit` is full or there are none.
  absl::StatusOr<Step> Advance(const engine::Engine& engine, uint64_t end, BatchLimit* limit, Visit visit);

  uint64_t progress() const { return next_position_ - 1; }  // last position looked at

 private:
  // From the feed, else from the log (then the tail is no longer caught up).
  absl::StatusOr<engine::Feed::Record> Fetch(const engine::Engine& engine, uint64_t end,
                                             std::unique_ptr<store::LogCursor>* cursor);

  uint64_t next_commit_ = 0;
  uint64_t next_position_ = 1;
  bool caught_up_ = false;
};

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_LOG_TAIL_H_
