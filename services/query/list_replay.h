#ifndef DOCKET_SERVICES_QUERY_LIST_REPLAY_H_
#define DOCKET_SERVICES_QUERY_LIST_REPLAY_H_

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/queue_service.pb.h"
#include "docket/v1/view.pb.h"
#include "services/query/duty_page.h"
#include "services/query/list_scan.h"
#include "services/query/reader.h"

// Lists as they were known at an earlier time: every case folded again, one after another. Takes time proportional to
// the log, memory to the page.
namespace docket::query {

struct ReplayTimes {
  absl::Time valid_at;
  absl::Time known_at;
};
// The position of the log at `known_at`: of the last event recorded by then, 0 before the first. A handful of records
// are read for it.
absl::StatusOr<uint64_t> PositionAt(const Reader& reader, absl::Time known_at);

// The position of the answer to a question with `cursor`.
inline absl::StatusOr<uint64_t> AnsweredPosition(const Reader& reader, const Cursor& cursor) {
  if (!cursor.by_replay) return reader.view.position;
  return PositionAt(reader, cursor.known_at);
}

// The times and the position of the answer, and how it was found.
template <class Reply>
absl::Status SayWhen(const Reader& reader, const Cursor& cursor, Reply* reply) {
  const absl::StatusOr<uint64_t> position = AnsweredPosition(reader, cursor);
  if (!position.ok()) return position.status();
  *reply->mutable_valid_at() = ToProto(cursor.valid_at);
  *reply->mutable_known_at() = ToProto(cursor.by_replay ? cursor.known_at : reader.now);
  reply->set_position(*position);
  reply->set_by_replay(cursor.by_replay);
  return absl::OkStatus();
}

// Visits every case with the state that was known then of what had occurred by then, and since when it stood where.
// kResourceExhausted REPLAY_BUSY: the reader's gate is full. kCancelled: nobody waits for the answer any more.
// Cases filed after known_at cost nothing; before the log began there are none, and the gate is not asked.
absl::Status ReplayCases(const Reader& reader, const ReplayTimes& times,
                         absl::FunctionRef<absl::Status(const v1::Case&, const v1::CaseListing&)> visit);

// The first entries of a list at a place or behind it, whatever the order they come in. `At` says where in the list.
template <class Found, class At = Place>
class FirstPlaces {
 public:
  FirstPlaces(At start, size_t limit) : start_(std::move(start)), limit_(limit) {}
  void Add(At place, Found found) {
    if (place < start_) return;
    found_.emplace(std::move(place), std::move(found));
    if (found_.size() <= limit_ + 1) return;
    found_.erase(std::prev(found_.end()));
  }
  // Visits at most `limit` entries in order; returns where the next page begins.
  absl::StatusOr<std::optional<At>> Visit(absl::FunctionRef<absl::Status(const Found&)> visit) const {
    size_t shown = 0;
    for (const auto& [place, found] : found_) {
      if (shown++ == limit_) return std::optional<At>(place);
      const absl::Status status = visit(found);
      if (!status.ok()) return status;
    }
    return std::optional<At>();
  }

 private:
  At start_;
  size_t limit_;
  std::map<At, Found> found_;
};

// Fills items, header and `next`. The header is always complete; it comes with the first page only.
absl::Status DutiesByReplay(const DutyQuestion& question, absl::Time known_at, v1::ListDutiesReply* reply,
                            std::optional<Place>* next);

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_LIST_REPLAY_H_
