#ifndef DOCKET_TOOLS_BENCH_RAW_ROWS_H_
#define DOCKET_TOOLS_BENCH_RAW_ROWS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "store/kv.h"

namespace docket::bench {

struct Options;

// The rows that an engine writes for notes, recorded once, to be written again by RocksDB with nothing around it.
class RawRows {
 public:
  static constexpr size_t kCommandsPerWrite = 256;  // as many as the writer takes into a group

  // Lets an engine over memory do the work.
  static absl::StatusOr<RawRows> Record(const Options& options);

  // Commands per second of writing all of them to a new store in synced batches.
  absl::StatusOr<double> Write() const;

  double rows_per_command() const;

 private:
  std::string folder_;
  std::vector<store::KvBatch> batches_;
  size_t commands_ = 0;
};

}  // namespace docket::bench

#endif  // DOCKET_TOOLS_BENCH_RAW_ROWS_H_
