#include "services/rpc/identity.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"

namespace docket::rpc {
namespace {

constexpr size_t kMaxPrincipalBytes = 64;

// "" when absent; of several values the first counts.
std::string Metadata(const grpc::CallbackServerContext& context, const char* key) {
  const auto found = context.client_metadata().find(key);
  return found == context.client_metadata().end() ? std::string()
                                                  : std::string(found->second.data(), found->second.size());
}

absl::StatusOr<std::string> PrincipalOf(const grpc::CallbackServerContext& context) {
  std::string principal = Metadata(context, kPrincipalKey);
  if (!principal.empty() && !IsPrincipalId(principal)) {
    return Refuse(absl::StatusCode::kInvalidArgument, "PRINCIPAL_MALFORMED",
                  absl::StrCat("metadata ", kPrincipalKey, ": want 1..", kMaxPrincipalBytes, " of a-z 0-9 . _ -"),
                  {{"metadata", kPrincipalKey}});
  }
  return principal;
}

}  // namespace

bool IsPrincipalId(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxPrincipalBytes && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_islower(static_cast<unsigned char>(c)) || absl::ascii_isdigit(static_cast<unsigned char>(c)) ||
           c == '.' || c == '_' || c == '-';
  });
}

bool IsTraceparent(absl::string_view text) {
  if (text.size() != 55) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i == 2 || i == 35 || i == 52) {
      if (text[i] != '-') return false;
    } else if (!absl::ascii_isdigit(static_cast<unsigned char>(text[i])) && !(text[i] >= 'a' && text[i] <= 'f')) {
      return false;
    }
  }
  return true;
}

absl::StatusOr<engine::Caller> WriterOf(const grpc::CallbackServerContext& context) {
  engine::Caller caller;
  DOCKET_ASSIGN_OR_RETURN(caller.principal_id, PrincipalOf(context));
  if (caller.principal_id.empty()) {
    return Refuse(absl::StatusCode::kInvalidArgument, "PRINCIPAL_MISSING",
                  absl::StrCat("metadata ", kPrincipalKey, ": missing; a write must say who does it"),
                  {{"metadata", kPrincipalKey}});
  }
  if (caller.principal_id == engine::kSystemPrincipal) {
    return Refuse(absl::StatusCode::kInvalidArgument, "PRINCIPAL_RESERVED",
                  absl::StrCat("metadata ", kPrincipalKey, ": \"", caller.principal_id, "\" is the server's own name"),
                  {{"metadata", kPrincipalKey}});
  }
  caller.traceparent = Metadata(context, kTraceparentKey);
  if (!IsTraceparent(caller.traceparent)) caller.traceparent.clear();
  return caller;
}

absl::StatusOr<query::Viewer> ViewerOf(const grpc::CallbackServerContext& context) {
  query::Viewer viewer;
  DOCKET_ASSIGN_OR_RETURN(viewer.principal_id, PrincipalOf(context));
  if (viewer.principal_id.empty()) viewer.principal_id = query::kAnonymous;
  return viewer;
}

}  // namespace docket::rpc
