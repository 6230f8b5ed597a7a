#ifndef DOCKET_SERVICES_RPC_STATUS_TRANSLATION_H_
#define DOCKET_SERVICES_RPC_STATUS_TRANSLATION_H_

#include <string>

#include "absl/status/status.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/support/status.h"

// From absl::Status to what travels. The numbers of the codes are equal, so the code is a cast.
namespace docket::rpc {

inline constexpr size_t kMaxMessageBytes = 1024;
inline constexpr size_t kMaxDetailsBytes = 3072;  // clients take 8 KiB of trailers, the details travel as base64

// `status` as google.rpc.Status. Lists of violations are cut, from the end, to fit kMaxDetailsBytes; a cut list ends
// with an entry that says so. A failure without a reason of its own (disk, decoding, a broken invariant) is logged and
// answered with a general message: what the disk said is no business of a client.
google::rpc::Status ToRpcStatus(const absl::Status& status);

// The same with the details in the grpc-status-details-bin trailer.
grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace docket::rpc

#endif  // DOCKET_SERVICES_RPC_STATUS_TRANSLATION_H_
