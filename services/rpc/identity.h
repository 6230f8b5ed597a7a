#ifndef DOCKET_SERVICES_RPC_IDENTITY_H_
#define DOCKET_SERVICES_RPC_IDENTITY_H_

#include "absl/status/statusor.h"
#include "grpcpp/server_context.h"
#include "services/engine/engine.h"
#include "services/query/visibility.h"

// Who calls. There is no login yet: the caller says who they are in the metadata `docket-principal` and is believed,
// which is why the server listens on loopback only. Every commit records this as authentication "claimed".
namespace docket::rpc {

inline constexpr char kPrincipalKey[] = "docket-principal";  // 1..64 of a-z 0-9 . _ -
inline constexpr char kTraceparentKey[] = "traceparent";     // W3C trace context; ignored when malformed

// INVALID_ARGUMENT PRINCIPAL_MISSING without the metadata, PRINCIPAL_MALFORMED with the wrong characters.
absl::StatusOr<engine::Caller> WriterOf(const grpc::CallbackServerContext& context);

// The same for reads, where nobody in particular may ask. PRINCIPAL_MALFORMED as above.
absl::StatusOr<query::Viewer> ViewerOf(const grpc::CallbackServerContext& context);

bool IsPrincipalId(absl::string_view text);
bool IsTraceparent(absl::string_view text);

}  // namespace docket::rpc

#endif  // DOCKET_SERVICES_RPC_IDENTITY_H_
