#ifndef DOCKET_SERVICES_QUERY_LOG_FOLLOWER_H_
#define DOCKET_SERVICES_QUERY_LOG_FOLLOWER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "docket/v1/audit_service.pb.h"
#include "services/engine/engine.h"
#include "services/query/event_matcher.h"
#include "services/query/reader.h"

namespace docket::query {

// Follows the log for ever, one message at a time: from the feed while it holds the next commit, from the log
// otherwise. It pulls, knowing the next position it wants, so nothing is lost or repeated at the hand-over, however
// slow the reader is, and it keeps nothing between messages. Not thread-safe.
class LogFollower {
 public:
  // kOutOfRange POSITION_BEYOND_END: from_position lies more than one past the end.
  // kInvalidArgument for a filter that cannot be answered, or a department that never was (UNKNOWN_DEPARTMENT).
  static absl::StatusOr<LogFollower> Open(const engine::Engine& engine, const v1::SubscribeRequest& request,
                                          Viewer viewer);

  // The next docket.v1.SubscribeReply, serialised; nullopt: nothing new yet. Register with Feed::Subscribe before
  // calling, so that what is published after a nullopt is not missed.
  absl::StatusOr<std::optional<std::string>> Next(const engine::Engine& engine);

 private:
  explicit LogFollower(EventMatcher matcher) : matcher_(std::move(matcher)) {}
  // From the feed, else from the log (then the follower is no longer caught up).
  absl::StatusOr<engine::Feed::Record> Fetch(const engine::Engine& engine, uint64_t commit, uint64_t end,
                                             std::unique_ptr<store::LogCursor>* cursor);

  EventMatcher matcher_;
  uint64_t next_commit_ = 0;
  uint64_t next_position_ = 1;
  bool caught_up_ = false;
};

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_LOG_FOLLOWER_H_
