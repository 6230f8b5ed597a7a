// What commands refuse, and that a refusal lists every unmet condition with what would meet it.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/workflow/case/case_desk.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/sla/target.h"

namespace docket::workflow::testing {
namespace {

using ::testing::ElementsAre;

TEST(AcceptTest, WithoutCriteriaAllFiveCountAsMet) {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  EXPECT_EQ(desk.Must("accept {}"), "CaseAccepted StatusChanged");
  EXPECT_EQ(desk.status(), "ASSESSMENT");
  ASSERT_EQ(desk.state().criteria_size(), 5);
  for (const v1::Criterion& one : desk.state().criteria()) EXPECT_TRUE(one.met()) << one.criterion();
  EXPECT_EQ(FromProto(desk.state().accepted_at()), desk.now());
}

TEST(AcceptTest, EveryCriterionNotMetIsListed) {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  const auto refused = desk.Would(
      "accept { criteria { criterion: 'ACTUAL_HARM' } criteria { criterion: 'IN_SCOPE' } criteria { criterion: 'NICE' "
      "} }");
  EXPECT_EQ(Told(refused), "CONDITIONS_UNMET: ACTUAL_HARM_NOT_MET IN_SCOPE_NOT_MET UNKNOWN_CRITERION");
  EXPECT_THAT(MetBy(refused.status()), ElementsAre("decline", "decline", ""));
}

TEST(AcceptTest, AReasonOverridesACriterionNotMet) {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  desk.Must("accept { criteria { criterion: 'ACTUAL_HARM' } override_reason: 'GOODWILL' }");
  EXPECT_EQ(desk.status(), "ASSESSMENT");
  int met = 0;
  for (const v1::Criterion& one : desk.state().criteria()) met += one.met() ? 1 : 0;
  EXPECT_EQ(met, 4);
}

TEST(TriageTest, WantsAnOwnerAndSaysWhoMayGiveOne) {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  desk.Must("accept {}");
  const auto refused = desk.Would(kTriage);
  EXPECT_EQ(Told(refused), "CONDITIONS_UNMET: OWNER_MISSING");
  EXPECT_THAT(MetBy(refused.status()), ElementsAre("take"));
  desk.Must("take {}");
  EXPECT_EQ(desk.Must(kTriage), "CaseTriaged StatusChanged");
  EXPECT_EQ(desk.status(), "INVESTIGATION");
}

TEST(TriageTest, ScalesHaveLimits) {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  desk.Must("accept {}");
  desk.Must("take {}");
  EXPECT_EQ(Told(desk.Would("triage { severity: 5 impact: 1 urgency: 1 }")), "INVALID_FIELD");
  EXPECT_EQ(Told(desk.Would("triage { severity: 4 impact: 4 urgency: 1 }")), "INVALID_FIELD");
  EXPECT_EQ(Told(desk.Would("triage { severity: 4 impact: 3 urgency: 3 complexity: 4 }")), "INVALID_FIELD");
  EXPECT_TRUE(desk.Would("triage { severity: 4 impact: 3 urgency: 3 complexity: 3 }").ok());
}

TEST(TriageTest, MovesPriorityByTheMatrixAndTheDueWithIt) {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  desk.Must("accept {}");
  desk.Must("take {}");
  EXPECT_EQ(desk.Must("triage { severity: 1 impact: 1 urgency: 1 }"),
            "CaseTriaged PrioritySet ClockRetargeted ClockRetargeted StatusChanged");
  EXPECT_EQ(desk.state().priority(), 1u);
  EXPECT_EQ(FromProto(desk.clock("RESOLUTION").due_at()), At("2026-11-19 17:00"));        // 16 h
  EXPECT_EQ(FromProto(desk.clock("RESOLUTION").first_due_at()), At("2026-12-01 17:00"));  // 80 h
}

TEST(DeclineTest, TheReasonIsOneOfTheChart) {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  EXPECT_EQ(Told(desk.Would("decline { reason_code: 'TOO_HARD' explanation: 'No' }")),
            "CONDITIONS_UNMET: UNKNOWN_DECLINE_REASON");
  EXPECT_EQ(desk.Must("decline { reason_code: 'OUT_OF_SCOPE' explanation: 'No' appeal_route: 'OMBUDSMAN' }"),
            "CaseDeclined ClockFulfilled StatusChanged ClockFulfilled");
  EXPECT_EQ(desk.state().closure_code(), "DECLINED");
}

TEST(DecisionTest, EveryMatterWantsAFindingAndUpheldOnesACause) {
  CaseDesk desk;
  desk.Must("file { kind: COMPLAINT title: 'x' matters: 'a' matters: 'b' matters: 'c' }");
  desk.Must("take {}");
  desk.Must("accept {}");
  desk.Must(kTriage);
  const auto refused = desk.Would(
      "draft_decision { text: 't' findings { matter_no: 1 finding: UPHELD } findings { matter_no: 3 finding: "
      "NOT_UPHELD } "
      "findings { matter_no: 4 finding: UPHELD } }");
  EXPECT_EQ(Told(refused), "CONDITIONS_UNMET: ROOT_CAUSE_MISSING FINDING_MISSING UNKNOWN_MATTER");
}

TEST(DecisionTest, IssuingListsEverythingMissingAtOnce) {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  desk.Must("take {}");
  desk.Must("accept {}");
  desk.Must(kTriage);
  desk.Must(kDraft);
  desk.Must(kInbound);
  const auto refused = desk.Would("issue_decision {}");
  EXPECT_EQ(Told(refused), "CONDITIONS_UNMET: UNANSWERED_MESSAGES REASONS_MISSING FURTHER_ROUTES_MISSING");
  EXPECT_THAT(MetBy(refused.status()), ElementsAre("send_outbound", "issue_decision", "issue_decision"));
  desk.Must(kAnswer);
  EXPECT_EQ(desk.Must(kIssue), "DecisionIssued StatusChanged ClockFulfilled");
  EXPECT_EQ(desk.state().decision().draft_revision(), desk.state().decision().draft_revision());
  EXPECT_FALSE(desk.state().has_draft());
}

TEST(ResolveTest, AnUnansweredMessageRefusesUnlessMarked) {
  CaseDesk desk;
  desk.Must(kFileTicket);
  desk.Must("accept {}");
  desk.Must(kInbound);
  EXPECT_EQ(Told(desk.Would("resolve { resolution_code: 'FIXED' }")), "CONDITIONS_UNMET: UNANSWERED_MESSAGES");
  ASSERT_EQ(desk.state().unanswered_inbound_size(), 1);
  desk.Must(absl::StrCat("mark_no_reply_needed { inbound_revision: ", desk.state().unanswered_inbound(0), " }"));
  desk.Must("resolve { resolution_code: 'FIXED' }");
  EXPECT_EQ(desk.status(), "RESOLVED");
}

TEST(ResolveTest, ATicketOnItsWayIsNotResolved) {
  CaseDesk desk;
  desk.Must(kFileTicket);
  desk.Must("accept {}");
  desk.Must(kInbound);
  desk.Must("transfer { to_queue: 'billing' handoff_note: 'a bill' }");
  EXPECT_EQ(Told(desk.Would("resolve { resolution_code: 'FIXED' }")),
            "CONDITIONS_UNMET: UNANSWERED_MESSAGES TRANSFER_PENDING");
}

TEST(DeclineTest, AnUnansweredMessageRefusesItAsItRefusesResolving) {
  for (const char* file : {kFileComplaint, kFileTicket}) {
    CaseDesk desk;
    desk.Must(file);
    desk.Must(kAnswer);
    desk.Must(kInbound);
    const auto refused = desk.Would("decline { reason_code: 'OUT_OF_SCOPE' }");
    EXPECT_EQ(Told(refused), "CONDITIONS_UNMET: UNANSWERED_MESSAGES") << file;
    EXPECT_THAT(MetBy(refused.status()), ElementsAre("send_outbound"));
    desk.Must(kAnswer);
    EXPECT_TRUE(desk.Would("decline { reason_code: 'OUT_OF_SCOPE' }").ok()) << file;
  }
}

TEST(MessageTest, OnlyUnansweredMessagesAreAnsweredByNumber) {
  CaseDesk desk;
  desk.Must(kFileTicket);
  desk.Must(kInbound);
  const uint32_t first = desk.state().unanswered_inbound(0);
  desk.Must("record_inbound { body: 'And the bill' }");
  EXPECT_EQ(Told(desk.Would("send_outbound { kind: RESPONSE body: 'x' answers: 1 }")),
            "CONDITIONS_UNMET: NOT_UNANSWERED");
  desk.Must(absl::StrCat("send_outbound { kind: RESPONSE body: 'x' answers: ", first, " }"));
  EXPECT_EQ(desk.state().unanswered_inbound_size(), 1);
  desk.Must(kAnswer);  // without numbers: all
  EXPECT_EQ(desk.state().unanswered_inbound_size(), 0);
}

TEST(MessageTest, AutomaticAndInternalMessagesStopNoResponseClock) {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  EXPECT_EQ(desk.Must("send_outbound { kind: ACKNOWLEDGEMENT body: 'Received' automated: true }"), "OutboundSent");
  EXPECT_EQ(desk.Must("send_outbound { kind: RESPONSE body: 'To a colleague' internal: true }"), "OutboundSent");
  EXPECT_EQ(desk.Must("add_note { body: 'Called' }"), "InternalNoteAdded");
  EXPECT_EQ(desk.clock("FIRST_RESPONSE").state(), v1::RUNNING);
  EXPECT_EQ(desk.Must(kAnswer), "OutboundSent ClockFulfilled");
}

TEST(VoidTest, WantsASecondPersonWhoIsKnown) {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  EXPECT_EQ(Told(desk.Would("void { reason_code: 'X' approver: 'grace.lind' }")),
            "CONDITIONS_UNMET: SECOND_PERSON_MISSING");
  const auto unknown = desk.Would("void { reason_code: 'X' approver: 'helen.march' }");
  EXPECT_EQ(Told(unknown), "CONDITIONS_UNMET: UNKNOWN_PRINCIPAL");
  EXPECT_THAT(std::string(unknown.status().message()), ::testing::HasSubstr("helen.marsh"));
  EXPECT_EQ(desk.Must("void { reason_code: 'X' approver: 'helen.marsh' }"),
            "CaseVoided StatusChanged ClockCancelled ClockCancelled");
  EXPECT_EQ(desk.state().closure_code(), "VOIDED");
}

TEST(FileTest, UnknownNamesAreRefusedWithTheNearest) {
  CaseDesk desk;
  const auto refused =
      desk.Would("file { kind: COMPLAINT title: 'x' queue: 'inteke' department: 'bilings' impact: 4 }");
  EXPECT_EQ(Told(refused), "INVALID_FIELD");
  EXPECT_THAT(std::string(refused.status().message()), ::testing::HasSubstr("nearest is \"intake\""));
  EXPECT_THAT(std::string(refused.status().message()), ::testing::HasSubstr("nearest is \"billing\""));
  EXPECT_THAT(std::string(refused.status().message()), ::testing::HasSubstr("file.impact"));
  EXPECT_EQ(Told(desk.Would("file { kind: FEEDBACK title: 'x' }")), "NO_WORKFLOW");
  EXPECT_EQ(Told(desk.Would("file { kind: COMPLAINT title: 'x' tier: 'GOLD' }")), "INVALID_FIELD");
}

TEST(FileTest, TheClockStartsWhenTheComplaintWasReceivedNotWhenItWasEntered) {
  CaseDesk desk;
  desk.MoveTo("2026-11-19 10:00");
  desk.Must("file { kind: COMPLAINT title: 'x' received_at { seconds: 1794992400 } }");  // Wed 18 09:00
  EXPECT_EQ(FromProto(desk.clock("FIRST_RESPONSE").due_at()), At("2026-11-18 17:00"));
  EXPECT_EQ(Told(desk.Would("accept {}")),
            "ok: WarningReached WarningReached WarningReached ClockBreached EscalationRaised "
            "CaseAccepted StatusChanged");
  CaseDesk early;
  EXPECT_EQ(Told(early.Would("file { kind: COMPLAINT title: 'x' received_at { seconds: 1794992401 } }")),
            "INVALID_FIELD");
}

TEST(FileTest, AnInstantMayBePromisedAfterTheReceipt) {
  const auto file = [](absl::Time due) {
    return absl::StrCat("file { kind: REQUEST title: 'x' due_at { seconds: ", absl::ToUnixSeconds(due), " } }");
  };
  CaseDesk desk;
  EXPECT_EQ(Told(desk.Would(file(desk.now()))), "INVALID_FIELD");
  EXPECT_EQ(Told(desk.Would(file(desk.now() + sla::kMaxPromise + absl::Seconds(1)))), "INVALID_FIELD");
  EXPECT_EQ(Told(desk.Would(file(desk.now() + sla::kMaxPromise))),
            "ok: CaseReceived ClockAttached ClockAttached ClockAttached CaseQueued");
  const absl::Time promised = desk.now() + absl::Hours(50);
  desk.Must(file(promised));
  EXPECT_EQ(FromProto(desk.state().promised_due_at()), promised);
  EXPECT_EQ(FromProto(desk.clock("PROMISED").due_at()), promised);
}

TEST(PriorityTest, IsSetByHandWithAReasonOrByTheMatrixButNotByBoth) {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  EXPECT_EQ(Told(desk.Would("set_priority { priority: 1 }")), "INVALID_FIELD");
  EXPECT_EQ(Told(desk.Would("set_priority { priority: 1 override_reason: 'X' impact: 1 urgency: 1 }")),
            "INVALID_FIELD");
  EXPECT_EQ(Told(desk.Would("set_priority { impact: 1 }")), "INVALID_FIELD");
  EXPECT_EQ(Told(desk.Would("set_priority { priority: 6 override_reason: 'X' }")), "INVALID_FIELD");
  EXPECT_EQ(desk.Must("set_priority { impact: 1 urgency: 1 }"), "PrioritySet ClockRetargeted ClockRetargeted");
  EXPECT_EQ(desk.Must("set_priority { impact: 1 urgency: 1 }"), "");  // nothing changes, nothing is written
}

}  // namespace
}  // namespace docket::workflow::testing
