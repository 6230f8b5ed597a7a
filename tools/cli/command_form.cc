#include "tools/cli/command_form.h"

#include <limits>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "docket/v1/annotations.pb.h"
#include "docket/v1/command.pb.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "tools/cli/json_output.h"
#include "tools/cli/moments.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"

namespace docket::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Deeper messages are given as JSON; nothing a person types on a line is deeper.
constexpr size_t kMaxDepth = 3;

bool IsTimestamp(const FieldDescriptor& field) {
  return field.message_type() == google::protobuf::Timestamp::descriptor();
}
bool IsDuration(const FieldDescriptor& field) {
  return field.message_type() == google::protobuf::Duration::descriptor();
}
bool IsNested(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !IsTimestamp(field) && !IsDuration(field);
}

std::vector<std::string> EnumNames(const EnumDescriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.value_count(); ++i) {
    if (absl::EndsWith(type.value(i)->name(), "_UNSPECIFIED")) continue;
    names.push_back(type.value(i)->name());
  }
  return names;
}

template <class Integer>
std::string IntegerWanted() {
  return absl::StrCat("a whole number from ", std::numeric_limits<Integer>::min(), " to ",
                      std::numeric_limits<Integer>::max());
}

std::string Wanted(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return IntegerWanted<int32_t>();
    case FieldDescriptor::CPPTYPE_INT64:
      return IntegerWanted<int64_t>();
    case FieldDescriptor::CPPTYPE_UINT32:
      return IntegerWanted<uint32_t>();
    case FieldDescriptor::CPPTYPE_UINT64:
      return IntegerWanted<uint64_t>();
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return "a number";
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return absl::StrCat("one of ", absl::StrJoin(EnumNames(*field.enum_type()), ", "));
    case FieldDescriptor::CPPTYPE_STRING:
      return "text";
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  if (IsTimestamp(field)) return std::string(kMomentWanted);
  if (IsDuration(field)) return "a span such as 90s, 45m, 4h or 2d";
  std::vector<std::string> names;
  for (int i = 0; i < field.message_type()->field_count(); ++i) names.push_back(field.message_type()->field(i)->name());
  return absl::StrCat("JSON, or name=value,… of ", absl::StrJoin(names, ", "));
}

void AddFields(const Descriptor& type, const std::string& prefix, const std::vector<const FieldDescriptor*>& parents,
               std::vector<FormField>* result) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    FormField form;
    form.option = absl::StrCat(prefix, VerbName(field));
    form.path = parents;
    form.path.push_back(&field);
    // A required field of an optional message is not required of the command.
    form.required = parents.empty() && field.options().GetExtension(v1::required);
    form.wanted = Wanted(field);
    result->push_back(form);
    if (IsNested(field) && !field.is_repeated() && form.path.size() < kMaxDepth) {
      AddFields(*field.message_type(), absl::StrCat(form.option, "."), form.path, result);
    }
  }
}

absl::Status ParseMessage(absl::string_view text, const FormContext& context, Message* message);

absl::Status BadValue(absl::string_view text, absl::string_view wanted) {
  return absl::InvalidArgumentError(absl::StrCat("\"", text, "\", want ", wanted));
}

// Sets or adds a scalar through the pair of Reflection methods that fit it.
template <class Value>
void Store(Message* message, const FieldDescriptor& field, Value value,
           void (Reflection::*set)(Message*, const FieldDescriptor*, Value) const,
           void (Reflection::*add)(Message*, const FieldDescriptor*, Value) const) {
  (message->GetReflection()->*(field.is_repeated() ? add : set))(message, &field, std::move(value));
}

template <class Integer>
absl::Status StoreInteger(absl::string_view text, Message* message, const FieldDescriptor& field,
                          void (Reflection::*set)(Message*, const FieldDescriptor*, Integer) const,
                          void (Reflection::*add)(Message*, const FieldDescriptor*, Integer) const) {
  Integer value;
  if (!absl::SimpleAtoi(text, &value)) return BadValue(text, Wanted(field));
  Store(message, field, value, set, add);
  return absl::OkStatus();
}

absl::Status StoreNested(absl::string_view text, const FormContext& context, Message* message,
                         const FieldDescriptor& field) {
  const Reflection& reflection = *message->GetReflection();
  Message* nested =
      field.is_repeated() ? reflection.AddMessage(message, &field) : reflection.MutableMessage(message, &field);
  if (IsTimestamp(field)) {
    DOCKET_ASSIGN_OR_RETURN(const absl::Time time, ParseMoment(text, context.now, context.zone));
    nested->CopyFrom(ToProto(time));
    return absl::OkStatus();
  }
  if (IsDuration(field)) {
    DOCKET_ASSIGN_OR_RETURN(const absl::Duration span, ParseSpan(text));
    nested->CopyFrom(ToProto(span));
    return absl::OkStatus();
  }
  return ParseMessage(text, context, nested);
}

absl::Status StoreText(absl::string_view text, const FormContext& context, Message* message,
                       const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return StoreInteger(text, message, field, &Reflection::SetInt32, &Reflection::AddInt32);
    case FieldDescriptor::CPPTYPE_INT64:
      return StoreInteger(text, message, field, &Reflection::SetInt64, &Reflection::AddInt64);
    case FieldDescriptor::CPPTYPE_UINT32:
      return StoreInteger(text, message, field, &Reflection::SetUInt32, &Reflection::AddUInt32);
    case FieldDescriptor::CPPTYPE_UINT64:
      return StoreInteger(text, message, field, &Reflection::SetUInt64, &Reflection::AddUInt64);
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT: {
      double value;
      if (!absl::SimpleAtod(text, &value)) return BadValue(text, Wanted(field));
      if (field.cpp_type() == FieldDescriptor::CPPTYPE_FLOAT) {
        Store(message, field, static_cast<float>(value), &Reflection::SetFloat, &Reflection::AddFloat);
      } else {
        Store(message, field, value, &Reflection::SetDouble, &Reflection::AddDouble);
      }
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_BOOL: {
      bool value;
      if (!absl::SimpleAtob(text, &value)) return BadValue(text, Wanted(field));
      Store(message, field, value, &Reflection::SetBool, &Reflection::AddBool);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      DOCKET_ASSIGN_OR_RETURN(const int value, ParseEnum(*field.enum_type(), text));
      Store(message, field, value, &Reflection::SetEnumValue, &Reflection::AddEnumValue);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_STRING:
      Store(message, field, std::string(text), &Reflection::SetString, &Reflection::AddString);
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return StoreNested(text, context, message, field);
  }
  return absl::InternalError("a field type that protobuf did not have");
}

const FieldDescriptor* FindField(const Descriptor& type, absl::string_view name) {
  return type.FindFieldByName(absl::StrReplaceAll(name, {{"-", "_"}}));
}

absl::Status ParseMessage(absl::string_view text, const FormContext& context, Message* message) {
  if (absl::StartsWith(absl::StripLeadingAsciiWhitespace(text), "{")) return FromJson(text, message);
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    const std::pair<absl::string_view, absl::string_view> pair = absl::StrSplit(part, absl::MaxSplits('=', 1));
    const FieldDescriptor* field = FindField(*message->GetDescriptor(), pair.first);
    if (field == nullptr || !absl::StrContains(part, "=")) {
      std::vector<std::string> names;
      for (int i = 0; i < message->GetDescriptor()->field_count(); ++i) {
        names.push_back(message->GetDescriptor()->field(i)->name());
      }
      return BadValue(text, absl::StrCat("JSON, or name=value,… of ", absl::StrJoin(names, ", ")));
    }
    const absl::Status status = StoreText(pair.second, context, message, *field);
    if (!status.ok()) return absl::InvalidArgumentError(absl::StrCat(field->name(), ": ", status.message()));
  }
  return absl::OkStatus();
}

absl::Status AddArray(absl::string_view text, Message* message, const FieldDescriptor& field) {
  const std::unique_ptr<Message> parsed(message->New());
  DOCKET_RETURN_IF_ERROR(FromJson(absl::StrCat("{\"", field.name(), "\":", text, "}"), parsed.get()));
  message->MergeFrom(*parsed);
  return absl::OkStatus();
}

}  // namespace

bool FormField::is_flag() const { return field().cpp_type() == FieldDescriptor::CPPTYPE_BOOL && !repeated(); }

std::string VerbName(const FieldDescriptor& field) { return absl::StrReplaceAll(field.name(), {{"_", "-"}}); }

std::vector<FormField> FormFields(const Descriptor& type) {
  std::vector<FormField> fields;
  AddFields(type, "", {}, &fields);
  return fields;
}

absl::Status SetField(const FormField& field, absl::string_view text, const FormContext& context, Message* message) {
  for (size_t i = 0; i + 1 < field.path.size(); ++i) {
    message = message->GetReflection()->MutableMessage(message, field.path[i]);
  }
  const bool array = field.repeated() && field.field().cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
                     absl::StartsWith(absl::StripLeadingAsciiWhitespace(text), "[");
  const absl::Status status =
      array ? AddArray(text, message, field.field()) : StoreText(text, context, message, field.field());
  if (status.ok()) return status;
  return absl::InvalidArgumentError(absl::StrCat("--", field.option, ": ", status.message()));
}

std::string CommandLine(const FieldDescriptor& verb, const std::string& case_name) {
  std::string line = absl::StrCat("docket case ", VerbName(verb), case_name.empty() ? "" : " ", case_name);
  for (const FormField& field : FormFields(*verb.message_type())) {
    if (!field.required) continue;
    const auto* names = field.field().enum_type();
    const std::string value = names != nullptr && names->value_count() > 1 ? names->value(1)->name() : "…";
    absl::StrAppend(&line, " --", field.option, " ", value);
  }
  return line;
}

std::string RemedyText(const std::string& meet_by, const std::string& case_name) {
  const std::string name = absl::StrReplaceAll(meet_by, {{"-", "_"}});
  const auto* verbs = v1::Command::descriptor()->FindOneofByName("command");
  for (int i = 0; i < verbs->field_count(); ++i) {
    if (verbs->field(i)->name() != name) continue;
    return CommandLine(*verbs->field(i), case_name.empty() ? "CASE" : case_name);
  }
  return meet_by;
}

absl::StatusOr<int> ParseEnum(const EnumDescriptor& type, absl::string_view text) {
  const std::string wanted = absl::AsciiStrToUpper(absl::StrReplaceAll(text, {{"-", "_"}}));
  for (const std::string& name : EnumNames(type)) {
    if (name == wanted) return type.FindValueByName(name)->number();
  }
  return BadValue(text, absl::StrCat("one of ", absl::StrJoin(EnumNames(type), ", ")));
}

}  // namespace docket::cli
