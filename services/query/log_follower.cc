#include "services/query/log_follower.h"

#include "services/query/filter_names.h"
#include "services/query/log_reader.h"
#include "workflow/base/check.h"

namespace docket::query {

absl::StatusOr<LogFollower> LogFollower::Open(const engine::Engine& engine, const v1::SubscribeRequest& request,
                                              Viewer viewer) {
  DOCKET_ASSIGN_OR_RETURN(EventMatcher matcher, EventMatcher::Make(request.filter(), viewer, /*live=*/true));
  const Reader reader = OpenReader(engine, std::move(viewer));
  FilterNames names(reader);
  names.Add(policy::NameKind::kDepartment, "filter.department", request.filter().department());
  DOCKET_RETURN_IF_ERROR(names.Check());
  DOCKET_ASSIGN_OR_RETURN(LogTail tail, LogTail::Open(reader, request.from_position()));
  return LogFollower(std::move(matcher), std::move(tail));
}

absl::StatusOr<std::optional<std::string>> LogFollower::Next(const engine::Engine& engine) {
  // The end is read before the snapshot: what the feed has published is durable, so the snapshot has its texts.
  const uint64_t end = engine.feed().next_commit();
  const Reader reader = OpenReader(engine, matcher_.viewer());
  std::string reply;
  BatchLimit limit;
  EventWriter writer(*reader.view.snapshot);
  DOCKET_ASSIGN_OR_RETURN(
      const LogTail::Step step, tail_.Advance(engine, end, &limit, [&](const v1::CommitRecord& record, uint64_t from) {
        return AppendMatchingEvents(reader, matcher_, record, from, UINT64_MAX, v1::SubscribeReply::kEventsFieldNumber,
                                    &writer, &limit, &reply);
      }));
  if (!step.any()) return std::optional<std::string>();
  AppendUint(v1::SubscribeReply::kProgressFieldNumber, tail_.progress(), &reply);
  AppendUint(v1::SubscribeReply::kCaughtUpFieldNumber, step.caught_up ? 1 : 0, &reply);
  return std::optional<std::string>(std::move(reply));
}

}  // namespace docket::query
