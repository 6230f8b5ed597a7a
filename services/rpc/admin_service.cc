#include <thread>
#include <utility>

#include "docket/v1/admin_service.grpc.pb.h"
#include "services/rpc/progress_stream.h"
#include "services/rpc/services.h"
#include "services/rpc/unary_call.h"
#include "workflow/base/mutex.h"
#include "workflow/base/time.h"

namespace docket::rpc {
namespace {

using Raw = v1::AdminService;
using Base = Raw::WithRawCallbackMethod_GetStats<Raw::WithRawCallbackMethod_RebuildViews<
    Raw::WithRawCallbackMethod_AcceptClock<Raw::WithRawCallbackMethod_ListWebhooks<
        Raw::WithRawCallbackMethod_ListDeadLetters<Raw::WithRawCallbackMethod_ReplayDeadLetters<Raw::Service>>>>>>;
using Context = grpc::CallbackServerContext;
using Bytes = grpc::ByteBuffer;

absl::Status NoWebhooks() {
  return RefuseFields("UNKNOWN_WEBHOOK", {{"webhook", "this server was started without webhooks (docketd --webhook)"}});
}

class AdminService final : public Base {
 public:
  explicit AdminService(const Backend& backend)
      : backend_(backend),
        get_stats_(backend.metrics->Of("AdminService/GetStats")),
        rebuild_views_(backend.metrics->Of("AdminService/RebuildViews")),
        accept_clock_(backend.metrics->Of("AdminService/AcceptClock")),
        list_webhooks_(backend.metrics->Of("AdminService/ListWebhooks")),
        list_dead_letters_(backend.metrics->Of("AdminService/ListDeadLetters")),
        replay_dead_letters_(backend.metrics->Of("AdminService/ReplayDeadLetters")) {}

  ~AdminService() override {
    if (rebuild_.joinable()) rebuild_.join();
  }

  grpc::ServerUnaryReactor* GetStats(Context* context, const Bytes* in, Bytes* out) override {
    const engine::Engine* engine = backend_.engine;
    return AnswerRead<v1::GetStatsRequest, v1::GetStatsReply>(
        backend_, get_stats_, context, in, out, [engine](const query::Reader&, const v1::GetStatsRequest& request) {
          return engine->Stats(request.with_digests());
        });
  }

  grpc::ServerWriteReactor<Bytes>* RebuildViews(Context* context, const Bytes* in) override {
    auto* stream = new ProgressStream<v1::RebuildViewsReply>(rebuild_views_);
    v1::RebuildViewsRequest request;
    absl::Status status = ParseRequest(*in, &request);
    if (status.ok()) status = ValidateRequest(request);
    if (status.ok()) status = WriterOf(*context).status();
    if (status.ok()) status = BeginRebuild(request.keep_old(), stream);
    if (!status.ok()) stream->End(status);
    return stream;
  }

  grpc::ServerUnaryReactor* AcceptClock(Context* context, const Bytes* in, Bytes* out) override {
    auto* call = new UnaryCall<v1::AcceptClockRequest, v1::AcceptClockReply>(context, out, accept_clock_);
    if (!call->Accept(*in)) return call;
    absl::StatusOr<engine::Caller> caller = WriterOf(*context);
    if (!caller.ok()) {
      call->Answer(caller.status());
      return call;
    }
    // On the pool, because it waits for a commit.
    engine::Engine* engine = backend_.engine;
    const bool taken = backend_.reads->TryRun([call, engine, caller = *std::move(caller)]() mutable {
      const absl::StatusOr<absl::Duration> deviation = engine->AcceptClock(std::move(caller));
      if (!deviation.ok()) return call->Answer(deviation.status());
      v1::AcceptClockReply reply;
      *reply.mutable_deviation() = ToProto(*deviation);
      call->Answer(std::move(reply));
    });
    if (!taken) call->Answer(Overloaded());
    return call;
  }

  grpc::ServerUnaryReactor* ListWebhooks(Context* context, const Bytes* in, Bytes* out) override {
    const outbox::Outbox* outbox = backend_.outbox;
    return AnswerRead<v1::ListWebhooksRequest, v1::ListWebhooksReply>(
        backend_, list_webhooks_, context, in, out, [outbox](const query::Reader&, const v1::ListWebhooksRequest&) {
          return outbox == nullptr ? v1::ListWebhooksReply() : outbox->ListWebhooks();
        });
  }

  grpc::ServerUnaryReactor* ListDeadLetters(Context* context, const Bytes* in, Bytes* out) override {
    const outbox::Outbox* outbox = backend_.outbox;
    return AnswerRead<v1::ListDeadLettersRequest, v1::ListDeadLettersReply>(
        backend_, list_dead_letters_, context, in, out,
        [outbox](const query::Reader& reader,
                 const v1::ListDeadLettersRequest& request) -> absl::StatusOr<v1::ListDeadLettersReply> {
          if (outbox != nullptr) return outbox->ListDeadLetters(reader, request);
          if (!request.webhook().empty()) return NoWebhooks();
          return v1::ListDeadLettersReply();
        });
  }

  grpc::ServerUnaryReactor* ReplayDeadLetters(Context* context, const Bytes* in, Bytes* out) override {
    auto* call =
        new UnaryCall<v1::ReplayDeadLettersRequest, v1::ReplayDeadLettersReply>(context, out, replay_dead_letters_);
    if (!call->Accept(*in)) return call;
    absl::Status status = WriterOf(*context).status();
    if (status.ok() && backend_.outbox == nullptr) status = NoWebhooks();
    if (!status.ok()) {
      call->Answer(status);
      return call;
    }
    backend_.outbox->Replay(
        call->request, [call](absl::StatusOr<v1::ReplayDeadLettersReply> reply) { call->Answer(std::move(reply)); });
    return call;
  }

 private:
  // One at a time, on its own thread: it takes minutes and would hold a thread that answers reads.
  absl::Status BeginRebuild(bool keep_old, ProgressStream<v1::RebuildViewsReply>* stream) {
    const MutexLock lock(&mutex_);
    if (rebuilding_) {
      return Refuse(absl::StatusCode::kFailedPrecondition, "REBUILD_RUNNING", "a rebuild is running; one at a time");
    }
    if (rebuild_.joinable()) rebuild_.join();  // the last one has ended
    rebuilding_ = true;
    rebuild_ = std::thread([this, keep_old, stream] {
      auto result = backend_.engine->Rebuild(keep_old, [stream](uint64_t done, uint64_t total) {
        v1::RebuildViewsReply reply;
        reply.set_commits_done(done);
        reply.set_commits_total(total);
        stream->Progress(reply);
      });
      {
        const MutexLock ended(&mutex_);
        rebuilding_ = false;
      }
      stream->End(std::move(result));
    });
    return absl::OkStatus();
  }

  Backend backend_;
  MethodMetrics* get_stats_;
  MethodMetrics* rebuild_views_;
  MethodMetrics* accept_clock_;
  MethodMetrics* list_webhooks_;
  MethodMetrics* list_dead_letters_;
  MethodMetrics* replay_dead_letters_;
  Mutex mutex_;
  bool rebuilding_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread rebuild_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<grpc::Service> MakeAdminService(const Backend& backend) {
  return std::make_unique<AdminService>(backend);
}

}  // namespace docket::rpc
