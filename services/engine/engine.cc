#include "services/engine/engine.h"

#include "absl/strings/str_cat.h"
#include "services/engine/case_loader.h"
#include "services/engine/engine_impl.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/case/conflicted.h"

namespace docket::engine {
namespace {

constexpr absl::Duration kRetryAfterOverload = absl::Milliseconds(50);

absl::Status Overloaded(size_t limit) {
  return WithRetryAfter(Refuse(absl::StatusCode::kResourceExhausted, "OVERLOADED",
                               absl::StrCat(limit, " commands are waiting already; nothing was written")),
                        kRetryAfterOverload);
}

absl::Status Stopping() {
  return WithRetryAfter(
      Refuse(absl::StatusCode::kUnavailable, "STOPPING", "the server is stopping; nothing was written"),
      absl::Seconds(1));
}

}  // namespace

EngineImpl::EngineImpl(const EngineOptions& options, std::shared_ptr<TrustedClock> clock, uint32_t generation,
                       Configuration configuration)
    : options_(options),
      trusted_(std::move(clock)),
      environment_{trusted_, options.environment.random},
      registry_(options.metrics != nullptr ? options.metrics : std::make_shared<prometheus::Registry>()),
      metrics_(registry_),
      feed_(options.log->Head().commits),
      configuration_(std::move(configuration)),
      sequencer_(options.kv, options.log, environment_, &leases_, options.cached_cases, generation,
                 configuration_.policies) {
  PublishView();
  writer_ = std::thread([this] { Run(); });
  jobs_ = std::thread([this] { RunJobs(); });
}

EngineImpl::~EngineImpl() {
  Stop();
  jobs_.join();
  writer_.join();
}

void EngineImpl::Submit(v1::ExecuteRequest request, Caller caller, Lane lane, ExecuteDone done) {
  Task task = ExecuteTask{std::move(request), std::move(caller), std::move(done), lane};
  if (absl::Status status = Push(task, lane); !status.ok()) std::get<ExecuteTask>(task).done(std::move(status));
}

void EngineImpl::SubmitAll(std::vector<v1::ExecuteRequest> requests, Caller caller, Lane lane,
                           std::function<void(size_t, absl::StatusOr<v1::ExecuteReply>)> done) {
  absl::Status admitted;
  {
    const MutexLock lock(&mutex_);
    admitted = Admission(lane, requests.size());
    for (size_t i = 0; admitted.ok() && i < requests.size(); ++i) {
      queue(lane).push_back(
          ExecuteTask{std::move(requests[i]), caller,
                      [done, i](absl::StatusOr<v1::ExecuteReply> reply) { done(i, std::move(reply)); }, lane});
    }
  }
  if (admitted.ok()) return trusted_->Notify();
  for (size_t i = 0; i < requests.size(); ++i) done(i, admitted);
}

void EngineImpl::SubmitTakeNext(std::string queue, std::string request_id, Caller caller, ExecuteDone done) {
  Task task = TakeNextTask{std::move(queue), std::move(request_id), std::move(caller), std::move(done)};
  absl::Status status = Push(task, Lane::kInteractive);
  if (!status.ok()) std::get<TakeNextTask>(task).done(std::move(status));
}

void EngineImpl::SubmitAbsence(AbsenceChange change, Caller caller, AbsenceDone done) {
  Task task = AbsenceTask{std::move(change), std::move(caller), std::move(done)};
  absl::Status status = Push(task, Lane::kInteractive);
  if (!status.ok()) std::get<AbsenceTask>(task).done(std::move(status));
}

void EngineImpl::SubmitPublish(v1::PublishPoliciesRequest request, Caller caller, PublishDone done) {
  if (absl::Status status = WriteHealth(); !status.ok()) return done(std::move(status));
  // Parsing is slow, so it happens here; the writer repeats it only if policies changed in between.
  PublishTask publish;
  publish.parsed_against = Read().policies;
  publish.pack = ParseFor(caller, request.yaml(), *publish.parsed_against, trusted_->Now());
  publish.request = std::move(request);
  publish.caller = std::move(caller);
  publish.done = [this, done = std::move(done)](absl::StatusOr<v1::PublishPoliciesReply> reply) mutable {
    const bool published = reply.ok();
    done(std::move(reply));
    if (published) WakeJobs();
  };
  Task task = std::move(publish);
  absl::Status status = Push(task, Lane::kInteractive);
  if (!status.ok()) std::get<PublishTask>(task).done(std::move(status));
}

Caller SystemCaller() {
  Caller caller;
  caller.principal_id = kSystemPrincipal;
  caller.kind = v1::ACTOR_KIND_SYSTEM_RULE;
  caller.authentication.clear();
  return caller;
}

absl::StatusOr<LeaseTable::Lease> EngineImpl::TakeLease(const std::string& case_id, const Caller& caller,
                                                        absl::Duration span) {
  const ReadView view = Read();
  const std::string& holder = caller.principal_id;
  if (view.policies->Principal(holder) == nullptr) {
    return RefuseFields("UNKNOWN_PRINCIPAL",
                        {{"docket-principal", view.policies->DescribeUnknown(policy::NameKind::kPrincipal, holder)}});
  }
  DOCKET_ASSIGN_OR_RETURN(const auto state, CaseLoader(*view.snapshot, view.views, log()).Load(case_id));
  const v1::Conflict* conflict = state.has_value() ? workflow::ConflictOf(*state, holder) : nullptr;
  if (conflict != nullptr) {
    return RefuseUnmet("CONDITIONS_UNMET", absl::StrCat("case ", state->case_no()),
                       {{"CONFLICT_OF_INTEREST",
                         absl::StrCat("docket-principal: ", holder, " has a conflict of interest (", conflict->nature(),
                                      "), want somebody else"),
                         "clear_conflict"}});
  }
  return leases_.Take(case_id, caller.principal_id, span == absl::ZeroDuration() ? kDefaultLease : span,
                      trusted_->Now());
}

bool EngineImpl::ReleaseLease(const std::string& case_id, const Caller& caller) {
  return leases_.Release(case_id, caller.principal_id, trusted_->Now());
}

absl::Status EngineImpl::WriteHealth() const {
  {
    const MutexLock lock(&mutex_);
    if (stopping_) return Stopping();
  }
  absl::Status health = WriteLatch();
  if (health.ok()) health = options_.kv->WriteHealth();
  metrics_.write_disabled.Set(health.ok() ? 0 : 1);  // here, where health is asked for, and not in every group
  return health;
}

absl::Status EngineImpl::WriteLatch() const {
  DOCKET_RETURN_IF_ERROR(options_.kv->WriteLatch());
  if (!append_failed_) return absl::OkStatus();
  return Refuse(
      absl::StatusCode::kUnavailable, "WRITES_DISABLED",
      "an earlier write failed, so nothing is written until the server is started again; nothing was written");
}

void EngineImpl::Stop() {
  {
    const MutexLock lock(&mutex_);
    stopping_ = true;
  }
  trusted_->Notify();
  WakeJobs();
}

absl::Status EngineImpl::Admission(Lane lane, size_t count) {
  DOCKET_RETURN_IF_ERROR(WriteLatch());
  if (stopping_) return Stopping();
  const size_t limit = lane == Lane::kInteractive ? kMaxQueuedInteractive : kMaxQueuedBulk;
  return queue(lane).size() + count > limit ? Overloaded(limit) : absl::OkStatus();
}

absl::Status EngineImpl::Push(Task& task, Lane lane) {
  {
    const MutexLock lock(&mutex_);
    DOCKET_RETURN_IF_ERROR(Admission(lane, 1));
    queue(lane).push_back(std::move(task));
  }
  trusted_->Notify();
  return absl::OkStatus();
}

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
    DOCKET_RETURN_IF_ERROR(
        BuildViews(options.kv, *options.log, store::ViewFamily(1), store::ViewFamily(2), [](uint64_t, uint64_t) {
          return true;
        }).status());
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
