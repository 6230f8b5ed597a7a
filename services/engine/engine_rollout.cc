// Rollouts: planning, approving, and the thread that works them off.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/engine/case_loader.h"
#include "services/engine/engine_impl.h"
#include "services/engine/rollout.h"
#include "store/view_table.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/projection/rows.h"

namespace docket::engine {
namespace {

constexpr int kRolloutWindow = 64;  // cases of a rollout that wait for the writer at once

// Counts answers; Wait lets the sender go on when fewer than `limit` are open.
class OpenAnswers {
 public:
  void Add() {
    const MutexLock lock(&mutex_);
    ++open_;
  }
  void Done(const absl::StatusOr<v1::ExecuteReply>& reply) {
    const MutexLock lock(&mutex_);
    --open_;
    if (!reply.ok()) {
      ++failed_;
    } else if (!reply->unchanged()) {
      ++cases_;
      for (const v1::HistoryEvent& event : reply->events()) clocks_ += event.event().has_clock_retargeted() ? 1 : 0;
    }
    signal_.NotifyOne();
  }
  void WaitBelow(int limit) {
    const MutexLock lock(&mutex_);
    while (open_ >= limit) signal_.Wait(&mutex_);
  }
  uint64_t cases() const {
    const MutexLock lock(&mutex_);
    return cases_;
  }
  uint64_t clocks() const {
    const MutexLock lock(&mutex_);
    return clocks_;
  }
  uint64_t failed() const {
    const MutexLock lock(&mutex_);
    return failed_;
  }

 private:
  mutable Mutex mutex_;
  CondVar signal_;
  int open_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t cases_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t clocks_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t failed_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace

bool EngineImpl::IsStopping() const {
  const MutexLock lock(&mutex_);
  return stopping_;
}

void EngineImpl::WakeJobs() {
  const MutexLock lock(&jobs_mutex_);
  jobs_wanted_ = true;
  jobs_signal_.NotifyOne();
}

const policy::Rollout* FindRollout(const policy::PolicySet& policies, const std::string& id) {
  for (const policy::Rollout* rollout : policies.Rollouts()) {
    if (rollout->plan.rollout_id() == id) return rollout;
  }
  return nullptr;
}

absl::Status EngineImpl::RecordRollout(v1::Event event, Caller caller) {
  absl::Status status;
  DOCKET_RETURN_IF_ERROR(OnWriter([&] {
    sequencer_.BeginGroup();
    status = sequencer_.RecordRollout(std::move(event), caller);
    if (status.ok()) status = FinishGroup({});
  }));
  return status;
}

absl::StatusOr<v1::PlanRolloutReply> EngineImpl::PlanRollout(
    v1::PlanRolloutRequest request, Caller caller, std::function<bool(uint64_t done, uint64_t total)> progress) {
  const ReadView view = Read();
  DOCKET_ASSIGN_OR_RETURN(v1::PolicyRolloutPlanned plan, MakeRolloutPlan(*view.policies, request, caller.principal_id));
  const policy::Rollout* known = FindRollout(*view.policies, plan.rollout_id());
  if (known != nullptr) plan = known->plan;
  DOCKET_ASSIGN_OR_RETURN(v1::PlanRolloutReply reply,
                          PreviewRollout(view, *options_.log, std::move(plan), trusted_->Now(), progress));
  if (request.dry_run() || known != nullptr) return reply;
  v1::Event event;
  *event.mutable_policy_rollout_planned() = reply.plan();
  DOCKET_RETURN_IF_ERROR(RecordRollout(std::move(event), std::move(caller)));
  return reply;
}

absl::StatusOr<v1::ApproveRolloutReply> EngineImpl::ApproveRollout(v1::ApproveRolloutRequest request, Caller caller) {
  const ReadView view = Read();
  const policy::Rollout* rollout = FindRollout(*view.policies, request.rollout_id());
  if (rollout == nullptr) {
    return Refuse(absl::StatusCode::kNotFound, "UNKNOWN_ROLLOUT",
                  absl::StrCat("rollout_id: \"", request.rollout_id(), "\" is not planned"));
  }
  v1::ApproveRolloutReply reply;
  *reply.mutable_plan() = rollout->plan;
  if (!rollout->approver.empty()) {
    reply.set_unchanged(true);
    return reply;
  }
  const v1::PolicyRolloutPlanned& plan = rollout->plan;
  const auto version = view.policies->Get(plan.kind(), plan.to().id(), plan.to().version());
  const bool published = version.ok() && version->published_by == caller.principal_id;
  if (published || plan.planned_by() == caller.principal_id) {
    return RefuseUnmet("SECOND_PERSON_MISSING", absl::StrCat("rollout ", request.rollout_id()),
                       {{"SECOND_PERSON_MISSING",
                         absl::StrCat(caller.principal_id, published ? " published the version" : " planned it",
                                      ", want somebody else to approve it"),
                         ""}});
  }
  if (view.policies->Principal(caller.principal_id) == nullptr) {
    return RefuseFields(
        "UNKNOWN_PRINCIPAL",
        {{"docket-principal", view.policies->DescribeUnknown(policy::NameKind::kPrincipal, caller.principal_id)}});
  }
  v1::Event event;
  event.mutable_policy_rollout_approved()->set_rollout_id(request.rollout_id());
  event.mutable_policy_rollout_approved()->set_approver(caller.principal_id);
  DOCKET_RETURN_IF_ERROR(RecordRollout(std::move(event), std::move(caller)));
  WakeJobs();
  return reply;
}

v1::ListRolloutsReply EngineImpl::ListRollouts() const {
  const ReadView view = Read();
  v1::ListRolloutsReply reply;
  const MutexLock lock(&jobs_mutex_);
  for (const policy::Rollout* rollout : view.policies->Rollouts()) {
    v1::ListRolloutsReply::Item* item = reply.add_rollouts();
    *item->mutable_plan() = rollout->plan;
    item->set_approver(rollout->approver);
    if (rollout->applied.has_value()) *item->mutable_applied() = *rollout->applied;
    if (const auto found = rollout_progress_.find(rollout->plan.rollout_id()); found != rollout_progress_.end()) {
      item->set_cases_done(found->second.first);
      item->set_cases_total(found->second.second);
    }
  }
  reply.set_position(view.position);
  return reply;
}

void EngineImpl::RunJobs() {
  FollowZoneData();
  for (;;) {
    {
      const MutexLock lock(&jobs_mutex_);
      while (!jobs_wanted_) jobs_signal_.Wait(&jobs_mutex_);
      jobs_wanted_ = false;
    }
    if (IsStopping()) return;
    const ReadView view = Read();
    for (const policy::Rollout* rollout : view.policies->Rollouts()) {
      if (!rollout->approver.empty() && !rollout->applied.has_value() && !IsStopping()) RollOut(rollout->plan);
    }
    PrepareCalendars();
  }
}

// Begins anew after a restart: a case that has been moved says so by its clocks, so nothing happens twice.
void EngineImpl::RollOut(const v1::PolicyRolloutPlanned& plan) {
  const ReadView view = Read();
  std::vector<std::string> cases;
  store::RowScan<projection::CaseRow> rows(*view.snapshot, view.views);
  for (; rows.Valid(); rows.Next()) {
    const auto row = rows.Get();
    if (!row.ok()) return;
    cases.push_back(row->case_id);
  }
  if (!rows.status().ok()) return;
  OpenAnswers answers;
  const CaseLoader loader(*view.snapshot, view.views, *options_.log);
  for (size_t i = 0; i < cases.size() && !IsStopping(); ++i) {
    {
      const MutexLock lock(&jobs_mutex_);
      rollout_progress_[plan.rollout_id()] = {i, cases.size()};
    }
    const auto state = loader.Load(cases[i]);
    if (state.ok() && (!state->has_value() || !ConcernsCase(**state, plan))) continue;
    answers.WaitBelow(kRolloutWindow);
    answers.Add();
    Task task = RollOutTask{cases[i], plan.rollout_id(),
                            [&answers](absl::StatusOr<v1::ExecuteReply> reply) { answers.Done(reply); }};
    if (const absl::Status pushed = Push(task, Lane::kBulk); !pushed.ok()) {
      std::get<RollOutTask>(task).done(pushed);
    }
  }
  answers.WaitBelow(1);
  if (IsStopping()) return;
  v1::Event event;
  v1::PolicyRolloutApplied* applied = event.mutable_policy_rollout_applied();
  applied->set_rollout_id(plan.rollout_id());
  applied->set_cases(answers.cases());
  applied->set_clocks(answers.clocks());
  applied->set_failed(answers.failed());
  if (!RecordRollout(std::move(event), SystemCaller()).ok()) return;  // worked off again after the next start
  const MutexLock lock(&jobs_mutex_);
  rollout_progress_[plan.rollout_id()] = {cases.size(), cases.size()};
}

}  // namespace docket::engine
