#include "services/rpc/unary_call.h"

namespace docket::rpc {

absl::Status Overloaded() {
  return WithRetryAfter(Refuse(absl::StatusCode::kResourceExhausted, "OVERLOADED",
                               absl::StrCat(ReadPool::kMaxQueued, " calls are waiting already; nothing was done")),
                        absl::Milliseconds(200));
}

}  // namespace docket::rpc
