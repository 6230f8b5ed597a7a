#ifndef DOCKET_SERVICES_QUERY_LOG_FOLLOWER_H_
#define DOCKET_SERVICES_QUERY_LOG_FOLLOWER_H_

#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "docket/v1/audit_service.pb.h"
#include "services/engine/engine.h"
#include "services/query/event_matcher.h"
#include "services/query/log_tail.h"
#include "services/query/reader.h"

namespace docket::query {

// Follows the events of the log for ever, one message at a time. It pulls, and keeps nothing between messages. Not
// thread-safe.
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
  LogFollower(EventMatcher matcher, LogTail tail) : matcher_(std::move(matcher)), tail_(std::move(tail)) {}

  EventMatcher matcher_;
  LogTail tail_;
};

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_LOG_FOLLOWER_H_
