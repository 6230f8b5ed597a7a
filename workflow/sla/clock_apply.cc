#include "workflow/sla/clock_apply.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"
#include "workflow/sla/clock_math.h"
#include "workflow/sla/clock_rules.h"
#include "workflow/sla/policy_match.h"

namespace docket::sla {
namespace {

using google::protobuf::RepeatedPtrField;
using google::protobuf::Timestamp;

absl::Status Cannot(const char* event, const v1::Clock& clock) {
  return absl::DataLossError(
      absl::StrCat(event, ": clock ", clock.clock_no(), " is ", v1::ClockState_Name(clock.state())));
}

template <class Message>
void SetDue(const Message& event, v1::Clock* clock) {
  if (event.has_due_at()) {
    *clock->mutable_due_at() = event.due_at();
  } else {
    clock->clear_due_at();
  }
  clock->set_due_provisional(event.due_provisional());
  *clock->mutable_warnings() = event.warnings();
}

void Pause(const v1::ClockPaused& event, const Timestamp& occurred_at, v1::Clock* clock) {
  clock->set_state(v1::PAUSED);
  v1::Interval* pause = clock->add_pauses();
  *pause->mutable_start() = event.has_since() ? event.since() : occurred_at;
  if (event.has_until()) {
    *pause->mutable_end() = event.until();
    *clock->mutable_paused_until() = event.until();
  } else {
    clock->clear_paused_until();
  }
  pause->set_on(event.on());
  if (event.has_asked_at()) *pause->mutable_asked_at() = event.asked_at();
  clock->set_trigger_paused(event.by_trigger());
  *clock->mutable_remaining() = event.remaining();
  SetDue(event, clock);
}

// Ends the pause in force at `end`; one that would be empty leaves no trace.
void EndPause(absl::Time end, v1::Clock* clock) {
  if (clock->state() == v1::PAUSED && !clock->pauses().empty()) {
    v1::Interval* pause = clock->mutable_pauses(clock->pauses_size() - 1);
    if (pause->has_end()) end = std::min(end, FromProto(pause->end()));
    if (end <= FromProto(pause->start())) {
      clock->mutable_pauses()->RemoveLast();
    } else {
      *pause->mutable_end() = ToProto(end);
    }
  }
  clock->clear_paused_until();
  clock->clear_remaining();
  clock->clear_trigger_paused();
}

void Attach(const v1::ClockAttached& event, const Timestamp& occurred_at, v1::Clock* clock) {
  clock->set_metric(event.metric());
  clock->set_obligation(event.obligation());
  clock->set_nature(event.nature());
  clock->set_cycle(event.cycle());
  *clock->mutable_policy() = event.policy();
  *clock->mutable_calendar() = event.calendar();
  *clock->mutable_target() = event.target();
  *clock->mutable_start_at() = event.start_at();
  if (event.has_due_at()) *clock->mutable_first_due_at() = event.due_at();
  clock->set_pausable(event.pausable());
  clock->set_answerable(event.answerable());
  clock->set_answerable_rule(event.answerable_rule());
  clock->set_item(event.item());
  clock->set_visit(event.visit());
  if (event.has_brought()) *clock->mutable_brought() = event.brought();
  *clock->mutable_brought_shares() = event.brought_shares();
  clock->set_start_revision(event.start_revision());
  v1::Answered* answered = clock->add_answered();
  answered->set_department(event.answerable());
  *answered->mutable_since() = event.start_at();
  clock->set_state(v1::RUNNING);
  SetDue(event, clock);
  if (event.has_paused()) Pause(event.paused(), occurred_at, clock);
}

// A start that moves makes other terms of the old ones.
void KeepTerms(const v1::ClockRetargeted& event, const Timestamp& occurred_at, v1::Clock* clock) {
  if (event.has_start_at()) clock->clear_former_terms();
  if (event.has_start_at() || clock->target().unit() != v1::Target::WORKING_TIME) return;
  if (clock->former_terms_size() == kMaxFormerTerms) {
    clock->mutable_former_terms()->erase(clock->former_terms().begin());
  }
  v1::FormerTerms* former = clock->add_former_terms();
  *former->mutable_until() = occurred_at;
  *former->mutable_target() = clock->target().duration();
  *former->mutable_counted_from() = clock->has_carried_at() ? clock->carried_at() : clock->start_at();
  *former->mutable_used() = clock->has_carried_at() ? clock->carried_used() : clock->brought();
  *former->mutable_calendar() = clock->calendar();
}

void Retarget(const v1::ClockRetargeted& event, const Timestamp& occurred_at, v1::Clock* clock) {
  KeepTerms(event, occurred_at, clock);
  *clock->mutable_policy() = event.policy();
  *clock->mutable_calendar() = event.calendar();
  *clock->mutable_target() = event.target();
  clock->set_pausable(event.pausable());
  clock->set_pinned(event.pinned());
  clock->set_retargets(clock->retargets() + 1);
  if (event.has_start_at()) *clock->mutable_start_at() = event.start_at();
  clock->clear_carried_at();
  clock->clear_carried_used();
  if (event.has_carried_at()) {
    *clock->mutable_carried_at() = event.carried_at();
    *clock->mutable_carried_used() = event.carried_used();
  }
  if (event.has_remaining()) *clock->mutable_remaining() = event.remaining();
  SetDue(event, clock);
}

void Extend(const v1::ClockExtended& event, v1::Clock* clock) {
  *clock->mutable_target() = event.target();
  clock->add_extensions(event.ground());
  clock->clear_former_terms();
  clock->clear_carried_at();
  clock->clear_carried_used();
  SetDue(event, clock);
}

void Exempt(const v1::ClockExempted& event, const Timestamp& occurred_at, v1::Clock* clock) {
  clock->set_exempt_cause(event.cause());
  clock->set_exempt_approver(event.approver());
  clock->set_disputed(false);
  if (!Unfinished(*clock)) return;
  EndPause(FromProto(occurred_at), clock);
  clock->set_state(v1::EXEMPTED);
  *clock->mutable_stopped_at() = occurred_at;
}

void Annul(const v1::BreachAnnulled& event, v1::Clock* clock) {
  *clock->mutable_annulled_due_at() = event.due_at();
  clock->set_annul_cause(event.cause());
  clock->clear_breached_due_at();
  clock->clear_breach_cause();
  clock->clear_excused_until();
  if (clock->state() == v1::FULFILLED) clock->set_on_time(true);
  clock->set_disputed(false);
}

// The pause is the one in force, or an earlier one.
absl::Status ShortenPause(const v1::ClockPauseShortened& event, v1::Clock* clock) {
  if (event.pause() >= static_cast<uint32_t>(clock->pauses_size())) {
    return absl::DataLossError(
        absl::StrCat("ClockPauseShortened: clock ", clock->clock_no(), " has no pause ", event.pause()));
  }
  v1::Interval* pause = clock->mutable_pauses(static_cast<int>(event.pause()));
  if (event.has_start()) *pause->mutable_start() = event.start();
  if (event.has_end()) *pause->mutable_end() = event.end();
  const bool in_force = clock->state() == v1::PAUSED && static_cast<int>(event.pause()) + 1 == clock->pauses_size();
  if (in_force && event.has_end()) *clock->mutable_paused_until() = event.end();
  if (event.has_carried_used()) *clock->mutable_carried_used() = event.carried_used();
  if (Unfinished(*clock)) SetDue(event, clock);
  return absl::OkStatus();
}

void Reopen(const v1::ClockReopened& event, v1::Clock* clock) {
  clock->set_state(v1::RUNNING);
  clock->clear_stopped_at();
  clock->clear_on_time();
  clock->clear_elapsed();
  clock->clear_provisional();
  clock->clear_disputed();
  clock->clear_entered_by();
  clock->clear_entered_at();
  clock->clear_stop_revision();
  clock->clear_cancel_cause();
  clock->set_reopen_cause(event.cause());
  if (event.has_excluded()) *clock->add_pauses() = event.excluded();
  SetDue(event, clock);
}

absl::Status ApplyToClock(const v1::Event& event, v1::Clock* clock) {
  switch (event.body_case()) {
    case v1::Event::kClockRetargeted:
      if (!Unfinished(*clock)) return Cannot("ClockRetargeted", *clock);
      Retarget(event.clock_retargeted(), event.occurred_at(), clock);
      return absl::OkStatus();
    case v1::Event::kClockPaused:
      if (clock->state() != v1::RUNNING) return Cannot("ClockPaused", *clock);
      Pause(event.clock_paused(), event.occurred_at(), clock);
      return absl::OkStatus();
    case v1::Event::kClockResumed: {
      if (clock->state() != v1::PAUSED) return Cannot("ClockResumed", *clock);
      const v1::ClockResumed& resumed = event.clock_resumed();
      EndPause(FromProto(resumed.has_paused_until() ? resumed.paused_until() : event.occurred_at()), clock);
      clock->set_state(v1::RUNNING);
      SetDue(resumed, clock);
      return absl::OkStatus();
    }
    case v1::Event::kWarningReached: {
      const uint32_t index = event.warning_reached().warning();
      if (index >= static_cast<uint32_t>(clock->warnings_size())) {
        return absl::DataLossError(
            absl::StrCat("WarningReached: clock ", clock->clock_no(), " has no warning ", index));
      }
      clock->mutable_warnings(static_cast<int>(index))->set_reached(true);
      return absl::OkStatus();
    }
    case v1::Event::kClockBreached:
      if (!Unfinished(*clock) || clock->has_breached_due_at()) return Cannot("ClockBreached", *clock);
      *clock->mutable_breached_due_at() = event.clock_breached().due_at();
      clock->set_breach_cause(event.clock_breached().cause());
      clock->clear_excused_until();
      if (event.clock_breached().has_excused_until()) {
        *clock->mutable_excused_until() = event.clock_breached().excused_until();
      }
      return absl::OkStatus();
    case v1::Event::kClockFulfilled: {
      if (!Unfinished(*clock)) return Cannot("ClockFulfilled", *clock);
      const v1::ClockFulfilled& fulfilled = event.clock_fulfilled();
      EndPause(FromProto(fulfilled.stopped_at()), clock);
      clock->set_state(v1::FULFILLED);
      *clock->mutable_stopped_at() = fulfilled.stopped_at();
      clock->set_on_time(fulfilled.on_time());
      *clock->mutable_elapsed() = fulfilled.elapsed();
      clock->set_provisional(fulfilled.provisional());
      clock->set_stop_revision(fulfilled.stop_revision());
      clock->set_disputed(fulfilled.disputed());
      clock->set_entered_by(fulfilled.entered_by());
      if (fulfilled.has_entered_at()) *clock->mutable_entered_at() = fulfilled.entered_at();
      return absl::OkStatus();
    }
    case v1::Event::kClockCancelled: {
      if (!Unfinished(*clock)) return Cannot("ClockCancelled", *clock);
      const v1::ClockCancelled& cancelled = event.clock_cancelled();
      EndPause(FromProto(cancelled.cancelled_at()), clock);
      clock->set_state(v1::CANCELLED);
      *clock->mutable_stopped_at() = cancelled.cancelled_at();
      clock->set_cancel_cause(cancelled.cause());
      clock->set_stop_revision(cancelled.cancel_revision());
      return absl::OkStatus();
    }
    case v1::Event::kClockReopened:
      if (clock->state() != v1::FULFILLED && clock->state() != v1::CANCELLED) return Cannot("ClockReopened", *clock);
      Reopen(event.clock_reopened(), clock);
      return absl::OkStatus();
    case v1::Event::kClockExtended:
      if (!Unfinished(*clock)) return Cannot("ClockExtended", *clock);
      Extend(event.clock_extended(), clock);
      return absl::OkStatus();
    case v1::Event::kClockExempted:
      if (clock->state() == v1::CANCELLED) return Cannot("ClockExempted", *clock);
      Exempt(event.clock_exempted(), event.occurred_at(), clock);
      return absl::OkStatus();
    case v1::Event::kBreachAnnulled:
      if (!clock->has_breached_due_at()) return Cannot("BreachAnnulled", *clock);
      Annul(event.breach_annulled(), clock);
      return absl::OkStatus();
    case v1::Event::kLateEntryRejected:
      if (!clock->disputed()) return Cannot("LateEntryRejected", *clock);
      clock->set_disputed(false);
      return absl::OkStatus();
    case v1::Event::kClockPauseShortened:
      if (clock->state() == v1::EXEMPTED) return Cannot("ClockPauseShortened", *clock);
      return ShortenPause(event.clock_pause_shortened(), clock);
    default:
      return absl::DataLossError(absl::StrCat("event type ", event.body_case(), " is no event of a clock"));
  }
}

// The clock an event speaks of; 0 when it is no event of an existing clock.
uint32_t ClockNoOf(const v1::Event& event) {
  switch (event.body_case()) {
    case v1::Event::kClockRetargeted:
      return event.clock_retargeted().clock_no();
    case v1::Event::kClockPaused:
      return event.clock_paused().clock_no();
    case v1::Event::kClockResumed:
      return event.clock_resumed().clock_no();
    case v1::Event::kWarningReached:
      return event.warning_reached().clock_no();
    case v1::Event::kClockBreached:
      return event.clock_breached().clock_no();
    case v1::Event::kClockFulfilled:
      return event.clock_fulfilled().clock_no();
    case v1::Event::kClockCancelled:
      return event.clock_cancelled().clock_no();
    case v1::Event::kClockReopened:
      return event.clock_reopened().clock_no();
    case v1::Event::kClockExtended:
      return event.clock_extended().clock_no();
    case v1::Event::kClockExempted:
      return event.clock_exempted().clock_no();
    case v1::Event::kBreachAnnulled:
      return event.breach_annulled().clock_no();
    case v1::Event::kLateEntryRejected:
      return event.late_entry_rejected().clock_no();
    case v1::Event::kClockPauseShortened:
      return event.clock_pause_shortened().clock_no();
    default:
      return 0;
  }
}

}  // namespace

void UpdateAnswering(const Timestamp& at, v1::Case* state) {
  for (v1::Clock& clock : *state->mutable_clocks()) {
    if (!Unfinished(clock)) continue;
    std::string department = AnsweringDepartment(clock.answerable_rule(), clock.item(), *state);
    if (department == clock.answerable()) continue;
    if (clock.answered_size() < kMaxAnswered) {
      v1::Answered* answered = clock.add_answered();
      answered->set_department(department);
      *answered->mutable_since() = at;
    }
    clock.set_answerable(std::move(department));
  }
}

bool IsClockEvent(const v1::Event& event) {
  switch (event.body_case()) {
    case v1::Event::kClockAttached:
    case v1::Event::kClockRetargeted:
    case v1::Event::kClockPaused:
    case v1::Event::kClockResumed:
    case v1::Event::kWarningReached:
    case v1::Event::kClockBreached:
    case v1::Event::kClockFulfilled:
    case v1::Event::kClockCancelled:
    case v1::Event::kClockReopened:
    case v1::Event::kClockExtended:
    case v1::Event::kClockExempted:
    case v1::Event::kBreachAnnulled:
    case v1::Event::kLateEntryRejected:
    case v1::Event::kClockPauseShortened:
      return true;
    default:
      return false;
  }
}

absl::Status ApplyClockEvent(const v1::Event& event, uint32_t revision, v1::Case* state) {
  if (event.has_clock_attached()) {
    v1::Clock* clock = state->add_clocks();
    clock->set_clock_no(revision);
    Attach(event.clock_attached(), event.occurred_at(), clock);
    return absl::OkStatus();
  }
  const uint32_t clock_no = ClockNoOf(event);
  // Clocks are attached in order of revision, so their numbers ascend.
  RepeatedPtrField<v1::Clock>& clocks = *state->mutable_clocks();
  auto it = std::lower_bound(clocks.begin(), clocks.end(), clock_no,
                             [](const v1::Clock& clock, uint32_t number) { return clock.clock_no() < number; });
  if (it == clocks.end() || it->clock_no() != clock_no || clock_no == 0) {
    return absl::DataLossError(
        absl::StrCat("event type ", event.body_case(), " names clock ", clock_no, ", which the case does not have"));
  }
  return ApplyToClock(event, &*it);
}

}  // namespace docket::sla
