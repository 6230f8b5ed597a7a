#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/workflow/policy/pack_support.h"
#include "workflow/base/time.h"

namespace docket::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

// Lines are counted by the tables below.
constexpr char kChart[] = R"(workflow: mini
kinds: [REQUEST]
case_number_prefix: MIN
initial: NEW
closing_bases: [DONE]
statuses:
  - {id: NEW, name: New, category: NEW}
  - {id: OPEN, name: Open, category: OPEN}
  - {id: WAIT, name: Wait, category: WAITING, pauses: [RESOLUTION]}
  - {id: DONE, name: Done, category: RESOLVED}
  - {id: SHUT, name: Shut, category: CLOSED}
  - {id: VOIDED, name: Voided, category: CLOSED, closure_code: VOIDED}
transitions:
  - {id: accept, command: accept, from: [NEW], to: OPEN}
  - {id: hold, command: hold, from: [OPEN], to: WAIT}
  - {id: resume, command: resume, from: [WAIT], back_to_resume: true}
  - {id: resolve, command: resolve, from: [OPEN], to: DONE}
  - {id: close, command: close, from: [DONE], to: SHUT}
  - {id: timer, command: close, from: [DONE], to: SHUT, by_timer: true, after: 5d, basis: DONE}
  - {id: reopen, command: reopen, from: [DONE, SHUT], to: OPEN}
  - {id: void, command: void, from: [NEW, OPEN, WAIT, DONE, SHUT], to: VOIDED}
)";

TEST(ChartPack, TheExampleIsValid) {
  const Pack pack = ParsePack(kChart, PolicySet(), TestNow());
  ASSERT_THAT(pack.findings, IsEmpty()) << Explain(pack.findings);
  ASSERT_EQ(pack.documents.size(), 1);
  const v1::Chart& chart = pack.documents[0].compiled.chart();
  EXPECT_EQ(pack.documents[0].kind, v1::WORKFLOW);
  EXPECT_EQ(pack.documents[0].id, "mini");
  EXPECT_EQ(pack.documents[0].yaml, kChart);
  EXPECT_EQ(chart.id(), "mini");
  EXPECT_EQ(chart.version(), 0);
  EXPECT_THAT(chart.kinds(), ElementsAre(v1::REQUEST));
  EXPECT_EQ(chart.default_priority(), 3);
  EXPECT_EQ(FromProto(chart.transitions(5).after()), absl::Hours(120));
}

TEST(ChartPack, FlagsFollowTheCategoryUnlessWritten) {
  const Pack pack = ParsePack(kChart, PolicySet(), TestNow());
  ASSERT_THAT(pack.findings, IsEmpty());
  const auto& statuses = pack.documents[0].compiled.chart().statuses();
  const auto flags = [&](int i) { return std::make_pair(statuses[i].active(), statuses[i].leaves_queue()); };
  EXPECT_EQ(flags(0), std::make_pair(true, false)) << "NEW";
  EXPECT_EQ(flags(1), std::make_pair(true, false)) << "OPEN";
  EXPECT_EQ(flags(2), std::make_pair(true, true)) << "WAIT";
  EXPECT_EQ(flags(3), std::make_pair(true, true)) << "DONE";
  EXPECT_EQ(flags(4), std::make_pair(false, true)) << "SHUT";
  const Pack written = ParsePack(Break(kChart, {"", "category: OPEN}", "category: OPEN, leaves_queue: true}", {}}),
                                 PolicySet(), TestNow());
  ASSERT_THAT(written.findings, IsEmpty());
  EXPECT_TRUE(written.documents[0].compiled.chart().statuses(1).leaves_queue());
}

TEST(ChartPack, CategoriesStandForTheirStatusesButNotForTheFinalOneLedTo) {
  const Pack pack =
      ParsePack(Break(kChart, {"", "from: [NEW, OPEN, WAIT, DONE, SHUT]", "from: {category: [NEW, CLOSED]}", {}}),
                PolicySet(), TestNow());
  ASSERT_THAT(pack.findings, IsEmpty()) << Explain(pack.findings);
  EXPECT_THAT(pack.documents[0].compiled.chart().transitions(7).from(), ElementsAre("NEW", "SHUT"));
}

class BrokenChart : public ::testing::TestWithParam<Broken> {};

TEST_P(BrokenChart, IsFoundAtItsLine) {
  const Pack pack = ParsePack(Break(kChart, GetParam()), PolicySet(), TestNow());
  EXPECT_THAT(Brief(pack.findings), ElementsAreArray(GetParam().findings)) << Explain(pack.findings);
  EXPECT_THAT(pack.documents, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Head, BrokenChart,
    ::testing::Values(
        Broken{"unknown key", "kinds:", "kind:", {"1 MISSING_KEY", "2 UNKNOWN_KEY"}},
        Broken{"no kinds", "[REQUEST]", "[]", {"2 EMPTY_LIST"}},
        Broken{"kinds no list", "[REQUEST]", "REQUEST", {"2 WRONG_TYPE"}},
        Broken{"unknown kind", "[REQUEST]", "[REQUESTS]", {"2 UNKNOWN_VALUE"}},
        Broken{"unspecified kind", "[REQUEST]", "[CASE_KIND_UNSPECIFIED]", {"2 UNKNOWN_VALUE"}},
        Broken{"kind twice", "[REQUEST]", "[REQUEST, REQUEST]", {"2 DUPLICATE_VALUE"}},
        Broken{"prefix lower", "prefix: MIN", "prefix: min", {"3 BAD_NAME"}},
        Broken{"prefix with digit", "prefix: MIN", "prefix: M1N", {"3 BAD_NAME"}},
        Broken{"prefix short", "prefix: MIN", "prefix: M", {"3 BAD_NAME"}},
        Broken{"prefix long", "prefix: MIN", "prefix: MINIMINIM", {"3 BAD_NAME"}},
        Broken{"initial unknown", "initial: NEW", "initial: NEWW", {"4 UNKNOWN_STATUS"}},
        Broken{"initial not NEW", "initial: NEW", "initial: OPEN", {"4 INITIAL_NOT_NEW"}},
        Broken{"priority range", "initial: NEW", "initial: NEW\ndefault_priority: 6", {"5 OUT_OF_RANGE"}},
        Broken{"priority type", "initial: NEW", "initial: NEW\ndefault_priority: high", {"5 WRONG_TYPE"}},
        Broken{"span", "initial: NEW", "initial: NEW\nreopen_window: 14 days", {"5 BAD_SPAN"}},
        Broken{"span zero", "initial: NEW", "initial: NEW\nreopen_window: 0d", {"5 BAD_SPAN"}},
        Broken{"span too long", "initial: NEW", "initial: NEW\nreopen_window: 3661d", {"5 BAD_SPAN"}},
        Broken{"span units out of order", "initial: NEW", "initial: NEW\nreopen_window: 1h2d", {"5 BAD_SPAN"}},
        Broken{"default queue", "initial: NEW", "initial: NEW\ndefault_queue: intake", {"5 UNKNOWN_QUEUE"}},
        Broken{"bool", "initial: NEW", "initial: NEW\ndefault: yes", {"5 WRONG_TYPE"}},
        Broken{"basis lower",
               "bases: [DONE]",
               "bases: [done]",
               {"5 BAD_NAME", "18 NO_CLOSING_BASES", "19 NO_CLOSING_BASES", "19 UNKNOWN_BASIS"}},
        Broken{"no bases",
               "closing_bases: [DONE]",
               "",
               {"18 NO_CLOSING_BASES", "19 NO_CLOSING_BASES", "19 UNKNOWN_BASIS"}},
        Broken{"no transitions",
               "transitions:\n  - {id: accept, command: accept, from: [NEW], to: OPEN}",
               "transitions: []\nmore:",
               {"9 WAITING_WITHOUT_RESUME", "13 EMPTY_LIST", "14 UNKNOWN_KEY"}}),
    [](const auto& info) { return std::to_string(info.index); });

INSTANTIATE_TEST_SUITE_P(
    Statuses, BrokenChart,
    ::testing::Values(
        Broken{"id lower",
               "{id: OPEN, name: Open",
               "{id: Open, name: Open",
               {"8 BAD_NAME", "14 UNKNOWN_STATUS", "15 UNKNOWN_STATUS", "17 UNKNOWN_STATUS", "20 UNKNOWN_STATUS",
                "21 UNKNOWN_STATUS"}},
        Broken{"no name", "name: Open, ", "", {"8 MISSING_KEY"}},
        Broken{"category", "category: OPEN", "category: OPENED", {"8 UNKNOWN_VALUE"}},
        Broken{"id twice",
               "{id: DONE, name: Done, category: RESOLVED}",
               "{id: DONE, name: Done, category: RESOLVED}\n  - {id: DONE, name: Done, category: RESOLVED}",
               {"11 DUPLICATE_ID"}},
        Broken{"key", "category: RESOLVED}", "category: RESOLVED, pause: [X]}", {"10 UNKNOWN_KEY"}},
        Broken{"pauses while resolved",
               "category: RESOLVED}",
               "category: RESOLVED, pauses: [X]}",
               {"10 PAUSE_AFTER_STOP"}},
        Broken{"pauses at work", "category: OPEN}", "category: OPEN, pauses: [X]}", {"8 PAUSE_OUTSIDE_WAITING"}},
        Broken{"active and closed",
               "name: Shut, category: CLOSED}",
               "name: Shut, category: CLOSED, active: true}",
               {"11 ACTIVE_CONTRADICTS_CATEGORY"}},
        Broken{"open and final",
               "category: RESOLVED}",
               "category: RESOLVED, active: false}",
               {"10 ACTIVE_CONTRADICTS_CATEGORY", "18 FINAL_STATUS_LEFT", "19 FINAL_STATUS_LEFT"}},
        Broken{"closure code",
               "category: RESOLVED}",
               "category: RESOLVED, closure_code: X}",
               {"10 CLOSURE_CODE_OUTSIDE_CLOSED"}},
        Broken{"reopens on message at work",
               "category: OPEN}",
               "category: OPEN, reopen_on_message: true}",
               {"8 REOPEN_WITHOUT_TRANSITION"}},
        Broken{"owner at the start",
               "category: NEW}",
               "category: NEW, requires_owner: true}",
               {"7 REQUIRES_OWNER_UNMEETABLE"}},
        Broken{"owner when reopened",
               "category: OPEN}",
               "category: OPEN, requires_owner: true}",
               {"20 REQUIRES_OWNER_UNMEETABLE"}}),
    [](const auto& info) { return std::to_string(info.index); });

// What no single transition shows.
INSTANTIATE_TEST_SUITE_P(
    Graph, BrokenChart,
    ::testing::Values(
        Broken{"nothing leads to it",
               "from: [OPEN], to: WAIT",
               "from: [WAIT], to: WAIT",
               {"9 UNREACHABLE_STATUS", "9 NO_WAY_TO_CLOSED"}},
        Broken{"voiding is no way out",
               "  - {id: close, command: close, from: [DONE], to: SHUT}\n"
               "  - {id: timer, command: close, from: [DONE], to: SHUT, by_timer: true, after: 5d, basis: DONE}\n",
               "",
               {"7 NO_WAY_TO_CLOSED", "8 NO_WAY_TO_CLOSED", "9 NO_WAY_TO_CLOSED", "10 NO_WAY_TO_CLOSED",
                "11 UNREACHABLE_STATUS"}},
        Broken{"island",
               "from: [NEW], to: OPEN",
               "from: [OPEN], to: OPEN",
               {"7 NO_WAY_TO_CLOSED", "8 UNREACHABLE_STATUS", "9 UNREACHABLE_STATUS", "10 UNREACHABLE_STATUS",
                "11 UNREACHABLE_STATUS"}}),
    [](const auto& info) { return std::to_string(info.index); });

INSTANTIATE_TEST_SUITE_P(
    Transitions, BrokenChart,
    ::testing::Values(
        Broken{"unknown status", "from: [NEW], to: OPEN", "from: [NEWER], to: OPEN", {"14 UNKNOWN_STATUS"}},
        Broken{"unknown command", "command: accept", "command: accepts", {"14 UNKNOWN_COMMAND"}},
        Broken{"id twice", "id: hold,", "id: accept,", {"15 DUPLICATE_ID"}},
        Broken{"no target",
               "command: accept, from: [NEW], to: OPEN",
               "command: accept, from: [NEW]",
               {"14 TARGET_UNCLEAR"}},
        Broken{"two targets", "back_to_resume: true", "back_to_resume: true, to: OPEN", {"16 TARGET_UNCLEAR"}},
        Broken{"no way back",
               "command: resume, from: [WAIT]",
               "command: resume, from: [OPEN]",
               {"9 WAITING_WITHOUT_RESUME", "16 RESUME_OUTSIDE_WAITING"}},
        Broken{"file", "command: accept", "command: file", {"14 NOT_A_TRANSITION_COMMAND"}},
        Broken{"hold to work",
               "command: hold, from: [OPEN], to: WAIT",
               "command: hold, from: [OPEN], to: NEW",
               {"15 WRONG_TARGET_CATEGORY"}},
        Broken{"wait without hold",
               "command: accept, from: [NEW], to: OPEN",
               "command: take, from: [NEW], to: WAIT",
               {"14 WRONG_TARGET_CATEGORY"}},
        Broken{"close to void",
               "command: close, from: [DONE], to: SHUT}",
               "command: close, from: [DONE], to: VOIDED}",
               {"18 VOID_AND_CODE_DIFFER"}},
        Broken{"void to shut", "to: VOIDED}", "to: SHUT}", {"21 VOID_AND_CODE_DIFFER"}},
        Broken{"reopen at work", "from: [DONE, SHUT]", "from: [DONE, SHUT, WAIT]", {"20 REOPEN_OF_OPEN"}},
        Broken{"leaves the final",
               "command: resolve, from: [OPEN]",
               "command: resolve, from: [OPEN, SHUT]",
               {"17 FINAL_STATUS_LEFT"}},
        Broken{"shadowed",
               "command: resolve, from: [OPEN], to: DONE}",
               "command: resolve, from: [OPEN], to: DONE}\n  - {id: late, command: resolve, from: [OPEN], to: DONE}",
               {"18 SHADOWED_TRANSITION"}},
        Broken{"no after", "after: 5d, ", "", {"19 TIMER_WITHOUT_AFTER"}},
        Broken{"after only",
               "by_timer: true, after: 5d, basis: DONE",
               "after: 5d",
               {"19 AFTER_WITHOUT_TIMER", "19 SHADOWED_TRANSITION"}},
        Broken{"basis only", "by_timer: true, after: 5d, ", "", {"19 BASIS_WITHOUT_TIMER", "19 SHADOWED_TRANSITION"}},
        Broken{"timer basis", "after: 5d, basis: DONE", "after: 5d, basis: DON", {"19 UNKNOWN_BASIS"}},
        Broken{"timer command", "{id: timer, command: close", "{id: timer, command: decline", {"19 TIMER_COMMAND"}},
        Broken{"timer when", "after: 5d", "after: 5d, when: {case.priority: 1}", {"19 TIMER_WITH_WHEN"}},
        Broken{"timer asks its command",
               "after: 5d",
               "after: 5d, guards: [{require: {command.basis: X}, reason: R, message: m}]",
               {"19 UNKNOWN_FACT"}},
        Broken{"second timer",
               "basis: DONE}",
               "basis: DONE}\n  - {id: two, command: close, from: [DONE], to: SHUT, by_timer: true, after: 6d, basis: "
               "DONE}",
               {"20 SECOND_TIMER"}},
        Broken{"guard words",
               "to: DONE}",
               "to: DONE, guards: [{require: {case.priority: 1}}]}",
               {"17 MISSING_KEY", "17 MISSING_KEY"}},
        Broken{"guard fact",
               "to: DONE}",
               "to: DONE, guards: [{require: {case.prio: 1}, reason: R, message: m}]}",
               {"17 UNKNOWN_FACT"}},
        Broken{"guard of another command",
               "to: DONE}",
               "to: DONE, guards: [{require: {command.basis: X}, reason: R, message: m}]}",
               {"17 UNKNOWN_FACT"}},
        Broken{"guard of an event",
               "to: DONE}",
               "to: DONE, guards: [{require: {event.human: true}, reason: R, message: m}]}",
               {"17 UNKNOWN_FACT"}},
        Broken{"guard reason",
               "to: DONE}",
               "to: DONE, guards: [{require: {case.priority: 1}, reason: because, message: m}]}",
               {"17 BAD_NAME"}},
        Broken{"guard meet_by",
               "to: DONE}",
               "to: DONE, guards: [{require: {case.priority: 1}, reason: R, message: m, meet_by: tak}]}",
               {"17 UNKNOWN_COMMAND"}}),
    [](const auto& info) { return std::to_string(info.index); });

}  // namespace
}  // namespace docket::policy
