#include "workflow/base/refusal.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"

namespace docket {
namespace {

constexpr absl::string_view kTypePrefix = "type.googleapis.com/";

template <class Message>
void AddDetail(absl::Status& status, const Message& message) {
  status.SetPayload(absl::StrCat(kTypePrefix, message.GetDescriptor()->full_name()),
                    absl::Cord(message.SerializeAsString()));
}

void AddReason(absl::Status& status, absl::string_view reason, const std::map<std::string, std::string>& metadata) {
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(reason));
  info.set_domain(std::string(kErrorDomain));
  for (const auto& [key, value] : metadata) (*info.mutable_metadata())[key] = value;
  AddDetail(status, info);
}

}  // namespace

absl::Status Refuse(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                    const std::map<std::string, std::string>& metadata) {
  DOCKET_CHECK(code != absl::StatusCode::kOk);
  absl::Status status(code, message);
  AddReason(status, reason, metadata);
  return status;
}

absl::Status RefuseUnmet(absl::string_view reason, absl::string_view subject, const std::vector<Unmet>& unmet) {
  DOCKET_CHECK(!unmet.empty());
  google::rpc::PreconditionFailure failure;
  for (const Unmet& one : unmet) {
    auto* violation = failure.add_violations();
    violation->set_type(one.reason);
    violation->set_subject(std::string(subject));
    violation->set_description(one.meet_by.empty() ? one.description
                                                   : absl::StrCat(one.description, " (met by: ", one.meet_by, ")"));
  }
  absl::Status status(absl::StatusCode::kFailedPrecondition,
                      absl::StrCat(subject, ": ", absl::StrJoin(unmet, "; ", [](std::string* out, const Unmet& one) {
                                     absl::StrAppend(out, one.description);
                                   })));
  AddReason(status, reason, {});
  AddDetail(status, failure);
  return status;
}

absl::Status RefuseFields(absl::string_view reason, const std::vector<BadField>& fields) {
  DOCKET_CHECK(!fields.empty());
  google::rpc::BadRequest bad;
  for (const BadField& one : fields) {
    auto* violation = bad.add_field_violations();
    violation->set_field(one.field);
    violation->set_description(one.description);
  }
  absl::Status status(absl::StatusCode::kInvalidArgument,
                      absl::StrJoin(fields, "; ", [](std::string* out, const BadField& one) {
                        absl::StrAppend(out, one.field, ": ", one.description);
                      }));
  AddReason(status, reason, {{"field", fields.front().field}});
  AddDetail(status, bad);
  return status;
}

absl::Status WithRetryAfter(absl::Status status, absl::Duration delay) {
  google::rpc::RetryInfo info;
  *info.mutable_retry_delay() = ToProto(delay);
  AddDetail(status, info);
  return status;
}

std::string ReasonOf(const absl::Status& status) {
  const auto payload = status.GetPayload(absl::StrCat(kTypePrefix, "google.rpc.ErrorInfo"));
  google::rpc::ErrorInfo info;
  if (!payload.has_value() || !info.ParseFromString(std::string(*payload))) return "";
  return info.reason();
}

std::string SerializeRpcStatus(const absl::Status& status) {
  google::rpc::Status rpc;
  rpc.set_code(static_cast<int>(status.code()));
  rpc.set_message(std::string(status.message()));
  status.ForEachPayload([&](absl::string_view type_url, const absl::Cord& payload) {
    auto* detail = rpc.add_details();
    detail->set_type_url(std::string(type_url));
    detail->set_value(std::string(payload));
  });
  return rpc.SerializeAsString();
}

}  // namespace docket
