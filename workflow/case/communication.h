#ifndef DOCKET_WORKFLOW_CASE_COMMUNICATION_H_
#define DOCKET_WORKFLOW_CASE_COMMUNICATION_H_

#include <cstdint>

#include "absl/status/status.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/command.pb.h"
#include "docket/v1/event.pb.h"
#include "workflow/case/draft.h"

// Messages in and out, notes.
namespace docket::workflow {

// Of public messages sent, the newest so many are kept in the state, in case one bounces.
inline constexpr int kMaxSentKept = 64;

absl::Status DecideRecordInbound(Draft& draft, const v1::Command& command);
absl::Status DecideSendOutbound(Draft& draft, const v1::Command& command);
absl::Status DecideAddNote(Draft& draft, const v1::Command& command);
absl::Status DecideMarkNoReplyNeeded(Draft& draft, const v1::Command& command);
absl::Status DecideReportDelivery(Draft& draft, const v1::Command& command);

// What a report of delivery says of the messages of the case: which wait for an answer again, or no more.
v1::DeliveryReported DeliveryOf(const v1::Case& state, const v1::ReportDelivery& report);

absl::Status ApplyInboundReceived(const v1::Event& event, uint32_t revision, v1::Case* state);
absl::Status ApplyOutboundSent(const v1::Event& event, uint32_t revision, v1::Case* state);
absl::Status ApplyDeliveryReported(const v1::DeliveryReported& event, v1::Case* state);
// Remembers what may have ended a clock beside a message.
void KeepPastAnswer(const v1::Event& event, uint32_t revision, v1::Case* state);
absl::Status ApplyNoReplyNeededMarked(const v1::NoReplyNeededMarked& event, v1::Case* state);

}  // namespace docket::workflow

#endif  // DOCKET_WORKFLOW_CASE_COMMUNICATION_H_
