#ifndef DOCKET_SERVICES_RPC_PROGRESS_STREAM_H_
#define DOCKET_SERVICES_RPC_PROGRESS_STREAM_H_

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/grpcpp.h"
#include "services/rpc/rpc_metrics.h"
#include "services/rpc/status_translation.h"
#include "services/rpc/wire.h"
#include "workflow/base/mutex.h"

namespace docket::rpc {

// Tells a client how long work goes: a rebuild, a plan. Progress that the client is too slow for is left out; the
// result is always sent. The work does not end because nobody watches it any more, unless it asks. Deletes itself when
// gRPC is done with it, never before End.
template <class Reply>
class ProgressStream final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  explicit ProgressStream(MethodMetrics* metrics) : measured_(metrics) {}

  // From the thread of the work. False: nobody watches any more.
  bool Progress(const Reply& reply) {
    {
      const MutexLock lock(&mutex_);
      if (broken_) return false;
      if (write_open_) return true;
      write_open_ = true;
      writing_ = ToBytes(reply);
    }
    StartWrite(&writing_);
    return true;
  }

  // The last call, exactly once.
  void End(absl::StatusOr<Reply> result) {
    bool write = false;
    {
      const MutexLock lock(&mutex_);
      end_ = result.status();
      if (result.ok() && !broken_) {
        if (write_open_) {
          last_ = ToBytes(*result);
          return;
        }
        write = write_open_ = true;
        writing_ = ToBytes(*result);
      } else if (write_open_) {
        return;
      }
    }
    write ? StartWrite(&writing_) : Close(result.status());
  }

 private:
  void OnWriteDone(bool ok) override {
    bool write = false;
    std::optional<absl::Status> end;
    {
      const MutexLock lock(&mutex_);
      write_open_ = false;
      broken_ = broken_ || !ok;
      if (last_.has_value() && !broken_) {
        writing_ = *std::move(last_);
        last_.reset();
        write = write_open_ = true;
      } else {
        end = end_;
      }
    }
    if (write) return StartWrite(&writing_);
    if (end.has_value()) Close(*end);
  }
  void OnDone() override { delete this; }
  void Close(const absl::Status& status) {
    const grpc::Status answer = ToGrpcStatus(status);
    measured_.End(answer.error_code());
    Finish(answer);
  }

  Measured measured_;
  grpc::ByteBuffer writing_;  // gRPC's while write_open_
  Mutex mutex_;
  bool write_open_ ABSL_GUARDED_BY(mutex_) = false;
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;                   // the client has gone
  std::optional<grpc::ByteBuffer> last_ ABSL_GUARDED_BY(mutex_);  // still to be written
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);       // how to finish once nothing is left to write
};

}  // namespace docket::rpc

#endif  // DOCKET_SERVICES_RPC_PROGRESS_STREAM_H_
