#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"
#include "workflow/case/replay.h"

namespace docket::workflow {
namespace {

// Every released event has one version so far. A second one gets its own message and a case here.
constexpr uint32_t kVersion = 1;

const google::protobuf::OneofDescriptor* Body() { return v1::Event::descriptor()->FindOneofByName("body"); }

}  // namespace

v1::RecordedEvent EncodeEvent(const v1::Event& event) {
  DOCKET_CHECK(event.body_case() != v1::Event::BODY_NOT_SET);
  v1::RecordedEvent recorded;
  recorded.set_type(event.body_case());
  recorded.set_version(kVersion);
  recorded.set_occurred_at_us(absl::ToUnixMicros(FromProto(event.occurred_at())));
  recorded.set_rule(event.rule());
  recorded.set_visibility(event.visibility());
  EventBody(event)->SerializePartialToString(recorded.mutable_payload());
  return recorded;
}

absl::StatusOr<v1::Event> DecodeEvent(const v1::RecordedEvent& recorded) {
  const auto* field = v1::Event::descriptor()->FindFieldByNumber(static_cast<int>(recorded.type()));
  if (field == nullptr || field->real_containing_oneof() != Body() || recorded.version() != kVersion) {
    return absl::DataLossError(
        absl::StrCat("event type ", recorded.type(), " version ", recorded.version(), " is not known to this binary"));
  }
  v1::Event event;
  *event.mutable_occurred_at() = ToProto(absl::FromUnixMicros(recorded.occurred_at_us()));
  event.set_rule(recorded.rule());
  event.set_visibility(recorded.visibility());
  auto* body = event.GetReflection()->MutableMessage(&event, field);
  if (!body->ParseFromString(recorded.payload())) {
    return absl::DataLossError(absl::StrCat("payload of event type ", recorded.type(), " does not parse"));
  }
  return event;
}

std::string EventTypeName(uint32_t type) {
  const auto* field = v1::Event::descriptor()->FindFieldByNumber(static_cast<int>(type));
  if (field == nullptr || field->real_containing_oneof() != Body()) return "";
  return field->message_type()->name();
}

uint32_t EventTypeOf(const std::string& name) {
  for (int i = 0; i < Body()->field_count(); ++i) {
    if (Body()->field(i)->message_type()->name() == name) return Body()->field(i)->number();
  }
  return 0;
}

const google::protobuf::Message* EventBody(const v1::Event& event) {
  const auto* field = event.GetReflection()->GetOneofFieldDescriptor(event, Body());
  return field == nullptr ? nullptr : &event.GetReflection()->GetMessage(event, field);
}

}  // namespace docket::workflow
