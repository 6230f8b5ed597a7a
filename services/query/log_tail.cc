#include "services/query/log_tail.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/engine/replies.h"
#include "services/query/log_reader.h"
#include "store/record_format.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"

namespace docket::query {

absl::StatusOr<LogTail> LogTail::Open(const Reader& reader, uint64_t from_position) {
  LogTail tail;
  const uint64_t end = reader.view.position + 1;
  tail.next_position_ = from_position == 0 ? end : from_position;
  if (tail.next_position_ > end) {
    return Refuse(absl::StatusCode::kOutOfRange, "POSITION_BEYOND_END",
                  absl::StrCat("from_position: ", from_position, ", the next is ", end),
                  {{"position", absl::StrCat(reader.view.position)}});
  }
  tail.next_commit_ = reader.view.commits;
  if (tail.next_position_ < end) {
    DOCKET_ASSIGN_OR_RETURN(tail.next_commit_, CommitOfPosition(reader, tail.next_position_));
  }
  return tail;
}

absl::StatusOr<engine::Feed::Record> LogTail::Fetch(const engine::Engine& engine, uint64_t end,
                                                    std::unique_ptr<store::LogCursor>* cursor) {
  if (engine::Feed::Record held = engine.feed().Get(next_commit_)) {
    cursor->reset();
    return held;
  }
  caught_up_ = false;
  if (*cursor == nullptr) *cursor = engine.log().ReadFrom(next_commit_);
  DOCKET_ASSIGN_OR_RETURN(const std::optional<std::string> stored, (*cursor)->Next());
  if (!stored.has_value()) {
    return absl::DataLossError(absl::StrCat("commit ", next_commit_, " of ", end, " is not in the log"));
  }
  DOCKET_ASSIGN_OR_RETURN(v1::CommitRecord record, store::DecodeRecord(*stored));
  return std::make_shared<const v1::CommitRecord>(std::move(record));
}

absl::StatusOr<LogTail::Step> LogTail::Advance(const engine::Engine& engine, uint64_t end, BatchLimit* limit,
                                               Visit visit) {
  const uint64_t first = next_position_;
  std::unique_ptr<store::LogCursor> cursor;
  while (next_commit_ < end && !limit->Full()) {
    DOCKET_ASSIGN_OR_RETURN(const engine::Feed::Record record, Fetch(engine, end, &cursor));
    limit->AddCommit();
    DOCKET_ASSIGN_OR_RETURN(const uint64_t scanned, visit(*record, next_position_));
    next_position_ = scanned + 1;
    if (next_position_ > engine::LastPosition(*record)) ++next_commit_;
  }
  const bool caught_up_now = next_commit_ >= end && !caught_up_;
  caught_up_ = caught_up_ || caught_up_now;
  return Step{.moved = next_position_ != first, .caught_up = caught_up_now};
}

}  // namespace docket::query
