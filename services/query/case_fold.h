#ifndef DOCKET_SERVICES_QUERY_CASE_FOLD_H_
#define DOCKET_SERVICES_QUERY_CASE_FOLD_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/event.pb.h"
#include "docket/v1/record.pb.h"
#include "services/query/reader.h"

// A case as it was: its events folded again from the log.
namespace docket::query {

// Which events count (DOMAIN R1): revision <= `revision` (0: all), occurred_at <= `valid_at`, recorded_at <=
// `known_at`.
struct AsOf {
  uint32_t revision = 0;
  absl::Time valid_at = absl::InfiniteFuture();
  absl::Time known_at = absl::InfiniteFuture();
};

// One event of a case with what it was recorded in.
struct CaseEvent {
  const v1::CommitRecord& record;
  int slice = 0;  // in the record
  int index = 0;  // in the slice
  uint32_t revision = 0;
  uint64_t position = 0;

  const v1::RecordedEvent& event() const { return record.slices(slice).events(index); }
};
// Visits the events of `record` that belong to case `case_id`, in order; false from `visit` stops.
// Returns whether to go on.
absl::StatusOr<bool> VisitCaseEvents(const v1::CommitRecord& record, absl::string_view case_id,
                                     absl::FunctionRef<absl::StatusOr<bool>(const CaseEvent&)> visit);

// Folds events one by one into a state, leaving out those that do not count.
class CaseFold {
 public:
  CaseFold(absl::string_view case_id, const AsOf& as_of) : as_of_(as_of) { state_.set_case_id(std::string(case_id)); }

  // Events in revision order. kDataLoss: an event that cannot follow.
  absl::Status Add(const CaseEvent& one);
  // No later event can count: recorded_at never decreases and revisions grow.
  bool Finished(const CaseEvent& next) const;

  bool empty() const { return state_.revision() == 0; }
  const v1::Case& state() const { return state_; }
  v1::Case Take() { return std::move(state_); }

 private:
  AsOf as_of_;
  bool skipped_ = false;
  v1::Case state_;
};

// nullopt: no event counts (the case did not exist, or was not known). Reads every record of the case.
absl::StatusOr<std::optional<v1::Case>> FoldCase(const Reader& reader, absl::string_view case_id, const AsOf& as_of);

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_CASE_FOLD_H_
