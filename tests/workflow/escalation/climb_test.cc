// When levels fire, one trigger after the other, and what they do. Times are London's; the desk opens Wed 09:00, the
// first response of a complaint is due Wed 17:00, after eight working hours.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/workflow/case/case_desk.h"
#include "tests/workflow/escalation/ladder_desk.h"
#include "workflow/base/time.h"
#include "workflow/case/advance.h"
#include "workflow/escalation/escalation.h"

namespace docket::escalation {
namespace {

using testing::Climbed;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Ladder;
using testing::Raised;
using workflow::testing::At;
using workflow::testing::CaseDesk;
using workflow::testing::kAnswer;
using workflow::testing::kAsk;
using workflow::testing::kFileComplaint;
using workflow::testing::kFileTicket;
using workflow::testing::kInbound;
using workflow::testing::Told;

constexpr char kFirst[] = "metrics: [FIRST_RESPONSE]";
constexpr char kUp[] = "kind: HIERARCHICAL, target: QUEUE_LEAD";

std::string Level(int n, const std::string& more) { return absl::StrCat("level: ", n, ", ", kUp, ", ", more); }
std::string OfFirst(int n, const std::string& more) { return Level(n, absl::StrCat(more, ", ", kFirst)); }

TEST(ClockLevels, FireAtTheirShareTheirSpanTheDueAndAfterIt) {
  CaseDesk desk(Ladder({OfFirst(1, "trigger: FRACTION, permille: 600"), OfFirst(2, "trigger: BEFORE_DUE, span: 1h"),
                        OfFirst(3, "trigger: AT_DUE"), OfFirst(4, "trigger: AFTER_DUE, span: 2h"),
                        OfFirst(5, "trigger: AFTER_DUE, span: 24h, elapsed: true")}));
  desk.Must(kFileComplaint);
  desk.MoveTo("2026-11-23 09:00");
  EXPECT_THAT(Raised(desk), ElementsAre("1 Wed 13:48 helen.marsh", "2 Wed 16:00 helen.marsh", "3 Wed 17:00 helen.marsh",
                                        "4 Thu 11:00 helen.marsh", "5 Thu 17:00 helen.marsh"));
}

TEST(ClockLevels, AreOfOneClockAndNeverGoDown) {
  CaseDesk desk(Ladder({OfFirst(1, "trigger: FRACTION, permille: 750"), OfFirst(2, "trigger: BEFORE_DUE, span: 4h")}));
  desk.Must(kFileComplaint);
  desk.MoveTo("2026-11-19 09:00");
  // Half the time is left before three quarters of it are used.
  EXPECT_THAT(Raised(desk), ElementsAre("2 Wed 13:00 helen.marsh"));
}

TEST(ClockLevels, NotYetFiredAreDroppedWhenTheClockStops) {
  CaseDesk desk(Ladder({OfFirst(1, "trigger: BREACH"), OfFirst(2, "trigger: AFTER_DUE, span: 2h")}));
  desk.Must(kFileComplaint);
  desk.MoveTo("2026-11-19 10:59");
  desk.Must(kAnswer);
  desk.MoveTo("2026-11-23 09:00");
  EXPECT_THAT(Raised(desk), ElementsAre("1 Wed 17:00 helen.marsh"));
}

TEST(ClockLevels, AClockStoppedExactlyThenIsNotEscalated) {
  CaseDesk desk(Ladder({OfFirst(1, "trigger: BREACH"), OfFirst(2, "trigger: AFTER_DUE, span: 2h")}));
  desk.Must(kFileComplaint);
  desk.MoveTo("2026-11-19 11:00");
  desk.Must(kAnswer);
  EXPECT_THAT(Raised(desk), ElementsAre("1 Wed 17:00 helen.marsh"));
}

TEST(ClockLevels, MoveWithPausesAndRetargets) {
  CaseDesk desk(Ladder({Level(1, "trigger: BEFORE_DUE, span: 2h, metrics: [RESOLUTION]"),
                        Level(2, "trigger: AFTER_DUE, span: 3h, metrics: [RESOLUTION]")}));
  desk.Must(kFileComplaint);
  desk.Must("accept {}");
  desk.Must("set_priority { priority: 1 override_reason: 'X' }");  // 16 h: due Thu 17:00
  desk.Must(kAsk);
  desk.Must("hold { waiting_on: COMPLAINANT reason_code: 'ASKED' }");
  desk.MoveTo("2026-11-20 09:00");
  EXPECT_THAT(Raised(desk), IsEmpty());
  desk.Must("resume {}");  // two days were waited through: due Mon 17:00
  desk.MoveTo("2026-11-27 09:00");
  EXPECT_EQ(FromProto(desk.clock("RESOLUTION").due_at()), At("2026-11-23 17:00"));
  EXPECT_THAT(Raised(desk), ElementsAre("1 Mon 15:00 helen.marsh", "2 Tue 12:00 helen.marsh"));
}

// Wed 09:00 + 80 h is Tue 1 Dec 17:00; at priority 1 it is 16 h, Thu 17:00, which has passed when the level says so.
TEST(ClockLevels, WaitUntilTheDueBeforeARetargetHasPassed) {
  CaseDesk desk(Ladder({OfFirst(1, "trigger: AFTER_DUE, span: 16h, set_priority: 1"),
                        Level(2, "trigger: BREACH, metrics: [RESOLUTION]"),
                        Level(3, "trigger: AT_DUE, metrics: [RESOLUTION], watch: true"),
                        Level(4, "trigger: AFTER_DUE, span: 4h, metrics: [RESOLUTION]"),
                        Level(5, "trigger: AFTER_DUE, span: 24h, elapsed: true, metrics: [RESOLUTION]")}));
  desk.Must(kFileComplaint);
  desk.MoveTo("2026-12-01 17:00");
  EXPECT_EQ(FromProto(desk.clock("RESOLUTION").due_at()), At("2026-11-19 17:00"));
  EXPECT_TRUE(desk.clock("RESOLUTION").has_breached_due_at());
  EXPECT_THAT(Climbed(desk), ElementsAre("1 Fri 17:00 helen.marsh", "scheduled 2 Tue 17:00"));
  EXPECT_EQ(workflow::WakeAt(desk.state()), At("2026-12-01 17:00") + absl::Microseconds(1));
  desk.MoveTo("2026-12-10 09:00");
  EXPECT_THAT(Climbed(desk), ElementsAre("1 Fri 17:00 helen.marsh", "scheduled 2 Tue 17:00", "2 Tue 17:00 helen.marsh",
                                         "3 Tue 17:00 helen.marsh", "watcher helen.marsh", "scheduled 4 Wed 13:00",
                                         "4 Wed 13:00 helen.marsh", "scheduled 5 Wed 17:00", "5 Wed 17:00 helen.marsh",
                                         "scheduled nothing"));
}

TEST(ClockLevels, AreDroppedWhenTheDutyIsStoppedBeforeItsExcuseEnds) {
  CaseDesk desk(Ladder({OfFirst(1, "trigger: BREACH"), OfFirst(2, "trigger: AFTER_DUE, span: 1h")}));
  desk.Must(kFileComplaint);
  desk.MoveTo("2026-11-18 12:00");
  desk.Must("set_priority { priority: 1 override_reason: 'X' }");  // 2 h: was due at 11:00
  EXPECT_THAT(Climbed(desk), ElementsAre("scheduled 1 Wed 17:00"));
  desk.MoveTo("2026-11-18 17:00");
  desk.Must(kAnswer);
  desk.MoveTo("2026-11-20 12:00");
  EXPECT_THAT(Raised(desk), IsEmpty());
}

TEST(ClockLevels, AskForSilentWarningsOnly) {
  CaseDesk desk(
      Ladder({OfFirst(1, "trigger: FRACTION, permille: 500"), OfFirst(2, "trigger: FRACTION, permille: 600")}));
  desk.Must(kFileComplaint);
  const v1::Clock& clock = desk.clock("FIRST_RESPONSE");
  ASSERT_EQ(clock.warnings_size(), 4);  // those of the policy at 500, 750 and 900; only 600 is new
  for (const v1::Warning& warning : clock.warnings()) EXPECT_EQ(warning.silent(), warning.permille() == 600);
}

TEST(DowntimeLevels, OnlyTheHighestReachedIsTold) {
  CaseDesk desk(Ladder(
      {OfFirst(1, "trigger: FRACTION, permille: 600, ack_within: 1h"), OfFirst(2, "trigger: BREACH, ack_within: 1h"),
       OfFirst(3, "trigger: AFTER_DUE, span: 2h, ack_within: 1h"), OfFirst(4, "trigger: AFTER_DUE, span: 40h")}));
  desk.Must(kFileComplaint);
  desk.MoveTo(At("2026-11-21 09:00"), /*timers=*/false);
  desk.Must("advance {}");
  EXPECT_THAT(Raised(desk), ElementsAre("1 Wed 13:48 helen.marsh passed", "2 Wed 17:00 helen.marsh passed",
                                        "3 Thu 11:00 helen.marsh"));
  EXPECT_FALSE(desk.state().escalations(0).has_ack_due_at());
  EXPECT_EQ(FromProto(desk.state().escalations(2).ack_due_at()), At("2026-11-21 10:00"));
  EXPECT_FALSE(WaitsForAck(desk.state().escalations(1)));
  EXPECT_EQ(Told(desk.Would("acknowledge_escalation {}", {.principal = "helen.marsh"}, nullptr)),
            "ok: EscalationAcknowledged");  // there is but one
}

TEST(Acknowledging, LapsesOnceAndLeadsToTheNextLevelWhateverItsTrigger) {
  CaseDesk desk(
      Ladder({OfFirst(1, "trigger: FRACTION, permille: 250, ack_within: 1h"),
              Level(2, "trigger: ACK_LAPSED, ack_within: 2h"), OfFirst(3, "trigger: BREACH, ack_within: 4h")}));
  desk.Must(kFileComplaint);
  desk.MoveTo("2026-11-20 09:00");
  EXPECT_THAT(Climbed(desk), ElementsAre("1 Wed 11:00 helen.marsh", "lapsed Wed 12:00", "2 Wed 12:00 amara.osei",
                                         "lapsed Wed 14:00", "3 Wed 14:00 helen.marsh", "lapsed Wed 18:00"));
  EXPECT_EQ(desk.state().escalations(0).next_level(), 2u);
  EXPECT_EQ(desk.state().escalations(1).next_level(), 3u);
  EXPECT_EQ(desk.state().escalations(2).next_level(), 0u);
}

TEST(Acknowledging, StopsOnlyThatTimer) {
  CaseDesk desk(
      Ladder({OfFirst(1, "trigger: FRACTION, permille: 250, ack_within: 1h"), OfFirst(2, "trigger: BREACH")}));
  desk.Must(kFileComplaint);
  desk.MoveTo("2026-11-18 12:00");
  desk.Must("acknowledge_escalation {}", {.principal = "helen.marsh"});  // at the very due
  desk.MoveTo("2026-11-20 09:00");
  EXPECT_THAT(Climbed(desk), ElementsAre("1 Wed 11:00 helen.marsh", "2 Wed 17:00 helen.marsh"));
}

TEST(Acknowledging, LeadsNowhereWhenTheWorkIsDone) {
  CaseDesk desk(
      Ladder({OfFirst(1, "trigger: FRACTION, permille: 250, ack_within: 4h"), OfFirst(2, "trigger: BREACH")}));
  desk.Must(kFileComplaint);
  desk.MoveTo("2026-11-18 12:00");
  desk.Must(kAnswer);
  desk.MoveTo("2026-11-20 09:00");
  EXPECT_THAT(Climbed(desk), ElementsAre("1 Wed 11:00 helen.marsh", "lapsed Wed 15:00"));
}

TEST(Silence, IsBrokenByAnythingAPersonDoes) {
  CaseDesk desk(Ladder({Level(1, "trigger: NO_ACTIVITY, span: 24h"), Level(2, "trigger: NO_ACTIVITY, span: 48h")}));
  desk.Must(kFileComplaint);
  desk.MoveTo("2026-11-18 20:00");
  desk.Must("add_note { body: 'x' }");
  desk.MoveTo("2026-11-19 19:00");
  EXPECT_THAT(Climbed(desk), ElementsAre("scheduled 1 Thu 09:00", "scheduled 1 Thu 20:00"));
  desk.MoveTo("2026-11-20 19:00");
  desk.Must("add_note { body: 'y' }");  // level 1 has fired: a new silence begins at once
  desk.MoveTo("2026-11-25 09:00");
  EXPECT_THAT(Climbed(desk), ElementsAre("scheduled 1 Thu 09:00", "scheduled 1 Thu 20:00", "1 Thu 20:00 helen.marsh",
                                         "scheduled 2 Fri 20:00", "scheduled 1 Sat 19:00", "1 Sat 19:00 helen.marsh",
                                         "scheduled 2 Sun 19:00", "2 Sun 19:00 helen.marsh", "scheduled nothing"));
}

TEST(Silence, IsNotBrokenByTheWorldNorByLookingOn) {
  CaseDesk desk(Ladder({Level(1, "trigger: NO_ACTIVITY, span: 24h")}));
  desk.Must(kFileComplaint);
  desk.Must(kAnswer);
  desk.MoveTo("2026-11-18 20:00");
  desk.Must(kInbound);
  uint32_t sent = 0;
  while (!desk.events()[sent++].has_outbound_sent()) {
  }
  desk.Must(absl::StrCat("report_delivery { outbound_revision: ", sent, " outcome: DELIVERED }"));
  desk.Must("add_watcher {}");
  desk.Must("remove_watcher {}");
  desk.MoveTo("2026-11-20 12:00");
  EXPECT_THAT(Climbed(desk), ElementsAre("scheduled 1 Thu 09:00", "watcher grace.lind", "1 Thu 09:00 helen.marsh",
                                         "scheduled nothing"));
  desk.Must(kInbound);  // who writes again after the last level is not forgotten either
  desk.MoveTo("2026-11-23 12:00");
  EXPECT_EQ(Raised(desk).size(), 2u);
}

TEST(Silence, IsNotBrokenByTheStatusThatAMessageMakes) {
  CaseDesk held(Ladder({Level(1, "trigger: NO_ACTIVITY, span: 24h")}));
  held.Must(kFileComplaint);
  held.Must("accept {}");
  held.Must(kAsk);
  held.Must("hold { waiting_on: COMPLAINANT reason_code: 'ASKED' }");
  held.MoveTo("2026-11-18 20:00");
  EXPECT_THAT(held.Must(kInbound), ::testing::HasSubstr("StatusChanged"));
  held.MoveTo("2026-11-19 10:00");
  EXPECT_THAT(Raised(held), ElementsAre("1 Thu 09:00 helen.marsh"));
  CaseDesk resolved(Ladder({Level(1, "trigger: NO_ACTIVITY, span: 24h")}));
  resolved.Must(kFileTicket);
  resolved.Must("take {}");
  resolved.Must(kAnswer);
  resolved.Must("resolve { resolution_code: 'FIXED' }");
  resolved.MoveTo("2026-11-18 20:00");
  EXPECT_THAT(resolved.Must(kInbound), ::testing::HasSubstr("CaseReopened"));
  resolved.MoveTo("2026-11-19 10:00");
  EXPECT_THAT(Raised(resolved), ElementsAre("1 Thu 09:00 helen.marsh"));
}

TEST(Silence, IsBrokenByWhoeverReopensOrResumes) {
  CaseDesk desk(Ladder({Level(1, "trigger: NO_ACTIVITY, span: 24h")}));
  desk.Must(kFileTicket);
  desk.Must("take {}");
  desk.Must(kAnswer);
  desk.Must("resolve { resolution_code: 'FIXED' }");
  desk.MoveTo("2026-11-18 20:00");
  desk.Must("reopen { reason: NOT_RESOLVED }");
  desk.MoveTo("2026-11-19 10:00");
  EXPECT_THAT(Raised(desk), IsEmpty());
}

TEST(Silence, CountsWorkingTimeAndNotWhileItsConditionFails) {
  CaseDesk desk(
      Ladder({Level(1, "trigger: NO_ACTIVITY, span: 8h, calendar: london, when: {case.category: [NEW, OPEN]}")}));
  desk.Must(kFileComplaint);
  desk.Must("accept {}");
  desk.Must("hold { waiting_on: DEPARTMENT reason_code: 'WAIT' until { seconds: 1795172400 } }");  // Fri 20 Nov 11:00
  desk.MoveTo("2026-11-25 09:00");
  // When its instant comes the case waits, so nothing is scheduled until it goes on.
  EXPECT_THAT(Climbed(desk), ElementsAre("scheduled 1 Wed 17:00", "scheduled nothing", "scheduled 1 Mon 11:00",
                                         "1 Mon 11:00 helen.marsh", "scheduled nothing"));
}

TEST(CaseLevels, CountReopeningsTransfersAndEachRefusal) {
  CaseDesk desk(Ladder({Level(1, "trigger: TRANSFERS, count: 2"), Level(1, "trigger: TRANSFER_REFUSED"),
                        Level(1, "trigger: REOPENED, count: 1")}));
  desk.Must(kFileComplaint);
  for (int i = 0; i < 3; ++i) {
    desk.Must("transfer { to_queue: 'billing' handoff_note: 'x' }");
    desk.Must("refuse_transfer { reason_code: 'NOT_OURS' }", {.principal = "priya.nair"});
  }
  std::vector<std::string> keys;
  for (const v1::Escalation& one : desk.state().escalations()) keys.push_back(one.trigger_key().substr(0, 8));
  EXPECT_THAT(keys, ElementsAre("refused/", "transfer", "refused/", "refused/"));
  desk.Must("decline { reason_code: 'OUT_OF_SCOPE' explanation: 'x' }");
  desk.Must("reopen { reason: NOT_RESOLVED }", {.principal = "helen.marsh"});
  EXPECT_EQ(desk.state().escalations(4).trigger_key(), "reopened");
}

TEST(CaseLevels, FireWhenTheirFactsBecomeTrue) {
  CaseDesk desk(Ladder({Level(1, "trigger: FACTS, when: {case.safety: true}"),
                        Level(2, "trigger: FACTS, when: {case.public_exposure: true}")}));
  desk.Must(kFileTicket);
  desk.Must("triage { severity: 1 impact: 2 urgency: 2 safety: true }");
  EXPECT_THAT(Raised(desk), ElementsAre("1 Wed 09:00 helen.marsh"));
  desk.Must("triage { severity: 1 impact: 2 urgency: 2 safety: true public_exposure: true }");
  desk.Must("triage { severity: 1 impact: 2 urgency: 2 }");
  desk.Must("triage { severity: 1 impact: 2 urgency: 2 safety: true public_exposure: true }");
  EXPECT_THAT(Raised(desk), ElementsAre("1 Wed 09:00 helen.marsh", "2 Wed 09:00 helen.marsh"));
}

TEST(CaseLevels, OfFactsAreEachForThemselves) {
  CaseDesk desk(Ladder(
      {Level(1, "trigger: FACTS, when: {case.safety: true}"), Level(2, "trigger: FACTS, when: {case.legal: true}")}));
  desk.Must(kFileTicket);
  desk.Must("triage { severity: 1 impact: 2 urgency: 2 legal: true }");
  desk.Must("triage { severity: 1 impact: 2 urgency: 2 legal: true safety: true }");
  EXPECT_THAT(Raised(desk), ElementsAre("2 Wed 09:00 helen.marsh", "1 Wed 09:00 helen.marsh"));
}

TEST(CaseLevels, OfFactsClimbOnlyToWhatHolds) {
  const auto policies = Ladder({Level(1, "trigger: FACTS, when: {case.safety: true}, ack_within: 1h"),
                                Level(2, "trigger: FACTS, when: {case.legal: true}, open_task: LEGAL_ADVICE"),
                                Level(3, "trigger: ACK_LAPSED")});
  CaseDesk desk(policies);
  desk.Must(kFileTicket);
  desk.Must("triage { severity: 1 impact: 2 urgency: 2 safety: true }");
  desk.MoveTo("2026-11-18 11:00");
  ASSERT_EQ(desk.state().escalations_size(), 2);
  EXPECT_EQ(desk.state().escalations(1).level(), 3u);
  CaseDesk legal(policies);
  legal.Must(kFileTicket);
  legal.Must("triage { severity: 1 impact: 2 urgency: 2 safety: true legal: true }");
  legal.MoveTo("2026-11-18 11:00");
  ASSERT_EQ(legal.state().escalations_size(), 3);
  EXPECT_EQ(legal.state().escalations(2).level(), 3u);  // what is legal about it was told already
  EXPECT_EQ(legal.state().items_size(), 1);
}

// What triage sets first and what it sets last are one change: the level has the last word on the priority.
TEST(CaseLevels, AreAskedOfAWholeCommand) {
  CaseDesk desk(Ladder({Level(1, "trigger: FACTS, when: {case.safety: true}, set_priority: 1"),
                        Level(2, "trigger: FACTS, when: {case.priority: 4}")}));
  desk.Must(kFileTicket);
  desk.Must("triage { severity: 1 impact: 2 urgency: 3 safety: true }");
  EXPECT_EQ(desk.state().priority(), 1u);
}

TEST(Actions, WatchRaiseThePriorityMoveTheQueueAndReplaceTheOwner) {
  CaseDesk desk(
      Ladder({"level: 1, kind: FUNCTIONAL, trigger: FRACTION, permille: 250, metrics: [FIRST_RESPONSE], target: "
              "ROLE, role: COMPLIANCE, watch: true, set_priority: 2, move_queue: legal, replace_owner: true"}));
  desk.Must(kFileComplaint);
  desk.Must("take {}");
  desk.MoveTo("2026-11-18 11:00");
  EXPECT_EQ(workflow::testing::Story({desk.events().end() - 9, desk.events().end()}),
            "WarningReached EscalationRaised WatcherAdded PrioritySet ClockRetargeted ClockRetargeted CaseQueued "
            "OwnerAssigned WarningReached");  // half of the new target has passed
  EXPECT_EQ(desk.state().priority(), 2u);
  EXPECT_EQ(desk.state().queue(), "legal");
  EXPECT_EQ(desk.state().owner(), "jonas.weber");
  EXPECT_EQ(desk.state().department(), "complaints");  // whoever works on it, the same department answers
  EXPECT_THAT(desk.state().watchers(), ElementsAre("jonas.weber"));
}

TEST(Actions, AskForWorkAndForAnAnswer) {
  CaseDesk desk(Ladder({OfFirst(1,
                                "trigger: FRACTION, permille: 250, open_task: LEGAL_ADVICE, task_department: legal, "
                                "supervision_order: true, answer_within: 8h, calendar: london")}));
  desk.Must(kFileComplaint);
  desk.MoveTo("2026-11-18 11:00");
  ASSERT_EQ(desk.state().items_size(), 2);
  EXPECT_EQ(desk.state().items(0).kind(), v1::WORK);
  EXPECT_EQ(desk.state().items(0).department(), "legal");
  EXPECT_EQ(desk.state().items(0).what(), "LEGAL_ADVICE");
  EXPECT_EQ(desk.state().items(0).asked_by(), "helen.marsh");
  EXPECT_EQ(desk.state().items(1).kind(), v1::SUPERVISION_ORDER);
  EXPECT_EQ(desk.state().items(1).department(), "complaints");
  EXPECT_EQ(FromProto(desk.state().items(1).due_at()), At("2026-11-19 11:00"));
}

TEST(Actions, NeverLowerAPriorityNorFireTheirLevelAgain) {
  CaseDesk desk(Ladder({OfFirst(1, "trigger: FRACTION, permille: 250, set_priority: 2"),
                        OfFirst(2, "trigger: FRACTION, permille: 900, set_priority: 3")}));
  desk.Must(kFileComplaint);
  desk.MoveTo("2026-11-19 17:00");
  int set = 0;
  for (const v1::Event& event : desk.events()) {
    if (!event.has_priority_set()) continue;
    ++set;
    EXPECT_EQ(event.priority_set().basis(), v1::BY_LADDER);
    EXPECT_EQ(event.rule(), "standard@2");
  }
  EXPECT_EQ(set, 1);
  EXPECT_EQ(Raised(desk).size(), 2u);
}

TEST(Actions, ThatCannotBeTakenSaySo) {
  CaseDesk desk(Ladder({OfFirst(1, "trigger: FRACTION, permille: 250, move_queue: legal")}));
  desk.Must(kFileComplaint);
  desk.Must("transfer { to_queue: 'billing' handoff_note: 'x' }");
  desk.MoveTo("2026-11-18 11:00");
  EXPECT_THAT(Climbed(desk), ElementsAre("1 Wed 11:00 helen.marsh", "skipped TRANSFER_PENDING"));
}

// Two ladders that undo each other's work: each key fires once, so it ends.
TEST(Actions, OfTwoLaddersCannotChaseEachOther) {
  const auto policies = workflow::testing::With(
      Ladder({Level(1, "trigger: FACTS, when: {case.queue: intake}, move_queue: complaints")}),
      absl::StrCat("ladder: back\nlevels:\n  - {",
                   Level(1, "trigger: FACTS, when: {case.queue: complaints}, move_queue: intake"), "}\n"));
  CaseDesk desk(policies);
  desk.Must(kFileComplaint);
  EXPECT_EQ(Raised(desk).size(), 2u);
  EXPECT_EQ(desk.state().queue(), "intake");
}

TEST(QuietHours, DelayTheTellingNeverTheFact) {
  CaseDesk desk(Ladder({OfFirst(1, "trigger: BREACH, ack_within: 1h"),
                        OfFirst(2, "trigger: AFTER_DUE, span: 1h, elapsed: true, notify_calendar: always")},
                       "notify_calendar: london\n"));
  desk.Must(kFileComplaint);
  desk.MoveTo("2026-11-18 19:00");
  ASSERT_EQ(desk.state().escalations_size(), 2);
  EXPECT_EQ(FromProto(desk.state().escalations(0).raised_at()), At("2026-11-18 17:00"));
  EXPECT_EQ(FromProto(desk.state().escalations(0).notify_at()), At("2026-11-19 09:00"));
  EXPECT_EQ(FromProto(desk.state().escalations(0).ack_due_at()), At("2026-11-19 10:00"));
  EXPECT_FALSE(desk.state().escalations(1).has_notify_at());
}

constexpr char kByHand[] = "escalate { kind: HIERARCHICAL reason_code: 'ANGRY' justification: 'x' source: CUSTOMER }";

TEST(ByHand, WithApprovalItWaitsForASecondPerson) {
  CaseDesk desk(Ladder({Level(1, "trigger: MANUAL, approval: true, ack_within: 1h")}));
  desk.Must(kFileComplaint);
  EXPECT_EQ(desk.Must(kByHand), "EscalationRequested");
  EXPECT_EQ(desk.state().escalations(0).state(), v1::Escalation::REQUESTED);
  EXPECT_EQ(HighestLevel(desk.state()), 0u);
  EXPECT_EQ(Told(desk.Would("approve_escalation {}")), "CONDITIONS_UNMET: SECOND_PERSON_MISSING");
  EXPECT_EQ(Told(desk.Would("approve_escalation {}", {.principal = "sam.doyle"}, nullptr)),
            "CONDITIONS_UNMET: NOT_YOUR_ESCALATION");
  desk.MoveBy(absl::Hours(1));
  EXPECT_EQ(desk.Must("approve_escalation {}", {.principal = "helen.marsh"}), "EscalationRaised");
  ASSERT_EQ(desk.state().escalations_size(), 1);
  const v1::Escalation& one = desk.state().escalations(0);
  EXPECT_EQ(one.state(), v1::Escalation::RAISED);
  EXPECT_EQ(one.requested_by(), "grace.lind");
  EXPECT_EQ(one.source(), v1::EscalationSource::CUSTOMER);
  EXPECT_EQ(one.reason_code(), "ANGRY");
  EXPECT_TRUE(one.has_justification());
  EXPECT_EQ(FromProto(one.ack_due_at()), At("2026-11-18 11:00"));
  EXPECT_EQ(Told(desk.Would("approve_escalation {}", {.principal = "helen.marsh"}, nullptr)),
            "CONDITIONS_UNMET: NO_REQUESTED_ESCALATION");
}

TEST(ByHand, WhoDecidesOfItIsOfTheDepartmentThatIsAsked) {
  CaseDesk desk(Ladder({"level: 1, kind: HIERARCHICAL, trigger: MANUAL, approval: true, target: ACCOUNTABLE_MANAGER"}));
  desk.Must(kFileComplaint);
  desk.Must(kByHand);
  const v1::Escalation& one = desk.state().escalations(0);
  EXPECT_THAT(one.targets(), ElementsAre("amara.osei"));
  EXPECT_EQ(one.department(), "company");
  // Supervisors of where the case stands may decide all the same.
  for (const auto& [who, told] : {std::pair<std::string, std::string>("amara.osei", "ok: EscalationRaised"),
                                  {"helen.marsh", "ok: EscalationRaised"},
                                  {"priya.nair", "CONDITIONS_UNMET: NOT_YOUR_ESCALATION"}}) {
    EXPECT_EQ(Told(desk.Would("approve_escalation {}", {.principal = who}, nullptr)), told) << who;
  }
}

// A request is timed like anything else, once a policy says how.
TEST(ByHand, WhatWaitsForASecondPersonIsEscalatedWhenLate) {
  CaseDesk desk(workflow::testing::With(
      workflow::testing::ShippedPolicies(),
      absl::StrCat("sla: second-persons\nobligation: INTERNAL\ncalendar: london\nmetrics:\n  - metric: APPROVAL\n"
                   "    start: {event: escalation_requested}\n"
                   "    stop: [{event: escalation_raised}, {event: escalation_declined}]\n"
                   "    targets: [{target: 4h}]\n---\nladder: standard\nlevels:\n  - {",
                   Level(1, "trigger: MANUAL, approval: true"), "}\n  - {",
                   Level(1, "trigger: AFTER_DUE, span: 1h, metrics: [APPROVAL]"), "}\n")));
  desk.Must(kFileComplaint);
  desk.Must(kByHand);
  desk.MoveTo("2026-11-18 16:00");
  EXPECT_EQ(FromProto(desk.clock("APPROVAL").breached_due_at()), At("2026-11-18 13:00"));
  EXPECT_THAT(Climbed(desk), ElementsAre("requested of helen.marsh", "1 Wed 14:00 helen.marsh"));
}

TEST(ByHand, ItMayBeDeclined) {
  CaseDesk desk(Ladder({Level(1, "trigger: MANUAL, approval: true")}));
  desk.Must(kFileComplaint);
  desk.Must(kByHand);
  desk.Must("decline_escalation { reason_code: 'NOT_NEEDED' }", {.principal = "helen.marsh"});
  EXPECT_EQ(desk.state().escalations(0).state(), v1::Escalation::DECLINED);
  EXPECT_EQ(desk.state().escalations(0).ended_by(), "helen.marsh");
  EXPECT_EQ(desk.Must(kByHand), "EscalationRequested");
}

// amara.osei stands above helen.marsh, but has asked herself; above her is nobody.
TEST(ByHand, NeverComesBackToWhoAsked) {
  const CaseDesk::Given amara = {.principal = "amara.osei"};
  for (const char* approval : {"", ", approval: true"}) {
    CaseDesk lapsed(Ladder({Level(1, absl::StrCat("trigger: MANUAL, ack_within: 1h", approval)),
                            Level(2, "trigger: ACK_LAPSED, ack_within: 1h"), Level(3, "trigger: ACK_LAPSED")}));
    lapsed.Must(kFileComplaint);
    lapsed.Must(kByHand, amara);
    if (*approval != '\0') lapsed.Must("approve_escalation {}", {.principal = "helen.marsh"});
    lapsed.MoveTo("2026-11-18 12:00");
    ASSERT_EQ(lapsed.state().escalations_size(), 3);
    for (const v1::Escalation& one : lapsed.state().escalations()) {
      EXPECT_THAT(one.targets(), ::testing::Not(::testing::Contains("amara.osei"))) << one.level() << approval;
    }
  }
  CaseDesk conflicted(Ladder({Level(1, "trigger: MANUAL, ack_within: 1h")}));
  conflicted.Must(kFileComplaint);
  conflicted.Must(kByHand, amara);
  conflicted.Must("declare_conflict { principal: 'helen.marsh' nature: 'KINSHIP' }");
  EXPECT_THAT(Raised(conflicted), ElementsAre("1 Wed 09:00 helen.marsh", "1 Wed 09:00 jonas.weber"));
}

TEST(ByHand, LeavesRoomForLadders) {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  for (int i = 0; i < 192; ++i) desk.Must(kByHand);
  EXPECT_EQ(Told(desk.Would(kByHand)), "CONDITIONS_UNMET: TOO_MANY_ESCALATIONS");
  desk.MoveTo("2026-11-18 18:00");
  EXPECT_EQ(desk.state().escalations(192).trigger_key().substr(0, 6), "clock/");
}

TEST(Closing, IsJustifiedByHandAndByItselfWhenTheClockEnds) {
  CaseDesk desk(Ladder({OfFirst(1, "trigger: FRACTION, permille: 250, auto_close: true"),
                        Level(1, "trigger: MANUAL, auto_close: true")}));
  desk.Must(kFileComplaint);
  desk.Must(kByHand);
  desk.MoveTo("2026-11-18 12:00");
  EXPECT_EQ(HighestLevel(desk.state()), 1u);
  desk.Must(kAnswer);
  EXPECT_THAT(Climbed(desk), ElementsAre("1 Wed 09:00 helen.marsh", "1 Wed 11:00 helen.marsh", "closed CLOCK_ENDED"));
  EXPECT_EQ(Told(desk.Would("close_escalation { reason_code: 'SOLVED' justification: 'x' }")),
            "CONDITIONS_UNMET: NOT_YOUR_ESCALATION");
  desk.Must("close_escalation { reason_code: 'SOLVED' justification: 'x' }", {.principal = "helen.marsh"});
  EXPECT_EQ(desk.state().escalations(0).ended_by(), "helen.marsh");
  EXPECT_TRUE(desk.state().escalations(0).has_end_justification());
  EXPECT_EQ(HighestLevel(desk.state()), 0u);
}

TEST(Closing, TakesWhatIsOpenWithTheCase) {
  CaseDesk desk(Ladder({Level(1, "trigger: MANUAL, auto_close: true"), Level(1, "trigger: NO_ACTIVITY, span: 24h")}));
  desk.Must(kFileComplaint);
  desk.Must(kByHand);
  desk.Must("decline { reason_code: 'OUT_OF_SCOPE' explanation: 'x' }");
  desk.MoveTo("2026-11-25 12:00");
  EXPECT_THAT(Climbed(desk), ElementsAre("scheduled 1 Thu 09:00", "1 Wed 09:00 helen.marsh", "closed CASE_CLOSED"));
  EXPECT_EQ(workflow::WakeAt(desk.state()), absl::InfiniteFuture());
}

}  // namespace
}  // namespace docket::escalation
