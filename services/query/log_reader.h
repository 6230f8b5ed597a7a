#ifndef DOCKET_SERVICES_QUERY_LOG_READER_H_
#define DOCKET_SERVICES_QUERY_LOG_READER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "docket/v1/audit_service.pb.h"
#include "services/query/event_matcher.h"
#include "services/query/event_writer.h"
#include "services/query/reader.h"

// The whole log in bounded messages.
namespace docket::query {

// The commit that holds `position`, by bisection: log2(commits) reads. REQUIRES: 1 <= position <= view.position.
absl::StatusOr<uint64_t> CommitOfPosition(const Reader& reader, uint64_t position);

// Appends the events of `record` at `from` and later that match, as elements of field `field` (repeated HistoryEvent),
// until `limit` is full or `through` is passed. Returns the last position looked at.
absl::StatusOr<uint64_t> AppendMatchingEvents(const Reader& reader, const EventMatcher& matcher,
                                              const v1::CommitRecord& record, uint64_t from, uint64_t through,
                                              int field, EventWriter* writer, BatchLimit* limit, std::string* out);

// Finite: ends at the position that was last when it was opened. Holds no snapshot between messages. Not thread-safe.
class LogReader {
 public:
  // kOutOfRange POSITION_BEYOND_END; kInvalidArgument for a filter that cannot be answered.
  static absl::StatusOr<LogReader> Open(const Reader& reader, const v1::ReadLogRequest& request);

  // The next docket.v1.ReadLogReply, serialised; possibly without events (scanned_position tells how far it looked).
  // nullopt: the end.
  absl::StatusOr<std::optional<std::string>> Next(const Reader& reader);

 private:
  explicit LogReader(EventMatcher matcher) : matcher_(std::move(matcher)) {}
  void AppendRaw(const std::string& stored, BatchLimit* limit, std::string* out);
  absl::Status AppendEvents(const Reader& reader, EventWriter* writer, BatchLimit* limit, std::string* out);

  EventMatcher matcher_;
  bool raw_ = false;
  uint64_t next_commit_ = 0;
  uint64_t next_position_ = 1;
  uint64_t last_position_ = 0;
  uint64_t remaining_ = UINT64_MAX;  // matching events still to answer
  v1::CommitRecord record_;          // the one being looked at; kept for its memory
};

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_LOG_READER_H_
