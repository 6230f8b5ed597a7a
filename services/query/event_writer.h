#ifndef DOCKET_SERVICES_QUERY_EVENT_WRITER_H_
#define DOCKET_SERVICES_QUERY_EVENT_WRITER_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "docket/v1/record.pb.h"
#include "store/kv.h"

// Replies of streams written as wire bytes. The payload of a stored event is already the bytes of the message inside
// docket.v1.Event, so an event without personal text is copied instead of parsed and serialised again: three times as
// many events per second. What comes out parses to exactly engine::ToHistoryEvent with its texts revealed; a test
// compares the two for every event of a log.
namespace docket::query {

// Protobuf wire format, appended. Fields with their default value are left out, as proto3 does.
void AppendUint(int field, uint64_t value, std::string* out);
void AppendBytes(int field, absl::string_view bytes, std::string* out);  // also when empty: an empty message

// Messages under construction are full at kMaxEvents or kMaxBytes, whichever comes first, or when kMaxCommits were
// looked at, so that a strict filter still reports progress.
class BatchLimit {
 public:
  static constexpr uint64_t kMaxEvents = 256;
  static constexpr size_t kMaxBytes = 256 * 1024;
  static constexpr uint64_t kMaxCommits = 4096;

  // `events` may be less than kMaxEvents, for the end of a limited reading.
  explicit BatchLimit(uint64_t events = kMaxEvents) : max_events_(events < kMaxEvents ? events : kMaxEvents) {}

  void Add(size_t bytes, uint64_t events = 1) {
    events_ += events;
    bytes_ += bytes;
  }
  void AddCommit() { ++commits_; }
  bool Full() const { return events_ >= max_events_ || bytes_ >= kMaxBytes || commits_ >= kMaxCommits; }
  uint64_t events() const { return events_; }

 private:
  const uint64_t max_events_;
  uint64_t events_ = 0;
  size_t bytes_ = 0;
  uint64_t commits_ = 0;
};

// Writes docket.v1.HistoryEvents. Not thread-safe. `snapshot` has the texts and outlives the writer.
class EventWriter {
 public:
  explicit EventWriter(const store::KvSnapshot& snapshot) : snapshot_(snapshot) {}

  // Before the events of a record; what they share is written once.
  void BeginRecord(const v1::CommitRecord& record);

  // The bytes of the event at `index` of slice `slice`; valid until the next call. kDataLoss: it does not decode.
  absl::StatusOr<absl::string_view> Write(const v1::CommitRecord& record, int slice, int index, uint64_t position);

 private:
  void Copy(const v1::Slice& slice, int index, uint64_t position, absl::string_view type);

  const store::KvSnapshot& snapshot_;
  std::string shared_;  // commit, recorded_at, actor, request_id
  std::string event_;   // the head of the Event inside
  std::string out_;
};

// Parses a stored value whose checksum was verified by whoever read it, into `record`, whose memory is used again.
// kDataLoss: unknown format or not a CommitRecord.
absl::Status ParseStored(absl::string_view stored, v1::CommitRecord* record);

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_EVENT_WRITER_H_
