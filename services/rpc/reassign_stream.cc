#include "services/rpc/reassign_stream.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/query/lists.h"
#include "services/query/reader.h"
#include "services/rpc/identity.h"
#include "services/rpc/validation.h"
#include "store/record_format.h"
#include "store/uuid.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"

namespace docket::rpc {
namespace {

v1::ReassignCasesReply::Result ResultOf(const v1::CaseSummary& summary) {
  v1::ReassignCasesReply::Result result;
  result.set_case_id(summary.case_id());
  result.set_case_no(summary.case_no());
  return result;
}

void SetRefusal(const absl::Status& refusal, v1::ReassignCasesReply::Result* result) {
  const bool parsed = result->mutable_status()->ParseFromString(SerializeRpcStatus(refusal));
  DOCKET_CHECK(parsed);
}

absl::Status CheckReceiver(const engine::Engine& engine, const v1::ReassignCasesRequest& request,
                           const std::string& caller) {
  const auto policies = engine.Read().policies;
  if (policies->Principal(caller) == nullptr) {
    return RefuseFields("UNKNOWN_PRINCIPAL",
                        {{"docket-principal", policies->DescribeUnknown(policy::NameKind::kPrincipal, caller)}});
  }
  if (policies->Principal(request.to()) == nullptr) {
    return RefuseFields("UNKNOWN_PRINCIPAL",
                        {{"to", policies->DescribeUnknown(policy::NameKind::kPrincipal, request.to())}});
  }
  if (request.to() == request.from()) {
    return RefuseFields("INVALID_FIELD", {{"to", absl::StrCat(request.to(), ", want another principal than `from`")}});
  }
  return absl::OkStatus();
}

}  // namespace

void ReassignStream::Begin(const grpc::CallbackServerContext& context, const grpc::ByteBuffer& in) {
  absl::Status admitted = ParseRequest(in, &request_);
  if (admitted.ok()) admitted = ValidateRequest(request_);
  if (admitted.ok()) {
    absl::StatusOr<engine::Caller> caller = WriterOf(context);
    admitted = caller.status();
    if (caller.ok()) caller_ = *std::move(caller);
  }
  if (admitted.ok()) admitted = CheckReceiver(*engine_, request_, caller_.principal_id);
  caller_.brief = true;
  Start(&context, admitted);
}

absl::StatusOr<std::vector<v1::CaseSummary>> ReassignStream::ListBatch() {
  v1::ListCasesRequest list;
  list.mutable_filter()->set_owner(request_.from());
  list.mutable_filter()->set_queue(request_.queue());
  for (const v1::StatusCategory open : {v1::NEW, v1::OPEN, v1::WAITING, v1::RESOLVED}) {
    list.mutable_filter()->add_categories(open);
  }
  list.set_page_size(kReassignBatch);
  list.set_page_token(page_token_);
  const query::Reader reader = query::OpenReader(*engine_, {.principal_id = caller_.principal_id});
  DOCKET_ASSIGN_OR_RETURN(v1::ListCasesReply reply, query::ListCases(reader, list));
  page_token_ = reply.next_page_token();
  listed_all_ = page_token_.empty();
  return std::vector<v1::CaseSummary>(reply.cases().begin(), reply.cases().end());
}

v1::ExecuteRequest ReassignStream::AssignmentOf(const v1::CaseSummary& summary) const {
  v1::ExecuteRequest assignment;
  assignment.set_case_id(summary.case_id());
  // The same call gives each case the same id, made at the same instant.
  const std::string digest = store::Sha256(absl::StrCat(request_.request_id(), "/", summary.case_id()));
  assignment.set_request_id(
      store::MakeUuidV7(*store::ParseUuidV7(request_.request_id()), digest.substr(0, store::kUuidRandomBytes)));
  assignment.mutable_command()->mutable_assign()->set_owner(request_.to());
  assignment.set_validate_only(request_.dry_run());
  return assignment;
}

void ReassignStream::Give(const std::vector<v1::CaseSummary>& cases) {
  std::vector<v1::ExecuteRequest> assignments;
  batch_ = std::make_shared<Batch>();
  {
    const MutexLock lock(&batch_->mutex);
    batch_->stream = this;
    batch_->open = cases.size();
    for (const v1::CaseSummary& summary : cases) {
      batch_->results.push_back(ResultOf(summary));
      assignments.push_back(AssignmentOf(summary));
    }
  }
  engine_->SubmitAll(std::move(assignments), caller_, engine::Lane::kBulk,
                     [batch = batch_](size_t index, absl::StatusOr<v1::ExecuteReply> reply) {
                       const MutexLock lock(&batch->mutex);
                       v1::ReassignCasesReply::Result& result = batch->results[index];
                       if (!reply.ok()) SetRefusal(reply.status(), &result);
                       if (reply.ok()) result.mutable_warnings()->Swap(reply->mutable_warnings());
                       if (--batch->open == 0 && batch->stream != nullptr) batch->stream->Wake();
                     });
}

std::optional<v1::ReassignCasesReply> ReassignStream::Results() {
  const MutexLock lock(&batch_->mutex);
  if (batch_->open > 0) return std::nullopt;
  v1::ReassignCasesReply reply;
  for (v1::ReassignCasesReply::Result& result : batch_->results) *reply.add_results() = std::move(result);
  batch_->stream = nullptr;
  return reply;
}

PullStream::Step ReassignStream::Next() {
  while (batch_ == nullptr && !listed_all_) {
    absl::StatusOr<std::vector<v1::CaseSummary>> cases = ListBatch();
    if (!cases.ok()) return cases.status();
    if (!cases->empty()) Give(*cases);
  }
  if (batch_ == nullptr) return absl::OkStatus();
  const std::optional<v1::ReassignCasesReply> results = Results();
  if (!results.has_value()) return Wait{};
  batch_ = nullptr;
  return Message{ToBytes(*results)};
}

void ReassignStream::Closing() {
  if (batch_ == nullptr) return;
  const MutexLock lock(&batch_->mutex);
  batch_->stream = nullptr;
}

}  // namespace docket::rpc
