#include "workflow/base/field_rules.h"

#include <algorithm>
#include <unordered_map>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "docket/v1/annotations.pb.h"
#include "workflow/base/mutex.h"

namespace docket {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

constexpr uint32_t kDefaultStringBytes = 256;
constexpr uint32_t kCodeBytes = 64;
constexpr uint32_t kDefaultBytes = 64;
constexpr uint32_t kDefaultElements = 64;
constexpr size_t kShownBytes = 48;  // of a value repeated in a refusal

uint32_t DefaultBytesOf(const FieldDescriptor* field) {
  switch (field->type()) {
    case FieldDescriptor::TYPE_STRING:
      return field->options().GetExtension(v1::form) == v1::CODE ? kCodeBytes : kDefaultStringBytes;
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
  rule.form = options.GetExtension(v1::form);
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

// Bytes at the beginning of `text` that show nothing: a blank or control character of ASCII or Latin-1, or one of the
// blanks and invisible marks of U+2000..U+206F, U+3000, U+FEFF. 0: something can be seen.
size_t LeadingBlank(absl::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0; };
  if (text.empty()) return 0;
  if (byte(0) <= 0x20 || byte(0) == 0x7F) return 1;
  if (byte(0) == 0xC2 && byte(1) <= 0xA0) return 2;
  const uint32_t three = byte(0) << 16 | byte(1) << 8 | byte(2);
  const bool general = (three >= 0xE28080 && three <= 0xE2808F) || (three >= 0xE280A8 && three <= 0xE280AF) ||
                       (three >= 0xE2819F && three <= 0xE281AF);
  return general || three == 0xE38080 || three == 0xEFBBBF ? 3 : 0;
}

bool IsCode(absl::string_view text) {
  return !text.empty() && absl::ascii_isalnum(static_cast<unsigned char>(text[0])) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("_.:/-", c);
         });
}

// A space, a no-break space (French before a colon), or one of the marks that join letters or not (Persian).
bool IsWithinWords(absl::string_view blank) {
  return blank == " " || blank == "\u00A0" || blank == "\u202F" || blank == "\u200C" || blank == "\u200D";
}

// Printable; blanks are allowed between words if `spaces`.
bool IsPrintable(absl::string_view text, bool spaces) {
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t blank = LeadingBlank(text.substr(i));
    if (blank == 0) continue;
    if (!spaces || !IsWithinWords(text.substr(i, blank)) || i == 0 || i + blank >= text.size()) return false;
    i += blank - 1;
  }
  return true;
}

bool HasControlCharacter(const FieldRule& rule, const std::string& value) {
  return std::any_of(value.begin(), value.end(), [&](char c) {
    const bool layout = rule.personal && (c == '\n' || c == '\r' || c == '\t');
    return absl::ascii_iscntrl(static_cast<unsigned char>(c)) && !layout;
  });
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

bool HasForm(v1::TextForm form, absl::string_view text) {
  switch (form) {
    case v1::CODE:
      return IsCode(text);
    case v1::REFERENCE:
      return IsPrintable(text, /*spaces=*/false);
    case v1::LABEL:
      return IsPrintable(text, /*spaces=*/true);
    default:
      return true;
  }
}

const char* DescribeForm(v1::TextForm form) {
  switch (form) {
    case v1::CODE:
      return "want a code: a letter or digit, then letters, digits and _ . : / -";
    case v1::REFERENCE:
      return "want a reference: printable, without blanks";
    case v1::LABEL:
      return "want a label: printable, blanks only between words";
    default:
      return "want a text";
  }
}

bool IsBlank(absl::string_view text) {
  while (!text.empty()) {
    const size_t blank = LeadingBlank(text);
    if (blank == 0) return false;
    text.remove_prefix(std::min(blank, text.size()));
  }
  return true;
}

std::string ShownValue(const FieldRule& rule, const std::string& value) {
  if (rule.personal) return "the value given";
  return absl::StrCat("\"", absl::CHexEscape(value.substr(0, kShownBytes)), value.size() > kShownBytes ? "..." : "",
                      "\"");
}

std::string TextFault(const FieldRule& rule, const std::string& value, uint32_t max) {
  const bool is_string = rule.field->type() == FieldDescriptor::TYPE_STRING;
  if (value.size() > max) return absl::StrCat(value.size(), " bytes, want at most ", max);
  if (is_string && !IsUtf8(value)) return "not UTF-8";
  if (is_string && HasControlCharacter(rule, value)) {
    return rule.personal ? "holds a control character, want none but line ends and tabs"
                         : "holds a control character, want none";
  }
  if (is_string && rule.required && !value.empty() && IsBlank(value)) return "blank, is required";
  if (value.empty() || HasForm(rule.form, value)) return "";
  return absl::StrCat(ShownValue(rule, value), ", ", DescribeForm(rule.form));
}

}  // namespace docket
