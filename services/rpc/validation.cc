#include "services/rpc/validation.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "docket/v1/audit_service.pb.h"
#include "docket/v1/case_service.pb.h"
#include "docket/v1/policy_service.pb.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "services/query/page_token.h"
#include "services/query/reader.h"
#include "store/uuid.h"
#include "workflow/base/field_rules.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"

namespace docket::rpc {
namespace {

using google::protobuf::Duration;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::Timestamp;

constexpr int64_t kSecondsOfYear10000 = 253'402'300'800;
constexpr int64_t kMaxDurationSeconds = 315'576'000'000;  // the limit of google.protobuf.Duration: 10,000 years
constexpr uint32_t kMaxPriority = 5;

class Validator {
 public:
  explicit Validator(bool deep) : deep_(deep) {}

  void Walk(const Message& message, const std::string& path);
  absl::Status Result() const { return bad_.empty() ? absl::OkStatus() : RefuseFields("INVALID_FIELD", bad_); }

 private:
  void Add(const std::string& path, absl::string_view name, std::string description) {
    if (bad_.size() < kMaxBadFields) bad_.push_back({absl::StrCat(path, name), std::move(description)});
  }

  void Singular(const Message& message, const FieldRule& rule, const std::string& path);
  void Repeated(const Message& message, const FieldRule& rule, const std::string& path);
  void Text(const FieldRule& rule, const std::string& value, uint32_t max, const std::string& path,
            const std::string& name);
  void Inner(const Message& message, const std::string& path, const std::string& name);
  void NamedFieldRules(const FieldRule& rule, const std::string& value, const std::string& path,
                       const std::string& name);
  void NamedMessageRules(const Message& message, const std::string& path);
  void CaseNamedOnce(const Message& message, const std::string& path);
  void ExecuteNames(const v1::ExecuteRequest& request, const std::string& path);

  bool deep_;
  std::vector<BadField> bad_;
};

void Validator::NamedFieldRules(const FieldRule& rule, const std::string& value, const std::string& path,
                                const std::string& name) {
  const std::string& field = rule.field->name();
  if (field == "request_id" || field == "case_id" || field == "case_ids") {
    if (!store::ParseUuidV7(value).has_value()) {
      Add(path, name, absl::StrCat(ShownValue(rule, value), ", want a UUID of version 7 in lower case"));
    }
  } else if (field == "page_token" && !query::IsPageToken(value)) {
    Add(path, name, "not a token of this server, want a next_page_token as it was given");
  }
}

void Validator::Text(const FieldRule& rule, const std::string& value, uint32_t max, const std::string& path,
                     const std::string& name) {
  if (std::string fault = TextFault(rule, value, max); !fault.empty()) {
    Add(path, name, std::move(fault));
  } else if (!value.empty()) {
    NamedFieldRules(rule, value, path, name);
  }
}

void Validator::Inner(const Message& message, const std::string& path, const std::string& name) {
  if (message.GetDescriptor() == Timestamp::descriptor()) {
    const auto& time = static_cast<const Timestamp&>(message);
    if (time.seconds() < 0 || time.seconds() >= kSecondsOfYear10000 || time.nanos() < 0 || time.nanos() > 999'999'999) {
      Add(path, name,
          absl::StrCat(time.seconds(), " s ", time.nanos(), " ns, want an instant of the years 1970 to 9999"));
    }
  } else if (message.GetDescriptor() == Duration::descriptor()) {
    const auto& span = static_cast<const Duration&>(message);
    if (span.seconds() < 0 || span.seconds() > kMaxDurationSeconds || span.nanos() < 0 || span.nanos() > 999'999'999) {
      Add(path, name, absl::StrCat(span.seconds(), " s ", span.nanos(), " ns, want a duration of 0 or more"));
    }
  } else if (deep_) {
    Walk(message, absl::StrCat(path, name, "."));
  }
}

void Validator::Singular(const Message& message, const FieldRule& rule, const std::string& path) {
  const FieldDescriptor* field = rule.field;
  const Reflection* reflection = message.GetReflection();
  const std::string& name = field->name();
  if (!reflection->HasField(message, field)) {  // without presence: the default value
    if (rule.required) Add(path, name, "missing, is required");
    return;
  }
  std::string scratch;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string& value = reflection->GetStringReference(message, field, &scratch);
      if (rule.required && value.empty()) Add(path, name, "missing, is required");
      Text(rule, value, rule.max_size, path, name);
      return;
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int value = reflection->GetEnumValue(message, field);
      if (field->enum_type()->FindValueByNumber(value) == nullptr) {
        Add(path, name, absl::StrCat(value, ", want a value of ", field->enum_type()->name()));
      }
      return;
    }
    case FieldDescriptor::CPPTYPE_UINT32:
      if (name == "page_size" && reflection->GetUInt32(message, field) > query::kMaxPageSize) {
        Add(path, name, absl::StrCat(reflection->GetUInt32(message, field), ", want 1..", query::kMaxPageSize));
      }
      return;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return Inner(reflection->GetMessage(message, field), path, name);
    default:
      return;
  }
}

void Validator::Repeated(const Message& message, const FieldRule& rule, const std::string& path) {
  const FieldDescriptor* field = rule.field;
  const Reflection* reflection = message.GetReflection();
  const int size = reflection->FieldSize(message, field);
  if (size == 0 && rule.required) Add(path, field->name(), "missing, is required");
  if (static_cast<uint32_t>(size) > rule.max_size) {
    return Add(path, field->name(), absl::StrCat(size, " elements, want at most ", rule.max_size));
  }
  if (field->name() == "priorities") {
    for (int i = 0; i < size; ++i) {
      const uint32_t priority = reflection->GetRepeatedUInt32(message, field, i);
      // 0 is a case without a priority, as imports may make.
      if (priority > kMaxPriority)
        Add(path, absl::StrCat("priorities[", i, "]"), absl::StrCat(priority, ", want 0..5"));
    }
    return;
  }
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_STRING && field->cpp_type() != FieldDescriptor::CPPTYPE_ENUM &&
      field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
    return;
  }
  std::string scratch;
  for (int i = 0; i < size; ++i) {
    const std::string name = absl::StrCat(field->name(), "[", i, "]");
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Inner(reflection->GetRepeatedMessage(message, field, i), path, name);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      const std::string& value = reflection->GetRepeatedStringReference(message, field, i, &scratch);
      if (value.empty()) Add(path, name, "empty, want no empty elements");
      Text(rule, value, rule.max_element, path, name);
    } else {
      const int value = reflection->GetRepeatedEnumValue(message, field, i);
      if (value == 0 || field->enum_type()->FindValueByNumber(value) == nullptr) {
        Add(path, name, absl::StrCat(value, ", want a value of ", field->enum_type()->name()));
      }
    }
  }
}

// Reads of one case name it exactly once.
void Validator::CaseNamedOnce(const Message& message, const std::string& path) {
  int names = 0;
  for (const char* name : {"case_id", "case_no", "external_ref"}) {
    const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
    if (field != nullptr && message.GetReflection()->HasField(message, field)) ++names;
  }
  if (names != 1) Add(path, "case_id", absl::StrCat("the case is named ", names, " times, want exactly once"));
}

// A command names its case exactly once; filing may choose the id and names nothing else.
void Validator::ExecuteNames(const v1::ExecuteRequest& request, const std::string& path) {
  if (!request.command().has_file()) return CaseNamedOnce(request, path);
  if (!request.case_no().empty()) Add(path, "case_no", "filing gives the number, want it empty");
  if (request.has_external_ref()) {
    Add(path, "external_ref", "filing gives it inside the command, want it unset");
  }
}

void Validator::NamedMessageRules(const Message& message, const std::string& path) {
  const google::protobuf::Descriptor* type = message.GetDescriptor();
  if (type == v1::ExecuteRequest::descriptor()) {
    ExecuteNames(static_cast<const v1::ExecuteRequest&>(message), path);
  } else if (type->FindFieldByName("case_id") != nullptr && type->FindFieldByName("case_no") != nullptr) {
    CaseNamedOnce(message, path);
  }
  if (type == v1::GetCaseRequest::descriptor()) {
    const auto& request = static_cast<const v1::GetCaseRequest&>(message);
    if (request.revision() != 0 && (request.has_valid_at() || request.has_known_at())) {
      Add(path, "revision", "given together with valid_at or known_at, want one or the other");
    }
  } else if (type == v1::ExternalRef::descriptor()) {
    const auto& ref = static_cast<const v1::ExternalRef&>(message);
    if (ref.source().empty()) Add(path, "source", "missing, is required");
    if (ref.key().empty()) Add(path, "key", "missing, is required");
  } else if (type == v1::Interval::descriptor()) {
    const auto& interval = static_cast<const v1::Interval&>(message);
    if (!interval.has_start()) {
      Add(path, "start", "missing, is required");
    } else if (interval.has_end() && FromProto(interval.end()) < FromProto(interval.start())) {
      Add(path, "end", "before start");
    }
  } else if (type == v1::ReadHistoryRequest::descriptor()) {
    const auto& request = static_cast<const v1::ReadHistoryRequest&>(message);
    if (request.to_revision() != 0 && request.to_revision() < request.from_revision()) {
      Add(path, "to_revision", absl::StrCat(request.to_revision(), ", want at least from_revision"));
    }
  } else if (type == v1::ComputeDueRequest::descriptor()) {
    const auto& request = static_cast<const v1::ComputeDueRequest&>(message);
    if (!request.calendar_id().empty() && !request.calendar_yaml().empty()) {
      Add(path, "calendar_yaml", "given together with calendar_id, want one or the other");
    }
  }
}

void Validator::Walk(const Message& message, const std::string& path) {
  const MessageRules& rules = RulesOf(message.GetDescriptor());
  const Reflection* reflection = message.GetReflection();
  for (const FieldRule& rule : rules.fields) {
    if (rule.field->real_containing_oneof() != nullptr) continue;
    rule.field->is_repeated() ? Repeated(message, rule, path) : Singular(message, rule, path);
  }
  for (const google::protobuf::OneofDescriptor* oneof : rules.oneofs) {
    const FieldDescriptor* set = reflection->GetOneofFieldDescriptor(message, oneof);
    if (set == nullptr) {
      Add(path, oneof->name(), "nothing is set that this server knows, want exactly one");
    } else {
      Singular(message, rules.fields[set->index()], path);
    }
  }
  NamedMessageRules(message, path);
}

absl::Status Validate(const Message& request, bool deep) {
  Validator validator(deep);
  validator.Walk(request, "");
  return validator.Result();
}

}  // namespace

absl::Status ValidateRequest(const Message& request) { return Validate(request, /*deep=*/true); }
absl::Status ValidateEnvelope(const Message& request) { return Validate(request, /*deep=*/false); }

}  // namespace docket::rpc
