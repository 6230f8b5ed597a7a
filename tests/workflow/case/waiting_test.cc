// Waiting (R6), its end by itself, and what timers of the chart do.
#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/workflow/case/case_desk.h"
#include "workflow/base/time.h"
#include "workflow/case/advance.h"

namespace docket::workflow::testing {
namespace {

std::string HoldUntil(const std::string& on, absl::Time until) {
  return absl::StrCat("hold { waiting_on: ", on, " reason_code: 'WAIT' until { seconds: ", absl::ToUnixSeconds(until),
                      " } }");
}

// A complaint under investigation by its handler, Wednesday 09:00.
CaseDesk Investigated() {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  desk.Must("take {}");
  desk.Must("accept {}");
  desk.Must(kTriage);
  return desk;
}

TEST(WaitingTest, ForTheComplainantWantsARequestThatIsUnanswered) {
  CaseDesk desk = Investigated();
  const auto refused = desk.Would("hold { waiting_on: COMPLAINANT reason_code: 'X' }");
  EXPECT_EQ(Told(refused), "CONDITIONS_UNMET: INFORMATION_REQUEST_MISSING");
  EXPECT_THAT(MetBy(refused.status()), ::testing::ElementsAre("send_outbound"));
  desk.Must(kAsk);
  desk.Must(kInbound);  // answered
  EXPECT_EQ(Told(desk.Would("hold { waiting_on: COMPLAINANT reason_code: 'X' }")),
            "CONDITIONS_UNMET: INFORMATION_REQUEST_MISSING");
  desk.Must(kAsk);
  EXPECT_EQ(desk.Must("hold { waiting_on: COMPLAINANT reason_code: 'X' }"), "StatusChanged ClockPaused");
}

TEST(WaitingTest, EveryUnmetConditionOfAHoldIsListed) {
  CaseDesk desk = Investigated();
  EXPECT_EQ(Told(desk.Would(HoldUntil("COMPLAINANT", desk.now()))),
            "CONDITIONS_UNMET: INFORMATION_REQUEST_MISSING UNTIL_NOT_IN_FUTURE");
}

TEST(WaitingTest, ThePauseBeginsWhenTheQuestionWasSent) {
  CaseDesk desk = Investigated();
  desk.Must(kAsk);
  desk.MoveTo("2026-11-18 11:00");
  desk.Must("hold { waiting_on: COMPLAINANT reason_code: 'X' }");
  const v1::Clock& clock = desk.clock("RESOLUTION");
  ASSERT_EQ(clock.pauses_size(), 1);
  EXPECT_EQ(FromProto(clock.pauses(0).start()), At("2026-11-18 09:00"));
  EXPECT_EQ(FromProto(clock.remaining()), absl::Hours(80));
  EXPECT_EQ(desk.clock("FIRST_RESPONSE").state(), v1::FULFILLED);
}

TEST(WaitingTest, InsideTheHouseStopsNoClock) {
  for (const char* on : {"DEPARTMENT", "THIRD_PARTY", "LEGAL"}) {
    CaseDesk desk = Investigated();
    const absl::Time due = FromProto(desk.clock("RESOLUTION").due_at());
    EXPECT_EQ(desk.Must(absl::StrCat("hold { waiting_on: ", on, " reason_code: 'X' }")), "StatusChanged");
    EXPECT_EQ(FromProto(desk.clock("RESOLUTION").due_at()), due);
    desk.MoveTo("2026-11-19 09:00");
    desk.Must("resume {}");
    EXPECT_EQ(desk.status(), "INVESTIGATION");
    EXPECT_EQ(FromProto(desk.clock("RESOLUTION").due_at()), due);
  }
}

// N4: 8 h from Wednesday 09:00, held Wednesday 11:00 until Thursday 11:00, nobody resumes: due Thursday 17:00. The 2 h
// before the pause count, the 8 h of Wednesday and Thursday inside it do not.
TEST(WaitingTest, N4AWaitThatEndsByItselfMovesTheDueByItsWorkingTime) {
  CaseDesk desk;
  desk.Must("file { kind: REQUEST title: 'x' impact: 1 urgency: 2 }");  // priority 2: 8 h
  ASSERT_EQ(desk.state().priority(), 2u);
  ASSERT_EQ(FromProto(desk.clock("RESOLUTION").due_at()), At("2026-11-18 17:00"));
  desk.Must("accept {}");
  desk.MoveTo("2026-11-18 11:00");
  desk.Must(kAsk);
  desk.Must(HoldUntil("COMPLAINANT", At("2026-11-19 11:00")));
  EXPECT_EQ(FromProto(desk.clock("RESOLUTION").due_at()), At("2026-11-19 17:00"));  // true before the wait has ended
  desk.MoveTo("2026-11-20 09:00");
  EXPECT_EQ(desk.status(), "OPEN");
  EXPECT_EQ(FromProto(desk.state().status_since()), At("2026-11-19 11:00"));
  EXPECT_EQ(FromProto(desk.clock("RESOLUTION").breached_due_at()), At("2026-11-19 17:00"));
}

TEST(WaitingTest, AWaitThatPassedEndsAtItsInstantWhoeverNoticesAndWhenever) {
  for (const bool timers : {true, false}) {
    CaseDesk desk = Investigated();
    desk.Must(HoldUntil("LEGAL", At("2026-11-19 11:00")));
    desk.MoveTo(At("2026-11-20 12:00"), timers);
    const auto events = desk.Do("add_note { body: 'x' }");
    ASSERT_TRUE(events.ok()) << events.status();
    if (!timers) {
      EXPECT_EQ(Story(*events),
                "WarningReached WarningReached WarningReached ClockBreached EscalationRaised WaitExpired StatusChanged "
                "InternalNoteAdded")
          << "the response was due on Wednesday 17:00 and warned about three times before";
    }
    EXPECT_EQ(desk.status(), "INVESTIGATION");
    EXPECT_EQ(FromProto(desk.state().status_since()), At("2026-11-19 11:00"));
    bool expired = false;
    for (const v1::Event& event : desk.events()) {
      if (!event.has_wait_expired()) continue;
      expired = true;
      EXPECT_EQ(FromProto(event.occurred_at()), At("2026-11-19 11:00"));
      EXPECT_EQ(event.wait_expired().action(), "RESUME");
      EXPECT_EQ(event.rule(), "complaint-iso10002@1");
    }
    EXPECT_TRUE(expired);
  }
}

TEST(WaitingTest, ResumingEarlyEndsThePauseThen) {
  CaseDesk desk = Investigated();
  desk.Must(kAsk);
  desk.Must(HoldUntil("COMPLAINANT", At("2026-11-25 09:00")));
  desk.MoveTo("2026-11-19 09:00");  // one working day later
  EXPECT_EQ(desk.Must("resume {}"), "StatusChanged ClockResumed");
  EXPECT_EQ(FromProto(desk.clock("RESOLUTION").due_at()), At("2026-12-02 17:00"));  // was Tuesday 1 December
}

TEST(WaitingTest, AMessageOfTheComplainantEndsTheWait) {
  CaseDesk desk = Investigated();
  desk.Must(kAsk);
  desk.Must("hold { waiting_on: COMPLAINANT reason_code: 'X' }");
  EXPECT_EQ(desk.Must("record_inbound { body: 'Pump is old' internal: true }"), "InboundReceived");
  EXPECT_EQ(desk.status(), "WAITING_COMPLAINANT");
  EXPECT_EQ(desk.Must(kInbound), "InboundReceived StatusChanged ClockResumed");
  EXPECT_EQ(desk.status(), "INVESTIGATION");
}

// R6: the pause ends with the party's next message, whatever it says.
TEST(WaitingTest, AThankYouEndsTheWaitToo) {
  CaseDesk desk = Investigated();
  desk.Must(kAsk);
  desk.Must("hold { waiting_on: COMPLAINANT reason_code: 'X' }");
  EXPECT_EQ(desk.Must("record_inbound { body: 'Thank you, it works' no_reply_needed: true }"),
            "InboundReceived NoReplyNeededMarked StatusChanged ClockResumed");
  EXPECT_EQ(desk.status(), "INVESTIGATION");
}

TEST(WaitingTest, HeldAgainFromAWaitKeepsTheWayBackOfTheFirst) {
  CaseDesk desk = Investigated();
  desk.Must("hold { waiting_on: LEGAL reason_code: 'X' }");
  desk.Must("hold { waiting_on: DEPARTMENT reason_code: 'X' }");
  EXPECT_EQ(desk.status(), "WAITING_DEPARTMENT");
  desk.Must("resume {}");
  EXPECT_EQ(desk.status(), "INVESTIGATION");
}

constexpr char kHold[] = "hold { waiting_on: COMPLAINANT reason_code: 'X' }";

TEST(WaitingTest, AQuestionOlderThanMayBeBackDatedPausesFromTheHoldOn) {
  CaseDesk desk = Investigated();
  desk.Must(kAsk);
  CaseDesk old = desk;
  desk.MoveTo("2026-11-21 09:00");
  desk.Must(kHold);
  EXPECT_EQ(FromProto(desk.clock("RESOLUTION").pauses(0).start()), At("2026-11-18 09:00"));
  old.MoveTo("2026-11-21 09:00:00.000001");
  old.Must(kHold);
  EXPECT_EQ(FromProto(old.state().wait().since()), At("2026-11-21 09:00:00.000001"));
  EXPECT_EQ(FromProto(old.clock("RESOLUTION").pauses(0).start()), At("2026-11-21 09:00:00.000001"));
}

TEST(WaitingTest, AnOldQuestionGivesNothingBackJustBeforeTheDue) {
  CaseDesk desk = Investigated();
  desk.Must(kAsk);
  desk.MoveTo("2026-12-01 16:59");
  desk.Must(kHold);
  desk.Must("resume {}");
  EXPECT_EQ(FromProto(desk.clock("RESOLUTION").due_at()), At("2026-12-01 17:00"));
}

TEST(WaitingTest, EndsByItselfWhenTheCapIsReached) {
  CaseDesk desk = Investigated();  // at most eight weeks
  desk.Must(kAsk);
  desk.MoveTo("2026-11-19 09:00");
  desk.Must(kHold);
  EXPECT_EQ(FromProto(desk.state().wait().until()), At("2027-01-13 09:00")) << "eight weeks after the question";
  desk.MoveTo("2027-01-14 09:00");
  EXPECT_EQ(desk.status(), "INVESTIGATION");
  EXPECT_EQ(FromProto(desk.state().status_since()), At("2027-01-13 09:00"));
}

TEST(WaitingTest, TheCapCountsNoDayTwice) {
  CaseDesk desk = Investigated();
  desk.Must(kAsk);
  desk.MoveTo("2026-11-20 09:00");
  desk.Must(kHold);
  const absl::Time latest = FromProto(desk.state().wait().until());
  desk.Must(kHold);  // from the wait itself
  EXPECT_EQ(FromProto(desk.state().wait().until()), latest);
  for (int i = 0; i < 3; ++i) {
    desk.MoveBy(absl::Hours(1));
    desk.Must("resume {}");
    desk.MoveBy(absl::Hours(1));
    desk.Must(kHold);  // the hour in between was no wait
    EXPECT_EQ(FromProto(desk.state().wait().until()), latest + absl::Hours(i + 1));
    EXPECT_EQ(FromProto(desk.state().wait().since()), desk.now());
  }
}

TEST(WaitingTest, BeyondTheCapASupervisorAgreesToAnInstant) {
  CaseDesk desk;
  desk.Must(kFileTicket);  // at most 30 days
  desk.Must("accept {}");
  desk.Must(kAsk);
  const absl::Time cap = At("2026-12-18 09:00");
  const std::string longer = HoldUntil("COMPLAINANT", cap + absl::Seconds(1));
  const auto refused = desk.Would(longer);
  EXPECT_EQ(Told(refused), "CONDITIONS_UNMET: WAIT_CAP_REACHED");
  EXPECT_TRUE(desk.Would(HoldUntil("COMPLAINANT", cap)).ok());
  EXPECT_TRUE(desk.Would(longer, {.approver = "helen.marsh"}, nullptr).ok());
  EXPECT_EQ(Told(desk.Would(longer, {.approver = "luis.romero"}, nullptr)), "CONDITIONS_UNMET: WAIT_CAP_REACHED");
  desk.Must(kHold);
  desk.MoveTo(cap);
  EXPECT_EQ(desk.status(), "OPEN");
  EXPECT_EQ(Told(desk.Would(kHold)), "CONDITIONS_UNMET: WAIT_CAP_REACHED");
  EXPECT_EQ(Told(desk.Would(kHold, {.principal = "helen.marsh"}, nullptr)), "CONDITIONS_UNMET: UNTIL_MISSING");
  EXPECT_TRUE(desk.Would(HoldUntil("COMPLAINANT", cap + absl::Hours(24)), {.principal = "helen.marsh"}, nullptr).ok());
  EXPECT_TRUE(desk.Would("hold { waiting_on: DEPARTMENT reason_code: 'X' }").ok());
}

TEST(WaitingTest, AMessageFromBeforeAReminderEndsTheWaitAndLeavesTheReminderOpen) {
  CaseDesk desk = Investigated();
  desk.Must(kAsk);
  desk.Must(kHold);
  desk.MoveTo("2026-11-19 10:00");
  desk.Must(kAsk);
  desk.MoveTo("2026-11-19 11:00");
  desk.Must(kInbound, {.occurred_at = At("2026-11-18 17:00"), .evidence = true});
  EXPECT_EQ(desk.status(), "INVESTIGATION");
  EXPECT_EQ(FromProto(desk.clock("RESOLUTION").pauses(0).end()), At("2026-11-18 17:00"));
  EXPECT_TRUE(desk.Would(kHold).ok());
}

// The question is older than may be back-dated, so the pause begins at the hold; the answer had come before that.
TEST(WaitingTest, AnAnswerFromBetweenQuestionAndHoldLeavesNothingOfThePause) {
  for (const bool resumed : {false, true}) {
    CaseDesk desk = Investigated();
    const absl::Time due = FromProto(desk.clock("RESOLUTION").due_at());
    desk.Must(kAsk);
    const CaseDesk::Given earlier{.occurred_at = At("2026-11-20 10:00"), .evidence = true};
    desk.MoveTo("2026-11-23 09:30");
    desk.Must(kHold);
    ASSERT_EQ(FromProto(desk.clock("RESOLUTION").pauses(0).start()), At("2026-11-23 09:30"));
    desk.MoveTo("2026-11-23 09:45");
    if (resumed) desk.Must("resume {}");
    desk.Must(kInbound, earlier);
    EXPECT_EQ(desk.status(), "INVESTIGATION");
    EXPECT_EQ(FromProto(desk.clock("RESOLUTION").due_at()), due);
  }
}

// The same, and a reminder went out while it waited.
TEST(WaitingTest, AnAnswerFromBetweenQuestionAndHoldEndsTheWaitInSpiteOfAReminder) {
  CaseDesk desk = Investigated();
  const absl::Time due = FromProto(desk.clock("RESOLUTION").due_at());
  desk.Must(kAsk);
  desk.MoveTo("2026-11-23 09:30");
  desk.Must(kHold);
  desk.MoveTo("2026-11-23 09:40");
  desk.Must(kAsk);
  desk.MoveTo("2026-11-23 09:45");
  desk.Must(kInbound, {.occurred_at = At("2026-11-20 10:00"), .evidence = true});
  EXPECT_EQ(desk.status(), "INVESTIGATION");
  EXPECT_EQ(FromProto(desk.clock("RESOLUTION").due_at()), due);
  EXPECT_TRUE(desk.Would(kHold).ok());  // the reminder has no answer
}

TEST(WaitingTest, AnAnswerFromBetweenTwoQuestionsShortensNoWaitForTheSecond) {
  CaseDesk desk = Investigated();
  desk.Must(kAsk);
  desk.MoveTo("2026-11-19 09:00");
  desk.Must(kAsk);
  desk.MoveTo("2026-11-20 09:00");
  desk.Must(kHold);
  desk.MoveTo("2026-11-20 10:00");
  desk.Must("resume {}");
  const absl::Time due = FromProto(desk.clock("RESOLUTION").due_at());
  desk.Must(kInbound, {.occurred_at = At("2026-11-18 12:00"), .evidence = true});
  EXPECT_EQ(FromProto(desk.clock("RESOLUTION").due_at()), due);
}

TEST(WaitingTest, AMessageFromBeforeTheQuestionDoesNotAnswerIt) {
  CaseDesk desk = Investigated();
  desk.MoveTo("2026-11-19 10:00");
  desk.Must(kAsk);
  desk.MoveTo("2026-11-19 10:30");
  const CaseDesk::Given before{.occurred_at = At("2026-11-19 09:59"), .evidence = true};
  desk.Must(kInbound, before);
  desk.Must("hold { waiting_on: COMPLAINANT reason_code: 'X' }");
  desk.Must(kInbound, before);
  EXPECT_EQ(desk.status(), "WAITING_COMPLAINANT");
  EXPECT_EQ(desk.clock("RESOLUTION").state(), v1::PAUSED);
  desk.Must(kInbound, {.occurred_at = At("2026-11-19 10:00"), .evidence = true});
  EXPECT_EQ(desk.status(), "INVESTIGATION");
}

TEST(TimerTest, AResolvedTicketClosesByItselfAfterFiveDaysOfSilence) {
  CaseDesk desk;
  desk.Must(kFileTicket);
  desk.Must("accept {}");
  desk.Must("resolve { resolution_code: 'FIXED' }");
  desk.MoveTo("2026-11-23 08:59:59.999999");
  EXPECT_EQ(desk.status(), "RESOLVED");
  desk.MoveTo("2026-11-23 09:00");
  EXPECT_EQ(desk.status(), "CLOSED");
  EXPECT_EQ(desk.state().closure_basis(), "NO_REPLY");
  EXPECT_EQ(FromProto(desk.state().closed_at()), At("2026-11-23 09:00"));
  EXPECT_EQ(NextMoment(desk.state()), absl::InfiniteFuture());
}

TEST(TimerTest, AnAnswerThatBouncedPostponesTheSilentClosingOfATicket) {
  CaseDesk desk;
  desk.Must(kFileTicket);
  desk.Must("accept {}");
  desk.Must(kInbound);
  const uint32_t answer = desk.state().revision() + 1;
  desk.Must(kAnswer);
  desk.Must("resolve { resolution_code: 'FIXED' }");
  desk.Must(absl::StrCat("report_delivery { outbound_revision: ", answer, " outcome: BOUNCED }"));
  desk.MoveTo("2026-11-23 09:00");
  EXPECT_EQ(desk.status(), "RESOLVED");
  desk.Must(kAnswer);
  desk.MoveTo("2026-11-24 09:00");
  EXPECT_EQ(desk.status(), "CLOSED");
}

TEST(TimerTest, AReplyPostponesTheSilentClosingOfADecisionDayByDay) {
  CaseDesk desk = Investigated();
  desk.Must(kDraft);
  desk.Must(kIssue);
  desk.Must(kInbound);
  desk.MoveTo("2027-01-13 09:00");  // eight weeks later
  EXPECT_EQ(desk.status(), "DECISION_ISSUED");
  ASSERT_TRUE(desk.events().back().has_timer_postponed());
  EXPECT_EQ(desk.events().back().timer_postponed().unmet(0), "UNANSWERED_MESSAGES");
  EXPECT_EQ(FromProto(desk.events().back().timer_postponed().next_at()), At("2027-01-14 09:00"));
  desk.Must(kAnswer);
  desk.MoveTo("2027-01-14 09:00");
  EXPECT_EQ(desk.status(), "CLOSED");
}

// DOMAIN 5.5: met if and only if the stop is at or before the due.
TEST(TimerTest, AStopExactlyAtTheDueIsMetWhoeverComesFirst) {
  CaseDesk desk;
  desk.Must(kFileComplaint);  // first response: 8 h
  desk.MoveTo("2026-11-18 17:00");
  EXPECT_FALSE(desk.clock("FIRST_RESPONSE").has_breached_due_at());
  EXPECT_EQ(NextMoment(desk.state()), At("2026-11-18 17:00:00.000001"));
  CaseDesk late = desk;
  EXPECT_EQ(desk.Must(kAnswer), "OutboundSent ClockFulfilled");
  EXPECT_TRUE(desk.clock("FIRST_RESPONSE").on_time());
  late.MoveTo("2026-11-18 17:00:00.000001");
  EXPECT_EQ(FromProto(late.clock("FIRST_RESPONSE").breached_due_at()), At("2026-11-18 17:00"));
  EXPECT_EQ(late.events()[late.events().size() - 2].body_case(), v1::Event::kClockBreached);
  EXPECT_EQ(FromProto(late.events()[late.events().size() - 2].occurred_at()), At("2026-11-18 17:00"));
  EXPECT_EQ(late.Must(kAnswer), "OutboundSent ClockFulfilled");
  EXPECT_FALSE(late.clock("FIRST_RESPONSE").on_time());
}

// DESIGN 2: facts are true at their instant, actions happen only by their event.
TEST(StateAtTest, TheEndOfAWaitAndABreachAreTrueAtTheirInstant) {
  CaseDesk desk = Investigated();
  desk.Must("hold { waiting_on: DEPARTMENT reason_code: 'X' until { seconds: 1795683600 } }");  // 2026-11-26 09:00
  const auto at = [&](absl::string_view london) {
    const auto state = StateAt(desk.state(), desk.policies(), At(london));
    EXPECT_TRUE(state.ok()) << state.status();
    return state.ok() ? *state : v1::Case();
  };
  EXPECT_EQ(at("2026-11-26 08:59:59.999999").status().status(), "WAITING_DEPARTMENT");
  const v1::Case over = at("2026-11-26 09:00");
  EXPECT_EQ(over.status().status(), "INVESTIGATION");
  EXPECT_FALSE(over.has_wait());
  EXPECT_EQ(over.revision(), desk.state().revision());
  EXPECT_EQ(FromProto(over.last_event_at()), FromProto(desk.state().last_event_at()));
  const v1::Case late = at("2027-06-01 09:00");
  const auto resolution = std::find_if(late.clocks().begin(), late.clocks().end(), [](const v1::Clock& clock) {
    return clock.metric() == "RESOLUTION" && clock.obligation() == v1::CUSTOMER;
  });
  ASSERT_NE(resolution, late.clocks().end());
  EXPECT_TRUE(resolution->has_breached_due_at());
  EXPECT_EQ(late.escalations_size(), desk.state().escalations_size()) << "a ladder climbs only by its event";
}

TEST(StateAtTest, ATimerOfTheChartActsOnlyByItsEvent) {
  CaseDesk desk;
  desk.Must(kFileTicket);
  desk.Must("accept {}");
  desk.Must("resolve { resolution_code: 'FIXED' }");
  const auto state = StateAt(desk.state(), desk.policies(), At("2026-12-23 09:00"));
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->status().status(), "RESOLVED");
}

}  // namespace
}  // namespace docket::workflow::testing
