#include "services/query/alert_follower.h"

#include <vector>

#include "services/engine/replies.h"
#include "services/query/filter_names.h"
#include "workflow/base/check.h"

namespace docket::query {

absl::StatusOr<AlertFollower> AlertFollower::Open(const engine::Engine& engine, const v1::WatchAlertsRequest& request,
                                                  Viewer viewer) {
  const Reader reader = OpenReader(engine, viewer);
  FilterNames names(reader);
  AddNames(request.filter(), "filter", &names);
  DOCKET_RETURN_IF_ERROR(names.Check());
  DOCKET_ASSIGN_OR_RETURN(LogTail tail, LogTail::Open(reader, request.from_position()));
  return AlertFollower(AlertMatcher(request.filter(), std::move(viewer)), std::move(tail));
}

absl::StatusOr<std::optional<v1::WatchAlertsReply>> AlertFollower::Next(const engine::Engine& engine) {
  // The end is read before the snapshot, so that the snapshot has everything up to it.
  const uint64_t end = engine.feed().next_commit();
  const Reader reader = OpenReader(engine, matcher_.viewer());
  v1::WatchAlertsReply reply;
  BatchLimit limit;
  const auto visit = [&](const v1::CommitRecord& record, uint64_t from) -> absl::StatusOr<uint64_t> {
    DOCKET_ASSIGN_OR_RETURN(std::vector<v1::Alert> alerts, builder_.Build(reader, matcher_, record, from));
    for (v1::Alert& alert : alerts) {
      limit.Add(alert.ByteSizeLong());
      *reply.add_alerts() = std::move(alert);
    }
    return engine::LastPosition(record);
  };
  DOCKET_ASSIGN_OR_RETURN(const LogTail::Step step, tail_.Advance(engine, end, &limit, visit));
  if (!step.any()) return std::optional<v1::WatchAlertsReply>();
  reply.set_progress(tail_.progress());
  reply.set_caught_up(step.caught_up);
  return std::optional<v1::WatchAlertsReply>(std::move(reply));
}

}  // namespace docket::query
