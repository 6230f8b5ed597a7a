#ifndef DOCKET_SERVICES_ENGINE_TRUSTED_CLOCK_H_
#define DOCKET_SERVICES_ENGINE_TRUSTED_CLOCK_H_

#include <memory>

#include "absl/time/time.h"
#include "services/engine/environment.h"
#include "workflow/base/mutex.h"

// A wall clock that is not believed when it steps (R13). Between two looks the wall clock may move against monotonic
// time by at most kMaxStep; beyond that the clock is SUSPECT and Now() goes on from the last good reading by monotonic
// time, until Accept(). Thread-safe.
namespace docket::engine {

class TrustedClock : public Clock {
 public:
  static constexpr absl::Duration kMaxStep = absl::Minutes(5);

  // Time never begins before `not_before` (the last recorded_at of the log): a wall clock far behind it is SUSPECT.
  TrustedClock(std::shared_ptr<Clock> inner, absl::Time not_before);

  Reading Read() const override;
  absl::Duration Monotonic() const override { return inner_->Monotonic(); }
  void WaitFor(absl::Duration timeout) override { inner_->WaitFor(timeout); }
  void Notify() override { inner_->Notify(); }

  bool Suspect() const;
  absl::Duration Deviation() const;  // wall clock minus trusted time while SUSPECT, else zero
  // Believes the wall clock as it is now.
  void Accept();

 private:
  // What the inner clock says; latches SUSPECT.
  Reading LookLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::shared_ptr<Clock> inner_;
  mutable Mutex mutex_;
  mutable absl::Time good_wall_ ABSL_GUARDED_BY(mutex_);
  mutable absl::Duration good_monotonic_ ABSL_GUARDED_BY(mutex_);
  mutable bool suspect_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace docket::engine

#endif  // DOCKET_SERVICES_ENGINE_TRUSTED_CLOCK_H_
