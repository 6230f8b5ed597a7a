#ifndef DOCKET_WORKFLOW_POLICY_CONDITION_H_
#define DOCKET_WORKFLOW_POLICY_CONDITION_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "docket/v1/policy.pb.h"
#include "google/protobuf/message.h"

// The one condition language. Pure.
namespace docket::policy {

// What conditions may speak of. Null: no fact of that namespace holds a value (comparisons see the default).
struct Facts {
  const google::protobuf::Message* case_facts = nullptr;  // docket.v1.CaseFacts, "case."
  const google::protobuf::Message* command = nullptr;     // the message inside Command, "command."
  const google::protobuf::Message* event = nullptr;       // the message inside Event, "event."
};

// REQUIRES: the condition passed CheckCondition with these descriptors (an unset condition is true).
bool Evaluate(const v1::Condition& condition, const Facts& facts);

// The value of a text fact; "" when nobody holds one.
std::string TextOf(const std::string& fact, const Facts& facts);

// Which descriptors a condition may use; null: the namespace is not allowed there.
struct FactCatalogue {
  const google::protobuf::Descriptor* case_facts = nullptr;
  const google::protobuf::Descriptor* command = nullptr;
  const google::protobuf::Descriptor* event = nullptr;
};
// kInvalidArgument: unknown fact (with the nearest name), operator that does not fit the type, value that does not
// parse.
absl::Status CheckCondition(const v1::Condition& condition, const FactCatalogue& catalogue);

// "case.priority <= 2 and case.safety = true": for refusals and explanations.
std::string DescribeCondition(const v1::Condition& condition);

}  // namespace docket::policy

#endif  // DOCKET_WORKFLOW_POLICY_CONDITION_H_
