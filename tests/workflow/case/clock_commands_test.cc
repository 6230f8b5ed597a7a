// What people decide about clocks: corrections, extensions, exemptions, dues by hand, entries that are disputed.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/workflow/case/case_desk.h"
#include "workflow/base/time.h"

namespace docket::workflow::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What a regulator and a customer are owed, with two extensions.
constexpr char kPolicy[] = R"(
sla: extended
obligation: REGULATOR
order: 1
calendar: london
metrics:
  - metric: FINAL_RESPONSE
    nature: DUTY
    start: {event: case_received}
    stop: [{event: decision_issued}]
    targets: [{target: 15bd@close}]
    extensions:
      - {ground: EXCEPTIONAL, target: 35bd@close, told_by: [HOLDING], approval: true}
      - {ground: STILL_EXCEPTIONAL, target: 60bd@close, after: EXCEPTIONAL, when_late: true}
)";

const CaseDesk::Given kWithHelen{.evidence = true, .approver = "helen.marsh"};

CaseDesk Filed() {
  CaseDesk desk(With(ShippedPolicies(), kPolicy));
  desk.Must(kFileComplaint);
  return desk;
}

absl::Time DueOf(const CaseDesk& desk, absl::string_view metric) { return FromProto(desk.clock(metric).due_at()); }

TEST(SecondPersonTest, IsInNoConflictOfInterest) {
  CaseDesk desk = Filed();
  desk.Must("declare_conflict { principal: 'helen.marsh' nature: 'COMPLAINED_OF' }");
  const char exempt[] = "exempt_clock { metric: 'FINAL_RESPONSE' cause: 'ERROR' }";
  EXPECT_EQ(Told(desk.Would(exempt, kWithHelen, nullptr)), "CONDITIONS_UNMET: CONFLICT_OF_INTEREST");
  EXPECT_TRUE(desk.Would(exempt, {.evidence = true, .approver = "amara.osei"}, nullptr).ok());
}

TEST(ExtendClockTest, WantsTheGroundTheNoticeAndASecondPerson) {
  CaseDesk desk = Filed();
  const char extend[] = "extend_clock { metric: 'FINAL_RESPONSE' ground: 'EXCEPTIONAL' }";
  EXPECT_EQ(DueOf(desk, "FINAL_RESPONSE"), At("2026-12-09 17:00"));
  EXPECT_EQ(Told(desk.Would("extend_clock { metric: 'FINAL_RESPONSE' ground: 'TIRED' }")),
            "CONDITIONS_UNMET: NO_SUCH_EXTENSION");
  EXPECT_EQ(Told(desk.Would(extend)), "CONDITIONS_UNMET: REQUESTER_NOT_TOLD SECOND_PERSON_MISSING");
  EXPECT_EQ(Told(desk.Would("extend_clock { metric: 'FINAL_RESPONSE' ground: 'STILL_EXCEPTIONAL' }")),
            "CONDITIONS_UNMET: EXTENSION_ORDER");
  desk.Must("send_outbound { kind: HOLDING body: 'We need longer because …' }");
  EXPECT_EQ(Told(desk.Would(extend, {.approver = "grace.lind"}, nullptr)), "CONDITIONS_UNMET: SECOND_PERSON_MISSING");
  EXPECT_EQ(desk.Must(extend, kWithHelen), "ClockExtended");
  EXPECT_EQ(DueOf(desk, "FINAL_RESPONSE"), At("2027-01-11 17:00"));
  EXPECT_EQ(desk.events().back().clock_extended().approver(), "helen.marsh");
  EXPECT_NE(desk.events().back().clock_extended().told_revision(), 0u);
  EXPECT_EQ(Told(desk.Would(extend, kWithHelen, nullptr)), "CONDITIONS_UNMET: ALREADY_EXTENDED");
  EXPECT_EQ(FromProto(desk.clock("FINAL_RESPONSE").first_due_at()), At("2026-12-09 17:00"));
}

TEST(ExtendClockTest, AfterTheDueOnlyIfThePolicySaysSoAndThenTheBreachIsAnnulled) {
  CaseDesk desk = Filed();
  desk.Must("send_outbound { kind: HOLDING body: 'We need longer' }");
  CaseDesk late = desk;
  late.MoveTo("2026-12-10 10:00");
  ASSERT_TRUE(late.clock("FINAL_RESPONSE").has_breached_due_at());
  EXPECT_EQ(Told(late.Would("extend_clock { metric: 'FINAL_RESPONSE' ground: 'EXCEPTIONAL' }", kWithHelen, nullptr)),
            "CONDITIONS_UNMET: EXTENSION_AFTER_DUE");
  desk.Must("extend_clock { metric: 'FINAL_RESPONSE' ground: 'EXCEPTIONAL' }", kWithHelen);
  desk.MoveTo("2027-01-12 10:00");
  ASSERT_TRUE(desk.clock("FINAL_RESPONSE").has_breached_due_at());
  EXPECT_EQ(desk.Must("extend_clock { metric: 'FINAL_RESPONSE' ground: 'STILL_EXCEPTIONAL' }"),
            "ClockExtended BreachAnnulled");
  EXPECT_FALSE(desk.clock("FINAL_RESPONSE").has_breached_due_at());
  EXPECT_EQ(FromProto(desk.clock("FINAL_RESPONSE").annulled_due_at()), At("2027-01-11 17:00"));
}

TEST(ExtendClockTest, AnExtendedClockKeepsItsDueWhenThePriorityChanges) {
  CaseDesk desk = Filed();
  desk.Must("send_outbound { kind: HOLDING body: 'We need longer' }");
  desk.Must("extend_clock { metric: 'FINAL_RESPONSE' ground: 'EXCEPTIONAL' }", kWithHelen);
  desk.Must("set_priority { impact: 1 urgency: 1 }");
  EXPECT_EQ(DueOf(desk, "FINAL_RESPONSE"), At("2027-01-11 17:00"));
}

TEST(ExemptClockTest, ALateDutyLeavesTheListButNotTheRegister) {
  CaseDesk desk = Filed();
  desk.MoveTo("2026-11-19 10:00");
  ASSERT_TRUE(desk.clock("FIRST_RESPONSE").has_breached_due_at());
  const char exempt[] = "exempt_clock { metric: 'FIRST_RESPONSE' cause: 'FORCE_MAJEURE' }";
  EXPECT_EQ(Told(desk.Would(exempt)), "CONDITIONS_UNMET: SECOND_PERSON_MISSING EVIDENCE_MISSING");
  EXPECT_EQ(desk.Must(exempt, kWithHelen), "ClockExempted");
  EXPECT_EQ(desk.clock("FIRST_RESPONSE").state(), v1::EXEMPTED);
  EXPECT_TRUE(desk.clock("FIRST_RESPONSE").has_breached_due_at());
  EXPECT_EQ(Told(desk.Would(exempt, kWithHelen, nullptr)), "CONDITIONS_UNMET: CLOCK_NOT_FOUND");
}

TEST(ExemptClockTest, WhatWasFulfilledLateMayBeExemptedAfterwards) {
  CaseDesk desk = Filed();
  desk.MoveTo("2026-11-19 10:00");
  desk.Must(kAnswer);
  desk.Must("exempt_clock { metric: 'FIRST_RESPONSE' cause: 'STORM' }", kWithHelen);
  EXPECT_EQ(desk.clock("FIRST_RESPONSE").state(), v1::FULFILLED);
  EXPECT_EQ(desk.clock("FIRST_RESPONSE").exempt_cause(), "STORM");
}

TEST(CorrectReceivedAtTest, MovesEveryClockThatCountsFromItARegulatorsToo) {
  CaseDesk desk = Filed();
  const std::string earlier = "correct_received_at { received_at { seconds: 1794909600 } reason_code: 'MISREAD' }";
  ASSERT_EQ(absl::FromUnixSeconds(1794909600), At("2026-11-17 10:00"));
  EXPECT_EQ(Told(desk.Would(earlier)), "CONDITIONS_UNMET: EVIDENCE_MISSING");
  EXPECT_EQ(desk.Must(earlier, {.evidence = true}),
            "ReceivedAtCorrected ClockRetargeted ClockRetargeted ClockRetargeted");
  EXPECT_EQ(DueOf(desk, "FINAL_RESPONSE"), At("2026-12-08 17:00"));
  EXPECT_EQ(DueOf(desk, "FIRST_RESPONSE"), At("2026-11-18 10:00"));
  EXPECT_EQ(FromProto(desk.clock("FIRST_RESPONSE").first_due_at()), At("2026-11-18 17:00"));
  EXPECT_EQ(FromProto(desk.state().received_at()), At("2026-11-17 10:00"));
  EXPECT_THAT(desk.Must(earlier, {.evidence = true}), Not(HasSubstr("ReceivedAtCorrected")));
}

TEST(CorrectReceivedAtTest, ALaterReceiptWantsASecondPersonAndMayAnnulABreach) {
  CaseDesk desk = Filed();
  desk.MoveTo("2026-11-19 10:00");
  ASSERT_TRUE(desk.clock("FIRST_RESPONSE").has_breached_due_at());
  const std::string later = "correct_received_at { received_at { seconds: 1795017600 } reason_code: 'MISREAD' }";
  ASSERT_EQ(absl::FromUnixSeconds(1795017600), At("2026-11-18 16:00"));
  EXPECT_EQ(Told(desk.Would(later, {.evidence = true}, nullptr)), "CONDITIONS_UNMET: SECOND_PERSON_MISSING");
  EXPECT_THAT(desk.Must(later, kWithHelen), HasSubstr("ClockRetargeted BreachAnnulled"));
  EXPECT_FALSE(desk.clock("FIRST_RESPONSE").has_breached_due_at());
  EXPECT_EQ(DueOf(desk, "FIRST_RESPONSE"), At("2026-11-19 16:00"));
  EXPECT_EQ(desk.clock("FIRST_RESPONSE").annul_cause(), "CORRECTION");
  desk.MoveTo("2026-11-19 17:00");
  EXPECT_TRUE(desk.clock("FIRST_RESPONSE").has_breached_due_at());
}

TEST(CorrectReceivedAtTest, AnEarlierReceiptMayMakeADutyLateAtOnce) {
  CaseDesk desk = Filed();
  EXPECT_THAT(desk.Must("correct_received_at { received_at { seconds: 1794560400 } reason_code: 'MISREAD' }",
                        {.evidence = true}),
              HasSubstr("ClockRetargeted ClockBreached"));
  EXPECT_EQ(desk.clock("FIRST_RESPONSE").breach_cause(), "CORRECTION");
}

TEST(JudgeLateEntryTest, UntilASecondPersonConfirmsItIsLateAndDisputed) {
  CaseDesk desk = Filed();
  desk.MoveTo("2026-11-19 09:00");
  desk.Must(kAnswer, {.occurred_at = At("2026-11-18 16:00"), .evidence = true});
  ASSERT_TRUE(desk.clock("FIRST_RESPONSE").disputed());
  EXPECT_FALSE(desk.clock("FIRST_RESPONSE").on_time());
  EXPECT_EQ(Told(desk.Would("judge_late_entry { confirmed: true }")), "CONDITIONS_UNMET: SECOND_PERSON_MISSING");
  EXPECT_EQ(Told(desk.Would("judge_late_entry { confirmed: true }", {.principal = "nobody"}, nullptr)),
            "CONDITIONS_UNMET: UNKNOWN_PRINCIPAL");
  CaseDesk rejected = desk;
  EXPECT_EQ(rejected.Must("judge_late_entry { confirmed: false }", {.principal = "helen.marsh"}), "LateEntryRejected");
  EXPECT_FALSE(rejected.clock("FIRST_RESPONSE").disputed());
  EXPECT_FALSE(rejected.clock("FIRST_RESPONSE").on_time());
  EXPECT_EQ(desk.Must("judge_late_entry { confirmed: true }", {.principal = "helen.marsh"}), "BreachAnnulled");
  EXPECT_TRUE(desk.clock("FIRST_RESPONSE").on_time());
  EXPECT_FALSE(desk.clock("FIRST_RESPONSE").disputed());
  EXPECT_EQ(desk.clock("FIRST_RESPONSE").annul_cause(), "LATE_RECORDED");
}

TEST(JudgeLateEntryTest, AStopEnteredLateForAnInstantAfterTheDueIsSimplyLate) {
  CaseDesk desk = Filed();
  desk.MoveTo("2026-11-19 12:00");
  desk.Must(kAnswer, {.occurred_at = At("2026-11-19 09:00"), .evidence = true});
  EXPECT_FALSE(desk.clock("FIRST_RESPONSE").disputed());
  EXPECT_FALSE(desk.clock("FIRST_RESPONSE").on_time());
}

TEST(SetDueTest, ADueByHandHoldsAgainstChangesUntilItIsReleased) {
  CaseDesk desk = Filed();
  const std::string later = "set_due { metric: 'RESOLUTION' due_at { seconds: 1797354000 } reason_code: 'AGREED' }";
  EXPECT_EQ(Told(desk.Would(later)), "CONDITIONS_UNMET: SECOND_PERSON_MISSING");
  EXPECT_EQ(desk.Must(later, kWithHelen), "ClockRetargeted");
  EXPECT_EQ(DueOf(desk, "RESOLUTION"), absl::FromUnixSeconds(1797354000));
  desk.Must("set_priority { impact: 1 urgency: 1 }");
  EXPECT_EQ(DueOf(desk, "RESOLUTION"), absl::FromUnixSeconds(1797354000));
  EXPECT_EQ(desk.Must("set_due { metric: 'RESOLUTION' reason_code: 'OFF' }"), "ClockRetargeted");
  EXPECT_EQ(DueOf(desk, "RESOLUTION"), At("2026-11-19 17:00"));  // 16 h of priority 1
  EXPECT_EQ(Told(desk.Would("set_due { metric: 'RESOLUTION' reason_code: 'OFF' }")), "CONDITIONS_UNMET: DUE_NOT_SET");
}

// An earlier due by hand, whose release gives more time again, is a way around the second person otherwise.
TEST(SetDueTest, ReleasedToALaterDueWantsASecondPerson) {
  CaseDesk desk = Filed();
  EXPECT_EQ(desk.Must("set_due { metric: 'RESOLUTION' due_at { seconds: 1795006800 } reason_code: 'SOON' }"),
            "ClockRetargeted");
  EXPECT_EQ(Told(desk.Would("set_due { metric: 'RESOLUTION' due_at { seconds: 1795006800 } reason_code: 'SOON' }")),
            "CONDITIONS_UNMET: DUE_UNCHANGED");
  EXPECT_EQ(Told(desk.Would("set_due { metric: 'RESOLUTION' reason_code: 'OFF' }")),
            "CONDITIONS_UNMET: SECOND_PERSON_MISSING");
  EXPECT_EQ(desk.Must("set_due { metric: 'RESOLUTION' reason_code: 'OFF' }", kWithHelen), "ClockRetargeted");
}

TEST(SetDueTest, WhatARegulatorIsOwedIsNotPutOffByHand) {
  CaseDesk desk = Filed();
  EXPECT_EQ(Told(desk.Would("set_due { metric: 'FINAL_RESPONSE' due_at { seconds: 1800000000 } reason_code: 'X' }",
                            kWithHelen, nullptr)),
            "CONDITIONS_UNMET: REGULATOR_NEVER_LATER");
  EXPECT_EQ(desk.Must("set_due { metric: 'FINAL_RESPONSE' due_at { seconds: 1796000000 } reason_code: 'X' }"),
            "ClockRetargeted");
}

// R8: more time, when half is used, wants a second person.
TEST(DowngradeTest, PastHalfOfTheTargetNobodyGivesHimselfMoreTime) {
  CaseDesk desk = Filed();
  const char downgrade[] = "set_priority { priority: 5 override_reason: 'CALM' }";
  desk.MoveTo("2026-11-18 12:59");
  EXPECT_TRUE(desk.Would(downgrade).ok());
  desk.MoveTo("2026-11-18 13:00");
  EXPECT_EQ(Told(desk.Would(downgrade)), "CONDITIONS_UNMET: SECOND_PERSON_MISSING");
  EXPECT_EQ(Told(desk.Would(downgrade, {.approver = "grace.lind"}, nullptr)),
            "CONDITIONS_UNMET: SECOND_PERSON_MISSING");
  EXPECT_EQ(Told(desk.Would(downgrade, {.approver = "hellen.marsh"}, nullptr)), "CONDITIONS_UNMET: UNKNOWN_PRINCIPAL");
  desk.Must(downgrade, kWithHelen);
  EXPECT_EQ(desk.clock("FIRST_RESPONSE").retargets(), 1u);
  // Half of 8 h was used, so half of 16 h is left.
  EXPECT_EQ(DueOf(desk, "FIRST_RESPONSE"), At("2026-11-19 13:00"));
}

TEST(BouncedTest, WhatBouncedWasNoAnswer) {
  CaseDesk desk = Filed();
  desk.Must(kInbound);
  const uint32_t asked = desk.state().unanswered_inbound(0);
  desk.Must(kAnswer);
  const uint32_t answer = desk.state().sent(0).revision();
  ASSERT_EQ(desk.clock("FIRST_RESPONSE").state(), v1::FULFILLED);
  ASSERT_EQ(desk.state().unanswered_inbound_size(), 0);
  EXPECT_EQ(Told(desk.Would("report_delivery { outbound_revision: 2 outcome: BOUNCED }")),
            "CONDITIONS_UNMET: NOT_SENT");
  desk.MoveTo("2026-11-19 10:00");
  const std::string bounced = absl::StrCat("report_delivery { outbound_revision: ", answer, " outcome: BOUNCED }");
  EXPECT_EQ(desk.Must(bounced), "DeliveryReported ClockReopened ClockBreached EscalationRaised");
  EXPECT_EQ(desk.clock("FIRST_RESPONSE").state(), v1::RUNNING);
  EXPECT_EQ(desk.clock("FIRST_RESPONSE").reopen_cause(), "UNDELIVERED");
  EXPECT_EQ(desk.clock("FIRST_RESPONSE").breach_cause(), "UNDELIVERED");
  ASSERT_EQ(desk.state().unanswered_inbound_size(), 1);
  EXPECT_EQ(desk.state().unanswered_inbound(0), asked);
  EXPECT_FALSE(desk.state().has_first_response_at());
  EXPECT_THAT(desk.Must(bounced), Not(HasSubstr("DeliveryReported")));
}

// R6: entered later, a message still ends the wait where it came.
TEST(LateMessageTest, ShortensAPauseThatHasEnded) {
  CaseDesk desk = Filed();
  for (const char* command : {"take {}", "accept {}", kTriage, kAsk}) desk.Must(command);
  ASSERT_EQ(DueOf(desk, "RESOLUTION"), At("2026-12-01 17:00"));
  desk.Must("hold { waiting_on: COMPLAINANT reason_code: 'X' until { seconds: 1795078800 } }");  // Thu 19 09:00
  desk.MoveTo("2026-11-20 09:00");
  ASSERT_EQ(desk.status(), "INVESTIGATION");
  ASSERT_EQ(DueOf(desk, "RESOLUTION"), At("2026-12-02 17:00"));
  EXPECT_EQ(desk.Must(kInbound, {.occurred_at = At("2026-11-18 11:00"), .evidence = true}),
            "InboundReceived ClockPauseShortened");
  EXPECT_EQ(DueOf(desk, "RESOLUTION"), At("2026-12-02 11:00"));
}

// R11: a breach tells who answered for how much of the target.
TEST(SharesTest, ABreachChargesThoseWhoHadTheCase) {
  CaseDesk desk = Filed();
  desk.Must("take {}");
  desk.MoveTo("2026-11-18 12:00");
  desk.Must("transfer { to_queue: 'billing' handoff_note: 'A bill' }");
  desk.MoveTo("2026-11-18 13:00");
  desk.Must("accept_transfer {}", {.principal = "sam.doyle"});
  desk.MoveTo("2026-11-19 09:00");
  const v1::ClockBreached* breach = nullptr;
  for (const v1::Event& event : desk.events()) {
    if (event.has_clock_breached()) breach = &event.clock_breached();
  }
  ASSERT_NE(breach, nullptr);
  ASSERT_EQ(breach->shares_size(), 2);
  EXPECT_EQ(breach->shares(0).department(), "complaints");
  EXPECT_EQ(FromProto(breach->shares(0).used()), absl::Hours(4));
  EXPECT_EQ(breach->shares(1).department(), "billing");
  EXPECT_EQ(FromProto(breach->shares(1).used()), absl::Hours(4));
}

// Whoever leaves a case without an owner; those in one queue share their time.
constexpr char kVisits[] = R"(
sla: visits
obligation: INTERNAL
order: 10
when: {case.kind: REQUEST}
calendar: london
metrics:
  - metric: TIME_TO_OWN
    start: {event: case_queued, where: {fact: case.owner, empty: true}}
    start_also: [{event: owner_released}]
    visit: case.queue
    stop: [{event: owner_assigned}]
    answerable: QUEUE
    targets: [{when: {case.priority: 1}, target: 30m}, {target: 8h}]
)";

// Nobody owned it for 7 h 59 min on the first visit and for a minute on the second, which is charged with the whole.
TEST(SharesTest, ABreachOfALaterVisitChargesTheEarlierOnesToo) {
  CaseDesk desk(With(ShippedPolicies(), kVisits));
  desk.Must(kFileTicket);
  desk.MoveTo("2026-11-18 16:59");
  desk.Must("take {}");
  desk.MoveTo("2026-11-19 09:00");
  desk.Must("release {}");
  desk.MoveTo("2026-11-19 09:02");
  ASSERT_TRUE(desk.clock("TIME_TO_OWN").has_breached_due_at());
  const v1::ClockBreached* breach = nullptr;
  for (const v1::Event& event : desk.events()) {
    if (event.clock_breached().clock_no() == desk.clock("TIME_TO_OWN").clock_no()) breach = &event.clock_breached();
  }
  ASSERT_NE(breach, nullptr);
  ASSERT_EQ(breach->shares_size(), 1);
  EXPECT_EQ(breach->shares(0).department(), "complaints");
  EXPECT_EQ(FromProto(breach->shares(0).used()), absl::Hours(8));
  desk.Must("take {}");
  EXPECT_EQ(FromProto(desk.clock("TIME_TO_OWN").elapsed()), absl::Hours(8) + absl::Minutes(1));
}

// A visit without length is late where those before it have used more than there was, and not where they have used all.
TEST(VisitTest, IsLateFromItsFirstInstantWhereTheEarlierOnesWere) {
  for (const bool late : {false, true}) {
    CaseDesk desk(With(ShippedPolicies(), kVisits));
    desk.Must(kFileTicket);
    desk.MoveTo(late ? "2026-11-19 10:00" : "2026-11-18 17:00");
    for (const char* command : {"take {}", "release {}", "take {}"}) desk.Must(command);
    const v1::Clock& visit = desk.clock("TIME_TO_OWN");
    EXPECT_EQ(visit.cycle(), 2u);
    EXPECT_EQ(visit.on_time(), !late);
    EXPECT_EQ(visit.has_breached_due_at(), late);
    EXPECT_FALSE(visit.disputed());
  }
}

TEST(VisitTest, BringsWhatWasUsedWhateverItsTarget) {
  CaseDesk desk(With(ShippedPolicies(), kVisits));
  desk.Must(kFileTicket);
  desk.MoveTo("2026-11-18 16:00");
  desk.Must("take {}");
  desk.Must("set_priority { priority: 1 override_reason: 'X' }");
  desk.Must("release {}");
  EXPECT_EQ(FromProto(desk.clock("TIME_TO_OWN").target().duration()), absl::Minutes(30));
  EXPECT_EQ(FromProto(desk.clock("TIME_TO_OWN").brought()), absl::Hours(7));
}

}  // namespace
}  // namespace docket::workflow::testing
