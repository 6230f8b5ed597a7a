// When things happened (R7): only contacts with the world may be entered late, within limits.
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/workflow/case/case_desk.h"
#include "workflow/base/time.h"
#include "workflow/case/decide.h"

namespace docket::workflow::testing {
namespace {

CaseDesk Filed() {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  return desk;
}

std::string TriedAt(const CaseDesk& desk, absl::string_view command, absl::Time at, bool evidence = true) {
  const auto outcome = desk.Would(command, {.occurred_at = at, .evidence = evidence}, nullptr);
  return outcome.ok() ? "ok" : Told(outcome);
}

TEST(BackDatingTest, ContactsMayLieUpToThreeDaysBackWithEvidence) {
  CaseDesk desk = Filed();
  desk.MoveTo("2026-11-24 09:00");
  const absl::Time limit = desk.now() - kMaxBackDating;
  for (const char* contact : {kInbound, kAnswer, "accept {}"}) {
    EXPECT_EQ(TriedAt(desk, contact, limit), "ok") << contact;
    EXPECT_EQ(TriedAt(desk, contact, limit - absl::Microseconds(1)), "OCCURRED_AT_TOO_OLD") << contact;
    EXPECT_EQ(TriedAt(desk, contact, limit, /*evidence=*/false), "EVIDENCE_MISSING") << contact;
  }
  CaseDesk fresh;
  EXPECT_EQ(TriedAt(fresh, kFileComplaint, fresh.now() - absl::Hours(1)), "ok");
}

TEST(BackDatingTest, AReceiptFurtherBackWantsEvidence) {
  CaseDesk desk;
  const auto filed = [&](absl::Time received, bool evidence) {
    const std::string command = absl::StrCat(
        "file { kind: COMPLAINT title: 'x' received_at { seconds: ", absl::ToUnixSeconds(received), " } }");
    const auto outcome = desk.Would(command, {.evidence = evidence}, nullptr);
    return outcome.ok() ? "ok" : Told(outcome);
  };
  const absl::Time limit = desk.now() - kMaxBackDating;
  EXPECT_EQ(filed(limit, false), "ok");
  EXPECT_EQ(filed(limit - absl::Seconds(1), false), "EVIDENCE_MISSING");
  EXPECT_EQ(filed(limit - absl::Seconds(1), true), "ok");
}

TEST(BackDatingTest, NothingElseMay) {
  CaseDesk desk = Filed();
  desk.MoveTo("2026-11-18 12:00");
  for (const char* other :
       {"take {}", "queue { queue: 'billing' }", kTriage, "add_note { body: 'x' }",
        "hold { waiting_on: LEGAL reason_code: 'X' }", "set_priority { impact: 1 urgency: 1 }",
        "decline { reason_code: 'NO_HARM' explanation: 'x' }", "void { reason_code: 'X' approver: 'helen.marsh' }",
        "transfer { to_queue: 'billing' handoff_note: 'x' }"}) {
    EXPECT_EQ(TriedAt(desk, other, desk.now() - absl::Hours(1)), "OCCURRED_AT_BACK_DATED") << other;
  }
}

TEST(BackDatingTest, TheFutureIsRefusedButForSkewOfClocks) {
  CaseDesk desk = Filed();
  desk.MoveTo("2026-11-18 10:00");
  EXPECT_EQ(TriedAt(desk, kInbound, desk.now() + kClockTolerance), "ok");
  EXPECT_EQ(TriedAt(desk, kInbound, desk.now() + kClockTolerance + absl::Microseconds(1)), "OCCURRED_AT_IN_FUTURE");
  // Within the tolerance the server's own time counts, so no case runs ahead of it.
  desk.Must(kInbound, {.occurred_at = desk.now() + kClockTolerance});
  EXPECT_EQ(FromProto(desk.events().back().occurred_at()), desk.now());
}

TEST(BackDatingTest, AnAnswerGivenInTimeAndEnteredLateBeforeTheBreachIsOnTime) {
  CaseDesk desk = Filed();
  desk.MoveTo("2026-11-18 16:30");
  desk.Must(kAnswer, {.occurred_at = At("2026-11-18 10:00"), .evidence = true});
  EXPECT_EQ(FromProto(desk.clock("FIRST_RESPONSE").stopped_at()), At("2026-11-18 10:00"));
  EXPECT_TRUE(desk.clock("FIRST_RESPONSE").on_time());
}

// Late into met wants a second person; until then the breach stands.
TEST(BackDatingTest, EnteredAfterTheBreachItLeavesTheBreachOnRecord) {
  CaseDesk desk = Filed();
  desk.MoveTo("2026-11-19 09:00");
  ASSERT_TRUE(desk.clock("FIRST_RESPONSE").has_breached_due_at());
  EXPECT_EQ(desk.Must(kAnswer, {.occurred_at = At("2026-11-18 16:00"), .evidence = true}),
            "OutboundSent ClockFulfilled");
  EXPECT_FALSE(desk.clock("FIRST_RESPONSE").on_time());
  EXPECT_TRUE(desk.clock("FIRST_RESPONSE").has_breached_due_at());
}

TEST(BackDatingTest, NothingIsAnsweredBeforeItWasReceived) {
  CaseDesk desk = Filed();
  const CaseDesk::Given before{.occurred_at = At("2026-11-18 08:00"), .evidence = true};
  EXPECT_EQ(Told(desk.Would(kAnswer, before, nullptr)), "OCCURRED_BEFORE_RECEIPT");
  EXPECT_EQ(Told(desk.Would("accept {}", before, nullptr)), "OCCURRED_BEFORE_RECEIPT");
}

// Met or late must not depend on whether a timer came before the clerk.
TEST(BackDatingTest, WithoutTimersItIsTheSame) {
  CaseDesk desk = Filed();
  desk.MoveTo(At("2026-11-19 09:00"), /*timers=*/false);
  ASSERT_FALSE(desk.clock("FIRST_RESPONSE").has_breached_due_at());
  EXPECT_THAT(desk.Must(kAnswer, {.occurred_at = At("2026-11-18 16:00"), .evidence = true}),
              ::testing::HasSubstr("ClockBreached EscalationRaised OutboundSent ClockFulfilled"));
  EXPECT_FALSE(desk.clock("FIRST_RESPONSE").on_time());
  EXPECT_TRUE(desk.clock("FIRST_RESPONSE").has_breached_due_at());
}

// What is in force when a case is filed holds, also for a case filed late by a server that is new.
TEST(BackDatingTest, ACaseFiledForADayBeforeThePoliciesWereHasItsClocks) {
  CaseDesk desk(With(ShippedPolicies(),
                     "sla: newest\norder: 1\nobligation: CUSTOMER\ncalendar: london\n"
                     "effective_from: 2026-11-18T08:00:00Z\nmetrics:\n"
                     "  - metric: FIRST_RESPONSE\n    nature: DUTY\n    start: {event: case_received}\n"
                     "    start_at: received_at\n    stop: [{event: outbound_sent}]\n    targets: [{target: 1h}]\n"));
  desk.Must(kFileComplaint, {.occurred_at = At("2026-11-17 09:00"), .evidence = true});
  ASSERT_GT(desk.state().clocks_size(), 0);
  EXPECT_EQ(desk.clock("FIRST_RESPONSE").policy().id(), "newest");
  EXPECT_EQ(FromProto(desk.clock("FIRST_RESPONSE").due_at()), At("2026-11-17 10:00"));
}

TEST(BackDatingTest, AContactMayLieEarlierButWorkflowNeverGoesBack) {
  CaseDesk desk = Filed();
  desk.Must("take {}");
  desk.Must("accept {}");
  desk.Must(kTriage);
  desk.Must(kAsk);
  desk.MoveTo("2026-11-18 12:00");
  desk.Must("hold { waiting_on: COMPLAINANT reason_code: 'X' }");
  desk.MoveTo("2026-11-18 15:00");
  // The reply came at 11:00, before we began to wait: it is told at 11:00, the wait ends when it began.
  EXPECT_EQ(desk.Must(kInbound, {.occurred_at = At("2026-11-18 11:00"), .evidence = true}),
            "InboundReceived ClockPauseShortened StatusChanged ClockResumed");
  const auto& events = desk.events();
  EXPECT_EQ(FromProto(events[events.size() - 4].occurred_at()), At("2026-11-18 11:00"));
  EXPECT_EQ(FromProto(desk.clock("RESOLUTION").pauses(0).end()), At("2026-11-18 11:00"));
  EXPECT_EQ(FromProto(events[events.size() - 2].occurred_at()), At("2026-11-18 12:00"));
}

}  // namespace
}  // namespace docket::workflow::testing
