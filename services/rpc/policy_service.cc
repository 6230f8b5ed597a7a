#include <utility>

#include "docket/v1/policy_service.grpc.pb.h"
#include "services/query/policy_query.h"
#include "services/rpc/progress_stream.h"
#include "services/rpc/services.h"
#include "services/rpc/unary_call.h"

namespace docket::rpc {
namespace {

using Raw = v1::PolicyService;
using Base = Raw::WithRawCallbackMethod_PublishPolicies<
    Raw::WithRawCallbackMethod_ValidatePolicies<Raw::WithRawCallbackMethod_GetPolicy<
        Raw::WithRawCallbackMethod_ListPolicies<Raw::WithRawCallbackMethod_GetDirectory<
            Raw::WithRawCallbackMethod_RecordAbsence<Raw::WithRawCallbackMethod_EndAbsence<
                Raw::WithRawCallbackMethod_ComputeDue<Raw::WithRawCallbackMethod_PlanRollout<
                    Raw::WithRawCallbackMethod_ApproveRollout<
                        Raw::WithRawCallbackMethod_ListRollouts<Raw::Service>>>>>>>>>>>;
using Context = grpc::CallbackServerContext;
using Bytes = grpc::ByteBuffer;
using Reactor = grpc::ServerUnaryReactor;

class PolicyService final : public Base {
 public:
  explicit PolicyService(const Backend& backend)
      : backend_(backend),
        publish_(backend.metrics->Of("PolicyService/PublishPolicies")),
        validate_(backend.metrics->Of("PolicyService/ValidatePolicies")),
        get_policy_(backend.metrics->Of("PolicyService/GetPolicy")),
        list_policies_(backend.metrics->Of("PolicyService/ListPolicies")),
        get_directory_(backend.metrics->Of("PolicyService/GetDirectory")),
        record_absence_(backend.metrics->Of("PolicyService/RecordAbsence")),
        end_absence_(backend.metrics->Of("PolicyService/EndAbsence")),
        compute_due_(backend.metrics->Of("PolicyService/ComputeDue")),
        plan_rollout_(backend.metrics->Of("PolicyService/PlanRollout")),
        approve_rollout_(backend.metrics->Of("PolicyService/ApproveRollout")),
        list_rollouts_(backend.metrics->Of("PolicyService/ListRollouts")) {}

  Reactor* PublishPolicies(Context* context, const Bytes* in, Bytes* out) override {
    auto* call = new UnaryCall<v1::PublishPoliciesRequest, v1::PublishPoliciesReply>(context, out, publish_);
    if (!call->Accept(*in)) return call;
    absl::StatusOr<engine::Caller> caller = WriterOf(*context);
    if (!caller.ok()) {
      call->Answer(caller.status());
      return call;
    }
    // On the pool, because the engine parses the pack before it queues it, and a pack may take a while.
    engine::Engine* engine = backend_.engine;
    const bool taken = backend_.reads->TryRun([call, engine, caller = *std::move(caller)]() mutable {
      engine->SubmitPublish(std::move(call->request), std::move(caller),
                            [call](absl::StatusOr<v1::PublishPoliciesReply> reply) { call->Answer(std::move(reply)); });
    });
    if (!taken) call->Answer(Overloaded());
    return call;
  }

  Reactor* ValidatePolicies(Context* context, const Bytes* in, Bytes* out) override {
    return AnswerRead<v1::ValidatePoliciesRequest, v1::ValidatePoliciesReply>(backend_, validate_, context, in, out,
                                                                              query::ValidatePolicies);
  }

  Reactor* GetPolicy(Context* context, const Bytes* in, Bytes* out) override {
    return AnswerRead<v1::GetPolicyRequest, v1::GetPolicyReply>(backend_, get_policy_, context, in, out,
                                                                query::GetPolicy);
  }

  Reactor* ListPolicies(Context* context, const Bytes* in, Bytes* out) override {
    return AnswerRead<v1::ListPoliciesRequest, v1::ListPoliciesReply>(backend_, list_policies_, context, in, out,
                                                                      query::ListPolicies);
  }

  Reactor* GetDirectory(Context* context, const Bytes* in, Bytes* out) override {
    return AnswerRead<v1::GetDirectoryRequest, v1::GetDirectoryReply>(
        backend_, get_directory_, context, in, out,
        [](const query::Reader& reader, const v1::GetDirectoryRequest&) { return query::GetDirectory(reader); });
  }

  Reactor* RecordAbsence(Context* context, const Bytes* in, Bytes* out) override {
    auto* call = new UnaryCall<v1::RecordAbsenceRequest, v1::AbsenceReply>(context, out, record_absence_);
    if (!call->Accept(*in)) return call;
    engine::AbsenceChange change;
    change.absence.set_principal(call->request.principal());
    if (call->request.has_from()) *change.absence.mutable_from() = call->request.from();
    *change.absence.mutable_until() = call->request.until();
    change.absence.set_deputy(call->request.deputy());
    change.request_id = call->request.request_id();
    return Change(*context, std::move(change), call);
  }

  Reactor* EndAbsence(Context* context, const Bytes* in, Bytes* out) override {
    auto* call = new UnaryCall<v1::EndAbsenceRequest, v1::AbsenceReply>(context, out, end_absence_);
    if (!call->Accept(*in)) return call;
    engine::AbsenceChange change;
    change.end = true;
    change.absence.set_principal(call->request.principal());
    if (call->request.has_from()) *change.absence.mutable_from() = call->request.from();
    change.request_id = call->request.request_id();
    return Change(*context, std::move(change), call);
  }

  Reactor* ComputeDue(Context* context, const Bytes* in, Bytes* out) override {
    return AnswerRead<v1::ComputeDueRequest, v1::ComputeDueReply>(backend_, compute_due_, context, in, out,
                                                                  query::ComputeDue);
  }

  grpc::ServerWriteReactor<Bytes>* PlanRollout(Context* context, const Bytes* in) override {
    auto* stream = new ProgressStream<v1::PlanRolloutReply>(plan_rollout_);
    v1::PlanRolloutRequest request;
    absl::Status status = ParseRequest(*in, &request);
    if (status.ok()) status = ValidateRequest(request);
    absl::StatusOr<engine::Caller> caller = WriterOf(*context);
    if (status.ok()) status = caller.status();
    engine::Engine* engine = backend_.engine;
    const bool taken =
        status.ok() && backend_.reads->TryRun([stream, engine, request, caller = *std::move(caller)]() mutable {
          stream->End(engine->PlanRollout(request, std::move(caller), [stream](uint64_t done, uint64_t total) {
            v1::PlanRolloutReply reply;
            reply.set_cases_done(done);
            reply.set_cases_total(total);
            return stream->Progress(reply);
          }));
        });
    if (!taken) stream->End(status.ok() ? Overloaded() : status);
    return stream;
  }

  Reactor* ApproveRollout(Context* context, const Bytes* in, Bytes* out) override {
    auto* call = new UnaryCall<v1::ApproveRolloutRequest, v1::ApproveRolloutReply>(context, out, approve_rollout_);
    if (!call->Accept(*in)) return call;
    absl::StatusOr<engine::Caller> caller = WriterOf(*context);
    if (!caller.ok()) {
      call->Answer(caller.status());
      return call;
    }
    // On the pool, because it waits for a commit.
    engine::Engine* engine = backend_.engine;
    const bool taken = backend_.reads->TryRun([call, engine, caller = *std::move(caller)]() mutable {
      call->Answer(engine->ApproveRollout(std::move(call->request), std::move(caller)));
    });
    if (!taken) call->Answer(Overloaded());
    return call;
  }

  Reactor* ListRollouts(Context* context, const Bytes* in, Bytes* out) override {
    const engine::Engine* engine = backend_.engine;
    return AnswerRead<v1::ListRolloutsRequest, v1::ListRolloutsReply>(
        backend_, list_rollouts_, context, in, out,
        [engine](const query::Reader&, const v1::ListRolloutsRequest&) { return engine->ListRollouts(); });
  }

 private:
  template <class Call>
  Reactor* Change(const Context& context, engine::AbsenceChange change, Call* call) {
    absl::StatusOr<engine::Caller> caller = WriterOf(context);
    if (!caller.ok()) {
      call->Answer(caller.status());
      return call;
    }
    backend_.engine->SubmitAbsence(std::move(change), *std::move(caller),
                                   [call](absl::StatusOr<v1::AbsenceReply> reply) { call->Answer(std::move(reply)); });
    return call;
  }

  Backend backend_;
  MethodMetrics* publish_;
  MethodMetrics* validate_;
  MethodMetrics* get_policy_;
  MethodMetrics* list_policies_;
  MethodMetrics* get_directory_;
  MethodMetrics* record_absence_;
  MethodMetrics* end_absence_;
  MethodMetrics* compute_due_;
  MethodMetrics* plan_rollout_;
  MethodMetrics* approve_rollout_;
  MethodMetrics* list_rollouts_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakePolicyService(const Backend& backend) {
  return std::make_unique<PolicyService>(backend);
}

}  // namespace docket::rpc
