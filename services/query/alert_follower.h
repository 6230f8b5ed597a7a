#ifndef DOCKET_SERVICES_QUERY_ALERT_FOLLOWER_H_
#define DOCKET_SERVICES_QUERY_ALERT_FOLLOWER_H_

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "docket/v1/alert.pb.h"
#include "services/engine/engine.h"
#include "services/query/alerts.h"
#include "services/query/log_tail.h"
#include "services/query/reader.h"

namespace docket::query {

// Follows the alerts of the log for ever, one message at a time. It pulls; between messages it keeps the states of the
// cases it told of last. Not thread-safe.
class AlertFollower {
 public:
  // kOutOfRange POSITION_BEYOND_END: from_position lies more than one past the end. kInvalidArgument
  // UNKNOWN_DEPARTMENT, UNKNOWN_METRIC or UNKNOWN_PRINCIPAL: a name in the filter that nobody ever had.
  static absl::StatusOr<AlertFollower> Open(const engine::Engine& engine, const v1::WatchAlertsRequest& request,
                                            Viewer viewer);

  // nullopt: nothing new yet. At most BatchLimit::kMaxEvents alerts, but always those of a whole commit. Register with
  // Feed::Subscribe before calling, so that what is published after a nullopt is not missed.
  absl::StatusOr<std::optional<v1::WatchAlertsReply>> Next(const engine::Engine& engine);

 private:
  AlertFollower(AlertMatcher matcher, LogTail tail) : matcher_(std::move(matcher)), tail_(std::move(tail)) {}

  AlertMatcher matcher_;
  LogTail tail_;
  AlertBuilder builder_;
};

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_ALERT_FOLLOWER_H_
