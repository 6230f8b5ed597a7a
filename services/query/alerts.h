#ifndef DOCKET_SERVICES_QUERY_ALERTS_H_
#define DOCKET_SERVICES_QUERY_ALERTS_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "docket/v1/alert.pb.h"
#include "docket/v1/record.pb.h"
#include "services/engine/case_cache.h"
#include "services/query/filter_names.h"
#include "services/query/reader.h"

// Alerts as a function of the log: what people are told of warnings, breaches and escalations, of what waits for a
// second person, rollouts of policies too, and of what a department is asked for. Nothing is told of imported histories
// (DOMAIN R13), nor of levels of a ladder that were passed.
namespace docket::query {

// A compiled docket.v1.AlertFilter.
class AlertMatcher {
 public:
  AlertMatcher(const v1::AlertFilter& filter, Viewer viewer);

  // What can be told from the stored event alone, before its case is loaded.
  bool MayMatch(const v1::RecordedEvent& event) const;
  bool Matches(const Reader& reader, const v1::Alert& alert) const;

  const Viewer& viewer() const { return viewer_; }

 private:
  v1::AlertFilter filter_;
  Viewer viewer_;
  std::set<uint32_t> types_;
};

// Adds the names of `filter` to what is checked; `field` is its path in the request.
void AddNames(const v1::AlertFilter& filter, const std::string& field, FilterNames* names);

// Builds alerts from commits. An event of a clock names little more than the clock, so the case is folded up to it;
// states are kept from one alert to the next, up to kHeldCases. Not thread-safe.
class AlertBuilder {
 public:
  static constexpr size_t kHeldCases = 128;  // about 8 KiB each

  // The alerts among the events of `record` from position `from` on, in order. REQUIRES: the record is of the reader's
  // log. kDataLoss: an event does not follow.
  absl::StatusOr<std::vector<v1::Alert>> Build(const Reader& reader, const AlertMatcher& matcher,
                                               const v1::CommitRecord& record, uint64_t from);

 private:
  absl::StatusOr<engine::LoadedCase*> StateBefore(const Reader& reader, const v1::Slice& slice);
  absl::Status BuildSlice(const Reader& reader, const AlertMatcher& matcher, const v1::CommitRecord& record,
                          const v1::Slice& slice, uint64_t first_position, uint64_t from, std::vector<v1::Alert>* out);

  engine::CaseCache cases_{kHeldCases};
};

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_ALERTS_H_
