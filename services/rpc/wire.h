#ifndef DOCKET_SERVICES_RPC_WIRE_H_
#define DOCKET_SERVICES_RPC_WIRE_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"

// Methods are registered raw (bytes in, bytes out): a request that does not parse gets INVALID_ARGUMENT instead of
// gRPC's UNIMPLEMENTED, and one that does can be moved into the engine instead of copied.
namespace docket::rpc {

// INVALID_ARGUMENT MALFORMED_REQUEST: not the message expected, or a string that is not UTF-8.
template <class Request>
absl::Status ParseRequest(const grpc::ByteBuffer& bytes, Request* request) {
  grpc::ByteBuffer copy(bytes);  // shares the slices; parsing consumes its argument
  if (!grpc::SerializationTraits<Request>::Deserialize(&copy, request).ok()) {
    return Refuse(absl::StatusCode::kInvalidArgument, "MALFORMED_REQUEST",
                  absl::StrCat("the request is not a ", Request::descriptor()->full_name(),
                               ", or holds a string that is not UTF-8"));
  }
  return absl::OkStatus();
}

// A message that is serialised already, without copying it again.
inline grpc::ByteBuffer BytesOf(std::string serialised) {
  auto* kept = new std::string(std::move(serialised));
  const grpc::Slice slice(
      kept->data(), kept->size(), [](void* one) { delete static_cast<std::string*>(one); }, kept);
  return grpc::ByteBuffer(&slice, 1);
}

template <class Message>
grpc::ByteBuffer ToBytes(const Message& message) {
  grpc::ByteBuffer bytes;
  bool own = false;
  const grpc::Status done = grpc::SerializationTraits<Message>::Serialize(message, &bytes, &own);
  DOCKET_CHECK(done.ok());
  return bytes;
}

}  // namespace docket::rpc

#endif  // DOCKET_SERVICES_RPC_WIRE_H_
