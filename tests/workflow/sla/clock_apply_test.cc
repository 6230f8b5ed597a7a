#include "workflow/sla/clock_apply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/time/time.h"
#include "workflow/base/time.h"

namespace docket::sla {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

google::protobuf::Timestamp After(int hours) { return ToProto(kStart + absl::Hours(hours)); }

v1::Event EventAt(int hours) {
  v1::Event event;
  *event.mutable_occurred_at() = After(hours);
  return event;
}

v1::Event Attached() {
  v1::Event event = EventAt(0);
  v1::ClockAttached* attached = event.mutable_clock_attached();
  attached->set_metric("RESOLUTION");
  attached->set_cycle(1);
  attached->set_pausable(true);
  attached->set_answerable_rule("QUEUE");
  *attached->mutable_start_at() = After(0);
  *attached->mutable_due_at() = After(8);
  *attached->add_warnings()->mutable_at() = After(4);
  return event;
}

class ClockApply : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(ApplyClockEvent(Attached(), 7, &state_).ok()); }
  absl::Status Apply(const v1::Event& event) { return ApplyClockEvent(event, next_revision_++, &state_); }
  const v1::Clock& clock() const { return state_.clocks(0); }

  v1::Event Paused(int at, int since, int until) const {
    v1::Event event = EventAt(at);
    event.mutable_clock_paused()->set_clock_no(7);
    *event.mutable_clock_paused()->mutable_since() = After(since);
    if (until > 0) *event.mutable_clock_paused()->mutable_until() = After(until);
    if (until > 0) *event.mutable_clock_paused()->mutable_due_at() = After(8 + until - since);
    *event.mutable_clock_paused()->mutable_remaining() = ToProto(absl::Hours(8 - since));
    return event;
  }
  v1::Event Fulfilled(int at) const {
    v1::Event event = EventAt(at);
    event.mutable_clock_fulfilled()->set_clock_no(7);
    *event.mutable_clock_fulfilled()->mutable_stopped_at() = After(at);
    event.mutable_clock_fulfilled()->set_provisional(true);
    return event;
  }

  v1::Case state_;
  uint32_t next_revision_ = 8;
};

TEST_F(ClockApply, AttachingMakesARunningClockNamedByItsRevision) {
  EXPECT_EQ(clock().clock_no(), 7);
  EXPECT_EQ(clock().state(), v1::RUNNING);
  EXPECT_EQ(FromProto(clock().first_due_at()), kStart + absl::Hours(8));
  EXPECT_EQ(FromProto(clock().due_at()), kStart + absl::Hours(8));
  EXPECT_EQ(clock().answerable_rule(), "QUEUE");
}

TEST_F(ClockApply, AnOpenPauseClearsTheDueAndResumingSetsIt) {
  ASSERT_TRUE(Apply(Paused(3, 2, 0)).ok());
  EXPECT_EQ(clock().state(), v1::PAUSED);
  EXPECT_FALSE(clock().has_due_at());
  EXPECT_FALSE(clock().pauses(0).has_end());
  v1::Event resumed = EventAt(5);
  resumed.mutable_clock_resumed()->set_clock_no(7);
  *resumed.mutable_clock_resumed()->mutable_due_at() = After(11);
  *resumed.mutable_clock_resumed()->mutable_paused_until() = After(5);
  ASSERT_TRUE(Apply(resumed).ok());
  EXPECT_EQ(clock().state(), v1::RUNNING);
  EXPECT_EQ(FromProto(clock().pauses(0).end()), kStart + absl::Hours(5));
  EXPECT_EQ(FromProto(clock().due_at()), kStart + absl::Hours(11));
  EXPECT_FALSE(clock().has_remaining());
  EXPECT_EQ(FromProto(clock().first_due_at()), kStart + absl::Hours(8));
}

TEST_F(ClockApply, AStopEndsThePauseInForceAndDropsOneThatHadNotBegun) {
  v1::Case copy = state_;
  ASSERT_TRUE(Apply(Paused(3, 2, 6)).ok());
  ASSERT_TRUE(Apply(Fulfilled(4)).ok());
  EXPECT_EQ(FromProto(clock().pauses(0).end()), kStart + absl::Hours(4));
  EXPECT_FALSE(clock().has_paused_until());
  state_ = copy;
  ASSERT_TRUE(Apply(Paused(3, 2, 0)).ok());
  ASSERT_TRUE(Apply(Fulfilled(1)).ok());  // entered late
  EXPECT_TRUE(clock().pauses().empty());
}

TEST_F(ClockApply, ReopeningClearsTheStopAndAddsTheExcludedTime) {
  ASSERT_TRUE(Apply(Fulfilled(4)).ok());
  v1::Event event = EventAt(20);
  v1::ClockReopened* reopened = event.mutable_clock_reopened();
  reopened->set_clock_no(7);
  *reopened->mutable_due_at() = After(24);
  *reopened->mutable_excluded()->mutable_start() = After(4);
  *reopened->mutable_excluded()->mutable_end() = After(20);
  reopened->mutable_excluded()->set_excluded(true);
  ASSERT_TRUE(Apply(event).ok());
  EXPECT_EQ(clock().state(), v1::RUNNING);
  EXPECT_FALSE(clock().has_stopped_at() || clock().provisional() || clock().has_elapsed());
  EXPECT_TRUE(clock().pauses(0).excluded());
  EXPECT_EQ(FromProto(clock().due_at()), kStart + absl::Hours(24));
}

TEST_F(ClockApply, WarningsAndBreachesAreMarkedOnce) {
  v1::Event warning = EventAt(4);
  warning.mutable_warning_reached()->set_clock_no(7);
  ASSERT_TRUE(Apply(warning).ok());
  EXPECT_TRUE(clock().warnings(0).reached());
  v1::Event breach = EventAt(8);
  breach.mutable_clock_breached()->set_clock_no(7);
  breach.mutable_clock_breached()->set_cause("TIME");
  *breach.mutable_clock_breached()->mutable_due_at() = After(8);
  ASSERT_TRUE(Apply(breach).ok());
  EXPECT_EQ(clock().breach_cause(), "TIME");
  EXPECT_EQ(Apply(breach).code(), absl::StatusCode::kDataLoss);
}

TEST_F(ClockApply, WhatCannotFollowIsDataLoss) {
  v1::Event unknown = Paused(3, 2, 0);
  unknown.mutable_clock_paused()->set_clock_no(6);
  EXPECT_EQ(Apply(unknown).code(), absl::StatusCode::kDataLoss);
  v1::Event none = EventAt(1);
  none.mutable_case_closed();
  EXPECT_EQ(Apply(none).code(), absl::StatusCode::kDataLoss);
  v1::Event warning = EventAt(4);
  warning.mutable_warning_reached()->set_clock_no(7);
  warning.mutable_warning_reached()->set_warning(1);
  EXPECT_EQ(Apply(warning).code(), absl::StatusCode::kDataLoss);
  v1::Event resumed = EventAt(5);
  resumed.mutable_clock_resumed()->set_clock_no(7);
  EXPECT_EQ(Apply(resumed).code(), absl::StatusCode::kDataLoss);
  v1::Event reopened = EventAt(5);
  reopened.mutable_clock_reopened()->set_clock_no(7);
  EXPECT_EQ(Apply(reopened).code(), absl::StatusCode::kDataLoss);
  ASSERT_TRUE(Apply(Fulfilled(4)).ok());
  EXPECT_EQ(Apply(Fulfilled(4)).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Apply(Paused(5, 5, 0)).code(), absl::StatusCode::kDataLoss);
  v1::Event cancelled = EventAt(5);
  cancelled.mutable_clock_cancelled()->set_clock_no(7);
  EXPECT_EQ(Apply(cancelled).code(), absl::StatusCode::kDataLoss);
  v1::Event retargeted = EventAt(5);
  retargeted.mutable_clock_retargeted()->set_clock_no(7);
  EXPECT_EQ(Apply(retargeted).code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace docket::sla
