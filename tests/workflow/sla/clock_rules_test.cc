// What the events of a case make of its clocks. Unless said: Mon–Fri 09:00–17:00 London, Wed 18 Nov 2026 and after.
#include "workflow/sla/clock_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/workflow/sla/desk.h"
#include "workflow/base/time.h"
#include "workflow/sla/clock_apply.h"

namespace docket::sla {
namespace {

using testing::At;
using testing::Desk;
using ::testing::ElementsAre;
using testing::Entered;
using testing::Fact;
using ::testing::HasSubstr;
using testing::Is;
using ::testing::IsEmpty;
using testing::Metric;
using testing::On;
using testing::Policy;

constexpr char kLondon[] = "Europe/London";

// One resolution duty: pausable, reopens, stopped by entering category RESOLVED, cancelled by category CLOSED.
v1::MetricRule Resolution(const std::string& target) {
  v1::MetricRule rule =
      Metric("RESOLUTION", On("case_received"), On("status_changed", {Is("case.category", "RESOLVED")}), target);
  *rule.add_cancel() = On("status_changed", {Is("case.category", "CLOSED")});
  rule.set_pausable(true);
  rule.set_reopens(true);
  return rule;
}

// A case received Wed 18 Nov 2026 09:00 with one resolution duty.
class OneDuty : public ::testing::Test {
 protected:
  void Start(const std::string& target, const std::string& at = "2026-11-18 09:00") {
    desk_.Publish(Policy("p", v1::CUSTOMER, 100, "london", {Resolution(target)}));
    desk_.Receive(at);
  }
  Desk desk_;
};

TEST_F(OneDuty, N1ReopenedAsNotResolvedRunsOnAsIfNeverStopped) {
  Start("8h");
  EXPECT_THAT(desk_.Move("2026-11-18 16:59", "RESOLVED"), ElementsAre("RESOLUTION fulfilled on time after 7h59m"));
  EXPECT_THAT(
      desk_.Reopen("2026-11-23 10:00", v1::NOT_RESOLVED),
      ElementsAre("RESOLUTION reopened CONTINUE due Wed 18 17:00", "RESOLUTION breached REOPENED due Wed 18 17:00"));
  EXPECT_EQ(desk_.Standing("RESOLUTION", "2026-11-23 10:00"), "LATE RUNNING due Wed 18 17:00");
  EXPECT_EQ(LateFrom(desk_.Clock("RESOLUTION")), At(kLondon, "2026-11-18 17:00"));
}

TEST_F(OneDuty, N1ReopenedForNewFactsDoesNotCountTheTimeResolved) {
  Start("8h");
  desk_.Move("2026-11-18 16:59", "RESOLVED");
  EXPECT_THAT(desk_.Reopen("2026-11-23 10:00", v1::NEW_FACTS),
              ElementsAre("RESOLUTION reopened RESUME due Mon 23 10:01"));
  EXPECT_TRUE(desk_.Clock("RESOLUTION").pauses(0).excluded());
  EXPECT_THAT(desk_.Move("2026-11-23 10:01", "RESOLVED"), ElementsAre("RESOLUTION fulfilled on time after 8h"));
}

TEST_F(OneDuty, ReopenedForAnUnansweredQuestionInTimeKeepsItsDue) {
  Start("16h");
  desk_.Move("2026-11-18 12:00", "RESOLVED");
  EXPECT_THAT(desk_.Reopen("2026-11-19 10:00", v1::QUESTION_UNANSWERED),
              ElementsAre("RESOLUTION reopened CONTINUE due Thu 19 17:00"));
}

TEST_F(OneDuty, StoppedLateItStaysLateThroughEveryReopening) {
  Start("4h");
  EXPECT_THAT(desk_.Move("2026-11-18 14:00", "RESOLVED"),
              ElementsAre("RESOLUTION breached TIME due Wed 18 13:00", "RESOLUTION fulfilled late after 5h"));
  EXPECT_THAT(desk_.Reopen("2026-11-19 09:00", v1::NEW_FACTS),
              ElementsAre("RESOLUTION reopened RESUME due Wed 18 13:00"));
  EXPECT_EQ(desk_.Standing("RESOLUTION", "2026-11-19 09:00"), "LATE RUNNING due Wed 18 13:00");
  EXPECT_THAT(desk_.Move("2026-11-19 10:00", "RESOLVED"), ElementsAre("RESOLUTION fulfilled late after 6h"));
  EXPECT_THAT(desk_.Reopen("2026-11-20 09:00", v1::NOT_RESOLVED),
              ElementsAre("RESOLUTION reopened CONTINUE due Wed 18 13:00"));
  EXPECT_EQ(desk_.Clock("RESOLUTION").breach_cause(), "TIME");
}

// Another cycle is for another matter; what was not resolved is still what was promised (R4).
TEST(Restart, OnlyNewFactsBeginAnotherCycle) {
  for (const v1::ReopenReason reason : {v1::NOT_RESOLVED, v1::NEW_FACTS}) {
    Desk desk;
    v1::MetricRule rule = Resolution("8h");
    rule.set_reopen("RESTART");
    desk.Publish(Policy("p", v1::CUSTOMER, 100, "london", {rule}));
    desk.Receive("2026-11-18 09:00");
    desk.Move("2026-11-18 12:00", "RESOLVED");
    EXPECT_THAT(desk.Reopen("2026-11-18 13:00", reason),
                ElementsAre(reason == v1::NEW_FACTS ? "RESOLUTION attached cycle 2 due Thu 19 13:00"
                                                    : "RESOLUTION reopened CONTINUE due Wed 18 17:00"));
  }
}

// The log of an imported case may begin when its work was done.
TEST(StopAtOnce, TheEventThatStartsAClockMayEndItToo) {
  v1::MetricRule rule = Resolution("8h");
  *rule.add_stop() = On("case_received", {Is("case.category", "RESOLVED")});
  for (const char* const received : {"2026-11-18 16:59", "2026-11-19 10:00"}) {
    Desk desk;
    desk.Publish(Policy("p", v1::CUSTOMER, 100, "london", {rule}));
    v1::CaseReceived resolved;
    *resolved.mutable_entered() = Entered("RESOLVED");
    *resolved.mutable_received_at() = ToProto(At(kLondon, "2026-11-18 09:00"));
    const std::vector<std::string> told = desk.Receive(received, resolved);
    EXPECT_EQ(told.back(), received == std::string("2026-11-18 16:59") ? "RESOLUTION fulfilled on time after 7h59m"
                                                                       : "RESOLUTION fulfilled late after 9h");
  }
}

TEST_F(OneDuty, ReopenedTwiceForNewFactsExcludesBothRests) {
  Start("8h");
  desk_.Move("2026-11-18 11:00", "RESOLVED");
  EXPECT_THAT(desk_.Reopen("2026-11-18 12:00", v1::NEW_FACTS),
              ElementsAre("RESOLUTION reopened RESUME due Thu 19 10:00"));
  desk_.Move("2026-11-18 13:00", "RESOLVED");
  EXPECT_THAT(desk_.Reopen("2026-11-18 15:00", v1::NEW_FACTS),
              ElementsAre("RESOLUTION reopened RESUME due Thu 19 12:00"));
}

TEST_F(OneDuty, ResolvedOutOfAWaitTheWaitEndsWithTheStop) {
  Start("8h");
  desk_.Wait("2026-11-18 11:00", "WAITING");
  EXPECT_THAT(desk_.Move("2026-11-18 13:00", "RESOLVED"), ElementsAre("RESOLUTION fulfilled on time after 2h"));
  EXPECT_THAT(desk_.Reopen("2026-11-18 14:00", v1::NOT_RESOLVED),
              ElementsAre("RESOLUTION reopened CONTINUE due Thu 19 11:00"));
}

TEST_F(OneDuty, V11APauseAcrossDaysMovesTheDue) {
  Start("8h");
  EXPECT_THAT(desk_.Wait("2026-11-18 11:00", "WAITING"),
              ElementsAre("RESOLUTION paused since Wed 18 11:00 no due remaining 6h"));
  EXPECT_EQ(LateFrom(desk_.Clock("RESOLUTION")), absl::InfiniteFuture());
  EXPECT_THAT(desk_.Move("2026-11-20 15:00", "OPEN"),
              ElementsAre("RESOLUTION resumed, paused until Fri 20 15:00 due Mon 23 13:00"));
  EXPECT_THAT(desk_.Move("2026-11-23 13:00", "RESOLVED"), ElementsAre("RESOLUTION fulfilled on time after 8h"));
}

TEST_F(OneDuty, V12APauseOutsideHoursChangesNothing) {
  Start("12h");
  desk_.Wait("2026-11-18 18:00", "WAITING");
  EXPECT_THAT(desk_.Move("2026-11-19 08:00", "OPEN"),
              ElementsAre("RESOLUTION resumed, paused until Thu 19 08:00 due Thu 19 13:00"));
}

TEST_F(OneDuty, V13OverlappingPausesCountOnce) {
  Start("4h");
  desk_.Wait("2026-11-18 10:00", "WAITING");
  desk_.Move("2026-11-18 11:30", "OPEN");
  v1::Wait wait;  // entered at 12:00, but in force since 11:00
  wait.set_on(v1::THIRD_PARTY);
  *wait.mutable_since() = ToProto(At(kLondon, "2026-11-18 11:30"));
  desk_.Move("2026-11-18 12:00", "WAITING", wait);
  EXPECT_THAT(desk_.Move("2026-11-18 13:00", "OPEN"),
              ElementsAre("RESOLUTION resumed, paused until Wed 18 13:00 due Wed 18 16:00"));
}

TEST_F(OneDuty, N4AWaitWithAKnownEndEndsByItself) {
  Start("8h");
  EXPECT_THAT(desk_.Wait("2026-11-18 11:00", "WAITING", "2026-11-19 11:00"),
              ElementsAre("RESOLUTION paused since Wed 18 11:00 due Thu 19 17:00 remaining 6h"));
  EXPECT_EQ(desk_.Standing("RESOLUTION", "2026-11-19 17:00"), "PAUSED due Thu 19 17:00");
  EXPECT_THAT(desk_.Advance("2026-11-20 09:00"), ElementsAre("RESOLUTION breached TIME due Thu 19 17:00"));
  EXPECT_EQ(desk_.Standing("RESOLUTION", "2026-11-20 09:00"), "LATE PAUSED due Thu 19 17:00");
  EXPECT_THAT(desk_.Move("2026-11-20 10:00", "OPEN"),
              ElementsAre("RESOLUTION resumed, paused until Thu 19 11:00 due Thu 19 17:00"));
}

TEST_F(OneDuty, AWaitEndedEarlyIsCountedAsFarAsItWent) {
  Start("8h");
  desk_.Wait("2026-11-18 11:00", "WAITING", "2026-11-19 11:00");
  EXPECT_THAT(desk_.Move("2026-11-18 12:00", "OPEN"),
              ElementsAre("RESOLUTION resumed, paused until Wed 18 12:00 due Thu 19 10:00"));
}

TEST_F(OneDuty, FromOneWaitToAnotherStaysPausedUnlessTheEndChanges) {
  Start("8h");
  desk_.Wait("2026-11-18 11:00", "WAITING", "2026-11-19 11:00");
  EXPECT_THAT(desk_.Wait("2026-11-18 12:00", "WAITING_OTHER", "2026-11-19 11:00"), IsEmpty());
  EXPECT_THAT(desk_.Wait("2026-11-18 13:00", "WAITING", "2026-11-19 13:00"),
              ElementsAre("RESOLUTION resumed, paused until Wed 18 13:00 due Thu 19 11:00",
                          "RESOLUTION paused since Wed 18 13:00 due Fri 20 11:00 remaining 6h"));
  EXPECT_THAT(desk_.Wait("2026-11-18 14:00", "WAITING_OTHER"),
              ElementsAre("RESOLUTION resumed, paused until Wed 18 14:00 due Thu 19 12:00",
                          "RESOLUTION paused since Wed 18 14:00 no due remaining 6h"));
}

TEST_F(OneDuty, AStatusThatPausesNothingLetsTheClockRun) {
  Start("8h");
  EXPECT_THAT(desk_.Wait("2026-11-18 11:00", "WAITING_INSIDE", "2026-11-20 11:00"), IsEmpty());
  EXPECT_EQ(desk_.Standing("RESOLUTION", "2026-11-18 12:00"), "RUNNING due Wed 18 17:00");
  desk_.Wait("2026-11-18 12:00", "WAITING");
  EXPECT_THAT(desk_.Wait("2026-11-18 13:00", "WAITING_INSIDE"),
              ElementsAre("RESOLUTION resumed, paused until Wed 18 13:00 due Thu 19 10:00"));
}

TEST_F(OneDuty, AHoldAfterTheDueChangesNothing) {
  Start("4h");
  EXPECT_THAT(desk_.Wait("2026-11-18 14:00", "WAITING"), ElementsAre("RESOLUTION breached TIME due Wed 18 13:00"));
  EXPECT_EQ(desk_.Standing("RESOLUTION", "2026-11-20 09:00"), "LATE RUNNING due Wed 18 13:00");
  EXPECT_THAT(desk_.Move("2026-11-20 10:00", "OPEN"), IsEmpty());
}

TEST_F(OneDuty, AHoldThatBeginsAtTheDueChangesNothing) {
  Start("4h");
  EXPECT_THAT(desk_.Wait("2026-11-18 13:00", "WAITING"), IsEmpty());
  EXPECT_EQ(desk_.Standing("RESOLUTION", "2026-11-18 14:00"), "LATE RUNNING due Wed 18 13:00");
}

TEST_F(OneDuty, AStopAtTheDueIsMetAndOneMicrosecondLaterIsNot) {
  Start("4h");
  EXPECT_FALSE(IsLate(desk_.Clock("RESOLUTION"), At(kLondon, "2026-11-18 13:00")));
  EXPECT_TRUE(IsLate(desk_.Clock("RESOLUTION"), At(kLondon, "2026-11-18 13:00:00.000001")));
  EXPECT_THAT(desk_.Advance("2026-11-18 13:00"), IsEmpty());
  Desk other = desk_;
  EXPECT_THAT(desk_.Move("2026-11-18 13:00", "RESOLVED"), ElementsAre("RESOLUTION fulfilled on time after 4h"));
  EXPECT_THAT(other.Move("2026-11-18 13:00:00.000001", "RESOLVED"),
              ElementsAre("RESOLUTION breached TIME due Wed 18 13:00", "RESOLUTION fulfilled late after 4h0.000001s"));
}

TEST_F(OneDuty, AStopAfterTheDueBringsTheBreachWithItWhenNobodyRecordedIt) {
  Start("4h");
  const v1::Case before = desk_.state();
  v1::Case after = before;
  *after.mutable_status() = Entered("RESOLVED");
  v1::Event event;
  *event.mutable_occurred_at() = ToProto(At(kLondon, "2026-11-18 15:00"));
  *event.mutable_status_changed()->mutable_entered() = Entered("RESOLVED");
  auto events = ClockConsequences(before, after, event, desk_.policies(), {.in_force = FromProto(event.occurred_at())});
  ASSERT_TRUE(events.ok()) << events.status();
  ASSERT_EQ(events->size(), 2);
  EXPECT_EQ((*events)[0].clock_breached().cause(), "TIME");
  EXPECT_EQ(FromProto((*events)[0].clock_breached().due_at()), At(kLondon, "2026-11-18 13:00"));
  EXPECT_FALSE((*events)[1].clock_fulfilled().on_time());
}

TEST_F(OneDuty, AClosingCancelsWithItsCode) {
  Start("8h");
  EXPECT_THAT(desk_.Move("2026-11-18 10:00", "VOIDED"), ElementsAre("RESOLUTION cancelled VOIDED"));
}

TEST_F(OneDuty, ACancelWithoutACodeNamesTheEventAndALateClockKeepsItsBreach) {
  Start("4h");
  EXPECT_THAT(desk_.Move("2026-11-18 14:00", "CLOSED"),
              ElementsAre("RESOLUTION breached TIME due Wed 18 13:00", "RESOLUTION cancelled STATUS_CHANGED"));
  EXPECT_TRUE(desk_.Clock("RESOLUTION").has_breached_due_at());
  EXPECT_FALSE(IsLate(desk_.Clock("RESOLUTION"), At(kLondon, "2026-11-18 15:00")));
}

TEST_F(OneDuty, APauseForTheComplainantBeginsWhenTheyWereAsked) {
  Start("8h");
  desk_.Send("2026-11-18 10:00", true, true, v1::INFORMATION_REQUEST);
  v1::Wait wait;
  wait.set_on(v1::COMPLAINANT);
  *wait.mutable_since() = ToProto(At(kLondon, "2026-11-18 10:00"));
  EXPECT_THAT(desk_.Move("2026-11-18 12:00", "WAITING", wait),
              ElementsAre("RESOLUTION paused since Wed 18 10:00 no due remaining 7h"));
  EXPECT_THAT(desk_.Move("2026-11-18 14:00", "OPEN"),
              ElementsAre("RESOLUTION resumed, paused until Wed 18 14:00 due Thu 19 13:00"));
  // The same question, still unanswered, does not excuse the time in which the case was worked on again.
  EXPECT_THAT(desk_.Move("2026-11-18 16:00", "WAITING", wait),
              ElementsAre("RESOLUTION paused since Wed 18 16:00 no due remaining 5h"));
}

TEST_F(OneDuty, BusinessDaysSkipADayWhoseCloseWasWaitedThrough) {
  Start("3bd@close");
  EXPECT_EQ(desk_.Standing("RESOLUTION", "2026-11-18 10:00"), "RUNNING due Mon 23 17:00");
  desk_.Wait("2026-11-19 16:00", "WAITING");
  EXPECT_THAT(desk_.Move("2026-11-20 10:00", "OPEN"),
              ElementsAre("RESOLUTION resumed, paused until Fri 20 10:00 due Tue 24 17:00"));
}

TEST_F(OneDuty, ACountOfCivilDaysDoesNotPause) {
  Start("2cd@end");
  EXPECT_THAT(desk_.Wait("2026-11-18 11:00", "WAITING"), IsEmpty());
  EXPECT_EQ(desk_.Standing("RESOLUTION", "2026-11-18 12:00"), "RUNNING due Fri 20 23:59:59.999999");
}

TEST_F(OneDuty, NobodyMovesACustomersDueByHandingTheCaseOn) {
  Start("8h");
  v1::Event owner;
  owner.mutable_owner_assigned()->set_owner("p7");
  owner.mutable_owner_assigned()->set_department("field");
  EXPECT_THAT(desk_.Do("2026-11-18 10:00", owner), IsEmpty());
  v1::Event department;
  department.mutable_accountable_owner_set()->set_department("legal");
  EXPECT_THAT(desk_.Do("2026-11-18 11:00", department), IsEmpty());
  desk_.Advance("2026-11-19 09:00");
  EXPECT_EQ(desk_.Standing("RESOLUTION", "2026-11-19 09:00"), "LATE RUNNING due Wed 18 17:00");
}

TEST(ClockRules, ABreachNamesWhoAnswersNow) {
  Desk desk;
  v1::MetricRule by_handler = Resolution("4h");
  by_handler.set_answerable("HANDLER");
  desk.Publish(Policy("p", v1::CUSTOMER, 100, "london", {by_handler}));
  v1::CaseReceived received;
  received.set_department("front");
  desk.Receive("2026-11-18 09:00", received);
  EXPECT_EQ(desk.Clock("RESOLUTION").answerable(), "front");
  v1::Event owner;
  owner.mutable_owner_assigned()->set_owner("p7");
  owner.mutable_owner_assigned()->set_department("field");
  desk.Do("2026-11-18 10:00", owner);
  const ClockMoment moment = NextClockMoment(desk.state());
  EXPECT_EQ(moment.event.clock_breached().department(), "field");
  EXPECT_EQ(moment.event.clock_breached().owner(), "p7");
  EXPECT_EQ(moment.event.rule(), "p@1");
}

TEST(ClockRules, V19WarningsComeOnceEachInOrder) {
  Desk desk;
  v1::MetricRule rule = Resolution("8h");
  for (uint32_t permille : {500, 750, 900, 1000}) rule.add_warnings_permille(permille);
  desk.Publish(Policy("p", v1::CUSTOMER, 100, "london", {rule}));
  desk.Receive("2026-11-18 13:00");
  EXPECT_THAT(desk.Advance("2026-11-19 11:00"),
              ElementsAre("RESOLUTION warning 0 of Wed 18 17:00", "RESOLUTION warning 1 of Thu 19 11:00"));
  EXPECT_THAT(desk.Advance("2026-11-19 13:00"),
              ElementsAre("RESOLUTION warning 2 of Thu 19 12:12", "RESOLUTION warning 3 of Thu 19 13:00"));
  EXPECT_THAT(desk.Advance("2026-12-19 13:00"), ElementsAre("RESOLUTION breached TIME due Thu 19 13:00"));
  EXPECT_EQ(NextClockMoment(desk.state()).at, absl::InfiniteFuture());
}

TEST(ClockRules, WarningsWaitWithTheirClock) {
  Desk desk;
  v1::MetricRule rule = Resolution("8h");
  rule.add_warnings_permille(500);
  *rule.add_warnings_before() = ToProto(absl::Hours(1));
  desk.Publish(Policy("p", v1::CUSTOMER, 100, "london", {rule}));
  desk.Receive("2026-11-18 09:00");
  desk.Wait("2026-11-18 12:00", "WAITING");
  EXPECT_THAT(desk.Advance("2026-11-20 10:00"), IsEmpty());
  desk.Move("2026-11-20 10:00", "OPEN");
  EXPECT_THAT(desk.Advance("2026-11-20 14:00"),
              ElementsAre("RESOLUTION warning 0 of Fri 20 11:00", "RESOLUTION warning 1 of Fri 20 14:00"));
}

TEST(ClockRules, AtOneInstantTheOlderClockAndTheWarningComeFirst) {
  Desk desk;
  v1::MetricRule a = Metric("A", On("case_received"), On("case_closed"), "4h");
  v1::MetricRule b = Metric("B", On("case_received"), On("case_closed"), "4h");
  a.add_warnings_permille(1000);
  b.add_warnings_permille(1000);
  desk.Publish(Policy("p", v1::CUSTOMER, 100, "london", {b, a}));
  EXPECT_THAT(desk.Receive("2026-11-18 09:00"),
              ElementsAre("A attached due Wed 18 13:00", "B attached due Wed 18 13:00"));
  EXPECT_THAT(desk.Advance("2026-11-18 13:01"),
              ElementsAre("A warning 0 of Wed 18 13:00", "A breached TIME due Wed 18 13:00",
                          "B warning 0 of Wed 18 13:00", "B breached TIME due Wed 18 13:00"));
}

TEST(ClockRules, AWindowElapsesAndIsNeverLate) {
  Desk desk;
  v1::MetricRule window = Metric("SUMMARY", On("case_received"), On("resolution_accepted"), "3bd@close");
  window.set_nature(v1::WINDOW);
  desk.Publish(Policy("p", v1::REGULATOR, 100, "london", {window}));
  desk.Receive("2026-11-18 09:00");
  EXPECT_THAT(desk.Advance("2026-12-18 09:00"), IsEmpty());
  EXPECT_FALSE(IsLate(desk.Clock("SUMMARY"), At(kLondon, "2026-12-18 09:00")));
  EXPECT_EQ(LateFrom(desk.Clock("SUMMARY")), absl::InfiniteFuture());
  v1::Event accepted;
  accepted.mutable_resolution_accepted()->set_how("WRITTEN");
  EXPECT_THAT(desk.Do("2026-12-18 10:00", accepted), ElementsAre(HasSubstr("fulfilled late")));
  EXPECT_FALSE(desk.Clock("SUMMARY").has_breached_due_at());
}

// The response duties, defined by data: what counts as an answer is in the policy.

class Responses : public ::testing::Test {
 protected:
  void SetUp() override {
    desk_.Publish(testing::StandardPolicy());
    EXPECT_THAT(desk_.Receive("2026-11-18 09:00"),
                ElementsAre("FIRST_RESPONSE attached due Wed 18 13:00", "RESOLUTION attached due Fri 20 17:00"));
  }
  Desk desk_;
};

TEST_F(Responses, AutomatedAndInternalMessagesAnswerNobody) {
  EXPECT_THAT(desk_.Send("2026-11-18 09:10", /*human=*/false, /*public_message=*/true, v1::ACKNOWLEDGEMENT), IsEmpty());
  EXPECT_THAT(desk_.Send("2026-11-18 09:20", /*human=*/true, /*public_message=*/false), IsEmpty());
  v1::Event note;
  note.mutable_internal_note_added();
  EXPECT_THAT(desk_.Do("2026-11-18 09:30", note), IsEmpty());
  EXPECT_THAT(desk_.Send("2026-11-18 10:00", true, true), ElementsAre("FIRST_RESPONSE fulfilled on time after 1h"));
  EXPECT_THAT(desk_.Send("2026-11-18 11:00", true, true), IsEmpty());
}

TEST_F(Responses, TheOldestUnansweredMessageRunsTheNextResponse) {
  EXPECT_THAT(desk_.Hear("2026-11-18 09:30"), IsEmpty());  // before the first response
  desk_.Send("2026-11-18 10:00", true, true);
  EXPECT_THAT(desk_.Hear("2026-11-18 11:00"), ElementsAre("NEXT_RESPONSE attached due Wed 18 13:00"));
  EXPECT_THAT(desk_.Hear("2026-11-18 12:00"), IsEmpty());
  EXPECT_THAT(desk_.Send("2026-11-18 12:30", false, true), IsEmpty());
  EXPECT_THAT(desk_.Send("2026-11-18 12:45", true, true), ElementsAre("NEXT_RESPONSE fulfilled on time after 1h45m"));
  EXPECT_THAT(desk_.Hear("2026-11-18 16:00"), ElementsAre("NEXT_RESPONSE attached cycle 2 due Thu 19 10:00"));
  v1::Event marked;
  marked.mutable_no_reply_needed_marked()->set_inbound_revision(desk_.state().unanswered_inbound(0));
  EXPECT_THAT(desk_.Do("2026-11-18 16:10", marked), ElementsAre("NEXT_RESPONSE cancelled NO_REPLY_NEEDED_MARKED"));
  EXPECT_THAT(desk_.Hear("2026-11-18 16:20"), ElementsAre("NEXT_RESPONSE attached cycle 3 due Thu 19 10:20"));
  EXPECT_THAT(desk_.Move("2026-11-18 16:30", "RESOLVED"),
              ElementsAre("RESOLUTION fulfilled on time after 7h30m", "NEXT_RESPONSE cancelled STATUS_CHANGED"));
}

TEST_F(Responses, ACallEnteredLateDoesNotUndoABreachByItself) {
  desk_.Advance("2026-11-18 14:00");
  ASSERT_TRUE(desk_.Clock("FIRST_RESPONSE").has_breached_due_at());
  EXPECT_THAT(desk_.Send("2026-11-18 12:00", true, true), ElementsAre("FIRST_RESPONSE fulfilled late after 3h"));
}

TEST_F(Responses, NoEventOfTheClocksHasConsequences) {
  v1::Event event;
  event.mutable_clock_breached()->set_clock_no(2);
  *event.mutable_occurred_at() = ToProto(At(kLondon, "2026-11-18 13:00"));
  const auto events = ClockConsequences(desk_.state(), desk_.state(), event, desk_.policies(),
                                        {.in_force = FromProto(event.occurred_at())});
  ASSERT_TRUE(events.ok());
  EXPECT_THAT(*events, IsEmpty());
}

TEST(ClockRules, ACycleThatAnEventEndsItMayBeginAnew) {
  Desk desk;
  v1::MetricRule update = Metric("PERIODIC_UPDATE", On("outbound_sent"), On("outbound_sent"), "8h");
  update.set_start_at("occurred_at");
  desk.Publish(Policy("p", v1::CUSTOMER, 100, "london", {update}));
  desk.Receive("2026-11-18 09:00");
  EXPECT_THAT(desk.Send("2026-11-18 10:00", true, true), ElementsAre("PERIODIC_UPDATE attached due Thu 19 10:00"));
  EXPECT_THAT(desk.Send("2026-11-19 11:00", true, true),
              ElementsAre("PERIODIC_UPDATE breached TIME due Thu 19 10:00", "PERIODIC_UPDATE fulfilled late after 9h",
                          "PERIODIC_UPDATE attached cycle 2 due Fri 20 11:00"));
}

TEST(ClockRules, StartedWhileTheCaseWaitsAClockIsPausedAtOnce) {
  Desk desk;
  desk.Publish(Policy("p", v1::CUSTOMER, 100, "london", {Resolution("8h")}));
  v1::CaseReceived received;
  *received.mutable_entered() = Entered("WAITING");
  *received.mutable_received_at() = ToProto(At(kLondon, "2026-11-18 09:00"));
  EXPECT_THAT(desk.Receive("2026-11-18 11:00", received),
              ElementsAre("RESOLUTION attached due Wed 18 17:00, paused since Wed 18 11:00 no due"));
  EXPECT_EQ(FromProto(desk.Clock("RESOLUTION").first_due_at()), At(kLondon, "2026-11-18 17:00"));
  EXPECT_EQ(FromProto(desk.Clock("RESOLUTION").remaining()), absl::Hours(6));
  EXPECT_THAT(desk.Move("2026-11-18 12:00", "OPEN"),
              ElementsAre("RESOLUTION resumed, paused until Wed 18 12:00 due Thu 19 10:00"));
}

TEST(ClockRules, FiledLateTheBreachIsRecordedAtTheFilingWithItsOwnDue) {
  Desk desk;
  desk.Publish(Policy("p", v1::CUSTOMER, 100, "london", {Resolution("4h")}));
  v1::CaseReceived received;
  *received.mutable_received_at() = ToProto(At(kLondon, "2026-11-18 09:00"));
  desk.Receive("2026-11-19 10:00", received);
  const ClockMoment moment = NextClockMoment(desk.state());
  EXPECT_EQ(moment.at, At(kLondon, "2026-11-18 13:00"));
  EXPECT_EQ(FromProto(moment.event.occurred_at()), At(kLondon, "2026-11-19 10:00"));
  EXPECT_EQ(FromProto(moment.event.clock_breached().due_at()), At(kLondon, "2026-11-18 13:00"));
}

TEST(ClockRules, ImportedCasesBreachWithTheirOwnCauseAndMayStopBeforeTheyStart) {
  Desk desk;
  desk.Publish(Policy("p", v1::CUSTOMER, 100, "london",
                      {Resolution("4h"), Metric("FIRST", On("case_received"), On("outbound_sent"), "4h")}));
  v1::CaseReceived received;
  received.set_history(true);
  desk.Receive("2026-11-18 09:00", received);
  EXPECT_THAT(desk.Send("2026-11-18 08:00", true, true), ElementsAre("FIRST fulfilled on time after 0"));
  EXPECT_THAT(desk.Move("2026-11-18 15:00", "RESOLVED"),
              ElementsAre("RESOLUTION breached IMPORT due Wed 18 13:00", "RESOLUTION fulfilled late after 6h"));
}

TEST(ClockRules, ACalendarThatNobodyPublishedIsNamed) {
  Desk desk;
  desk.Publish(Policy("p", v1::CUSTOMER, 100, "nowhere", {Resolution("4h")}));
  EXPECT_THAT(desk.Receive("2026-11-18 09:00"), ElementsAre(HasSubstr("calendar nowhere: no version is effective")));
}

}  // namespace
}  // namespace docket::sla
