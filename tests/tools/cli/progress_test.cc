#include "tools/cli/progress.h"

#include <algorithm>
#include <sstream>

#include "gtest/gtest.h"

namespace docket::cli {
namespace {

TEST(Progress, ElsewhereThanOnATerminalThereIsOnePlainLinePerTenth) {
  std::ostringstream out;
  Progress progress(out, /*terminal=*/false, "rows");
  for (int i = 0; i <= 20; ++i) progress.Update(i, 20);
  progress.Finish();
  const std::string text = out.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 11);
  EXPECT_EQ(text.substr(0, text.find('\n')), "rows: 0 of 20");
  EXPECT_NE(text.find("rows: 20 of 20\n"), std::string::npos);
  EXPECT_EQ(text.find('\r'), std::string::npos);
}

TEST(Progress, ATerminalGetsOneLineThatIsRedrawn) {
  std::ostringstream out;
  Progress progress(out, /*terminal=*/true, "rows");
  progress.Update(1, 4);
  progress.Update(4, 4);
  progress.Finish();
  const std::string text = out.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\r'), 2);
  EXPECT_NE(text.find("25% 1 of 4"), std::string::npos);
  EXPECT_NE(text.find("[##############################] 100% 4 of 4\n"), std::string::npos);
}

TEST(Progress, AnUnknownTotalIsCountedInTenThousands) {
  std::ostringstream out;
  Progress progress(out, /*terminal=*/false, "rows");
  for (int i = 1; i <= 25'000; i += 1000) progress.Update(i, 0);
  const std::string text = out.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
}

}  // namespace
}  // namespace docket::cli
