#include "services/query/duty_replay.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "services/query/case_fold.h"
#include "services/query/duty_filter.h"
#include "services/query/summary.h"
#include "store/view_table.h"
#include "workflow/base/check.h"
#include "workflow/case/advance.h"
#include "workflow/projection/project.h"

namespace docket::query {
namespace {

struct Found {
  projection::DutyRow row;
  std::shared_ptr<const v1::Case> state;
};

// The first `limit` rows in key order behind `after`, whatever the order they come in.
class Page {
 public:
  Page(std::string after, size_t limit) : after_(std::move(after)), limit_(limit) {}
  void Add(Found found) {
    std::string key = store::RowKey(found.row);
    if (key <= after_) return;
    rows_.emplace(std::move(key), std::move(found));
    if (rows_.size() > limit_) {
      rows_.erase(std::prev(rows_.end()));
      more_ = true;
    }
  }
  const std::map<std::string, Found>& rows() const { return rows_; }
  bool more() const { return more_; }

 private:
  std::string after_;
  size_t limit_;
  std::map<std::string, Found> rows_;
  bool more_ = false;
};

// Adds the matching duties of one state, all or only the earliest.
void AddMatching(const DutyFilter& filter, bool by_case, v1::Case state, DutyCount* count, Page* page) {
  std::vector<projection::DutyRow> matching;
  projection::Rows rows = projection::RowsOf(state);
  for (projection::DutyRow& row : rows.duties) {
    if (filter.Matches(row)) matching.push_back(std::move(row));
  }
  if (matching.empty()) return;
  for (size_t i = 0; i < matching.size(); ++i) count->Add(filter, matching[i], i == 0);
  const auto kept = std::make_shared<const v1::Case>(std::move(state));
  if (by_case) {
    const auto earliest = std::min_element(
        matching.begin(), matching.end(), [](const projection::DutyRow& a, const projection::DutyRow& b) {
          return std::tie(a.late_from_us, a.clock_no) < std::tie(b.late_from_us, b.clock_no);
        });
    page->Add({*earliest, kept});
    return;
  }
  for (projection::DutyRow& row : matching) page->Add({std::move(row), kept});
}

// Folds every case into `count` and `page`.
absl::Status FoldAll(const Reader& reader, const DutyFilter& filter, const AsOf& as_of, bool by_case, DutyCount* count,
                     Page* page) {
  store::RowScan<projection::CaseRow> scan(*reader.view.snapshot, reader.view.views);
  for (; scan.Valid(); scan.Next()) {
    if (reader.abandoned && reader.abandoned()) return absl::CancelledError("the caller has gone");
    DOCKET_ASSIGN_OR_RETURN(const projection::CaseRow row, scan.Get());
    DOCKET_ASSIGN_OR_RETURN(std::optional<v1::Case> state, FoldCase(reader, row.case_id, as_of));
    if (state.has_value()) AddMatching(filter, by_case, *std::move(state), count, page);
  }
  return scan.status();
}

}  // namespace

absl::Status DutiesByReplay(const Reader& reader, const v1::ListDutiesRequest& request, const std::string& query_digest,
                            Cursor cursor, v1::ListDutiesReply* reply) {
  const DutyFilter filter(reader, request, cursor.valid_at);
  const AsOf as_of{.valid_at = cursor.valid_at, .known_at = cursor.known_at};
  const bool with_header = cursor.key.empty();
  DutyCount count;
  Page page(cursor.key, PageSize(request.page_size()));
  DOCKET_RETURN_IF_ERROR(EnterReplay(reader));
  const absl::Status folded = FoldAll(reader, filter, as_of, request.by_case(), &count, &page);
  LeaveReplay(reader);
  DOCKET_RETURN_IF_ERROR(folded);
  for (const auto& [key, found] : page.rows()) {
    DOCKET_ASSIGN_OR_RETURN(const v1::Case then,
                            workflow::StateAt(*found.state, *reader.view.policies, cursor.valid_at));
    v1::ListDutiesReply::Item item = DutyItem(filter, found.row, then, cursor.valid_at);
    DOCKET_ASSIGN_OR_RETURN(*item.mutable_case_(), Summarise(reader, then));
    *reply->add_items() = std::move(item);
    cursor.key = key;
  }
  if (with_header) *reply->mutable_header() = count.Header(/*complete=*/true);
  if (page.more()) reply->set_next_page_token(EncodePageToken(query_digest, cursor));
  return absl::OkStatus();
}

}  // namespace docket::query
