#include "tools/client/retry.h"

#include "gtest/gtest.h"
#include "tools/client/call_status.h"

namespace docket::client {
namespace {

absl::Status Refused(absl::StatusCode code, absl::string_view reason) { return Refuse(code, reason, "refused"); }

TEST(Retry, OnlyWhatCanChangeByItselfIsRetried) {
  EXPECT_TRUE(IsRetryable(absl::UnavailableError("connection reset")));
  EXPECT_TRUE(IsRetryable(Refused(absl::StatusCode::kUnavailable, "OUTCOME_UNKNOWN")));
  EXPECT_TRUE(IsRetryable(NotConnected("h:1")));
  EXPECT_TRUE(IsRetryable(absl::CancelledError("server shutting down")));
  EXPECT_TRUE(IsRetryable(
      WithRetryAfter(Refused(absl::StatusCode::kResourceExhausted, "OVERLOADED"), absl::Milliseconds(10))));
  EXPECT_FALSE(IsRetryable(absl::OkStatus()));
  EXPECT_FALSE(IsRetryable(Refused(absl::StatusCode::kUnavailable, "WRITES_DISABLED")));
  EXPECT_FALSE(IsRetryable(absl::ResourceExhaustedError("message larger than max")));
  EXPECT_FALSE(IsRetryable(Refused(absl::StatusCode::kFailedPrecondition, "GUARD_UNMET")));
  EXPECT_FALSE(IsRetryable(Refused(absl::StatusCode::kAborted, "REVISION_MISMATCH")));
  EXPECT_FALSE(IsRetryable(absl::DeadlineExceededError("late")));
}

TEST(Retry, DelaysDoubleUpToTheLargestAndJitterHalvesThemAtMost) {
  const RetryPolicy policy{.max_attempts = 10, .first_delay = absl::Milliseconds(50),
                           .max_delay = absl::Milliseconds(300)};
  const absl::Status lost = absl::UnavailableError("lost");
  EXPECT_EQ(NextDelay(policy, 1, lost, 1.0), absl::Milliseconds(50));
  EXPECT_EQ(NextDelay(policy, 2, lost, 1.0), absl::Milliseconds(100));
  EXPECT_EQ(NextDelay(policy, 3, lost, 1.0), absl::Milliseconds(200));
  EXPECT_EQ(NextDelay(policy, 4, lost, 1.0), absl::Milliseconds(300));
  EXPECT_EQ(NextDelay(policy, 9, lost, 1.0), absl::Milliseconds(300));
  EXPECT_EQ(NextDelay(policy, 1, lost, 0.0), absl::Milliseconds(25));
}

TEST(Retry, TheLastAttemptIsTheLast) {
  const RetryPolicy policy{.max_attempts = 3};
  EXPECT_TRUE(NextDelay(policy, 2, absl::UnavailableError("lost"), 0).has_value());
  EXPECT_FALSE(NextDelay(policy, 3, absl::UnavailableError("lost"), 0).has_value());
}

TEST(Retry, TheServersDelayIsALowerBound) {
  const RetryPolicy policy{.first_delay = absl::Milliseconds(50)};
  const absl::Status busy =
      WithRetryAfter(Refused(absl::StatusCode::kResourceExhausted, "OVERLOADED"), absl::Seconds(2));
  EXPECT_EQ(NextDelay(policy, 1, busy, 1.0), absl::Milliseconds(2050));
}

TEST(Retry, AServerThatAsksForTooLongIsNotWaitedFor) {
  const RetryPolicy policy{.max_retry_after = absl::Seconds(30)};
  const absl::Status full = Refused(absl::StatusCode::kResourceExhausted, "DISK_RESERVE");
  EXPECT_TRUE(NextDelay(policy, 1, WithRetryAfter(full, absl::Seconds(30)), 0).has_value());
  EXPECT_FALSE(NextDelay(policy, 1, WithRetryAfter(full, absl::Seconds(31)), 0).has_value());
}

TEST(Retry, OnlyALostAnswerMayHaveTakenEffect) {
  EXPECT_TRUE(MayHaveTakenEffect(absl::UnavailableError("connection reset")));
  EXPECT_TRUE(MayHaveTakenEffect(absl::DeadlineExceededError("late")));
  EXPECT_TRUE(MayHaveTakenEffect(Refused(absl::StatusCode::kUnavailable, "OUTCOME_UNKNOWN")));
  EXPECT_FALSE(MayHaveTakenEffect(Refused(absl::StatusCode::kUnavailable, "WRITES_DISABLED")));
  EXPECT_FALSE(MayHaveTakenEffect(NotConnected("h:1")));
  EXPECT_FALSE(MayHaveTakenEffect(Refused(absl::StatusCode::kFailedPrecondition, "GUARD_UNMET")));
}

}  // namespace
}  // namespace docket::client
