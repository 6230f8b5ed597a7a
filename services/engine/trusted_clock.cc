#include "services/engine/trusted_clock.h"

namespace docket::engine {

TrustedClock::TrustedClock(std::shared_ptr<Clock> inner, absl::Time not_before) : inner_(std::move(inner)) {
  const Reading reading = inner_->Read();
  good_wall_ = reading.wall;
  good_monotonic_ = reading.monotonic;
  if (good_wall_ < not_before - kMaxStep) {
    good_wall_ = not_before;
    suspect_ = true;
  }
}

Clock::Reading TrustedClock::LookLocked() const {
  const Reading reading = inner_->Read();
  if (suspect_) return reading;
  const absl::Duration step = (reading.wall - good_wall_) - (reading.monotonic - good_monotonic_);
  if (step > kMaxStep || step < -kMaxStep) {
    suspect_ = true;  // good_wall_ and good_monotonic_ stay: time goes on from there
    return reading;
  }
  good_wall_ = reading.wall;
  good_monotonic_ = reading.monotonic;
  return reading;
}

Clock::Reading TrustedClock::Read() const {
  const MutexLock lock(&mutex_);
  const absl::Duration monotonic = LookLocked().monotonic;
  // Whole microseconds: what is stored is what was decided with.
  return {absl::FromUnixMicros(absl::ToUnixMicros(good_wall_ + (monotonic - good_monotonic_))), monotonic};
}

bool TrustedClock::Suspect() const {
  const MutexLock lock(&mutex_);
  LookLocked();
  return suspect_;
}

absl::Duration TrustedClock::Deviation() const {
  const MutexLock lock(&mutex_);
  const Reading reading = LookLocked();
  if (!suspect_) return absl::ZeroDuration();
  return reading.wall - (good_wall_ + (reading.monotonic - good_monotonic_));
}

void TrustedClock::Accept() {
  const MutexLock lock(&mutex_);
  const Reading reading = inner_->Read();
  good_wall_ = reading.wall;
  good_monotonic_ = reading.monotonic;
  suspect_ = false;
}

}  // namespace docket::engine
