#ifndef DOCKET_SERVICES_RPC_REBUILD_STREAM_H_
#define DOCKET_SERVICES_RPC_REBUILD_STREAM_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "docket/v1/admin_service.pb.h"
#include "grpcpp/grpcpp.h"
#include "services/rpc/rpc_metrics.h"
#include "workflow/base/mutex.h"

namespace docket::rpc {

// Tells a client how a rebuild goes. Progress that the client is too slow for is left out; the result is always sent.
// The rebuild does not end because nobody watches it any more. Deletes itself when gRPC is done with it, never before
// End.
class RebuildStream final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  explicit RebuildStream(MethodMetrics* metrics) : measured_(metrics) {}

  // From the thread of the rebuild.
  void Progress(uint64_t done, uint64_t total);
  // The last call, exactly once.
  void End(absl::StatusOr<v1::RebuildViewsReply> result);

 private:
  void OnWriteDone(bool ok) override;
  void OnDone() override { delete this; }
  void Close(const absl::Status& status);

  Measured measured_;
  grpc::ByteBuffer writing_;  // gRPC's while write_open_
  Mutex mutex_;
  bool write_open_ ABSL_GUARDED_BY(mutex_) = false;
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;                   // the client has gone
  std::optional<grpc::ByteBuffer> last_ ABSL_GUARDED_BY(mutex_);  // still to be written
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);       // how to finish once nothing is left to write
};

}  // namespace docket::rpc

#endif  // DOCKET_SERVICES_RPC_REBUILD_STREAM_H_
