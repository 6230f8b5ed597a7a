#ifndef DOCKET_WORKFLOW_BASE_TIME_H_
#define DOCKET_WORKFLOW_BASE_TIME_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

// Conversions between absl::Time and the wire. Docket keeps whole microseconds; anything finer is cut off.
namespace docket {

google::protobuf::Timestamp ToProto(absl::Time time);
google::protobuf::Duration ToProto(absl::Duration duration);
absl::Time FromProto(const google::protobuf::Timestamp& timestamp);
absl::Duration FromProto(const google::protobuf::Duration& duration);

// "2026-11-23T09:30:00Z", with as many fractional digits as needed; "" for InfiniteFuture and InfinitePast.
std::string FormatUtc(absl::Time time);

}  // namespace docket

#endif  // DOCKET_WORKFLOW_BASE_TIME_H_
