// What departments owe each other for a case (R15), and its clock.
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/workflow/case/case_desk.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/facts.h"

namespace docket::workflow::testing {
namespace {

constexpr char kOla[] = R"(
sla: house
obligation: INTERNAL
order: 1
calendar: london
metrics:
  - metric: WORK
    nature: DUTY
    per_item: true
    start: {event: owed_item_asked, where: {event.kind: WORK}}
    stop: [{event: owed_item_done}]
    cancel: [{event: owed_item_cancelled}, {event: owed_item_refused}]
    pausable: true
    pause_on: [{event: owed_item_returned}]
    resume_on: [{event: owed_item_asked}]
    answerable: ITEM
    targets: [{target: 8h}]
)";
constexpr char kAskLegal[] = "ask_item { kind: WORK department: 'legal' what: 'LEGAL_ADVICE' text: 'May we?' }";
const CaseDesk::Given kJonas{.principal = "jonas.weber"};

CaseDesk Filed() {
  CaseDesk desk(With(ShippedPolicies(), kOla));
  desk.Must(kFileComplaint);
  desk.Must("take {}");
  return desk;
}

TEST(OwedItemsTest, IsAskedAcceptedAndDoneOnItsOwnClock) {
  CaseDesk desk = Filed();
  EXPECT_EQ(desk.Must(kAskLegal), "OwedItemAsked ClockAttached");
  EXPECT_EQ(FromProto(desk.clock("WORK").due_at()), At("2026-11-18 17:00"));
  EXPECT_EQ(desk.clock("WORK").answerable(), "legal");
  EXPECT_EQ(desk.clock("WORK").item(), desk.state().items(0).item_no());
  EXPECT_EQ(BuildFacts(desk.state()).open_items(), 1u);
  EXPECT_EQ(Told(desk.Would("accept_item {}", {.principal = "sam.doyle"}, nullptr)), "CONDITIONS_UNMET: NOT_YOUR_ITEM");
  EXPECT_EQ(desk.Must("accept_item {}", kJonas), "OwedItemAccepted");
  desk.MoveTo("2026-11-18 15:00");
  EXPECT_EQ(desk.Must("complete_item { result: 'You may' }", kJonas), "OwedItemDone ClockFulfilled");
  EXPECT_TRUE(desk.clock("WORK").on_time());
  EXPECT_EQ(desk.state().items(0).state(), v1::OwedItem::DONE);
  EXPECT_EQ(BuildFacts(desk.state()).open_items(), 0u);
  EXPECT_EQ(Told(desk.Would("complete_item { result: 'Again' }", kJonas, nullptr)), "CONDITIONS_UNMET: ITEM_NOT_FOUND");
}

TEST(OwedItemsTest, ReturnedItWaitsOnWhoeverAskedAndTimeAddsUpOverTheVisits) {
  CaseDesk desk = Filed();
  desk.Must(kAskLegal);
  const uint32_t item = desk.state().items(0).item_no();
  desk.MoveTo("2026-11-18 11:00");
  EXPECT_EQ(desk.Must("return_item { reason_code: 'FILE_MISSING' }", kJonas), "OwedItemReturned ClockPaused");
  EXPECT_EQ(desk.clock("WORK").answerable(), "complaints");
  // The status of the case is no business of this clock.
  desk.Must("accept {}");
  EXPECT_EQ(desk.clock("WORK").state(), v1::PAUSED);
  desk.MoveTo("2026-11-19 09:00");
  EXPECT_EQ(Told(desk.Would(absl::StrCat(
                "ask_item { kind: SUPERVISION_ORDER department: 'legal' what: 'X' item_no: ", item, " }"))),
            "CONDITIONS_UNMET: ITEM_KIND");
  EXPECT_EQ(
      desk.Must(absl::StrCat("ask_item { kind: WORK department: 'legal' what: 'LEGAL_ADVICE' item_no: ", item, " }")),
      "OwedItemAsked ClockResumed");
  EXPECT_EQ(FromProto(desk.clock("WORK").due_at()), At("2026-11-19 15:00"));  // two hours were used
  EXPECT_EQ(desk.state().items_size(), 1);
  EXPECT_EQ(desk.state().items(0).visits(), 2u);
  desk.MoveTo("2026-11-19 15:01");
  ASSERT_TRUE(desk.clock("WORK").has_breached_due_at());
  // Handing it back when it is late stops nothing.
  EXPECT_EQ(desk.Must("return_item { reason_code: 'FILE_MISSING' }", kJonas), "OwedItemReturned");
}

TEST(OwedItemsTest, SeveralRunSideBySideEachOnItsOwn) {
  CaseDesk desk = Filed();
  desk.Must(kAskLegal);
  desk.MoveTo("2026-11-18 10:00");
  desk.Must("ask_item { kind: WORK department: 'it' what: 'LOGS' }");
  ASSERT_EQ(desk.state().items_size(), 2);
  EXPECT_EQ(Told(desk.Would("complete_item { result: 'x' }", kJonas, nullptr)), "CONDITIONS_UNMET: ITEM_AMBIGUOUS");
  desk.Must(absl::StrCat("complete_item { result: 'Yes' item_no: ", desk.state().items(0).item_no(), " }"), kJonas);
  int running = 0;
  for (const v1::Clock& clock : desk.state().clocks()) {
    if (clock.metric() == "WORK" && clock.state() == v1::RUNNING) ++running;
  }
  EXPECT_EQ(running, 1);
  EXPECT_EQ(desk.clock("WORK").answerable(), "it");
}

TEST(OwedItemsTest, ADatePromisedByHandIsItsDue) {
  CaseDesk desk = Filed();
  desk.Must("ask_item { kind: WORK department: 'legal' what: 'X' due_at { seconds: 1795597200 } }");
  EXPECT_EQ(FromProto(desk.clock("WORK").due_at()), At("2026-11-25 09:00"));
  desk.Must("return_item { reason_code: 'FILE_MISSING' }", kJonas);
  EXPECT_EQ(FromProto(desk.clock("WORK").due_at()), At("2026-11-25 09:00"));
  EXPECT_EQ(
      ReasonOf(desk.Would("ask_item { kind: WORK department: 'legal' what: 'X' due_at { seconds: 1 } }").status()),
      "INVALID_FIELD");
}

TEST(OwedItemsTest, WorkIsRefusedOnlyBeforeItIsAcceptedOrLate) {
  CaseDesk desk = Filed();
  desk.Must(kAskLegal);
  const char refuse[] = "refuse_item { reason_code: 'NO_TIME' }";
  EXPECT_TRUE(desk.Would(refuse, kJonas, nullptr).ok());
  CaseDesk accepted = desk;
  accepted.Must("accept_item {}", kJonas);
  const auto refused = accepted.Would(refuse, kJonas, nullptr);
  EXPECT_EQ(Told(refused), "CONDITIONS_UNMET: ITEM_ACCEPTED");
  EXPECT_THAT(MetBy(refused.status()), ::testing::ElementsAre("complete_item"));
  desk.MoveTo("2026-11-18 17:00");
  EXPECT_TRUE(desk.Would(refuse, kJonas, nullptr).ok()) << "at its due it is not late";
  desk.MoveTo("2026-11-18 17:01");
  EXPECT_EQ(Told(desk.Would(refuse, kJonas, nullptr)), "CONDITIONS_UNMET: ITEM_LATE");
  EXPECT_EQ(desk.clock("WORK").state(), v1::RUNNING);
  EXPECT_TRUE(desk.Would("return_item { reason_code: 'FILE_MISSING' }", kJonas, nullptr).ok());
}

TEST(OwedItemsTest, AnOrderIsLiftedByWhoGaveItOrFromAboveNeverFromWithin) {
  const char cancel[] = "cancel_item { reason_code: 'NO_TIME' }";
  const std::string not_yours = "CONDITIONS_UNMET: NOT_YOUR_ITEM";
  CaseDesk desk = Filed();
  desk.Must("ask_item { kind: SUPERVISION_ORDER department: 'complaints' what: 'ANSWER' }",
            {.principal = "amara.osei"});
  EXPECT_EQ(Told(desk.Would(cancel)), not_yours);
  EXPECT_EQ(Told(desk.Would(cancel, {.principal = "helen.marsh"}, nullptr)), not_yours);
  EXPECT_EQ(Told(desk.Would("return_item { reason_code: 'NO_TIME' }")), "CONDITIONS_UNMET: ORDER_NOT_RETURNABLE");
  EXPECT_TRUE(desk.Would(cancel, {.principal = "ruth.adler"}, nullptr).ok()) << "of the giver's department";

  CaseDesk within = Filed();  // given inside one department
  within.Must("ask_item { kind: SUPERVISION_ORDER department: 'complaints' what: 'ANSWER' }",
              {.principal = "helen.marsh"});
  EXPECT_EQ(Told(within.Would(cancel)), not_yours);
  EXPECT_TRUE(within.Would(cancel, {.principal = "amara.osei"}, nullptr).ok());
  within.Must(cancel, {.principal = "helen.marsh"});
}

TEST(OwedItemsTest, AnOrderIsAnsweredNotRefusedAndCancelledByWhoeverGaveIt) {
  CaseDesk desk = Filed();
  desk.Must("ask_item { kind: SUPERVISION_ORDER department: 'billing' what: 'EXPLAIN_DELAY' }",
            {.principal = "helen.marsh"});
  EXPECT_EQ(Told(desk.Would("refuse_item { reason_code: 'NO' }", {.principal = "sam.doyle"}, nullptr)),
            "CONDITIONS_UNMET: ORDER_NOT_REFUSABLE");
  EXPECT_EQ(Told(desk.Would("cancel_item { reason_code: 'NO' }", {.principal = "sam.doyle"}, nullptr)),
            "CONDITIONS_UNMET: NOT_YOUR_ITEM");
  EXPECT_EQ(desk.Must("cancel_item { reason_code: 'SETTLED' }"), "OwedItemCancelled");
}

TEST(OwedItemsTest, UnknownDepartmentsAreNamed) {
  CaseDesk desk = Filed();
  EXPECT_EQ(ReasonOf(desk.Would("ask_item { kind: WORK department: 'leagl' what: 'X' }").status()), "INVALID_FIELD");
}

}  // namespace
}  // namespace docket::workflow::testing
