#include "services/outbox/cloud_event.h"

#include <string>

#include "docket/v1/annotations.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "workflow/base/time.h"

namespace docket::outbox {
namespace {

const std::string kLogId("\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16);
constexpr char kHex[] = "00112233445566778899aabbccddeeff";

v1::Alert Sample() {
  v1::Alert alert;
  alert.set_position(42);
  alert.set_kind(v1::BREACH);
  alert.set_case_no("CMP-2026-000017-K");
  alert.set_metric("RESOLUTION");
  *alert.mutable_occurred_at() = ToProto(absl::FromUnixMicros(1'795'192'200'250'000));
  return alert;
}

google::protobuf::Struct Parsed(const std::string& body) {
  google::protobuf::Struct parsed;
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(body, &parsed).ok()) << body;
  return parsed;
}

TEST(CloudEventTest, HasTheAttributesOfCloudEventsAndTheAlertAsData) {
  const auto event = Parsed(CloudEventBody(kLogId, Sample(), ""));
  const auto text = [&](const char* name) { return event.fields().at(name).string_value(); };
  EXPECT_EQ(text("specversion"), "1.0");
  EXPECT_EQ(text("id"), std::string(kHex) + "/42");
  EXPECT_EQ(text("source"), "urn:uuid:00112233-4455-6677-8899-aabbccddeeff");
  EXPECT_EQ(text("type"), "docket.v1.alert.breach");
  EXPECT_EQ(text("subject"), "CMP-2026-000017-K");
  EXPECT_EQ(text("time"), "2026-11-20T16:30:00.25Z");
  EXPECT_EQ(text("datacontenttype"), "application/json");
  EXPECT_EQ(event.fields().count("docketprecedinglost"), 0u);
  std::string data;
  ASSERT_TRUE(google::protobuf::util::MessageToJsonString(event.fields().at("data").struct_value(), &data).ok());
  v1::Alert alert;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(data, &alert).ok());
  EXPECT_EQ(alert.SerializeAsString(), Sample().SerializeAsString());
}

TEST(CloudEventTest, OfARolloutHasItsIdAsSubject) {
  v1::Alert alert = Sample();
  alert.clear_case_no();
  alert.mutable_approval()->mutable_rollout()->set_rollout_id("calendar.london.2");
  EXPECT_EQ(Parsed(CloudEventBody(kLogId, alert, "")).fields().at("subject").string_value(), "calendar.london.2");
}

TEST(CloudEventTest, SaysWhatWasLostBefore) {
  const auto event = Parsed(CloudEventBody(kLogId, Sample(), CloudEventId(kLogId, 7)));
  EXPECT_EQ(event.fields().at("docketprecedinglost").string_value(), std::string(kHex) + "/7");
}

TEST(CloudEventTest, StaysJsonWhateverACaseIsCalled) {
  v1::Alert alert = Sample();
  alert.set_case_no("a\"b\\c\n\x01");
  EXPECT_EQ(Parsed(CloudEventBody(kLogId, alert, "")).fields().at("subject").string_value(), alert.case_no());
}

TEST(CloudEventTest, AnIdIsReadBackAndIdsOfOtherLogsAreNot) {
  EXPECT_EQ(ParseCloudEventId(CloudEventId(kLogId, 42), kLogId), 42u);
  EXPECT_EQ(ParseCloudEventId("42", kLogId), 42u);
  const std::string other(16, 'x');
  EXPECT_EQ(ParseCloudEventId(CloudEventId(other, 42), kLogId), std::nullopt);
  for (const char* bad : {"", "0", "-1", "x", "42 x", "/42"}) EXPECT_EQ(ParseCloudEventId(bad, kLogId), std::nullopt);
}

// Alerts leave the house and are kept by others, so that nothing personal may ever get into them.
void ExpectPublic(const google::protobuf::Descriptor* type, int* fields) {
  for (int i = 0; i < type->field_count(); ++i) {
    const google::protobuf::FieldDescriptor* field = type->field(i);
    ++*fields;
    EXPECT_FALSE(field->options().GetExtension(v1::personal)) << field->full_name();
    if (field->message_type() != nullptr) ExpectPublic(field->message_type(), fields);
  }
}
TEST(CloudEventTest, AlertsHaveNoPersonalField) {
  int fields = 0;
  ExpectPublic(v1::Alert::descriptor(), &fields);
  EXPECT_GT(fields, 30);
}

}  // namespace
}  // namespace docket::outbox
