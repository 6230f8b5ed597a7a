#ifndef DOCKET_TOOLS_BENCH_BENCH_H_
#define DOCKET_TOOLS_BENCH_BENCH_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tools/bench/measure.h"
#include "tools/bench/plant.h"
#include "tools/bench/report.h"

// The parts of the benchmark. Each adds its figures to the report. What is compared is measured in turns, because a
// machine's speed drifts by more than the differences looked for; a ratio is the median of the turns' ratios.
namespace docket::bench {

struct Options {
  std::string folder;  // on the disk to be measured
  std::string packs = "workflow/policy/packs";
  absl::Duration each = absl::Seconds(1);  // length of one turn
  int turns = 3;
  size_t cases = 20'000;
};

// One turn of 400-byte appends, each synced.
absl::StatusOr<Load> RunFdatasync(const Options& options);

// Echo beside Execute at 1, 8 and 64 outstanding; one client beside fdatasync and echo. `case_ids`: cases to write
// notes to.
absl::Status BenchUnary(const Options& options, Plant& plant, const std::vector<std::string>& case_ids,
                        Report* report);
// ExecuteStream beside RocksDB writing the same rows in synced batches.
absl::Status BenchExecuteStream(const Options& options, Plant& plant, const std::vector<std::string>& case_ids,
                                Report* report);

// ReadLog and ReadHistory beside a server that streams the same messages from memory.
absl::Status BenchStreams(const Options& options, Plant& plant, const std::string& long_case, Report* report);

// Folding the log, and rebuilding all views.
absl::Status BenchFold(Plant& plant, Report* report);
absl::Status BenchRebuild(Plant& plant, Report* report);

// Commands of 16 clients while nothing is due, and while `clocks` clocks that fell due at one instant are recorded.
absl::Status BenchDueAtOnce(Plant& plant, size_t clocks, Report* report);

// Pages of 100 of a plant with kFewCases open cases beside those of one with `options.cases`; and a page of the past
// beside that of now.
inline constexpr size_t kFewCases = 1000;
absl::Status BenchPages(const Options& options, Plant& few, Plant& many, Report* report);

// Bytes of the folder after a full compaction beside the bytes of the records in it. REQUIRES: nobody has it open.
absl::Status BenchDiskUse(const Options& options, uint64_t record_bytes, Report* report);

// Sum of the stored values of the log.
absl::StatusOr<uint64_t> RecordBytes(const store::EventLog& log);

}  // namespace docket::bench

#endif  // DOCKET_TOOLS_BENCH_BENCH_H_
