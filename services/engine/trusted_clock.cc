#include "services/engine/trusted_clock.h"

namespace docket::engine {

TrustedClock::TrustedClock(std::shared_ptr<Clock> inner, absl::Time not_before)
    : inner_(std::move(inner)), good_wall_(inner_->Now()), good_monotonic_(inner_->Monotonic()) {
  if (good_wall_ < not_before - kMaxStep) {
    good_wall_ = not_before;
    suspect_ = true;
  }
}

void TrustedClock::LookLocked() const {
  if (suspect_) return;
  const absl::Time wall = inner_->Now();
  const absl::Duration monotonic = inner_->Monotonic();
  const absl::Duration step = (wall - good_wall_) - (monotonic - good_monotonic_);
  if (step > kMaxStep || step < -kMaxStep) {
    suspect_ = true;  // good_wall_ and good_monotonic_ stay: time goes on from there
    return;
  }
  good_wall_ = wall;
  good_monotonic_ = monotonic;
}

absl::Time TrustedClock::Now() const {
  const MutexLock lock(&mutex_);
  LookLocked();
  // Whole microseconds: what is stored is what was decided with.
  return absl::FromUnixMicros(absl::ToUnixMicros(good_wall_ + (inner_->Monotonic() - good_monotonic_)));
}

bool TrustedClock::Suspect() const {
  const MutexLock lock(&mutex_);
  LookLocked();
  return suspect_;
}

absl::Duration TrustedClock::Deviation() const {
  const MutexLock lock(&mutex_);
  LookLocked();
  if (!suspect_) return absl::ZeroDuration();
  return inner_->Now() - (good_wall_ + (inner_->Monotonic() - good_monotonic_));
}

absl::Duration TrustedClock::Accept() {
  const absl::Duration deviation = Deviation();
  const MutexLock lock(&mutex_);
  good_wall_ = inner_->Now();
  good_monotonic_ = inner_->Monotonic();
  suspect_ = false;
  return deviation;
}

}  // namespace docket::engine
