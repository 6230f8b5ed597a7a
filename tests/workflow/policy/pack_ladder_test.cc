// Ladders and rotas: what is refused, and on which line.
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

constexpr char kLine[] = R"(ladder: line
notify_calendar: london
levels:
  - {level: 1, kind: FUNCTIONAL, trigger: FRACTION, permille: 500, target: OWNER, ack_within: 1h}
  - {level: 2, kind: HIERARCHICAL, trigger: BREACH, target: OWNER_MANAGER, levels_up: 2, set_priority: 2}
  - {level: 3, kind: HIERARCHICAL, trigger: AFTER_DUE, span: 2h, target: ROLE, role: SUPERVISOR}
  - {level: 4, kind: HIERARCHICAL, trigger: ACK_LAPSED, target: ROTA, rota: duty}
  - {level: 1, kind: HIERARCHICAL, trigger: NO_ACTIVITY, span: 3d, target: QUEUE_LEAD, move_queue: intake}
  - {level: 2, kind: HIERARCHICAL, trigger: NO_ACTIVITY, span: 5d, calendar: london, target: QUEUE_LEAD}
  - {level: 1, kind: HIERARCHICAL, trigger: REOPENED, count: 2, target: QUEUE_LEAD, watch: true}
  - {level: 1, kind: FUNCTIONAL, trigger: FACTS, when: {case.safety: true}, target: QUEUE_LEAD, replace_owner: true}
  - {level: 1, kind: REGULATORY, trigger: MANUAL, target: QUEUE_LEAD, approval: true, auto_close: true}
)";

constexpr char kDirectory[] = R"(directory: mini
departments: [{id: top, name: Top, lead: ann}]
queues: [{id: intake, name: Intake, department: top}]
principals: [{id: ann, department: top, skills: [PUMPS], languages: [en, cy], capacity: 7}]
rotas:
  - id: duty
    name: Duty
    calendar: london
    shifts: [{days: mon..fri, hours: '17:00-24:00', principals: [ann]}]
    turns: [{first: 2026-12-25, last: 2026-12-26, principals: [ann]}]
)";

std::string Whole(const std::string& ladder, const std::string& directory = kDirectory) {
  return absl::StrCat(ladder, "---\n", directory, "---\n", ShippedPack("calendar-london.yaml"));
}

TEST(LinePack, TheExampleIsValid) {
  const Pack pack = ParsePack(Whole(kLine), PolicySet(), TestNow());
  ASSERT_THAT(pack.findings, IsEmpty()) << Explain(pack.findings);
  const v1::Ladder& ladder = pack.documents[0].compiled.ladder();
  EXPECT_EQ(ladder.notify_calendar(), "london");
  EXPECT_EQ(FromProto(ladder.levels(2).span()), absl::Hours(2));
  EXPECT_EQ(ladder.levels(1).levels_up(), 2u);
  const v1::Directory& directory = pack.directory->directory;
  ASSERT_EQ(directory.rotas(0).shifts_size(), 5);
  EXPECT_EQ(directory.rotas(0).shifts(4).weekday(), 5u);
  EXPECT_EQ(directory.rotas(0).shifts(4).end_s(), 86'400u);
  EXPECT_EQ(directory.rotas(0).turns(0).last_day() - directory.rotas(0).turns(0).first_day(), 1);
  EXPECT_THAT(directory.principals(0).skills(), ElementsAre("PUMPS"));
  EXPECT_THAT(directory.principals(0).languages(), ElementsAre("en", "cy"));
  EXPECT_EQ(directory.principals(0).capacity(), 7u);
}

class BrokenLine : public ::testing::TestWithParam<Broken> {};

TEST_P(BrokenLine, IsFoundAtItsLine) {
  const Pack pack = ParsePack(Whole(Break(kLine, GetParam())), PolicySet(), TestNow());
  EXPECT_THAT(Brief(pack.findings), ElementsAreArray(GetParam().findings)) << Explain(pack.findings);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BrokenLine,
    ::testing::Values(
        Broken{"no share", "permille: 500, ", "", {"4 KEY_MISSING"}},
        Broken{"a span too many", "permille: 500", "permille: 500, span: 1h", {"4 KEY_NOT_NEEDED"}},
        Broken{"no span", "AFTER_DUE, span: 2h", "AFTER_DUE", {"6 KEY_MISSING"}},
        Broken{"no count", "count: 2, ", "", {"10 KEY_MISSING"}},
        Broken{"facts of nothing", "when: {case.safety: true}, ", "", {"11 KEY_MISSING"}},
        Broken{"elapsed silence", "span: 3d", "span: 3d, elapsed: true", {"8 KEY_NOT_NEEDED"}},
        Broken{"metrics of silence", "span: 3d", "span: 3d, metrics: [RESOLUTION]", {"8 KEY_NOT_NEEDED"}},
        Broken{"approval of a clock", "levels_up: 2", "levels_up: 2, approval: true", {"5 KEY_NOT_NEEDED"}},
        Broken{"up from a queue", "span: 3d", "span: 3d, levels_up: 2", {"8 KEY_NOT_NEEDED"}},
        Broken{"no role", ", role: SUPERVISOR", "", {"6 KEY_MISSING"}},
        Broken{"unknown role", "role: SUPERVISOR", "role: SUPERVISORS", {"6 UNKNOWN_VALUE"}},
        Broken{"unknown rota", "rota: duty", "rota: dutty", {"7 UNKNOWN_ROTA"}},
        Broken{"unknown queue", "move_queue: intake", "move_queue: intakes", {"8 UNKNOWN_QUEUE"}},
        Broken{"unknown calendar", "notify_calendar: london", "notify_calendar: londin", {"2 UNKNOWN_CALENDAR"}},
        Broken{"priority out of range", "set_priority: 2", "set_priority: 6", {"5 OUT_OF_RANGE"}},
        Broken{"an answer to nothing", "set_priority: 2", "answer_within: 2h", {"5 KEY_NOT_NEEDED"}},
        Broken{"unknown department",
               "set_priority: 2",
               "open_task: ADVICE, task_department: leagl",
               {"5 UNKNOWN_DEPARTMENT"}},
        Broken{"never lapses", ", ack_within: 1h", "", {"7 NEVER_REACHED"}},
        Broken{"feeds itself",
               "when: {case.safety: true}",
               "when: {case.priority: 2}, set_priority: 1",
               {"11 PRIORITY_FEEDS_ITSELF"}},
        Broken{"back in time",
               "trigger: AFTER_DUE, span: 2h",
               "trigger: FRACTION, permille: 400",
               {"6 LEVELS_OUT_OF_TIME"}},
        Broken{"shorter silence", "span: 5d", "span: 1d", {"9 LEVELS_OUT_OF_TIME"}},
        Broken{"the same number by lapse", "{level: 4", "{level: 3", {"7 LEVELS_NOT_ASCENDING"}}),
    [](const auto& info) { return std::to_string(info.index); });

class BrokenRota : public ::testing::TestWithParam<Broken> {};

TEST_P(BrokenRota, IsFoundAtItsLine) {
  const Pack pack = ParsePack(absl::StrCat(Break(kDirectory, GetParam()), "---\n", ShippedPack("calendar-london.yaml")),
                              PolicySet(), TestNow());
  EXPECT_THAT(Brief(pack.findings), ElementsAreArray(GetParam().findings)) << Explain(pack.findings);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BrokenRota,
    ::testing::Values(Broken{"days", "mon..fri", "mon-fri", {"9 BAD_DAYS"}},
                      Broken{"hours", "17:00-24:00", "17:00-09:00", {"9 BAD_WINDOW"}},
                      Broken{"nobody",
                             "hours: '17:00-24:00', principals: [ann]",
                             "hours: '17:00-24:00', principals: [bob]",
                             {"9 UNKNOWN_PRINCIPAL"}},
                      Broken{"day", "first: 2026-12-25", "first: 2026-12-32", {"10 BAD_DAY"}},
                      Broken{"turn backwards", "last: 2026-12-26", "last: 2026-12-24", {"10 BAD_DAY"}},
                      Broken{"calendar", "calendar: london", "calendar: paris", {"8 UNKNOWN_CALENDAR"}},
                      Broken{"capacity", "capacity: 7", "capacity: -1", {"4 OUT_OF_RANGE"}}),
    [](const auto& info) { return std::to_string(info.index); });

TEST(LinePack, ADirectoryKeepsWhatPublishedLaddersName) {
  const PolicySetPtr set = Publish(std::make_shared<PolicySet>(), Whole(kLine));
  const Pack pack = ParsePack("directory: mini\ndepartments: [{id: top, name: Top}]\n", *set, TestNow());
  EXPECT_THAT(Brief(pack.findings), ElementsAre("1 ROTA_STILL_USED", "1 QUEUE_STILL_USED")) << Explain(pack.findings);
}

TEST(LinePack, AWindowHasNoBreach) {
  const std::string sla =
      "sla: s\nobligation: CUSTOMER\ncalendar: ALWAYS\nmetrics:\n  - metric: REOPEN\n    nature: WINDOW\n    start: "
      "{event: case_received}\n"
      "    stop: [{event: case_closed}]\n    targets: [{target: 8h}]\n---\n";
  const auto findings = [&](const std::string& trigger) {
    return Brief(ParsePack(absl::StrCat(sla, "ladder: l\nlevels:\n  - {level: 1, kind: FUNCTIONAL, trigger: ", trigger,
                                        ", metrics: [REOPEN], target: OWNER}\n"),
                           PolicySet(), TestNow())
                     .findings);
  };
  EXPECT_THAT(findings("AT_DUE"), IsEmpty());
  EXPECT_THAT(findings("BREACH"), ElementsAre("13 WINDOW_NEVER_BREACHES"));
}

// `sla` and a ladder that asks for two things by a date.
Pack Asking(absl::string_view sla, const PolicySet& published = PolicySet()) {
  return ParsePack(absl::StrCat(sla,
                                "ladder: l\nlevels:\n  - {level: 1, kind: FUNCTIONAL, trigger: BREACH, target: OWNER, "
                                "open_task: LEGAL_ADVICE, supervision_order: true, answer_within: 8h}\n"),
                   published, TestNow());
}

TEST(LinePack, WhatIsAskedByADateButTimedByNothingIsAWarning) {
  const auto sla = [](absl::string_view where) {
    return absl::StrCat(
        "sla: s\nobligation: INTERNAL\ncalendar: ALWAYS\nmetrics:\n  - metric: WORK\n    per_item: true\n"
        "    start: {event: owed_item_asked",
        where, "}\n    stop: [{event: owed_item_done}]\n    answerable: ITEM\n    targets: [{target: 8h}]\n---\n");
  };
  Pack pack = Asking(sla(", where: {event.kind: WORK, event.what: REMEDY}"));
  ASSERT_THAT(pack.findings, IsEmpty()) << Explain(pack.findings);
  EXPECT_EQ(pack.documents.size(), 2u);  // it is published all the same
  ASSERT_THAT(Brief(pack.warnings), ElementsAre("14 ITEM_NOT_TIMED", "14 ITEM_NOT_TIMED"));
  EXPECT_THAT(pack.warnings[0].message, ::testing::HasSubstr("level 1 of ladder l asks WORK LEGAL_ADVICE"));
  EXPECT_THAT(pack.warnings[1].message, ::testing::HasSubstr("level 1 of ladder l asks SUPERVISION_ORDER SUPERVISION"));
  EXPECT_THAT(Brief(Asking(sla(", where: {event.kind: WORK}")).warnings), ElementsAre("14 ITEM_NOT_TIMED"));
  EXPECT_THAT(Asking(sla(", where: {case.kind: COMPLAINT}")).warnings, IsEmpty());  // of some cases
  EXPECT_THAT(Asking(sla("")).warnings, IsEmpty());
  const PolicySetPtr published = Publish(std::make_shared<PolicySet>(), sla(""));
  EXPECT_THAT(Asking("", *published).warnings, IsEmpty());
}

// One metric that starts when something is asked, and `name`.
std::string Timing(absl::string_view name, absl::string_view what) {
  return absl::StrCat("sla: ", name,
                      "\nobligation: INTERNAL\ncalendar: ALWAYS\nmetrics:\n  - metric: WORK\n    per_item: true\n"
                      "    start: {event: owed_item_asked, where: {event.what: ",
                      what,
                      "}}\n    stop: [{event: owed_item_done}]\n    answerable: ITEM\n    targets: [{target: 8h}]\n");
}

TEST(LinePack, AnSlaPolicyThatNoLongerTimesWhatAPublishedLadderAsksIsAWarning) {
  constexpr char kLadder[] =
      "ladder: l\nlevels:\n  - {level: 1, kind: FUNCTIONAL, trigger: BREACH, target: OWNER, open_task: LEGAL_ADVICE, "
      "answer_within: 8h}\n";
  PolicySetPtr published = Publish(std::make_shared<PolicySet>(), kLadder);
  const auto warnings = [&](const std::string& pack) { return ParsePack(pack, *published, TestNow()).warnings; };
  // The first SLA policy that there is.
  EXPECT_THAT(warnings(Timing("s", "LEGAL_ADVICE")), IsEmpty());
  EXPECT_THAT(Brief(warnings(Timing("s", "REMEDY"))), ElementsAre("1 ITEM_NOT_TIMED"));
  published = Publish(published, Timing("s", "LEGAL_ADVICE"));
  EXPECT_THAT(warnings(Timing("other", "REMEDY")), IsEmpty());  // the other one goes on timing it
  // Of two the one that timed it is named, by its line.
  const std::vector<Finding> lost = warnings(absl::StrCat(Timing("other", "REMEDY"), "---\n", Timing("s", "REMEDY")));
  ASSERT_THAT(Brief(lost), ElementsAre("12 ITEM_NOT_TIMED"));
  EXPECT_THAT(lost[0].message,
              ::testing::HasSubstr("sla.metrics: level 1 of published ladder l asks WORK LEGAL_ADVICE, and no metric"));
  EXPECT_THAT(warnings(absl::StrCat(Timing("other", "LEGAL_ADVICE"), "---\n", Timing("s", "REMEDY"))), IsEmpty());
  EXPECT_THAT(warnings(ShippedPack("calendar-london.yaml")), IsEmpty());  // it times nothing, and changes nothing
}

}  // namespace
}  // namespace docket::policy
