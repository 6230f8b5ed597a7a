// Who hears of a level: the line upward past conflicts, deputies, rotas, compliance at the end.
#include "workflow/escalation/targets.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/workflow/case/case_desk.h"
#include "tests/workflow/escalation/ladder_desk.h"
#include "workflow/base/time.h"

namespace docket::escalation {
namespace {

using testing::Away;
using testing::Climbed;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Ladder;
using workflow::testing::At;
using workflow::testing::CaseDesk;
using workflow::testing::kFileComplaint;
using workflow::testing::Told;
using workflow::testing::With;

constexpr char kSilent[] = "2026-11-18 11:00";  // the level below fires then

std::string Quarter(const std::string& target) {
  return absl::StrCat("level: 1, kind: HIERARCHICAL, trigger: FRACTION, permille: 250, metrics: [FIRST_RESPONSE], ",
                      "target: ", target);
}

v1::EscalationRaised RaisedBy(CaseDesk* desk) {
  desk->MoveTo(kSilent);
  for (const v1::Event& event : desk->events()) {
    if (event.has_escalation_raised() && event.escalation_raised().clock_no() > 0) return event.escalation_raised();
  }
  return {};
}

std::string Declare(const std::string& who) {
  return absl::StrCat("declare_conflict { principal: '", who, "' nature: 'KINSHIP' }");
}

TEST(TargetsTest, OfPersonsAreTheLineOfManagers) {
  for (const auto& [target, who] : {std::pair<std::string, std::string>("OWNER", "grace.lind"),
                                    {"OWNER_MANAGER", "helen.marsh"},
                                    {"OWNER_MANAGER, levels_up: 2", "amara.osei"},
                                    {"OWNER_MANAGER, levels_up: 9", "amara.osei"},  // the line ends there
                                    {"ACCOUNTABLE_MANAGER", "amara.osei"},
                                    {"DEPARTMENT_LEAD", "helen.marsh"},
                                    {"ROLE, role: SUPERVISOR", "helen.marsh"},
                                    {"ROLE, role: SLA_MONITOR", "nikhil.rao"}}) {
    CaseDesk desk(Ladder({Quarter(target)}));
    desk.Must(kFileComplaint);
    desk.Must("take {}");
    EXPECT_THAT(RaisedBy(&desk).targets(), ElementsAre(who)) << target;
  }
}

TEST(TargetsTest, InConflictAreSkippedUpward) {
  CaseDesk desk(Ladder({Quarter("OWNER_MANAGER")}));
  desk.Must(kFileComplaint);
  desk.Must("take {}");
  desk.Must(Declare("helen.marsh"));
  const v1::EscalationRaised raised = RaisedBy(&desk);
  EXPECT_THAT(raised.targets(), ElementsAre("amara.osei"));
  EXPECT_EQ(raised.target_basis(), "MANAGER");
  EXPECT_THAT(Climbed(desk), ElementsAre("skipped CONFLICT helen.marsh", "1 Wed 11:00 amara.osei"));
}

TEST(TargetsTest, WhenTheWholeLineIsInConflictComplianceHears) {
  CaseDesk desk(Ladder({Quarter("QUEUE_LEAD")}));
  desk.Must(kFileComplaint);
  desk.Must(Declare("helen.marsh"));
  EXPECT_THAT(desk.state().escalations(), IsEmpty());
  desk.Must(Declare("amara.osei"));  // nobody of the line can see it any more: at once
  ASSERT_EQ(desk.state().escalations_size(), 1);
  EXPECT_THAT(desk.state().escalations(0).targets(), ElementsAre("jonas.weber"));
  const v1::EscalationRaised raised = RaisedBy(&desk);
  EXPECT_THAT(raised.targets(), ElementsAre("jonas.weber"));
  EXPECT_EQ(raised.target_basis(), "COMPLIANCE");
}

TEST(TargetsTest, NobodyLeftIsRecordedToo) {
  CaseDesk desk(Ladder({Quarter("QUEUE_LEAD")}));
  desk.Must(kFileComplaint);
  for (const char* who : {"helen.marsh", "amara.osei", "jonas.weber"}) desk.Must(Declare(who));
  const v1::EscalationRaised raised = RaisedBy(&desk);
  EXPECT_THAT(raised.targets(), IsEmpty());
  EXPECT_EQ(raised.target_basis(), "NO_TARGET");
}

TEST(TargetsTest, AwayAreStoodInForByTheirDeputies) {
  const auto policies =
      Away(Ladder({Quarter("QUEUE_LEAD")}), "helen.marsh", "2026-11-18 11:00", "2026-11-19 09:00", "tomasz.zielinski");
  CaseDesk desk(policies);
  desk.Must(kFileComplaint);
  v1::EscalationRaised raised = RaisedBy(&desk);
  EXPECT_THAT(raised.targets(), ElementsAre("tomasz.zielinski"));
  EXPECT_THAT(raised.absent(), ElementsAre("helen.marsh"));
  EXPECT_EQ(raised.target_basis(), "QUEUE_LEAD");
  EXPECT_EQ(Told(desk.Would("acknowledge_escalation {}", {.principal = "helen.marsh"}, nullptr)),
            "ok: EscalationAcknowledged");  // she may have come back
  // The deputy of somebody is not free of conflicts because they stand in.
  CaseDesk conflicted(policies);
  conflicted.Must(kFileComplaint);
  conflicted.Must(Declare("tomasz.zielinski"));
  raised = RaisedBy(&conflicted);
  EXPECT_THAT(raised.targets(), ElementsAre("amara.osei"));
}

TEST(TargetsTest, WhoStandsInLaterMayAcknowledgeToo) {
  CaseDesk desk(
      Away(Ladder({Quarter("QUEUE_LEAD")}), "helen.marsh", "2026-11-18 12:00", "2026-11-19 09:00", "luis.romero"));
  desk.Must(kFileComplaint);
  EXPECT_THAT(RaisedBy(&desk).targets(), ElementsAre("helen.marsh"));
  const CaseDesk::Given luis = {.principal = "luis.romero"};
  EXPECT_EQ(Told(desk.Would("acknowledge_escalation {}", luis, nullptr)), "CONDITIONS_UNMET: NOT_YOUR_ESCALATION");
  desk.MoveTo("2026-11-18 12:00");
  EXPECT_EQ(Told(desk.Would("acknowledge_escalation {}", luis, nullptr)), "ok: EscalationAcknowledged");
  desk.MoveTo("2026-11-19 09:00");
  EXPECT_EQ(Told(desk.Would("acknowledge_escalation {}", luis, nullptr)), "CONDITIONS_UNMET: NOT_YOUR_ESCALATION");
}

TEST(TargetsTest, OfARotaAreOnDutyAtThatInstant) {
  const auto policies =
      With(Ladder({Quarter("QUEUE_LEAD")}),
           "directory: small\n"
           "departments: [{id: complaints, name: Complaints, lead: boss}]\n"
           "queues:\n"
           "  - {id: intake, name: Intake, department: complaints}\n"
           "  - {id: service-desk, name: Service desk, department: complaints}\n"
           "principals:\n"
           "  - {id: boss, name: Boss, department: complaints}\n"
           "  - {id: ann, name: Ann, department: complaints}\n"
           "  - {id: bob, name: Bob, department: complaints}\n"
           "rotas:\n"
           "  - id: duty\n"
           "    name: Duty\n"
           "    calendar: london\n"
           "    shifts:\n"
           "      - {days: mon..fri, hours: '09:00-11:00', principals: [bob]}\n"
           "      - {days: wed, hours: '11:00-17:00', principals: [ann, bob]}\n"
           "---\n"
           "ladder: standard\n"
           "levels:\n"
           "  - {level: 1, kind: HIERARCHICAL, trigger: FRACTION, permille: 250, target: ROTA, rota: duty}\n"
           "  - {level: 2, kind: HIERARCHICAL, trigger: BREACH, target: ROTA, rota: duty}\n");
  CaseDesk desk(policies);
  desk.Must(kFileComplaint);
  EXPECT_THAT(RaisedBy(&desk).targets(), ElementsAre("ann", "bob"));
  desk.MoveTo("2026-11-18 18:00");  // nobody is on duty at 17:00
  EXPECT_THAT(desk.state().escalations(1).targets(), ElementsAre("boss"));
}

TEST(TargetsTest, OfALapseAreAboveThoseToldSoFar) {
  const std::string lapsed = "kind: HIERARCHICAL, trigger: ACK_LAPSED, ack_within: 1h, target: ";
  CaseDesk desk(Ladder({Quarter("QUEUE_LEAD, ack_within: 1h"), absl::StrCat("level: 2, ", lapsed, "DEPARTMENT_LEAD"),
                        absl::StrCat("level: 3, ", lapsed, "QUEUE_LEAD"),
                        absl::StrCat("level: 4, ", lapsed, "ROLE, role: COMPLIANCE")}));
  desk.Must(kFileComplaint);
  desk.MoveTo("2026-11-18 16:00");
  // Above amara.osei the line ends, so level 3 keeps its own target.
  EXPECT_THAT(testing::Raised(desk), ElementsAre("1 Wed 11:00 helen.marsh", "2 Wed 12:00 amara.osei",
                                                 "3 Wed 13:00 helen.marsh", "4 Wed 14:00 jonas.weber"));
}

TEST(ConflictTest, OfATargetLetsTheNextOneHear) {
  CaseDesk desk(Ladder({Quarter("QUEUE_LEAD, ack_within: 4h, watch: true, open_task: LEGAL_ADVICE")}));
  desk.Must(kFileComplaint);
  desk.MoveTo("2026-11-18 12:00");
  EXPECT_EQ(desk.Must(Declare("helen.marsh")), "ConflictDeclared EscalationLevelSkipped EscalationRaised WatcherAdded");
  ASSERT_EQ(desk.state().escalations_size(), 1);
  EXPECT_THAT(desk.state().escalations(0).targets(), ElementsAre("amara.osei"));
  EXPECT_EQ(FromProto(desk.state().escalations(0).ack_due_at()), At("2026-11-18 16:00"));
  EXPECT_EQ(desk.state().items_size(), 1);
  for (const char* command :
       {"acknowledge_escalation {}", "close_escalation { reason_code: 'X' justification: 'x' }"}) {
    EXPECT_EQ(Told(desk.Would(command, {.principal = "helen.marsh"}, nullptr)),
              "CONDITIONS_UNMET: CONFLICT_OF_INTEREST")
        << command;
  }
  desk.Must("acknowledge_escalation {}", {.principal = "amara.osei"});
  EXPECT_EQ(desk.Must(Declare("amara.osei")),
            "ConflictDeclared EscalationLevelSkipped EscalationLevelSkipped EscalationRaised");  // nobody is left
  EXPECT_EQ(desk.state().escalations(0).state(), v1::Escalation::ACKNOWLEDGED);
}

TEST(ConflictTest, OfTheWholeLineIsToldToComplianceOnce) {
  CaseDesk desk(Ladder({Quarter("QUEUE_LEAD, ack_within: 4h")}));
  desk.Must(kFileComplaint);
  desk.Must(Declare("amara.osei"));
  desk.MoveTo("2026-11-18 12:00");
  EXPECT_EQ(desk.Must(Declare("helen.marsh")),
            "ConflictDeclared EscalationLevelSkipped EscalationLevelSkipped EscalationRaised");
  ASSERT_EQ(desk.state().escalations_size(), 1);
  EXPECT_THAT(desk.state().escalations(0).targets(), ElementsAre("jonas.weber"));
  CaseDesk alone;
  alone.Must(kFileComplaint);
  for (const char* who : {"helen.marsh", "amara.osei", "luis.romero"}) alone.Must(Declare(who));
  ASSERT_EQ(alone.state().escalations_size(), 1);  // the third one adds nothing to what compliance knows
  EXPECT_THAT(alone.state().escalations(0).targets(), ElementsAre("jonas.weber"));
}

TEST(ConflictTest, AfterAnEscalationWentToComplianceTheyAreNotToldAgain) {
  CaseDesk desk(Ladder({Quarter("QUEUE_LEAD, ack_within: 4h")}));
  desk.Must(kFileComplaint);
  desk.Must(Declare("amara.osei"));
  desk.MoveTo("2026-11-18 12:00");
  desk.Must(Declare("helen.marsh"));
  ASSERT_THAT(desk.state().escalations(0).targets(), ElementsAre("jonas.weber"));
  EXPECT_EQ(desk.Must(Declare("luis.romero")), "ConflictDeclared");
  desk.Must("acknowledge_escalation {}", {.principal = "jonas.weber"});
  EXPECT_EQ(desk.Must(Declare("sam.doyle")), "ConflictDeclared");
  // Once it is closed nothing tells them any more that the case is theirs alone.
  desk.Must("close_escalation { reason_code: 'X' justification: 'x' }", {.principal = "jonas.weber"});
  EXPECT_EQ(desk.Must(Declare("grace.lind")),
            "ConflictDeclared EscalationLevelSkipped EscalationLevelSkipped EscalationRaised");
}

TEST(ConflictTest, ALevelThatIsForComplianceAnywayDoesNotSayThatNobodyIsLeft) {
  CaseDesk desk(Ladder({Quarter("ROLE, role: COMPLIANCE, ack_within: 4h")}));
  desk.Must(kFileComplaint);
  desk.MoveTo("2026-11-18 12:00");
  ASSERT_THAT(desk.state().escalations(0).targets(), ElementsAre("jonas.weber"));
  desk.Must(Declare("amara.osei"));
  EXPECT_EQ(desk.Must(Declare("helen.marsh")),
            "ConflictDeclared EscalationLevelSkipped EscalationLevelSkipped EscalationRaised");
}

TEST(ConflictTest, OfOneTargetOfSeveralChangesNothing) {
  CaseDesk desk(Ladder({Quarter("ROLE, role: SUPERVISOR")}));
  desk.Must(kFileComplaint);
  desk.Must("queue { queue: 'service-desk' }");  // tomasz.zielinski and priya.nair
  desk.MoveTo("2026-11-18 12:00");
  ASSERT_EQ(desk.state().escalations(0).targets_size(), 2);
  EXPECT_EQ(desk.Must(Declare("priya.nair")), "ConflictDeclared");
}

TEST(ConflictTest, KeepsAPrincipalFromTakingAndDeciding) {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  desk.Must("take {}");
  EXPECT_EQ(desk.Must("declare_conflict { nature: 'KINSHIP' }"), "ConflictDeclared OwnerReleased");
  EXPECT_EQ(desk.state().owner(), "");
  EXPECT_EQ(Told(desk.Would("take {}")), "CONDITIONS_UNMET: CONFLICT_OF_INTEREST");
  EXPECT_EQ(Told(desk.Would("assign { owner: 'grace.lind' }", {.principal = "helen.marsh"}, nullptr)),
            "CONDITIONS_UNMET: CONFLICT_OF_INTEREST");
  EXPECT_EQ(Told(desk.Would("void { reason_code: 'X' approver: 'grace.lind' }", {.principal = "helen.marsh"}, nullptr)),
            "CONDITIONS_UNMET: CONFLICT_OF_INTEREST");
  EXPECT_EQ(Told(desk.Would("declare_conflict { nature: 'X' }")), "CONDITIONS_UNMET: CONFLICT_DECLARED");
  EXPECT_EQ(Told(desk.Would("clear_conflict { principal: 'grace.lind' reason_code: 'X' }")),
            "CONDITIONS_UNMET: SECOND_PERSON_MISSING");
  desk.Must("clear_conflict { principal: 'grace.lind' reason_code: 'MISTAKE' }", {.principal = "helen.marsh"});
  desk.Must("take {}");
  EXPECT_EQ(Told(desk.Would("clear_conflict { principal: 'grace.lind' reason_code: 'X' }")),
            "CONDITIONS_UNMET: NO_CONFLICT");
}

TEST(ConflictTest, WhoIsInConflictClearsNobodyElses) {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  desk.Must("declare_conflict { nature: 'KINSHIP' }");
  desk.Must(Declare("luis.romero"));
  EXPECT_EQ(Told(desk.Would("clear_conflict { principal: 'luis.romero' reason_code: 'X' }")),
            "CONDITIONS_UNMET: CONFLICT_OF_INTEREST");
  desk.Must("clear_conflict { principal: 'grace.lind' reason_code: 'X' }", {.principal = "helen.marsh"});
  desk.Must("clear_conflict { principal: 'luis.romero' reason_code: 'X' }");
}

TEST(ConflictTest, WhenNobodyIsLeftItIsSaidOnce) {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  for (const char* who : {"helen.marsh", "amara.osei", "jonas.weber", "luis.romero", "sam.doyle"}) {
    desk.Must(Declare(who));
  }
  ASSERT_EQ(desk.state().escalations_size(), 1);
  EXPECT_THAT(desk.state().escalations(0).targets(), IsEmpty());
  // Anybody may answer it; when whoever did is in conflict too, it is said again.
  desk.Must("acknowledge_escalation {}", {.principal = "priya.nair"});
  EXPECT_EQ(desk.Must(Declare("owen.pritchard")), "ConflictDeclared");
  desk.Must(Declare("priya.nair"));
  EXPECT_EQ(desk.state().escalations_size(), 2);
}

TEST(ConflictTest, OfWhoIsToGrantARequestAsksTheNext) {
  CaseDesk desk(
      With(Ladder({"level: 1, kind: HIERARCHICAL, trigger: MANUAL, target: QUEUE_LEAD, approval: true"}),
           "sla: second-persons\nobligation: INTERNAL\ncalendar: london\nmetrics:\n  - metric: APPROVAL\n"
           "    start: {event: escalation_requested}\n"
           "    stop: [{event: escalation_raised}, {event: escalation_declined}]\n    targets: [{target: 4h}]\n"));
  desk.Must(kFileComplaint);
  desk.Must("escalate { kind: HIERARCHICAL reason_code: 'ANGRY' justification: 'x' }");
  const v1::Escalation asked = desk.state().escalations(0);
  EXPECT_THAT(asked.targets(), ElementsAre("helen.marsh"));
  EXPECT_EQ(asked.department(), "complaints");
  desk.MoveTo("2026-11-18 10:00");
  EXPECT_EQ(desk.Must(Declare("helen.marsh")), "ConflictDeclared EscalationLevelSkipped EscalationRequested");
  ASSERT_EQ(desk.state().escalations_size(), 1);
  const v1::Escalation& one = desk.state().escalations(0);
  EXPECT_EQ(one.escalation_no(), asked.escalation_no());
  EXPECT_EQ(one.state(), v1::Escalation::REQUESTED);
  EXPECT_EQ(FromProto(one.requested_at()), FromProto(asked.requested_at()));
  EXPECT_EQ(one.requested_by(), "grace.lind");
  EXPECT_THAT(one.targets(), ElementsAre("amara.osei"));
  EXPECT_EQ(one.department(), "company");  // R11: that of who is to decide
  EXPECT_EQ(FromProto(desk.clock("APPROVAL").due_at()), At("2026-11-18 13:00"));
  EXPECT_EQ(Told(desk.Would("approve_escalation {}", {.principal = "amara.osei"}, nullptr)),
            "ok: EscalationLevelSkipped EscalationRaised ClockFulfilled");
  // At the end compliance is asked, and hears nothing beside.
  EXPECT_EQ(desk.Must(Declare("amara.osei")),
            "ConflictDeclared EscalationLevelSkipped EscalationLevelSkipped EscalationRequested");
  EXPECT_THAT(desk.state().escalations(0).targets(), ElementsAre("jonas.weber"));
  desk.Must("approve_escalation {}", {.principal = "jonas.weber"});
  EXPECT_EQ(desk.state().escalations(0).state(), v1::Escalation::RAISED);
}

TEST(WatcherTest, IsAddedOnceAndRemoved) {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  desk.Must("add_watcher {}");
  EXPECT_EQ(Told(desk.Would("add_watcher {}")), "ok: ");
  EXPECT_EQ(Told(desk.Would("add_watcher { principal: 'nobody' }")), "UNKNOWN_PRINCIPAL");
  EXPECT_EQ(Told(desk.Would("remove_watcher { principal: 'helen.marsh' }")), "CONDITIONS_UNMET: NOT_A_WATCHER");
  desk.Must("remove_watcher {}");
  EXPECT_THAT(desk.state().watchers(), IsEmpty());
}

}  // namespace
}  // namespace docket::escalation
