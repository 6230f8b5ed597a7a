#ifndef DOCKET_SERVICES_RPC_UNARY_CALL_H_
#define DOCKET_SERVICES_RPC_UNARY_CALL_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/grpcpp.h"
#include "services/query/reader.h"
#include "services/rpc/backend.h"
#include "services/rpc/identity.h"
#include "services/rpc/rpc_metrics.h"
#include "services/rpc/status_translation.h"
#include "services/rpc/validation.h"
#include "services/rpc/wire.h"

namespace docket::rpc {

// One unary call from arrival to answer. Deletes itself when gRPC is done with it.
template <class Request, class Reply>
class UnaryCall final : public grpc::ServerUnaryReactor {
 public:
  UnaryCall(grpc::CallbackServerContext* context, grpc::ByteBuffer* out, MethodMetrics* metrics)
      : context_(context), out_(out), measured_(metrics) {}

  Request request;

  // False: it was refused and answered.
  bool Accept(const grpc::ByteBuffer& bytes) {
    absl::Status status = ParseRequest(bytes, &request);
    if (status.ok()) status = ValidateRequest(request);
    if (!status.ok()) Answer(status);
    return status.ok();
  }

  // Exactly once, from any thread. After it the call may be gone.
  void Answer(absl::StatusOr<Reply> reply) {
    if (reply.ok()) *out_ = ToBytes(*reply);
    const grpc::Status status = ToGrpcStatus(reply.status());
    measured_.End(status.error_code());
    Finish(status);
  }

  const grpc::CallbackServerContext& context() const { return *context_; }

 private:
  void OnDone() override { delete this; }

  grpc::CallbackServerContext* context_;
  grpc::ByteBuffer* out_;
  Measured measured_;
};

absl::Status Overloaded();

// Answers a read on the pool; `backend` outlives it. `answer` is absl::StatusOr<Reply>(const query::Reader&, const
// Request&).
template <class Request, class Reply, class Answer>
grpc::ServerUnaryReactor* AnswerRead(const Backend& backend, MethodMetrics* metrics,
                                     grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                     grpc::ByteBuffer* out, Answer answer) {
  auto* call = new UnaryCall<Request, Reply>(context, out, metrics);
  if (!call->Accept(*in)) return call;
  absl::StatusOr<query::Viewer> viewer = ViewerOf(*context);
  if (!viewer.ok()) {
    call->Answer(viewer.status());
    return call;
  }
  const bool taken = backend.reads->TryRun([call, &backend, viewer = *std::move(viewer), answer]() mutable {
    if (call->context().IsCancelled()) return call->Answer(absl::CancelledError("the caller has gone"));
    query::Reader reader = query::OpenReader(*backend.engine, std::move(viewer));
    reader.replays = backend.replays;
    reader.abandoned = [call] { return call->context().IsCancelled(); };
    call->Answer(answer(reader, std::as_const(call->request)));
  });
  if (!taken) call->Answer(Overloaded());
  return call;
}

}  // namespace docket::rpc

#endif  // DOCKET_SERVICES_RPC_UNARY_CALL_H_
