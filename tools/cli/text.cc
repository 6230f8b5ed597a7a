#include "tools/cli/text.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "tools/cli/moments.h"
#include "tools/cli/table.h"
#include "workflow/base/time.h"
#include "workflow/sla/target.h"

namespace docket::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr size_t kTextColumns = 60;
constexpr int kMaxDepth = 1;  // a line has no room for more

std::string MessageText(const Message& message, absl::TimeZone zone, int depth);

std::string ScalarText(const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetBool(message, &field) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int number = reflection.GetEnumValue(message, &field);
      const auto* value = field.enum_type()->FindValueByNumber(number);
      return value == nullptr ? absl::StrCat(number) : value->name();
    }
    case FieldDescriptor::CPPTYPE_UINT32:
      return absl::StrCat(reflection.GetUInt32(message, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return absl::StrCat(reflection.GetUInt64(message, &field));
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(reflection.GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_INT64:
      return absl::StrCat(reflection.GetInt64(message, &field));
    case FieldDescriptor::CPPTYPE_STRING:
      if (field.type() == FieldDescriptor::TYPE_BYTES) {
        return absl::StrCat(reflection.GetString(message, &field).size(), " bytes");
      }
      return reflection.GetString(message, &field);
    default:
      return "";
  }
}

// Messages that read better as one value; others list their fields in braces.
std::string NestedText(const Message& message, absl::TimeZone zone, int depth) {
  if (const auto* time = google::protobuf::DynamicCastToGenerated<google::protobuf::Timestamp>(&message)) {
    return FormatMoment(*time, zone);
  }
  if (const auto* span = google::protobuf::DynamicCastToGenerated<google::protobuf::Duration>(&message)) {
    return FormatSpan(FromProto(*span));
  }
  if (const auto* text = google::protobuf::DynamicCastToGenerated<v1::SealedText>(&message)) {
    return absl::StrCat("\"", Shorten(OneLine(TextOf(*text)), kTextColumns), "\"");
  }
  if (const auto* pin = google::protobuf::DynamicCastToGenerated<v1::PolicyPin>(&message)) {
    return absl::StrCat(pin->id(), "@", pin->version());
  }
  if (const auto* entered = google::protobuf::DynamicCastToGenerated<v1::StatusEntered>(&message)) {
    return entered->status();
  }
  if (const auto* target = google::protobuf::DynamicCastToGenerated<v1::Target>(&message)) {
    return sla::FormatTarget(*target);
  }
  return depth >= kMaxDepth ? "{…}" : absl::StrCat("{", MessageText(message, zone, depth + 1), "}");
}

std::string MessageText(const Message& message, absl::TimeZone zone, int depth) {
  std::vector<const FieldDescriptor*> fields;
  const auto& reflection = *message.GetReflection();
  reflection.ListFields(message, &fields);
  std::vector<std::string> parts;
  for (const FieldDescriptor* field : fields) {
    std::string value;
    if (field->is_repeated()) {
      value = absl::StrCat(reflection.FieldSize(message, field), " of them");
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      value = NestedText(reflection.GetMessage(message, field), zone, depth);
    } else {
      value = ScalarText(message, *field);
    }
    parts.push_back(absl::StrCat(field->name(), "=", value));
  }
  return absl::StrJoin(parts, " ");
}

}  // namespace

std::string TextOf(const v1::SealedText& text) {
  if (text.erased()) return "[erased]";
  if (text.text().empty() && text.length() > 0) return "[withheld]";
  return text.text();
}

std::string ActorText(const v1::Actor& actor) {
  std::string result = actor.principal_id();
  if (result.empty()) {
    switch (actor.kind()) {
      case v1::ACTOR_KIND_TIMER:
        return "timer";
      case v1::ACTOR_KIND_SYSTEM_RULE:
        return "system";
      case v1::ACTOR_KIND_IMPORT:
        return "import";
      default:
        return "";
    }
  }
  if (!actor.on_behalf_of().empty()) absl::StrAppend(&result, " for ", actor.on_behalf_of());
  if (actor.authentication() == "claimed") absl::StrAppend(&result, " (claimed)");
  return result;
}

std::string MarksOf(const v1::HistoryEvent& event) {
  std::vector<std::string> marks;
  if (event.entered_late()) marks.push_back("entered late");
  if (!event.event().rule().empty()) marks.push_back(absl::StrCat("by rule ", event.event().rule()));
  if (event.event().has_source_row_recorded()) {
    const auto& row = event.event().source_row_recorded();
    marks.push_back(absl::StrCat("imported (", row.file(), ", row ", row.line(), ")"));
  } else if (event.actor().kind() == v1::ACTOR_KIND_IMPORT) {
    marks.push_back("imported");
  }
  return absl::StrJoin(marks, ", ");
}

std::string EventSummary(const v1::Event& event, absl::TimeZone zone) {
  const auto* body = event.GetDescriptor()->FindOneofByName("body");
  const FieldDescriptor* field = event.GetReflection()->GetOneofFieldDescriptor(event, body);
  return field == nullptr ? "" : MessageText(event.GetReflection()->GetMessage(event, field), zone, 0);
}

std::string NumberText(uint64_t number) { return number == 0 ? "" : absl::StrCat(number); }

std::string AtLeastText(uint64_t number, bool complete) {
  if (complete) return absl::StrCat(number);
  return number == 0 ? "none found so far" : absl::StrCat("at least ", number);
}

std::string CountText(uint64_t number, absl::string_view one, absl::string_view many) {
  return absl::StrCat(number, " ", number == 1 ? one : many);
}

}  // namespace docket::cli
