// The writer thread: one group of commands after another.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/engine/engine_impl.h"
#include "store/record_format.h"
#include "store/view_table.h"
#include "workflow/base/failpoint.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/projection/rows.h"

namespace docket::engine {
namespace {

constexpr absl::Duration kLongestSleep = absl::Seconds(1);  // only to notice a stepped clock
constexpr absl::Duration kRetryAfterDiskReserve = absl::Seconds(10);
// Timers that could not be recorded (a full disk, a block that cannot be read) are not tried again before this.
constexpr absl::Duration kTimersRest = absl::Seconds(1);
constexpr size_t kMaxWakesLooked = 16 * kTimersPerGroup;  // so that some broken cases do not keep the others back

}  // namespace

absl::Time EngineImpl::FindNextWake(const ReadView& view) {
  store::RowScan<projection::WakeRow> wakes(*view.snapshot, view.views, wakes_from_);
  if (wakes.Valid()) {
    wakes_from_ = std::string(wakes.key());
    const auto row = wakes.Get();
    return row.ok() ? absl::FromUnixMicros(row->at_us) : absl::InfiniteFuture();
  }
  if (!wakes.status().ok()) {
    wakes_from_.clear();
    return absl::InfinitePast();  // something may be due: the timers look again
  }
  wakes_from_ = store::PrefixEnd(store::KeyspacePrefix(projection::WakeRow::kKeyspace));
  return absl::InfiniteFuture();
}

void EngineImpl::PublishView() {
  ReadView view;
  const store::LogHead head = options_.log->Head();
  view.snapshot = options_.kv->Snapshot();
  view.views = store::ViewFamily(sequencer_.view_generation());
  view.position = head.next_position - 1;
  view.commits = head.commits;
  view.recorded_at = absl::FromUnixMicros(head.recorded_at_us);
  view.policies = sequencer_.policies();
  const absl::Time next = FindNextWake(view);
  const MutexLock lock(&view_mutex_);
  view_ = std::move(view);
  next_wake_ = next;
  cached_cases_ = sequencer_.cached_cases();
  generation_ = sequencer_.view_generation();
}

bool EngineImpl::WaitForWork(std::vector<Task>* tasks, bool* timers_due) {
  for (;;) {
    NoticeClock();
    const absl::Time now = trusted_->Now();
    const absl::Duration rest = timers_rest_until_ - trusted_->Monotonic();
    absl::Time next = absl::InfiniteFuture();
    if (options_.run_timers && !trusted_->Suspect() && WriteLatch().ok()) {
      const MutexLock lock(&view_mutex_);
      next = next_wake_;
    }
    *timers_due = next <= now && rest <= absl::ZeroDuration();
    {
      const MutexLock lock(&mutex_);
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
    trusted_->WaitFor(std::min(kLongestSleep, std::max(rest, next - now)));
  }
}

void EngineImpl::Run() {
  schema_recorded_ = configuration_.schema_digest == store::Sha256(SchemaDescriptors());
  RecordSchema();
  NoticeWhatWasMissed();
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
    if (!group.empty() || timers_due) {
      RecordSchema();  // before anything else of this binary, if the disk refused it so far
      RunGroup(std::move(group), timers_due);
    }
    for (const auto& call : calls) call();
  }
}

void EngineImpl::Prepare(Answered* answered) {
  if (auto* execute = std::get_if<ExecuteTask>(&answered->task); execute != nullptr) {
    answered->reply = sequencer_.Execute(execute->request, execute->caller).answer;
  } else if (auto* take = std::get_if<TakeNextTask>(&answered->task); take != nullptr) {
    answered->reply = sequencer_.TakeNext(take->queue, take->request_id, take->caller).answer;
  } else if (auto* roll_out = std::get_if<RollOutTask>(&answered->task); roll_out != nullptr) {
    answered->reply = sequencer_.RollOut(roll_out->case_id, roll_out->rollout_id).answer;
  } else if (auto* publish = std::get_if<PublishTask>(&answered->task); publish != nullptr) {
    answered->publication =
        sequencer_.Publish(publish->request, publish->caller, publish->pack, publish->parsed_against.get()).answer;
  } else if (auto* absence = std::get_if<AbsenceTask>(&answered->task); absence != nullptr) {
    answered->absence = sequencer_.ChangeAbsence(absence->change, absence->caller).answer;
  }
}

bool EngineImpl::CommandsWait() const {
  const MutexLock lock(&mutex_);
  return !interactive_.empty();
}

// `commands`: somebody waits for the end of this group.
EngineImpl::Fired EngineImpl::FireTimers(bool commands) {
  {
    const MutexLock lock(&view_mutex_);
    ++wakeups_;
  }
  metrics_.timer_wakeups.Increment();
  const absl::Time now = trusted_->Now();
  const ReadView view = Read();
  store::RowScan<projection::WakeRow> wakes(*view.snapshot, view.views, wakes_from_);
  const absl::Duration began = trusted_->Monotonic();
  const auto spent = [&] { return trusted_->Monotonic() - began >= kTimersSlice && (commands || CommandsWait()); };
  Fired fired;
  for (size_t looked = 0; wakes.Valid() && fired.cases < kTimersPerGroup && looked < kMaxWakesLooked;
       wakes.Next(), ++looked) {
    if (fired.cases > 0 && (spent() || sequencer_.staged_bytes() >= kMaxGroupBytes)) break;
    const auto row = wakes.Get();
    if (!row.ok()) break;
    const absl::Time due = absl::FromUnixMicros(row->at_us);
    fired.all = due > now;
    if (fired.all) break;
    const Prepared prepared = sequencer_.Advance(row->case_id);
    if (prepared.staged) {
      metrics_.timer_late_seconds.Observe(absl::ToDoubleSeconds(now - due));
      if (catch_up_.has_value() && due <= FromProto(catch_up_->to())) ++fired.missed;
    }
    // Unchanged, but not so in the snapshot: a command of this group came first.
    if (prepared.staged || (prepared.answer.ok() && sequencer_.staged_commits() > 0)) ++fired.cases;
  }
  fired.all = fired.all || (!wakes.Valid() && wakes.status().ok());
  return fired;
}

// Tells, in the group of the last of them, that what was missed before the start is recorded. Returns what is left to
// do when the group is.
std::optional<v1::TimerCatchUp> EngineImpl::GoOnCatchingUp(const Fired& fired) {
  if (!catch_up_.has_value()) return std::nullopt;
  v1::TimerCatchUp catch_up = *catch_up_;
  catch_up.set_fired(catch_up.fired() + fired.missed);
  if (!fired.all) return catch_up;
  if (catch_up.fired() == 0) return std::nullopt;  // commands came before
  v1::Event event;
  *event.mutable_timer_catch_up() = catch_up;
  const absl::Status staged = sequencer_.RecordSystem(std::move(event), kSystemPrincipal, v1::ACTOR_KIND_SYSTEM_RULE);
  return staged.ok() ? std::nullopt : std::make_optional(catch_up);
}

void EngineImpl::GiveBack(std::vector<Task> tasks, size_t from) {
  const MutexLock lock(&mutex_);
  for (size_t i = tasks.size(); i > from; --i) {
    const auto* execute = std::get_if<ExecuteTask>(&tasks[i - 1]);
    const bool rolls_out = std::holds_alternative<RollOutTask>(tasks[i - 1]);
    const Lane lane = execute != nullptr ? execute->lane : rolls_out ? Lane::kBulk : Lane::kInteractive;
    queue(lane).push_front(std::move(tasks[i - 1]));
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
  if (next < tasks.size()) GiveBack(std::move(tasks), next);  // the group is full in bytes
  if (!timers_due) {
    FinishGroup(std::move(group)).IgnoreError();  // every command was told
    return;
  }
  const Fired fired = FireTimers(!group.empty());
  std::optional<v1::TimerCatchUp> catch_up = GoOnCatchingUp(fired);
  const absl::Status finished = FinishGroup(std::move(group));
  if (finished.ok()) catch_up_ = std::move(catch_up);
  if (fired.cases > 0 && finished.ok()) return;
  timers_rest_until_ = trusted_->Monotonic() + kTimersRest;
  if (finished.ok()) PublishView();  // what is due next may have been unreadable
}

absl::Status EngineImpl::FinishGroup(std::vector<Answered> group) {
  const size_t commits = sequencer_.staged_commits();
  const absl::Duration before = trusted_->Monotonic();
  if (commits > 0) DOCKET_FAILPOINT("engine.before_append");
  absl::StatusOr<Sequencer::Committed> committed = sequencer_.Commit();
  if (commits > 0) DOCKET_FAILPOINT("engine.after_append");
  if (commits > 0) {
    metrics_.append_seconds.Observe(absl::ToDoubleSeconds(trusted_->Monotonic() - before));
    metrics_.group_commands.Observe(static_cast<double>(commits));
  }
  if (committed.ok() && commits > 0) {
    metrics_.commands_accepted.Increment(static_cast<double>(commits));
    if (!committed->first_wake.empty()) wakes_from_ = std::min(wakes_from_, committed->first_wake);
    PublishView();
    feed_.Publish(std::move(committed->records), committed->bytes);
  }
  absl::Status failure = committed.status();
  if (failure.code() == absl::StatusCode::kResourceExhausted) failure = WithRetryAfter(failure, kRetryAfterDiskReserve);
  if (absl::IsUnavailable(failure)) append_failed_ = true;
  if (commits > 0) DOCKET_FAILPOINT("engine.before_answer");
  for (Answered& one : group) {
    // A refusal may rest on what an earlier command of the group did; if the group is lost, so is its ground.
    if (!failure.ok()) {
      one.reply = failure;
      one.publication = failure;
      one.absence = failure;
    }
    if (auto* execute = std::get_if<ExecuteTask>(&one.task); execute != nullptr) {
      if (!one.reply.ok()) metrics_.commands_refused.Increment();
      execute->done(std::move(one.reply));
    } else if (auto* take = std::get_if<TakeNextTask>(&one.task); take != nullptr) {
      take->done(std::move(one.reply));
    } else if (auto* roll_out = std::get_if<RollOutTask>(&one.task); roll_out != nullptr) {
      roll_out->done(std::move(one.reply));
    } else if (auto* publish = std::get_if<PublishTask>(&one.task); publish != nullptr) {
      publish->done(std::move(one.publication));
    } else if (auto* absence = std::get_if<AbsenceTask>(&one.task); absence != nullptr) {
      absence->done(std::move(one.absence));
    }
  }
  return failure;
}

absl::Status EngineImpl::RecordAlone(v1::Event event, const std::string& principal_id, v1::ActorKind kind) {
  sequencer_.BeginGroup();
  const absl::Status staged = sequencer_.RecordSystem(std::move(event), principal_id, kind);
  return staged.ok() ? FinishGroup({}) : staged;
}

void EngineImpl::NoticeWhatWasMissed() {
  const absl::Time now = trusted_->Now();
  const MutexLock lock(&view_mutex_);
  if (!options_.run_timers || next_wake_ > now || next_wake_ == absl::InfinitePast()) return;
  *catch_up_.emplace().mutable_from() = ToProto(next_wake_);
  *catch_up_->mutable_to() = ToProto(now);
}

void EngineImpl::NoticeClock() {
  const bool suspect = trusted_->Suspect();
  metrics_.clock_suspect.Set(suspect ? 1 : 0);
  if (!suspect || suspicion_recorded_ || !WriteLatch().ok()) return;
  v1::Event event;
  *event.mutable_clock_suspected()->mutable_deviation() = ToProto(trusted_->Deviation());
  suspicion_recorded_ = RecordAlone(std::move(event), kSystemPrincipal, v1::ACTOR_KIND_SYSTEM_RULE).ok();
}

void EngineImpl::RecordSchema() {
  if (schema_recorded_ || !WriteLatch().ok()) return;
  const std::string descriptors = SchemaDescriptors();
  v1::Event event;
  v1::SchemaRecorded* schema = event.mutable_schema_recorded();
  schema->set_descriptor_set(descriptors);
  schema->set_digest(store::Sha256(descriptors));
  schema->set_schema_version(kSchemaVersion);
  schema->set_binary(absl::StrCat("docketd ", options_.version));
  schema_recorded_ = RecordAlone(std::move(event), kSystemPrincipal, v1::ACTOR_KIND_SYSTEM_RULE).ok();
}

}  // namespace docket::engine
