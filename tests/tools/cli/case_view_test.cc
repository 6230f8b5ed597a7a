#include "tools/cli/case_view.h"

#include "gtest/gtest.h"
#include "workflow/base/time.h"

namespace docket::cli {
namespace {

const absl::Time kDue = absl::FromUnixSeconds(1'795'185'000);

v1::Clock Running() {
  v1::Clock clock;
  clock.set_nature(v1::DUTY);
  clock.set_state(v1::RUNNING);
  *clock.mutable_due_at() = ToProto(kDue);
  return clock;
}

TEST(ClockStands, ADutyIsLateAfterItsDueAndNotAtIt) {
  EXPECT_EQ(ClockStands(Running(), kDue - absl::Hours(3)), "3h left");
  EXPECT_EQ(ClockStands(Running(), kDue), "0s left");
  EXPECT_EQ(ClockStands(Running(), kDue + absl::Hours(3)), "late by 3h");
}

TEST(ClockStands, AWindowElapsesAndIsNeverLate) {
  v1::Clock window = Running();
  window.set_nature(v1::WINDOW);
  EXPECT_EQ(ClockStands(window, kDue + absl::Hours(3)), "elapsed");
}

TEST(ClockStands, APausedDutyWaitsAndLateStaysLate) {
  v1::Clock paused = Running();
  paused.set_state(v1::PAUSED);
  paused.clear_due_at();
  *paused.mutable_remaining() = ToProto(absl::Hours(2));
  EXPECT_EQ(ClockStands(paused, kDue), "waiting, 2h left");
  *paused.mutable_breached_due_at() = ToProto(kDue);
  EXPECT_EQ(ClockStands(paused, kDue + absl::Hours(1)), "late by 1h, waiting");
}

TEST(ClockStands, AFinishedDutyWasMetOrLate) {
  v1::Clock clock = Running();
  clock.set_state(v1::FULFILLED);
  EXPECT_EQ(ClockStands(clock, kDue), "late");
  clock.set_on_time(true);
  clock.set_provisional(true);
  EXPECT_EQ(ClockStands(clock, kDue), "met, provisional");
  clock.set_state(v1::CANCELLED);
  clock.set_cancel_cause("DECLINED");
  EXPECT_EQ(ClockStands(clock, kDue), "cancelled, DECLINED");
}

}  // namespace
}  // namespace docket::cli
