// What a changed fact makes of running clocks (R8, carry ALL). Mon–Fri 09:00–17:00 London, from Wed 18 Nov 2026 on.
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
using testing::Fact;
using ::testing::HasSubstr;
using testing::Is;
using ::testing::IsEmpty;
using testing::Metric;
using testing::On;
using testing::Policy;

constexpr char kLondon[] = "Europe/London";

class Retarget : public ::testing::Test {
 protected:
  // Priority 1: 4 h, 2: 8 h, else 24 h; received Wed 09:00.
  void Standard(uint32_t priority) {
    v1::SlaPolicy policy = testing::StandardPolicy();
    for (v1::MetricRule& rule : *policy.mutable_metrics()) rule.mutable_retarget()->set_loosen("ALL");
    desk_.Publish(policy);
    desk_.state().set_priority(priority);
    desk_.Receive("2026-11-18 09:00");
    desk_.Send("2026-11-18 09:00", true, true);  // FIRST_RESPONSE is no part of these tests
  }
  v1::MetricRule Resolution() {
    v1::MetricRule rule =
        Metric("RESOLUTION", On("case_received"), On("status_changed", {Is("case.category", "RESOLVED")}), "");
    rule.set_pausable(true);
    rule.mutable_retarget()->set_loosen("ALL");
    return rule;
  }
  // Two policies: 4 h at severity 1, else 24 h.
  void TwoPolicies() {
    v1::MetricRule fast = Resolution();
    AddChoice(&fast, All({}), "4h");
    v1::SlaPolicy urgent = Policy("urgent", v1::CUSTOMER, 10, "london", {fast});
    *urgent.mutable_when() = Is("case.severity", "1");
    v1::MetricRule slow = Resolution();
    AddChoice(&slow, All({}), "24h");
    desk_.Publish(Policy("ordinary", v1::CUSTOMER, 20, "london", {slow}));
    desk_.Publish(urgent);
    desk_.Receive("2026-11-18 09:00");
  }
  std::vector<std::string> Severity(const std::string& at, uint32_t severity) {
    v1::Event event;
    event.mutable_case_triaged()->set_severity(severity);
    return desk_.Do(at, event);
  }
  Desk desk_;
};

TEST_F(Retarget, N2ALongerTargetCountsFromTheStart) {
  Standard(2);
  desk_.Advance("2026-11-18 16:30");
  EXPECT_THAT(desk_.Prioritise("2026-11-18 16:30", 3),
              ElementsAre("RESOLUTION retargeted PRIORITY 8h to 24h due Fri 20 17:00"));
  EXPECT_EQ(FromProto(desk_.Clock("RESOLUTION").first_due_at()), At(kLondon, "2026-11-18 17:00"));
}

TEST_F(Retarget, V14PausesSurviveAndADueReachedNowIsNoBreachYet) {
  Standard(3);
  desk_.Wait("2026-11-18 11:00", "WAITING");
  EXPECT_THAT(desk_.Move("2026-11-18 16:00", "OPEN"),
              ElementsAre("RESOLUTION resumed, paused until Wed 18 16:00 due Mon 23 14:00"));
  EXPECT_THAT(desk_.Prioritise("2026-11-19 10:00", 1),
              ElementsAre("RESOLUTION retargeted PRIORITY 24h to 4h due Thu 19 10:00"));
  Desk stopped = desk_;
  EXPECT_THAT(stopped.Move("2026-11-19 10:00", "RESOLVED"), Contains("RESOLUTION fulfilled on time after 4h"));
  EXPECT_THAT(desk_.Advance("2026-11-19 10:01"), Contains("RESOLUTION breached TIME due Thu 19 10:00"));
}

TEST_F(Retarget, ADueInThePastBreachesWithACauseOfItsOwn) {
  Standard(3);
  EXPECT_THAT(desk_.Prioritise("2026-11-18 15:00", 1),
              ElementsAre("RESOLUTION retargeted PRIORITY 24h to 4h due Wed 18 13:00",
                          "RESOLUTION breached RETARGET due Wed 18 13:00"));
  EXPECT_EQ(desk_.Standing("RESOLUTION", "2026-11-18 15:00"), "LATE RUNNING due Wed 18 13:00");
}

TEST_F(Retarget, BreachedStaysBreachedHoweverFarTheDueMoves) {
  Standard(1);
  desk_.Advance("2026-11-18 14:00");
  EXPECT_THAT(desk_.Prioritise("2026-11-18 14:00", 3),
              ElementsAre("RESOLUTION retargeted PRIORITY 4h to 24h due Fri 20 17:00"));
  EXPECT_EQ(desk_.Standing("RESOLUTION", "2026-11-18 14:00"), "LATE RUNNING due Fri 20 17:00");
  EXPECT_EQ(LateFrom(desk_.Clock("RESOLUTION")), At(kLondon, "2026-11-18 13:00"));
  EXPECT_THAT(desk_.Prioritise("2026-11-18 15:00", 1),
              ElementsAre("RESOLUTION retargeted PRIORITY 24h to 4h due Wed 18 13:00"));
  EXPECT_THAT(desk_.Wait("2026-11-18 15:30", "WAITING"), IsEmpty());
  EXPECT_THAT(desk_.Move("2026-11-18 16:00", "RESOLVED"), ElementsAre("RESOLUTION fulfilled late after 7h"));
}

TEST_F(Retarget, PauseThenRetargetEqualsRetargetThenPause) {
  Standard(3);
  Desk other = desk_;
  desk_.Wait("2026-11-18 11:00", "WAITING");
  EXPECT_THAT(desk_.Prioritise("2026-11-18 11:00", 2),
              ElementsAre("RESOLUTION retargeted PRIORITY 24h to 8h no due remaining 6h"));
  other.Prioritise("2026-11-18 11:00", 2);
  EXPECT_THAT(other.Wait("2026-11-18 11:00", "WAITING"),
              ElementsAre("RESOLUTION paused since Wed 18 11:00 no due remaining 6h"));
  const auto expected = ElementsAre("RESOLUTION resumed, paused until Thu 19 11:00 due Thu 19 17:00");
  EXPECT_THAT(desk_.Move("2026-11-19 11:00", "OPEN"), expected);
  EXPECT_THAT(other.Move("2026-11-19 11:00", "OPEN"), expected);
  EXPECT_EQ(desk_.Clock("RESOLUTION").SerializeAsString(), other.Clock("RESOLUTION").SerializeAsString());
}

TEST_F(Retarget, FiredWarningsStayFiredAndTheOthersMove) {
  Standard(2);
  EXPECT_THAT(desk_.Advance("2026-11-18 14:00"), ElementsAre("RESOLUTION warning 0 of Wed 18 13:00"));
  desk_.Prioritise("2026-11-18 14:00", 3);
  EXPECT_THAT(desk_.Advance("2026-11-20 17:01"),
              ElementsAre("RESOLUTION warning 1 of Fri 20 11:00", "RESOLUTION warning 2 of Fri 20 14:36",
                          "RESOLUTION warning 3 of Fri 20 17:00", "RESOLUTION breached TIME due Fri 20 17:00"));
}

TEST_F(Retarget, WarningsThatARetargetPutsIntoThePastFireOnceAndLate) {
  Standard(3);
  desk_.Prioritise("2026-11-18 12:30", 1);
  ASSERT_EQ(desk_.Standing("RESOLUTION", "2026-11-18 12:30"), "RUNNING due Wed 18 13:00");
  const ClockMoment moment = NextClockMoment(desk_.state());
  EXPECT_EQ(FromProto(moment.event.warning_reached().scheduled_for()), At(kLondon, "2026-11-18 11:00"));
  EXPECT_EQ(FromProto(moment.event.occurred_at()), At(kLondon, "2026-11-18 12:30"));
  EXPECT_THAT(desk_.Advance("2026-11-18 12:30"),
              ElementsAre("RESOLUTION warning 0 of Wed 18 11:00", "RESOLUTION warning 1 of Wed 18 12:00"));
}

TEST_F(Retarget, UnchangedTermsRetargetNothing) {
  Standard(3);
  EXPECT_THAT(desk_.Prioritise("2026-11-18 10:00", 4), IsEmpty());  // another fact, the same choice
  EXPECT_THAT(Severity("2026-11-18 10:30", 2), IsEmpty());
  EXPECT_THAT(desk_.Prioritise("2026-11-18 11:00", 3), IsEmpty());
}

TEST_F(Retarget, ANewVersionConcernsNewClocksOnly) {
  Standard(3);
  v1::SlaPolicy stricter = testing::StandardPolicy();
  for (v1::MetricRule& rule : *stricter.mutable_metrics()) {
    for (v1::MetricRule::Choice& choice : *rule.mutable_targets())
      choice.mutable_target()->mutable_duration()->set_seconds(60);
  }
  desk_.Publish(stricter);
  testing::CalendarSpec short_days = testing::London();
  short_days.week = testing::Weekdays("10:00-11:00");
  desk_.Publish("london", short_days);
  EXPECT_THAT(Severity("2026-11-18 10:00", 1), IsEmpty());
  // A changed fact chooses among the choices, and counts by the calendar, of the pinned versions.
  EXPECT_THAT(desk_.Prioritise("2026-11-18 10:00", 2),
              ElementsAre("RESOLUTION retargeted PRIORITY 24h to 8h due Wed 18 17:00"));
  EXPECT_EQ(desk_.Clock("RESOLUTION").policy().version(), 1);
  EXPECT_EQ(desk_.Clock("RESOLUTION").calendar().version(), 1);
}

TEST_F(Retarget, AnotherPolicyPublishedMeanwhileTakesNoRunningClock) {
  Standard(3);
  v1::MetricRule rule = Resolution();
  AddChoice(&rule, All({}), "1h");
  desk_.Publish(Policy("first-of-all", v1::CUSTOMER, 1, "london", {rule}));
  EXPECT_THAT(Severity("2026-11-18 10:00", 1), IsEmpty());
}

TEST_F(Retarget, AChangedFactChoosesAnotherPolicy) {
  TwoPolicies();
  EXPECT_THAT(Severity("2026-11-18 10:00", 1),
              ElementsAre("RESOLUTION retargeted CASE_TRIAGED 24h to 4h due Wed 18 13:00"));
  EXPECT_EQ(desk_.Clock("RESOLUTION").policy().id(), "urgent");
  EXPECT_THAT(Severity("2026-11-18 11:00", 2),
              ElementsAre("RESOLUTION retargeted CASE_TRIAGED 4h to 24h due Fri 20 17:00"));
}

TEST_F(Retarget, ANewChoiceMayBringAnotherCalendar) {
  v1::MetricRule rule = Resolution();
  AddChoice(&rule, Is("case.severity", "1"), "16h", "china");
  AddChoice(&rule, All({}), "16h");
  testing::CalendarSpec china = testing::Shanghai();
  china.exceptions.clear();
  desk_.Publish("china", china);
  desk_.Publish(Policy("p", v1::CUSTOMER, 10, "london", {rule}));
  EXPECT_THAT(desk_.Receive("2026-11-18 09:00"), ElementsAre("RESOLUTION attached due Thu 19 17:00"));
  // N3: Fri 20 18:00 in Shanghai.
  EXPECT_THAT(Severity("2026-11-19 10:00", 1),
              ElementsAre("RESOLUTION retargeted CASE_TRIAGED 16h to 16h due Fri 20 10:00"));
}

// What is promised no more and then again was promised all the time.
TEST_F(Retarget, APolicyThatIsBackFindsItsClockAgain) {
  v1::MetricRule rule = Resolution();
  AddChoice(&rule, All({}), "16h");
  v1::SlaPolicy only = Policy("only", v1::CUSTOMER, 10, "london", {rule});
  *only.mutable_when() = Fact("case.severity", v1::Condition::NE, {"4"});
  desk_.Publish(only);
  desk_.Receive("2026-11-18 09:00");
  Severity("2026-11-18 12:00", 4);
  EXPECT_THAT(Severity("2026-11-19 12:00", 3), ElementsAre("RESOLUTION reopened CONTINUE due Thu 19 17:00"));
  Severity("2026-11-19 13:00", 4);
  EXPECT_THAT(Severity("2026-11-20 12:00", 3), ElementsAre("RESOLUTION reopened CONTINUE due Thu 19 17:00",
                                                           "RESOLUTION breached TIME due Thu 19 17:00"));
}

TEST_F(Retarget, NoPolicyAnyMoreCancelsWhatIsNotLate) {
  v1::MetricRule rule = Resolution();
  AddChoice(&rule, All({}), "4h");
  v1::SlaPolicy only = Policy("only", v1::CUSTOMER, 10, "london", {rule});
  *only.mutable_when() = Fact("case.severity", v1::Condition::NE, {"4"});
  desk_.Publish(only);
  desk_.Receive("2026-11-18 09:00");
  Desk late = desk_;
  EXPECT_THAT(Severity("2026-11-18 12:00", 4), ElementsAre("RESOLUTION cancelled NO_POLICY"));
  v1::Event event;
  event.mutable_case_triaged()->set_severity(4);
  EXPECT_THAT(late.Do("2026-11-18 14:00", event), ElementsAre("RESOLUTION breached TIME due Wed 18 13:00"));
  EXPECT_EQ(late.Standing("RESOLUTION", "2026-11-18 14:00"), "LATE RUNNING due Wed 18 13:00");
}

TEST_F(Retarget, WhatARegulatorIsOwedNeverMovesLaterNorPausesNorReopens) {
  v1::MetricRule rule = Resolution();
  rule.set_reopens(true);
  AddChoice(&rule, Is("case.severity", "1"), "3bd@close");
  AddChoice(&rule, Is("case.severity", "2"), "30cd@end");
  AddChoice(&rule, All({}), "15cd@end");
  desk_.Publish(Policy("law", v1::REGULATOR, 10, "london", {rule}));
  EXPECT_THAT(desk_.Receive("2026-11-18 09:00"), ElementsAre("RESOLUTION attached due Thu 03 23:59:59.999999"));
  EXPECT_THAT(Severity("2026-11-18 10:00", 2),
              ElementsAre("RESOLUTION retargeted CASE_TRIAGED 15cd@end to 30cd@end due Thu 03 23:59:59.999999"));
  EXPECT_THAT(Severity("2026-11-18 11:00", 1),
              ElementsAre("RESOLUTION retargeted CASE_TRIAGED 30cd@end to 3bd@close due Mon 23 17:00"));
  EXPECT_THAT(Severity("2026-11-18 12:00", 3),
              ElementsAre("RESOLUTION retargeted CASE_TRIAGED 3bd@close to 15cd@end due Mon 23 17:00"));
  EXPECT_THAT(desk_.Wait("2026-11-18 13:00", "WAITING"), IsEmpty());
  desk_.Move("2026-11-18 14:00", "RESOLVED");
  EXPECT_THAT(desk_.Reopen("2026-11-19 10:00", v1::NOT_RESOLVED), IsEmpty());
}

TEST_F(Retarget, ObligationsAreSideBySide) {
  desk_.Publish(testing::StandardPolicy());
  v1::MetricRule rule = Resolution();
  AddChoice(&rule, All({}), "8w@end");
  desk_.Publish(Policy("law", v1::REGULATOR, 10, "london", {rule}));
  EXPECT_THAT(desk_.Receive("2026-11-02 10:00"),
              ElementsAre("FIRST_RESPONSE attached due Mon 02 14:00", "RESOLUTION attached due Thu 05 10:00",
                          "RESOLUTION attached due Mon 28 23:59:59.999999"));
}

TEST_F(Retarget, AWaitingClockMayGetATargetThatCannotWaitAndBack) {
  v1::MetricRule rule = Resolution();
  AddChoice(&rule, Is("case.severity", "1"), "2cd@end");
  AddChoice(&rule, All({}), "8h");
  desk_.Publish(Policy("p", v1::CUSTOMER, 10, "london", {rule}));
  desk_.Receive("2026-11-18 09:00");
  desk_.Wait("2026-11-18 11:00", "WAITING");
  EXPECT_THAT(Severity("2026-11-18 12:00", 1),
              ElementsAre(HasSubstr("retargeted CASE_TRIAGED 8h to 2cd@end due Fri 20 23:59:59.999999"),
                          "RESOLUTION resumed, paused until Wed 18 12:00 due Fri 20 23:59:59.999999"));
  EXPECT_THAT(Severity("2026-11-18 14:00", 2),
              ElementsAre("RESOLUTION retargeted CASE_TRIAGED 2cd@end to 8h due Thu 19 10:00",
                          "RESOLUTION paused since Wed 18 14:00 no due remaining 4h"));
}

}  // namespace
}  // namespace docket::sla
