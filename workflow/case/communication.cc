#include "workflow/case/communication.h"

#include <algorithm>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/status.h"
#include "workflow/sla/clock_rules.h"

namespace docket::workflow {
namespace {

// unanswered_inbound and unanswered_since are one list.
void RemoveUnanswered(uint32_t revision, v1::Case* state) {
  for (int i = 0; i < state->unanswered_inbound_size(); ++i) {
    if (state->unanswered_inbound(i) != revision) continue;
    state->mutable_unanswered_inbound()->erase(state->unanswered_inbound().begin() + i);
    if (i < state->unanswered_since_size()) {
      state->mutable_unanswered_since()->erase(state->unanswered_since().begin() + i);
    }
    return;
  }
}

void AddUnanswered(uint32_t revision, const google::protobuf::Timestamp& since, v1::Case* state) {
  state->add_unanswered_inbound(revision);
  *state->add_unanswered_since() = since;
}

// A message entered late answers what had been asked by then.
bool AskedBy(const v1::Case& state, int unanswered, absl::Time at) {
  return unanswered >= state.unanswered_since_size() || FromProto(state.unanswered_since(unanswered)) <= at;
}

const v1::SentMessage* FindSent(const v1::Case& state, uint32_t revision) {
  const auto found =
      absl::c_find_if(state.sent(), [&](const v1::SentMessage& one) { return one.revision() == revision; });
  return found == state.sent().end() ? nullptr : &*found;
}

// Makes room for one more. What machines sent goes first, for it ends few clocks and asks nothing; the question that is
// open stays.
void ForgetOneSent(v1::Case* state) {
  auto& sent = *state->mutable_sent();
  auto gone = absl::c_find_if(
      sent, [](const v1::SentMessage& one) { return !one.human() && one.kind() != v1::INFORMATION_REQUEST; });
  if (gone == sent.end()) {
    gone = absl::c_find_if(
        sent, [&](const v1::SentMessage& one) { return one.revision() != state->last_information_request(); });
  }
  sent.erase(gone);
}

void KeepSent(const v1::Event& event, uint32_t revision, v1::Case* state) {
  const v1::OutboundSent& sent = event.outbound_sent();
  if (state->sent_size() == kMaxSentKept) ForgetOneSent(state);
  v1::SentMessage* kept = state->add_sent();
  kept->set_revision(revision);
  kept->set_kind(sent.kind());
  kept->set_human(sent.human());
  *kept->mutable_sent_at() = event.occurred_at();
  *kept->mutable_answers() = sent.answers();
  *kept->mutable_answers_since() = sent.answers_since();
  *kept->mutable_parts() = sent.parts();
}

// Whether a message of that instant can be the answer to the newest question that is open; one entered late may have
// come before it was sent.
bool AnswersQuestion(const v1::Case& state, absl::Time at) {
  return !state.has_last_information_request_at() || at >= FromProto(state.last_information_request_at());
}

// The question of the wait counts, whatever reminders went out since.
bool AnswersWait(const v1::Case& state, absl::Time at) {
  const v1::SentMessage* question = FindSent(state, state.wait().request_revision());
  return question == nullptr ? AnswersQuestion(state, at) : at >= FromProto(question->sent_at());
}

// Of what the message had answered, all that no other answers.
void AddUnansweredAgain(const v1::Case& state, const v1::SentMessage& sent, v1::DeliveryReported* reported) {
  for (int i = 0; i < sent.answers_size() && i < sent.answers_since_size(); ++i) {
    const bool answered = absl::c_any_of(state.sent(), [&](const v1::SentMessage& one) {
      return one.revision() != sent.revision() && one.outcome() != v1::BOUNCED &&
             absl::c_linear_search(one.answers(), sent.answers(i));
    });
    if (answered) continue;
    reported->add_unanswered_again(sent.answers(i));
    *reported->add_unanswered_since() = sent.answers_since(i);
  }
}

// The newest question that waits for an answer once the report is known; 0: none.
uint32_t QuestionAfter(const v1::Case& state, const v1::ReportDelivery& report) {
  const absl::Time heard = state.has_last_inbound_at() ? FromProto(state.last_inbound_at()) : absl::InfinitePast();
  uint32_t newest = 0;
  for (v1::SentMessage one : state.sent()) {
    if (one.revision() == report.outbound_revision()) one.set_outcome(report.outcome());
    if (sla::IsStandingQuestion(one) && FromProto(one.sent_at()) > heard) newest = one.revision();
  }
  return newest;
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
  // What came before the wait and before its question says nothing about either.
  const v1::Wait& wait = draft.state().wait();
  const absl::Time at = draft.context().effective;
  const bool before = wait.on() == v1::COMPLAINANT && at < FromProto(wait.since());
  if (before && !AnswersWait(draft.state(), at)) return absl::OkStatus();
  // What is final stays so: a message may wait for an answer, but takes nothing up again.
  DOCKET_ASSIGN_OR_RETURN(const v1::Chart* chart, PinnedChart(draft.state(), *draft.context().policies));
  if (at > ReopenableUntil(draft.state(), *chart)) return absl::OkStatus();
  DOCKET_RETURN_IF_ERROR(EmitReopened(draft, v1::QUESTION_UNANSWERED));
  return Follow(draft, transition);
}

absl::Status DecideSendOutbound(Draft& draft, const v1::Command& command) {
  const v1::SendOutbound& outbound = command.send_outbound();
  std::vector<Unmet> unmet;
  const v1::Case& state = draft.state();
  for (const uint32_t answered : outbound.answers()) {
    const auto found = absl::c_find(state.unanswered_inbound(), answered);
    if (found == state.unanswered_inbound().end()) {
      unmet.push_back(
          {"NOT_UNANSWERED", absl::StrCat("send_outbound.answers: ", answered, " is no unanswered message"), ""});
    } else if (!AskedBy(state, static_cast<int>(found - state.unanswered_inbound().begin()),
                        draft.context().effective)) {
      unmet.push_back(
          {"ANSWERED_BEFORE_ASKED",
           absl::StrCat("send_outbound.answers: ", answered, " came after ", FormatUtc(draft.context().effective)),
           ""});
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
    for (int i = 0; i < state.unanswered_inbound_size(); ++i) {
      const uint32_t asked = state.unanswered_inbound(i);
      const bool answers = outbound.answers().empty() ? AskedBy(state, i, draft.context().effective)
                                                      : absl::c_linear_search(outbound.answers(), asked);
      if (!answers) continue;
      sent->add_answers(asked);
      if (i < state.unanswered_since_size()) *sent->add_answers_since() = state.unanswered_since(i);
    }
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

absl::Status DecideReportDelivery(Draft& draft, const v1::Command& command) {
  const v1::ReportDelivery& report = command.report_delivery();
  const v1::Case& state = draft.state();
  const v1::SentMessage* sent = FindSent(state, report.outbound_revision());
  std::vector<Unmet> unmet;
  if (sent == nullptr) {
    unmet.push_back({"NOT_SENT",
                     absl::StrCat("report_delivery.outbound_revision: ", report.outbound_revision(),
                                  " is none of the last ", kMaxSentKept, " public messages sent"),
                     ""});
  }
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  if (sent->outcome() == report.outcome()) return absl::OkStatus();
  v1::Event event;
  *event.mutable_delivery_reported() = DeliveryOf(state, report);
  // A wait for the requester goes on while a question stands.
  const bool still_asked = report.outcome() == v1::BOUNCED && state.wait().on() == v1::COMPLAINANT &&
                           (sent->kind() != v1::INFORMATION_REQUEST || event.delivery_reported().question() != 0);
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  if (still_asked) return absl::OkStatus();
  return Follow(draft, transition);
}

v1::DeliveryReported DeliveryOf(const v1::Case& state, const v1::ReportDelivery& report) {
  v1::DeliveryReported reported;
  reported.set_outbound_revision(report.outbound_revision());
  reported.set_outcome(report.outcome());
  const v1::SentMessage* sent = FindSent(state, report.outbound_revision());
  if (sent == nullptr) return reported;
  reported.set_question(QuestionAfter(state, report));
  const absl::Time at = FromProto(sent->sent_at());
  if (report.outcome() == v1::BOUNCED) {
    AddUnansweredAgain(state, *sent, &reported);
    reported.set_first_response_set_aside(sent->human() && state.has_first_response_at() &&
                                          at == FromProto(state.first_response_at()));
  } else if (sent->outcome() == v1::BOUNCED) {
    for (const uint32_t answered : sent->answers()) {
      if (absl::c_linear_search(state.unanswered_inbound(), answered)) reported.add_answered_again(answered);
    }
    reported.set_first_response_restored(sent->human() &&
                                         (!state.has_first_response_at() || at < FromProto(state.first_response_at())));
  }
  return reported;
}

absl::Status ApplyDeliveryReported(const v1::DeliveryReported& event, v1::Case* state) {
  for (v1::SentMessage& one : *state->mutable_sent()) {
    if (one.revision() == event.outbound_revision()) one.set_outcome(event.outcome());
  }
  for (int i = 0; i < event.unanswered_again_size() && i < event.unanswered_since_size(); ++i) {
    if (absl::c_linear_search(state->unanswered_inbound(), event.unanswered_again(i))) continue;
    AddUnanswered(event.unanswered_again(i), event.unanswered_since(i), state);
  }
  for (const uint32_t answered : event.answered_again()) RemoveUnanswered(answered, state);
  if (event.first_response_restored()) {
    const v1::SentMessage* sent = FindSent(*state, event.outbound_revision());
    if (sent != nullptr) *state->mutable_first_response_at() = sent->sent_at();
  }
  if (event.first_response_set_aside()) {
    state->clear_first_response_at();
    for (const v1::SentMessage& one : state->sent()) {
      if (!one.human() || one.outcome() == v1::BOUNCED || state->has_first_response_at()) continue;
      *state->mutable_first_response_at() = one.sent_at();
    }
  }
  if (event.outcome() == v1::BOUNCED && state->last_information_request() == event.outbound_revision()) {
    state->clear_last_information_request();
    state->clear_last_information_request_at();
  }
  if (const v1::SentMessage* question = FindSent(*state, event.question()); question != nullptr) {
    state->set_last_information_request(question->revision());
    *state->mutable_last_information_request_at() = question->sent_at();
  }
  return absl::OkStatus();
}

absl::Status ApplyInboundReceived(const v1::Event& received, uint32_t revision, v1::Case* state) {
  const v1::InboundReceived& event = received.inbound_received();
  if (event.public_message() && event.from_requester()) {
    AddUnanswered(revision, received.occurred_at(), state);
    if (!state->has_last_inbound_at() || FromProto(state->last_inbound_at()) < FromProto(received.occurred_at())) {
      *state->mutable_last_inbound_at() = received.occurred_at();
    }
    // Whatever we had asked, they have written since.
    if (!AnswersQuestion(*state, FromProto(received.occurred_at()))) return absl::OkStatus();
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
  if (sent.public_message()) KeepSent(event, revision, state);
  if (sent.public_message() && sent.kind() == v1::INFORMATION_REQUEST) {
    state->set_last_information_request(revision);
    *state->mutable_last_information_request_at() = event.occurred_at();
  }
  return absl::OkStatus();
}

void KeepPastAnswer(const v1::Event& event, uint32_t revision, v1::Case* state) {
  if (state->past_answers_size() == kMaxSentKept) state->mutable_past_answers()->erase(state->past_answers().begin());
  v1::PastAnswer* kept = state->add_past_answers();
  kept->set_revision(revision);
  *kept->mutable_at() = event.occurred_at();
  *kept->mutable_what() = event;
  kept->mutable_what()->clear_occurred_at();
  kept->mutable_what()->clear_rule();
  kept->mutable_what()->clear_visibility();
  if (event.has_case_declined()) kept->mutable_what()->mutable_case_declined()->clear_explanation();
  if (event.has_case_resolved()) kept->mutable_what()->mutable_case_resolved()->clear_solution();
}

absl::Status ApplyNoReplyNeededMarked(const v1::NoReplyNeededMarked& event, v1::Case* state) {
  RemoveUnanswered(event.inbound_revision(), state);
  return absl::OkStatus();
}

}  // namespace docket::workflow
