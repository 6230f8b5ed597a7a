#include "tools/cli/command_form.h"

#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "docket/v1/command.pb.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "tests/tools/cli/cli_runner.h"
#include "tools/cli/json_output.h"
#include "workflow/base/time.h"

namespace docket::cli {
namespace {

using google::protobuf::FieldDescriptor;
using ::testing::HasSubstr;

const FormContext kContext{absl::FromUnixSeconds(1'795'185'000), absl::UTCTimeZone()};

const google::protobuf::OneofDescriptor& Verbs() { return *v1::Command::descriptor()->FindOneofByName("command"); }

FormField Field(const google::protobuf::Descriptor& type, const std::string& option) {
  for (const FormField& field : FormFields(type)) {
    if (field.option == option) return field;
  }
  ADD_FAILURE() << "no option " << option;
  return {};
}

template <class Message>
std::string SetError(const std::string& option, const std::string& text) {
  Message message;
  return std::string(SetField(Field(*Message::descriptor(), option), text, kContext, &message).message());
}

// A value that fits the field, different from its default.
std::string SampleText(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true";
    case FieldDescriptor::CPPTYPE_ENUM:
      return absl::AsciiStrToLower(field.enum_type()->value(1)->name());
    case FieldDescriptor::CPPTYPE_STRING:
      return "text, with = and {";
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (field.message_type()->name() == "Timestamp") return "2026-11-20T17:00:00Z";
      if (field.message_type()->name() == "Duration") return "4h";
      return "{}";
    default:
      return "7";
  }
}

TEST(CommandForm, EveryCommandIsAVerb) {
  for (int i = 0; i < Verbs().field_count(); ++i) {
    const std::string verb = VerbName(*Verbs().field(i));
    const Ran ran = RunDocket({"case", verb, "--help"});
    EXPECT_EQ(ran.exit_code, kExitOk) << verb;
    EXPECT_THAT(ran.out, HasSubstr(absl::StrCat("docket case ", verb)));
  }
  EXPECT_EQ(VerbName(*Verbs().field(4)), "set-priority");
}

TEST(CommandForm, EveryFieldOfEveryCommandCanBeSetAndReadsBack) {
  int set = 0;
  for (int i = 0; i < Verbs().field_count(); ++i) {
    for (const FormField& field : FormFields(*Verbs().field(i)->message_type())) {
      v1::Command command;
      auto* message = command.GetReflection()->MutableMessage(&command, Verbs().field(i));
      const absl::Status status = SetField(field, SampleText(field.field()), kContext, message);
      ASSERT_TRUE(status.ok()) << Verbs().field(i)->name() << " --" << field.option << ": " << status;
      const google::protobuf::Message* parent = message;
      for (size_t depth = 0; depth + 1 < field.path.size(); ++depth) {
        ASSERT_TRUE(parent->GetReflection()->HasField(*parent, field.path[depth]));
        parent = &parent->GetReflection()->GetMessage(*parent, field.path[depth]);
      }
      if (field.repeated()) {
        EXPECT_EQ(parent->GetReflection()->FieldSize(*parent, &field.field()), 1) << field.option;
      } else {
        EXPECT_TRUE(parent->GetReflection()->HasField(*parent, &field.field())) << field.option;
      }
      ++set;
    }
  }
  EXPECT_GT(set, 80);
}

TEST(CommandForm, NoFieldHidesAnOptionThatEveryVerbHas) {
  const std::set<std::string> taken = {"json",   "dry-run", "occurred-at", "evidence-ref", "expected-revision",
                                       "server", "as",      "output",      "request-id",   "timeout",
                                       "utc",    "help",    "version"};
  for (int i = 0; i < Verbs().field_count(); ++i) {
    std::set<std::string> seen;
    for (const FormField& field : FormFields(*Verbs().field(i)->message_type())) {
      EXPECT_EQ(taken.count(field.option), 0) << Verbs().field(i)->name() << " " << field.option;
      EXPECT_TRUE(seen.insert(field.option).second) << field.option;
    }
  }
}

TEST(CommandForm, EnumsGoByNameInAnyCase) {
  v1::HoldCase hold;
  for (const char* text : {"third-party", "THIRD_PARTY", "Third_Party"}) {
    hold.Clear();
    ASSERT_TRUE(SetField(Field(*hold.descriptor(), "waiting-on"), text, kContext, &hold).ok());
    EXPECT_EQ(hold.waiting_on(), v1::THIRD_PARTY);
  }
}

TEST(CommandForm, AWrongEnumIsAnsweredWithTheRightOnes) {
  const std::string wanted =
      "--waiting-on: \"nobody\", want one of COMPLAINANT, DEPARTMENT, THIRD_PARTY, LEGAL, SCHEDULE";
  EXPECT_EQ(SetError<v1::HoldCase>("waiting-on", "nobody"), wanted);
  EXPECT_THAT(SetError<v1::HoldCase>("waiting-on", "waiting_on_unspecified"), HasSubstr("want one of COMPLAINANT"));
  EXPECT_THAT(SetError<v1::HoldCase>("waiting-on", "1"), HasSubstr("want one of COMPLAINANT"));
}

TEST(CommandForm, AWrongNumberNamesTheRange) {
  for (const char* text : {"high", "", "-1", "1.5", "4294967296", "0x1"}) {
    EXPECT_EQ(SetError<v1::SetPriority>("priority", text),
              absl::StrCat("--priority: \"", text, "\", want a whole number from 0 to 4294967295"));
  }
}

TEST(CommandForm, AWrongTimestampNamesTheForms) {
  EXPECT_THAT(SetError<v1::HoldCase>("until", "tomorrow"), HasSubstr("--until: \"tomorrow\", want an RFC 3339 time"));
}

TEST(CommandForm, AWrongBoolIsRefused) {
  EXPECT_EQ(SetError<v1::TriageCase>("safety", "maybe"), "--safety: \"maybe\", want true or false");
}

TEST(CommandForm, TimestampsAreRfc3339OrNow) {
  v1::HoldCase hold;
  const FormField until = Field(*hold.descriptor(), "until");
  ASSERT_TRUE(SetField(until, "2026-11-27T17:00:00+01:00", kContext, &hold).ok());
  EXPECT_EQ(FormatUtc(FromProto(hold.until())), "2026-11-27T16:00:00Z");
  ASSERT_TRUE(SetField(until, "now", kContext, &hold).ok());
  EXPECT_EQ(FromProto(hold.until()), kContext.now);
}

TEST(CommandForm, RepeatedFieldsGrow) {
  v1::SendOutbound outbound;
  const FormField parts = Field(*outbound.descriptor(), "parts");
  ASSERT_TRUE(SetField(parts, "REASONS", kContext, &outbound).ok());
  ASSERT_TRUE(SetField(parts, "DEADLINE", kContext, &outbound).ok());
  EXPECT_THAT(outbound.parts(), ::testing::ElementsAre("REASONS", "DEADLINE"));
}

TEST(CommandForm, NestedFieldsHaveDottedOptions) {
  v1::RecordInbound inbound;
  ASSERT_TRUE(SetField(Field(*inbound.descriptor(), "channel.carrier"), "phone", kContext, &inbound).ok());
  ASSERT_TRUE(SetField(Field(*inbound.descriptor(), "channel.medium"), "voice", kContext, &inbound).ok());
  EXPECT_EQ(inbound.channel().carrier(), "phone");
  EXPECT_EQ(inbound.channel().medium(), v1::VOICE);
}

TEST(CommandForm, MessagesAreJsonOrPairs) {
  v1::DraftDecision by_json, by_pairs;
  const FormField findings = Field(*by_json.descriptor(), "findings");
  ASSERT_TRUE(SetField(findings, R"({"matterNo":2,"finding":"UPHELD","rootCause":"x"})", kContext, &by_json).ok());
  ASSERT_TRUE(SetField(findings, "matter_no=2,finding=upheld,root-cause=x", kContext, &by_pairs).ok());
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(by_json, by_pairs)) << by_pairs.ShortDebugString();
  EXPECT_EQ(by_json.findings(0).finding(), v1::UPHELD);
}

TEST(CommandForm, ARepeatedMessageTakesAJsonArray) {
  v1::DraftDecision decision;
  const FormField findings = Field(*decision.descriptor(), "findings");
  ASSERT_TRUE(SetField(findings, "matter_no=1,finding=upheld", kContext, &decision).ok());
  ASSERT_TRUE(SetField(findings, R"( [{"matterNo":2,"finding":"UPHELD"},{"matterNo":3}])", kContext, &decision).ok());
  ASSERT_EQ(decision.findings_size(), 3);
  EXPECT_EQ(decision.findings(1).finding(), v1::UPHELD);
  EXPECT_EQ(decision.findings(2).matter_no(), 3);
  EXPECT_THAT(SetError<v1::DraftDecision>("findings", "[{\"nope\":1}]"), HasSubstr("--findings: not the JSON of"));
}

TEST(CommandForm, AWrongMessageNamesItsFields) {
  EXPECT_THAT(SetError<v1::DraftDecision>("findings", "colour=red"),
              HasSubstr("want JSON, or name=value,… of matter_no"));
  EXPECT_THAT(SetError<v1::DraftDecision>("findings", "upheld"), HasSubstr("want JSON, or name=value"));
  EXPECT_THAT(SetError<v1::DraftDecision>("findings", "matter_no=two"),
              HasSubstr("--findings: matter_no: \"two\", want a whole"));
  EXPECT_THAT(SetError<v1::DraftDecision>("findings", "{\"nope\":1}"), HasSubstr("not the JSON of MatterFinding"));
}

TEST(CommandForm, OnlySingleBoolsStandWithoutAValue) {
  EXPECT_TRUE(Field(*v1::TriageCase::descriptor(), "safety").is_flag());
  EXPECT_FALSE(Field(*v1::TriageCase::descriptor(), "severity").is_flag());
}

TEST(CommandForm, RequiredFollowsTheAnnotation) {
  EXPECT_TRUE(Field(*v1::FileCase::descriptor(), "title").required);
  EXPECT_FALSE(Field(*v1::FileCase::descriptor(), "narrative").required);
}

}  // namespace
}  // namespace docket::cli
