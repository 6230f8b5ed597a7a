#include "services/query/log_follower.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/engine/replies.h"
#include "services/query/filter_names.h"
#include "services/query/log_reader.h"
#include "store/record_format.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"

namespace docket::query {

absl::StatusOr<LogFollower> LogFollower::Open(const engine::Engine& engine, const v1::SubscribeRequest& request,
                                              Viewer viewer) {
  DOCKET_ASSIGN_OR_RETURN(EventMatcher matcher, EventMatcher::Make(request.filter(), viewer, /*live=*/true));
  LogFollower follower(std::move(matcher));
  const Reader reader = OpenReader(engine, std::move(viewer));
  FilterNames names(reader);
  names.Add(policy::NameKind::kDepartment, "filter.department", request.filter().department());
  DOCKET_RETURN_IF_ERROR(names.Check());
  const uint64_t end = reader.view.position + 1;
  follower.next_position_ = request.from_position() == 0 ? end : request.from_position();
  if (follower.next_position_ > end) {
    return Refuse(absl::StatusCode::kOutOfRange, "POSITION_BEYOND_END",
                  absl::StrCat("from_position: ", request.from_position(), ", the next is ", end),
                  {{"position", absl::StrCat(reader.view.position)}});
  }
  follower.next_commit_ = reader.view.commits;
  if (follower.next_position_ < end) {
    DOCKET_ASSIGN_OR_RETURN(follower.next_commit_, CommitOfPosition(reader, follower.next_position_));
  }
  return follower;
}

absl::StatusOr<engine::Feed::Record> LogFollower::Fetch(const engine::Engine& engine, uint64_t commit, uint64_t end,
                                                        std::unique_ptr<store::LogCursor>* cursor) {
  if (engine::Feed::Record held = engine.feed().Get(commit)) {
    cursor->reset();
    return held;
  }
  caught_up_ = false;
  if (*cursor == nullptr) *cursor = engine.log().ReadFrom(commit);
  DOCKET_ASSIGN_OR_RETURN(const std::optional<std::string> stored, (*cursor)->Next());
  if (!stored.has_value()) {
    return absl::DataLossError(absl::StrCat("commit ", commit, " of ", end, " is not in the log"));
  }
  DOCKET_ASSIGN_OR_RETURN(v1::CommitRecord record, store::DecodeRecord(*stored));
  return std::make_shared<const v1::CommitRecord>(std::move(record));
}

absl::StatusOr<std::optional<std::string>> LogFollower::Next(const engine::Engine& engine) {
  // The end is read before the snapshot: what the feed has published is durable, so the snapshot has its texts.
  const uint64_t end = engine.feed().next_commit();
  const Reader reader = OpenReader(engine, matcher_.viewer());
  std::string reply;
  BatchLimit limit;
  EventWriter writer(*reader.view.snapshot);
  const uint64_t first = next_position_;
  std::unique_ptr<store::LogCursor> cursor;
  while (next_commit_ < end && !limit.Full()) {
    DOCKET_ASSIGN_OR_RETURN(const engine::Feed::Record record, Fetch(engine, next_commit_, end, &cursor));
    limit.AddCommit();
    DOCKET_ASSIGN_OR_RETURN(const uint64_t scanned,
                            AppendMatchingEvents(reader, matcher_, *record, next_position_, UINT64_MAX,
                                                 v1::SubscribeReply::kEventsFieldNumber, &writer, &limit, &reply));
    next_position_ = scanned + 1;
    if (next_position_ > engine::LastPosition(*record)) ++next_commit_;
  }
  const bool caught_up_now = next_commit_ >= end && !caught_up_;
  if (next_position_ == first && !caught_up_now) return std::optional<std::string>();
  caught_up_ = caught_up_ || caught_up_now;
  AppendUint(v1::SubscribeReply::kProgressFieldNumber, next_position_ - 1, &reply);
  AppendUint(v1::SubscribeReply::kCaughtUpFieldNumber, caught_up_now ? 1 : 0, &reply);
  return std::optional<std::string>(std::move(reply));
}

}  // namespace docket::query
