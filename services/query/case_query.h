#ifndef DOCKET_SERVICES_QUERY_CASE_QUERY_H_
#define DOCKET_SERVICES_QUERY_CASE_QUERY_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "docket/v1/case_service.pb.h"
#include "docket/v1/queue_service.pb.h"
#include "services/query/reader.h"

// One case: found by any of its names, now or as of any time.
namespace docket::query {

// How a request names a case. Exactly one is set (request validation).
struct CaseName {
  absl::string_view case_id;
  absl::string_view case_no;
  const v1::ExternalRef* external_ref = nullptr;
};
// The case id. kNotFound CASE_NOT_FOUND. kInvalidArgument CASE_NO_INVALID: no case number, or its check character
// is wrong: it was mistyped, and no case of that number should be opened.
absl::StatusOr<std::string> ResolveCase(const Reader& reader, const CaseName& name);

// The newest state without texts. kNotFound CASE_NOT_FOUND.
absl::StatusOr<v1::Case> LoadCase(const Reader& reader, const std::string& case_id);

// As of valid_at with what time alone has made true by then, recorded or not, if nothing else happens; a known_at in
// the future means now. kOutOfRange REVISION_BEYOND_END; kNotFound CASE_NOT_FOUND also when the case did not exist as
// of then.
absl::StatusOr<v1::GetCaseReply> GetCase(const Reader& reader, const v1::GetCaseRequest& request);
absl::StatusOr<v1::GetClocksReply> GetClocks(const Reader& reader, const v1::GetClocksRequest& request);

// Every command the case's chart knows, with what forbids it now.
absl::StatusOr<v1::ListAllowedCommandsReply> ListAllowedCommands(const Reader& reader,
                                                                 const v1::ListAllowedCommandsRequest& request);

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_CASE_QUERY_H_
