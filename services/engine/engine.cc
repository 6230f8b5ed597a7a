#include "services/engine/engine.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <variant>

#include "absl/strings/str_cat.h"
#include "services/engine/metrics.h"
#include "services/engine/policy_loader.h"
#include "services/engine/projector.h"
#include "services/engine/rebuild.h"
#include "services/engine/sequencer.h"
#include "services/engine/trusted_clock.h"
#include "store/record_format.h"
#include "store/view_table.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"

namespace docket::engine {
namespace {

constexpr absl::Duration kLongestSleep = absl::Seconds(1);  // only to notice a stepped clock
constexpr absl::Duration kRetryAfterOverload = absl::Milliseconds(50);
constexpr absl::Duration kRetryAfterDiskReserve = absl::Seconds(10);

constexpr char kSystemPrincipal[] = "docketd";

// What waits for the writer.
struct ExecuteTask {
  v1::ExecuteRequest request;
  Caller caller;
  ExecuteDone done;
};
struct TakeNextTask {
  std::string queue;
  std::string request_id;
  Caller caller;
  ExecuteDone done;
};
struct PublishTask {
  v1::PublishPoliciesRequest request;
  Caller caller;
  policy::Pack pack;
  std::shared_ptr<const policy::PolicySet> parsed_against;
  PublishDone done;
};
// Runs on the writer thread between groups.
struct CallTask {
  std::function<void()> call;
};
using Task = std::variant<ExecuteTask, TakeNextTask, PublishTask, CallTask>;

// One task of a group with what it will be told.
struct Answered {
  Task task;
  absl::StatusOr<v1::ExecuteReply> reply = absl::UnknownError("not prepared");
  absl::StatusOr<v1::PublishPoliciesReply> publication = absl::UnknownError("not prepared");
};

absl::Status Overloaded(size_t limit) {
  return WithRetryAfter(Refuse(absl::StatusCode::kResourceExhausted, "OVERLOADED",
                               absl::StrCat(limit, " commands are waiting already; nothing was written")),
                        kRetryAfterOverload);
}

absl::Status Stopping() {
  return WithRetryAfter(Refuse(absl::StatusCode::kUnavailable, "STOPPING", "the server is stopping; nothing was written"),
                        absl::Seconds(1));
}

class EngineImpl : public Engine {
 public:
  EngineImpl(const EngineOptions& options, std::shared_ptr<TrustedClock> clock, uint32_t generation,
             Configuration configuration)
      : options_(options),
        trusted_(std::move(clock)),
        environment_{trusted_, options.environment.random},
        registry_(options.metrics != nullptr ? options.metrics : std::make_shared<prometheus::Registry>()),
        metrics_(registry_),
        feed_(options.log->Head().commits),
        configuration_(std::move(configuration)),
        sequencer_(options.kv, options.log, environment_, options.cached_cases, generation, configuration_.policies) {
    PublishView();
    writer_ = std::thread([this] { Run(); });
  }

  ~EngineImpl() override {
    Stop();
    writer_.join();
  }

  void Submit(v1::ExecuteRequest request, Caller caller, Lane lane, ExecuteDone done) override {
    if (absl::Status status = Admission(lane, 1); !status.ok()) return done(std::move(status));
    Push(ExecuteTask{std::move(request), std::move(caller), std::move(done)}, lane);
  }

  void SubmitAll(std::vector<v1::ExecuteRequest> requests, Caller caller, Lane lane,
                 std::function<void(size_t, absl::StatusOr<v1::ExecuteReply>)> done) override {
    if (absl::Status status = Admission(lane, requests.size()); !status.ok()) {
      for (size_t i = 0; i < requests.size(); ++i) done(i, status);
      return;
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      for (size_t i = 0; i < requests.size(); ++i) {
        queue(lane).push_back(ExecuteTask{std::move(requests[i]), caller, [done, i](absl::StatusOr<v1::ExecuteReply> reply) {
                                            done(i, std::move(reply));
                                          }});
      }
    }
    trusted_->Notify();
  }

  void SubmitTakeNext(std::string queue, std::string request_id, Caller caller, ExecuteDone done) override {
    if (absl::Status status = Admission(Lane::kInteractive, 1); !status.ok()) return done(std::move(status));
    Push(TakeNextTask{std::move(queue), std::move(request_id), std::move(caller), std::move(done)}, Lane::kInteractive);
  }

  void SubmitPublish(v1::PublishPoliciesRequest request, Caller caller, PublishDone done) override {
    if (absl::Status status = Admission(Lane::kInteractive, 1); !status.ok()) return done(std::move(status));
    // Parsing is slow, so it happens here; the writer repeats it only if policies changed in between.
    PublishTask task;
    task.parsed_against = Read().policies;
    task.pack = policy::ParsePack(request.yaml(), *task.parsed_against, trusted_->Now());
    task.request = std::move(request);
    task.caller = std::move(caller);
    task.done = std::move(done);
    Push(std::move(task), Lane::kInteractive);
  }

  ReadView Read() const override {
    const std::lock_guard<std::mutex> lock(view_mutex_);
    return view_;
  }

  const Feed& feed() const override { return feed_; }
  const store::EventLog& log() const override { return *options_.log; }
  const Environment& environment() const override { return environment_; }
  bool ClockSuspect() const override { return trusted_->Suspect(); }

  absl::Status WriteHealth() const override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (stopping_) return Stopping();
    }
    return options_.kv->WriteLatch();
  }

  v1::GetStatsReply Stats(bool with_digests) const override;
  absl::StatusOr<absl::Duration> AcceptClock(Caller caller) override;
  absl::StatusOr<v1::RebuildViewsReply> Rebuild(bool keep_old, Progress progress) override;

  void Stop() override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    trusted_->Notify();
  }

 private:
  std::deque<Task>& queue(Lane lane) { return lane == Lane::kInteractive ? interactive_ : bulk_; }

  absl::Status Admission(Lane lane, size_t count) {
    if (absl::Status latch = options_.kv->WriteLatch(); !latch.ok()) return latch;
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) return Stopping();
    const size_t limit = lane == Lane::kInteractive ? kMaxQueuedInteractive : kMaxQueuedBulk;
    return queue(lane).size() + count > limit ? Overloaded(limit) : absl::OkStatus();
  }

  void Push(Task task, Lane lane) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      queue(lane).push_back(std::move(task));
    }
    trusted_->Notify();
  }

  // Runs `call` on the writer thread between two groups and waits for it.
  void OnWriter(std::function<void()> call);

  void Run();
  bool WaitForWork(std::vector<Task>* tasks, bool* timers_due);
  void RunGroup(std::vector<Task> tasks, bool timers_due);
  void Prepare(Answered* answered);
  void FireTimers();
  void FinishGroup(std::vector<Answered> group);
  void PublishView();
  void NoticeClock();
  void RecordSchema();

  const EngineOptions options_;
  const std::shared_ptr<TrustedClock> trusted_;
  const Environment environment_;
  const std::shared_ptr<prometheus::Registry> registry_;
  EngineMetrics metrics_;
  Feed feed_;
  const Configuration configuration_;
  Sequencer sequencer_;  // writer only

  mutable std::mutex mutex_;
  std::deque<Task> interactive_;
  std::deque<Task> bulk_;
  bool stopping_ = false;

  mutable std::mutex view_mutex_;
  ReadView view_;
  absl::Time next_wake_ = absl::InfiniteFuture();
  uint64_t wakeups_ = 0;
  size_t cached_cases_ = 0;
  uint32_t generation_ = 0;

  std::mutex rebuild_mutex_;
  bool suspicion_recorded_ = false;  // writer only
  std::thread writer_;
};

void EngineImpl::PublishView() {
  ReadView view;
  const store::LogHead head = options_.log->Head();
  view.snapshot = options_.kv->Snapshot();
  view.views = store::ViewFamily(sequencer_.view_generation());
  view.position = head.next_position - 1;
  view.commits = head.commits;
  view.policies = sequencer_.policies();
  store::RowScan<projection::WakeRow> wakes(*view.snapshot, view.views);
  absl::Time next = absl::InfiniteFuture();
  if (wakes.Valid()) {
    if (const auto row = wakes.Get(); row.ok()) next = absl::FromUnixMicros(row->at_us);
  }
  const std::lock_guard<std::mutex> lock(view_mutex_);
  view_ = std::move(view);
  next_wake_ = next;
  cached_cases_ = sequencer_.cached_cases();
  generation_ = sequencer_.view_generation();
}

bool EngineImpl::WaitForWork(std::vector<Task>* tasks, bool* timers_due) {
  for (;;) {
    NoticeClock();
    const absl::Time now = trusted_->Now();
    absl::Time next = absl::InfiniteFuture();
    if (options_.run_timers && !trusted_->Suspect() && options_.kv->WriteLatch().ok()) {
      const std::lock_guard<std::mutex> lock(view_mutex_);
      next = next_wake_;
    }
    *timers_due = next <= now;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      metrics_.queue_depth.Set(static_cast<double>(interactive_.size() + bulk_.size()));
      // Interactive commands go first, but never so many that bulk ones make no way at all.
      const size_t bulk_share = std::min(bulk_.size(), kMinBulkPerGroup);
      while (!interactive_.empty() && tasks->size() + bulk_share < kMaxGroupCommands) {
        tasks->push_back(std::move(interactive_.front()));
        interactive_.pop_front();
      }
      while (!bulk_.empty() && tasks->size() < kMaxGroupCommands) {
        tasks->push_back(std::move(bulk_.front()));
        bulk_.pop_front();
      }
      if (tasks->empty() && stopping_) return false;
    }
    if (!tasks->empty() || *timers_due) return true;
    trusted_->WaitFor(std::min(kLongestSleep, next - now));
  }
}

void EngineImpl::Run() {
  RecordSchema();
  std::vector<Task> tasks;
  bool timers_due = false;
  while (WaitForWork(&tasks, &timers_due)) {
    std::vector<Task> group;
    std::vector<std::function<void()>> calls;
    for (Task& task : tasks) {
      if (auto* call = std::get_if<CallTask>(&task); call != nullptr) {
        calls.push_back(std::move(call->call));
      } else {
        group.push_back(std::move(task));
      }
    }
    tasks.clear();
    if (!group.empty() || timers_due) RunGroup(std::move(group), timers_due);
    for (const auto& call : calls) call();
  }
}

void EngineImpl::Prepare(Answered* answered) {
  if (auto* execute = std::get_if<ExecuteTask>(&answered->task); execute != nullptr) {
    answered->reply = sequencer_.Execute(execute->request, execute->caller).answer;
  } else if (auto* take = std::get_if<TakeNextTask>(&answered->task); take != nullptr) {
    answered->reply = sequencer_.TakeNext(take->queue, take->request_id, take->caller).answer;
  } else if (auto* publish = std::get_if<PublishTask>(&answered->task); publish != nullptr) {
    answered->publication =
        sequencer_.Publish(publish->request, publish->caller, publish->pack, publish->parsed_against.get()).answer;
  }
}

void EngineImpl::FireTimers() {
  {
    const std::lock_guard<std::mutex> lock(view_mutex_);
    ++wakeups_;
  }
  metrics_.timer_wakeups.Increment();
  const absl::Time now = trusted_->Now();
  const ReadView view = Read();
  store::RowScan<projection::WakeRow> wakes(*view.snapshot, view.views);
  for (size_t fired = 0; wakes.Valid() && fired < kTimersPerGroup; wakes.Next(), ++fired) {
    const auto row = wakes.Get();
    if (!row.ok() || absl::FromUnixMicros(row->at_us) > now) break;
    const Prepared prepared = sequencer_.Advance(row->case_id);
    if (prepared.staged) {
      metrics_.timer_late_seconds.Observe(absl::ToDoubleSeconds(now - absl::FromUnixMicros(row->at_us)));
    }
  }
}

void EngineImpl::RunGroup(std::vector<Task> tasks, bool timers_due) {
  sequencer_.BeginGroup();
  std::vector<Answered> group;
  group.reserve(tasks.size());
  size_t next = 0;
  for (; next < tasks.size() && sequencer_.staged_bytes() < kMaxGroupBytes; ++next) {
    const size_t rows = sequencer_.staged_rows();
    const size_t commits = sequencer_.staged_commits();
    group.push_back({std::move(tasks[next])});
    Prepare(&group.back());
    if (sequencer_.staged_commits() == commits + 1) {
      metrics_.rows_per_command.Observe(static_cast<double>(sequencer_.staged_rows() - rows));
    }
  }
  if (next < tasks.size()) {  // the group is full in bytes: the rest goes back to the front
    const std::lock_guard<std::mutex> lock(mutex_);
    for (size_t i = tasks.size(); i > next; --i) interactive_.push_front(std::move(tasks[i - 1]));
  }
  if (timers_due) FireTimers();
  FinishGroup(std::move(group));
}

void EngineImpl::FinishGroup(std::vector<Answered> group) {
  const size_t commits = sequencer_.staged_commits();
  const absl::Duration before = trusted_->Monotonic();
  absl::StatusOr<Sequencer::Committed> committed = sequencer_.Commit();
  if (commits > 0) {
    metrics_.append_seconds.Observe(absl::ToDoubleSeconds(trusted_->Monotonic() - before));
    metrics_.group_commands.Observe(static_cast<double>(commits));
  }
  if (committed.ok() && commits > 0) {
    metrics_.commands_accepted.Increment(static_cast<double>(commits));
    PublishView();
    feed_.Publish(std::move(committed->records), committed->bytes);
  }
  absl::Status failure = committed.status();
  if (failure.code() == absl::StatusCode::kResourceExhausted) failure = WithRetryAfter(failure, kRetryAfterDiskReserve);
  if (!failure.ok()) metrics_.write_disabled.Set(options_.kv->WriteLatch().ok() ? 0 : 1);
  for (Answered& one : group) {
    // A refusal may rest on what an earlier command of the group did; if the group is lost, so is its ground.
    if (!failure.ok()) {
      one.reply = failure;
      one.publication = failure;
    }
    if (auto* execute = std::get_if<ExecuteTask>(&one.task); execute != nullptr) {
      if (!one.reply.ok()) metrics_.commands_refused.Increment();
      execute->done(std::move(one.reply));
    } else if (auto* take = std::get_if<TakeNextTask>(&one.task); take != nullptr) {
      take->done(std::move(one.reply));
    } else if (auto* publish = std::get_if<PublishTask>(&one.task); publish != nullptr) {
      publish->done(std::move(one.publication));
    }
  }
}

void EngineImpl::NoticeClock() {
  const bool suspect = trusted_->Suspect();
  metrics_.clock_suspect.Set(suspect ? 1 : 0);
  if (!suspect || suspicion_recorded_ || !options_.kv->WriteLatch().ok()) return;
  suspicion_recorded_ = true;
  v1::Event event;
  *event.mutable_clock_suspected()->mutable_deviation() = ToProto(trusted_->Deviation());
  sequencer_.BeginGroup();
  if (sequencer_.RecordSystem(std::move(event), kSystemPrincipal, v1::ACTOR_KIND_SYSTEM_RULE).ok()) FinishGroup({});
}

void EngineImpl::RecordSchema() {
  const std::string descriptors = SchemaDescriptors();
  const std::string digest = store::Sha256(descriptors);
  if (configuration_.schema_digest == digest || !options_.kv->WriteLatch().ok()) return;
  v1::Event event;
  v1::SchemaRecorded* schema = event.mutable_schema_recorded();
  schema->set_descriptor_set(descriptors);
  schema->set_digest(digest);
  schema->set_schema_version(kSchemaVersion);
  schema->set_binary(absl::StrCat("docketd ", options_.version));
  sequencer_.BeginGroup();
  if (sequencer_.RecordSystem(std::move(event), kSystemPrincipal, v1::ACTOR_KIND_SYSTEM_RULE).ok()) FinishGroup({});
}

void EngineImpl::OnWriter(std::function<void()> call) {
  std::mutex done_mutex;
  std::condition_variable done_signal;
  bool done = false;
  Push(CallTask{[&] {
         call();
         const std::lock_guard<std::mutex> lock(done_mutex);
         done = true;
         done_signal.notify_one();
       }},
       Lane::kInteractive);
  std::unique_lock<std::mutex> lock(done_mutex);
  done_signal.wait(lock, [&] { return done; });
}

absl::StatusOr<absl::Duration> EngineImpl::AcceptClock(Caller caller) {
  absl::Duration deviation;
  absl::Status status;
  OnWriter([&] {
    if (!trusted_->Suspect()) return;
    deviation = trusted_->Accept();
    suspicion_recorded_ = false;
    v1::Event event;
    *event.mutable_clock_accepted()->mutable_deviation() = ToProto(deviation);
    sequencer_.BeginGroup();
    status = sequencer_.RecordSystem(std::move(event), caller.principal_id, caller.kind);
    if (status.ok()) FinishGroup({});
  });
  if (!status.ok()) return status;
  if (deviation == absl::ZeroDuration()) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "CLOCK_NOT_SUSPECT", "the clock is not in doubt");
  }
  return deviation;
}

absl::StatusOr<v1::RebuildViewsReply> EngineImpl::Rebuild(bool keep_old, Progress progress) {
  const std::unique_lock<std::mutex> only(rebuild_mutex_, std::try_to_lock);
  if (!only.owns_lock()) return Refuse(absl::StatusCode::kFailedPrecondition, "REBUILD_RUNNING", "a rebuild is running");
  const uint32_t old_generation = [this] {
    const std::lock_guard<std::mutex> lock(view_mutex_);
    return generation_;
  }();
  const uint32_t generation = old_generation + 2;  // the number between is scratch
  const store::Family views = store::ViewFamily(generation);
  DOCKET_RETURN_IF_ERROR(options_.kv->CreateFamily(views));
  auto built = BuildViews(options_.kv, *options_.log, views, store::ViewFamily(old_generation + 1), progress);
  if (!built.ok()) return built.status();
  absl::StatusOr<uint64_t> caught_up = CatchUpViews(options_.kv, *options_.log, views, *built);
  if (!caught_up.ok()) return caught_up.status();
  v1::RebuildViewsReply reply;
  absl::Status status;
  OnWriter([&] {
    // Nothing is being written now: both generations stand at the same commit.
    caught_up = CatchUpViews(options_.kv, *options_.log, views, *caught_up);
    status = caught_up.status();
    if (!status.ok()) return;
    const auto snapshot = options_.kv->Snapshot();
    const auto before = DigestViews(*snapshot, store::ViewFamily(old_generation));
    const auto after = DigestViews(*snapshot, views);
    status = !before.ok() ? before.status() : after.status();
    if (!status.ok()) return;
    bool equal = true;
    for (size_t i = 0; i < before->size(); ++i) {
      equal = equal && (*before)[i].digest() == (*after)[i].digest();
      *reply.add_before() = (*before)[i];
      *reply.add_after() = (*after)[i];
    }
    reply.set_digests_equal(equal);
    if (keep_old) return;
    status = MarkComplete(options_.kv, generation);
    if (!status.ok()) return;
    sequencer_.SwitchGeneration(generation);
    PublishView();
  });
  DOCKET_RETURN_IF_ERROR(status);
  // Readers that still hold the old generation's snapshot keep it alive until they let go.
  DOCKET_RETURN_IF_ERROR(options_.kv->DropFamily(keep_old ? views : store::ViewFamily(old_generation)));
  reply.set_done(true);
  reply.set_commits_done(*caught_up);
  reply.set_commits_total(*caught_up);
  reply.set_generation(keep_old ? old_generation : generation);
  return reply;
}

v1::GetStatsReply EngineImpl::Stats(bool with_digests) const {
  v1::GetStatsReply reply;
  const ReadView view = Read();
  reply.set_log_id(options_.log->Head().log_id);
  reply.set_commits(view.commits);
  reply.set_last_position(view.position);
  *reply.mutable_now() = ToProto(trusted_->Now());
  const absl::Status latch = options_.kv->WriteLatch();
  reply.set_write_disabled(!latch.ok());
  reply.set_write_disabled_reason(ReasonOf(latch));
  reply.set_clock_suspect(trusted_->Suspect());
  reply.set_version(options_.version);
  if (options_.free_bytes) reply.set_free_disk_bytes(options_.free_bytes());
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    reply.set_queue_depth(interactive_.size() + bulk_.size());
  }
  {
    const std::lock_guard<std::mutex> lock(view_mutex_);
    reply.set_view_generation(generation_);
    reply.set_cached_cases(cached_cases_);
    reply.set_wakeups(wakeups_);
    if (next_wake_ != absl::InfiniteFuture()) *reply.mutable_next_wake_at() = ToProto(next_wake_);
  }
  if (!with_digests) return reply;
  if (const auto digests = DigestViews(*view.snapshot, view.views); digests.ok()) {
    for (const v1::ViewDigest& one : *digests) {
      if (one.view() == "case") reply.set_cases(one.rows());
      *reply.add_views() = one;
    }
  }
  return reply;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Engine>> Engine::Open(const EngineOptions& options) {
  DOCKET_CHECK(options.kv != nullptr && options.log != nullptr && options.environment.clock != nullptr);
  DOCKET_ASSIGN_OR_RETURN(std::optional<uint32_t> generation, FindLiveGeneration(options.kv));
  if (!generation.has_value()) {
    // A new folder, or a binary whose views differ: fold the log. What stands there is thrown away first.
    for (const store::Family family : options.kv->Families()) {
      if (family.id >= store::ViewFamily(0).id) DOCKET_RETURN_IF_ERROR(options.kv->DropFamily(family));
    }
    generation = 1;
    DOCKET_RETURN_IF_ERROR(options.kv->CreateFamily(store::ViewFamily(1)));
    DOCKET_RETURN_IF_ERROR(BuildViews(options.kv, *options.log, store::ViewFamily(1), store::ViewFamily(2),
                                      [](uint64_t, uint64_t) {}).status());
    DOCKET_RETURN_IF_ERROR(MarkComplete(options.kv, 1));
  }
  DOCKET_RETURN_IF_ERROR(DropOtherGenerations(options.kv, *generation));
  const auto snapshot = options.kv->Snapshot();
  DOCKET_ASSIGN_OR_RETURN(Configuration configuration,
                          LoadConfiguration(*snapshot, store::ViewFamily(*generation), *options.log));
  auto clock = std::make_shared<TrustedClock>(options.environment.clock,
                                              absl::FromUnixMicros(options.log->Head().recorded_at_us));
  return std::make_unique<EngineImpl>(options, std::move(clock), *generation, std::move(configuration));
}

}  // namespace docket::engine
