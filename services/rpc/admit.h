#ifndef DOCKET_SERVICES_RPC_ADMIT_H_
#define DOCKET_SERVICES_RPC_ADMIT_H_

#include "absl/status/statusor.h"
#include "grpcpp/grpcpp.h"
#include "services/query/reader.h"
#include "services/rpc/identity.h"
#include "services/rpc/validation.h"
#include "services/rpc/wire.h"
#include "workflow/base/check.h"

namespace docket::rpc {

// Parses, validates and identifies the reader of a stream.
template <class Request>
absl::StatusOr<query::Viewer> Admit(const grpc::CallbackServerContext& context, const grpc::ByteBuffer& in,
                                    Request* request) {
  DOCKET_RETURN_IF_ERROR(ParseRequest(in, request));
  DOCKET_RETURN_IF_ERROR(ValidateRequest(*request));
  return ViewerOf(context);
}

}  // namespace docket::rpc

#endif  // DOCKET_SERVICES_RPC_ADMIT_H_
