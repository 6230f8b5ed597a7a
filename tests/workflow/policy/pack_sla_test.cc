#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/workflow/policy/pack_support.h"
#include "workflow/base/time.h"

namespace docket::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

constexpr char kSla[] = R"(sla: mini
obligation: CUSTOMER
when: {all: [{fact: case.kind, in: [COMPLAINT]}, {fact: case.priority, le: 2}]}
calendar: ALWAYS
metrics:
  - metric: FIRST_RESPONSE
    start: {event: case_received}
    stop:
      - {event: outbound_sent, where: {event.human: true}}
    targets:
      - {target: 4h}
  - metric: RESOLUTION
    nature: DUTY
    start: {event: status_changed, where: {event.entered.category: OPEN}}
    stop:
      - {event: status_changed, where: {event.entered.category: CLOSED}}
    cancel:
      - {event: case_voided}
    pausable: true
    targets:
      - {when: {case.priority: 1}, target: 8h}
      - {target: 3bd@close}
    warnings_permille: [500, 1000]
    warnings_before: [1h, 30m]
)";

TEST(SlaPack, TheExampleIsValid) {
  const Pack pack = ParsePack(kSla, PolicySet(), TestNow());
  ASSERT_THAT(pack.findings, IsEmpty()) << Explain(pack.findings);
  const v1::SlaPolicy& policy = pack.documents[0].compiled.sla();
  EXPECT_EQ(policy.order(), 100);
  EXPECT_EQ(policy.when().all().of_size(), 2);
  ASSERT_EQ(policy.metrics_size(), 2);
  EXPECT_EQ(policy.metrics(0).nature(), v1::DUTY);
  EXPECT_EQ(policy.metrics(0).answerable(), "ACCOUNTABLE");
  EXPECT_EQ(policy.metrics(0).start_at(), "received_at");
  EXPECT_EQ(policy.metrics(1).start_at(), "occurred_at") << "other events have no received_at";
  EXPECT_EQ(policy.metrics(1).targets(1).target().unit(), v1::Target::BUSINESS_DAYS);
  EXPECT_EQ(FromProto(policy.metrics(1).warnings_before(1)), absl::Minutes(30));
}

class BrokenSla : public ::testing::TestWithParam<Broken> {};

TEST_P(BrokenSla, IsFoundAtItsLine) {
  const Pack pack = ParsePack(Break(kSla, GetParam()), PolicySet(), TestNow());
  EXPECT_THAT(Brief(pack.findings), ElementsAreArray(GetParam().findings)) << Explain(pack.findings);
}

INSTANTIATE_TEST_SUITE_P(
    Policy, BrokenSla,
    ::testing::Values(
        Broken{"obligation", "CUSTOMER", "CUSTOMERS", {"2 UNKNOWN_VALUE"}},
        Broken{"visit", "pausable: true", "pausable: true\n    visit: case.queu", {"20 UNKNOWN_FACT"}},
        Broken{"visit of no text", "pausable: true", "pausable: true\n    visit: case.priority", {"20 BAD_VALUE"}},
        Broken{"no obligation", "obligation: CUSTOMER\n", "", {"1 MISSING_KEY"}},
        Broken{"order", "obligation: CUSTOMER", "obligation: CUSTOMER\norder: -1", {"3 OUT_OF_RANGE"}},
        Broken{"no calendar", "calendar: ALWAYS\n", "", {"1 MISSING_KEY"}},
        Broken{"unknown calendar", "calendar: ALWAYS", "calendar: london", {"4 UNKNOWN_CALENDAR"}},
        Broken{"fact of a command", "case.priority, le: 2", "command.priority, le: 2", {"3 UNKNOWN_FACT"}},
        Broken{"fact of an event", "case.priority, le: 2", "event.human, eq: true", {"3 UNKNOWN_FACT"}},
        Broken{"operator", "le: 2", "less: 2", {"3 UNKNOWN_KEY"}},
        Broken{"no operator", ", le: 2", "", {"3 BAD_CONDITION"}},
        Broken{"two operators", "le: 2", "le: 2, ge: 1", {"3 BAD_CONDITION"}},
        Broken{"value", "le: 2", "le: two", {"3 BAD_VALUE"}},
        Broken{"list for one", "le: 2", "le: [2]", {"3 WRONG_TYPE"}},
        Broken{"one for a list", "in: [COMPLAINT]", "in: COMPLAINT", {"3 WRONG_TYPE"}},
        Broken{"in nothing", "in: [COMPLAINT]", "in: []", {"3 WRONG_TYPE"}},
        Broken{"empty no bool", "le: 2", "empty: 2", {"3 WRONG_TYPE"}},
        Broken{"unknown enum", "in: [COMPLAINT]", "in: [COMPLAIN]", {"3 BAD_VALUE"}},
        Broken{"all no list",
               "{all: [{fact: case.kind, in: [COMPLAINT]}, {fact: case.priority, le: 2}]}",
               "{all: {case.priority: 1}}",
               {"3 BAD_CONDITION"}},
        Broken{"all of nothing",
               "[{fact: case.kind, in: [COMPLAINT]}, {fact: case.priority, le: 2}]",
               "[]",
               {"3 BAD_CONDITION"}},
        Broken{"beside all", "le: 2}]}", "le: 2}], any: []}", {"3 UNKNOWN_KEY"}},
        Broken{"text for a condition", "{fact: case.priority, le: 2}", "case.priority", {"3 BAD_CONDITION"}},
        Broken{"empty condition", "{fact: case.priority, le: 2}", "{}", {"3 BAD_CONDITION"}},
        Broken{"short beside long", "{fact: case.priority, le: 2}", "{case.priority: 2, le: 2}", {"3 UNKNOWN_KEY"}},
        Broken{"metrics", "metrics:\n", "metrics: []\nold:\n", {"5 EMPTY_LIST", "6 UNKNOWN_KEY"}}),
    [](const auto& info) { return std::to_string(info.index); });

INSTANTIATE_TEST_SUITE_P(
    Metrics, BrokenSla,
    ::testing::Values(
        Broken{"metric twice", "metric: RESOLUTION", "metric: FIRST_RESPONSE", {"12 DUPLICATE_ID"}},
        Broken{"metric lower", "metric: RESOLUTION", "metric: resolution", {"12 BAD_NAME"}},
        Broken{"nature", "nature: DUTY", "nature: DUTIES", {"13 UNKNOWN_VALUE"}},
        Broken{"unknown event", "event: case_received", "event: case_recieved", {"7 UNKNOWN_EVENT"}},
        Broken{"event of a clock", "event: case_received", "event: clock_breached", {"7 NOT_A_CASE_EVENT"}},
        Broken{"event of the server", "event: case_voided", "event: policy_published", {"18 NOT_A_CASE_EVENT"}},
        Broken{"no start", "    start: {event: case_received}\n", "", {"6 MISSING_KEY"}},
        Broken{"start_at",
               "start: {event: case_received}",
               "start: {event: case_received}\n    start_at: sent_at",
               {"8 UNKNOWN_VALUE"}},
        Broken{"no stop",
               "stop:\n      - {event: outbound_sent, where: {event.human: true}}",
               "stop: []",
               {"8 EMPTY_LIST"}},
        Broken{"fact of another event", "event.human: true", "event.entered.category: OPEN", {"9 UNKNOWN_FACT"}},
        Broken{"trigger key", "where: {event.human: true}", "when: {event.human: true}", {"9 UNKNOWN_KEY"}},
        Broken{"no targets", "targets:\n      - {target: 4h}", "targets: []", {"10 EMPTY_LIST"}},
        Broken{"target", "target: 4h", "target: 4 hours", {"11 BAD_TARGET"}},
        Broken{"target calendar", "target: 4h", "target: 4h, calendar: london", {"11 UNKNOWN_CALENDAR"}},
        Broken{
            "unreachable target", "{when: {case.priority: 1}, target: 8h}", "{target: 8h}", {"22 UNREACHABLE_TARGET"}},
        Broken{"target of an event",
               "{when: {case.priority: 1}, target: 8h}",
               "{when: {event.human: true}, target: 8h}",
               {"21 UNKNOWN_FACT"}},
        Broken{"civil days pause", "3bd@close", "15cd@end", {"22 CIVIL_TARGET_PAUSES"}},
        Broken{"permille 0", "[500, 1000]", "[0, 1000]", {"23 OUT_OF_RANGE"}},
        Broken{"permille 1001", "[500, 1000]", "[500, 1001]", {"23 OUT_OF_RANGE"}},
        Broken{"permille descends", "[500, 1000]", "[500, 500]", {"23 NOT_ASCENDING"}},
        Broken{"before", "[1h, 30m]", "[1h, soon]", {"24 BAD_SPAN"}},
        Broken{"before ascends", "[1h, 30m]", "[30m, 1h]", {"24 NOT_ASCENDING"}},
        Broken{"a window warns", "nature: DUTY", "nature: WINDOW", {"23 WINDOW_WARNS"}},
        Broken{"answerable", "pausable: true", "answerable: OWNER", {"19 UNKNOWN_VALUE"}},
        Broken{"regulator pauses", "obligation: CUSTOMER", "obligation: REGULATOR", {"19 REGULATOR_PAUSES"}},
        Broken{"regulator reopens",
               "obligation: CUSTOMER\nwhen: {all: [{fact: case.kind, in: [COMPLAINT]}, {fact: case.priority, le: "
               "2}]}\ncalendar: ALWAYS\nmetrics:\n  - metric: FIRST_RESPONSE",
               "obligation: REGULATOR\ncalendar: ALWAYS\nmetrics:\n  - metric: FIRST_RESPONSE\n    reopens: true",
               {"6 REGULATOR_REOPENS", "19 REGULATOR_PAUSES"}}),
    [](const auto& info) { return std::to_string(info.index); });

std::vector<std::string> FoundForARegulator(absl::string_view nature, absl::string_view cancel) {
  const std::string yaml = absl::StrCat(
      "sla: mini\nobligation: REGULATOR\ncalendar: ALWAYS\nmetrics:\n  - metric: FINAL_RESPONSE\n    nature: ", nature,
      "\n    start: {event: case_received}\n    stop: [{event: decision_issued}]\n    cancel: [", cancel,
      "]\n    targets: [{target: 4h}]\n");
  return Brief(ParsePack(yaml, PolicySet(), TestNow()).findings);
}

// R4: one person ends no duty to a regulator but by doing it.
TEST(SlaPack, ARegulatorsDutyIsCancelledForACaseCreatedInErrorOnly) {
  for (const char* cancel :
       {"{event: case_declined}", "{event: case_declined, where: {event.reason_code: DUPLICATE}}",
        "{event: status_changed}", "{event: status_changed, where: {event.entered.category: CLOSED}}",
        "{event: status_changed, where: {event.entered.closure_code: [VOIDED, DECLINED]}}",
        "{event: status_changed, where: {not: {event.entered.closure_code: VOIDED}}}",
        "{event: status_changed, where: {any: [{event.entered.closure_code: VOIDED}, {event.entered.category: "
        "CLOSED}]}}",
        "{event: owed_item_refused}", "{event: owed_item_cancelled}"}) {
    EXPECT_THAT(FoundForARegulator("DUTY", cancel), ElementsAre("9 REGULATOR_CANCELS")) << cancel;
    EXPECT_THAT(FoundForARegulator("WINDOW", cancel), IsEmpty()) << cancel;
  }
  for (const char* cancel :
       {"{event: case_voided}", "{event: status_changed, where: {event.entered.closure_code: VOIDED}}",
        "{event: status_changed, where: {all: [{event.entered.closure_code: VOIDED}, {event.entered.category: "
        "CLOSED}]}}",
        "{event: outbound_sent, where: {event.kind: SUMMARY_RESOLUTION, case.met: SUMMARY_RESOLUTION}}"}) {
    EXPECT_THAT(FoundForARegulator("DUTY", cancel), IsEmpty()) << cancel;
  }
}

TEST(SlaPack, EmptyFalseMeansNotEmpty) {
  const Pack pack = ParsePack(Break(kSla, {"", "{fact: case.priority, le: 2}", "{fact: case.owner, empty: false}", {}}),
                              PolicySet(), TestNow());
  ASSERT_THAT(pack.findings, IsEmpty()) << Explain(pack.findings);
  EXPECT_EQ(pack.documents[0].compiled.sla().when().all().of(1).comparison().op(), v1::Condition::NOT_EMPTY);
}

TEST(SlaPack, AShortConditionOfSeveralFactsWantsThemAll) {
  const Pack pack =
      ParsePack(Break(kSla, {"", "{fact: case.priority, le: 2}", "{case.priority: [1, 2], case.safety: true}", {}}),
                PolicySet(), TestNow());
  ASSERT_THAT(pack.findings, IsEmpty()) << Explain(pack.findings);
  const v1::Condition& both = pack.documents[0].compiled.sla().when().all().of(1);
  ASSERT_EQ(both.all().of_size(), 2);
  EXPECT_EQ(both.all().of(0).comparison().op(), v1::Condition::IN);
  EXPECT_EQ(both.all().of(1).comparison().op(), v1::Condition::EQ);
}

TEST(SlaPack, WarningsAreLimitedToTheWholeTarget) {
  EXPECT_THAT(ParsePack(Break(kSla, {"", "[500, 1000]", "[1, 1000]", {}}), PolicySet(), TestNow()).findings, IsEmpty());
}

// ---- Across documents ----

constexpr char kCalendar[] = "calendar: office\nzone: UTC\nweek: {mon..fri: [09:00-17:00]}\n";

TEST(SlaPack, ACalendarMayBeInThePackOrPublished) {
  const std::string sla = Break(kSla, {"", "calendar: ALWAYS", "calendar: office", {}});
  EXPECT_THAT(ParsePack(absl::StrCat(sla, "---\n", kCalendar), PolicySet(), TestNow()).findings, IsEmpty());
  const PolicySetPtr published = Publish(std::make_shared<PolicySet>(), kCalendar);
  EXPECT_THAT(ParsePack(sla, *published, TestNow()).findings, IsEmpty());
}

TEST(SlaPack, ACalendarTakesEffectNoLaterThanThePolicy) {
  const std::string sla = absl::StrCat(Break(kSla, {"", "calendar: ALWAYS", "calendar: office", {}}),
                                       "effective_from: 2016-01-01T00:00:00Z\n");
  const auto with_calendar = [&](const std::string& effective) {
    return Brief(ParsePack(absl::StrCat(sla, "---\n", kCalendar, effective), PolicySet(), TestNow()).findings);
  };
  EXPECT_THAT(with_calendar(""), ElementsAre("4 CALENDAR_NOT_YET_EFFECTIVE"));
  EXPECT_THAT(with_calendar("effective_from: 2016-01-01T00:00:01Z\n"), ElementsAre("4 CALENDAR_NOT_YET_EFFECTIVE"));
  EXPECT_THAT(with_calendar("effective_from: 2016-01-01T00:00:00Z\n"), IsEmpty());
  const PolicySetPtr late = Publish(std::make_shared<PolicySet>(), kCalendar, TestNow());
  EXPECT_THAT(Brief(ParsePack(sla, *late, TestNow()).findings), ElementsAre("4 CALENDAR_NOT_YET_EFFECTIVE"));
}

constexpr char kPausingChart[] = R"(workflow: pausing
kinds: [COMPLAINT]
case_number_prefix: PAU
initial: NEW
closing_bases: [DONE]
statuses:
  - {id: NEW, name: New, category: NEW, pauses: [FIRST_RESPONSE], pauses_outside_waiting: true}
  - {id: OPEN, name: Open, category: OPEN, pauses: [RESOLUTION], pauses_outside_waiting: true}
  - {id: SHUT, name: Shut, category: CLOSED}
transitions:
  - {id: accept, command: accept, from: [NEW], to: OPEN}
  - {id: close, command: close, from: [OPEN], to: SHUT}
)";

TEST(SlaPack, AStatusMayNotPauseWhatItsEntryStarts) {
  EXPECT_THAT(ParsePack(kPausingChart, PolicySet(), TestNow()).findings, IsEmpty()) << "there is no metric yet";
  // FIRST_RESPONSE does not pause, so NEW does no harm; RESOLUTION pauses in the status that starts it.
  const Pack together = ParsePack(absl::StrCat(kPausingChart, "---\n", kSla), PolicySet(), TestNow());
  EXPECT_THAT(Brief(together.findings), ElementsAre("8 PAUSE_CONTRADICTS_START")) << Explain(together.findings);
  const PolicySetPtr with_chart = Publish(std::make_shared<PolicySet>(), kPausingChart);
  EXPECT_THAT(Brief(ParsePack(kSla, *with_chart, TestNow()).findings), ElementsAre("12 PAUSE_CONTRADICTS_START"));
  const PolicySetPtr with_sla = Publish(std::make_shared<PolicySet>(), kSla);
  EXPECT_THAT(Brief(ParsePack(kPausingChart, *with_sla, TestNow()).findings), ElementsAre("8 PAUSE_CONTRADICTS_START"));
}

TEST(SlaPack, TheInitialStatusMayNotPauseWhatReceivingStarts) {
  const std::string pausable =
      Break(kSla, {"", "start: {event: case_received}", "start: {event: case_received}\n    pausable: true", {}});
  const std::string chart = Break(kPausingChart, {"", ", pauses: [RESOLUTION], pauses_outside_waiting: true", "", {}});
  EXPECT_THAT(Brief(ParsePack(absl::StrCat(chart, "---\n", pausable), PolicySet(), TestNow()).findings),
              ElementsAre("7 PAUSE_CONTRADICTS_START"));
}

TEST(SlaPack, PausesOfOtherKindsAndOtherStatusesContradictNothing) {
  const std::string other_kind = Break(kPausingChart, {"", "kinds: [COMPLAINT]", "kinds: [REQUEST]", {}});
  EXPECT_THAT(ParsePack(absl::StrCat(other_kind, "---\n", kSla), PolicySet(), TestNow()).findings, IsEmpty());
  const std::string other_start =
      Break(kSla, {"", "where: {event.entered.category: OPEN}", "where: {event.entered.status: SHUT}", {}});
  EXPECT_THAT(ParsePack(absl::StrCat(kPausingChart, "---\n", other_start), PolicySet(), TestNow()).findings, IsEmpty());
}

TEST(SlaPack, AMetricThatNoPolicyKnowsIsFound) {
  const std::string chart = Break(kPausingChart, {"", "pauses: [RESOLUTION]", "pauses: [RESOLUTON]", {}});
  EXPECT_THAT(Brief(ParsePack(absl::StrCat(chart, "---\n", kSla), PolicySet(), TestNow()).findings),
              ElementsAre("8 UNKNOWN_METRIC"));
}

TEST(SlaPack, OneDefaultWorkflowServesAKind) {
  const std::string other = Break(Break(kPausingChart, {"", "workflow: pausing", "workflow: other", {}}),
                                  {"", "initial: NEW", "initial: NEW\ndefault: true", {}});
  EXPECT_THAT(Brief(ParsePack(absl::StrCat(kPausingChart, "---\n", other), PolicySet(), TestNow()).findings),
              ElementsAre("14 DUPLICATE_KIND"));
  const std::string by_name = Break(other, {"", "default: true", "default: false", {}});
  EXPECT_THAT(ParsePack(absl::StrCat(kPausingChart, "---\n", by_name), PolicySet(), TestNow()).findings, IsEmpty());
}

// ---- Ladders ----

constexpr char kLadder[] = R"(ladder: mini
when: {case.kind: [COMPLAINT]}
levels:
  - {level: 1, kind: HIERARCHICAL, trigger: BREACH, metrics: [RESOLUTION], target: QUEUE_LEAD, ack_within: 4h}
  - {level: 2, kind: HIERARCHICAL, trigger: BREACH, when: {case.safety: true}, target: DEPARTMENT_LEAD}
  - {level: 1, kind: HIERARCHICAL, trigger: MANUAL, target: OWNER_MANAGER}
  - {level: 1, kind: FUNCTIONAL, trigger: MANUAL, target: QUEUE_LEAD}
)";

TEST(LadderPack, TheExampleIsValid) {
  const Pack pack = ParsePack(kLadder, PolicySet(), TestNow());
  ASSERT_THAT(pack.findings, IsEmpty()) << Explain(pack.findings);
  EXPECT_EQ(pack.documents[0].compiled.ladder().levels_size(), 4);
}

class BrokenLadder : public ::testing::TestWithParam<Broken> {};

TEST_P(BrokenLadder, IsFoundAtItsLine) {
  const Pack pack = ParsePack(absl::StrCat(Break(kLadder, GetParam()), "---\n", kSla), PolicySet(), TestNow());
  EXPECT_THAT(Brief(pack.findings), ElementsAreArray(GetParam().findings)) << Explain(pack.findings);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BrokenLadder,
    ::testing::Values(Broken{"no levels", "levels:", "levels: []\nold:", {"3 EMPTY_LIST", "4 UNKNOWN_KEY"}},
                      Broken{"level 0", "{level: 2", "{level: 0", {"5 OUT_OF_RANGE"}},
                      Broken{"level twice", "{level: 2", "{level: 1", {"5 LEVELS_NOT_ASCENDING"}},
                      Broken{"gap", "{level: 2", "{level: 3", {"5 LEVELS_NOT_ASCENDING"}},
                      Broken{"breach twice whatever the kind",
                             "{level: 2, kind: HIERARCHICAL",
                             "{level: 1, kind: FUNCTIONAL",
                             {"5 LEVELS_NOT_ASCENDING"}},
                      Broken{"by hand twice", "kind: FUNCTIONAL", "kind: HIERARCHICAL", {"7 LEVELS_NOT_ASCENDING"}},
                      Broken{"kind", "kind: FUNCTIONAL", "kind: SIDEWAYS", {"7 UNKNOWN_VALUE"}},
                      Broken{"trigger",
                             "trigger: BREACH, when",
                             "trigger: WARNING, when",
                             {"5 UNKNOWN_VALUE", "5 LEVELS_NOT_ASCENDING"}},
                      Broken{"target", "target: OWNER_MANAGER", "target: OWNERS", {"6 UNKNOWN_VALUE"}},
                      Broken{"metric", "[RESOLUTION]", "[RESOLUTIONS]", {"4 UNKNOWN_METRIC"}},
                      Broken{"metric by hand",
                             "trigger: MANUAL, target: OWNER_MANAGER",
                             "trigger: MANUAL, metrics: [RESOLUTION], target: OWNER_MANAGER",
                             {"6 MANUAL_WITH_METRICS"}},
                      Broken{"calendar", "ack_within: 4h", "ack_within: 4h, calendar: london", {"4 UNKNOWN_CALENDAR"}},
                      Broken{"calendar alone",
                             "ack_within: 4h",
                             "calendar: london",
                             {"4 CALENDAR_WITHOUT_ACK", "4 UNKNOWN_CALENDAR"}},
                      Broken{"fact of an event", "{case.safety: true}", "{event.human: true}", {"5 UNKNOWN_FACT"}}),
    [](const auto& info) { return std::to_string(info.index); });

}  // namespace
}  // namespace docket::policy
