#ifndef DOCKET_SERVICES_RPC_EXECUTE_STREAM_H_
#define DOCKET_SERVICES_RPC_EXECUTE_STREAM_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "docket/v1/case_service.pb.h"
#include "grpcpp/grpcpp.h"
#include "services/engine/engine.h"
#include "services/rpc/rpc_metrics.h"
#include "workflow/base/mutex.h"

namespace docket::rpc {

// Many commands over one stream: messages of up to 256 requests, answered in the order they came. At most kMaxInFlight
// messages are at work; only then is the next one read, so a fast sender waits instead of filling the server.
//
// With stop_on_refusal the requests of a message are done one after another; behind a refusal nothing more is done: the
// rest of the message is answered ABORTED STREAM_STOPPED and the stream ends with ABORTED.
// States asked for by return_case come without texts here: reading them would hold up the writer.
// Deletes itself when gRPC is done with it, never before the engine answered everything handed to it.
class ExecuteStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  static constexpr size_t kMaxInFlight = 4;

  ExecuteStream(engine::Engine* engine, MethodMetrics* metrics) : engine_(engine), measured_(metrics) {}

  // Begins; `caller` not OK is the whole answer.
  void Start(absl::StatusOr<engine::Caller> caller);

 private:
  // One message at work. `open` and `stopped` are guarded by mutex_; each result is filled in by one thread, and the
  // last count of `open` is what lets the reply be sent.
  struct Batch {
    v1::ExecuteStreamRequest request;
    v1::ExecuteStreamReply reply;
    size_t open = 0;  // results still to come
    bool stopped = false;
  };

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override { delete this; }

  void Begin(std::shared_ptr<Batch> batch);
  void BeginTogether(const std::shared_ptr<Batch>& batch);
  // The requests from `index` on, one after another.
  void BeginOneByOne(const std::shared_ptr<Batch>& batch, size_t index);
  void StopBatch(const std::shared_ptr<Batch>& batch, size_t from);
  void Fill(Batch& batch, size_t index, absl::StatusOr<v1::ExecuteReply> reply);
  // Counts `n` results of `batch` as done.
  void Done(const std::shared_ptr<Batch>& batch, size_t n);
  // Makes `change`, with mutex_ held, and decides what to start next in one critical section, then starts it. In one,
  // because as soon as the lock is free another thread may find everything done and let the stream go.
  void Proceed(absl::FunctionRef<void()> change);

  engine::Engine* engine_;
  Measured measured_;
  engine::Caller caller_;
  grpc::ByteBuffer reading_;
  grpc::ByteBuffer writing_;

  Mutex mutex_;
  std::deque<std::shared_ptr<Batch>> batches_ ABSL_GUARDED_BY(mutex_);  // in the order read
  bool read_open_ ABSL_GUARDED_BY(mutex_) = false;
  bool write_open_ ABSL_GUARDED_BY(mutex_) = false;
  bool no_more_reads_ ABSL_GUARDED_BY(mutex_) = false;
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;  // the client has gone: nothing is written any more
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status end_ ABSL_GUARDED_BY(mutex_);  // how the stream ends once everything is answered
};

}  // namespace docket::rpc

#endif  // DOCKET_SERVICES_RPC_EXECUTE_STREAM_H_
