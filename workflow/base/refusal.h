#ifndef DOCKET_WORKFLOW_BASE_REFUSAL_H_
#define DOCKET_WORKFLOW_BASE_REFUSAL_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// Refusals as absl::Status whose payloads hold the google.rpc details (ErrorInfo, PreconditionFailure, BadRequest,
// RetryInfo), so that the reply on the wire and the log line are built from one object.
namespace docket {

inline constexpr absl::string_view kErrorDomain = "docket.v1";

// One unmet condition.
struct Unmet {
  std::string reason;       // UPPER_SNAKE
  std::string description;  // what was found and what was wanted
  std::string meet_by;      // command that would meet it; may be empty
};

// One malformed field.
struct BadField {
  std::string field;        // path, "hold.until"
  std::string description;  // value found and what was wanted
};

// A refusal with a stable reason. `message` names field, value and wish.
absl::Status Refuse(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                    const std::map<std::string, std::string>& metadata = {});

// FAILED_PRECONDITION listing every unmet condition of `subject`. REQUIRES: !unmet.empty().
absl::Status RefuseUnmet(absl::string_view reason, absl::string_view subject, const std::vector<Unmet>& unmet);

// INVALID_ARGUMENT listing every bad field. REQUIRES: !fields.empty().
absl::Status RefuseFields(absl::string_view reason, const std::vector<BadField>& fields);

// `status` with a RetryInfo.
absl::Status WithRetryAfter(absl::Status status, absl::Duration delay);

// The ErrorInfo reason of a refusal; "" when it carries none.
std::string ReasonOf(const absl::Status& status);

// The serialised google.rpc.Status of `status` with all its details, for the grpc-status-details-bin trailer.
std::string SerializeRpcStatus(const absl::Status& status);

}  // namespace docket

#endif  // DOCKET_WORKFLOW_BASE_REFUSAL_H_
