#ifndef DOCKET_TOOLS_CLIENT_CALL_STATUS_H_
#define DOCKET_TOOLS_CLIENT_CALL_STATUS_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/support/status.h"
#include "workflow/base/refusal.h"

// What the client makes of a failed call. Codes are those of gRPC; the google.rpc details that the server attached are
// payloads of the absl::Status under the same type URLs as in workflow/base/refusal.h, so ReasonOf() works on them.
namespace docket::client {

// A refusal taken apart.
struct CallFailure {
  absl::StatusCode code = absl::StatusCode::kOk;
  std::string reason;  // UPPER_SNAKE; empty: not the server's word but the transport's
  std::string message;
  std::map<std::string, std::string> metadata;
  std::vector<Unmet> unmet;      // every condition the server found unmet
  std::vector<BadField> fields;  // every malformed field
  std::optional<absl::Duration> retry_after;
  // Set when the client cannot know whether a write took effect: repeating the call with this request_id is safe.
  std::string unknown_outcome_of;
  bool not_connected = false;  // no connection was made, so nothing was sent
};

// OK or the failure with its details as payloads. Details that do not parse are dropped, code and message stay.
absl::Status FromGrpc(const grpc::Status& status);
absl::Status FromRpcStatus(const google::rpc::Status& status);

// REQUIRES: !status.ok().
CallFailure Describe(const absl::Status& status);

// Marks made by the client itself.
absl::Status NotConnected(absl::string_view server);
absl::Status WithUnknownOutcome(absl::Status status, absl::string_view request_id);
// For a caller that repeats its work as a whole and has no use for the request id.
absl::Status WithoutUnknownOutcome(absl::Status status);

}  // namespace docket::client

#endif  // DOCKET_TOOLS_CLIENT_CALL_STATUS_H_
