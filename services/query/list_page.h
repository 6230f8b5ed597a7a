#ifndef DOCKET_SERVICES_QUERY_LIST_PAGE_H_
#define DOCKET_SERVICES_QUERY_LIST_PAGE_H_

#include <algorithm>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "services/query/page_token.h"
#include "services/query/reader.h"
#include "services/query/scan_budget.h"
#include "store/view_table.h"
#include "workflow/base/check.h"

// Pages over the rows of a view in key order.
namespace docket::query {

// The keys a list lives in: whole keys with their keyspace prefix, [lower, upper).
struct KeyRange {
  std::string lower;
  std::string upper;
};
template <class Row>
KeyRange WholeView() {
  const std::string prefix = store::KeyspacePrefix(Row::kKeyspace);
  return {prefix, store::PrefixEnd(prefix)};
}

// Where a list begins: the cursor of the request's token, or the start with `valid_at` and `known_at`.
// INVALID_ARGUMENT PAGE_TOKEN_MISMATCH as DecodePageToken.
inline absl::StatusOr<Cursor> OpenCursor(const std::string& page_token, const std::string& digest, Cursor first) {
  if (page_token.empty()) return first;
  return DecodePageToken(page_token, digest);
}

// The first key to look at: just behind the cursor, but never outside the range, whatever a forged token says.
inline std::string StartKey(const KeyRange& range, const Cursor& cursor) {
  return cursor.key.empty() ? range.lower : std::max(range.lower, cursor.key + '\0');
}

// Scans from behind `cursor` until `page_size` rows were taken, the budget is spent or the range ends; `take` says
// whether a row made it into the page. Returns the key to continue behind, "" at the end of the range.
template <class Row>
absl::StatusOr<std::string> ScanPage(const Reader& reader, const KeyRange& range, const Cursor& cursor,
                                     uint32_t page_size, ScanBudget& budget,
                                     absl::FunctionRef<absl::StatusOr<bool>(const Row&)> take) {
  const std::string start = StartKey(range, cursor);
  if (!range.upper.empty() && start >= range.upper) return std::string();
  store::RowScan<Row> scan(*reader.view.snapshot, reader.view.views, start, range.upper);
  std::string last;
  uint32_t taken = 0;
  for (; scan.Valid(); scan.Next()) {
    if (taken == page_size || !budget.Spend()) return last;
    DOCKET_ASSIGN_OR_RETURN(const Row row, scan.Get());
    DOCKET_ASSIGN_OR_RETURN(const bool took, take(row));
    taken += took ? 1 : 0;
    last.assign(scan.key().data(), scan.key().size());
  }
  DOCKET_RETURN_IF_ERROR(scan.status());
  return std::string();
}

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_LIST_PAGE_H_
