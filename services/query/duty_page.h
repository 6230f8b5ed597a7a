#ifndef DOCKET_SERVICES_QUERY_DUTY_PAGE_H_
#define DOCKET_SERVICES_QUERY_DUTY_PAGE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "docket/v1/queue_service.pb.h"
#include "services/query/duty_filter.h"
#include "services/query/list_scan.h"
#include "services/query/listed_case.h"
#include "services/query/page_token.h"
#include "services/query/scan_budget.h"

// What a page of duties is gathered in, whatever it is read from.
namespace docket::query {

struct DutyQuestion {
  const Reader& reader;
  const v1::ListDutiesRequest& request;
  const DutyFilter& filter;
  absl::Time at;
  Place start;
  bool first_page = true;  // then the header is counted
};

// How far a page of duties goes, and the count behind it.
class PageReach {
 public:
  // The header is counted up to this many rows, however slow the machine, and is a lower bound beyond: counting on
  // would make the first page of a million late duties cost several times that of a thousand.
  static constexpr uint32_t kCountedRows = 2000;

  explicit PageReach(const DutyQuestion& question)
      : budget_(*question.reader.clock), counted_rows_(question.first_page ? kCountedRows : 0) {}

  // Whether to look at the row at `place`. The page ends there when it is `full` or the budget spent; what is left to
  // count is looked at all the same.
  bool GoOn(const Place& place, bool full);
  // Where the next page begins; nullopt: the page has not ended.
  const std::optional<Place>& next() const { return next_; }
  // Whether everything was looked at.
  bool complete() const { return complete_; }

 private:
  ScanBudget budget_;
  const uint32_t counted_rows_;
  uint32_t rows_ = 0;
  std::optional<Place> next_;
  bool complete_ = true;
};

class DutyPage {
 public:
  explicit DutyPage(const DutyQuestion& question);

  bool GoOn(const Place& place) { return reach_.GoOn(place, rows_.size() == size_); }
  // A duty that matches stands at `place`. It is counted, and shown while there is room.
  void Count(const projection::DutyRow& row);
  void Count(const Place& place, bool late, bool regulatory);
  bool HasRoom() const { return !next().has_value() && rows_.size() < size_; }
  // REQUIRES: HasRoom().
  void Show(const projection::DutyRow& row, std::optional<ListedCase> one);

  // Items, header and the place where the next page begins.
  absl::Status Finish(v1::ListDutiesReply* reply);
  const std::optional<Place>& next() const { return reach_.next(); }

 private:
  struct Shown {
    projection::DutyRow row;
    std::optional<ListedCase> one;
  };

  const DutyQuestion& question_;
  const size_t size_;
  PageReach reach_;
  std::vector<Shown> rows_;
  DutyCount count_;
  absl::flat_hash_set<size_t> cases_;  // hashes: what is counted is not worth a copy of every id
};

// Fill `page` from the indexes: in the order of when duties are late, the cases of one owner, the cases that wait.
absl::Status DutiesByDue(const DutyQuestion& question, DutyPage* page);
absl::Status DutiesOfOwner(const DutyQuestion& question, DutyPage* page);
absl::Status DutiesByWait(const DutyQuestion& question, DutyPage* page);

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_DUTY_PAGE_H_
