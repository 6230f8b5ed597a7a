#include "tests/services/engine/log_audit.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "store/record_format.h"
#include "workflow/base/check.h"
#include "workflow/case/replay.h"

namespace docket::testing {
namespace {

struct StreamEnd {
  uint64_t revision = 0;
  uint64_t commit_plus_1 = 0;
  std::string leaf;
};

absl::Status Broken(uint64_t commit, absl::string_view rule) {
  return absl::InternalError(absl::StrCat("commit ", commit, ": ", rule));
}

// Checks the slices of `record` against the ends of their streams, moves those on and tells the story.
absl::StatusOr<std::string> FollowSlices(const v1::CommitRecord& record, const std::string& leaf, bool from_start,
                                         std::map<std::string, StreamEnd>* ends) {
  std::string story;
  for (const v1::Slice& slice : record.slices()) {
    const std::string stream = absl::StrCat(slice.kind(), "/", slice.stream_id());
    StreamEnd& end = (*ends)[stream];
    if (from_start && slice.first_revision() != end.revision + 1) {
      return Broken(record.commit(),
                    absl::StrCat(stream, " has revision ", slice.first_revision(), " after ", end.revision));
    }
    if (from_start && (slice.prev_commit_plus_1() != end.commit_plus_1 || slice.prev_leaf() != end.leaf)) {
      return Broken(record.commit(), absl::StrCat(stream, " is not linked to the commit before it"));
    }
    end = {slice.first_revision() + slice.events_size() - 1, record.commit() + 1, leaf};
    absl::StrAppend(&story, " ", stream, "@", slice.first_revision());
    for (const v1::RecordedEvent& event : slice.events()) {
      absl::StrAppend(&story, " ", std::string(workflow::EventTypeName(event.type())), "/", event.occurred_at_us());
    }
  }
  return story;
}

}  // namespace

absl::StatusOr<AuditedLog> AuditLog(const store::EventLog& log, uint64_t from) {
  AuditedLog audited;
  std::map<std::string, StreamEnd> ends;
  std::optional<uint64_t> next_position;
  if (from == 0) next_position = 1;
  int64_t recorded_at_us = 0;
  uint64_t commit = from;
  const uint64_t commits = log.Head().commits;  // more may come while this reads
  const auto cursor = log.ReadFrom(from);
  for (;; ++commit) {
    DOCKET_ASSIGN_OR_RETURN(const std::optional<std::string> stored, cursor->Next());
    if (!stored.has_value()) break;
    DOCKET_ASSIGN_OR_RETURN(const v1::CommitRecord record, store::DecodeRecord(*stored));
    if (record.commit() != commit) return Broken(commit, absl::StrCat("says it is ", record.commit()));
    if (next_position.has_value() && record.first_position() != *next_position) {
      return Broken(commit, absl::StrCat("position ", record.first_position(), ", want ", *next_position));
    }
    next_position = record.first_position();
    for (const v1::Slice& slice : record.slices()) *next_position += slice.events_size();
    if (record.recorded_at_us() < recorded_at_us) return Broken(commit, "recorded_at goes back");
    recorded_at_us = record.recorded_at_us();
    if (!record.request_id().empty() && !audited.requests.emplace(record.request_id(), commit).second) {
      return Broken(commit, absl::StrCat("request ", record.request_id(), " took effect twice"));
    }
    DOCKET_ASSIGN_OR_RETURN(const std::string story,
                            FollowSlices(record, store::LeafHashOf(*stored), from == 0, &ends));
    audited.stories.push_back(absl::StrCat(record.request_id(), story));
  }
  if (commit < commits) return Broken(commit, absl::StrCat("the head says ", commits, " commits"));
  audited.last_position = next_position.value_or(1) - 1;
  return audited;
}

absl::Status AuditViews(engine::Engine& engine) {
  DOCKET_ASSIGN_OR_RETURN(const v1::RebuildViewsReply rebuilt, engine.Rebuild(true, [](uint64_t, uint64_t) {}));
  if (rebuilt.digests_equal()) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("views differ from what the log makes: ", rebuilt.ShortDebugString()));
}

absl::StatusOr<v1::ExecuteReply> Execute(engine::Engine& engine, const v1::ExecuteRequest& request,
                                         const std::string& principal) {
  Pending<v1::ExecuteReply> pending;
  engine.Submit(request, engine::Caller{.principal_id = principal}, engine::Lane::kInteractive, pending.Completion());
  return pending.Wait();
}

std::string FirstAnswer(v1::ExecuteReply reply) {
  reply.clear_replayed();
  return reply.SerializeAsString();
}

}  // namespace docket::testing
