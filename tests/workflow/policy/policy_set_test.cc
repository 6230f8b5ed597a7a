#include "workflow/policy/policy_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/sla/calendar_compile.h"

namespace docket::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);
absl::Time Day(int day) { return kStart + absl::Hours(24 * day); }

v1::Event Publication(v1::PolicyKind kind, const std::string& id, uint32_t version, absl::Time effective_from) {
  v1::Event event;
  v1::PolicyPublished* published = event.mutable_policy_published();
  published->set_kind(kind);
  published->set_id(id);
  published->set_version(version);
  published->set_yaml("yaml of " + id);
  published->set_digest("digest of " + id);
  *published->mutable_effective_from() = ToProto(effective_from);
  return event;
}

v1::Event ChartEvent(const std::string& id, uint32_t version, absl::Time effective_from,
                     std::vector<v1::CaseKind> kinds = {v1::REQUEST}, bool by_name_only = false) {
  v1::Event event = Publication(v1::WORKFLOW, id, version, effective_from);
  v1::Chart* chart = event.mutable_policy_published()->mutable_compiled()->mutable_chart();
  for (v1::CaseKind kind : kinds) chart->add_kinds(kind);
  chart->set_by_name_only(by_name_only);
  chart->set_initial("V" + std::to_string(version));
  return event;
}

v1::Event SlaEvent(const std::string& id, uint32_t version, absl::Time effective_from, v1::Obligation obligation,
                   int order) {
  v1::Event event = Publication(v1::SLA, id, version, effective_from);
  v1::SlaPolicy* policy = event.mutable_policy_published()->mutable_compiled()->mutable_sla();
  policy->set_obligation(obligation);
  policy->set_order(order);
  return event;
}

v1::Event CalendarEvent(const std::string& id, uint32_t version, absl::Time effective_from) {
  v1::Event event = Publication(v1::CALENDAR, id, version, effective_from);
  v1::Calendar* calendar = event.mutable_policy_published()->mutable_compiled()->mutable_calendar();
  calendar->set_always(true);
  EXPECT_TRUE(sla::CompileCalendar(Day(0), Day(100), calendar).ok());
  return event;
}

v1::Event MatrixEvent(const std::string& id, uint32_t version, absl::Time effective_from,
                      std::vector<v1::CaseKind> kinds) {
  v1::Event event = Publication(v1::PRIORITY_MATRIX, id, version, effective_from);
  auto* matrix = event.mutable_policy_published()->mutable_compiled()->mutable_matrix();
  for (v1::CaseKind kind : kinds) matrix->add_kinds(kind);
  return event;
}

v1::Event LadderEvent(const std::string& id, uint32_t version, absl::Time effective_from) {
  v1::Event event = Publication(v1::LADDER, id, version, effective_from);
  event.mutable_policy_published()->mutable_compiled()->mutable_ladder()->add_levels()->set_level(version);
  return event;
}

v1::Event DirectoryEvent(uint32_t version, const std::vector<std::pair<std::string, std::string>>& departments) {
  v1::Event event;
  event.mutable_directory_published()->set_version(version);
  v1::Directory* directory = event.mutable_directory_published()->mutable_directory();
  for (const auto& [id, parent] : departments) {
    v1::Department* department = directory->add_departments();
    department->set_id(id);
    department->set_parent(parent);
  }
  return event;
}

// Publishes the events in order, at positions 1, 2, …
std::shared_ptr<const PolicySet> SetOf(const std::vector<v1::Event>& events) {
  auto set = std::make_shared<const PolicySet>();
  uint64_t position = 0;
  for (const v1::Event& event : events) {
    ++position;
    auto next = set->With(event, position, kStart + absl::Seconds(position), "author");
    EXPECT_TRUE(next.ok()) << next.status();
    if (next.ok()) set = *next;
  }
  return set;
}

v1::PolicyPin Pin(const std::string& id, uint32_t version, uint64_t position = 0) {
  v1::PolicyPin pin;
  pin.set_id(id);
  pin.set_version(version);
  pin.set_position(position);
  return pin;
}

TEST(PolicySet, AnEmptySetKnowsNothing) {
  const PolicySet set;
  EXPECT_EQ(set.ChartFor(v1::REQUEST, kStart), nullptr);
  EXPECT_EQ(set.ChartNamed("x", kStart), nullptr);
  EXPECT_EQ(set.Chart(Pin("x", 1)), nullptr);
  EXPECT_EQ(set.Calendar(Pin("x", 1)), nullptr);
  EXPECT_EQ(set.MatrixFor(v1::REQUEST, kStart), nullptr);
  EXPECT_THAT(set.SlaPolicies(kStart), IsEmpty());
  EXPECT_THAT(set.Ladders(kStart), IsEmpty());
  EXPECT_THAT(set.List(v1::POLICY_KIND_UNSPECIFIED), IsEmpty());
  EXPECT_EQ(set.directory_version(), 0);
  EXPECT_EQ(set.Department("x"), nullptr);
  EXPECT_EQ(set.DescribeUnknown(NameKind::kQueue, "x"), "\"x\" is not in the directory");
}

TEST(PolicySet, TheGreatestVersionAlreadyEffectiveGoverns) {
  const auto set = SetOf({ChartEvent("t", 1, Day(0)), ChartEvent("t", 2, Day(10)), ChartEvent("t", 3, Day(5))});
  const auto version_at = [&](absl::Time at) {
    const auto* published = set->ChartNamed("t", at);
    return published == nullptr ? 0 : published->pin.version();
  };
  EXPECT_EQ(version_at(Day(0) - absl::Microseconds(1)), 0);
  EXPECT_EQ(version_at(Day(0)), 1);
  EXPECT_EQ(version_at(Day(5) - absl::Microseconds(1)), 1);
  EXPECT_EQ(version_at(Day(5)), 3);
  EXPECT_EQ(version_at(Day(10)), 3) << "a greater version overtakes, whenever the smaller one begins";
  EXPECT_EQ(set->ChartNamed("t", Day(5))->pin.position(), 3);
  EXPECT_EQ(set->ChartNamed("u", Day(5)), nullptr);
}

TEST(PolicySet, AVersionWithoutEffectiveFromGovernsFromItsPublication) {
  v1::Event event = ChartEvent("t", 1, Day(0));
  event.mutable_policy_published()->clear_effective_from();
  const auto set = SetOf({event});
  EXPECT_EQ(set->ChartNamed("t", kStart), nullptr);
  EXPECT_NE(set->ChartNamed("t", kStart + absl::Seconds(1)), nullptr);
}

TEST(PolicySet, TheNewestChartOfAKindServesIt) {
  const auto set =
      SetOf({ChartEvent("a", 1, Day(0), {v1::REQUEST, v1::INCIDENT}), ChartEvent("b", 1, Day(1), {v1::REQUEST}),
             ChartEvent("c", 1, Day(0), {v1::REQUEST, v1::INCIDENT}, /*by_name_only=*/true)});
  EXPECT_EQ(set->ChartFor(v1::REQUEST, Day(0))->pin.id(), "a");
  EXPECT_EQ(set->ChartFor(v1::REQUEST, Day(1))->pin.id(), "b");
  EXPECT_EQ(set->ChartFor(v1::INCIDENT, Day(1))->pin.id(), "a");
  EXPECT_EQ(set->ChartFor(v1::PROBLEM, Day(1)), nullptr);
  EXPECT_EQ(set->ChartNamed("c", Day(0))->pin.id(), "c") << "by name it is there";
}

TEST(PolicySet, AKindThatANewerVersionGaveUpIsNotServedByTheOlder) {
  const auto set =
      SetOf({ChartEvent("a", 1, Day(0), {v1::REQUEST, v1::INCIDENT}), ChartEvent("a", 2, Day(1), {v1::REQUEST})});
  EXPECT_NE(set->ChartFor(v1::INCIDENT, Day(0)), nullptr);
  EXPECT_EQ(set->ChartFor(v1::INCIDENT, Day(1)), nullptr);
}

TEST(PolicySet, APinNamesOneVersionForEver) {
  const auto set =
      SetOf({ChartEvent("t", 1, Day(0)), ChartEvent("t", 2, Day(0)), SlaEvent("s", 1, Day(0), v1::CUSTOMER, 1),
             LadderEvent("l", 1, Day(0)), CalendarEvent("c", 1, Day(0))});
  ASSERT_NE(set->Chart(Pin("t", 1)), nullptr);
  EXPECT_EQ(set->Chart(Pin("t", 1))->initial(), "V1");
  EXPECT_EQ(set->Chart(Pin("t", 1))->version(), 1);
  EXPECT_EQ(set->Chart(Pin("t", 1))->id(), "t");
  EXPECT_EQ(set->Chart(Pin("t", 2, 2))->initial(), "V2");
  EXPECT_EQ(set->Chart(Pin("t", 2, 1)), nullptr) << "another publication";
  EXPECT_EQ(set->Chart(Pin("t", 3)), nullptr);
  EXPECT_EQ(set->Sla(Pin("s", 1, 3))->obligation(), v1::CUSTOMER);
  EXPECT_EQ(set->LadderAt(Pin("l", 1))->levels_size(), 1);
  ASSERT_NE(set->Calendar(Pin("c", 1)), nullptr);
  EXPECT_EQ(set->Calendar(Pin("c", 1)), set->CalendarNamed("c", Day(0))->value) << "compiled once";
  EXPECT_EQ(set->Calendar(Pin("c", 2)), nullptr);
}

TEST(PolicySet, SlaPoliciesComeByObligationThenOrderThenId) {
  const auto set = SetOf({SlaEvent("d", 1, Day(0), v1::REGULATOR, 1), SlaEvent("c", 1, Day(0), v1::CUSTOMER, 20),
                          SlaEvent("b", 1, Day(0), v1::CUSTOMER, 10), SlaEvent("a", 1, Day(0), v1::CUSTOMER, 20),
                          SlaEvent("a", 2, Day(5), v1::CUSTOMER, 5)});
  const auto ids = [&](absl::Time at) {
    std::vector<std::string> result;
    for (const auto* published : set->SlaPolicies(at))
      result.push_back(published->pin.id() + std::to_string(published->pin.version()));
    return result;
  };
  EXPECT_THAT(ids(Day(0)), ElementsAre("b1", "a1", "c1", "d1"));
  EXPECT_THAT(ids(Day(5)), ElementsAre("a2", "b1", "c1", "d1"));
}

TEST(PolicySet, LaddersComeById) {
  const auto set = SetOf({LadderEvent("b", 1, Day(0)), LadderEvent("a", 1, Day(0)), LadderEvent("c", 1, Day(1))});
  ASSERT_EQ(set->Ladders(Day(0)).size(), 2);
  EXPECT_EQ(set->Ladders(Day(0))[0]->pin.id(), "a");
}

TEST(PolicySet, AMatrixWithoutKindsServesThoseNobodyElseLists) {
  const auto set = SetOf({MatrixEvent("special", 1, Day(0), {v1::COMPLAINT}), MatrixEvent("all", 1, Day(0), {})});
  EXPECT_EQ(set->MatrixFor(v1::COMPLAINT, Day(0))->pin.id(), "special");
  EXPECT_EQ(set->MatrixFor(v1::REQUEST, Day(0))->pin.id(), "all");
}

TEST(PolicySet, PublishingLeavesTheOldSetAsItWas) {
  const auto before = SetOf({ChartEvent("t", 1, Day(0))});
  const v1::Chart* first = before->Chart(Pin("t", 1));
  const auto after = before->With(ChartEvent("t", 2, Day(0)), 2, kStart, "author");
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(before->ChartNamed("t", Day(1))->pin.version(), 1);
  EXPECT_EQ(before->Chart(Pin("t", 2)), nullptr);
  EXPECT_EQ((*after)->ChartNamed("t", Day(1))->pin.version(), 2);
  EXPECT_EQ((*after)->Chart(Pin("t", 1)), first) << "what did not change is shared";
}

TEST(PolicySet, OtherEventsChangeNothing) {
  const auto before = SetOf({ChartEvent("t", 1, Day(0))});
  v1::Event event;
  event.mutable_case_accepted();
  const auto after = before->With(event, 2, kStart, "author");
  ASSERT_TRUE(after.ok());
  EXPECT_EQ((*after)->Chart(Pin("t", 1)), before->Chart(Pin("t", 1)));
}

TEST(PolicySet, ListGivesTheNewestOfEachWithoutItsText) {
  const auto set = SetOf({ChartEvent("b", 1, Day(0)), ChartEvent("a", 1, Day(0)), ChartEvent("a", 2, Day(50)),
                          SlaEvent("s", 1, Day(0), v1::CUSTOMER, 1)});
  const auto all = set->List(v1::POLICY_KIND_UNSPECIFIED);
  ASSERT_EQ(all.size(), 3);
  EXPECT_EQ(all[0].pin.id(), "a");
  EXPECT_EQ(all[0].pin.version(), 2) << "newest, effective or not";
  EXPECT_EQ(all[0].effective_from, Day(50));
  EXPECT_EQ(all[0].published_at, kStart + absl::Seconds(3));
  EXPECT_EQ(all[0].published_by, "author");
  EXPECT_EQ(all[0].digest, "digest of a");
  EXPECT_EQ(all[0].yaml, "");
  EXPECT_EQ(all[2].kind, v1::SLA);
  EXPECT_EQ(set->List(v1::SLA).size(), 1);
  EXPECT_THAT(set->List(v1::CALENDAR), IsEmpty());
}

TEST(PolicySet, GetGivesOneVersionWhole) {
  const auto set = SetOf({ChartEvent("t", 1, Day(0)), ChartEvent("t", 2, Day(0)), CalendarEvent("c", 1, Day(0))});
  const auto newest = set->Get(v1::WORKFLOW, "t", 0);
  ASSERT_TRUE(newest.ok()) << newest.status();
  EXPECT_EQ(newest->pin.version(), 2);
  EXPECT_EQ(newest->yaml, "yaml of t");
  EXPECT_EQ(newest->compiled.chart().initial(), "V2");
  EXPECT_EQ(set->Get(v1::WORKFLOW, "t", 1)->compiled.chart().initial(), "V1");
  EXPECT_TRUE(set->Get(v1::CALENDAR, "c", 0)->compiled.calendar().always());
}

TEST(PolicySet, GetNamesTheNearestAndTheNewest) {
  const auto set = SetOf({ChartEvent("ticket", 1, Day(0)), ChartEvent("complaint", 1, Day(0))});
  const auto misspelt = set->Get(v1::WORKFLOW, "tickt", 0).status();
  EXPECT_EQ(misspelt.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(misspelt), "POLICY_NOT_FOUND");
  EXPECT_THAT(std::string(misspelt.message()), HasSubstr("nearest: ticket"));
  const auto too_new = set->Get(v1::WORKFLOW, "ticket", 2).status();
  EXPECT_EQ(too_new.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(too_new.message()), HasSubstr("the newest is 1"));
  EXPECT_EQ(set->Get(v1::POLICY_KIND_UNSPECIFIED, "ticket", 0).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(PolicySet, ALogThatContradictsItselfIsDataLoss) {
  const auto set = SetOf({ChartEvent("t", 2, Day(0)), DirectoryEvent(2, {})});
  const auto code = [&](const v1::Event& event) { return set->With(event, 9, kStart, "author").status().code(); };
  EXPECT_EQ(code(ChartEvent("t", 2, Day(0))), absl::StatusCode::kDataLoss);
  EXPECT_EQ(code(ChartEvent("t", 1, Day(0))), absl::StatusCode::kDataLoss);
  EXPECT_EQ(code(ChartEvent("u", 0, Day(0))), absl::StatusCode::kDataLoss);
  EXPECT_EQ(code(DirectoryEvent(2, {})), absl::StatusCode::kDataLoss);
  v1::Event other_form = ChartEvent("t", 3, Day(0));
  other_form.mutable_policy_published()->set_kind(v1::SLA);
  EXPECT_EQ(code(other_form), absl::StatusCode::kDataLoss);
  v1::Event broken = CalendarEvent("c", 1, Day(0));
  broken.mutable_policy_published()->mutable_compiled()->mutable_calendar()->clear_offsets();
  broken.mutable_policy_published()->mutable_compiled()->mutable_calendar()->set_always(false);
  EXPECT_EQ(code(broken), absl::StatusCode::kDataLoss);
  EXPECT_EQ(code(ChartEvent("t", 7, Day(0))), absl::StatusCode::kOk) << "versions may have gaps";
}

TEST(PolicySet, DepartmentsLieWithinOneAnother) {
  const auto set = SetOf({DirectoryEvent(1, {{"top", ""}, {"sub", "top"}, {"leaf", "sub"}, {"other", ""}})});
  EXPECT_TRUE(set->IsWithin("leaf", "leaf"));
  EXPECT_TRUE(set->IsWithin("leaf", "top"));
  EXPECT_FALSE(set->IsWithin("top", "leaf"));
  EXPECT_FALSE(set->IsWithin("leaf", "other"));
  EXPECT_FALSE(set->IsWithin("nowhere", "nowhere"));
  EXPECT_FALSE(set->IsWithin("leaf", ""));
  EXPECT_EQ(set->DescribeUnknown(NameKind::kDepartment, "laef"),
            "\"laef\" is not in the directory, nearest is \"leaf\"");
}

TEST(PolicySet, ACircleOfDepartmentsEndsTheWalk) {
  const auto set = SetOf({DirectoryEvent(1, {{"a", "b"}, {"b", "a"}})});
  EXPECT_TRUE(set->IsWithin("a", "b"));
  EXPECT_FALSE(set->IsWithin("a", "c"));
}

TEST(PolicySet, ANewDirectoryReplacesTheOldOne) {
  const auto before = SetOf({DirectoryEvent(1, {{"old", ""}})});
  const auto after = before->With(DirectoryEvent(2, {{"new", ""}}), 2, kStart, "author");
  ASSERT_TRUE(after.ok());
  EXPECT_EQ((*after)->directory_version(), 2);
  EXPECT_EQ((*after)->Department("old"), nullptr);
  EXPECT_NE((*after)->Department("new"), nullptr);
  EXPECT_NE(before->Department("old"), nullptr);
}

// What lists are filtered by stays askable when it has gone from the newest version.
TEST(PolicySet, NamesOfEveryVersionAreRemembered) {
  const auto chart = [](uint32_t version, const std::string& status) {
    v1::Event event = ChartEvent("t", version, Day(version));
    event.mutable_policy_published()->mutable_compiled()->mutable_chart()->add_statuses()->set_id(status);
    return event;
  };
  const auto sla = [](uint32_t version, const std::string& metric) {
    v1::Event event = Publication(v1::SLA, "s", version, Day(version));
    event.mutable_policy_published()->mutable_compiled()->mutable_sla()->add_metrics()->set_metric(metric);
    return event;
  };
  const auto set = SetOf({DirectoryEvent(1, {{"old", ""}}), DirectoryEvent(2, {{"new", ""}}), chart(1, "PARKED"),
                          chart(2, "OPEN"), sla(1, "FIRST_REPLY"), sla(2, "RESOLUTION")});
  for (const char* name : {"old", "new"}) EXPECT_TRUE(set->EverHad(NameKind::kDepartment, name)) << name;
  for (const char* name : {"PARKED", "OPEN"}) EXPECT_TRUE(set->EverHad(NameKind::kStatus, name)) << name;
  for (const char* name : {"FIRST_REPLY", "RESOLUTION"}) EXPECT_TRUE(set->EverHad(NameKind::kMetric, name)) << name;
  for (const NameKind kind :
       {NameKind::kDepartment, NameKind::kQueue, NameKind::kPrincipal, NameKind::kStatus, NameKind::kMetric}) {
    EXPECT_FALSE(set->EverHad(kind, "nope"));
  }
  EXPECT_EQ(set->DescribeUnknown(NameKind::kMetric, "RESOLUTON"),
            "\"RESOLUTON\" is no metric of a published SLA policy, nearest is \"RESOLUTION\"");
}

}  // namespace
}  // namespace docket::policy
