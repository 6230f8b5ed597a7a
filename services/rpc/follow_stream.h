#ifndef DOCKET_SERVICES_RPC_FOLLOW_STREAM_H_
#define DOCKET_SERVICES_RPC_FOLLOW_STREAM_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "services/engine/engine.h"
#include "services/query/reader.h"
#include "services/rpc/admit.h"
#include "services/rpc/backend.h"
#include "services/rpc/pull_stream.h"
#include "services/rpc/wire.h"
#include "workflow/base/mutex.h"

namespace docket::rpc {

// A stream that follows the log for ever. `Follower` has Open(engine, request, viewer) and Next(engine), whose message
// (serialised or not) is nullopt when there is nothing new. Wakes come from the writer's thread through a handle that
// outlives the stream, because one may already be under way when the subscription ends.
template <class Follower, class Request>
class FollowStream final : public PullStream {
 public:
  FollowStream(const Backend& backend, MethodMetrics* metrics)
      : PullStream(backend.reads, metrics, backend.streams), engine_(backend.engine) {}

  void Begin(const grpc::CallbackServerContext& context, const grpc::ByteBuffer& in) {
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

  static grpc::ByteBuffer Serialised(std::string bytes) { return BytesOf(std::move(bytes)); }
  template <class Reply>
  static grpc::ByteBuffer Serialised(const Reply& reply) {
    return ToBytes(reply);
  }

  Step Next() override {
    if (!follower_.has_value()) {
      absl::StatusOr<Follower> follower = Follower::Open(*engine_, request_, viewer_);
      if (!follower.ok()) return follower.status();
      follower_.emplace(*std::move(follower));
    }
    auto message = follower_->Next(*engine_);
    if (!message.ok()) return message.status();
    if (!message->has_value()) return Wait{};
    return Message{Serialised(**std::move(message))};
  }

  void Closing() override {
    handle_->Set(nullptr);
    if (subscription_.has_value()) engine_->feed().Unsubscribe(*subscription_);
  }

  const engine::Engine* engine_;
  Request request_;
  query::Viewer viewer_;
  std::shared_ptr<Handle> handle_ = std::make_shared<Handle>();
  std::optional<uint64_t> subscription_;
  std::optional<Follower> follower_;
};

}  // namespace docket::rpc

#endif  // DOCKET_SERVICES_RPC_FOLLOW_STREAM_H_
