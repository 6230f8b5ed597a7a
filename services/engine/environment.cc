#include "services/engine/environment.h"

#include <chrono>

#include "absl/time/clock.h"
#include "openssl/rand.h"
#include "workflow/base/check.h"
#include "workflow/base/mutex.h"

namespace docket::engine {
namespace {

// Far below the step that makes a clock SUSPECT, far above what two system calls take.
constexpr absl::Duration kMaxReadingTime = absl::Milliseconds(100);

class SystemClock : public Clock {
 public:
  Reading Read() const override {
    for (;;) {
      const absl::Duration before = Monotonic();
      const Reading reading{absl::Now(), Monotonic()};
      if (reading.monotonic - before < kMaxReadingTime) return reading;  // else the process was paused in between
    }
  }

  absl::Duration Monotonic() const override {
    return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
  }

  void WaitFor(absl::Duration timeout) override {
    const MutexLock lock(&mutex_);
    if (!notified_) changed_.WaitFor(&mutex_, timeout);  // a spurious return is allowed
    notified_ = false;
  }

  void Notify() override {
    const MutexLock lock(&mutex_);
    notified_ = true;
    changed_.NotifyOne();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool notified_ ABSL_GUARDED_BY(mutex_) = false;
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
