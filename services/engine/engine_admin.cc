// What operators ask for: stats, rebuild, the clock.
#include "services/engine/engine_impl.h"
#include "services/engine/projector.h"
#include "store/view_table.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/projection/rows.h"

namespace docket::engine {

namespace {

// Case numbers have no gaps, so the last of each prefix and year tells how many there are without reading them all.
uint64_t CountCases(const ReadView& view) {
  const std::string all = store::KeyspacePrefix(projection::CaseNumberRow::kKeyspace);
  uint64_t count = 0;
  for (std::string lower = all; !lower.empty();) {
    const store::RowScan<projection::CaseNumberRow> first(*view.snapshot, view.views, lower);
    if (!first.Valid()) break;
    const auto row = first.Get();
    if (!row.ok()) break;
    lower = store::KeyWriter().U16(projection::CaseNumberRow::kKeyspace).Text(row->prefix).U32(row->year).Take();
    const std::string upper = store::PrefixEnd(lower);
    const auto last = view.snapshot->Last(view.views, lower, upper);
    if (!last.ok() || !last->has_value()) break;
    const auto newest = store::ParseRow<projection::CaseNumberRow>((*last)->first, (*last)->second);
    if (!newest.ok()) break;
    count += newest->counter;
    lower = upper;
  }
  return count;
}

}  // namespace

absl::Status EngineImpl::OnWriter(std::function<void()> call) {
  Mutex done_mutex;
  CondVar done_signal;
  bool done = false;
  {
    const MutexLock lock(&mutex_);
    if (stopping_) return Refuse(absl::StatusCode::kUnavailable, "STOPPING", "the server is stopping");
    interactive_.push_back(CallTask{[&] {
      call();
      const MutexLock done_lock(&done_mutex);
      done = true;
      done_signal.NotifyOne();
    }});
  }
  trusted_->Notify();
  const MutexLock lock(&done_mutex);
  while (!done) done_signal.Wait(&done_mutex);
  return absl::OkStatus();
}

absl::StatusOr<absl::Duration> EngineImpl::AcceptClock(Caller caller) {
  absl::Duration deviation;
  absl::Status status;
  const absl::Status called = OnWriter([&] {
    if (!trusted_->Suspect()) return;
    deviation = trusted_->Deviation();
    v1::Event event;
    *event.mutable_clock_accepted()->mutable_deviation() = ToProto(deviation);
    status = RecordAlone(std::move(event), caller.principal_id, caller.kind);
    if (!status.ok()) return;  // what nobody can see in the log did not happen
    trusted_->Accept();
    suspicion_recorded_ = false;
  });
  DOCKET_RETURN_IF_ERROR(called);
  DOCKET_RETURN_IF_ERROR(status);
  if (deviation == absl::ZeroDuration()) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "CLOCK_NOT_SUSPECT", "the clock is not in doubt");
  }
  return deviation;
}

absl::StatusOr<v1::RebuildViewsReply> EngineImpl::Rebuild(bool keep_old,
                                                          std::function<void(uint64_t done, uint64_t total)> progress) {
  if (rebuilding_.exchange(true)) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "REBUILD_RUNNING", "a rebuild is running");
  }
  absl::StatusOr<v1::RebuildViewsReply> reply = RebuildOnce(keep_old, [&](uint64_t done, uint64_t total) {
    progress(done, total);
    return !rebuilds_cancelled_;
  });
  rebuilding_ = false;
  return reply;
}

absl::StatusOr<v1::RebuildViewsReply> EngineImpl::RebuildOnce(bool keep_old, const Progress& progress) {
  const uint32_t old_generation = [this] {
    const MutexLock lock(&view_mutex_);
    return generation_;
  }();
  const uint32_t generation = old_generation + 2;  // the number between is scratch
  const store::Family views = store::ViewFamily(generation);
  // What a rebuild that failed has left.
  DOCKET_RETURN_IF_ERROR(DropOtherGenerations(options_.kv, old_generation));
  DOCKET_RETURN_IF_ERROR(options_.kv->CreateFamily(views));
  auto built = BuildViews(options_.kv, *options_.log, views, store::ViewFamily(old_generation + 1), progress);
  if (!built.ok()) return built.status();
  // Building took a while and commands went on; catching up takes less each time.
  DOCKET_ASSIGN_OR_RETURN(uint64_t done, CatchUpViews(options_.kv, *options_.log, views, *built));
  v1::RebuildViewsReply reply;
  DOCKET_RETURN_IF_ERROR(CompareGenerations(store::ViewFamily(old_generation), views, &done, &reply));
  if (!keep_old) {
    DOCKET_ASSIGN_OR_RETURN(done, CatchUpViews(options_.kv, *options_.log, views, done));
    absl::Status status;
    DOCKET_RETURN_IF_ERROR(OnWriter([&] {
      status = [&]() -> absl::Status {
        DOCKET_ASSIGN_OR_RETURN(done, CatchUpViews(options_.kv, *options_.log, views, done));
        return MarkComplete(options_.kv, generation);
      }();
      if (!status.ok()) return;
      sequencer_.SwitchGeneration(generation);
      wakes_from_.clear();  // of the views before
      PublishView();
    }));
    DOCKET_RETURN_IF_ERROR(status);
  }
  // Readers that still hold the old generation's snapshot keep it alive until they let go.
  DOCKET_RETURN_IF_ERROR(options_.kv->DropFamily(keep_old ? views : store::ViewFamily(old_generation)));
  reply.set_done(true);
  reply.set_commits_done(done);
  reply.set_commits_total(done);
  reply.set_generation(keep_old ? old_generation : generation);
  return reply;
}

absl::Status EngineImpl::CompareGenerations(store::Family old_views, store::Family new_views, uint64_t* done,
                                            v1::RebuildViewsReply* reply) {
  std::unique_ptr<store::KvSnapshot> snapshot;
  absl::Time recorded_at;
  absl::Status status;
  DOCKET_RETURN_IF_ERROR(OnWriter([&] {
    // Nothing is being written now: in the snapshot both generations stand at the same commit.
    const absl::StatusOr<uint64_t> caught_up = CatchUpViews(options_.kv, *options_.log, new_views, *done);
    status = caught_up.status();
    if (!status.ok()) return;
    *done = *caught_up;
    snapshot = options_.kv->Snapshot();
    recorded_at = absl::FromUnixMicros(options_.log->Head().recorded_at_us);
  }));
  DOCKET_RETURN_IF_ERROR(status);
  DOCKET_ASSIGN_OR_RETURN(const auto before, DigestViews(*snapshot, old_views, recorded_at));
  DOCKET_ASSIGN_OR_RETURN(const auto after, DigestViews(*snapshot, new_views, recorded_at));
  bool equal = true;
  for (size_t i = 0; i < before.size(); ++i) {
    equal = equal && before[i].digest() == after[i].digest();
    *reply->add_before() = before[i];
    *reply->add_after() = after[i];
  }
  reply->set_digests_equal(equal);
  return absl::OkStatus();
}

v1::GetStatsReply EngineImpl::Stats(bool with_digests) const {
  v1::GetStatsReply reply;
  const ReadView view = Read();
  reply.set_log_id(options_.log->Head().log_id);
  reply.set_commits(view.commits);
  reply.set_last_position(view.position);
  *reply.mutable_now() = ToProto(trusted_->Now());
  const absl::Status latch = WriteLatch();
  reply.set_write_disabled(!latch.ok());
  reply.set_write_disabled_reason(ReasonOf(latch));
  reply.set_disk_reserve_reached(ReasonOf(options_.kv->WriteHealth()) == "DISK_RESERVE");
  reply.set_clock_suspect(trusted_->Suspect());
  reply.set_version(options_.version);
  if (options_.free_bytes) reply.set_free_disk_bytes(options_.free_bytes());
  {
    const MutexLock lock(&mutex_);
    reply.set_queue_depth(interactive_.size() + bulk_.size());
  }
  {
    const MutexLock lock(&view_mutex_);
    reply.set_view_generation(generation_);
    reply.set_cached_cases(cached_cases_);
    reply.set_wakeups(wakeups_);
    if (next_wake_ != absl::InfiniteFuture()) *reply.mutable_next_wake_at() = ToProto(next_wake_);
  }
  reply.set_cases(CountCases(view));
  if (!with_digests) return reply;
  if (const auto digests = DigestViews(*view.snapshot, view.views, view.recorded_at); digests.ok()) {
    for (const v1::ViewDigest& one : *digests) *reply.add_views() = one;
  }
  return reply;
}

}  // namespace docket::engine
