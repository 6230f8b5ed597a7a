// What else had ended a clock whose answer bounced, however the policy asks for it.
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/workflow/case/case_desk.h"
#include "workflow/base/time.h"
#include "workflow/case/communication.h"

namespace docket::workflow::testing {
namespace {

constexpr char kPolicy[] = R"(
sla: told
obligation: CUSTOMER
order: 5
when: {case.kind: [REQUEST, COMPLAINT]}
calendar: london
metrics:
  - metric: RESOLVED_OR_TOLD
    start: {event: case_received}
    stop:
      - {event: outbound_sent, where: {event.human: true, event.public_message: true}}
      - {event: status_changed, where: {event.entered.category: RESOLVED}}
    targets: [{target: 8h}]
  - metric: TOLD
    start: {event: case_received}
    stop:
      - {event: outbound_sent, where: {event.human: true, event.public_message: true}}
      - {event: resolution_accepted, where: {event.how: SPOKEN}}
      - {event: decision_issued, where: {event.kind: FINAL}}
    cancel: [{event: status_changed, where: {event.entered.closure_code: VOIDED}}]
    targets: [{target: 8h}]
)";

// Answered at 10:00, an hour after it was filed.
class UndeliveredTest : public ::testing::Test {
 protected:
  UndeliveredTest() : desk_(With(ShippedPolicies(), kPolicy)) {}
  void Answered(const char* file) {
    desk_.Must(file);
    desk_.MoveTo("2026-11-18 10:00");
    desk_.Must(kAnswer);
  }
  // At 12:00.
  void Bounce() {
    desk_.MoveTo("2026-11-18 12:00");
    desk_.Must(
        absl::StrCat("report_delivery { outbound_revision: ", desk_.state().sent(0).revision(), " outcome: BOUNCED }"));
  }
  void ExpectStopped(const char* metric, v1::ClockState state, const char* at) {
    EXPECT_EQ(desk_.clock(metric).state(), state) << metric;
    EXPECT_EQ(FromProto(desk_.clock(metric).stopped_at()), At(at)) << metric;
  }
  CaseDesk desk_;
};

TEST_F(UndeliveredTest, AStatusEnteredMeanwhileCounts) {
  Answered(kFileTicket);
  desk_.MoveTo("2026-11-18 11:00");
  desk_.Must("resolve { resolution_code: 'FIXED' }");
  Bounce();
  ExpectStopped("RESOLVED_OR_TOLD", v1::FULFILLED, "2026-11-18 11:00");
  EXPECT_EQ(desk_.clock("TOLD").state(), v1::RUNNING);
}

TEST_F(UndeliveredTest, ADecisionOfTheKindCounts) {
  Answered(kFileComplaint);
  desk_.Must("take {}");
  desk_.Must("accept {}");
  desk_.Must(kTriage);
  desk_.Must("draft_decision { findings { matter_no: 1 finding: NOT_UPHELD } text: 'No' }");
  desk_.MoveTo("2026-11-18 11:00");
  desk_.Must("issue_decision { parts: 'REASONS' parts: 'FURTHER_ROUTES' }");
  Bounce();
  ExpectStopped("TOLD", v1::FULFILLED, "2026-11-18 11:00");
}

TEST_F(UndeliveredTest, AResolutionAcceptedThatWayCountsAndNoOther) {
  for (const char* how : {"SPOKEN", "WRITTEN"}) {
    desk_ = CaseDesk(With(ShippedPolicies(), kPolicy));
    Answered(kFileComplaint);
    desk_.MoveTo("2026-11-18 11:00");
    desk_.Must(absl::StrCat("resolve_on_the_spot { remedy: 'APOLOGY' accepted_how: '", how, "' }"));
    Bounce();
    EXPECT_EQ(desk_.clock("TOLD").state(), how[0] == 'S' ? v1::FULFILLED : v1::RUNNING) << how;
  }
}

TEST_F(UndeliveredTest, WhatCancelsItMeanwhileCountsToo) {
  Answered(kFileTicket);
  desk_.MoveTo("2026-11-18 11:00");
  desk_.Must("void { reason_code: 'CREATED_IN_ERROR' approver: 'helen.marsh' }");
  Bounce();
  ExpectStopped("TOLD", v1::CANCELLED, "2026-11-18 11:00");
}

TEST_F(UndeliveredTest, WhatIsKeptOfAnEventHasNoTexts) {
  desk_.Must(kFileTicket);
  desk_.Must("decline { reason_code: 'OUT_OF_SCOPE' explanation: 'Not ours' }");
  ASSERT_FALSE(desk_.state().past_answers().empty());
  const v1::Event& kept = desk_.state().past_answers(0).what();
  EXPECT_EQ(kept.case_declined().reason_code(), "OUT_OF_SCOPE");
  EXPECT_FALSE(kept.case_declined().has_explanation());
}

// Many messages of machines push out neither the question that is open nor what people sent.
TEST_F(UndeliveredTest, AQuestionMayBounceAfterAnyNumberOfAutomatedMessages) {
  desk_.Must(kFileTicket);
  desk_.MoveTo("2026-11-18 10:00");
  desk_.Must("send_outbound { kind: INFORMATION_REQUEST body: 'Which street?' }");
  const uint32_t question = desk_.state().last_information_request();
  for (int i = 0; i < 2 * kMaxSentKept; ++i) desk_.Must("send_outbound { kind: UPDATE body: 'Soon' automated: true }");
  EXPECT_EQ(desk_.state().sent_size(), kMaxSentKept);
  desk_.Must(absl::StrCat("report_delivery { outbound_revision: ", question, " outcome: BOUNCED }"));
  EXPECT_EQ(desk_.state().sent(0).outcome(), v1::BOUNCED);
}

}  // namespace
}  // namespace docket::workflow::testing
