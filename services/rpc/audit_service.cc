#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "docket/v1/audit_service.grpc.pb.h"
#include "services/query/history.h"
#include "services/query/log_follower.h"
#include "services/query/log_reader.h"
#include "services/rpc/admit.h"
#include "services/rpc/follow_stream.h"
#include "services/rpc/pull_stream.h"
#include "services/rpc/services.h"

namespace docket::rpc {
namespace {

using Raw = v1::AuditService;
using Base = Raw::WithRawCallbackMethod_ReadHistory<
    Raw::WithRawCallbackMethod_ReadLog<Raw::WithRawCallbackMethod_Subscribe<Raw::Service>>>;
using Context = grpc::CallbackServerContext;
using Bytes = grpc::ByteBuffer;
using Stream = grpc::ServerWriteReactor<Bytes>;

// A finite stream: opened on the pool with its first message, then one message after another until there is none.
template <class Source, class Request>
class FiniteStream final : public PullStream {
 public:
  FiniteStream(const Backend& backend, MethodMetrics* metrics)
      : PullStream(backend.reads, metrics, nullptr), engine_(backend.engine) {}

  void Begin(const Context& context, const Bytes& in) {
    absl::StatusOr<query::Viewer> viewer = Admit(context, in, &request_);
    if (viewer.ok()) viewer_ = *viewer;
    Start(&context, viewer.status());
  }

 private:
  Step Next() override {
    const query::Reader reader = query::OpenReader(*engine_, viewer_);
    if (!source_.has_value()) {
      absl::StatusOr<Source> source = Source::Open(reader, request_);
      if (!source.ok()) return source.status();
      source_.emplace(*std::move(source));
    }
    absl::StatusOr<std::optional<std::string>> message = source_->Next(reader);
    if (!message.ok()) return message.status();
    if (!message->has_value()) return absl::OkStatus();
    return Message{BytesOf(**std::move(message))};
  }

  const engine::Engine* engine_;
  Request request_;
  query::Viewer viewer_;
  std::optional<Source> source_;
};

class AuditService final : public Base {
 public:
  explicit AuditService(const Backend& backend)
      : backend_(backend),
        read_history_(backend.metrics->Of("AuditService/ReadHistory")),
        read_log_(backend.metrics->Of("AuditService/ReadLog")),
        subscribe_(backend.metrics->Of("AuditService/Subscribe")) {}

  Stream* ReadHistory(Context* context, const Bytes* in) override {
    auto* stream = new FiniteStream<query::HistoryReader, v1::ReadHistoryRequest>(backend_, read_history_);
    stream->Begin(*context, *in);
    return stream;
  }

  Stream* ReadLog(Context* context, const Bytes* in) override {
    auto* stream = new FiniteStream<query::LogReader, v1::ReadLogRequest>(backend_, read_log_);
    stream->Begin(*context, *in);
    return stream;
  }

  Stream* Subscribe(Context* context, const Bytes* in) override {
    auto* stream = new FollowStream<query::LogFollower, v1::SubscribeRequest>(backend_, subscribe_);
    stream->Begin(*context, *in);
    return stream;
  }

 private:
  Backend backend_;
  MethodMetrics* read_history_;
  MethodMetrics* read_log_;
  MethodMetrics* subscribe_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeAuditService(const Backend& backend) {
  return std::make_unique<AuditService>(backend);
}

}  // namespace docket::rpc
