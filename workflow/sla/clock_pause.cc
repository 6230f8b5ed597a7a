// When a clock stands still (R6).
#include <algorithm>

#include "absl/algorithm/container.h"
#include "workflow/base/check.h"
#include "workflow/sla/clock_steps.h"

namespace docket::sla {

// Another status, other terms in the same status, or an event of the policy may make a clock stand still or run.
absl::Status Steps::PauseAndResume() {
  DOCKET_RETURN_IF_ERROR(ShortenPauses());
  for (int i = 0; i < work_.clocks_size(); ++i) {
    if (!Unfinished(clock(i))) continue;
    DOCKET_RETURN_IF_ERROR(PauseByTrigger(i));
    const bool concerned = event_.has_status_changed() || retargeted_.count(i) > 0;
    if (concerned && !clock(i).trigger_paused()) DOCKET_RETURN_IF_ERROR(ReconcilePause(i));
  }
  return absl::OkStatus();
}

absl::Status Steps::PauseByTrigger(int i) {
  DOCKET_ASSIGN_OR_RETURN(const v1::MetricRule* rule, PinnedRule(clock(i)));
  if (clock(i).trigger_paused()) return FiresFor(clock(i), rule->resume_on()) ? Resume(i) : absl::OkStatus();
  const bool pauses = clock(i).state() == v1::RUNNING && clock(i).pausable() && CanPause(clock(i).target());
  return pauses && FiresFor(clock(i), rule->pause_on()) ? Pause(i, /*by_trigger=*/true) : absl::OkStatus();
}

// Makes the clock stand still or run as the status says.
absl::Status Steps::ReconcilePause(int i) {
  const bool pause = StatusPauses(clock(i)) && clock(i).pausable() && CanPause(clock(i).target());
  if (clock(i).state() == v1::PAUSED) {
    const absl::Time until = clock(i).has_paused_until() ? FromProto(clock(i).paused_until()) : absl::InfiniteFuture();
    if (pause && until == WaitUntil()) return absl::OkStatus();
    DOCKET_RETURN_IF_ERROR(Resume(i));
  }
  return pause ? Pause(i, /*by_trigger=*/false) : absl::OkStatus();
}

// Its waits are those that were, whether it runs or has ended: it may run again.
bool Steps::KeepsWaits(const v1::Clock& clock) { return clock.state() != v1::EXEMPTED; }

// A message of the party ends the wait for it when it came, also when it is entered later. What came between the
// question and the hold leaves nothing of the wait.
absl::Status Steps::ShortenPauses() {
  if (!event_.has_inbound_received() || !event_.inbound_received().from_requester()) return absl::OkStatus();
  for (int i = 0; i < work_.clocks_size(); ++i) {
    if (!KeepsWaits(clock(i))) continue;
    for (int pause = 0; pause < clock(i).pauses_size(); ++pause) {
      const v1::Interval& wait = clock(i).pauses(pause);
      const absl::Time end = wait.has_end() ? FromProto(wait.end()) : absl::InfiniteFuture();
      const absl::Time start = FromProto(wait.start());
      const absl::Time asked = wait.has_asked_at() ? FromProto(wait.asked_at()) : start;
      const bool answers = start < at_ || (asked <= at_ && asked < start && start < end);
      if (wait.on() != v1::COMPLAINANT || !answers || end <= at_) continue;
      DOCKET_RETURN_IF_ERROR(ShortenPause(i, pause, {start, std::max(start, at_)}, ""));
    }
  }
  return absl::OkStatus();
}

// A question that never arrived excuses no wait. What is left of one begins with another that did not bounce and had no
// answer then.
absl::Status Steps::TakePausesBack() {
  const v1::SentMessage* sent = SentNumbered(after_, event_.delivery_reported().outbound_revision());
  if (sent == nullptr || sent->kind() != v1::INFORMATION_REQUEST) return absl::OkStatus();
  const absl::Time heard = after_.has_last_inbound_at() ? FromProto(after_.last_inbound_at()) : absl::InfinitePast();
  for (int i = 0; i < work_.clocks_size(); ++i) {
    if (!KeepsWaits(clock(i))) continue;
    for (int pause = 0; pause < clock(i).pauses_size(); ++pause) {
      const v1::Interval& wait = clock(i).pauses(pause);
      const TimeSpan span = PausesOf(clock(i))[pause];
      const absl::Time asked = FromProto(wait.asked_at());
      const auto excuses = [&](const v1::SentMessage& one) {
        const absl::Time at = FromProto(one.sent_at());
        return at < span.end && (asked <= at || (heard < at && heard < asked));
      };
      if (!wait.has_asked_at() || wait.on() != v1::COMPLAINANT || !excuses(*sent)) continue;
      absl::Time from = absl::InfiniteFuture();
      for (const v1::SentMessage& one : after_.sent()) {
        if (IsStandingQuestion(one) && excuses(one)) from = std::min(from, FromProto(one.sent_at()));
      }
      if (from <= span.start || span.end <= span.start) continue;
      const TimeSpan left = from < span.end ? TimeSpan{from, span.end} : TimeSpan{span.start, span.start};
      DOCKET_RETURN_IF_ERROR(ShortenPause(i, pause, left, kUndelivered));
      if (Unfinished(clock(i))) DOCKET_RETURN_IF_ERROR(RecordBreachIfOver(clock(i), kUndelivered));
    }
  }
  return absl::OkStatus();
}

absl::Status Steps::ShortenPause(int i, int pause, const TimeSpan& left, absl::string_view cause) {
  DOCKET_ASSIGN_OR_RETURN(const auto calendar, PinnedCalendar(policies_, clock(i).calendar()));
  // As of when the pause was on record, for nobody could read it before; of one that had ended, when it had.
  const bool in_force = clock(i).state() == v1::PAUSED && pause + 1 == clock(i).pauses_size();
  const absl::Time recorded = in_force ? FromProto(after_.status_since()) : FromProto(clock(i).pauses(pause).end());
  v1::Event event = New(clock(i).policy());
  *event.mutable_occurred_at() = ToProto(std::max(at_, recorded));
  v1::ClockPauseShortened* shortened = event.mutable_clock_pause_shortened();
  shortened->set_clock_no(clock(i).clock_no());
  shortened->set_pause(static_cast<uint32_t>(pause));
  shortened->set_cause(std::string(cause));
  v1::Clock changed = clock(i);
  if (left.start != FromProto(clock(i).pauses(pause).start())) {
    *shortened->mutable_start() = ToProto(left.start);
    *changed.mutable_pauses(pause)->mutable_start() = shortened->start();
  }
  if (left.end != absl::InfiniteFuture()) {
    *shortened->mutable_end() = ToProto(left.end);
    *changed.mutable_pauses(pause)->mutable_end() = shortened->end();
  }
  if (clock(i).has_carried_at()) {
    // What a retarget carried over grows by the time that did not stand still after all.
    const absl::Time base = FromProto(clock(i).carried_at());
    const absl::Duration grown = calendar->Elapsed(FromProto(clock(i).start_at()), base, PausesOf(changed)) -
                                 calendar->Elapsed(FromProto(clock(i).start_at()), base, PausesOf(clock(i)));
    *changed.mutable_carried_used() = ToProto(FromProto(clock(i).carried_used()) + grown);
    *shortened->mutable_carried_used() = changed.carried_used();
  }
  // What has ended is not judged again; should it run again, it will be by these waits.
  if (Unfinished(changed)) {
    SetPlan(PlanClock(changed, TermsOf(clock(i), *calendar, promised_), PausesOf(changed)), shortened);
  }
  DOCKET_RETURN_IF_ERROR(Emit(std::move(event)));
  return JudgeFormerTerms(i, cause.empty() ? "LATE_RECORDED" : cause);
}

bool Steps::StatusPauses(const v1::Clock& clock) const {
  return absl::c_linear_search(after_.status().pauses(), clock.metric());
}

absl::Time Steps::WaitUntil() const {
  return after_.wait().has_until() ? FromProto(after_.wait().until()) : absl::InfiniteFuture();
}

absl::Time Steps::PauseStart(const v1::Clock& clock) const {
  const v1::Wait& wait = after_.wait();
  absl::Time since = at_;
  if (wait.has_since()) {
    since = FromProto(wait.since());
  } else if (after_.has_status_since()) {
    since = FromProto(after_.status_since());
  }
  if (wait.on() == v1::COMPLAINANT && after_.has_last_information_request_at()) {
    since = std::max(since, FromProto(after_.last_information_request_at()));
  }
  // One request excuses one wait: held again on the same unanswered request, the clock stands still from now on only.
  for (const v1::Interval& pause : clock.pauses()) {
    if (pause.has_end() && since < FromProto(pause.end())) since = std::max(since, at_);
  }
  return std::max(since, BaseOf(clock).at);
}

void Steps::SetWait(v1::ClockPaused* paused) const {
  paused->set_on(after_.wait().on());
  if (after_.wait().on() != v1::COMPLAINANT || !after_.has_last_information_request_at()) return;
  *paused->mutable_asked_at() = after_.last_information_request_at();
}

void Steps::FillPaused(const v1::Clock& clock, const Terms& terms, absl::Time since, absl::Time until,
                       v1::ClockPaused* paused) const {
  std::vector<TimeSpan> pauses = PausesOf(clock);
  SetRemaining(RemainingAt(since, clock, terms, pauses), paused);
  pauses.push_back({since, until});
  SetPlan(PlanClock(clock, terms, pauses), paused);
  *paused->mutable_since() = ToProto(since);
  if (until != absl::InfiniteFuture()) *paused->mutable_until() = ToProto(until);
}

absl::Status Steps::Pause(int i, bool by_trigger) {
  const absl::Time since = by_trigger ? at_ : PauseStart(clock(i));
  const absl::Time until = by_trigger ? absl::InfiniteFuture() : WaitUntil();
  // Late stays late: neither a pause that begins after the due nor one entered after it changes anything (R5).
  if (IsOver(clock(i), at_) || since >= DueAt(clock(i)) || since >= until) return absl::OkStatus();
  DOCKET_ASSIGN_OR_RETURN(const auto calendar, PinnedCalendar(policies_, clock(i).calendar()));
  v1::Event event = New(clock(i).policy());
  v1::ClockPaused* paused = event.mutable_clock_paused();
  paused->set_clock_no(clock(i).clock_no());
  paused->set_by_trigger(by_trigger);
  SetWait(paused);
  FillPaused(clock(i), TermsOf(clock(i), *calendar, promised_), since, until, paused);
  return Emit(std::move(event));
}

absl::Status Steps::Resume(int i) {
  DOCKET_ASSIGN_OR_RETURN(const auto calendar, PinnedCalendar(policies_, clock(i).calendar()));
  std::vector<TimeSpan> pauses = PausesOf(clock(i));
  pauses.back().end = std::min(pauses.back().end, std::max(at_, pauses.back().start));
  v1::Event event = New(clock(i).policy());
  v1::ClockResumed* resumed = event.mutable_clock_resumed();
  resumed->set_clock_no(clock(i).clock_no());
  *resumed->mutable_paused_until() = ToProto(pauses.back().end);
  SetPlan(PlanClock(clock(i), TermsOf(clock(i), *calendar, promised_), pauses), resumed);
  return Emit(std::move(event));
}

}  // namespace docket::sla
