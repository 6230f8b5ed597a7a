#include "services/rpc/validation.h"

#include <algorithm>
#include <functional>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "docket/v1/annotations.pb.h"
#include "docket/v1/case_service.pb.h"
#include "docket/v1/queue_service.pb.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"
#include "services/rpc/service_names.h"
#include "tests/services/rpc/request_samples.h"
#include "workflow/base/refusal.h"

// Every expectation here is made from the descriptors by other code than the validator's own, so a rule that the
// validator forgets is missed here too only if both forget it.
namespace docket::rpc {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Field paths of the BadRequest.
std::set<std::string> BadFields(const absl::Status& status) {
  std::set<std::string> fields;
  google::rpc::BadRequest bad;
  const auto payload = status.GetPayload("type.googleapis.com/google.rpc.BadRequest");
  if (payload.has_value() && bad.ParseFromString(std::string(*payload))) {
    for (const auto& violation : bad.field_violations()) fields.insert(violation.field());
  }
  return fields;
}

void ExpectRefused(const Message& request, const std::string& path, const std::string& what) {
  const absl::Status status = ValidateRequest(request);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << path << ": " << what;
  EXPECT_EQ(ReasonOf(status), "INVALID_FIELD") << path << ": " << what;
  EXPECT_EQ(BadFields(status).count(path), 1u) << path << ": " << what << ", got: " << status;
}

// Nothing is said of the length of `path`; another rule (a UUID, a token) may still refuse the value.
void ExpectLengthAccepted(const Message& request, const std::string& path) {
  const absl::Status status = ValidateRequest(request);
  EXPECT_FALSE(absl::StrContains(status.message(), absl::StrCat(path, ": ")) &&
               absl::StrContains(status.message(), "want at most"))
      << status;
}

uint32_t LimitOf(const FieldDescriptor* field) {
  const uint32_t given = field->options().GetExtension(v1::max_size);
  if (given != 0) return given;
  if (field->is_repeated()) return 64;
  const bool code = field->options().GetExtension(v1::form) == v1::CODE;
  return field->type() == FieldDescriptor::TYPE_STRING && !code ? 256 : 64;
}

// Changes one field of `root` at a time, checks it, and puts it back.
class FieldWalk {
 public:
  explicit FieldWalk(Message* root) : root_(root) {}

  void Walk(Message* message, const std::string& path) {
    for (int i = 0; i < message->GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor* field = message->GetDescriptor()->field(i);
      // Members of a oneof other than the one set would change the meaning of the request.
      if (field->real_containing_oneof() != nullptr && !message->GetReflection()->HasField(*message, field)) continue;
      std::unique_ptr<Message> before(message->New());
      before->CopyFrom(*message);
      field->is_repeated() ? Repeated(message, field, path) : Singular(message, field, path);
      message->CopyFrom(*before);
    }
    for (int i = 0; i < message->GetDescriptor()->real_oneof_decl_count(); ++i) {
      std::unique_ptr<Message> before(message->New());
      before->CopyFrom(*message);
      message->GetReflection()->ClearOneof(message, message->GetDescriptor()->oneof_decl(i));
      ExpectRefused(*root_, path + message->GetDescriptor()->oneof_decl(i)->name(), "nothing set");
      message->CopyFrom(*before);
    }
  }
  int checked() const { return checked_; }

 private:
  void Singular(Message* message, const FieldDescriptor* field, const std::string& path) {
    const auto* reflection = message->GetReflection();
    const std::string name = path + field->name();
    if (field->options().GetExtension(v1::required)) {
      std::unique_ptr<Message> before(message->New());
      before->CopyFrom(*message);
      reflection->ClearField(message, field);
      ExpectRefused(*root_, name, "missing");
      ++checked_;
      message->CopyFrom(*before);
    }
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        Strings(message, field, name);
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        reflection->SetEnumValue(message, field, 9999);
        ExpectRefused(*root_, name, "unknown enum number");
        ++checked_;
        break;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        Inner(reflection->MutableMessage(message, field), name);
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        if (field->name() != "page_size") break;
        reflection->SetUInt32(message, field, 500);
        EXPECT_EQ(BadFields(ValidateRequest(*root_)).count(name), 0u);
        reflection->SetUInt32(message, field, 501);
        ExpectRefused(*root_, name, "page too large");
        ++checked_;
        break;
      default:
        break;
    }
  }

  void Strings(Message* message, const FieldDescriptor* field, const std::string& name) {
    const auto* reflection = message->GetReflection();
    const uint32_t limit = LimitOf(field);
    reflection->SetString(message, field, std::string(limit, 'a'));
    ExpectLengthAccepted(*root_, name);
    reflection->SetString(message, field, std::string(limit + 1, 'a'));
    ExpectRefused(*root_, name, "one byte too long");
    if (field->type() == FieldDescriptor::TYPE_STRING) {
      reflection->SetString(message, field, "caf\xe9");
      ExpectRefused(*root_, name, "not UTF-8");
      reflection->SetString(message, field, std::string("a\0b", 3));
      ExpectRefused(*root_, name, "control character");
      if (!field->options().GetExtension(v1::personal)) {
        reflection->SetString(message, field, "a\nb");
        ExpectRefused(*root_, name, "line end in a public string");
      } else {
        reflection->SetString(message, field, "a\r\n\tb");
        EXPECT_EQ(BadFields(ValidateRequest(*root_)).count(name), 0u) << name;
      }
      if (field->options().GetExtension(v1::required)) {
        reflection->SetString(message, field, " \u00a0\u3000");
        ExpectRefused(*root_, name, "blank");
      }
      Forms(message, field, name);
    }
    if (field->name() == "page_token" || field->name() == "request_id" || field->name() == "case_id") {
      reflection->SetString(message, field, "not-one");
      ExpectRefused(*root_, name, "wrong form");
    }
    ++checked_;
  }

  // What people type as prose fits into no public string, whatever the field.
  void Forms(Message* message, const FieldDescriptor* field, const std::string& name) {
    const auto* reflection = message->GetReflection();
    const auto accepts = [&](const std::string& value) {
      reflection->SetString(message, field, value);
      return BadFields(ValidateRequest(*root_)).count(name) == 0;
    };
    switch (field->options().GetExtension(v1::form)) {
      case v1::CODE:
        EXPECT_TRUE(accepts("A1_b.c:d/e-f")) << name;
        for (const char* bad : {"Mrs Smith", "-x", "_x", "caf\u00e9", "a@b.org", " x", "x,y"})
          EXPECT_FALSE(accepts(bad)) << name << bad;
        break;
      case v1::REFERENCE:
        EXPECT_TRUE(accepts("INC#45/\u8ba2\u5355(2)")) << name;
        for (const char* bad : {"Mrs Smith", "x ", "a\u00a0b", "a\u2003b", "a\u3000b"})
          EXPECT_FALSE(accepts(bad)) << name << bad;
        break;
      case v1::LABEL:
        for (const char* good :
             {"Awaiting User Info", "AZ 8/24", "R\u00e9clamation\u00a0: d\u00e9lai", "\u0645\u06cc\u200c\u062e\u0648"})
          EXPECT_TRUE(accepts(good)) << name << good;
        for (const char* bad : {" x", "x ", "x\u00a0", "\u200cx", "a\u200bb"})
          EXPECT_FALSE(accepts(bad)) << name << bad;
        break;
      default:
        EXPECT_FALSE(accepts("Mrs Smith") && !field->options().GetExtension(v1::personal))
            << name << " is public but has no form: mark it in the .proto, or personal if people write it";
    }
  }

  void Inner(Message* inner, const std::string& name) {
    if (inner->GetDescriptor() == google::protobuf::Timestamp::descriptor()) {
      auto* time = static_cast<google::protobuf::Timestamp*>(inner);
      time->set_seconds(-1);
      ExpectRefused(*root_, name, "before 1970");
      time->set_seconds(253402300800);
      ExpectRefused(*root_, name, "year 10000");
      time->set_seconds(1);
      time->set_nanos(1'000'000'000);
      ExpectRefused(*root_, name, "a second of nanoseconds");
      ++checked_;
    } else if (inner->GetDescriptor()->full_name() == "google.protobuf.Duration") {
      inner->GetReflection()->SetInt64(inner, inner->GetDescriptor()->FindFieldByName("seconds"), -1);
      ExpectRefused(*root_, name, "negative");
      ++checked_;
    } else {
      Walk(inner, name + ".");
    }
  }

  void Repeated(Message* message, const FieldDescriptor* field, const std::string& path) {
    const auto* reflection = message->GetReflection();
    const std::string name = path + field->name();
    const auto add = [&] {
      switch (field->cpp_type()) {
        case FieldDescriptor::CPPTYPE_STRING:
          reflection->AddString(message, field, "x");
          break;
        case FieldDescriptor::CPPTYPE_ENUM:
          reflection->AddEnumValue(message, field, 1);
          break;
        case FieldDescriptor::CPPTYPE_UINT32:
          reflection->AddUInt32(message, field, 1);
          break;
        case FieldDescriptor::CPPTYPE_MESSAGE:
          reflection->AddMessage(message, field);
          break;
        default:
          FAIL() << name << ": the test does not know how to fill this field";
      }
    };
    if (reflection->FieldSize(*message, field) > 0 && field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Walk(reflection->MutableRepeatedMessage(message, field, 0), name + "[0].");
    }
    reflection->ClearField(message, field);
    add();
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
      reflection->SetRepeatedEnumValue(message, field, 0, 9999);
      ExpectRefused(*root_, name + "[0]", "unknown enum number");
      reflection->SetRepeatedEnumValue(message, field, 0, 0);
      ExpectRefused(*root_, name + "[0]", "UNSPECIFIED in a list");
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      reflection->SetRepeatedString(message, field, 0, std::string(257, 'a'));
      ExpectRefused(*root_, name + "[0]", "element too long");
      reflection->SetRepeatedString(message, field, 0, "caf\xe9");
      ExpectRefused(*root_, name + "[0]", "element not UTF-8");
      reflection->SetRepeatedString(message, field, 0, "");
      ExpectRefused(*root_, name + "[0]", "empty element");
    }
    reflection->ClearField(message, field);
    const int limit = static_cast<int>(LimitOf(field));
    while (reflection->FieldSize(*message, field) < limit) add();
    ExpectLengthAccepted(*root_, name);
    add();
    ExpectRefused(*root_, name, "one element too many");
    ++checked_;
  }

  Message* root_;
  int checked_ = 0;
};

absl::Status ValidateText(const std::string& message, const std::string& text) {
  const auto request = Parse(message, text);
  return request == nullptr ? absl::InternalError("no request") : ValidateRequest(*request);
}

TEST(ValidationTest, EveryRequestOfEveryServiceIsChecked) {
  int checked = 0;
  for (const auto* type : RequestTypes()) {
    const std::string sample = SampleOf(type->full_name());
    ASSERT_NE(sample, "") << type->full_name() << " has no sample: add one to request_samples.cc";
    const auto request = Parse(type->full_name(), sample);
    ASSERT_NE(request, nullptr);
    EXPECT_TRUE(ValidateRequest(*request).ok()) << type->full_name() << ": " << ValidateRequest(*request);
    FieldWalk walk(request.get());
    walk.Walk(request.get(), "");
    checked += walk.checked();
  }
  EXPECT_GT(checked, 60);  // the walk really walked
}

TEST(ValidationTest, EveryCommandIsChecked) {
  const auto* oneof = v1::Command::descriptor()->oneof_decl(0);
  for (int i = 0; i < oneof->field_count(); ++i) {
    const FieldDescriptor* field = oneof->field(i);
    const std::string sample = CommandSampleOf(field->name());
    ASSERT_NE(sample, "") << field->name() << " has no sample: add one to request_samples.cc";
    const std::string names = field->name() == "file" ? "" : absl::StrCat("case_id: '", kCaseId, "' ");
    const auto request =
        Parse("docket.v1.ExecuteRequest",
              absl::StrCat(names, "request_id: '", kRequestId, "' command { ", field->name(), " {", sample, "} }"));
    ASSERT_NE(request, nullptr);
    EXPECT_TRUE(ValidateRequest(*request).ok()) << field->name() << ": " << ValidateRequest(*request);
    v1::Command* command = static_cast<v1::ExecuteRequest*>(request.get())->mutable_command();
    FieldWalk walk(request.get());
    walk.Walk(command->GetReflection()->MutableMessage(command, field), absl::StrCat("command.", field->name(), "."));
  }
}

// Of a command, whatever it is and however deep, and of every other request.
void ExpectForms(const google::protobuf::Descriptor* type, std::set<const google::protobuf::Descriptor*>* seen) {
  static const std::set<std::string> kIds = {"request_id", "case_id", "case_ids", "page_token"};
  if (!seen->insert(type).second) return;
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    if (field->message_type() != nullptr) ExpectForms(field->message_type(), seen);
    if (field->type() != FieldDescriptor::TYPE_STRING || field->options().GetExtension(v1::personal)) continue;
    EXPECT_EQ(field->options().GetExtension(v1::form) != v1::ANY_TEXT, kIds.count(field->name()) == 0)
        << field->full_name() << " is public for ever: mark its form, or mark it personal if people write it";
  }
}

TEST(ValidationTest, EveryPublicStringOfARequestHasAForm) {
  std::set<const google::protobuf::Descriptor*> seen;
  for (const auto* type : RequestTypes()) ExpectForms(type, &seen);
  EXPECT_EQ(seen.count(v1::SourceRow::descriptor()), 1u);
}

TEST(ValidationTest, PrioritiesAreThoseOfTheMatrix) {
  EXPECT_TRUE(ValidateText("docket.v1.ListDutiesRequest", "preset: OVERDUE priorities: 1 priorities: 5").ok());
  EXPECT_EQ(BadFields(ValidateText("docket.v1.ListDutiesRequest", "preset: OVERDUE priorities: 1 priorities: 77")),
            std::set<std::string>{"priorities[1]"});
  EXPECT_EQ(BadFields(ValidateText("docket.v1.ListCasesRequest", "filter { priorities: 6 }")),
            std::set<std::string>{"filter.priorities[0]"});
}

TEST(ValidationTest, ACaseIsNamedExactlyOnce) {
  const std::string id = absl::StrCat("case_id: '", kCaseId, "' ");
  for (const char* message : {"docket.v1.GetCaseRequest", "docket.v1.ReadHistoryRequest", "docket.v1.GetClocksRequest",
                              "docket.v1.ExplainDueRequest", "docket.v1.ListAllowedCommandsRequest"}) {
    EXPECT_EQ(BadFields(ValidateText(message, "")), std::set<std::string>{"case_id"}) << message;
    EXPECT_EQ(BadFields(ValidateText(message, id + "case_no: 'CMP-2026-000001-K'")), std::set<std::string>{"case_id"});
    EXPECT_TRUE(ValidateText(message, "case_no: 'CMP-2026-000001-K'").ok()) << message;
  }
  EXPECT_TRUE(ValidateText("docket.v1.GetCaseRequest", "external_ref { source: 's' key: 'k' }").ok());
  EXPECT_EQ(BadFields(ValidateText("docket.v1.GetCaseRequest", "external_ref { source: 's' }")),
            std::set<std::string>{"external_ref.key"});
}

TEST(ValidationTest, FilingNamesNoCaseButMayChooseItsId) {
  const std::string filing =
      absl::StrCat("request_id: '", kRequestId, "' command { file { kind: COMPLAINT title: 'x' } } ");
  EXPECT_TRUE(ValidateText("docket.v1.ExecuteRequest", filing).ok());
  EXPECT_TRUE(ValidateText("docket.v1.ExecuteRequest", absl::StrCat(filing, "case_id: '", kCaseId, "'")).ok());
  EXPECT_EQ(BadFields(ValidateText("docket.v1.ExecuteRequest", filing + "case_no: 'CMP-2026-000001-K'")),
            std::set<std::string>{"case_no"});
  EXPECT_EQ(BadFields(ValidateText("docket.v1.ExecuteRequest", filing + "external_ref { source: 's' key: 'k' }")),
            std::set<std::string>{"external_ref"});
}

TEST(ValidationTest, AnIdHasOneSpelling) {
  for (const char* bad : {"019A93C2-2C80-7ABC-8DEF-0123456789AB",  // upper case
                          "019a93c2-2c80-4abc-8def-0123456789ab",  // version 4
                          "019a93c2-2c80-7abc-cdef-0123456789ab",  // variant 11
                          "019a93c22c807abc8def0123456789ab"}) {
    EXPECT_EQ(BadFields(ValidateText("docket.v1.GetCaseRequest", absl::StrCat("case_id: '", bad, "'"))),
              std::set<std::string>{"case_id"})
        << bad;
  }
}

TEST(ValidationTest, RevisionAndTimesExcludeEachOther) {
  const std::string id = absl::StrCat("case_id: '", kCaseId, "' revision: 3 ");
  EXPECT_TRUE(ValidateText("docket.v1.GetCaseRequest", id).ok());
  EXPECT_EQ(BadFields(ValidateText("docket.v1.GetCaseRequest", id + "known_at { seconds: 1 }")),
            std::set<std::string>{"revision"});
}

TEST(ValidationTest, IntervalsAndRangesRunForward) {
  EXPECT_EQ(
      BadFields(ValidateText("docket.v1.ComputeDueRequest",
                             "start { seconds: 1 } target: '8h' pauses { start { seconds: 3 } end { seconds: 2 } }")),
      std::set<std::string>{"pauses[0].end"});
  EXPECT_EQ(BadFields(ValidateText("docket.v1.ComputeDueRequest", "start { seconds: 1 } target: '8h' pauses { }")),
            std::set<std::string>{"pauses[0].start"});
  EXPECT_EQ(BadFields(ValidateText("docket.v1.ReadHistoryRequest",
                                   absl::StrCat("case_id: '", kCaseId, "' from_revision: 5 to_revision: 4"))),
            std::set<std::string>{"to_revision"});
}

TEST(ValidationTest, AllBadFieldsAreNamedAtOnceUpToTheLimit) {
  v1::ListDutiesRequest request;
  request.set_page_size(1000);
  request.set_page_token("?");
  request.set_metric(std::string(300, 'm'));
  EXPECT_EQ(BadFields(ValidateRequest(request)),
            (std::set<std::string>{"preset", "page_size", "page_token", "metric"}));
  v1::ListCasesRequest many;
  for (int i = 0; i < 60; ++i) many.mutable_filter()->add_statuses("\x01");
  EXPECT_EQ(BadFields(ValidateRequest(many)).size(), static_cast<size_t>(kMaxBadFields));
}

TEST(ValidationTest, PersonalValuesAreNeverRepeated) {
  v1::ExecuteRequest request;
  request.set_request_id(kRequestId);
  request.mutable_command()->mutable_file()->set_kind(v1::COMPLAINT);
  request.mutable_command()->mutable_file()->set_title("secretname\xff");
  const absl::Status status = ValidateRequest(request);
  EXPECT_EQ(BadFields(status), std::set<std::string>{"command.file.title"});
  EXPECT_FALSE(absl::StrContains(status.ToString(), "secretname"));
}

TEST(ValidationTest, AnEnvelopeIsCheckedWithoutItsParts) {
  v1::ExecuteStreamRequest message;
  message.add_requests();
  EXPECT_TRUE(ValidateEnvelope(message).ok());
  EXPECT_FALSE(ValidateRequest(message).ok());
  while (message.requests_size() < 257) message.add_requests();
  EXPECT_EQ(BadFields(ValidateEnvelope(message)), std::set<std::string>{"requests"});
}

}  // namespace
}  // namespace docket::rpc
