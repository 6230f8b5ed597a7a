// The rows a case has in the views, as a function of its state.
#include <algorithm>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/workflow/case/case_desk.h"
#include "workflow/base/time.h"
#include "workflow/case/advance.h"
#include "workflow/projection/project.h"
#include "workflow/sla/clock_rules.h"

namespace docket::projection {
namespace {

using workflow::testing::At;
using workflow::testing::CaseDesk;
using workflow::testing::kAnswer;
using workflow::testing::kAsk;
using workflow::testing::kDraft;
using workflow::testing::kFileComplaint;
using workflow::testing::kFileTicket;
using workflow::testing::kIssue;
using workflow::testing::kTriage;

// A chart without a cap on waits: one of its waits may have no end.
constexpr char kUncapped[] = R"(
workflow: uncapped
kinds: [INQUIRY]
case_number_prefix: UNC
initial: NEW
default_queue: intake
default_priority: 3
closing_bases: [ACCEPTED]
statuses:
  - {id: NEW, name: New, category: NEW}
  - {id: WAITING_REQUESTER, name: Waiting, category: WAITING, pauses: [RESOLUTION]}
  - {id: CLOSED, name: Closed, category: CLOSED}
transitions:
  - {id: hold, command: hold, from: [NEW], to: WAITING_REQUESTER}
  - {id: resume, command: resume, from: [WAITING_REQUESTER], back_to_resume: true}
  - {id: close, command: close, from: [NEW], to: CLOSED}
)";

CaseDesk Complaint() {
  CaseDesk desk;
  desk.Must(kFileComplaint);
  return desk;
}

TEST(RowsTest, AFiledCaseHasANumberItsDutiesAPlaceAndOneWake) {
  const CaseDesk desk = Complaint();
  const Rows rows = RowsOf(desk.state());
  ASSERT_TRUE(rows.number.has_value());
  EXPECT_EQ(rows.number->prefix, "CMP");
  EXPECT_EQ(rows.number->counter, 1u);
  EXPECT_FALSE(rows.external.has_value());
  ASSERT_EQ(rows.duties.size(), 2u);
  EXPECT_EQ(rows.duties[0].value.metric(), "FIRST_RESPONSE");
  EXPECT_EQ(rows.duties[0].late_from_us, absl::ToUnixMicros(At("2026-11-18 17:00")));
  ASSERT_TRUE(rows.queue.has_value());
  EXPECT_EQ(rows.queue->queue, "intake");
  EXPECT_EQ(rows.queue->effective_due_us, rows.duties[0].late_from_us);
  ASSERT_TRUE(rows.wake.has_value());
  EXPECT_EQ(rows.wake->at_us, absl::ToUnixMicros(workflow::WakeAt(desk.state())));
  EXPECT_TRUE(rows.escalations.empty());
}

TEST(RowsTest, AStoppedDutyHasNoRowAndALateOneKeepsTheDueItMissed) {
  CaseDesk desk = Complaint();
  desk.Must(kAnswer);
  ASSERT_EQ(RowsOf(desk.state()).duties.size(), 1u);
  EXPECT_EQ(RowsOf(desk.state()).duties[0].value.metric(), "RESOLUTION");
  CaseDesk late = Complaint();
  late.MoveTo("2026-11-19 12:00");
  // 16 h: the due moves, late stays late (R5).
  late.Must("set_priority { priority: 5 override_reason: 'LATER' }", {.approver = "helen.marsh"});
  const DutyRow row = RowsOf(late.state()).duties[0];
  EXPECT_EQ(row.value.breached_due_at_us(), absl::ToUnixMicros(At("2026-11-18 17:00")));
  EXPECT_EQ(row.late_from_us, row.value.breached_due_at_us());
  EXPECT_EQ(row.value.due_at_us(), absl::ToUnixMicros(At("2026-11-19 12:00")));  // all of it was used
  EXPECT_EQ(row.value.escalation_level(), 1u);
}

TEST(RowsTest, AClockPausedWithoutAnEndIsNeverLateAndOneWithAnEndWhenItsProjectedDuePasses) {
  CaseDesk open(workflow::testing::With(workflow::testing::ShippedPolicies(), kUncapped));
  open.Must("file { kind: INQUIRY workflow: 'uncapped' title: 'x' impact: 2 urgency: 2 }");
  open.Must(kAsk);
  open.Must("hold { waiting_on: COMPLAINANT reason_code: 'X' }");
  ASSERT_EQ(RowsOf(open.state()).duties.size(), 1u);
  EXPECT_EQ(RowsOf(open.state()).duties[0].late_from_us, kNever);
  EXPECT_FALSE(RowsOf(open.state()).wake.has_value());
  CaseDesk desk = Complaint();
  desk.Must("take {}");
  desk.Must("accept {}");
  desk.Must(kTriage);
  desk.Must(kAsk);
  desk.Must("hold { waiting_on: COMPLAINANT reason_code: 'X' until { seconds: 1795597200 } }");  // Wed 25 09:00
  const Rows rows = RowsOf(desk.state());
  EXPECT_EQ(rows.duties[0].late_from_us, absl::ToUnixMicros(At("2026-12-08 17:00")));  // a week later than without
  EXPECT_TRUE(rows.duties[0].value.paused());
  EXPECT_EQ(rows.wake->at_us, absl::ToUnixMicros(At("2026-11-25 09:00")));
}

TEST(RowsTest, AWaitingCaseLeavesItsQueueUntilTheWaitEndsByItself) {
  CaseDesk desk = Complaint();
  const std::optional<QueueRow> before = RowsOf(desk.state()).queue;
  ASSERT_TRUE(before.has_value());
  EXPECT_EQ(before->value.stands_from_us(), 0);
  CaseDesk without = desk;
  without.Must("hold { waiting_on: LEGAL reason_code: 'X' }");
  EXPECT_FALSE(RowsOf(without.state()).queue.has_value());
  desk.Must("hold { waiting_on: LEGAL reason_code: 'X' until { seconds: 1795597200 } }");
  const std::optional<QueueRow> waiting = RowsOf(desk.state()).queue;
  ASSERT_TRUE(waiting.has_value());
  EXPECT_EQ(waiting->value.stands_from_us(), absl::ToUnixMicros(At("2026-11-25 09:00")));
  desk.Must(
      "hold { waiting_on: DEPARTMENT reason_code: 'X' until { seconds: 1795597260 } }");  // from one wait to another
  EXPECT_EQ(RowsOf(desk.state()).queue->value.stands_from_us(), absl::ToUnixMicros(At("2026-11-25 09:01")));
  desk.Must("resume {}");
  EXPECT_EQ(RowsOf(desk.state()).queue->value.stands_from_us(), 0);
}

TEST(RowsTest, ResolvedAndClosedCasesStandInNoQueue) {
  CaseDesk desk;
  desk.Must(kFileTicket);
  desk.Must("accept {}");
  desk.Must("resolve { resolution_code: 'FIXED' }");
  EXPECT_FALSE(RowsOf(desk.state()).queue.has_value());
  EXPECT_TRUE(RowsOf(desk.state()).wake.has_value());  // it closes by itself
  desk.Must("close { basis: 'ACCEPTED' }");
  EXPECT_FALSE(RowsOf(desk.state()).queue.has_value());
}

TEST(RowsTest, SafetyComesFirstThenWhatIsOwedToARegulatorWhateverTheHour) {
  v1::Case state = Complaint().state();
  EXPECT_EQ(RowsOf(state).queue->band, 2);
  state.mutable_clocks(1)->set_obligation(v1::REGULATOR);
  EXPECT_EQ(RowsOf(state).queue->band, 1);
  state.mutable_clocks(1)->set_state(v1::FULFILLED);
  EXPECT_EQ(RowsOf(state).queue->band, 2);
  state.set_safety(true);
  EXPECT_EQ(RowsOf(state).queue->band, 0);
}

TEST(RowsTest, TheOrderOfWorkIsTheOrderOfTheParts) {
  const CaseDesk desk = Complaint();
  const QueueRow base = *RowsOf(desk.state()).queue;
  const auto place = [](const QueueRow& row) {
    return std::make_tuple(row.band, row.inverse_level, row.effective_due_us, row.priority, row.inverse_tier,
                           row.received_at_us, row.case_id);
  };
  v1::Case other = desk.state();
  other.set_tier("VIP");
  EXPECT_LT(place(*RowsOf(other).queue), place(base));
  other.set_priority(4);
  EXPECT_GT(place(*RowsOf(other).queue), place(base)) << "priority outweighs tier";
  *other.mutable_clocks(0)->mutable_due_at() = ToProto(At("2026-11-18 16:00"));
  EXPECT_LT(place(*RowsOf(other).queue), place(base)) << "the due outweighs priority";
}

TEST(RowsTest, WithoutAClockTheQueuesDefaultGivesThePlace) {
  v1::Case state = Complaint().state();
  state.clear_clocks();
  EXPECT_EQ(RowsOf(state).queue->effective_due_us, absl::ToUnixMicros(At("2026-11-20 09:00")));  // two days
  state.clear_queue_default_due_at();
  EXPECT_EQ(RowsOf(state).queue->effective_due_us, absl::ToUnixMicros(At("2026-11-18 09:00")));
}

TEST(RowsTest, AQueueTellsWhatSkillsItsCasesWant) {
  v1::Case state = Complaint().state();
  EXPECT_TRUE(RowsOf(state).queue->value.skills().empty());
  state.add_required_skills("WELSH");
  ASSERT_EQ(RowsOf(state).queue->value.skills_size(), 1);
  EXPECT_EQ(RowsOf(state).queue->value.skills(0), "WELSH");
}

int Listed(const v1::Case& state, v1::ListKind list) {
  const std::vector<v1::ListEntry> entries = StandingOf(state).entries;
  return static_cast<int>(
      std::count_if(entries.begin(), entries.end(), [&](const v1::ListEntry& one) { return one.list() == list; }));
}

TEST(StandingTest, AnOwnersListHoldsACaseWhileItIsActiveOrSomethingIsOwed) {
  CaseDesk desk;
  desk.Must(kFileTicket);
  EXPECT_EQ(Listed(desk.state(), v1::LISTED_OWNED), 0);
  desk.Must("take {}");
  EXPECT_EQ(Listed(desk.state(), v1::LISTED_OWNED), 1);
  v1::Case closed = desk.state();
  closed.mutable_status()->set_active(false);
  EXPECT_EQ(Listed(closed, v1::LISTED_OWNED), 1) << "a duty is open";
  for (v1::Clock& clock : *closed.mutable_clocks()) clock.set_state(v1::FULFILLED);
  EXPECT_EQ(Listed(closed, v1::LISTED_OWNED), 0);
  closed.mutable_status()->set_active(true);
  EXPECT_EQ(Listed(closed, v1::LISTED_OWNED), 1);
}

TEST(StandingTest, InHandIsWhatIsAtWorkOrBackFromAWaitThatIsOver) {
  CaseDesk desk = Complaint();
  const auto in_hand = [&](absl::string_view at) {
    return InHand(FactsOf(desk.state()), ShownOf(desk.state()), At(at));
  };
  EXPECT_FALSE(in_hand("2026-11-18 09:00")) << "nobody's";
  desk.Must("take {}");
  EXPECT_TRUE(in_hand("2026-11-18 09:00"));
  desk.Must("hold { waiting_on: LEGAL reason_code: 'X' until { seconds: 1795597200 } }");  // Wed 25 09:00
  EXPECT_FALSE(in_hand("2026-11-25 08:59"));
  EXPECT_TRUE(in_hand("2026-11-25 09:00"));
  desk.Must("hold { waiting_on: LEGAL reason_code: 'X' }");
  EXPECT_FALSE(in_hand("2027-11-25 09:00"));
  desk.Must("resume {}");
  desk.Must("resolve_on_the_spot { remedy: 'APOLOGY' accepted_how: 'SPOKEN' }");
  EXPECT_FALSE(in_hand("2026-11-18 09:00")) << "resolved";
}

TEST(AnsweringDepartmentTest, FollowsTheRuleOfTheClock) {
  v1::Case state = Complaint().state();
  state.set_queue_department("billing");
  v1::Clock clock;
  clock.set_answerable_rule("ACCOUNTABLE");
  EXPECT_EQ(AnsweringDepartment(state, clock), "complaints");
  clock.set_answerable_rule("QUEUE");
  EXPECT_EQ(AnsweringDepartment(state, clock), "billing");
  clock.set_answerable_rule("HANDLER");
  EXPECT_EQ(AnsweringDepartment(state, clock), "billing");
  state.set_owner_department("legal");
  EXPECT_EQ(AnsweringDepartment(state, clock), "legal");
}

TEST(RowsTest, EscalationsOfACaseAreListedOpenOnesApart) {
  CaseDesk desk = Complaint();
  desk.Must("escalate { kind: HIERARCHICAL reason_code: 'ANGRY' justification: 'x' }");
  ASSERT_EQ(RowsOf(desk.state()).escalations.size(), 1u);
  EXPECT_FALSE(RowsOf(desk.state()).escalations[0].acknowledged);
  desk.Must("acknowledge_escalation {}", {.principal = "helen.marsh"});
  EXPECT_TRUE(RowsOf(desk.state()).escalations[0].acknowledged);
}

}  // namespace
}  // namespace docket::projection
