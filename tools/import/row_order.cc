#include "tools/import/row_order.h"

#include <algorithm>
#include <cstddef>

namespace docket::import_tool {
namespace {

// Indices of the longest series that never falls. Found from the back, so that ties go to the earlier rows.
std::vector<size_t> LongestSeries(const std::vector<absl::Time>& times) {
  constexpr size_t kNone = static_cast<size_t>(-1);
  std::vector<size_t> next(times.size(), kNone);
  // heads[k]: the row that begins a series of k + 1 rows, the latest of those that do. Their times fall with k.
  std::vector<size_t> heads;
  for (size_t i = times.size(); i-- > 0;) {
    const auto longer = std::partition_point(heads.begin(), heads.end(),
                                             [&](size_t head) { return times[head] >= times[i]; });
    if (longer != heads.begin()) next[i] = *(longer - 1);
    if (longer == heads.end()) {
      heads.push_back(i);
    } else {
      *longer = i;
    }
  }
  std::vector<size_t> series;
  for (size_t i = heads.empty() ? kNone : heads.back(); i != kNone; i = next[i]) series.push_back(i);
  return series;
}

}  // namespace

std::vector<absl::Time> InOrder(const std::vector<absl::Time>& times) {
  std::vector<absl::Time> ordered = times;
  const std::vector<size_t> series = LongestSeries(times);
  size_t at = 0;  // of series: how many of its rows lie before i
  for (size_t i = 0; i < times.size(); ++i) {
    if (at < series.size() && series[at] == i) {
      ++at;
    } else {
      ordered[i] = times[series[at == 0 ? 0 : at - 1]];
    }
  }
  return ordered;
}

}  // namespace docket::import_tool
