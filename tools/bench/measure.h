#ifndef DOCKET_TOOLS_BENCH_MEASURE_H_
#define DOCKET_TOOLS_BENCH_MEASURE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "docket/v1/case_service.grpc.pb.h"
#include "grpcpp/grpcpp.h"

// Clocks and loads.
namespace docket::bench {

class Stopwatch {
 public:
  absl::Duration elapsed() const { return absl::FromChrono(std::chrono::steady_clock::now() - start_); }

 private:
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Processor time of this process so far, all threads.
absl::Duration CpuTime();

struct Load {
  uint64_t calls = 0;
  uint64_t failures = 0;
  double per_second = 0;
  double p50_us = 0;
  double p99_us = 0;
  double cpu_us = 0;  // of this process per call, all threads; steadier than the rest on a machine with other work
};
// `latencies` in any order.
Load Summarise(std::vector<absl::Duration> latencies, absl::Duration elapsed);

// The middle one. REQUIRES: !values.empty().
double Median(std::vector<double> values);

// Runs `call` again and again for `duration`; false counts as a failure.
Load RunSerially(absl::Duration duration, const std::function<bool()>& call);

// Starts one asynchronous call and tells its end once.
using CallOnce = std::function<void(std::function<void(bool ok)> done)>;
// Keeps `outstanding` calls under way for `duration`, each started by one of `makers` (one per outstanding call).
Load RunOutstanding(absl::Duration duration, const std::vector<CallOnce>& makers);

}  // namespace docket::bench

#endif  // DOCKET_TOOLS_BENCH_MEASURE_H_
