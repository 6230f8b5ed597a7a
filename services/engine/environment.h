#ifndef DOCKET_SERVICES_ENGINE_ENVIRONMENT_H_
#define DOCKET_SERVICES_ENGINE_ENVIRONMENT_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"

// What the engine takes from the outside world besides the store; injected so that tests own time and chance.
namespace docket::engine {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Both clocks at one instant, so that their difference tells a step of the wall clock and not a pause between two
  // readings.
  struct Reading {
    absl::Time wall;           // UTC
    absl::Duration monotonic;  // never steps; arbitrary origin
  };
  virtual Reading Read() const = 0;
  absl::Time Now() const { return Read().wall; }
  virtual absl::Duration Monotonic() const { return Read().monotonic; }
  // Blocks until Notify() is called or `timeout` of monotonic time has passed; spurious returns
  // are allowed. At most one waiter.
  virtual void WaitFor(absl::Duration timeout) = 0;
  virtual void Notify() = 0;
};
std::shared_ptr<Clock> MakeSystemClock();

// Thread-safe; `n` random bytes from the operating system (OpenSSL).
using Randomness = std::function<std::string(size_t n)>;
Randomness MakeSystemRandomness();

struct Environment {
  std::shared_ptr<Clock> clock;
  Randomness random;
};

}  // namespace docket::engine

#endif  // DOCKET_SERVICES_ENGINE_ENVIRONMENT_H_
