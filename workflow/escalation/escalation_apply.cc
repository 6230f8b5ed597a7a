#include "workflow/escalation/escalation_apply.h"

#include <algorithm>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "workflow/base/time.h"
#include "workflow/escalation/escalation.h"
#include "workflow/escalation/triggers.h"

namespace docket::escalation {
namespace {

v1::Escalation* Find(uint32_t escalation_no, v1::Case* state) {
  for (v1::Escalation& one : *state->mutable_escalations()) {
    if (one.escalation_no() == escalation_no) return &one;
  }
  return nullptr;
}

absl::Status Missing(uint32_t escalation_no) {
  return absl::DataLossError(absl::StrCat("escalation ", escalation_no, " does not exist"));
}

absl::Status ApplyRaised(const v1::Event& event, uint32_t revision, v1::Case* state) {
  const v1::EscalationRaised& raised = event.escalation_raised();
  const bool fired = absl::c_any_of(state->escalations(), [&](const v1::Escalation& one) {
    return one.ladder().id() == raised.ladder().id() && one.level() == raised.level() &&
           one.trigger_key() == raised.trigger_key() && one.escalation_no() != raised.request_no();
  });
  if (fired) {
    return absl::DataLossError(
        absl::StrCat("escalation ", raised.trigger_key(), " level ", raised.level(), " fired twice"));
  }
  v1::Escalation* one = raised.request_no() == 0 ? state->add_escalations() : Find(raised.request_no(), state);
  if (one == nullptr) return Missing(raised.request_no());
  if (raised.request_no() == 0) one->set_escalation_no(revision);
  one->set_kind(raised.kind());
  *one->mutable_ladder() = raised.ladder();
  one->set_level(raised.level());
  one->set_trigger_key(raised.trigger_key());
  one->set_clock_no(raised.clock_no());
  *one->mutable_targets() = raised.targets();
  *one->mutable_absent() = raised.absent();
  one->set_department(raised.department());
  one->set_queue(raised.queue());
  *one->mutable_raised_at() = event.occurred_at();
  if (raised.has_ack_due_at()) *one->mutable_ack_due_at() = raised.ack_due_at();
  if (raised.has_notify_at()) *one->mutable_notify_at() = raised.notify_at();
  one->set_passed(raised.passed());
  one->set_auto_close(raised.auto_close());
  one->set_next_level(raised.next_level());
  one->set_source(raised.source());
  if (!raised.by().empty()) one->set_requested_by(raised.by());
  one->set_state(v1::Escalation::RAISED);
  one->set_reason_code(raised.reason_code());
  if (raised.has_justification()) *one->mutable_justification() = raised.justification();
  return absl::OkStatus();
}

void ApplyRequested(const v1::Event& event, uint32_t revision, v1::Case* state) {
  const v1::EscalationRequested& requested = event.escalation_requested();
  if (const v1::Escalation* waiting = FindRequest(*state, requested); waiting != nullptr) {
    v1::Escalation* asked_of_others = Find(waiting->escalation_no(), state);
    *asked_of_others->mutable_targets() = requested.targets();
    asked_of_others->set_department(requested.department());
    asked_of_others->set_queue(requested.queue());
    return;
  }
  v1::Escalation* one = state->add_escalations();
  one->set_escalation_no(revision);
  one->set_kind(requested.kind());
  *one->mutable_ladder() = requested.ladder();
  one->set_level(requested.level());
  one->set_trigger_key(requested.trigger_key());
  *one->mutable_targets() = requested.targets();
  one->set_department(requested.department());
  one->set_queue(requested.queue());
  one->set_source(requested.source());
  one->set_requested_by(requested.by());
  *one->mutable_requested_at() = event.occurred_at();
  one->set_state(v1::Escalation::REQUESTED);
  one->set_reason_code(requested.reason_code());
  if (requested.has_justification()) *one->mutable_justification() = requested.justification();
}

void End(const v1::Event& event, const std::string& by, const std::string& reason_code, v1::Escalation* one) {
  one->set_ended_by(by);
  *one->mutable_ended_at() = event.occurred_at();
  one->set_end_reason_code(reason_code);
}

absl::Status ApplyToOne(const v1::Event& event, v1::Escalation* one) {
  switch (event.body_case()) {
    case v1::Event::kEscalationAcknowledged:
      one->set_state(v1::Escalation::ACKNOWLEDGED);
      *one->mutable_acknowledged_at() = event.occurred_at();
      one->set_acknowledged_by(event.escalation_acknowledged().by());
      return absl::OkStatus();
    case v1::Event::kEscalationDeclined:
      one->set_state(v1::Escalation::DECLINED);
      End(event, event.escalation_declined().by(), event.escalation_declined().reason_code(), one);
      return absl::OkStatus();
    case v1::Event::kEscalationAckLapsed:
      *one->mutable_lapsed_at() = event.escalation_ack_lapsed().ack_due_at();
      return absl::OkStatus();
    default: {
      const v1::EscalationClosed& closed = event.escalation_closed();
      one->set_state(v1::Escalation::CLOSED);
      End(event, closed.by(), closed.reason_code(), one);
      if (closed.has_justification()) *one->mutable_end_justification() = closed.justification();
      return absl::OkStatus();
    }
  }
}

uint32_t NumberOf(const v1::Event& event) {
  switch (event.body_case()) {
    case v1::Event::kEscalationAcknowledged:
      return event.escalation_acknowledged().escalation_no();
    case v1::Event::kEscalationDeclined:
      return event.escalation_declined().escalation_no();
    case v1::Event::kEscalationAckLapsed:
      return event.escalation_ack_lapsed().escalation_no();
    case v1::Event::kEscalationClosed:
      return event.escalation_closed().escalation_no();
    default:
      return 0;
  }
}

void ApplyScheduled(const v1::EscalationScheduled& scheduled, v1::Case* state) {
  auto* all = state->mutable_scheduled_escalations();
  // A ladder looks at one silence, and at one instant of each clock.
  const bool of_clock = IsClockKey(scheduled.trigger_key());
  auto found = std::find_if(all->begin(), all->end(), [&](const v1::ScheduledEscalation& one) {
    return one.ladder().id() == scheduled.ladder().id() &&
           (of_clock ? one.trigger_key() == scheduled.trigger_key() : !IsClockKey(one.trigger_key()));
  });
  if (scheduled.level() == 0) {
    if (found != all->end()) all->erase(found);
    return;
  }
  v1::ScheduledEscalation* one = found == all->end() ? all->Add() : &*found;
  one->Clear();
  *one->mutable_ladder() = scheduled.ladder();
  one->set_level(scheduled.level());
  one->set_trigger_key(scheduled.trigger_key());
  *one->mutable_at() = scheduled.at();
  *one->mutable_active_at() = scheduled.since();
}

}  // namespace

absl::Status ApplyEscalationEvent(const v1::Event& event, uint32_t revision, v1::Case* state) {
  switch (event.body_case()) {
    case v1::Event::kEscalationRaised:
      return ApplyRaised(event, revision, state);
    case v1::Event::kEscalationRequested:
      ApplyRequested(event, revision, state);
      return absl::OkStatus();
    case v1::Event::kEscalationScheduled:
      ApplyScheduled(event.escalation_scheduled(), state);
      return absl::OkStatus();
    case v1::Event::kEscalationLevelSkipped:
      return absl::OkStatus();  // a fact for readers
    default:
      break;
  }
  const uint32_t number = NumberOf(event);
  v1::Escalation* one = number == 0 ? nullptr : Find(number, state);
  return one == nullptr ? Missing(number) : ApplyToOne(event, one);
}

bool IsActivity(const v1::Event& event) {
  // Of a reopening the change of status behind it tells who made it.
  return event.rule().empty() && !event.has_inbound_received() && !event.has_delivery_reported() &&
         !event.has_watcher_added() && !event.has_watcher_removed() && !event.has_case_reopened() &&
         !event.status_changed().by_message();
}

void NoteActivity(const v1::Event& event, uint32_t revision, v1::Case* state) {
  for (v1::ScheduledEscalation& one : *state->mutable_scheduled_escalations()) {
    // A contact entered late may lie before what was done already.
    if (FromProto(event.occurred_at()) > FromProto(one.active_at())) *one.mutable_active_at() = event.occurred_at();
    one.set_active_revision(revision);
  }
}

}  // namespace docket::escalation
