#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "docket/v1/case_service.grpc.pb.h"
#include "services/query/case_query.h"
#include "services/query/lists.h"
#include "services/query/texts.h"
#include "services/rpc/execute_stream.h"
#include "services/rpc/reassign_stream.h"
#include "services/rpc/services.h"
#include "services/rpc/unary_call.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"

namespace docket::rpc {
namespace {

using Raw = v1::CaseService;
using Base = Raw::WithRawCallbackMethod_Execute<
    Raw::WithRawCallbackMethod_ExecuteStream<Raw::WithRawCallbackMethod_ListAllowedCommands<
        Raw::WithRawCallbackMethod_GetCase<Raw::WithRawCallbackMethod_ListCases<Raw::WithRawCallbackMethod_TakeLease<
            Raw::WithRawCallbackMethod_ReleaseLease<
                Raw::WithRawCallbackMethod_ReassignCases<Raw::WithRawCallbackMethod_Echo<Raw::Service>>>>>>>>>;
using Context = grpc::CallbackServerContext;
using Bytes = grpc::ByteBuffer;
using Reactor = grpc::ServerUnaryReactor;

class CaseService final : public Base {
 public:
  explicit CaseService(const Backend& backend)
      : backend_(backend),
        execute_(backend.metrics->Of("CaseService/Execute")),
        execute_stream_(backend.metrics->Of("CaseService/ExecuteStream")),
        list_allowed_(backend.metrics->Of("CaseService/ListAllowedCommands")),
        get_case_(backend.metrics->Of("CaseService/GetCase")),
        list_cases_(backend.metrics->Of("CaseService/ListCases")),
        take_lease_(backend.metrics->Of("CaseService/TakeLease")),
        release_lease_(backend.metrics->Of("CaseService/ReleaseLease")),
        reassign_cases_(backend.metrics->Of("CaseService/ReassignCases")),
        echo_(backend.metrics->Of("CaseService/Echo")) {}

  Reactor* Execute(Context* context, const Bytes* in, Bytes* out) override {
    auto* call = new UnaryCall<v1::ExecuteRequest, v1::ExecuteReply>(context, out, execute_);
    if (!call->Accept(*in)) return call;
    absl::StatusOr<engine::Caller> caller = WriterOf(*context);
    if (!caller.ok()) {
      call->Answer(caller.status());
      return call;
    }
    // Answered on the writer's thread: one hand-over in, none out. Only a caller who wants the texts of the new state
    // pays for a second one, because the writer must not read.
    backend_.engine->Submit(std::move(call->request), *std::move(caller), engine::Lane::kInteractive,
                            [this, call](absl::StatusOr<v1::ExecuteReply> reply) {
                              if (!reply.ok() || !reply->has_case_()) return call->Answer(std::move(reply));
                              backend_.reads->Run([this, call, reply = *std::move(reply)]() mutable {
                                call->Answer(WithTexts(std::move(reply)));
                              });
                            });
    return call;
  }

  grpc::ServerBidiReactor<Bytes, Bytes>* ExecuteStream(Context* context) override {
    auto* stream = new rpc::ExecuteStream(backend_.engine, execute_stream_);
    stream->Start(WriterOf(*context));
    return stream;
  }

  Reactor* ListAllowedCommands(Context* context, const Bytes* in, Bytes* out) override {
    return AnswerRead<v1::ListAllowedCommandsRequest, v1::ListAllowedCommandsReply>(
        backend_, list_allowed_, context, in, out, query::ListAllowedCommands);
  }

  Reactor* GetCase(Context* context, const Bytes* in, Bytes* out) override {
    return AnswerRead<v1::GetCaseRequest, v1::GetCaseReply>(backend_, get_case_, context, in, out, query::GetCase);
  }

  Reactor* ListCases(Context* context, const Bytes* in, Bytes* out) override {
    return AnswerRead<v1::ListCasesRequest, v1::ListCasesReply>(backend_, list_cases_, context, in, out,
                                                                query::ListCases);
  }

  Reactor* TakeLease(Context* context, const Bytes* in, Bytes* out) override {
    const absl::StatusOr<engine::Caller> caller = WriterOf(*context);
    engine::Engine* engine = backend_.engine;
    return AnswerRead<v1::TakeLeaseRequest, v1::TakeLeaseReply>(
        backend_, take_lease_, context, in, out,
        [engine, caller](const query::Reader& reader,
                         const v1::TakeLeaseRequest& request) -> absl::StatusOr<v1::TakeLeaseReply> {
          DOCKET_RETURN_IF_ERROR(caller.status());
          const absl::Duration span = FromProto(request.span());
          if (span < absl::ZeroDuration() || span > engine::kMaxLease) {
            return RefuseFields("INVALID_FIELD", {{"span", absl::StrCat(absl::FormatDuration(span), ", want up to ",
                                                                        absl::FormatDuration(engine::kMaxLease))}});
          }
          DOCKET_ASSIGN_OR_RETURN(const std::string case_id,
                                  query::ResolveCase(reader, {request.case_id(), request.case_no()}));
          DOCKET_ASSIGN_OR_RETURN(const engine::LeaseTable::Lease lease, engine->TakeLease(case_id, *caller, span));
          v1::TakeLeaseReply reply;
          reply.set_holder(lease.holder);
          *reply.mutable_until() = ToProto(lease.until);
          return reply;
        });
  }

  Reactor* ReleaseLease(Context* context, const Bytes* in, Bytes* out) override {
    const absl::StatusOr<engine::Caller> caller = WriterOf(*context);
    engine::Engine* engine = backend_.engine;
    return AnswerRead<v1::ReleaseLeaseRequest, v1::ReleaseLeaseReply>(
        backend_, release_lease_, context, in, out,
        [engine, caller](const query::Reader& reader,
                         const v1::ReleaseLeaseRequest& request) -> absl::StatusOr<v1::ReleaseLeaseReply> {
          DOCKET_RETURN_IF_ERROR(caller.status());
          DOCKET_ASSIGN_OR_RETURN(const std::string case_id,
                                  query::ResolveCase(reader, {request.case_id(), request.case_no()}));
          v1::ReleaseLeaseReply reply;
          reply.set_released(engine->ReleaseLease(case_id, *caller));
          return reply;
        });
  }

  grpc::ServerWriteReactor<Bytes>* ReassignCases(Context* context, const Bytes* in) override {
    auto* stream = new ReassignStream(backend_, reassign_cases_);
    stream->Begin(*context, *in);
    return stream;
  }

  // The ceiling for benchmarks: the same parsing, checking, measuring and answering as Execute, without the log.
  Reactor* Echo(Context* context, const Bytes* in, Bytes* out) override {
    auto* call = new UnaryCall<v1::EchoMessage, v1::EchoMessage>(context, out, echo_);
    if (call->Accept(*in)) call->Answer(std::move(call->request));
    return call;
  }

 private:
  absl::StatusOr<v1::ExecuteReply> WithTexts(v1::ExecuteReply reply) const {
    const engine::ReadView view = backend_.engine->Read();
    DOCKET_RETURN_IF_ERROR(query::RevealTexts(*view.snapshot, reply.mutable_case_()));
    return reply;
  }

  Backend backend_;
  MethodMetrics* execute_;
  MethodMetrics* execute_stream_;
  MethodMetrics* list_allowed_;
  MethodMetrics* get_case_;
  MethodMetrics* list_cases_;
  MethodMetrics* take_lease_;
  MethodMetrics* release_lease_;
  MethodMetrics* reassign_cases_;
  MethodMetrics* echo_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeCaseService(const Backend& backend) {
  return std::make_unique<CaseService>(backend);
}

}  // namespace docket::rpc
