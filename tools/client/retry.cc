#include "tools/client/retry.h"

#include <algorithm>

#include "tools/client/call_status.h"

namespace docket::client {

bool IsRetryable(const absl::Status& status) {
  if (status.ok()) return false;
  const CallFailure failure = Describe(status);
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      return failure.reason != "WRITES_DISABLED";
    case absl::StatusCode::kResourceExhausted:
      return failure.retry_after.has_value();
    case absl::StatusCode::kCancelled:
      return failure.reason.empty();
    default:
      return false;
  }
}

bool MayHaveTakenEffect(const absl::Status& status) {
  if (status.ok()) return true;
  const CallFailure failure = Describe(status);
  if (failure.not_connected) return false;
  if (!failure.reason.empty()) return failure.reason == "OUTCOME_UNKNOWN";
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kInternal:
      return true;
    default:
      return false;
  }
}

std::optional<absl::Duration> NextDelay(const RetryPolicy& policy, int attempt, const absl::Status& status,
                                        double random) {
  if (attempt >= policy.max_attempts || !IsRetryable(status)) return std::nullopt;
  absl::Duration delay = policy.first_delay;
  for (int i = 1; i < attempt && delay < policy.max_delay; ++i) delay *= 2;
  delay = std::min(delay, policy.max_delay) * (0.5 + 0.5 * random);
  const auto asked = Describe(status).retry_after;
  if (!asked.has_value()) return delay;
  if (*asked > policy.max_retry_after) return std::nullopt;
  // The jitter comes on top of what the server asked for: coming back early would only be refused again.
  return *asked + delay;
}

}  // namespace docket::client
