#ifndef DOCKET_TOOLS_IMPORT_ROW_ORDER_H_
#define DOCKET_TOOLS_IMPORT_ROW_ORDER_H_

#include <vector>

#include "absl/time/time.h"

namespace docket::import_tool {

// Times that never fall, from times in file order, changing as few as possible: the longest series that never falls
// stays, a time outside it takes that of the row before it (of the row behind it, where none before it stays). Of two
// series equally long the one with the earlier rows stays. So one wrong time moves one row and not all behind it.
// O(n log n).
std::vector<absl::Time> InOrder(const std::vector<absl::Time>& times);

}  // namespace docket::import_tool

#endif  // DOCKET_TOOLS_IMPORT_ROW_ORDER_H_
