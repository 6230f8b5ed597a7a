#include "workflow/sla/clock_apply.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"

namespace docket::sla {
namespace {

using google::protobuf::RepeatedPtrField;
using google::protobuf::Timestamp;

absl::Status Cannot(const char* event, const v1::Clock& clock) {
  return absl::DataLossError(
      absl::StrCat(event, ": clock ", clock.clock_no(), " is ", v1::ClockState_Name(clock.state())));
}

bool Unfinished(const v1::Clock& clock) { return clock.state() == v1::RUNNING || clock.state() == v1::PAUSED; }

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
  clock->set_state(v1::RUNNING);
  SetDue(event, clock);
  if (event.has_paused()) Pause(event.paused(), occurred_at, clock);
}

void Retarget(const v1::ClockRetargeted& event, v1::Clock* clock) {
  *clock->mutable_policy() = event.policy();
  *clock->mutable_calendar() = event.calendar();
  *clock->mutable_target() = event.target();
  clock->set_pausable(event.pausable());
  if (event.has_remaining()) *clock->mutable_remaining() = event.remaining();
  SetDue(event, clock);
}

void Reopen(const v1::ClockReopened& event, v1::Clock* clock) {
  clock->set_state(v1::RUNNING);
  clock->clear_stopped_at();
  clock->clear_on_time();
  clock->clear_elapsed();
  clock->clear_provisional();
  if (event.has_excluded()) *clock->add_pauses() = event.excluded();
  SetDue(event, clock);
}

absl::Status ApplyToClock(const v1::Event& event, v1::Clock* clock) {
  switch (event.body_case()) {
    case v1::Event::kClockRetargeted:
      if (!Unfinished(*clock)) return Cannot("ClockRetargeted", *clock);
      Retarget(event.clock_retargeted(), clock);
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
      return absl::OkStatus();
    }
    case v1::Event::kClockCancelled: {
      if (!Unfinished(*clock)) return Cannot("ClockCancelled", *clock);
      const v1::ClockCancelled& cancelled = event.clock_cancelled();
      EndPause(FromProto(cancelled.cancelled_at()), clock);
      clock->set_state(v1::CANCELLED);
      *clock->mutable_stopped_at() = cancelled.cancelled_at();
      clock->set_cancel_cause(cancelled.cause());
      return absl::OkStatus();
    }
    case v1::Event::kClockReopened:
      if (clock->state() != v1::FULFILLED) return Cannot("ClockReopened", *clock);
      Reopen(event.clock_reopened(), clock);
      return absl::OkStatus();
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
    default:
      return 0;
  }
}

}  // namespace

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
