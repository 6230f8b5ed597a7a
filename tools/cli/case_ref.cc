#include "tools/cli/case_ref.h"

#include "tools/client/request_id.h"
#include "workflow/base/check.h"

namespace docket::cli {

CaseRef ParseCaseRef(const std::string& text) {
  if (client::IsUuid(text)) return {.case_id = text};
  const size_t colon = text.find(':');
  if (colon == std::string::npos || colon == 0) return {.case_no = text};
  return {.source = text.substr(0, colon), .key = text.substr(colon + 1)};
}

absl::Status ResolveExternal(client::Client& client, CaseRef* ref) {
  return ref->source.empty() ? absl::OkStatus() : ResolveId(client, ref);
}

absl::Status ResolveId(client::Client& client, CaseRef* ref) {
  v1::GetCaseRequest request;
  SetCase(*ref, &request);
  DOCKET_ASSIGN_OR_RETURN(const v1::GetCaseReply reply, client.GetCase(request));
  *ref = {.case_id = reply.case_().case_id()};
  return absl::OkStatus();
}

}  // namespace docket::cli
