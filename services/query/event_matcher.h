#ifndef DOCKET_SERVICES_QUERY_EVENT_MATCHER_H_
#define DOCKET_SERVICES_QUERY_EVENT_MATCHER_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "docket/v1/audit_service.pb.h"
#include "docket/v1/record.pb.h"
#include "services/query/reader.h"

// Which stored events a reader asked for and may see.
namespace docket::query {

// A compiled docket.v1.EventFilter. Judges stored events without decoding their payloads.
class EventMatcher {
 public:
  // kInvalidArgument INVALID_FIELD: an event type that does not exist. With `live` false a department is refused too:
  // it means the accountable department at the time of the event, which only a live reader can be told cheaply.
  static absl::StatusOr<EventMatcher> Make(const v1::EventFilter& filter, Viewer viewer, bool live);

  // Everything but the department.
  bool MatchesSlice(const v1::Slice& slice) const;
  bool MatchesEvent(const v1::RecordedEvent& event) const;
  // Whether the case of `slice` belonged to the department (or one below it) when `record` was committed.
  absl::StatusOr<bool> MatchesDepartment(const Reader& reader, const v1::CommitRecord& record,
                                         const v1::Slice& slice) const;

  const Viewer& viewer() const { return viewer_; }

 private:
  Viewer viewer_;
  std::set<std::string> case_ids_;
  std::vector<uint32_t> types_;
  std::vector<int> kinds_;
  std::string department_;
};

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_EVENT_MATCHER_H_
