#include "workflow/case/communication.h"

#include <algorithm>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/status.h"

namespace docket::workflow {
namespace {

void RemoveUnanswered(uint32_t revision, v1::Case* state) {
  auto* unanswered = state->mutable_unanswered_inbound();
  unanswered->erase(std::remove(unanswered->begin(), unanswered->end(), revision), unanswered->end());
}

// Public messages are part of the conversation and may be shown to the requester.
v1::Visibility VisibilityOf(bool internal) { return internal ? v1::VISIBILITY_INTERNAL : v1::VISIBILITY_PUBLIC; }

v1::Event ContactEvent(const Draft& draft, bool internal) {
  v1::Event event;
  event.set_visibility(VisibilityOf(internal));
  *event.mutable_occurred_at() = ToProto(draft.context().effective);  // a contact may lie before what is recorded
  return event;
}

}  // namespace

absl::Status DecideRecordInbound(Draft& draft, const v1::Command& command) {
  const v1::RecordInbound& inbound = command.record_inbound();
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command));
  v1::Event event = ContactEvent(draft, inbound.internal());
  v1::InboundReceived* received = event.mutable_inbound_received();
  *received->mutable_channel() = inbound.channel();
  if (inbound.has_sent_at()) *received->mutable_sent_at() = inbound.sent_at();
  *received->mutable_body() = draft.Seal(inbound.body());
  received->set_from_requester(!inbound.internal());
  received->set_public_message(!inbound.internal());
  const uint32_t revision = draft.next_revision();
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  if (inbound.no_reply_needed() && !inbound.internal()) {
    v1::Event marked;
    marked.mutable_no_reply_needed_marked()->set_inbound_revision(revision);
    DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(marked)));
  }
  // The chart says what a message does; whether a goodbye wakes a resolved case, its transition tells by `when`.
  if (transition == nullptr) return absl::OkStatus();
  DOCKET_RETURN_IF_ERROR(EmitReopened(draft, v1::QUESTION_UNANSWERED));
  return Follow(draft, transition);
}

absl::Status DecideSendOutbound(Draft& draft, const v1::Command& command) {
  const v1::SendOutbound& outbound = command.send_outbound();
  std::vector<Unmet> unmet;
  for (const uint32_t answered : outbound.answers()) {
    if (!absl::c_linear_search(draft.state().unanswered_inbound(), answered)) {
      unmet.push_back(
          {"NOT_UNANSWERED", absl::StrCat("send_outbound.answers: ", answered, " is no unanswered message"), ""});
    }
  }
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  v1::Event event = ContactEvent(draft, outbound.internal());
  v1::OutboundSent* sent = event.mutable_outbound_sent();
  sent->set_kind(outbound.kind());
  sent->set_human(!outbound.automated());
  sent->set_public_message(!outbound.internal());
  *sent->mutable_channel() = outbound.channel();
  *sent->mutable_body() = draft.Seal(outbound.body());
  *sent->mutable_parts() = outbound.parts();
  if (!outbound.automated() && !outbound.internal()) {
    *sent->mutable_answers() = outbound.answers().empty() ? draft.state().unanswered_inbound() : outbound.answers();
  }
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Follow(draft, transition);
}

absl::Status DecideAddNote(Draft& draft, const v1::Command& command) {
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command));
  v1::Event event;
  *event.mutable_internal_note_added()->mutable_body() = draft.Seal(command.add_note().body());
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Follow(draft, transition);
}

absl::Status DecideMarkNoReplyNeeded(Draft& draft, const v1::Command& command) {
  const uint32_t revision = command.mark_no_reply_needed().inbound_revision();
  std::vector<Unmet> unmet;
  if (!absl::c_linear_search(draft.state().unanswered_inbound(), revision)) {
    unmet.push_back({"NOT_UNANSWERED",
                     absl::StrCat("mark_no_reply_needed.inbound_revision: ", revision, " is no unanswered message"),
                     ""});
  }
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  v1::Event event;
  event.mutable_no_reply_needed_marked()->set_inbound_revision(revision);
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Follow(draft, transition);
}

absl::Status ApplyInboundReceived(const v1::InboundReceived& event, uint32_t revision, v1::Case* state) {
  if (event.public_message() && event.from_requester()) {
    state->add_unanswered_inbound(revision);
    // Whatever we had asked, they have written since.
    state->clear_last_information_request();
    state->clear_last_information_request_at();
  }
  return absl::OkStatus();
}

absl::Status ApplyOutboundSent(const v1::Event& event, uint32_t revision, v1::Case* state) {
  const v1::OutboundSent& sent = event.outbound_sent();
  for (const uint32_t answered : sent.answers()) RemoveUnanswered(answered, state);
  if (sent.public_message() && sent.human() && !state->has_first_response_at()) {
    *state->mutable_first_response_at() = event.occurred_at();
  }
  if (sent.public_message() && sent.kind() == v1::INFORMATION_REQUEST) {
    state->set_last_information_request(revision);
    *state->mutable_last_information_request_at() = event.occurred_at();
  }
  return absl::OkStatus();
}

absl::Status ApplyNoReplyNeededMarked(const v1::NoReplyNeededMarked& event, v1::Case* state) {
  RemoveUnanswered(event.inbound_revision(), state);
  return absl::OkStatus();
}

}  // namespace docket::workflow
