#include "tools/cli/csv_output.h"

#include <ostream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "docket/v1/record.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/util/time_util.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"

namespace docket::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

using Path = std::vector<const FieldDescriptor*>;

bool IsOneValue(const Descriptor* type) {
  return type == google::protobuf::Timestamp::descriptor() || type == google::protobuf::Duration::descriptor() ||
         type == v1::SealedText::descriptor();
}

// The columns of a message, in the order of its fields. Lists of messages have no place in a line.
void AddColumns(const Descriptor* type, Path* path, std::vector<Path>* columns) {
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    const bool is_message = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (is_message && field->is_repeated()) continue;
    path->push_back(field);
    if (is_message && !IsOneValue(field->message_type())) {
      AddColumns(field->message_type(), path, columns);
    } else {
      columns->push_back(*path);
    }
    path->pop_back();
  }
}

std::vector<Path> ColumnsOf(const Descriptor* type) {
  std::vector<Path> columns;
  Path path;
  AddColumns(type, &path, &columns);
  return columns;
}

std::string NameOf(const Path& path) {
  return absl::StrJoin(
      path, ".", [](std::string* out, const FieldDescriptor* field) { absl::StrAppend(out, field->json_name()); });
}

std::string TextOf(const Message& value) {
  if (value.GetDescriptor() == google::protobuf::Timestamp::descriptor()) {
    return FormatUtc(FromProto(static_cast<const google::protobuf::Timestamp&>(value)));
  }
  if (value.GetDescriptor() == google::protobuf::Duration::descriptor()) {
    return google::protobuf::util::TimeUtil::ToString(static_cast<const google::protobuf::Duration&>(value));
  }
  return static_cast<const v1::SealedText&>(value).text();
}

// `index` -1: the field is not repeated.
std::string TextOf(const Message& message, const FieldDescriptor* field, int index) {
  const google::protobuf::Reflection& r = *message.GetReflection();
  const bool one = index < 0;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(one ? r.GetInt32(message, field) : r.GetRepeatedInt32(message, field, index));
    case FieldDescriptor::CPPTYPE_UINT32:
      return absl::StrCat(one ? r.GetUInt32(message, field) : r.GetRepeatedUInt32(message, field, index));
    case FieldDescriptor::CPPTYPE_INT64:
      return absl::StrCat(one ? r.GetInt64(message, field) : r.GetRepeatedInt64(message, field, index));
    case FieldDescriptor::CPPTYPE_UINT64:
      return absl::StrCat(one ? r.GetUInt64(message, field) : r.GetRepeatedUInt64(message, field, index));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return absl::StrCat(one ? r.GetDouble(message, field) : r.GetRepeatedDouble(message, field, index));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return absl::StrCat(one ? r.GetFloat(message, field) : r.GetRepeatedFloat(message, field, index));
    case FieldDescriptor::CPPTYPE_BOOL:
      return (one ? r.GetBool(message, field) : r.GetRepeatedBool(message, field, index)) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return (one ? r.GetEnum(message, field) : r.GetRepeatedEnum(message, field, index))->name();
    case FieldDescriptor::CPPTYPE_STRING:
      return one ? r.GetString(message, field) : r.GetRepeatedString(message, field, index);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return TextOf(r.GetMessage(message, field));
  }
  return "";
}

std::string ValueAt(const Message& item, const Path& path) {
  const Message* message = &item;
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    if (!message->GetReflection()->HasField(*message, path[i])) return "";
    message = &message->GetReflection()->GetMessage(*message, path[i]);
  }
  const FieldDescriptor* field = path.back();
  if (field->is_repeated()) {
    std::vector<std::string> values;
    for (int i = 0; i < message->GetReflection()->FieldSize(*message, field); ++i) {
      values.push_back(TextOf(*message, field, i));
    }
    return absl::StrJoin(values, " ");
  }
  return message->GetReflection()->HasField(*message, field) ? TextOf(*message, field, -1) : "";
}

bool IsText(const FieldDescriptor* field) {
  return field->cpp_type() == FieldDescriptor::CPPTYPE_STRING || field->message_type() == v1::SealedText::descriptor();
}

const FieldDescriptor* ItemsOf(const Message& reply, absl::string_view items) {
  const FieldDescriptor* field = reply.GetDescriptor()->FindFieldByName(std::string(items));
  DOCKET_CHECK(field != nullptr && field->is_repeated());
  return field;
}

}  // namespace

std::string CsvField(absl::string_view text) {
  if (text.find_first_of(",\"\r\n") == absl::string_view::npos) return std::string(text);
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

std::string WithoutFormula(std::string text) {
  const bool formula = !text.empty() && absl::string_view("=+-@\t\r").find(text[0]) != absl::string_view::npos;
  return formula ? absl::StrCat("'", text) : text;
}

void PrintCsvLine(const std::vector<std::string>& fields, std::ostream& out) {
  out << absl::StrJoin(fields, ",", [](std::string* line, const std::string& one) {
    absl::StrAppend(line, CsvField(one));
  }) << "\r\n";
}

void PrintCsvHeader(const Message& reply, absl::string_view items, std::ostream& out) {
  std::vector<std::string> names;
  for (const Path& column : ColumnsOf(ItemsOf(reply, items)->message_type())) names.push_back(NameOf(column));
  PrintCsvLine(names, out);
}

void PrintCsv(const Message& reply, absl::string_view items, std::ostream& out) {
  const FieldDescriptor* field = ItemsOf(reply, items);
  const std::vector<Path> columns = ColumnsOf(field->message_type());
  for (int i = 0; i < reply.GetReflection()->FieldSize(reply, field); ++i) {
    const Message& item = reply.GetReflection()->GetRepeatedMessage(reply, field, i);
    std::vector<std::string> values;
    for (const Path& column : columns) {
      std::string value = ValueAt(item, column);
      values.push_back(IsText(column.back()) ? WithoutFormula(std::move(value)) : std::move(value));
    }
    PrintCsvLine(values, out);
  }
}

}  // namespace docket::cli
