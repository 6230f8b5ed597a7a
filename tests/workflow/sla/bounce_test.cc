// What becomes of clocks whose answer did not arrive. Mon–Fri 09:00–17:00 London, Wed 18 Nov 2026.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/workflow/sla/desk.h"
#include "workflow/base/time.h"
#include "workflow/sla/clock_rules.h"

namespace docket::sla {
namespace {

using testing::At;
using testing::Desk;
using ::testing::ElementsAre;
using testing::Fact;
using testing::Is;
using testing::Metric;
using testing::On;
using testing::Policy;

// FIRST_RESPONSE 4h; NEXT_RESPONSE 2h since the oldest message without an answer.
class Bounced : public ::testing::Test {
 protected:
  Bounced() {
    const auto answered = On("outbound_sent", {Is("event.human", "true"), Is("event.public_message", "true")});
    v1::MetricRule next = Metric(
        "NEXT_RESPONSE", On("inbound_received", {Is("event.from_requester", "true"), Is("case.responded", "true")}),
        answered, "2h");
    next.set_start_at(std::string(kOldestUnanswered));
    desk_.Publish(
        Policy("p", v1::CUSTOMER, 10, "london", {Metric("FIRST_RESPONSE", On("case_received"), answered, "4h"), next}));
    desk_.Receive("2026-11-18 09:00");
  }
  std::vector<std::string> Answer(const std::string& at) { return desk_.Send(at, /*human=*/true, /*public=*/true); }
  // Of the message sent as number `index`.
  std::vector<std::string> Bounce(const std::string& at, int index) { return Report(at, index, v1::BOUNCED); }
  std::vector<std::string> Deliver(const std::string& at, int index) { return Report(at, index, v1::DELIVERED); }
  std::vector<std::string> Report(const std::string& at, int index, v1::DeliveryOutcome outcome) {
    v1::Event event;
    event.mutable_delivery_reported()->set_outbound_revision(desk_.state().sent(index).revision());
    event.mutable_delivery_reported()->set_outcome(outcome);
    return desk_.Do(at, event);
  }
  Desk desk_;
};

TEST_F(Bounced, TheOnlyAnswerTheClockRunsOn) {
  Answer("2026-11-18 10:00");
  EXPECT_THAT(Bounce("2026-11-18 12:00", 0), ElementsAre("FIRST_RESPONSE reopened CONTINUE due Wed 18 13:00"));
  EXPECT_EQ(desk_.Standing("FIRST_RESPONSE", "2026-11-18 12:00"), "RUNNING due Wed 18 13:00");
}

TEST_F(Bounced, AnotherAnswerThatArrivedCounts) {
  Answer("2026-11-18 10:00");
  Answer("2026-11-18 11:00");
  Answer("2026-11-18 11:30");
  EXPECT_THAT(Bounce("2026-11-18 12:00", 0), ElementsAre("FIRST_RESPONSE reopened CONTINUE due Wed 18 13:00",
                                                         "FIRST_RESPONSE fulfilled on time after 2h"));
}

TEST_F(Bounced, AnotherAnswerThatCameTooLateLeavesItLate) {
  Answer("2026-11-18 10:00");
  Answer("2026-11-18 14:00");
  EXPECT_THAT(Bounce("2026-11-18 15:00", 0), ElementsAre("FIRST_RESPONSE reopened CONTINUE due Wed 18 13:00",
                                                         "FIRST_RESPONSE breached UNDELIVERED due Wed 18 13:00",
                                                         "FIRST_RESPONSE fulfilled late after 5h"));
}

TEST_F(Bounced, AMessageEnteredLateMovesOnlyTheOldestCycleThatRuns) {
  Answer("2026-11-18 09:30");
  desk_.Hear("2026-11-18 10:00");
  Answer("2026-11-18 10:30");
  desk_.Hear("2026-11-18 11:00");
  Bounce("2026-11-18 11:30", 1);
  v1::Event late;
  late.mutable_inbound_received()->set_from_requester(true);
  late.mutable_inbound_received()->set_public_message(true);
  *late.mutable_occurred_at() = ToProto(At("Europe/London", "2026-11-18 09:45"));
  EXPECT_THAT(desk_.Do("2026-11-18 11:40", late),
              ElementsAre("NEXT_RESPONSE retargeted LATE_RECORDED 2h to 2h due Wed 18 11:45"));
  EXPECT_EQ(desk_.Standing("NEXT_RESPONSE", "2026-11-18 11:40"), "RUNNING due Wed 18 13:00");
}

TEST_F(Bounced, WhatArrivedAfterAllStopsTheClockAgain) {
  Answer("2026-11-18 10:00");
  Bounce("2026-11-18 12:00", 0);
  EXPECT_THAT(Deliver("2026-11-18 12:30", 0), ElementsAre("FIRST_RESPONSE fulfilled on time after 1h"));
}

// The breach found meanwhile stands until a second person has judged the report.
TEST_F(Bounced, WhatArrivedAfterAllIsDisputedWhenItWasLateMeanwhile) {
  Answer("2026-11-18 10:00");
  Bounce("2026-11-18 12:00", 0);
  Answer("2026-11-18 14:00");
  EXPECT_THAT(Deliver("2026-11-18 15:00", 0), ElementsAre("FIRST_RESPONSE reopened CONTINUE due Wed 18 13:00",
                                                          "FIRST_RESPONSE fulfilled late after 1h"));
  EXPECT_TRUE(desk_.Clock("FIRST_RESPONSE").disputed());
}

TEST_F(Bounced, WhatNeverBouncedIsDeliveredWithoutMore) {
  Answer("2026-11-18 10:00");
  EXPECT_THAT(Deliver("2026-11-18 10:01", 0), ElementsAre());
}

// FINAL wants a holding letter with reasons, or the decision.
class FinalBounced : public ::testing::Test {
 protected:
  FinalBounced() {
    v1::MetricRule final =
        Metric("FINAL", On("case_received"),
               On("outbound_sent", {Is("event.kind", "HOLDING"), Is("event.parts", "REASONS")}), "8h");
    *final.add_stop() = On("case_declined", {Is("event.reason_code", "OUT_OF_SCOPE")});
    desk_.Publish(Policy("p", v1::REGULATOR, 10, "london", {final}));
    desk_.Receive("2026-11-18 09:00");
  }
  void Hold(const std::string& at, const std::string& part) {
    v1::Event event;
    event.mutable_outbound_sent()->set_kind(v1::HOLDING);
    event.mutable_outbound_sent()->set_human(true);
    event.mutable_outbound_sent()->set_public_message(true);
    if (!part.empty()) event.mutable_outbound_sent()->add_parts(part);
    desk_.Do(at, event);
  }
  std::vector<std::string> Bounce(const std::string& at) {
    v1::Event event;
    event.mutable_delivery_reported()->set_outbound_revision(desk_.state().sent(0).revision());
    event.mutable_delivery_reported()->set_outcome(v1::BOUNCED);
    return desk_.Do(at, event);
  }
  Desk desk_;
};

TEST_F(FinalBounced, AnotherLetterWithoutThePartsIsNone) {
  Hold("2026-11-18 10:00", "REASONS");
  Hold("2026-11-18 11:00", "EXPECTED_BY");
  EXPECT_THAT(Bounce("2026-11-18 12:00"), ElementsAre("FINAL reopened CONTINUE due Wed 18 17:00"));
}

TEST_F(FinalBounced, AnotherLetterWithThePartsCounts) {
  Hold("2026-11-18 10:00", "REASONS");
  Hold("2026-11-18 11:00", "REASONS");
  EXPECT_THAT(Bounce("2026-11-18 12:00"),
              ElementsAre("FINAL reopened CONTINUE due Wed 18 17:00", "FINAL fulfilled on time after 2h"));
}

TEST_F(FinalBounced, WhatElseEndsItCountsToo) {
  for (const char* reason : {"OUT_OF_SCOPE", "DUPLICATE"}) {
    v1::PastAnswer* declined = desk_.state().add_past_answers();
    declined->set_revision(99);
    declined->mutable_what()->mutable_case_declined()->set_reason_code(reason);
    *declined->mutable_at() = ToProto(At("Europe/London", reason[0] == 'O' ? "2026-11-18 11:30" : "2026-11-18 11:00"));
  }
  Hold("2026-11-18 10:00", "REASONS");
  EXPECT_THAT(Bounce("2026-11-18 12:00"),
              ElementsAre("FINAL reopened CONTINUE due Wed 18 17:00", "FINAL fulfilled on time after 2h30m"));
}

}  // namespace
}  // namespace docket::sla
