// Reopening (R4): within a window, and what it does to clocks.
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/workflow/case/case_desk.h"
#include "workflow/base/time.h"
#include "workflow/case/advance.h"
#include "workflow/case/allowed.h"

namespace docket::workflow::testing {
namespace {

// A ticket of 8 h received Wednesday 09:00 and resolved at 16:59, one minute before its due.
CaseDesk ResolvedAMinuteEarly() {
  CaseDesk desk;
  desk.Must("file { kind: REQUEST title: 'x' impact: 1 urgency: 2 }");
  desk.Must("accept {}");
  desk.Must(kAnswer);
  desk.MoveTo("2026-11-18 16:59");
  desk.Must("resolve { resolution_code: 'FIXED' }");
  EXPECT_TRUE(desk.clock("RESOLUTION").provisional());
  desk.MoveTo("2026-11-23 08:00");
  EXPECT_EQ(desk.status(), "RESOLVED");
  return desk;
}

// N1, first half: not resolved, so the clock runs on as if never stopped, and is late.
TEST(ReopeningTest, N1NotResolvedSetsTheFulfilmentAside) {
  CaseDesk desk = ResolvedAMinuteEarly();
  EXPECT_EQ(desk.Must("reopen { reason: NOT_RESOLVED }"),
            "CaseReopened ClockReopened ClockBreached EscalationRaised StatusChanged");
  const v1::Clock& clock = desk.clock("RESOLUTION");
  EXPECT_EQ(FromProto(clock.due_at()), At("2026-11-18 17:00"));
  EXPECT_EQ(FromProto(clock.breached_due_at()), At("2026-11-18 17:00"));
  EXPECT_EQ(clock.breach_cause(), "REOPENED");
  EXPECT_EQ(clock.state(), v1::RUNNING);
}

// N1, second half: new facts, so the time spent resolved does not count: one minute is left on Monday 10:00.
TEST(ReopeningTest, N1NewFactsLeaveOutTheTimeSpentResolved) {
  CaseDesk desk;
  desk.Must("file { kind: REQUEST title: 'x' impact: 1 urgency: 2 }");
  desk.Must("accept {}");
  desk.Must(kAnswer);
  desk.MoveTo("2026-11-18 16:59");
  desk.Must("resolve { resolution_code: 'FIXED' }");
  desk.MoveTo(At("2026-11-23 10:00"), /*timers=*/false);
  // The silent closing came first, at the same hour as resolving five days later; then the case is reopened from
  // CLOSED.
  desk.MoveTo(At("2026-11-23 10:00"));
  EXPECT_EQ(Told(desk.Would("reopen { reason: NEW_FACTS }")), "CONDITIONS_UNMET: NEW_FACTS_MISSING");
  desk.Must("reopen { reason: NEW_FACTS }", {.evidence = true});
  const v1::Clock& clock = desk.clock("RESOLUTION");
  EXPECT_EQ(FromProto(clock.due_at()), At("2026-11-23 10:01"));
  EXPECT_FALSE(clock.has_breached_due_at());
  ASSERT_EQ(clock.pauses_size(), 1);
  EXPECT_TRUE(clock.pauses(0).excluded());
}

TEST(ReopeningTest, AMessageReopensAResolvedTicketUnlessItSaysNothing) {
  CaseDesk desk = ResolvedAMinuteEarly();
  EXPECT_EQ(desk.Must("record_inbound { body: 'Thank you' no_reply_needed: true }"),
            "InboundReceived NoReplyNeededMarked");
  EXPECT_EQ(desk.status(), "RESOLVED");
  desk.Must(kInbound);
  EXPECT_EQ(desk.status(), "OPEN");
  EXPECT_EQ(desk.state().reopen_count(), 1u);
}

TEST(ReopeningTest, AfterTheWindowANewCaseIsWanted) {
  CaseDesk desk;
  desk.Must(kFileTicket);
  desk.Must("accept {}");
  desk.Must("resolve { resolution_code: 'FIXED' }");
  desk.Must("close { basis: 'ACCEPTED' }");
  desk.MoveTo("2026-12-02 09:00");  // 14 days, to the instant
  EXPECT_TRUE(desk.Would("reopen { reason: NOT_RESOLVED }").ok());
  desk.MoveTo("2026-12-02 09:00:00.000001");
  EXPECT_EQ(Told(desk.Would("reopen { reason: NOT_RESOLVED }")), "CONDITIONS_UNMET: REOPEN_WINDOW_PASSED");
}

TEST(ReopeningTest, ADeclinedComplaintIsAssessedAgain) {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  EXPECT_EQ(desk.Must("decline { reason_code: 'NO_HARM' explanation: 'None' }"),
            "CaseDeclined ClockFulfilled StatusChanged ClockFulfilled");
  EXPECT_EQ(Told(desk.Would("reopen { reason: NOT_RESOLVED }")), "CONDITIONS_UNMET: SECOND_PERSON_MISSING");
  const auto may_reopen = [&](const std::string& asker) {
    const std::vector<AllowedCommand> all = AllowedCommands(desk.state(), desk.policies(), asker);
    return absl::c_any_of(all, [](const AllowedCommand& one) { return one.command == "reopen" && one.allowed; });
  };
  EXPECT_FALSE(may_reopen("grace.lind"));
  EXPECT_TRUE(may_reopen("amara.osei"));
  EXPECT_TRUE(may_reopen(""));
  EXPECT_EQ(desk.Must("reopen { reason: NEW_FACTS }", {.principal = "amara.osei", .evidence = true}),
            "CaseReopened ClockReopened StatusChanged");
  EXPECT_EQ(desk.status(), "ASSESSMENT");
  EXPECT_FALSE(desk.state().has_closed_at());
  EXPECT_EQ(desk.state().closure_code(), "");
  EXPECT_EQ(desk.clock("FIRST_RESPONSE").state(), v1::FULFILLED);  // what was told stays told
}

TEST(WithdrawnTest, WantsTheRequestersWords) {
  CaseDesk desk;
  desk.Must(kFileTicket);
  constexpr char kWithdraw[] = "decline { reason_code: 'WITHDRAWN' explanation: 'No longer wanted' }";
  EXPECT_EQ(Told(desk.Would(kWithdraw)), "CONDITIONS_UNMET: WORDS_OF_WITHDRAWAL_MISSING");
  EXPECT_TRUE(desk.Would(kWithdraw, {.evidence = true}, nullptr).ok());
  desk.Must("record_inbound { body: 'I found it' no_reply_needed: true }");
  EXPECT_TRUE(desk.Would(kWithdraw).ok());
  desk.MoveTo("2026-11-18 10:00");
  desk.Must(kAnswer);
  EXPECT_EQ(Told(desk.Would(kWithdraw)), "CONDITIONS_UNMET: WORDS_OF_WITHDRAWAL_MISSING");
}

// What the requester wrote since is as good as a document; what he wrote before was known, and thanks tell nothing.
TEST(ReopeningTest, NewFactsAreWhatWasHeardSince) {
  CaseDesk desk;
  desk.Must(kFileTicket);
  desk.Must("accept {}");
  desk.Must(kInbound);
  desk.Must(kAnswer);
  desk.MoveTo("2026-11-18 10:00");
  desk.Must("resolve { resolution_code: 'FIXED' }");
  desk.MoveTo("2026-11-18 11:00");
  EXPECT_EQ(Told(desk.Would("reopen { reason: NEW_FACTS }")), "CONDITIONS_UNMET: NEW_FACTS_MISSING");
  desk.Must("record_inbound { body: 'Thanks' no_reply_needed: true }");
  EXPECT_EQ(Told(desk.Would("reopen { reason: NEW_FACTS }")), "CONDITIONS_UNMET: NEW_FACTS_MISSING");
  desk.Must("close { basis: 'ACCEPTED' }");
  desk.Must("record_inbound { body: 'It smells' }");
  EXPECT_TRUE(desk.Would("reopen { reason: NEW_FACTS }").ok());
  desk.MoveTo("2026-11-18 12:00");
  desk.Must(kAnswer);  // heard, and answered
  EXPECT_TRUE(desk.Would("reopen { reason: NEW_FACTS }").ok());
}

// Resolved so long ago that its fulfilment is final: a message is recorded and waits, and takes nothing up again.
TEST(ReopeningTest, AMessageAfterTheWindowReopensNothing) {
  CaseDesk desk;
  desk.Must(kFileTicket);
  desk.Must("accept {}");
  desk.Must(kInbound);
  desk.MoveTo("2026-11-18 10:00");
  desk.Must(kAnswer);
  const uint32_t answer = desk.state().sent(0).revision();
  desk.Must("resolve { resolution_code: 'FIXED' }");
  // The bounce leaves a message open, which postpones the silent closing.
  desk.Must(absl::StrCat("report_delivery { outbound_revision: ", answer, " outcome: BOUNCED }"));
  desk.MoveTo("2026-12-02 10:00");
  EXPECT_EQ(Told(desk.Would(kInbound)),
            "ok: InboundReceived CaseReopened ClockReopened ClockBreached EscalationRaised StatusChanged");
  desk.MoveTo("2026-12-02 10:00:00.000001");
  desk.Must(kInbound);
  EXPECT_EQ(desk.status(), "RESOLVED");
  EXPECT_EQ(desk.clock("RESOLUTION").state(), v1::FULFILLED);
  EXPECT_EQ(desk.state().unanswered_inbound_size(), 2);
}

// A fulfilment may be set aside until the window is over, also after closing, and no longer.
TEST(ReopeningTest, AFulfilmentIsProvisionalUntilTheWindowIsOver) {
  CaseDesk desk;
  desk.Must(kFileTicket);
  desk.Must("accept {}");
  desk.Must("resolve { resolution_code: 'FIXED' }");
  desk.Must("close { basis: 'ACCEPTED' }");
  const auto provisional = [&](absl::string_view london) {
    const auto state = StateAt(desk.state(), desk.policies(), At(london));
    EXPECT_TRUE(state.ok()) << state.status();
    return state.ok() && absl::c_any_of(state->clocks(), [](const v1::Clock& clock) { return clock.provisional(); });
  };
  EXPECT_TRUE(provisional("2026-12-02 09:00"));
  EXPECT_FALSE(provisional("2026-12-02 09:00:00.000001"));
}

// What was finished when its receipt was corrected counts from the right one when it runs again.
TEST(ReopeningTest, AReceiptCorrectedMeanwhileCounts) {
  CaseDesk desk;
  desk.Must(kFileTicket);  // 24 h
  desk.Must("accept {}");
  desk.Must("resolve { resolution_code: 'FIXED' }");
  desk.MoveTo("2026-11-18 10:00");
  desk.Must("correct_received_at { received_at { seconds: 1794906000 } reason_code: 'POST_MARK' }", {.evidence = true});
  EXPECT_EQ(FromProto(desk.clock("RESOLUTION").start_at()), At("2026-11-18 09:00"));
  desk.Must("reopen { reason: NOT_RESOLVED }");
  EXPECT_EQ(FromProto(desk.clock("RESOLUTION").start_at()), At("2026-11-17 09:00"));
  EXPECT_EQ(FromProto(desk.clock("RESOLUTION").due_at()), At("2026-11-19 17:00"));
}

}  // namespace
}  // namespace docket::workflow::testing
