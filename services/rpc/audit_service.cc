#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "docket/v1/audit_service.grpc.pb.h"
#include "services/query/history.h"
#include "services/query/log_follower.h"
#include "services/query/log_reader.h"
#include "services/rpc/pull_stream.h"
#include "services/rpc/services.h"
#include "services/rpc/unary_call.h"
#include "workflow/base/mutex.h"

namespace docket::rpc {
namespace {

using Raw = v1::AuditService;
using Base = Raw::WithRawCallbackMethod_ReadHistory<
    Raw::WithRawCallbackMethod_ReadLog<Raw::WithRawCallbackMethod_Subscribe<Raw::Service>>>;
using Context = grpc::CallbackServerContext;
using Bytes = grpc::ByteBuffer;
using Stream = grpc::ServerWriteReactor<Bytes>;

// Parses, validates and identifies the reader of a stream.
template <class Request>
absl::StatusOr<query::Viewer> Admit(const Context& context, const Bytes& in, Request* request) {
  DOCKET_RETURN_IF_ERROR(ParseRequest(in, request));
  DOCKET_RETURN_IF_ERROR(ValidateRequest(*request));
  return ViewerOf(context);
}

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

// Follows the log for ever. Wakes come from the writer's thread through a handle that outlives the stream, because one
// may already be under way when the subscription ends.
class SubscribeStream final : public PullStream {
 public:
  SubscribeStream(const Backend& backend, MethodMetrics* metrics)
      : PullStream(backend.reads, metrics, backend.streams), engine_(backend.engine) {}

  void Begin(const Context& context, const Bytes& in) {
    absl::StatusOr<query::Viewer> viewer = Admit(context, in, &request_);
    if (viewer.ok()) {
      viewer_ = *viewer;
      handle_->Set(this);
      subscription_ = engine_->feed().Subscribe([handle = handle_] {
        const MutexLock lock(&handle->mutex);
        if (handle->stream != nullptr) handle->stream->Wake();
      });
    }
    Start(&context, viewer.status());
  }

 private:
  struct Handle {
    void Set(PullStream* to) {
      const MutexLock lock(&mutex);
      stream = to;
    }
    Mutex mutex;
    PullStream* stream ABSL_GUARDED_BY(mutex) = nullptr;
  };

  Step Next() override {
    if (!follower_.has_value()) {
      absl::StatusOr<query::LogFollower> follower = query::LogFollower::Open(*engine_, request_, viewer_);
      if (!follower.ok()) return follower.status();
      follower_.emplace(*std::move(follower));
    }
    absl::StatusOr<std::optional<std::string>> message = follower_->Next(*engine_);
    if (!message.ok()) return message.status();
    if (!message->has_value()) return Wait{};
    return Message{BytesOf(**std::move(message))};
  }

  void Closing() override {
    handle_->Set(nullptr);
    if (subscription_.has_value()) engine_->feed().Unsubscribe(*subscription_);
  }

  const engine::Engine* engine_;
  v1::SubscribeRequest request_;
  query::Viewer viewer_;
  std::shared_ptr<Handle> handle_ = std::make_shared<Handle>();
  std::optional<uint64_t> subscription_;
  std::optional<query::LogFollower> follower_;
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
    auto* stream = new SubscribeStream(backend_, subscribe_);
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
