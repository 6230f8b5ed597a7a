// The scenarios of tests/scenarios, word by word. With DOCKET_SCENARIO_WRITE=1 they are written anew, for new ones and
// for those whose change can be explained.
#include "tests/simulation/scenario.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"

namespace docket::testing {
namespace {

constexpr char kFolder[] = "tests/scenarios";

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    const std::string name = entry.path().filename();
    if (absl::EndsWith(name, ".scenario.txt")) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string Read(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

TEST(ScenarioTest, HappensAsWritten) {
  const std::vector<std::string> names = Names();
  EXPECT_GE(names.size(), 10u);
  for (const std::string& name : names) {
    const std::string path = std::string(kFolder) + "/" + name;
    const std::string written = Read(path);
    const std::string told = Scenario().Tell(written);
    EXPECT_FALSE(absl::StrContains(told, "this line is not understood")) << name << "\n" << told;
    if (std::getenv("DOCKET_SCENARIO_WRITE") != nullptr) {
      std::ofstream(path) << told;
      continue;
    }
    const std::vector<std::string> wanted = absl::StrSplit(written, '\n');
    const std::vector<std::string> got = absl::StrSplit(told, '\n');
    for (size_t i = 0; i < std::max(wanted.size(), got.size()); ++i) {
      ASSERT_EQ(i < got.size() ? got[i] : "(the end)", i < wanted.size() ? wanted[i] : "(the end)")
          << name << ":" << i + 1 << "\n"
          << told;
    }
  }
}

}  // namespace
}  // namespace docket::testing
