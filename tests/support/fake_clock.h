#ifndef DOCKET_TESTS_SUPPORT_FAKE_CLOCK_H_
#define DOCKET_TESTS_SUPPORT_FAKE_CLOCK_H_

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "absl/time/time.h"
#include "services/engine/environment.h"

namespace docket::testing {

// Time that moves only when a test says so. Thread-safe. WaitFor returns on Notify, on Advance past its end, never by
// itself.
class FakeClock : public engine::Clock {
 public:
  explicit FakeClock(absl::Time now) : now_(now) {}

  Reading Read() const override {
    const std::lock_guard<std::mutex> lock(mutex_);
    return {now_, monotonic_};
  }

  void WaitFor(absl::Duration timeout) override {
    std::unique_lock<std::mutex> lock(mutex_);
    const absl::Duration end = monotonic_ + timeout;
    ++waits_;
    waiting_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return notified_ || monotonic_ >= end; });
    waiting_ = false;
    notified_ = false;
  }
  void Notify() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    notified_ = true;
    changed_.notify_all();
  }

  // Both clocks go on together: nothing suspicious.
  void Advance(absl::Duration by) {
    const std::lock_guard<std::mutex> lock(mutex_);
    now_ += by;
    monotonic_ += by;
    notified_ = true;
    changed_.notify_all();
  }
  void AdvanceTo(absl::Time time) { Advance(time - Now()); }
  // Only the wall clock moves: a step.
  void Step(absl::Duration by) {
    const std::lock_guard<std::mutex> lock(mutex_);
    now_ += by;
    notified_ = true;
    changed_.notify_all();
  }
  uint64_t waits() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return waits_;
  }
  // Blocks until the waiter has seen everything so far and sleeps again.
  void UntilAsleep() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ && !notified_; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  absl::Time now_;
  absl::Duration monotonic_;
  bool notified_ = false;
  bool waiting_ = false;
  uint64_t waits_ = 0;
};

// Every reading is a second later, so that any budget of time is spent at once. For one thread.
class RacingClock : public engine::Clock {
 public:
  Reading Read() const override { return {absl::UnixEpoch(), absl::Seconds(++calls_)}; }
  void WaitFor(absl::Duration) override {}
  void Notify() override {}

 private:
  mutable int calls_ = 0;
};

}  // namespace docket::testing

#endif  // DOCKET_TESTS_SUPPORT_FAKE_CLOCK_H_
