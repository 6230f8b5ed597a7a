#ifndef DOCKET_STORE_EVENT_LOG_H_
#define DOCKET_STORE_EVENT_LOG_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "docket/v1/record.pb.h"
#include "store/kv.h"

// The log: commits, gapless from 0, each stored once and never changed. Start here to understand store/.
namespace docket::store {

// SHA-256 of 0x00 || record bytes (format byte on): the Merkle leaf of RFC 6962 section 2.1.
using LeafHash = std::string;  // 32 bytes

// Where the log ends. For an empty log commits = 0, next_position = 1, recorded_at_us = 0, last_leaf = "".
struct LogHead {
  std::string log_id;  // 16 random bytes of this epoch
  uint64_t commits = 0;
  uint64_t next_position = 1;
  int64_t recorded_at_us = 0;
  LeafHash last_leaf;
};

// A commit ready to be appended: the record as it was encoded, once, by EncodeRecord (record_format.h).
struct EncodedCommit {
  uint64_t commit = 0;
  uint64_t first_position = 0;
  uint64_t next_position = 0;  // first_position + number of events
  int64_t recorded_at_us = 0;
  std::string stored;  // crc || format || record
  LeafHash leaf;
};

// Commits in order. Not thread-safe; sees the log as it was when it was made.
class LogCursor {
 public:
  virtual ~LogCursor() = default;
  // The next stored value (crc and format included, checked); nullopt: the end. kDataLoss: checksum or a gap.
  virtual absl::StatusOr<std::optional<std::string>> Next() = 0;
};

class EventLog {
 public:
  virtual ~EventLog() = default;

  // Thread-safe: the head as of the last durable append.
  virtual LogHead Head() const = 0;

  // Appends `commits`, which must follow the head without a gap, together with `rows` as ONE synced write. OK means on
  // disk and visible to new readers. Single writer.
  // REQUIRES: no row is of the log family. Without `commits` the rows are written alone.
  // kAborted: does not follow the head (somebody else appended); nothing written.
  // kResourceExhausted: disk reserve reached; nothing written. kUnavailable: outcome unknown, the log is latched.
  virtual absl::Status Append(const std::vector<EncodedCommit>& commits, KvBatch rows) = 0;

  // One stored value. kNotFound beyond the end, kDataLoss when its checksum is wrong.
  virtual absl::StatusOr<std::string> Read(uint64_t commit) const = 0;

  // From `commit` (may be the end) up to the head of now.
  virtual std::unique_ptr<LogCursor> ReadFrom(uint64_t commit) const = 0;
};

// A clean close and, while commits are appended, at most one write per this interval bring the high-water file up to
// date; a crash may leave it that much behind. What lies beyond it is checked commit by commit when opening.
inline constexpr std::chrono::seconds kHighWaterInterval{1};

// The log in the log family of a KvStore, with its high-water file (high_water.h).
struct LocalLogOptions {
  std::string high_water_path;  // empty: none (memory)
  std::string new_log_id;       // 16 random bytes, used only when the store is empty
  // Opens a log with commits but without its high-water file, which is refused otherwise. For an operator who lost that
  // file and has compared the log with a copy.
  bool accept_missing_high_water = false;
  std::function<std::chrono::steady_clock::time_point()> steady_now;  // null: the real one
};

// Creates the log when the store is empty. `store` must outlive it and have no other log. Closing (the destructor)
// writes the high-water mark.
// kDataLoss: the log is shorter than its high-water mark, another log than the one marked (both are named), the mark is
// missing or damaged, or the last commits do not verify. kUnavailable: the disk failed.
absl::StatusOr<std::unique_ptr<EventLog>> OpenLocalLog(KvStore* store, const LocalLogOptions& options);

}  // namespace docket::store

#endif  // DOCKET_STORE_EVENT_LOG_H_
