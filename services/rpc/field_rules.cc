#include "services/rpc/field_rules.h"

#include <unordered_map>

#include "docket/v1/annotations.pb.h"
#include "workflow/base/mutex.h"

namespace docket::rpc {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

constexpr uint32_t kDefaultStringBytes = 256;
constexpr uint32_t kDefaultBytes = 64;
constexpr uint32_t kDefaultElements = 64;

uint32_t DefaultBytesOf(const FieldDescriptor* field) {
  switch (field->type()) {
    case FieldDescriptor::TYPE_STRING:
      return kDefaultStringBytes;
    case FieldDescriptor::TYPE_BYTES:
      return kDefaultBytes;
    default:
      return 0;
  }
}

FieldRule RuleOf(const FieldDescriptor* field) {
  const google::protobuf::FieldOptions& options = field->options();
  FieldRule rule;
  rule.field = field;
  rule.required = options.GetExtension(v1::required);
  rule.personal = options.GetExtension(v1::personal);
  const uint32_t given = options.GetExtension(v1::max_size);
  if (field->is_repeated()) {
    rule.max_size = given != 0 ? given : kDefaultElements;
    rule.max_element = DefaultBytesOf(field);
  } else if (DefaultBytesOf(field) != 0) {
    rule.max_size = given != 0 ? given : DefaultBytesOf(field);
  }
  return rule;
}

MessageRules Build(const Descriptor* type) {
  MessageRules rules;
  for (int i = 0; i < type->field_count(); ++i) rules.fields.push_back(RuleOf(type->field(i)));
  for (int i = 0; i < type->real_oneof_decl_count(); ++i) rules.oneofs.push_back(type->oneof_decl(i));
  return rules;
}

}  // namespace

const MessageRules& RulesOf(const Descriptor* type) {
  struct Table {
    Mutex mutex;
    std::unordered_map<const Descriptor*, MessageRules> rules ABSL_GUARDED_BY(mutex);
  };
  static auto* table = new Table;
  thread_local std::unordered_map<const Descriptor*, const MessageRules*> known;  // spares the lock on the hot path
  if (const auto it = known.find(type); it != known.end()) return *it->second;
  const MutexLock lock(&table->mutex);
  auto [it, added] = table->rules.try_emplace(type);
  if (added) it->second = Build(type);
  known.emplace(type, &it->second);
  return it->second;
}

bool IsUtf8(absl::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const unsigned char lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || i + length > text.size()) return false;
    uint32_t code = lead & (0xFF >> (length + 1));
    for (size_t k = 1; k < length; ++k) {
      const unsigned char next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xC0) != 0x80) return false;
      code = code << 6 | (next & 0x3F);
    }
    // Overlong forms, surrogates and what lies beyond Unicode.
    if ((length == 3 && code < 0x800) || (length == 4 && code < 0x10000) || code > 0x10FFFF ||
        (code >= 0xD800 && code <= 0xDFFF)) {
      return false;
    }
    i += length;
  }
  return true;
}

}  // namespace docket::rpc
