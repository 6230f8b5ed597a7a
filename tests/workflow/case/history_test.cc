// Imports (R18): what another system did is recorded as it was, deviations from the chart included.
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/workflow/case/case_desk.h"
#include "workflow/base/time.h"
#include "workflow/case/advance.h"
#include "workflow/sla/target.h"

namespace docket::workflow::testing {
namespace {

// One row of the other system; priority 3 promises 120 h round the clock.
std::string Row(int cursor, const std::string& status, const std::string& more = "") {
  return absl::StrCat("row { file: 'i.csv' line: ", cursor + 1, " cursor: ", cursor, " source_status: '", status,
                      "' status: '", status, "' impact: 2 urgency: 2 priority: 3 ", more, " }");
}

std::string File(const std::string& row) {
  return absl::StrCat(
      "file { kind: INCIDENT workflow: 'servicenow-incident' title: 'INC1' history: true external_ref { "
      "source: 'servicenow-incident' key: 'INC1' } received_at { seconds: 1456790400 } ",
      row, " }");
}

const absl::Time kOpened = absl::FromUnixSeconds(1456790400);  // 2016-03-01

CaseDesk::Given On(absl::Time at) { return {.principal = "importer", .occurred_at = at}; }

std::string RecordRow(const std::string& row) { return absl::StrCat("record_source_row { ", row, " }"); }

CaseDesk Opened(const std::string& status = "NEW") {
  CaseDesk desk;
  desk.Must(File(Row(1, status)), On(kOpened));
  return desk;
}

TEST(HistoryTest, BeginsAtItsOwnTimeUnderTheNamedChart) {
  CaseDesk desk;
  EXPECT_EQ(desk.Must(File(Row(1, "NEW", "queue: 'Group 70' owner: 'Resolver 12'")), On(kOpened)),
            "CaseReceived ClockAttached SourceRowRecorded CaseQueued OwnerAssigned");
  EXPECT_EQ(desk.state().workflow().id(), "servicenow-incident");
  EXPECT_EQ(FromProto(desk.state().status_since()), kOpened);
  EXPECT_EQ(desk.state().queue(), "Group 70");  // names of the other system are kept as they are
  EXPECT_EQ(desk.state().owner(), "Resolver 12");
  EXPECT_EQ(desk.state().deviations(), 0u);
  EXPECT_EQ(FromProto(desk.clock("RESOLUTION").due_at()), kOpened + absl::Hours(120));
  EXPECT_EQ(WakeAt(desk.state()), absl::InfiniteFuture());  // nothing is armed
}

TEST(HistoryTest, ABeginningElsewhereIsADeviation) {
  CaseDesk desk = Opened("ACTIVE");
  EXPECT_EQ(desk.events().front().case_received().deviation(), "BEGINS_ELSEWHERE");
  EXPECT_EQ(desk.state().deviations(), 1u);
}

TEST(HistoryTest, AMissingEdgeIsADeviationNotARefusal) {
  CaseDesk desk = Opened();
  // No command leads to UNMAPPED_100.
  EXPECT_EQ(desk.Must(RecordRow(Row(2, "UNMAPPED_100")), On(kOpened + absl::Hours(1))),
            "SourceRowRecorded StatusChanged");
  EXPECT_EQ(desk.events().back().status_changed().deviation(), "NO_TRANSITION");
  EXPECT_EQ(desk.events().back().status_changed().transition_id(), "");
  desk.Must(RecordRow(Row(3, "ACTIVE")), On(kOpened + absl::Hours(2)));
  EXPECT_EQ(desk.events().back().status_changed().transition_id(), "accept");
  EXPECT_EQ(desk.state().deviations(), 1u);
}

TEST(HistoryTest, AStatusTheChartDoesNotKnowIsRefused) {
  CaseDesk desk = Opened();
  EXPECT_EQ(Told(desk.Would(RecordRow(Row(2, "ESCALATED")), On(kOpened + absl::Hours(1)), nullptr)), "INVALID_FIELD");
}

TEST(HistoryTest, ARowIsRecordedOnceAndNoneMayGoBack) {
  CaseDesk desk = Opened();
  desk.Must(RecordRow(Row(2, "ACTIVE")), On(kOpened + absl::Hours(2)));
  EXPECT_EQ(desk.Must(RecordRow(Row(2, "ACTIVE")), On(kOpened + absl::Hours(2))), "");
  EXPECT_EQ(desk.Must(RecordRow(Row(1, "RESOLVED")), On(kOpened + absl::Hours(2))), "");
  EXPECT_EQ(Told(desk.Would(RecordRow(Row(3, "RESOLVED")), On(kOpened + absl::Hours(1)), nullptr)), "INVALID_FIELD");
}

TEST(HistoryTest, AnEmptyFieldOfARowMeansNone) {
  CaseDesk desk;
  desk.Must(File(Row(1, "NEW", "queue: 'Group 70' owner: 'Resolver 12' category: 'Category 26'")), On(kOpened));
  EXPECT_EQ(desk.Must(RecordRow(Row(2, "NEW")), On(kOpened + absl::Hours(1))),
            "SourceRowRecorded CaseClassified CaseDequeued OwnerReleased");
  EXPECT_EQ(desk.state().queue(), "");
  EXPECT_EQ(desk.state().owner(), "");
  EXPECT_EQ(desk.state().category(), "");
}

TEST(HistoryTest, ReopeningAndClosingAreRecordedWithoutGuards) {
  CaseDesk desk = Opened();
  desk.Must(RecordRow(Row(2, "CLOSED", "closure_code: 'code 6'")), On(kOpened + absl::Hours(1)));
  EXPECT_EQ(desk.state().closure_code(), "code 6");
  EXPECT_EQ(desk.state().closure_basis(), "IMPORTED");
  EXPECT_EQ(desk.events().back().body_case(), v1::Event::kClockFulfilled);
  EXPECT_EQ(desk.Must(RecordRow(Row(3, "ACTIVE")), On(kOpened + absl::Hours(24 * 400))),
            "SourceRowRecorded CaseReopened ClockReopened ClockBreached StatusChanged");
  EXPECT_EQ(desk.state().reopen_count(), 1u);
  EXPECT_EQ(desk.clock("RESOLUTION").breach_cause(), "IMPORT");
  EXPECT_EQ(desk.state().escalations_size(), 0);  // no ladder fires for the past
}

TEST(HistoryTest, LateClocksAreRecordedAtTheirDueWithTheRowsOnly) {
  CaseDesk desk = Opened();
  EXPECT_EQ(desk.Must(RecordRow(Row(2, "ACTIVE")), On(kOpened + absl::Hours(121))),
            "WarningReached WarningReached WarningReached ClockBreached SourceRowRecorded StatusChanged");
  const v1::Event& breach = desk.events()[desk.events().size() - 3];
  ASSERT_TRUE(breach.has_clock_breached());
  EXPECT_EQ(FromProto(breach.occurred_at()), kOpened + absl::Hours(120));
  EXPECT_EQ(breach.clock_breached().cause(), "IMPORT");
}

std::string DueAt(absl::Time at) { return absl::StrCat("due_at { seconds: ", absl::ToUnixSeconds(at), " }"); }

TEST(HistoryTest, WhatTheSourcePromisedIsFiledAndFollowed) {
  CaseDesk desk;
  const absl::Time promised = kOpened + absl::Hours(30);
  EXPECT_EQ(desk.Must(File(Row(1, "NEW", DueAt(promised))), On(kOpened)),
            "CaseReceived ClockAttached ClockAttached SourceRowRecorded");
  EXPECT_EQ(FromProto(desk.clock("PROMISED").due_at()), promised);
  EXPECT_EQ(desk.Must(RecordRow(Row(2, "NEW", DueAt(promised))), On(kOpened + absl::Hours(1))), "SourceRowRecorded");
  EXPECT_EQ(desk.Must(RecordRow(Row(3, "NEW", DueAt(promised + absl::Hours(2)))), On(kOpened + absl::Hours(2))),
            "SourceRowRecorded PromisedDueSet ClockRetargeted");
  EXPECT_EQ(desk.events().back().clock_retargeted().cause(), "PROMISED_DUE");
  EXPECT_EQ(FromProto(desk.state().promised_due_at()), promised + absl::Hours(2));
  // An empty field means none.
  EXPECT_EQ(desk.Must(RecordRow(Row(4, "NEW")), On(kOpened + absl::Hours(3))),
            "SourceRowRecorded PromisedDueSet ClockCancelled");
  EXPECT_FALSE(desk.state().has_promised_due_at());
  EXPECT_EQ(desk.Must(RecordRow(Row(5, "NEW", DueAt(promised))), On(kOpened + absl::Hours(4))),
            "SourceRowRecorded PromisedDueSet ClockAttached");
}

TEST(HistoryTest, APromiseFromBeforeTheReceiptIsRefusedWithItsRow) {
  CaseDesk desk;
  EXPECT_EQ(Told(desk.Would(File(Row(1, "NEW", DueAt(kOpened - absl::Seconds(1)))), On(kOpened), nullptr)),
            "INVALID_FIELD");
  EXPECT_EQ(
      Told(desk.Would(File(Row(1, "NEW", DueAt(kOpened + sla::kMaxPromise + absl::Seconds(1)))), On(kOpened), nullptr)),
      "INVALID_FIELD");
  EXPECT_EQ(
      Told(desk.Would(File(absl::StrCat(DueAt(kOpened + absl::Hours(1)), " ", Row(1, "NEW"))), On(kOpened), nullptr)),
      "INVALID_FIELD")
      << "two places for one promise";
  desk.Must(File(Row(1, "NEW", DueAt(kOpened))), On(kOpened));
  EXPECT_EQ(Told(desk.Would(RecordRow(Row(2, "NEW", DueAt(kOpened - absl::Seconds(1)))), On(kOpened), nullptr)),
            "INVALID_FIELD");
  // The source may tell of a due that has passed already.
  EXPECT_EQ(desk.Must(RecordRow(Row(2, "NEW", DueAt(kOpened + absl::Hours(1)))), On(kOpened + absl::Hours(2))),
            "ClockBreached SourceRowRecorded PromisedDueSet ClockRetargeted");
  CaseDesk furthest;
  EXPECT_EQ(furthest.Must(File(Row(1, "NEW", DueAt(kOpened + sla::kMaxPromise))), On(kOpened)),
            "CaseReceived ClockAttached ClockAttached SourceRowRecorded");
}

TEST(HistoryTest, EndsOnceAndArmsWhatComesAfter) {
  CaseDesk desk = Opened();
  const absl::Time end = kOpened + absl::Hours(100);
  EXPECT_EQ(desk.Must(absl::StrCat("end_history { observed_until { seconds: ", absl::ToUnixSeconds(end), " } }")),
            "WarningReached WarningReached HistoryEnded");
  EXPECT_FALSE(desk.state().history());
  EXPECT_EQ(WakeAt(desk.state()), kOpened + absl::Hours(108));  // the warning at 90 %
  EXPECT_EQ(desk.Must(absl::StrCat("end_history { observed_until { seconds: ", absl::ToUnixSeconds(end), " } }")), "");
  EXPECT_EQ(Told(desk.Would(RecordRow(Row(2, "ACTIVE")), On(end), nullptr)), "NOT_HISTORY");
  desk.MoveBy(absl::ZeroDuration());
  EXPECT_TRUE(desk.clock("RESOLUTION").has_breached_due_at());
  EXPECT_EQ(desk.clock("RESOLUTION").breach_cause(), "TIME");
}

TEST(HistoryTest, IsObservedNoFurtherThanNowAndDoesNotPushALiveCaseAhead) {
  CaseDesk desk = Opened();
  const std::string ahead = absl::StrCat(
      "end_history { observed_until { seconds: ", absl::ToUnixSeconds(desk.now() + absl::Hours(1)), " } }");
  EXPECT_EQ(Told(desk.Would(ahead)), "OCCURRED_AT_IN_FUTURE");
  CaseDesk live;
  live.Must(kFileTicket);
  EXPECT_EQ(live.Must("end_history { observed_until { seconds: 1900000000 } }"), "");  // 2030
}

}  // namespace
}  // namespace docket::workflow::testing
