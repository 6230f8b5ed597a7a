#ifndef DOCKET_SERVICES_OUTBOX_CLOUD_EVENT_H_
#define DOCKET_SERVICES_OUTBOX_CLOUD_EVENT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "docket/v1/alert.pb.h"

// Alerts as CloudEvents 1.0 in the structured JSON mode: what a webhook is sent.
namespace docket::outbox {

inline constexpr char kContentType[] = "application/cloudevents+json; charset=utf-8";

// "<hex of log_id>/<position>": unique for ever, the same in every attempt, so receivers drop repetitions by it.
std::string CloudEventId(absl::string_view log_id, uint64_t position);

// The position that `id` names: a CloudEventId of this log, or the bare position. nullopt: neither.
std::optional<uint64_t> ParseCloudEventId(absl::string_view id, absl::string_view log_id);

// The event; `type` is docket.v1.alert. and the kind, `subject` the case number, `time` when it became true, `data` the
// alert as proto JSON. `preceding_lost`: id of the newest earlier alert of the case that was given up, said in the
// extension attribute docketprecedinglost; empty: none.
std::string CloudEventBody(absl::string_view log_id, const v1::Alert& alert, absl::string_view preceding_lost);

}  // namespace docket::outbox

#endif  // DOCKET_SERVICES_OUTBOX_CLOUD_EVENT_H_
