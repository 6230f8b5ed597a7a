#include "workflow/policy/condition.h"

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "docket/v1/annotations.pb.h"
#include "google/protobuf/descriptor.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/policy/nearest.h"

namespace docket::policy {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Comparison = v1::Condition::Comparison;

// How deep a fact may reach into messages ("event.entered.category" is 2).
constexpr size_t kMaxPathFields = 6;
// Conditions are written by people; what is deeper or longer is a mistake or an attack on the evaluator's stack.
constexpr int kMaxDepth = 16;
constexpr int kMaxValues = 64;

// ---- Values ----

// A value of a fact in the form it is compared in: numbers and booleans as `number`, strings and enum names as `text`.
struct Value {
  int64_t number = 0;
  std::string text;
};

enum class Type { kNumber, kBool, kEnum, kString, kMessage };

Type TypeOf(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return Type::kBool;
    case FieldDescriptor::CPPTYPE_ENUM:
      return Type::kEnum;
    case FieldDescriptor::CPPTYPE_STRING:
      return Type::kString;
    case FieldDescriptor::CPPTYPE_MESSAGE:
    case FieldDescriptor::CPPTYPE_FLOAT:  // no fact is a float; only its presence could be asked for
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return Type::kMessage;
    default:
      return Type::kNumber;
  }
}

Value Singular(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return {.number = reflection.GetBool(message, &field)};
    case FieldDescriptor::CPPTYPE_ENUM:
      return {.text = reflection.GetEnum(message, &field)->name()};
    case FieldDescriptor::CPPTYPE_STRING:
      return {.text = reflection.GetString(message, &field)};
    case FieldDescriptor::CPPTYPE_INT32:
      return {.number = reflection.GetInt32(message, &field)};
    case FieldDescriptor::CPPTYPE_INT64:
      return {.number = reflection.GetInt64(message, &field)};
    case FieldDescriptor::CPPTYPE_UINT32:
      return {.number = reflection.GetUInt32(message, &field)};
    case FieldDescriptor::CPPTYPE_UINT64:
      return {.number = static_cast<int64_t>(reflection.GetUInt64(message, &field))};
    default:
      return {};
  }
}

Value Element(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return {.number = reflection.GetRepeatedBool(message, &field, index)};
    case FieldDescriptor::CPPTYPE_ENUM:
      return {.text = reflection.GetRepeatedEnum(message, &field, index)->name()};
    case FieldDescriptor::CPPTYPE_STRING:
      return {.text = reflection.GetRepeatedString(message, &field, index)};
    case FieldDescriptor::CPPTYPE_INT32:
      return {.number = reflection.GetRepeatedInt32(message, &field, index)};
    case FieldDescriptor::CPPTYPE_INT64:
      return {.number = reflection.GetRepeatedInt64(message, &field, index)};
    case FieldDescriptor::CPPTYPE_UINT32:
      return {.number = reflection.GetRepeatedUInt32(message, &field, index)};
    case FieldDescriptor::CPPTYPE_UINT64:
      return {.number = static_cast<int64_t>(reflection.GetRepeatedUInt64(message, &field, index))};
    default:
      return {};
  }
}

std::optional<int64_t> ParseNumber(Type type, const std::string& text) {
  if (type == Type::kBool) {
    if (text == "true") return 1;
    if (text == "false") return 0;
    return std::nullopt;
  }
  int64_t number = 0;
  if (!absl::SimpleAtoi(text, &number)) return std::nullopt;
  return number;
}

bool Equals(Type type, const Value& value, const std::string& wanted) {
  if (type == Type::kEnum || type == Type::kString) return value.text == wanted;
  const std::optional<int64_t> number = ParseNumber(type, wanted);
  return number.has_value() && value.number == *number;
}

bool EqualsAny(Type type, const Value& value, const Comparison& comparison) {
  for (const std::string& wanted : comparison.values()) {
    if (Equals(type, value, wanted)) return true;
  }
  return false;
}

bool Ordered(int64_t value, const Comparison& comparison) {
  const std::optional<int64_t> wanted =
      comparison.values().empty() ? std::nullopt : ParseNumber(Type::kNumber, comparison.values(0));
  if (!wanted.has_value()) return false;
  switch (comparison.op()) {
    case v1::Condition::LT:
      return value < *wanted;
    case v1::Condition::LE:
      return value <= *wanted;
    case v1::Condition::GT:
      return value > *wanted;
    default:
      return value >= *wanted;
  }
}

// ---- Evaluation ----

// The message that holds the last field of a path; `field` null: nobody set a message on the way, or there is none.
struct Place {
  const Message* message = nullptr;
  const FieldDescriptor* field = nullptr;
};

// Absent messages on the way are read as their default instances, so that the type of the last field is still known.
Place Locate(const std::string& fact, const Facts& facts) {
  const std::vector<absl::string_view> path = absl::StrSplit(fact, '.');
  const Message* message = nullptr;
  if (path[0] == "case") message = facts.case_facts;
  if (path[0] == "command") message = facts.command;
  if (path[0] == "event") message = facts.event;
  if (message == nullptr || path.size() < 2) return {};
  for (size_t i = 1;; ++i) {
    const FieldDescriptor* field = message->GetDescriptor()->FindFieldByName(std::string(path[i]));
    if (field == nullptr) return {};
    if (i + 1 == path.size()) return {message, field};
    if (field->is_repeated() || field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return {};
    message = &message->GetReflection()->GetMessage(*message, field);
  }
}

bool IsEmpty(const Place& place) {
  if (place.field == nullptr) return true;
  const Reflection& reflection = *place.message->GetReflection();
  if (place.field->is_repeated()) return reflection.FieldSize(*place.message, place.field) == 0;
  switch (TypeOf(*place.field)) {
    case Type::kMessage:
      return !reflection.HasField(*place.message, place.field);
    case Type::kEnum:
      return reflection.GetEnumValue(*place.message, place.field) == 0;
    default: {
      const Value value = Singular(*place.message, *place.field);
      return value.number == 0 && value.text.empty();
    }
  }
}

// A fact nobody can hold yet (no command is given when the allowed ones are listed) compares as its default would.
bool EvaluateAbsent(const Comparison& comparison) {
  const auto is_default = [](const std::string& wanted) {
    return wanted.empty() || wanted == "0" || wanted == "false" || absl::EndsWith(wanted, "_UNSPECIFIED");
  };
  switch (comparison.op()) {
    case v1::Condition::EQ:
    case v1::Condition::NE:
    case v1::Condition::IN:
      for (const std::string& wanted : comparison.values()) {
        if (is_default(wanted)) return comparison.op() != v1::Condition::NE;
      }
      return comparison.op() == v1::Condition::NE;
    case v1::Condition::EMPTY:
      return true;
    case v1::Condition::NOT_EMPTY:
      return false;
    default:
      return Ordered(0, comparison);
  }
}

bool Matches(const Place& place, const Comparison& comparison) {
  const Type type = TypeOf(*place.field);
  if (!place.field->is_repeated()) return EqualsAny(type, Singular(*place.message, *place.field), comparison);
  const int size = place.message->GetReflection()->FieldSize(*place.message, place.field);
  for (int i = 0; i < size; ++i) {
    if (EqualsAny(type, Element(*place.message, *place.field, i), comparison)) return true;
  }
  return false;
}

bool EvaluateComparison(const Comparison& comparison, const Facts& facts) {
  const Place place = Locate(comparison.fact(), facts);
  if (place.field == nullptr) return EvaluateAbsent(comparison);
  switch (comparison.op()) {
    case v1::Condition::EQ:
    case v1::Condition::IN:
      return Matches(place, comparison);
    case v1::Condition::NE:
      return !Matches(place, comparison);
    case v1::Condition::EMPTY:
      return IsEmpty(place);
    case v1::Condition::NOT_EMPTY:
      return !IsEmpty(place);
    case v1::Condition::LT:
    case v1::Condition::LE:
    case v1::Condition::GT:
    case v1::Condition::GE:
      return !place.field->is_repeated() && Ordered(Singular(*place.message, *place.field).number, comparison);
    default:
      return false;
  }
}

// ---- Checking ----

absl::Status Invalid(absl::string_view reason, const std::string& message) {
  return Refuse(absl::StatusCode::kInvalidArgument, reason, message);
}

std::vector<std::string> FieldNames(const Descriptor& descriptor, absl::string_view prefix) {
  std::vector<std::string> names;
  for (int i = 0; i < descriptor.field_count(); ++i) {
    names.push_back(absl::StrCat(prefix, ".", descriptor.field(i)->name()));
  }
  return names;
}

const Descriptor* NamespaceOf(absl::string_view name, const FactCatalogue& catalogue) {
  if (name == "case") return catalogue.case_facts;
  if (name == "command") return catalogue.command;
  if (name == "event") return catalogue.event;
  return nullptr;
}

std::vector<std::string> AllFacts(const FactCatalogue& catalogue) {
  std::vector<std::string> names;
  for (absl::string_view name : {"case", "command", "event"}) {
    const Descriptor* descriptor = NamespaceOf(name, catalogue);
    if (descriptor == nullptr) continue;
    const std::vector<std::string> fields = FieldNames(*descriptor, name);
    names.insert(names.end(), fields.begin(), fields.end());
  }
  return names;
}

absl::Status UnknownFact(const std::string& fact, absl::string_view why, const std::vector<std::string>& candidates) {
  return Invalid("UNKNOWN_FACT", absl::StrCat("fact: \"", fact, "\" ", why, NearestHint(fact, candidates)));
}

absl::StatusOr<const FieldDescriptor*> Resolve(const std::string& fact, const FactCatalogue& catalogue) {
  const std::vector<std::string> path = absl::StrSplit(fact, '.');
  const Descriptor* descriptor = NamespaceOf(path[0], catalogue);
  if (path.size() < 2 || path.size() > kMaxPathFields + 1) {
    return UnknownFact(fact, "is not a path, want case.<field>, command.<field> or event.<field>", AllFacts(catalogue));
  }
  if (descriptor == nullptr) {
    return UnknownFact(fact, absl::StrCat("cannot be used here: no namespace \"", path[0], "\""), AllFacts(catalogue));
  }
  std::string prefix = path[0];
  for (size_t i = 1;; ++i) {
    const FieldDescriptor* field = descriptor->FindFieldByName(path[i]);
    if (field == nullptr) return UnknownFact(fact, "is not known", FieldNames(*descriptor, prefix));
    if (i + 1 == path.size()) return field;
    absl::StrAppend(&prefix, ".", path[i]);
    if (field->is_repeated() || field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      return UnknownFact(fact, absl::StrCat("reaches into ", prefix, ", which has no single message"), {prefix});
    }
    descriptor = field->message_type();
  }
}

std::string OperatorName(v1::Condition::Operator op) { return v1::Condition::Operator_Name(op); }

absl::Status CheckCount(const Comparison& comparison) {
  const int count = comparison.values_size();
  switch (comparison.op()) {
    case v1::Condition::EMPTY:
    case v1::Condition::NOT_EMPTY:
      if (count == 0) return absl::OkStatus();
      return Invalid("BAD_VALUE",
                     absl::StrCat(comparison.fact(), ": ", OperatorName(comparison.op()), " takes no value"));
    case v1::Condition::IN:
      if (count >= 1 && count <= kMaxValues) return absl::OkStatus();
      return Invalid("BAD_VALUE",
                     absl::StrCat(comparison.fact(), ": IN with ", count, " values, want 1..", kMaxValues));
    default:
      if (count == 1) return absl::OkStatus();
      return Invalid("BAD_VALUE", absl::StrCat(comparison.fact(), ": ", OperatorName(comparison.op()), " with ", count,
                                               " values, want one"));
  }
}

bool OperatorFits(Type type, bool repeated, bool personal, v1::Condition::Operator op) {
  switch (op) {
    case v1::Condition::EMPTY:
    case v1::Condition::NOT_EMPTY:
      return true;
    case v1::Condition::EQ:
    case v1::Condition::NE:
    case v1::Condition::IN:
      // What people write is erasable, so no policy may depend on its words, only on there being some.
      return type != Type::kMessage && !personal;
    case v1::Condition::LT:
    case v1::Condition::LE:
    case v1::Condition::GT:
    case v1::Condition::GE:
      return type == Type::kNumber && !repeated;
    default:
      return false;
  }
}

absl::Status CheckValue(const FieldDescriptor& field, const Comparison& comparison, const std::string& value) {
  const auto bad = [&](const std::string& wanted) {
    return Invalid("BAD_VALUE", absl::StrCat(comparison.fact(), ": \"", value, "\", want ", wanted));
  };
  switch (TypeOf(field)) {
    case Type::kBool:
      if (!ParseNumber(Type::kBool, value).has_value()) return bad("true or false");
      break;
    case Type::kNumber:
      if (!ParseNumber(Type::kNumber, value).has_value()) return bad("an integer");
      break;
    case Type::kEnum: {
      if (field.enum_type()->FindValueByName(value) != nullptr) break;
      std::vector<std::string> names;
      for (int i = 0; i < field.enum_type()->value_count(); ++i) names.push_back(field.enum_type()->value(i)->name());
      return bad(absl::StrCat("one of ", absl::StrJoin(names, ", "), NearestHint(value, names)));
    }
    default:
      break;
  }
  return absl::OkStatus();
}

absl::Status CheckComparison(const Comparison& comparison, const FactCatalogue& catalogue) {
  DOCKET_ASSIGN_OR_RETURN(const FieldDescriptor* field, Resolve(comparison.fact(), catalogue));
  const bool personal = field->options().GetExtension(v1::personal);
  if (!OperatorFits(TypeOf(*field), field->is_repeated(), personal, comparison.op())) {
    return Invalid(
        "BAD_OPERATOR",
        absl::StrCat(comparison.fact(), ": ", OperatorName(comparison.op()), " does not fit ",
                     personal               ? "personal text"
                     : field->is_repeated() ? "a list"
                                            : field->cpp_type_name(),
                     TypeOf(*field) == Type::kMessage || personal ? ", want EMPTY or NOT_EMPTY"
                                                                  : ", want EQ, NE, IN, EMPTY or NOT_EMPTY"));
  }
  DOCKET_RETURN_IF_ERROR(CheckCount(comparison));
  for (const std::string& value : comparison.values()) DOCKET_RETURN_IF_ERROR(CheckValue(*field, comparison, value));
  return absl::OkStatus();
}

absl::Status Check(const v1::Condition& condition, const FactCatalogue& catalogue, int depth) {
  if (depth > kMaxDepth) {
    return Invalid("CONDITION_TOO_DEEP", absl::StrCat("condition: deeper than ", kMaxDepth, " levels"));
  }
  switch (condition.node_case()) {
    case v1::Condition::kAll:
      for (const auto& part : condition.all().of()) DOCKET_RETURN_IF_ERROR(Check(part, catalogue, depth + 1));
      return absl::OkStatus();
    case v1::Condition::kAny:
      for (const auto& part : condition.any().of()) DOCKET_RETURN_IF_ERROR(Check(part, catalogue, depth + 1));
      return absl::OkStatus();
    case v1::Condition::kNot:
      return Check(condition.not_(), catalogue, depth + 1);
    case v1::Condition::kComparison:
      return CheckComparison(condition.comparison(), catalogue);
    case v1::Condition::NODE_NOT_SET:
      break;
  }
  // Only the whole condition may be left out; a hole inside one is a mistake of whoever built it.
  if (depth > 1) return Invalid("EMPTY_CONDITION", "condition: a part without content, want a comparison");
  return absl::OkStatus();
}

// ---- Describing ----

std::string DescribeComparison(const Comparison& comparison) {
  const std::string value = comparison.values().empty() ? std::string() : comparison.values(0);
  const auto text = [&](absl::string_view op) {
    return absl::StrCat(comparison.fact(), " ", op, " ", value.empty() ? "\"\"" : value);
  };
  switch (comparison.op()) {
    case v1::Condition::EQ:
      return text("=");
    case v1::Condition::NE:
      return text("!=");
    case v1::Condition::LT:
      return text("<");
    case v1::Condition::LE:
      return text("<=");
    case v1::Condition::GT:
      return text(">");
    case v1::Condition::GE:
      return text(">=");
    case v1::Condition::IN:
      return absl::StrCat(comparison.fact(), " in (", absl::StrJoin(comparison.values(), ", "), ")");
    case v1::Condition::EMPTY:
      return absl::StrCat(comparison.fact(), " is empty");
    case v1::Condition::NOT_EMPTY:
      return absl::StrCat(comparison.fact(), " is not empty");
    default:
      return absl::StrCat(comparison.fact(), " ?");
  }
}

std::string DescribeList(const v1::Condition::List& list, absl::string_view word) {
  std::vector<std::string> parts;
  for (const auto& part : list.of()) {
    const bool is_list = part.has_all() || part.has_any();
    const std::string text = DescribeCondition(part);
    parts.push_back(is_list && list.of_size() > 1 ? absl::StrCat("(", text, ")") : text);
  }
  return absl::StrJoin(parts, word);
}

}  // namespace

std::string TextOf(const std::string& fact, const Facts& facts) {
  const Place place = Locate(fact, facts);
  if (place.field == nullptr || place.field->is_repeated()) return "";
  return Singular(*place.message, *place.field).text;
}

bool Evaluate(const v1::Condition& condition, const Facts& facts) {
  switch (condition.node_case()) {
    case v1::Condition::kAll:
      for (const auto& part : condition.all().of()) {
        if (!Evaluate(part, facts)) return false;
      }
      return true;
    case v1::Condition::kAny:
      for (const auto& part : condition.any().of()) {
        if (Evaluate(part, facts)) return true;
      }
      return false;
    case v1::Condition::kNot:
      return !Evaluate(condition.not_(), facts);
    case v1::Condition::kComparison:
      return EvaluateComparison(condition.comparison(), facts);
    case v1::Condition::NODE_NOT_SET:
      break;
  }
  return true;
}

absl::Status CheckCondition(const v1::Condition& condition, const FactCatalogue& catalogue) {
  return Check(condition, catalogue, 1);
}

std::string DescribeCondition(const v1::Condition& condition) {
  switch (condition.node_case()) {
    case v1::Condition::kAll:
      return condition.all().of().empty() ? "always" : DescribeList(condition.all(), " and ");
    case v1::Condition::kAny:
      return condition.any().of().empty() ? "never" : DescribeList(condition.any(), " or ");
    case v1::Condition::kNot:
      return absl::StrCat("not (", DescribeCondition(condition.not_()), ")");
    case v1::Condition::kComparison:
      return DescribeComparison(condition.comparison());
    case v1::Condition::NODE_NOT_SET:
      break;
  }
  return "always";
}

}  // namespace docket::policy
