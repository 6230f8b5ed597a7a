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
using ::testing::Pair;

constexpr char kDirectory[] = R"(directory: mini
departments:
  - {id: top, name: Top, lead: ann}
  - {id: sub, name: Sub, parent: top, lead: bob}
queues:
  - {id: intake, name: Intake, department: top, lead: ann, default_due: 2d}
principals:
  - {id: ann, name: Ann Archer, department: top, roles: [SUPERVISOR]}
  - {id: bob, name: Bob Baker, department: sub, manager: ann, roles: [HANDLER, INTAKE]}
  - {id: cid, department: sub, manager: bob}
)";

TEST(DirectoryPack, TheExampleIsValid) {
  const Pack pack = ParsePack(kDirectory, PolicySet(), TestNow());
  ASSERT_THAT(pack.findings, IsEmpty()) << Explain(pack.findings);
  EXPECT_THAT(pack.documents, IsEmpty());
  ASSERT_TRUE(pack.directory.has_value());
  const v1::Directory& directory = pack.directory->directory;
  EXPECT_EQ(directory.departments(1).parent(), "top");
  EXPECT_EQ(FromProto(directory.queues(0).default_due()), absl::Hours(48));
  EXPECT_THAT(directory.principals(1).roles(), ElementsAre("HANDLER", "INTAKE"));
  EXPECT_FALSE(directory.principals(1).has_name());
  EXPECT_THAT(pack.directory->names, ElementsAre(Pair("ann", "Ann Archer"), Pair("bob", "Bob Baker")));
}

class BrokenDirectory : public ::testing::TestWithParam<Broken> {};

TEST_P(BrokenDirectory, IsFoundAtItsLine) {
  const Pack pack = ParsePack(Break(kDirectory, GetParam()), PolicySet(), TestNow());
  EXPECT_THAT(Brief(pack.findings), ElementsAreArray(GetParam().findings)) << Explain(pack.findings);
  EXPECT_FALSE(pack.directory.has_value());
}

INSTANTIATE_TEST_SUITE_P(
    Table, BrokenDirectory,
    ::testing::Values(
        Broken{"department twice",
               "id: sub",
               "id: top",
               {"4 DUPLICATE_ID", "9 UNKNOWN_DEPARTMENT", "10 UNKNOWN_DEPARTMENT"}},
        Broken{"principal twice", "{id: cid", "{id: bob", {"10 DUPLICATE_ID"}},
        Broken{"queue twice",
               "default_due: 2d}",
               "default_due: 2d}\n  - {id: intake, name: In, department: sub}",
               {"7 DUPLICATE_ID"}},
        Broken{"principal id", "{id: cid", "{id: Cid", {"10 BAD_NAME"}},
        Broken{"principal id with a blank", "{id: cid", "{id: c d", {"10 BAD_NAME"}},
        Broken{"no parent", "parent: top", "parent: topp", {"4 UNKNOWN_DEPARTMENT"}},
        Broken{"no lead", "parent: top, lead: bob", "parent: top, lead: rob", {"4 UNKNOWN_PRINCIPAL"}},
        Broken{"queue lead", "department: top, lead: ann", "department: top, lead: anne", {"6 UNKNOWN_PRINCIPAL"}},
        Broken{
            "queue department", "department: top, lead: ann", "department: tops, lead: ann", {"6 UNKNOWN_DEPARTMENT"}},
        Broken{"queue without department", "department: top, lead: ann, ", "lead: ann, ", {"6 MISSING_KEY"}},
        Broken{"queue due", "default_due: 2d", "default_due: two days", {"6 BAD_SPAN"}},
        Broken{"manager", "manager: bob", "manager: rob", {"10 UNKNOWN_PRINCIPAL"}},
        Broken{"principal without department",
               "{id: cid, department: sub, manager: bob}",
               "{id: cid, manager: bob}",
               {"10 MISSING_KEY"}},
        Broken{"role", "[HANDLER, INTAKE]", "[HANDLER, INTAK]", {"9 UNKNOWN_ROLE"}},
        Broken{"role twice", "[HANDLER, INTAKE]", "[HANDLER, HANDLER]", {"9 DUPLICATE_VALUE"}},
        Broken{"own manager", "manager: ann", "manager: bob", {"9 MANAGER_CYCLE"}},
        Broken{"managers in a circle", "roles: [SUPERVISOR]", "manager: cid", {"8 MANAGER_CYCLE"}},
        Broken{"own parent", "parent: top", "parent: sub", {"4 DEPARTMENT_CYCLE"}},
        Broken{"departments in a circle",
               "{id: top, name: Top, lead: ann}",
               "{id: top, name: Top, parent: sub}",
               {"4 DEPARTMENT_CYCLE"}},
        Broken{"key", "name: Intake", "title: Intake", {"6 MISSING_KEY", "6 UNKNOWN_KEY"}},
        Broken{"no departments",
               "departments:\n  - {id: top, name: Top, lead: ann}\n  - {id: sub, name: Sub, parent: top, lead: "
               "bob}\nqueues:\n"
               "  - {id: intake, name: Intake, department: top, lead: ann, default_due: 2d}\nprincipals:",
               "people:",
               {"1 MISSING_KEY", "2 UNKNOWN_KEY"}},
        Broken{"takes effect at once",
               "directory: mini",
               "directory: mini\neffective_from: 2016-01-01T00:00:00Z",
               {"2 UNKNOWN_KEY"}}),
    [](const auto& info) { return std::to_string(info.index); });

TEST(DirectoryPack, OneDirectoryAPack) {
  const Pack pack = ParsePack(absl::StrCat(kDirectory, "---\n", kDirectory), PolicySet(), TestNow());
  EXPECT_THAT(Brief(pack.findings), ElementsAre("12 SECOND_DIRECTORY"));
}

constexpr char kChart[] = R"(workflow: mini
kinds: [REQUEST]
case_number_prefix: MIN
initial: NEW
default_queue: intake
closing_bases: [DONE]
statuses: [{id: NEW, name: New, category: NEW}, {id: SHUT, name: Shut, category: CLOSED}]
transitions: [{id: close, command: close, from: [NEW], to: SHUT}]
)";

TEST(DirectoryPack, ANewDirectoryKeepsTheQueuesOfPublishedWorkflows) {
  const PolicySetPtr set = Publish(Publish(std::make_shared<PolicySet>(), kDirectory), kChart);
  const std::string renamed = Break(kDirectory, {"", "{id: intake", "{id: reception", {}});
  EXPECT_THAT(Brief(ParsePack(renamed, *set, TestNow()).findings), ElementsAre("1 QUEUE_STILL_USED"));
  const std::string moved = Break(kChart, {"", "default_queue: intake", "default_queue: reception", {}});
  EXPECT_THAT(ParsePack(absl::StrCat(renamed, "---\n", moved), *set, TestNow()).findings, IsEmpty());
}

TEST(DirectoryPack, TheDirectoryOfThePackCountsNotTheOneItReplaces) {
  const PolicySetPtr set = Publish(std::make_shared<PolicySet>(), kDirectory);
  EXPECT_THAT(ParsePack(kChart, *set, TestNow()).findings, IsEmpty());
  const std::string renamed = Break(kDirectory, {"", "{id: intake", "{id: reception", {}});
  EXPECT_THAT(Brief(ParsePack(absl::StrCat(kChart, "---\n", renamed), *set, TestNow()).findings),
              ElementsAre("5 UNKNOWN_QUEUE"));
}

// The files a server was started with meet what was published while it ran.
TEST(NewOfAPack, LeavesOutWhatIsKnownWithoutCheckingItAgain) {
  const std::string renamed = Break(kDirectory, {"", "{id: intake", "{id: reception", {}});
  const std::string moved = Break(kChart, {"", "default_queue: intake", "default_queue: reception", {}});
  PolicySetPtr set = Publish(Publish(std::make_shared<PolicySet>(), kDirectory), kChart);
  set = Publish(set, absl::StrCat(renamed, "---\n", moved));
  for (const char* old : {kDirectory, kChart}) {
    EXPECT_THAT(ParsePack(old, *set, TestNow()).findings, ::testing::Not(IsEmpty()));
    const Pack pack = ParseNewOf(old, *set, TestNow());
    EXPECT_THAT(pack.findings, IsEmpty());
    EXPECT_THAT(pack.documents, IsEmpty());
    EXPECT_FALSE(pack.directory.has_value());
  }
  const std::string other = Break(kChart, {"", "workflow: mini", "workflow: other", {}});
  EXPECT_THAT(Brief(ParseNewOf(other, *set, TestNow()).findings), ElementsAre("5 UNKNOWN_QUEUE"));
}

}  // namespace
}  // namespace docket::policy
