#ifndef DOCKET_STORE_HIGH_WATER_H_
#define DOCKET_STORE_HIGH_WATER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// How far the log is known to have reached, in a file of its own. RocksDB cannot know how much it acknowledged: delete
// its WAL and it opens, content, without the commits that were in it. This file remembers.
namespace docket::store {

struct HighWater {
  std::string log_id;     // 16 bytes
  uint64_t commits = 0;   // the log held at least so many
  std::string last_leaf;  // leaf hash of commit `commits` - 1; "" when commits is 0
};

// The file's text: four lines "docket-high-water 1", "log_id HEX", "commits N", "leaf HEX" and "crc32c HEX" over them.
std::string FormatHighWater(const HighWater& mark);
// kDataLoss: not exactly what FormatHighWater makes.
absl::StatusOr<HighWater> ParseHighWater(absl::string_view text);

// nullopt: no such file. kDataLoss: damaged. kUnavailable: cannot be read.
absl::StatusOr<std::optional<HighWater>> ReadHighWater(const std::string& path);

// Replaces the file as a whole: a temporary file is written, synced, renamed over it and its folder synced, so that a
// crash leaves the old mark or the new one. kUnavailable: the disk failed; the old mark is then still good.
absl::Status WriteHighWater(const std::string& path, const HighWater& mark);

}  // namespace docket::store

#endif  // DOCKET_STORE_HIGH_WATER_H_
