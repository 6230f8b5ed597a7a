#ifndef DOCKET_WORKFLOW_CASE_REPLAY_H_
#define DOCKET_WORKFLOW_CASE_REPLAY_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/event.pb.h"
#include "docket/v1/record.pb.h"

// From stored events to states. Pure: no clock, no policy, no directory; an event says all that its Apply needs.
namespace docket::workflow {

// The stored form of an event and back. Decode: kDataLoss for a type or version this binary does not know, or a payload
// that does not parse; an unknown event is never skipped.
v1::RecordedEvent EncodeEvent(const v1::Event& event);
absl::StatusOr<v1::Event> DecodeEvent(const v1::RecordedEvent& recorded);

// "OwnerAssigned" for the field number of the oneof of Event; "" when there is none.
std::string EventTypeName(uint32_t type);
// The field number for "OwnerAssigned"; 0 when there is none.
uint32_t EventTypeOf(const std::string& name);
// The message inside the oneof; null when none is set.
const google::protobuf::Message* EventBody(const v1::Event& event);

// Folds the next event of a case into its state: the only writer of Case. The event's revision is state.revision() + 1.
// kDataLoss: an event of another stream, or one that cannot follow this state (a clock that does not exist).
absl::Status Apply(const v1::Event& event, v1::Case* state);

}  // namespace docket::workflow

#endif  // DOCKET_WORKFLOW_CASE_REPLAY_H_
