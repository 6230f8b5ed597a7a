#include "workflow/case/advance.h"

#include <algorithm>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"
#include "workflow/case/climb.h"
#include "workflow/case/status.h"
#include "workflow/escalation/escalation.h"
#include "workflow/escalation/silence.h"
#include "workflow/sla/clock_rules.h"

namespace docket::workflow {
namespace {

// A timer transition that could not go (a guard unmet) is tried again after this.
constexpr absl::Duration kPostpone = absl::Hours(24);

absl::Time WaitEnd(const v1::Case& state) {
  return state.has_wait() && state.wait().has_until() ? FromProto(state.wait().until()) : absl::InfiniteFuture();
}

absl::Time TimerAt(const v1::Case& state) {
  return state.status().has_timer_at() ? FromProto(state.status().timer_at()) : absl::InfiniteFuture();
}

// Acknowledging exactly at the due is in time.
absl::Time LapseAt(const v1::Case& state) {
  const v1::Escalation* next = escalation::NextAckDue(state);
  return next == nullptr ? absl::InfiniteFuture() : FromProto(next->ack_due_at()) + absl::Microseconds(1);
}

absl::Time LookAt(const v1::Case& state) {
  const v1::ScheduledEscalation* next = escalation::NextLook(state);
  return next == nullptr ? absl::InfiniteFuture() : escalation::LooksAt(*next);
}

// An event of the past instant `at`; workflow events never go back, so a moment noticed late keeps its place.
google::protobuf::Timestamp At(const v1::Case& state, absl::Time at) {
  return ToProto(std::max(at, FromProto(state.last_event_at())));
}

absl::Status FollowAt(Draft& draft, const v1::Transition& transition, absl::Time at) {
  const v1::Case& state = draft.state();
  DOCKET_ASSIGN_OR_RETURN(const v1::Chart* chart, PinnedChart(state, *draft.context().policies));
  const std::string to = transition.back_to_resume() ? state.wait().resume_to() : transition.to();
  const v1::Status* status = FindStatus(*chart, to);
  if (status == nullptr)
    return absl::DataLossError(absl::StrCat("transition ", transition.id(), " leads nowhere: ", to));
  v1::Event event;
  event.set_visibility(v1::VISIBILITY_PUBLIC);
  event.set_rule(absl::StrCat(chart->id(), "@", chart->version()));
  *event.mutable_occurred_at() = At(state, at);
  v1::StatusChanged* changed = event.mutable_status_changed();
  changed->set_from(state.status().status());
  changed->set_from_category(state.status().category());
  *changed->mutable_entered() = EnteredOf(*chart, *status, FromProto(event.occurred_at()));
  changed->set_transition_id(transition.id());
  return draft.Emit(std::move(event));
}

absl::Status EndWait(Draft& draft, absl::Time at) {
  const v1::Case& state = draft.state();
  DOCKET_ASSIGN_OR_RETURN(const v1::Chart* chart, PinnedChart(state, *draft.context().policies));
  const v1::ResumeCase nothing;
  const Choice choice = ChooseTransition(*chart, state, "resume", &nothing);
  if (choice.transition == nullptr) {
    return absl::DataLossError(absl::StrCat("status ", state.status().status(), " has no way to resume"));
  }
  v1::Event expired;
  expired.set_rule(absl::StrCat(chart->id(), "@", chart->version()));
  *expired.mutable_occurred_at() = At(state, at);
  *expired.mutable_wait_expired()->mutable_until() = state.wait().until();
  expired.mutable_wait_expired()->set_action("RESUME");
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(expired)));
  return FollowAt(draft, *choice.transition, at);
}

absl::Status FireTimer(Draft& draft, absl::Time at) {
  const v1::Case& state = draft.state();
  DOCKET_ASSIGN_OR_RETURN(const v1::Chart* chart, PinnedChart(state, *draft.context().policies));
  const v1::Transition* timer = nullptr;
  for (const v1::Transition& transition : chart->transitions()) {
    if (transition.id() == state.status().timer_transition()) timer = &transition;
  }
  if (timer == nullptr)
    return absl::DataLossError(absl::StrCat("timer ", state.status().timer_transition(), " is unknown"));
  std::vector<Unmet> unmet = UnmetGuards(*timer, state);
  v1::Event event;
  event.set_rule(absl::StrCat(chart->id(), "@", chart->version()));
  *event.mutable_occurred_at() = At(state, at);
  if (!unmet.empty()) {
    v1::TimerPostponed* postponed = event.mutable_timer_postponed();
    postponed->set_transition_id(timer->id());
    *postponed->mutable_next_at() = ToProto(at + kPostpone);
    for (const Unmet& one : unmet) postponed->add_unmet(one.reason);
    return draft.Emit(std::move(event));
  }
  const v1::Status* to = FindStatus(*chart, timer->to());
  if (to != nullptr && to->category() == v1::CLOSED) {
    event.set_visibility(v1::VISIBILITY_PUBLIC);
    event.mutable_case_closed()->set_basis(timer->basis());
    event.mutable_case_closed()->set_closure_code(timer->basis());
    DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  }
  return FollowAt(draft, *timer, at);
}

absl::Status AddShares(const Draft& draft, v1::Event* event) {
  if (!event->has_clock_breached()) return absl::OkStatus();
  for (const v1::Clock& clock : draft.state().clocks()) {
    if (clock.clock_no() != event->clock_breached().clock_no()) continue;
    return sla::FillShares(clock, *draft.context().policies, event->mutable_clock_breached());
  }
  return absl::OkStatus();
}

// Past the window for reopening nothing sets a fulfilment aside any more (R4).
absl::StatusOr<v1::Case> Settled(v1::Case state, const policy::PolicySet& policies, absl::Time at) {
  if (absl::c_none_of(state.clocks(), [](const v1::Clock& clock) { return clock.provisional(); })) return state;
  DOCKET_ASSIGN_OR_RETURN(const v1::Chart* chart, PinnedChart(state, policies));
  if (at <= ReopenableUntil(state, *chart)) return state;
  for (v1::Clock& clock : *state.mutable_clocks()) clock.clear_provisional();
  return state;
}

}  // namespace

absl::Time NextMoment(const v1::Case& state) {
  const absl::Time clock = sla::NextClockMoment(state).true_from;
  if (state.history()) return clock;
  return std::min({clock, WaitEnd(state), TimerAt(state), LapseAt(state), LookAt(state)});
}

absl::Time WakeAt(const v1::Case& state) { return state.history() ? absl::InfiniteFuture() : NextMoment(state); }

absl::Status Advance(Draft& draft, absl::Time until) {
  const size_t first = draft.events().size();
  const size_t limit = first + kMaxAdvanceEvents;
  while (draft.state().revision() > 0 && draft.events().size() < limit) {
    sla::ClockMoment clock = sla::NextClockMoment(draft.state());
    const bool timers = !draft.state().history();
    const absl::Time wait = timers ? WaitEnd(draft.state()) : absl::InfiniteFuture();
    const bool acts = timers && !draft.context().facts_only;
    const absl::Time timer = acts ? TimerAt(draft.state()) : absl::InfiniteFuture();
    const absl::Time lapse = acts ? LapseAt(draft.state()) : absl::InfiniteFuture();
    const absl::Time look = acts ? LookAt(draft.state()) : absl::InfiniteFuture();
    const absl::Time next = std::min({clock.true_from, wait, timer, lapse, look});
    if (next > until) break;
    FactsWatch watch(draft);
    if (clock.true_from == next) {
      *clock.event.mutable_occurred_at() = At(draft.state(), clock.at);
      DOCKET_RETURN_IF_ERROR(AddShares(draft, &clock.event));
      DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(clock.event)));
    } else if (wait == next) {
      DOCKET_RETURN_IF_ERROR(EndWait(draft, wait));
    } else if (timer == next) {
      DOCKET_RETURN_IF_ERROR(FireTimer(draft, timer));
    } else if (lapse == next) {
      const v1::Escalation& one = *escalation::NextAckDue(draft.state());
      DOCKET_RETURN_IF_ERROR(LapseAcknowledgement(draft, one.escalation_no(), FromProto(one.ack_due_at())));
    } else {
      DOCKET_RETURN_IF_ERROR(LookAgain(draft));
    }
    DOCKET_RETURN_IF_ERROR(watch.Climb(draft));
  }
  return TellOnlyTheHighest(draft, first);
}

absl::StatusOr<v1::Case> StateAt(v1::Case state, const policy::PolicySet& policies, absl::Time at) {
  if (NextMoment(state) > at) return Settled(std::move(state), policies, at);
  DecideContext context;
  context.now = at;
  context.effective = at;
  context.policies = &policies;
  context.facts_only = true;
  Draft draft(state, context);
  size_t before = 0;
  do {
    before = draft.events().size();
    DOCKET_RETURN_IF_ERROR(Advance(draft, at));
  } while (draft.events().size() > before);
  v1::Case result = draft.state();
  result.set_revision(state.revision());
  *result.mutable_last_event_at() = state.last_event_at();
  return Settled(std::move(result), policies, at);
}

}  // namespace docket::workflow
