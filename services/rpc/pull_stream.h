#ifndef DOCKET_SERVICES_RPC_PULL_STREAM_H_
#define DOCKET_SERVICES_RPC_PULL_STREAM_H_

#include <memory>
#include <set>
#include <variant>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "grpcpp/grpcpp.h"
#include "services/rpc/read_pool.h"
#include "services/rpc/rpc_metrics.h"
#include "workflow/base/mutex.h"

// Server streams that pull: the next message is built, on the read pool, only when the client took the previous one. So
// a client that does not read costs one message, however long it stays, and nothing is ever buffered for it.
namespace docket::rpc {

class PullStream;

inline constexpr absl::Duration kStalledGrace = absl::Milliseconds(250);

// Streams that would go on for ever, so that a stopping server can end them. Thread-safe.
class StreamRegistry {
 public:
  // Ends every stream with UNAVAILABLE STOPPING, now and from now on. A stream whose client does not take its message
  // cannot be told; it is cancelled after kStalledGrace. Blocks no longer than that.
  void StopAll();

 private:
  friend class PullStream;
  void Add(PullStream* stream);
  void Remove(PullStream* stream);

  Mutex mutex_;
  CondVar empty_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<PullStream*> streams_ ABSL_GUARDED_BY(mutex_);
};

// Deletes itself when gRPC is done with it. Derived classes say what comes next.
class PullStream : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  // Begins. `refusal`, when not OK, is the whole answer.
  void Start(const grpc::CallbackServerContext* context, absl::Status refusal = absl::OkStatus());

  // Something new may be there. Cheap, from any thread.
  void Wake();

 protected:
  struct Message {
    grpc::ByteBuffer bytes;
  };
  struct Wait {};            // nothing now; Wake() will be called
  using End = absl::Status;  // the end, or the failure
  using Step = std::variant<Message, Wait, End>;

  // `endless`: null for streams that end by themselves.
  PullStream(ReadPool* pool, MethodMetrics* metrics, StreamRegistry* endless)
      : pool_(pool), measured_(metrics), endless_(endless) {}
  ~PullStream() override = default;

  // The next step; runs on the read pool, never twice at once. A Wake() during it is not lost.
  virtual Step Next() = 0;
  // The last call to the derived class before it is deleted.
  virtual void Closing() {}

 private:
  friend class StreamRegistry;
  enum class State { kNew, kRunning, kWriting, kWaiting, kFinished };

  void Stop(absl::Status why);
  void CancelStalled();                    // gives up a message that the client does not take
  void Advance();                          // on the pool
  void Schedule();                         // hands Advance to the pool
  void Close(const absl::Status& status);  // REQUIRES: state is kFinished, set by the caller
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  ReadPool* pool_;
  Measured measured_;
  StreamRegistry* endless_;
  const grpc::CallbackServerContext* context_ = nullptr;  // gRPC's, valid until OnDone

  grpc::ByteBuffer writing_;  // gRPC's while state_ is kWriting
  Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kNew;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelling_ ABSL_GUARDED_BY(mutex_) = false;  // whoever ends last, the cancelling or the write, closes
  bool write_done_ ABSL_GUARDED_BY(mutex_) = false;  // while cancelling_
  absl::Status stop_ ABSL_GUARDED_BY(mutex_);        // not OK: finish with it at the next occasion
};

}  // namespace docket::rpc

#endif  // DOCKET_SERVICES_RPC_PULL_STREAM_H_
