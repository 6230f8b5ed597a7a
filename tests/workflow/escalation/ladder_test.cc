// Ladders: once per key, to somebody who exists, and by hand as well as by breach.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/workflow/case/case_desk.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/replay.h"
#include "workflow/escalation/escalation.h"
#include "workflow/escalation/triggers.h"

namespace docket::escalation {
namespace {

using workflow::testing::At;
using workflow::testing::CaseDesk;
using workflow::testing::kAnswer;
using workflow::testing::kFileComplaint;
using workflow::testing::kFileTicket;
using workflow::testing::ShippedPolicies;
using workflow::testing::Told;
using workflow::testing::With;

std::vector<v1::Event> Raised(const CaseDesk& desk) {
  std::vector<v1::Event> raised;
  for (const v1::Event& event : desk.events()) {
    if (event.has_escalation_raised()) raised.push_back(event);
  }
  return raised;
}

TEST(LadderTest, ABreachRaisesItsLevelOnceAtTheDue) {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  desk.MoveTo("2026-11-19 12:00");
  std::vector<v1::Event> raised = Raised(desk);
  ASSERT_EQ(raised.size(), 1u);
  const v1::EscalationRaised& one = raised[0].escalation_raised();
  EXPECT_EQ(FromProto(raised[0].occurred_at()), At("2026-11-18 17:00"));
  EXPECT_EQ(one.level(), 1u);
  EXPECT_EQ(one.trigger_key(), absl::StrCat("clock/", desk.clock("FIRST_RESPONSE").clock_no()));
  EXPECT_EQ(one.targets(0), "helen.marsh");  // lead of the queue intake
  EXPECT_EQ(one.target_basis(), "QUEUE_LEAD");
  EXPECT_EQ(FromProto(one.ack_due_at()), At("2026-11-19 13:00"));  // four working hours
  EXPECT_EQ(raised[0].rule(), "standard@1");
  desk.MoveTo("2026-11-30 12:00");
  desk.Must(kAnswer);
  EXPECT_EQ(Raised(desk).size(), 1u);
  desk.MoveTo("2026-12-10 12:00");  // resolution: another clock, another key
  EXPECT_EQ(Raised(desk).size(), 2u);
}

TEST(LadderTest, AKeyThatFiredIsNoLongerAConsequence) {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  desk.MoveTo("2026-11-19 12:00");
  v1::Event breach;
  for (const v1::Event& event : desk.events()) {
    if (event.has_clock_breached()) breach = event;
  }
  const absl::Time at = FromProto(breach.occurred_at());
  EXPECT_TRUE(Triggered(desk.state(), breach, 0, desk.policies(), at).empty());
  v1::Case twice = desk.state();
  EXPECT_EQ(workflow::Apply(Raised(desk)[0], &twice).code(), absl::StatusCode::kDataLoss);
  v1::Case never = desk.state();
  never.clear_escalations();
  EXPECT_EQ(Triggered(never, breach, 0, desk.policies(), at).size(), 1u);
}

TEST(LadderTest, ANewVersionOfTheLadderDoesNotFireOldKeysAgain) {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  desk.MoveTo("2026-11-19 12:00");
  const auto newer = With(ShippedPolicies(),
                          "ladder: standard\nlevels:\n"
                          "  - {level: 1, kind: HIERARCHICAL, trigger: BREACH, target: QUEUE_LEAD}\n"
                          "  - {level: 2, kind: HIERARCHICAL, trigger: BREACH, target: DEPARTMENT_LEAD}\n");
  v1::Event breach;
  for (const v1::Event& event : desk.events()) {
    if (event.has_clock_breached()) breach = event;
  }
  const std::vector<Firing> firings = Triggered(desk.state(), breach, 0, *newer, FromProto(breach.occurred_at()));
  ASSERT_EQ(firings.size(), 1u);
  EXPECT_EQ(firings[0].level->level(), 2u);
}

TEST(LadderTest, LevelsOfOneBreachComeInOrderAndOnlyForTheirMetrics) {
  CaseDesk desk(
      With(ShippedPolicies(),
           "ladder: standard\nlevels:\n"
           "  - {level: 1, kind: HIERARCHICAL, trigger: BREACH, target: QUEUE_LEAD}\n"
           "  - {level: 2, kind: HIERARCHICAL, trigger: BREACH, target: DEPARTMENT_LEAD, metrics: [RESOLUTION]}\n"
           "  - {level: 3, kind: FUNCTIONAL, trigger: BREACH, target: DEPARTMENT_LEAD, "
           "when: {case.priority: [1, 2]}}\n"));
  desk.Must(kFileTicket);  // priority 3: first response 4 h, resolution 24 h
  desk.MoveTo("2026-11-23 12:00");
  std::vector<uint32_t> levels;
  for (const v1::Event& event : Raised(desk)) levels.push_back(event.escalation_raised().level());
  EXPECT_EQ(levels, (std::vector<uint32_t>{1, 1, 2}));
  EXPECT_EQ(HighestLevel(desk.state()), 2u);
}

TEST(LadderTest, WithoutALeadItGoesUpTheDepartments) {
  CaseDesk desk(With(ShippedPolicies(),
                     "directory: small\n"
                     "departments:\n"
                     "  - {id: company, name: Company, lead: boss}\n"
                     "  - {id: complaints, name: Complaints, parent: company}\n"
                     "queues:\n"
                     "  - {id: intake, name: Intake, department: complaints}\n"
                     "principals:\n"
                     "  - {id: boss, name: Boss, department: company, roles: [SUPERVISOR]}\n"));
  desk.Must(kFileComplaint);
  desk.MoveTo("2026-11-19 12:00");
  ASSERT_EQ(Raised(desk).size(), 1u);
  EXPECT_EQ(Raised(desk)[0].escalation_raised().targets(0), "boss");
  EXPECT_EQ(Raised(desk)[0].escalation_raised().target_basis(), "DEPARTMENT_LEAD");
}

TEST(EscalateTest, ByHandItNamesKindReasonAndTarget) {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  EXPECT_EQ(desk.Must("escalate { kind: HIERARCHICAL reason_code: 'ANGRY' justification: 'Third call' }"),
            "EscalationRaised");
  EXPECT_EQ(desk.Must("escalate { kind: FUNCTIONAL reason_code: 'SKILL' justification: 'Needs a plumber' }"),
            "EscalationRaised");
  ASSERT_EQ(desk.state().escalations_size(), 2);
  EXPECT_EQ(desk.state().escalations(0).reason_code(), "ANGRY");
  EXPECT_NE(desk.state().escalations(0).trigger_key(), desk.state().escalations(1).trigger_key());
  EXPECT_EQ(FromProto(desk.state().escalations(0).ack_due_at()), At("2026-11-18 13:00"));
}

TEST(EscalateTest, AcknowledgingNamesOneWhenSeveralAreOpen) {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  EXPECT_EQ(Told(desk.Would("acknowledge_escalation {}")), "CONDITIONS_UNMET: NO_OPEN_ESCALATION");
  desk.Must("escalate { kind: HIERARCHICAL reason_code: 'ANGRY' justification: 'x' }");
  desk.Must("escalate { kind: FUNCTIONAL reason_code: 'SKILL' justification: 'x' }");
  EXPECT_EQ(Told(desk.Would("acknowledge_escalation {}", {.principal = "helen.marsh"}, nullptr)),
            "CONDITIONS_UNMET: ESCALATION_AMBIGUOUS");
  EXPECT_EQ(Told(desk.Would("acknowledge_escalation {}")), "CONDITIONS_UNMET: NOT_YOUR_ESCALATION");
  const uint32_t first = desk.state().escalations(0).escalation_no();
  desk.Must(absl::StrCat("acknowledge_escalation { escalation_no: ", first, " }"), {.principal = "helen.marsh"});
  EXPECT_EQ(desk.state().escalations(0).acknowledged_by(), "helen.marsh");
  EXPECT_EQ(Told(desk.Would(absl::StrCat("acknowledge_escalation { escalation_no: ", first, " }"))),
            "CONDITIONS_UNMET: NO_OPEN_ESCALATION");
  desk.Must("acknowledge_escalation {}", {.principal = "helen.marsh"});  // now there is only one
}

TEST(EscalateTest, WithoutANumberOnlyOnesOwnCount) {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  desk.Must("escalate { kind: HIERARCHICAL reason_code: 'ANGRY' justification: 'x' }");  // to helen.marsh
  desk.Must("queue { queue: 'legal' }");
  desk.Must("escalate { kind: FUNCTIONAL reason_code: 'SKILL' justification: 'x' }");  // to jonas.weber
  desk.Must("acknowledge_escalation {}", {.principal = "jonas.weber"});
  EXPECT_EQ(desk.state().escalations(1).acknowledged_by(), "jonas.weber");
  desk.Must("close_escalation { reason_code: 'DONE' justification: 'x' }", {.principal = "helen.marsh"});
  EXPECT_EQ(desk.state().escalations(0).ended_by(), "helen.marsh");
}

TEST(EscalateTest, UpTheLineGoesPastWhoAsksAndPastTheOwner) {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  const std::string up = "escalate { kind: HIERARCHICAL reason_code: 'ANGRY' justification: 'x' }";
  desk.Must(up, {.principal = "helen.marsh"});
  EXPECT_EQ(desk.state().escalations(0).targets(0), "amara.osei");
  desk.Must("take {}", {.principal = "helen.marsh"});
  desk.Must(up);
  EXPECT_EQ(desk.state().escalations(1).targets(0), "amara.osei");
  desk.Must(up, {.principal = "amara.osei"});
  EXPECT_EQ(desk.state().escalations(2).targets(0), "jonas.weber");  // above the top: compliance
}

TEST(LadderTest, TheOwnersOwnBreachGoesToSomebodyElse) {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  desk.Must("take {}", {.principal = "helen.marsh"});
  desk.MoveTo("2026-11-19 12:00");
  ASSERT_EQ(Raised(desk).size(), 1u);
  EXPECT_EQ(Raised(desk)[0].escalation_raised().targets(0), "amara.osei");
}

TEST(EscalateTest, IsAcknowledgedByItsTargetOrSomebodyAbove) {
  for (const auto& [who, may] : {std::pair("grace.lind", false),
                                 {"sam.doyle", false},
                                 {"priya.nair", false},
                                 {"helen.marsh", true},
                                 {"amara.osei", true}}) {
    CaseDesk desk;
    desk.Must(kFileComplaint);
    desk.Must("escalate { kind: FUNCTIONAL reason_code: 'SKILL' justification: 'x' }");
    ASSERT_EQ(desk.state().escalations(0).targets(0), "helen.marsh");
    EXPECT_EQ(Told(desk.Would("acknowledge_escalation {}", {.principal = who}, nullptr)),
              may ? "ok: EscalationAcknowledged" : "CONDITIONS_UNMET: NOT_YOUR_ESCALATION")
        << who;
  }
}

// After downtime the time to acknowledge runs from when somebody could hear of it (R13).
TEST(LadderTest, ABreachNoticedLateIsRaisedAtTheDueAndAnsweredForFromNow) {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  desk.MoveTo(At("2026-11-20 09:00"), /*timers=*/false);
  desk.Must("advance {}");
  ASSERT_EQ(Raised(desk).size(), 1u);
  EXPECT_EQ(FromProto(Raised(desk)[0].occurred_at()), At("2026-11-18 17:00"));
  EXPECT_EQ(FromProto(Raised(desk)[0].escalation_raised().ack_due_at()), At("2026-11-20 13:00"));
}

// Acknowledging stops the acknowledgement only, never the clock; escalating is not a status.
TEST(EscalateTest, NeitherMovesStatusOwnerNorClocks) {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  desk.Must("take {}");
  const absl::Time due = FromProto(desk.clock("RESOLUTION").due_at());
  desk.Must("escalate { kind: HIERARCHICAL reason_code: 'ANGRY' justification: 'x' }");
  desk.Must("acknowledge_escalation {}", {.principal = "helen.marsh"});
  EXPECT_EQ(desk.status(), "RECEIVED");
  EXPECT_EQ(desk.state().owner(), "grace.lind");
  EXPECT_EQ(FromProto(desk.clock("RESOLUTION").due_at()), due);
  EXPECT_EQ(desk.clock("RESOLUTION").state(), v1::RUNNING);
}

}  // namespace
}  // namespace docket::escalation
