#include <utility>

#include "docket/v1/queue_service.grpc.pb.h"
#include "services/query/alert_follower.h"
#include "services/query/case_query.h"
#include "services/query/explain_query.h"
#include "services/query/lists.h"
#include "services/rpc/follow_stream.h"
#include "services/rpc/services.h"
#include "services/rpc/unary_call.h"

namespace docket::rpc {
namespace {

using Raw = v1::QueueService;
using Base =
    Raw::WithRawCallbackMethod_ListQueue<Raw::WithRawCallbackMethod_TakeNext<Raw::WithRawCallbackMethod_ListDuties<
        Raw::WithRawCallbackMethod_ListControl<Raw::WithRawCallbackMethod_ListEscalations<
            Raw::WithRawCallbackMethod_GetClocks<Raw::WithRawCallbackMethod_ExplainDue<
                Raw::WithRawCallbackMethod_WatchAlerts<Raw::Service>>>>>>>>;
using Context = grpc::CallbackServerContext;
using Bytes = grpc::ByteBuffer;
using Reactor = grpc::ServerUnaryReactor;

class QueueService final : public Base {
 public:
  explicit QueueService(const Backend& backend)
      : backend_(backend),
        list_queue_(backend.metrics->Of("QueueService/ListQueue")),
        take_next_(backend.metrics->Of("QueueService/TakeNext")),
        list_duties_(backend.metrics->Of("QueueService/ListDuties")),
        list_control_(backend.metrics->Of("QueueService/ListControl")),
        list_escalations_(backend.metrics->Of("QueueService/ListEscalations")),
        get_clocks_(backend.metrics->Of("QueueService/GetClocks")),
        explain_due_(backend.metrics->Of("QueueService/ExplainDue")),
        watch_alerts_(backend.metrics->Of("QueueService/WatchAlerts")) {}

  Reactor* ListQueue(Context* context, const Bytes* in, Bytes* out) override {
    return AnswerRead<v1::ListQueueRequest, v1::ListQueueReply>(backend_, list_queue_, context, in, out,
                                                                query::ListQueue);
  }

  Reactor* TakeNext(Context* context, const Bytes* in, Bytes* out) override {
    auto* call = new UnaryCall<v1::TakeNextRequest, v1::ExecuteReply>(context, out, take_next_);
    if (!call->Accept(*in)) return call;
    absl::StatusOr<engine::Caller> caller = WriterOf(*context);
    if (!caller.ok()) {
      call->Answer(caller.status());
      return call;
    }
    backend_.engine->SubmitTakeNext(call->request.queue(), call->request.request_id(), *std::move(caller),
                                    [call](absl::StatusOr<v1::ExecuteReply> reply) { call->Answer(std::move(reply)); });
    return call;
  }

  Reactor* ListDuties(Context* context, const Bytes* in, Bytes* out) override {
    return AnswerRead<v1::ListDutiesRequest, v1::ListDutiesReply>(backend_, list_duties_, context, in, out,
                                                                  query::ListDuties);
  }

  Reactor* ListControl(Context* context, const Bytes* in, Bytes* out) override {
    return AnswerRead<v1::ListControlRequest, v1::ListControlReply>(backend_, list_control_, context, in, out,
                                                                    query::ListControl);
  }

  Reactor* ListEscalations(Context* context, const Bytes* in, Bytes* out) override {
    return AnswerRead<v1::ListEscalationsRequest, v1::ListEscalationsReply>(backend_, list_escalations_, context, in,
                                                                            out, query::ListEscalations);
  }

  Reactor* GetClocks(Context* context, const Bytes* in, Bytes* out) override {
    return AnswerRead<v1::GetClocksRequest, v1::GetClocksReply>(backend_, get_clocks_, context, in, out,
                                                                query::GetClocks);
  }

  Reactor* ExplainDue(Context* context, const Bytes* in, Bytes* out) override {
    return AnswerRead<v1::ExplainDueRequest, v1::ExplainDueReply>(backend_, explain_due_, context, in, out,
                                                                  query::ExplainDue);
  }

  grpc::ServerWriteReactor<Bytes>* WatchAlerts(Context* context, const Bytes* in) override {
    auto* stream = new FollowStream<query::AlertFollower, v1::WatchAlertsRequest>(backend_, watch_alerts_);
    stream->Begin(*context, *in);
    return stream;
  }

 private:
  Backend backend_;
  MethodMetrics* list_queue_;
  MethodMetrics* take_next_;
  MethodMetrics* list_duties_;
  MethodMetrics* list_control_;
  MethodMetrics* list_escalations_;
  MethodMetrics* get_clocks_;
  MethodMetrics* explain_due_;
  MethodMetrics* watch_alerts_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeQueueService(const Backend& backend) {
  return std::make_unique<QueueService>(backend);
}

}  // namespace docket::rpc
