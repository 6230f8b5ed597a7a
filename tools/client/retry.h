#ifndef DOCKET_TOOLS_CLIENT_RETRY_H_
#define DOCKET_TOOLS_CLIENT_RETRY_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace docket::client {

// When a call is tried again. The waits double from `first_delay` up to `max_delay`, each scaled by a random factor in
// [0.5, 1] so that many clients do not return together; a RetryInfo of the server is a lower bound.
struct RetryPolicy {
  int max_attempts = 5;  // in all; 1: never retry
  absl::Duration first_delay = absl::Milliseconds(50);
  absl::Duration max_delay = absl::Seconds(2);
  absl::Duration max_retry_after = absl::Seconds(30);  // a server that asks for more is not waited for
};

// Whether repeating the same call unchanged (writes: with the same request_id) can succeed: UNAVAILABLE except
// WRITES_DISABLED, which lasts until somebody repairs the server; RESOURCE_EXHAUSTED that says when to come back; and a
// call cut off by a server shutting down (CANCELLED without a reason).
bool IsRetryable(const absl::Status& status);

// Whether a write that ended like this may have taken effect.
bool MayHaveTakenEffect(const absl::Status& status);

// How long to wait before attempt number `attempt` + 1 (attempts count from 1); nullopt: give up. `random` in [0, 1).
std::optional<absl::Duration> NextDelay(const RetryPolicy& policy, int attempt, const absl::Status& status,
                                        double random);

}  // namespace docket::client

#endif  // DOCKET_TOOLS_CLIENT_RETRY_H_
