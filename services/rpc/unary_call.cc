#include "services/rpc/unary_call.h"

namespace docket::rpc {

absl::Status Overloaded() {
  return WithRetryAfter(Refuse(absl::StatusCode::kResourceExhausted, "OVERLOADED",
                               absl::StrCat(ReadPool::kMaxQueued, " reads are waiting already; nothing was read")),
                        absl::Milliseconds(200));
}

}  // namespace docket::rpc
