#ifndef DOCKET_SERVICES_QUERY_EVENT_VIEW_H_
#define DOCKET_SERVICES_QUERY_EVENT_VIEW_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "docket/v1/audit_service.pb.h"
#include "docket/v1/case_service.pb.h"
#include "docket/v1/record.pb.h"
#include "services/query/reader.h"

// Stored events as readers see them, and the choice between them.
namespace docket::query {

// The event at `index` of slice `slice` with its texts revealed. kDataLoss: it does not decode.
absl::StatusOr<v1::HistoryEvent> View(const store::KvSnapshot& snapshot, const v1::CommitRecord& record, int slice,
                                      int index, uint64_t position);

// A compiled docket.v1.EventFilter. Judges stored events without decoding their payloads.
class EventMatcher {
 public:
  // kInvalidArgument INVALID_FIELD: an event type that does not exist. With `live` false a department is refused too: it
  // means the accountable department at the time of the event, which only a live reader can be told cheaply.
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

// A message of events under construction; full at kMaxEvents or kMaxBytes, whichever comes first.
class BatchSize {
 public:
  static constexpr int kMaxEvents = 256;
  static constexpr size_t kMaxBytes = 256 * 1024;
  static constexpr uint64_t kMaxCommits = 4096;  // looked at for one message, so that a strict filter reports progress

  void Add(size_t bytes) {
    ++events_;
    bytes_ += bytes;
  }
  void AddCommit() { ++commits_; }
  bool Full() const { return events_ >= kMaxEvents || bytes_ >= kMaxBytes || commits_ >= kMaxCommits; }

 private:
  int events_ = 0;
  size_t bytes_ = 0;
  uint64_t commits_ = 0;
};

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_EVENT_VIEW_H_
