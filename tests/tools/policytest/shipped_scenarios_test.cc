// Every scenario beside the shipped packs, by the way that `docket policy test` goes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "tools/policytest/run.h"
#include "tools/policytest/scenario.h"

namespace docket::policytest {
namespace {

constexpr char kPacks[] = "workflow/policy/packs";
constexpr char kTests[] = "workflow/policy/packs/tests";
constexpr absl::string_view kEnding = ".scenario.yaml";

std::vector<std::string> FilesOf(const char* folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.is_regular_file()) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class ShippedScenarios : public ::testing::TestWithParam<std::string> {};

TEST_P(ShippedScenarios, AreAsExpected) {
  const auto suite = LoadSuite(absl::StrCat(kTests, "/", GetParam()));
  ASSERT_TRUE(suite.ok()) << suite.status();
  for (const FileFinding& one : suite->findings) {
    ADD_FAILURE() << one.file << ":" << one.finding.line << ": " << one.finding.message;
  }
  if (!suite->findings.empty()) return;
  for (const Scenario& scenario : suite->scenarios) {
    for (const Difference& one : RunScenario(*suite, scenario).differences) {
      ADD_FAILURE() << suite->file << ":" << one.line << ": " << scenario.name << ", " << one.when << ": " << one.what
                    << "\n  expected " << one.expected << "\n  got      " << one.got;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Files, ShippedScenarios, ::testing::ValuesIn(FilesOf(kTests)), [](const auto& info) {
  return absl::StrReplaceAll(absl::StripSuffix(info.param, kEnding), {{"-", "_"}, {".", "_"}});
});

// A pack of promises without scenarios is one that nobody tried.
TEST(ShippedScenarios, EveryPackOfPromisesHasThem) {
  const std::vector<std::string> tests = FilesOf(kTests);
  for (const std::string& name : FilesOf(kPacks)) {
    const auto text = ShippedPack(name);
    ASSERT_TRUE(text.ok()) << text.status();
    // The history of another system is tried by importing it.
    if (!absl::StrContains(*text, "\nsla: ") || name == "servicenow-incident.yaml") continue;
    const std::string wanted = absl::StrCat(absl::StripSuffix(name, ".yaml"), kEnding);
    EXPECT_THAT(tests, ::testing::Contains(wanted)) << name;
  }
}

}  // namespace
}  // namespace docket::policytest
