#include "services/query/duty_page.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "services/query/summary.h"
#include "workflow/base/check.h"

namespace docket::query {
namespace {

using projection::DutyRow;

// Cases of one owner that are read whole and sorted; who owns more is looked for in the list of all duties.
constexpr size_t kMaxOwnedCases = 5000;

Place PlaceOf(const DutyRow& row) { return {0, row.late_from_us, row.case_id, row.clock_no}; }

// Whether `row` is the first matching duty of its case: then it stands for the case, on whatever page it falls.
absl::StatusOr<bool> StandsForCase(const DutyQuestion& question, const DutyRow& row, const ListedCase& one) {
  DOCKET_ASSIGN_OR_RETURN(const std::vector<DutyRow> duties, DutiesOf(question.reader, one));
  return std::none_of(duties.begin(), duties.end(), [&](const DutyRow& other) {
    return PlaceOf(other) < PlaceOf(row) && question.filter.Matches(other);
  });
}

// The duty at `scan` as it was then. `one` is its case then.
absl::StatusOr<DutyRow> RowThen(const ListScan& scan, const ListedCase& one) {
  if (one.of_now && scan.duty() != nullptr) return *scan.duty();
  for (const v1::PeriodDuty& duty : one.duties) {
    if (duty.clock_no() == scan.place().item) return DutyRowOf(one, duty);
  }
  return absl::DataLossError(
      absl::StrCat("case ", one.case_id, " has no duty ", scan.place().item, ", but a row of the list says so"));
}

// Looks at one row that stood in the list.
absl::Status TakeByDue(const DutyQuestion& question, const ListScan& scan, bool of_now, DutyPage* page) {
  const DutyFilter& filter = question.filter;
  if (!of_now && !page->HasRoom() && filter.TakesAll() && SeesAll(question.reader.viewer)) {
    page->Count(scan.place(), /*late=*/true, scan.regulatory());
    return absl::OkStatus();
  }
  std::optional<ListedCase> one;
  std::optional<DutyRow> then;
  const DutyRow* row = scan.duty();
  if (!of_now || filter.AsksForWait()) {
    DOCKET_ASSIGN_OR_RETURN(one, MustFindListed(question.reader, scan.place().case_id, question.at));
    DOCKET_ASSIGN_OR_RETURN(then, RowThen(scan, *one));
    row = &*then;
  }
  if (one.has_value() ? !filter.Matches(*row, *one) : !filter.Matches(*row)) return absl::OkStatus();
  DOCKET_ASSIGN_OR_RETURN(const bool forbidden, filter.IsForbidden(*row));
  if (forbidden) return absl::OkStatus();
  page->Count(*row);
  if (!page->HasRoom()) return absl::OkStatus();
  if (question.request.by_case()) {
    if (!one.has_value()) {
      DOCKET_ASSIGN_OR_RETURN(one, MustFindListed(question.reader, row->case_id, question.at));
    }
    DOCKET_ASSIGN_OR_RETURN(const bool stands, StandsForCase(question, *row, *one));
    if (!stands) return absl::OkStatus();
  }
  page->Show(*row, std::move(one));
  return absl::OkStatus();
}

// The cases of the owner asked about, and of whom they stand in for; nullopt: too many.
absl::StatusOr<std::optional<std::vector<std::string>>> OwnedCases(const DutyQuestion& question) {
  std::vector<std::string> owners = question.filter.deputyship().away();
  owners.push_back(question.filter.owner());
  std::vector<std::string> ids;
  for (const std::string& owner : owners) {
    ListScan scan(question.reader, {.list = v1::LISTED_OWNED, .group = owner}, question.at, {});
    for (; scan.Valid(); scan.Next()) {
      if (!scan.stood()) continue;
      if (ids.size() == kMaxOwnedCases) return std::optional<std::vector<std::string>>();
      ids.push_back(scan.place().case_id);
    }
    DOCKET_RETURN_IF_ERROR(scan.status());
  }
  return std::optional<std::vector<std::string>>(std::move(ids));
}

}  // namespace

bool PageReach::GoOn(const Place& place, bool full) {
  if (!next_.has_value() && (full || !budget_.Spend())) next_ = place;
  if (!next_.has_value() || rows_ < counted_rows_) {
    ++rows_;
    return true;
  }
  complete_ = false;
  return false;
}

DutyPage::DutyPage(const DutyQuestion& question)
    : question_(question), size_(PageSize(question.request.page_size())), reach_(question) {}

void DutyPage::Count(const DutyRow& row) {
  if (!question_.first_page) return;
  count_.Add(question_.filter, row, cases_.insert(absl::HashOf(row.case_id)).second);
}

void DutyPage::Count(const Place& place, bool late, bool regulatory) {
  if (!question_.first_page) return;
  count_.Add(place.anchor_us, late, regulatory, cases_.insert(absl::HashOf(place.case_id)).second);
}

void DutyPage::Show(const DutyRow& row, std::optional<ListedCase> one) { rows_.push_back({row, std::move(one)}); }

absl::Status DutyPage::Finish(v1::ListDutiesReply* reply) {
  std::vector<std::string> missing;
  for (const Shown& shown : rows_) {
    if (!shown.one.has_value()) missing.push_back(shown.row.case_id);
  }
  DOCKET_ASSIGN_OR_RETURN(std::vector<ListedCase> found, MustFindAllListed(question_.reader, missing, question_.at));
  auto next_found = found.begin();
  PageTitles titles;
  for (Shown& shown : rows_) {
    if (!shown.one.has_value()) shown.one = std::move(*next_found++);
    const ListedCase& one = *shown.one;
    v1::ListDutiesReply::Item& item = *reply->add_items();
    item = DutyItem(question_.filter, shown.row, one, question_.at);
    DOCKET_ASSIGN_OR_RETURN(*item.mutable_case_(), Summarise(question_.reader, one, question_.at));
    titles.Add(one);
  }
  if (question_.first_page) *reply->mutable_header() = count_.Header(reach_.complete());
  return titles.Reveal(question_.reader, reply->mutable_items());
}

absl::Status DutiesByDue(const DutyQuestion& question, DutyPage* page) {
  const bool of_now = NothingSince(question.reader, question.at);
  ListScan scan(question.reader, question.filter.Range(), question.at, question.start);
  for (; scan.Valid() && page->GoOn(scan.place()); scan.Next()) {
    if (scan.stood()) DOCKET_RETURN_IF_ERROR(TakeByDue(question, scan, of_now, page));
  }
  return scan.status();
}

absl::Status DutiesOfOwner(const DutyQuestion& question, DutyPage* page) {
  // "-" has no range of its own: who owns nothing is no group.
  if (question.filter.owner() == "-") return DutiesByDue(question, page);
  DOCKET_ASSIGN_OR_RETURN(const auto ids, OwnedCases(question));
  if (!ids.has_value()) return DutiesByDue(question, page);
  std::vector<std::pair<DutyRow, std::optional<ListedCase>>> rows;
  for (const std::string& id : *ids) {
    DOCKET_ASSIGN_OR_RETURN(const ListedCase one, MustFindListed(question.reader, id, question.at));
    DOCKET_ASSIGN_OR_RETURN(std::vector<DutyRow> duties, DutiesOf(question.reader, one));
    std::vector<DutyRow*> in_order;
    for (DutyRow& row : duties) in_order.push_back(&row);
    std::sort(in_order.begin(), in_order.end(), [](const auto* a, const auto* b) { return PlaceOf(*a) < PlaceOf(*b); });
    for (DutyRow* row : in_order) {
      if (!question.filter.Matches(*row, one)) continue;
      DOCKET_ASSIGN_OR_RETURN(const bool forbidden, question.filter.IsForbidden(*row));
      if (forbidden) break;  // and so are the others of the case
      page->Count(*row);
      rows.emplace_back(std::move(*row), one);
      if (question.request.by_case()) break;
    }
  }
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return PlaceOf(a.first) < PlaceOf(b.first); });
  for (auto& [row, one] : rows) {
    if (PlaceOf(row) < question.start) continue;
    if (!page->GoOn(PlaceOf(row))) break;
    if (page->HasRoom()) page->Show(row, std::move(one));
  }
  return absl::OkStatus();
}

absl::Status DutiesByWait(const DutyQuestion& question, DutyPage* page) {
  ListScan::Range range{.list = v1::LISTED_WAITING, .group = ""};
  Place from = question.start;
  from.item = 0;  // a page may end between two duties of one case
  for (ListScan scan(question.reader, range, question.at, from);; scan.Next()) {
    if (!scan.Valid()) return scan.status();
    if (!scan.stood()) {
      if (!page->GoOn(scan.place())) return absl::OkStatus();
      continue;
    }
    DOCKET_ASSIGN_OR_RETURN(const ListedCase one, MustFindListed(question.reader, scan.place().case_id, question.at));
    DOCKET_ASSIGN_OR_RETURN(const std::vector<DutyRow> duties, DutiesOf(question.reader, one));
    bool stands = false;  // some duty, on this page or the one before, stands for the case
    for (const DutyRow& row : duties) {
      const Place place{0, scan.place().anchor_us, row.case_id, row.clock_no};
      const bool before = place < question.start;
      if (!before && !page->GoOn(place)) return absl::OkStatus();
      if (!question.filter.Matches(row, one)) continue;
      const bool first = !std::exchange(stands, true);
      if (before) continue;
      page->Count(row);
      if (page->HasRoom() && (first || !question.request.by_case())) page->Show(row, one);
    }
  }
}

}  // namespace docket::query
