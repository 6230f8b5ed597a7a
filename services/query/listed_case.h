#ifndef DOCKET_SERVICES_QUERY_LISTED_CASE_H_
#define DOCKET_SERVICES_QUERY_LISTED_CASE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/case_service.pb.h"
#include "docket/v1/view.pb.h"
#include "services/query/reader.h"
#include "store/view_table.h"
#include "workflow/projection/rows.h"
#include "workflow/projection/standing.h"

// Cases as lists show them at an instant, read from rows: no event is folded for them.
namespace docket::query {

struct ListedCase {
  std::string case_id;
  std::string case_no;
  v1::RowFacts facts;
  v1::CaseShown shown;
  uint32_t revision = 0;
  v1::SealedText title;  // reference
  bool of_now = false;   // nothing that is shown has changed since the instant; then duties is empty, and LoadDuties
                         // reads the rows of now
  std::vector<v1::ListEntry> entries;  // of_now only
  std::vector<v1::PeriodDuty> duties;
};

// The stretches of the past of cases, read with one iterator. Not thread-safe; must not outlive the reader.
class CasePeriods {
 public:
  explicit CasePeriods(const Reader& reader) : reader_(reader) {}
  // The one in which `at_us` lies; nullopt: before the first.
  absl::StatusOr<std::optional<projection::CasePeriodRow>> Find(const std::string& case_id, int64_t at_us);

 private:
  const Reader& reader_;
  std::optional<store::RowScan<projection::CasePeriodRow>> scan_;
};

// The case at `at`, with what was recorded only; nullopt: it was not there yet. kDataLoss: its rows contradict
// each other.
absl::StatusOr<std::optional<ListedCase>> FindListed(const Reader& reader, const std::string& case_id, absl::Time at);
absl::StatusOr<std::optional<ListedCase>> FindListed(CasePeriods& periods, projection::CaseRow row, absl::Time at);
// Of a case that a row names. kDataLoss: it is not there.
absl::StatusOr<ListedCase> MustFindListed(const Reader& reader, const std::string& case_id, absl::Time at);
// Of many, in their order: a page reads its cases together.
absl::StatusOr<std::vector<ListedCase>> MustFindAllListed(const Reader& reader,
                                                          const std::vector<std::string>& case_ids, absl::Time at);
ListedCase FromRow(projection::CaseRow row);
// From a state of the past, by replay.
ListedCase FromState(const v1::Case& state);

// The open duties of a case, as rows of the duty list.
absl::StatusOr<std::vector<projection::DutyRow>> DutiesOf(const Reader& reader, const ListedCase& one);
// A duty of the past, as a row of the duty list.
projection::DutyRow DutyRowOf(const ListedCase& one, const v1::PeriodDuty& duty);

// Whether it waits at `at`: the end of a wait is true at its instant, recorded or not.
bool WaitsAt(const ListedCase& one, absl::Time at);

// What lists show of a case, but for its title: as of `at`, also where a wait is over by then and nobody has recorded
// it.
absl::StatusOr<v1::CaseSummary> Summarise(const Reader& reader, const ListedCase& one, absl::Time at);

// The titles of the cases of a page, read together.
class PageTitles {
 public:
  // In the order of the items.
  void Add(const ListedCase& one) { titles_.push_back(one.title); }
  // Sets the title of every `summary_of(i)`.
  absl::Status Reveal(const Reader& reader, absl::FunctionRef<v1::CaseSummary*(int)> summary_of) const;
  template <class Items>
  absl::Status Reveal(const Reader& reader, Items* items) const {
    return Reveal(reader, [&](int i) { return items->Mutable(i)->mutable_case_(); });
  }

 private:
  std::vector<v1::SealedText> titles_;
};

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_LISTED_CASE_H_
