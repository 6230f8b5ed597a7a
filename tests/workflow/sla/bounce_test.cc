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
  std::vector<std::string> Bounce(const std::string& at, int index) {
    v1::Event event;
    event.mutable_delivery_reported()->set_outbound_revision(desk_.state().sent(index).revision());
    event.mutable_delivery_reported()->set_outcome(v1::BOUNCED);
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

}  // namespace
}  // namespace docket::sla
