#include "tools/client/call_status.h"

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"

namespace docket::client {
namespace {

constexpr absl::string_view kTypePrefix = "type.googleapis.com/";
constexpr absl::string_view kUnknownOutcome = "docket.client/unknown_outcome";
constexpr absl::string_view kNotConnected = "docket.client/not_connected";
// How workflow/base/refusal.cc puts the remedy into a violation's description.
constexpr absl::string_view kMetBy = " (met by: ";

absl::Status Build(int code, const std::string& message, const google::rpc::Status* details) {
  absl::Status status(static_cast<absl::StatusCode>(code), message);
  if (details == nullptr) return status;
  for (const auto& detail : details->details()) {
    status.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  }
  return status;
}

template <class Message>
std::optional<Message> Detail(const absl::Status& status) {
  const auto payload = status.GetPayload(absl::StrCat(kTypePrefix, Message::descriptor()->full_name()));
  Message message;
  if (!payload.has_value() || !message.ParseFromString(std::string(*payload))) return std::nullopt;
  return message;
}

Unmet ToUnmet(const google::rpc::PreconditionFailure::Violation& violation) {
  const std::string& text = violation.description();
  const size_t at = text.rfind(std::string(kMetBy));
  if (at == std::string::npos || !absl::EndsWith(text, ")")) return {violation.type(), text, ""};
  const size_t begin = at + kMetBy.size();
  return {violation.type(), text.substr(0, at), text.substr(begin, text.size() - begin - 1)};
}

}  // namespace

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  google::rpc::Status details;
  const bool parsed = !status.error_details().empty() && details.ParseFromString(status.error_details());
  return Build(status.error_code(), status.error_message(), parsed ? &details : nullptr);
}

absl::Status FromRpcStatus(const google::rpc::Status& status) {
  return status.code() == 0 ? absl::OkStatus() : Build(status.code(), status.message(), &status);
}

CallFailure Describe(const absl::Status& status) {
  DOCKET_CHECK(!status.ok());
  CallFailure failure;
  failure.code = status.code();
  failure.message = std::string(status.message());
  if (const auto info = Detail<google::rpc::ErrorInfo>(status)) {
    failure.reason = info->reason();
    failure.metadata.insert(info->metadata().begin(), info->metadata().end());
  }
  if (const auto precondition = Detail<google::rpc::PreconditionFailure>(status)) {
    for (const auto& violation : precondition->violations()) failure.unmet.push_back(ToUnmet(violation));
  }
  if (const auto bad = Detail<google::rpc::BadRequest>(status)) {
    for (const auto& violation : bad->field_violations()) {
      failure.fields.push_back({violation.field(), violation.description()});
    }
  }
  if (const auto retry = Detail<google::rpc::RetryInfo>(status)) failure.retry_after = FromProto(retry->retry_delay());
  if (const auto request_id = status.GetPayload(kUnknownOutcome)) failure.unknown_outcome_of = std::string(*request_id);
  failure.not_connected = status.GetPayload(kNotConnected).has_value();
  return failure;
}

absl::Status NotConnected(absl::string_view server) {
  absl::Status status = absl::UnavailableError(absl::StrCat("cannot connect to ", server));
  status.SetPayload(kNotConnected, absl::Cord(server));
  return status;
}

absl::Status WithUnknownOutcome(absl::Status status, absl::string_view request_id) {
  status.SetPayload(kUnknownOutcome, absl::Cord(request_id));
  return status;
}

absl::Status WithoutUnknownOutcome(absl::Status status) {
  status.ErasePayload(kUnknownOutcome);
  return status;
}

}  // namespace docket::client
