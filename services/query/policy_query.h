#ifndef DOCKET_SERVICES_QUERY_POLICY_QUERY_H_
#define DOCKET_SERVICES_QUERY_POLICY_QUERY_H_

#include "absl/status/statusor.h"
#include "docket/v1/policy_service.pb.h"
#include "services/query/reader.h"

// Reading and trying out policies and the directory.
namespace docket::query {

// OK with findings for a pack that would be refused.
v1::ValidatePoliciesReply ValidatePolicies(const Reader& reader, const v1::ValidatePoliciesRequest& request);

// kNotFound POLICY_NOT_FOUND.
absl::StatusOr<v1::GetPolicyReply> GetPolicy(const Reader& reader, const v1::GetPolicyRequest& request);
v1::ListPoliciesReply ListPolicies(const Reader& reader, const v1::ListPoliciesRequest& request);

// Names of people are revealed.
absl::StatusOr<v1::GetDirectoryReply> GetDirectory(const Reader& reader);

// kNotFound CALENDAR_NOT_FOUND; kInvalidArgument for a target or a calendar that does not parse;
// kFailedPrecondition NEVER_DUE: the windows and pauses never allow it.
absl::StatusOr<v1::ComputeDueReply> ComputeDue(const Reader& reader, const v1::ComputeDueRequest& request);

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_POLICY_QUERY_H_
