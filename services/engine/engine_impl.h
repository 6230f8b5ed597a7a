#ifndef DOCKET_SERVICES_ENGINE_ENGINE_IMPL_H_
#define DOCKET_SERVICES_ENGINE_ENGINE_IMPL_H_

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "services/engine/engine.h"
#include "services/engine/metrics.h"
#include "services/engine/policy_loader.h"
#include "services/engine/rebuild.h"
#include "services/engine/sequencer.h"
#include "services/engine/trusted_clock.h"
#include "workflow/base/mutex.h"

// The engine behind engine.h; for this folder only. engine.cc takes commands in, writer.cc is the writer thread,
// engine_admin.cc what operators ask for.
namespace docket::engine {

// What waits for the writer.
struct ExecuteTask {
  v1::ExecuteRequest request;
  Caller caller;
  ExecuteDone done;
  Lane lane = Lane::kInteractive;
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
// One case of a rollout.
struct RollOutTask {
  std::string case_id;
  std::string rollout_id;
  ExecuteDone done;
};
struct AbsenceTask {
  AbsenceChange change;
  Caller caller;
  AbsenceDone done;
};
// Runs on the writer thread between groups.
struct CallTask {
  std::function<void()> call;
};
using Task = std::variant<ExecuteTask, TakeNextTask, PublishTask, RollOutTask, AbsenceTask, CallTask>;

// One task of a group with what it will be told.
struct Answered {
  Task task;
  absl::StatusOr<v1::ExecuteReply> reply = absl::UnknownError("not prepared");
  absl::StatusOr<v1::PublishPoliciesReply> publication = absl::UnknownError("not prepared");
  absl::StatusOr<v1::AbsenceReply> absence = absl::UnknownError("not prepared");
};

// The server itself, for what nobody asked for.
Caller SystemCaller();

class EngineImpl : public Engine {
 public:
  EngineImpl(const EngineOptions& options, std::shared_ptr<TrustedClock> clock, uint32_t generation,
             Configuration configuration);
  ~EngineImpl() override;

  void Submit(v1::ExecuteRequest request, Caller caller, Lane lane, ExecuteDone done) override;
  void SubmitAll(std::vector<v1::ExecuteRequest> requests, Caller caller, Lane lane,
                 std::function<void(size_t, absl::StatusOr<v1::ExecuteReply>)> done) override;
  void SubmitTakeNext(std::string queue, std::string request_id, Caller caller, ExecuteDone done) override;
  void SubmitPublish(v1::PublishPoliciesRequest request, Caller caller, PublishDone done) override;
  void SubmitAbsence(AbsenceChange change, Caller caller, AbsenceDone done) override;

  absl::StatusOr<LeaseTable::Lease> TakeLease(const std::string& case_id, const Caller& caller,
                                              absl::Duration span) override;
  bool ReleaseLease(const std::string& case_id, const Caller& caller) override;
  absl::StatusOr<v1::PlanRolloutReply> PlanRollout(
      v1::PlanRolloutRequest request, Caller caller,
      std::function<bool(uint64_t done, uint64_t total)> progress) override;
  absl::StatusOr<v1::ApproveRolloutReply> ApproveRollout(v1::ApproveRolloutRequest request, Caller caller) override;
  v1::ListRolloutsReply ListRollouts() const override;

  ReadView Read() const override {
    const MutexLock lock(&view_mutex_);
    return view_;
  }
  const Feed& feed() const override { return feed_; }
  const store::EventLog& log() const override { return *options_.log; }
  const Environment& environment() const override { return environment_; }
  bool ClockSuspect() const override { return trusted_->Suspect(); }
  absl::Status WriteHealth() const override;

  v1::GetStatsReply Stats(bool with_digests) const override;
  absl::StatusOr<absl::Duration> AcceptClock(Caller caller) override;
  absl::StatusOr<v1::RebuildViewsReply> Rebuild(bool keep_old,
                                                std::function<void(uint64_t done, uint64_t total)> progress) override;
  void CancelRebuilds() override { rebuilds_cancelled_ = true; }
  void Stop() override;

 private:
  std::deque<Task>& queue(Lane lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return lane == Lane::kInteractive ? interactive_ : bulk_;
  }

  // Why nothing can be written until the next start; OK: it can.
  absl::Status WriteLatch() const;
  // OK if `count` more commands may wait in `lane`.
  absl::Status Admission(Lane lane, size_t count) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes `task` if it may wait in `lane`; else leaves it to the caller, who says so.
  absl::Status Push(Task& task, Lane lane);

  // Runs `call` on the writer thread between two groups and waits for it. kUnavailable: stopping, not run.
  absl::Status OnWriter(std::function<void()> call);

  void Run();
  bool WaitForWork(std::vector<Task>* tasks, bool* timers_due);
  void RunGroup(std::vector<Task> tasks, bool timers_due);
  void Prepare(Answered* answered);
  // Whether any of what is due moved on.
  struct Fired {
    size_t cases = 0;
    size_t missed = 0;  // of them, those that were due before the start
    bool all = false;   // nothing that is due is left
  };
  Fired FireTimers(bool commands);
  void NoticeWhatWasMissed();
  std::optional<v1::TimerCatchUp> GoOnCatchingUp(const Fired& fired);
  bool CommandsWait() const;
  void GiveBack(std::vector<Task> tasks, size_t from);
  absl::Status FinishGroup(std::vector<Answered> group);
  absl::Status RecordAlone(v1::Event event, const std::string& principal_id, v1::ActorKind kind);
  // Waits for the commit.
  absl::Status RecordRollout(v1::Event event, Caller caller);
  // The thread of jobs: works off approved rollouts, and plans one for every new version of a calendar,
  // which new zone data makes too.
  void RunJobs();
  void RollOut(const v1::PolicyRolloutPlanned& plan);
  void PrepareCalendars();
  // Once per start: publishes calendars again that the machine's zone data makes otherwise.
  void FollowZoneData();
  void WakeJobs();
  bool IsStopping() const;
  void PublishView();
  // The instant of the first wake row; InfiniteFuture: none, InfinitePast: not readable.
  absl::Time FindNextWake(const ReadView& view);
  void NoticeClock();
  void RecordSchema();
  // Digests of both at one commit, `*done` afterwards, into `reply`; commands go on meanwhile.
  absl::Status CompareGenerations(store::Family old_views, store::Family new_views, uint64_t* done,
                                  v1::RebuildViewsReply* reply);
  absl::StatusOr<v1::RebuildViewsReply> RebuildOnce(bool keep_old, const Progress& progress);

  const EngineOptions options_;
  const std::shared_ptr<TrustedClock> trusted_;
  const Environment environment_;
  const std::shared_ptr<prometheus::Registry> registry_;
  EngineMetrics metrics_;
  Feed feed_;
  const Configuration configuration_;
  LeaseTable leases_;
  Sequencer sequencer_;  // writer only

  mutable Mutex mutex_;
  std::deque<Task> interactive_ ABSL_GUARDED_BY(mutex_);
  std::deque<Task> bulk_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  // Jobs.
  mutable Mutex jobs_mutex_;
  CondVar jobs_signal_;
  bool jobs_wanted_ ABSL_GUARDED_BY(jobs_mutex_) = true;  // something may have been approved or published
  std::map<std::string, std::pair<uint64_t, uint64_t>> rollout_progress_ ABSL_GUARDED_BY(jobs_mutex_);  // done, of
  std::set<std::string> calendars_prepared_;  // thread of jobs only: "london@2"

  mutable Mutex view_mutex_;
  ReadView view_ ABSL_GUARDED_BY(view_mutex_);
  absl::Time next_wake_ ABSL_GUARDED_BY(view_mutex_) = absl::InfiniteFuture();
  uint64_t wakeups_ ABSL_GUARDED_BY(view_mutex_) = 0;
  size_t cached_cases_ ABSL_GUARDED_BY(view_mutex_) = 0;
  uint32_t generation_ ABSL_GUARDED_BY(view_mutex_) = 0;

  std::atomic<bool> rebuilding_ = false;
  std::atomic<bool> rebuilds_cancelled_ = false;
  std::atomic<bool> append_failed_ = false;  // the log takes no more, whatever its store says
  bool suspicion_recorded_ = false;          // writer only, as is what follows
  bool schema_recorded_ = false;
  std::optional<v1::TimerCatchUp> catch_up_;                      // under way since the start
  absl::Duration timers_rest_until_ = -absl::InfiniteDuration();  // monotonic
  // No wake row of the published view has a lesser key; empty: not known. A scan from the beginning would pass all the
  // deletion marks that a wave of dues leaves behind, again for every group.
  std::string wakes_from_;
  std::thread jobs_;
  std::thread writer_;
};

}  // namespace docket::engine

#endif  // DOCKET_SERVICES_ENGINE_ENGINE_IMPL_H_
