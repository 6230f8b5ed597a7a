#ifndef DOCKET_SERVICES_RPC_REASSIGN_STREAM_H_
#define DOCKET_SERVICES_RPC_REASSIGN_STREAM_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "docket/v1/case_service.pb.h"
#include "services/rpc/backend.h"
#include "services/rpc/pull_stream.h"
#include "services/rpc/wire.h"
#include "workflow/base/mutex.h"

namespace docket::rpc {

// Cases given in one hand-over to the writer, in the bulk lane.
inline constexpr uint32_t kReassignBatch = 64;

// Works through the cases of one owner, a batch at a time: list, give, tell. The next batch begins when the client took
// the results of the last one. Request ids of the cases follow from that of the call, so repeating it does nothing
// twice.
class ReassignStream final : public PullStream {
 public:
  ReassignStream(const Backend& backend, MethodMetrics* metrics)
      : PullStream(backend.reads, metrics, nullptr), engine_(backend.engine) {}

  void Begin(const grpc::CallbackServerContext& context, const grpc::ByteBuffer& in);

 private:
  // What the writer fills in; it may do so after the stream has gone.
  struct Batch {
    Mutex mutex;
    PullStream* stream ABSL_GUARDED_BY(mutex) = nullptr;
    size_t open ABSL_GUARDED_BY(mutex) = 0;
    std::vector<v1::ReassignCasesReply::Result> results ABSL_GUARDED_BY(mutex);
  };

  Step Next() override;
  void Closing() override;
  absl::StatusOr<std::vector<v1::CaseSummary>> ListBatch();
  v1::ExecuteRequest AssignmentOf(const v1::CaseSummary& summary) const;
  void Give(const std::vector<v1::CaseSummary>& cases);
  // What became of the batch, once all of it is known.
  std::optional<v1::ReassignCasesReply> Results();

  engine::Engine* const engine_;
  v1::ReassignCasesRequest request_;
  engine::Caller caller_;
  std::string page_token_;
  bool listed_all_ = false;
  std::shared_ptr<Batch> batch_;  // null: none under way
};

}  // namespace docket::rpc

#endif  // DOCKET_SERVICES_RPC_REASSIGN_STREAM_H_
