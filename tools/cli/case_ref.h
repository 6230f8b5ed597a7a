#ifndef DOCKET_TOOLS_CLI_CASE_REF_H_
#define DOCKET_TOOLS_CLI_CASE_REF_H_

#include <string>

#include "absl/status/status.h"
#include "tools/cli/global_options.h"

// CASE on the command line: a case id (UUID), source:key of another system, else a case number.
namespace docket::cli {

struct CaseRef {
  std::string case_id;
  std::string case_no;
  std::string source;  // with key
  std::string key;
};

CaseRef ParseCaseRef(const std::string& text);

// For requests with case_id, case_no and external_ref.
template <class Request>
void SetCase(const CaseRef& ref, Request* request) {
  request->set_case_id(ref.case_id);
  request->set_case_no(ref.case_no);
  if (ref.source.empty()) return;
  request->mutable_external_ref()->set_source(ref.source);
  request->mutable_external_ref()->set_key(ref.key);
}

// Asks the server which case it is: leaves nothing but its id.
absl::Status ResolveId(client::Client& client, CaseRef* ref);
// The same for requests that take numbers but no external_ref.
absl::Status ResolveExternal(client::Client& client, CaseRef* ref);

template <class Request>
absl::Status SetResolvedCase(client::Client& client, const std::string& text, Request* request) {
  CaseRef ref = ParseCaseRef(text);
  const absl::Status resolved = ResolveExternal(client, &ref);
  if (!resolved.ok()) return resolved;
  request->set_case_id(ref.case_id);
  request->set_case_no(ref.case_no);
  return absl::OkStatus();
}

}  // namespace docket::cli

#endif  // DOCKET_TOOLS_CLI_CASE_REF_H_
