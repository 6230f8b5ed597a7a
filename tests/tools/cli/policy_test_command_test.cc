#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/cli/cli_runner.h"

namespace docket::cli {
namespace {

using ::testing::HasSubstr;

constexpr char kScenarios[] = R"(zone: Europe/London
now: 2026-11-20 16:30
as: grace.lind
packs: [shipped/directory-sample.yaml, mine.yaml, shipped/ticket-basic.yaml, shipped/sla-standard.yaml]
scenarios:
  - name: a request on Friday evening
    steps:
      - file: {kind: REQUEST}
        expect: {clocks: [{metric: FIRST_RESPONSE, due: Mon 2026-11-23 12:30}]}
  - name: a wrong hope
    steps:
      - file: {kind: REQUEST}
        expect: {clocks: [{metric: FIRST_RESPONSE, due: Mon 2026-11-23 10:00}]}
)";

class PolicyTestCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(::testing::TempDir()) / absl::StrCat("policy-test-", info->name());
    std::filesystem::create_directories(folder_);
    Write("mine.yaml", "calendar: london\nzone: Europe/London\nweek: {mon..fri: [09:00-17:00]}\n");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = (folder_ / name).string();
    std::ofstream(path) << text;
    return path;
  }

  std::filesystem::path folder_;
};

TEST_F(PolicyTestCommand, OneLineForEachScenarioAndADiffForEachFailure) {
  const std::string path = Write("a.yaml", kScenarios);
  const Ran ran = RunDocket({"policy", "test", path});
  EXPECT_EQ(ran.exit_code, kExitRefused);
  EXPECT_EQ(ran.out, absl::StrCat("ok      ", path, ":6: a request on Friday evening\n", "FAILED  ", path,
                                  ":10: a wrong hope\n"
                                  "  line 13, Fri 2026-11-20 16:30: FIRST_RESPONSE.due\n"
                                  "    expected  Mon 2026-11-23 10:00\n"
                                  "    got       Mon 2026-11-23 12:30\n"
                                  "2 scenarios, 1 failed\n"));
  EXPECT_EQ(ran.err, "");
}

TEST_F(PolicyTestCommand, WithoutADifferenceTheExitCodeIsNought) {
  const std::string text = kScenarios;
  const std::string path = Write("a.yaml", text.substr(0, text.find("  - name: a wrong hope")));
  const Ran ran = RunDocket({"policy", "test", "--show", path});
  EXPECT_EQ(ran.exit_code, kExitOk);
  EXPECT_THAT(ran.out, HasSubstr("    RESOLUTION CUSTOMER RUNNING due Wed 2026-11-25 16:30\n"));
}

TEST_F(PolicyTestCommand, JsonSaysTheSame) {
  const std::string path = Write("a.yaml", kScenarios);
  const Ran ran = RunDocket({"policy", "test", "-o", "jsonl", path});
  EXPECT_EQ(ran.exit_code, kExitRefused);
  EXPECT_THAT(ran.out, HasSubstr("\"differences\":[]"));
  EXPECT_THAT(ran.out, HasSubstr("\"expected\":\"Mon 2026-11-23 10:00\""));
  EXPECT_THAT(RunDocket({"policy", "test", "-o", "json", path}).out, HasSubstr("\"failed\":1"));
}

TEST_F(PolicyTestCommand, AWrongFileIsUsageAndNamesTheLine) {
  const std::string path = Write("a.yaml", absl::StrCat(kScenarios, "packz: []\n"));
  const Ran ran = RunDocket({"policy", "test", path});
  EXPECT_EQ(ran.exit_code, kExitUsage);
  EXPECT_THAT(ran.err, HasSubstr(absl::StrCat(path, ":14: UNKNOWN_KEY file: found the key \"packz\"")));
  EXPECT_EQ(RunDocket({"policy", "test", (folder_ / "none.yaml").string()}).exit_code, kExitUsage);
}

}  // namespace
}  // namespace docket::cli
