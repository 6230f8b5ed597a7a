#ifndef DOCKET_WORKFLOW_BASE_FIELD_RULES_H_
#define DOCKET_WORKFLOW_BASE_FIELD_RULES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "docket/v1/annotations.pb.h"
#include "google/protobuf/descriptor.h"

// What the marks on the fields of requests want of their values (docket/v1/annotations.proto), for the server, which
// refuses, and for clients that want to know before.
namespace docket {

// What the descriptor says about one field.
struct FieldRule {
  const google::protobuf::FieldDescriptor* field = nullptr;
  bool required = false;
  bool personal = false;
  v1::TextForm form = v1::ANY_TEXT;
  uint32_t max_size = 0;     // bytes of a string or bytes field, elements of a repeated one; 0: neither
  uint32_t max_element = 0;  // bytes of one element of a repeated string or bytes field
};

struct MessageRules {
  std::vector<FieldRule> fields;                                 // by field index
  std::vector<const google::protobuf::OneofDescriptor*> oneofs;  // real ones; each must be set
};

// Worked out once per type and kept for ever. Thread-safe.
const MessageRules& RulesOf(const google::protobuf::Descriptor* type);

bool IsUtf8(absl::string_view text);

// `text` is UTF-8.
bool HasForm(v1::TextForm form, absl::string_view text);
const char* DescribeForm(v1::TextForm form);  // "want …"
// Nothing to see: only blanks, of ASCII or any width.
bool IsBlank(absl::string_view text);

// Why `value`, of at most `max` bytes, is not as its field wants it: "what was found, want …"; "" when it is. Whether a
// required value is there at all is not asked.
std::string TextFault(const FieldRule& rule, const std::string& value, uint32_t max);
// `value` as a message may show it: the beginning in quotes, nothing of what is personal.
std::string ShownValue(const FieldRule& rule, const std::string& value);

}  // namespace docket

#endif  // DOCKET_WORKFLOW_BASE_FIELD_RULES_H_
