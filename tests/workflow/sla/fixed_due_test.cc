// Clocks whose due is the instant promised for the case itself. Mon–Fri 09:00–17:00 London, from Wed 18 Nov 2026 on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/workflow/sla/desk.h"
#include "workflow/base/time.h"
#include "workflow/sla/clock_rules.h"

namespace docket::sla {
namespace {

using testing::AddChoice;
using testing::All;
using testing::At;
using ::testing::Contains;
using testing::Desk;
using ::testing::ElementsAre;
using testing::Is;
using ::testing::IsEmpty;
using testing::Metric;
using testing::On;
using testing::Policy;

constexpr char kLondon[] = "Europe/London";

class FixedDue : public ::testing::Test {
 protected:
  // Fixed when there is an instant, else `otherwise` (none when empty).
  void Publish(const std::string& fixed, const std::string& otherwise = "", v1::Obligation obligation = v1::CUSTOMER) {
    v1::MetricRule rule =
        Metric("PROMISED", On("case_received"), On("status_changed", {Is("case.category", "RESOLVED")}), "");
    rule.set_pausable(obligation != v1::REGULATOR);
    rule.set_reopens(obligation != v1::REGULATOR);
    AddChoice(&rule, Is("case.has_promised_due", "true"), fixed);
    if (!otherwise.empty()) AddChoice(&rule, All({}), otherwise);
    rule.add_warnings_permille(500);
    desk_.Publish(Policy("p", obligation, 100, "london", {rule}));
  }
  std::vector<std::string> Receive(const std::string& due) {
    v1::CaseReceived received;
    if (!due.empty()) *received.mutable_promised_due_at() = ToProto(At(kLondon, due));
    return desk_.Receive("2026-11-18 09:00", received);
  }
  Desk desk_;
};

TEST_F(FixedDue, IsTheInstantPromised) {
  Publish("fixed");
  EXPECT_THAT(Receive("2026-11-20 03:00"), ElementsAre("PROMISED attached due Fri 20 03:00"));
  EXPECT_EQ(FromProto(desk_.Clock("PROMISED").warnings(0).at()), At(kLondon, "2026-11-19 06:00"));
  EXPECT_EQ(desk_.Standing("PROMISED", "2026-11-20 03:00"), "RUNNING due Fri 20 03:00");
  EXPECT_EQ(desk_.Standing("PROMISED", "2026-11-20 03:01"), "LATE RUNNING due Fri 20 03:00");
}

TEST_F(FixedDue, AtTheEndOfItsDayAndRolledToABusinessDay) {
  Publish("fixed@end+next");
  EXPECT_THAT(Receive("2026-11-21 12:00"), ElementsAre("PROMISED attached due Mon 23 23:59:59.999999"));
}

TEST_F(FixedDue, WithoutAnInstantThereIsNoSuchClock) {
  Publish("fixed");
  EXPECT_THAT(Receive(""), IsEmpty());
  Desk bare;
  // Even where the policy does not ask whether there is one.
  bare.Publish(
      Policy("p", v1::CUSTOMER, 100, "london", {Metric("PROMISED", On("case_received"), On("case_closed"), "fixed")}));
  EXPECT_THAT(bare.Receive("2026-11-18 09:00"), IsEmpty());
}

TEST_F(FixedDue, NeverPauses) {
  Publish("fixed");
  v1::MetricRule rule = Metric("RESOLUTION", On("case_received"), On("case_closed"), "fixed");
  rule.set_pausable(true);
  desk_.Publish(Policy("q", v1::INTERNAL, 100, "london", {rule}));
  Receive("2026-11-20 17:00");
  EXPECT_THAT(desk_.Wait("2026-11-18 11:00", "WAITING"), IsEmpty());  // WAITING pauses RESOLUTION
}

TEST_F(FixedDue, AnotherInstantRetargets) {
  Publish("fixed");
  Receive("2026-11-20 17:00");
  EXPECT_THAT(desk_.Promise("2026-11-18 10:00", "2026-11-24 12:00"),
              ElementsAre("PROMISED retargeted PROMISED_DUE fixed to fixed due Tue 24 12:00"));
  EXPECT_EQ(FromProto(desk_.Clock("PROMISED").first_due_at()), At(kLondon, "2026-11-20 17:00"));
  EXPECT_THAT(desk_.Promise("2026-11-18 11:00", "2026-11-24 12:00"), IsEmpty());  // the same again
  EXPECT_THAT(desk_.Prioritise("2026-11-18 12:00", 1), IsEmpty());                // nothing to do with it
  EXPECT_THAT(desk_.Promise("2026-11-20 10:00", "2026-11-19 12:00"),
              ElementsAre("PROMISED retargeted PROMISED_DUE fixed to fixed due Thu 19 12:00",
                          "PROMISED breached RETARGET due Thu 19 12:00"));
  EXPECT_THAT(desk_.Promise("2026-11-20 11:00", "2026-12-01 12:00"),
              Contains("PROMISED retargeted PROMISED_DUE fixed to fixed due Tue 01 12:00"));
  EXPECT_EQ(desk_.Standing("PROMISED", "2026-11-20 11:00"), "LATE RUNNING due Tue 01 12:00");  // late stays late
}

TEST_F(FixedDue, TakenBackItFallsToTheNextChoiceOrEnds) {
  Publish("fixed", "16h");
  Receive("2026-11-23 17:00");
  EXPECT_THAT(desk_.Promise("2026-11-18 10:00", ""),
              ElementsAre("PROMISED retargeted PROMISED_DUE fixed to 16h due Thu 19 17:00"));
  EXPECT_THAT(desk_.Wait("2026-11-18 11:00", "WAITING"), IsEmpty());
  EXPECT_THAT(desk_.Promise("2026-11-18 12:00", "2026-11-24 17:00"),
              ElementsAre("PROMISED retargeted PROMISED_DUE 16h to fixed due Tue 24 17:00"));
}

TEST_F(FixedDue, TakenBackWithoutAnotherChoiceTheClockEndsAndANewPromiseStartsTheNext) {
  Publish("fixed");
  Receive("2026-11-23 17:00");
  EXPECT_THAT(desk_.Promise("2026-11-18 10:00", ""), ElementsAre("PROMISED cancelled NO_POLICY"));
  EXPECT_THAT(desk_.Promise("2026-11-18 12:00", "2026-11-24 17:00"),
              ElementsAre("PROMISED attached cycle 2 due Tue 24 17:00"));
  EXPECT_EQ(desk_.Clock("PROMISED").cycle(), 2u);
  EXPECT_EQ(FromProto(desk_.Clock("PROMISED").start_at()), At(kLondon, "2026-11-18 09:00"));
}

TEST_F(FixedDue, PromisedLaterItStartsFromTheReceiptUnlessTheCaseIsOver) {
  Publish("fixed");
  Receive("");
  Desk over = desk_;
  EXPECT_THAT(desk_.Promise("2026-11-18 12:00", "2026-11-24 17:00"), ElementsAre("PROMISED attached due Tue 24 17:00"));
  EXPECT_EQ(FromProto(desk_.Clock("PROMISED").start_at()), At(kLondon, "2026-11-18 09:00"));
  over.Move("2026-11-18 11:00", "RESOLVED");
  EXPECT_THAT(over.Promise("2026-11-18 12:00", "2026-11-24 17:00"), IsEmpty());
}

TEST_F(FixedDue, TowardsARegulatorItMovesEarlierOnly) {
  Publish("fixed", "", v1::REGULATOR);
  Receive("2026-11-23 17:00");
  EXPECT_THAT(desk_.Promise("2026-11-18 10:00", "2026-11-20 17:00"),
              ElementsAre("PROMISED retargeted PROMISED_DUE fixed to fixed due Fri 20 17:00"));
  EXPECT_THAT(desk_.Promise("2026-11-18 11:00", "2026-11-30 17:00"),
              ElementsAre("PROMISED retargeted PROMISED_DUE fixed to fixed due Fri 20 17:00"));
}

TEST_F(FixedDue, ReopenedAsNotResolvedItRunsOn) {
  Publish("fixed");
  Receive("2026-11-20 17:00");
  EXPECT_THAT(desk_.Move("2026-11-19 10:00", "RESOLVED"), ElementsAre("PROMISED fulfilled on time after 9h"));
  EXPECT_THAT(desk_.Reopen("2026-11-23 10:00", v1::NOT_RESOLVED),
              ElementsAre("PROMISED reopened CONTINUE due Fri 20 17:00", "PROMISED breached REOPENED due Fri 20 17:00",
                          "PROMISED warning 0 of Thu 19 13:00"));
}

}  // namespace
}  // namespace docket::sla
