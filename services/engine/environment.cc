#include "services/engine/environment.h"

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "absl/time/clock.h"
#include "openssl/rand.h"
#include "workflow/base/check.h"

namespace docket::engine {
namespace {

class SystemClock : public Clock {
 public:
  absl::Time Now() const override { return absl::Now(); }

  absl::Duration Monotonic() const override {
    return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
  }

  void WaitFor(absl::Duration timeout) override {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait_for(lock, absl::ToChronoMicroseconds(timeout), [this] { return notified_; });
    notified_ = false;
  }

  void Notify() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    notified_ = true;
    changed_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool notified_ = false;
};

}  // namespace

std::shared_ptr<Clock> MakeSystemClock() { return std::make_shared<SystemClock>(); }

Randomness MakeSystemRandomness() {
  return [](size_t n) {
    std::string bytes(n, '\0');
    DOCKET_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(n)) == 1);
    return bytes;
  };
}

}  // namespace docket::engine
