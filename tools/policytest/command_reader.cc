#include "tools/policytest/command_reader.h"

#include <limits>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "tools/policytest/instants.h"
#include "workflow/base/field_rules.h"
#include "workflow/base/time.h"
#include "workflow/policy/map_reader.h"

namespace docket::policytest {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using policy::YamlNode;

class Reader {
 public:
  Reader(const CommandContext& context, policy::Findings* findings) : context_(context), findings_(*findings) {}

  void Read(const YamlNode& node, const std::string& what, Message* message) {
    if (node.kind != YamlNode::Kind::kNull && !node.is_map()) {
      findings_.Add(node.line, "WRONG_TYPE", absl::StrCat(what, ": found ", node.Describe(), ", want a map of fields"));
      return;
    }
    for (const policy::YamlEntry& entry : node.entries) ReadEntry(entry, what, message);
    for (const FieldRule& rule : RulesOf(message->GetDescriptor()).fields) {
      if (!rule.required || rule.personal || IsSet(*message, *rule.field)) continue;
      findings_.Add(node.line, "MISSING_KEY",
                    absl::StrCat(what, ": found no key \"", rule.field->name(), "\", want one"));
    }
  }

 private:
  static bool IsSet(const Message& message, const FieldDescriptor& field) {
    const Reflection& reflection = *message.GetReflection();
    return field.is_repeated() ? reflection.FieldSize(message, &field) > 0 : reflection.HasField(message, &field);
  }

  void ReadEntry(const policy::YamlEntry& entry, const std::string& what, Message* message) {
    const auto& type = *message->GetDescriptor();
    const FieldDescriptor* field = type.FindFieldByName(entry.key);
    if (field == nullptr) field = type.FindFieldByCamelcaseName(entry.key);
    if (field == nullptr) {
      std::vector<std::string> names;
      for (int i = 0; i < type.field_count(); ++i) names.push_back(type.field(i)->name());
      findings_.Add(entry.line, "UNKNOWN_KEY",
                    absl::StrCat(what, ": found the key \"", entry.key.substr(0, 80), "\", want a field of ",
                                 type.name(), policy::Suggest(entry.key, names)));
      return;
    }
    const std::string path = absl::StrCat(what, ".", field->name());
    if (!field->is_repeated()) {
      ReadValue(entry.value, path, *field, message);
      return;
    }
    if (!entry.value.is_list()) {
      findings_.Add(entry.value.line, "WRONG_TYPE",
                    absl::StrCat(path, ": found ", entry.value.Describe(), ", want a list"));
      return;
    }
    for (const YamlNode& item : entry.value.items) ReadValue(item, path, *field, message);
  }

  void ReadValue(const YamlNode& node, const std::string& what, const FieldDescriptor& field, Message* message) {
    const Reflection& reflection = *message->GetReflection();
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        ReadNested(
            node, what, field,
            field.is_repeated() ? reflection.AddMessage(message, &field) : reflection.MutableMessage(message, &field));
        return;
      case FieldDescriptor::CPPTYPE_ENUM: {
        const int value = policy::ReadEnum(node, what, *field.enum_type(), &findings_);
        field.is_repeated() ? reflection.AddEnumValue(message, &field, value)
                            : reflection.SetEnumValue(message, &field, value);
        return;
      }
      case FieldDescriptor::CPPTYPE_BOOL:
        if (node.is_scalar() && (node.text == "true" || node.text == "false")) {
          reflection.SetBool(message, &field, node.text == "true");
        } else {
          Wrong(node, what, "true or false");
        }
        return;
      case FieldDescriptor::CPPTYPE_STRING:
        ReadText(node, what, field, message);
        return;
      default:
        ReadNumber(node, what, field, message);
    }
  }

  void ReadNested(const YamlNode& node, const std::string& what, const FieldDescriptor& field, Message* nested) {
    const std::string text = node.is_scalar() ? node.text : "";
    if (field.message_type() == google::protobuf::Timestamp::descriptor()) {
      const auto time = ParseInstant(text, context_.at, context_.zone);
      if (!time.ok()) return Bad(node, what, "BAD_TIME", time.status());
      nested->CopyFrom(ToProto(*time));
    } else if (field.message_type() == google::protobuf::Duration::descriptor()) {
      const auto span = policy::ParseSpan(text);
      if (!span.ok()) return Bad(node, what, "BAD_SPAN", span.status());
      nested->CopyFrom(ToProto(*span));
    } else {
      Read(node, what, nested);
    }
  }

  void ReadText(const YamlNode& node, const std::string& what, const FieldDescriptor& field, Message* message) {
    if (!node.is_scalar()) return Wrong(node, what, "a text");
    const FieldRule& rule = RulesOf(message->GetDescriptor()).fields[field.index()];
    const std::string fault = TextFault(rule, node.text, field.is_repeated() ? rule.max_element : rule.max_size);
    if (!fault.empty()) findings_.Add(node.line, "INVALID_FIELD", absl::StrCat(what, ": ", fault));
    const Reflection& reflection = *message->GetReflection();
    field.is_repeated() ? reflection.AddString(message, &field, node.text)
                        : reflection.SetString(message, &field, node.text);
  }

  // Whole numbers; every number of a command is one.
  void ReadNumber(const YamlNode& node, const std::string& what, const FieldDescriptor& field, Message* message) {
    const Reflection& reflection = *message->GetReflection();
    int64_t number = 0;
    if (node.is_scalar() && absl::StartsWith(node.text, "$")) {
      const auto found = context_.revisions->find(node.text.substr(1));
      if (found == context_.revisions->end()) {
        return Wrong(node, what, "$ and the id of a step before this one");
      }
      number = found->second;
    } else {
      number = policy::ReadInt(node, what, 0, std::numeric_limits<uint32_t>::max(), &findings_).value_or(0);
    }
    const bool wide = field.cpp_type() == FieldDescriptor::CPPTYPE_UINT64;
    if (wide && field.is_repeated()) reflection.AddUInt64(message, &field, static_cast<uint64_t>(number));
    if (wide && !field.is_repeated()) reflection.SetUInt64(message, &field, static_cast<uint64_t>(number));
    if (!wide && field.is_repeated()) reflection.AddUInt32(message, &field, static_cast<uint32_t>(number));
    if (!wide && !field.is_repeated()) reflection.SetUInt32(message, &field, static_cast<uint32_t>(number));
  }

  void Wrong(const YamlNode& node, const std::string& what, absl::string_view wanted) {
    findings_.Add(node.line, "WRONG_TYPE", absl::StrCat(what, ": found ", node.Describe(), ", want ", wanted));
  }
  void Bad(const YamlNode& node, const std::string& what, absl::string_view reason, const absl::Status& status) {
    findings_.Add(node.line, reason, absl::StrCat(what, ": ", status.message()));
  }

  const CommandContext& context_;
  policy::Findings& findings_;
};

}  // namespace

void ReadMessage(const YamlNode& node, const std::string& what, const CommandContext& context, Message* message,
                 policy::Findings* findings) {
  Reader(context, findings).Read(node, what, message);
}

}  // namespace docket::policytest
