#include "services/rpc/status_translation.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "spdlog/spdlog.h"
#include "workflow/base/check.h"
#include "workflow/base/field_rules.h"
#include "workflow/base/refusal.h"

namespace docket::rpc {
namespace {

// Cut to `size` bytes without splitting a character.
std::string CutText(std::string text, size_t size) {
  if (text.size() <= size) return text;
  text.resize(size);
  while (!text.empty() && !IsUtf8(text)) text.pop_back();
  return text + " ...";
}

// Removes violations from the end until the list fits `size` bytes.
template <class List>
void CutList(List* violations, size_t size) {
  size_t bytes = 0;
  int kept = 0;
  while (kept < violations->size() && bytes + violations->Get(kept).ByteSizeLong() + 4 <= size) {
    bytes += violations->Get(kept).ByteSizeLong() + 4;
    ++kept;
  }
  const int dropped = violations->size() - kept;
  if (dropped == 0) return;
  violations->DeleteSubrange(kept, dropped);
  violations->Add()->set_description(absl::StrCat(dropped, " more are not listed"));
}

void CutDetail(google::protobuf::Any* detail, size_t size) {
  google::rpc::BadRequest bad;
  google::rpc::PreconditionFailure failure;
  if (detail->Is<google::rpc::BadRequest>() && detail->UnpackTo(&bad)) {
    CutList(bad.mutable_field_violations(), size);
    detail->PackFrom(bad);
  } else if (detail->Is<google::rpc::PreconditionFailure>() && detail->UnpackTo(&failure)) {
    CutList(failure.mutable_violations(), size);
    detail->PackFrom(failure);
  }
}

bool IsOurFault(absl::StatusCode code) {
  return code == absl::StatusCode::kInternal || code == absl::StatusCode::kDataLoss ||
         code == absl::StatusCode::kUnknown;
}

}  // namespace

google::rpc::Status ToRpcStatus(const absl::Status& status) {
  google::rpc::Status rpc;
  if (IsOurFault(status.code()) && ReasonOf(status).empty()) {
    spdlog::error("answering {}: {}", absl::StatusCodeToString(status.code()), std::string(status.message()));
    const absl::Status told =
        Refuse(status.code(), status.code() == absl::StatusCode::kDataLoss ? "DATA_LOSS" : "INTERNAL",
               "the server could not read or trust its own data; its log says more");
    DOCKET_CHECK(rpc.ParseFromString(SerializeRpcStatus(told)));
    return rpc;
  }
  DOCKET_CHECK(rpc.ParseFromString(SerializeRpcStatus(status)));
  rpc.set_message(CutText(rpc.message(), kMaxMessageBytes));
  if (rpc.ByteSizeLong() > kMaxMessageBytes + kMaxDetailsBytes) {
    for (google::protobuf::Any& detail : *rpc.mutable_details()) CutDetail(&detail, kMaxDetailsBytes / 2);
  }
  return rpc;
}

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const google::rpc::Status rpc = ToRpcStatus(status);
  return grpc::Status(static_cast<grpc::StatusCode>(rpc.code()), rpc.message(), rpc.SerializeAsString());
}

}  // namespace docket::rpc
