#include "tools/bench/measure.h"

#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "workflow/base/check.h"
#include "workflow/base/mutex.h"

namespace docket::bench {
namespace {

// The calls of one of several callers, one after another. Its fields are touched by one call at a time.
struct Caller {
  CallOnce start;
  std::vector<absl::Duration> latencies;
  uint64_t failures = 0;
};

class Round {
 public:
  Round(absl::Duration duration, const std::vector<CallOnce>& makers) : duration_(duration), at_work_(makers.size()) {
    for (const CallOnce& maker : makers) callers_.push_back({maker, {}, 0});
  }

  Load Run() {
    for (Caller& caller : callers_) Next(&caller);
    const MutexLock lock(&mutex_);
    while (at_work_ > 0) ended_.Wait(&mutex_);
    const absl::Duration elapsed = watch_.elapsed();
    std::vector<absl::Duration> all;
    uint64_t failures = 0;
    for (const Caller& caller : callers_) {
      all.insert(all.end(), caller.latencies.begin(), caller.latencies.end());
      failures += caller.failures;
    }
    Load load = Summarise(std::move(all), elapsed);
    load.failures = failures;
    load.cpu_us = absl::ToDoubleMicroseconds(CpuTime() - cpu_) / static_cast<double>(std::max<uint64_t>(load.calls, 1));
    return load;
  }

 private:
  void Next(Caller* caller) {
    caller->start([this, caller, watch = Stopwatch()](bool ok) {
      caller->latencies.push_back(watch.elapsed());
      caller->failures += !ok;
      if (watch_.elapsed() < duration_) return Next(caller);
      const MutexLock lock(&mutex_);
      if (--at_work_ == 0) ended_.NotifyOne();
    });
  }

  const absl::Duration duration_;
  const Stopwatch watch_;
  const absl::Duration cpu_ = CpuTime();
  std::vector<Caller> callers_;
  Mutex mutex_;
  CondVar ended_;
  size_t at_work_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::Duration CpuTime() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return absl::DurationFromTimeval(usage.ru_utime) + absl::DurationFromTimeval(usage.ru_stime);
}

Load Summarise(std::vector<absl::Duration> latencies, absl::Duration elapsed) {
  Load load;
  load.calls = latencies.size();
  if (latencies.empty()) return load;
  std::sort(latencies.begin(), latencies.end());
  load.per_second = static_cast<double>(latencies.size()) / absl::ToDoubleSeconds(elapsed);
  load.p50_us = absl::ToDoubleMicroseconds(latencies[latencies.size() / 2]);
  load.p99_us = absl::ToDoubleMicroseconds(latencies[latencies.size() * 99 / 100]);
  return load;
}

double Median(std::vector<double> values) {
  DOCKET_CHECK(!values.empty());
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

Load RunSerially(absl::Duration duration, const std::function<bool()>& call) {
  std::vector<absl::Duration> latencies;
  uint64_t failures = 0;
  const absl::Duration cpu = CpuTime();
  const Stopwatch all;
  while (all.elapsed() < duration) {
    const Stopwatch one;
    failures += !call();
    latencies.push_back(one.elapsed());
  }
  Load load = Summarise(std::move(latencies), all.elapsed());
  load.failures = failures;
  load.cpu_us = absl::ToDoubleMicroseconds(CpuTime() - cpu) / static_cast<double>(std::max<uint64_t>(load.calls, 1));
  return load;
}

Load RunOutstanding(absl::Duration duration, const std::vector<CallOnce>& makers) {
  return Round(duration, makers).Run();
}

}  // namespace docket::bench
