#include "tools/import/row_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "absl/time/time.h"

namespace docket::import_tool {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<int> OrderedMinutes(const std::vector<int>& minutes) {
  std::vector<absl::Time> times;
  for (const int minute : minutes) times.push_back(absl::FromUnixSeconds(60 * minute));
  std::vector<int> ordered;
  for (const absl::Time time : InOrder(times)) ordered.push_back(static_cast<int>(absl::ToUnixSeconds(time) / 60));
  return ordered;
}

TEST(InOrderTest, OneWrongTimeMovesOneRow) {
  EXPECT_THAT(OrderedMinutes({}), IsEmpty());
  EXPECT_THAT(OrderedMinutes({1, 1, 2, 3}), ElementsAre(1, 1, 2, 3));
  EXPECT_THAT(OrderedMinutes({70, 52, 63, 90}), ElementsAre(52, 52, 63, 90));
  EXPECT_THAT(OrderedMinutes({1, 99, 2, 3}), ElementsAre(1, 1, 2, 3));
  EXPECT_THAT(OrderedMinutes({5, 6, 7, 0}), ElementsAre(5, 6, 7, 7));
  EXPECT_THAT(OrderedMinutes({5, 4}), ElementsAre(5, 5));
  EXPECT_THAT(OrderedMinutes({3, 2, 1}), ElementsAre(3, 3, 3));
}

TEST(InOrderTest, NoSeriesOfAllShortSequencesChangesMoreThanItMust) {
  // Every sequence of five values out of four, against trying every subset of rows to keep.
  for (int code = 0; code < 1024; ++code) {
    std::vector<int> minutes;
    for (int i = 0; i < 5; ++i) minutes.push_back(code >> (2 * i) & 3);
    size_t most_kept = 0;
    for (int subset = 0; subset < 32; ++subset) {
      std::vector<int> kept;
      for (int i = 0; i < 5; ++i) {
        if (subset >> i & 1) kept.push_back(minutes[i]);
      }
      if (std::is_sorted(kept.begin(), kept.end())) most_kept = std::max(most_kept, kept.size());
    }
    const std::vector<int> ordered = OrderedMinutes(minutes);
    ASSERT_TRUE(std::is_sorted(ordered.begin(), ordered.end())) << ::testing::PrintToString(minutes);
    size_t unchanged = 0;
    for (int i = 0; i < 5; ++i) unchanged += ordered[i] == minutes[i];
    ASSERT_GE(unchanged, most_kept) << ::testing::PrintToString(minutes);
  }
}

}  // namespace
}  // namespace docket::import_tool
