#include "workflow/sla/clock_math.h"

#include <algorithm>

#include "workflow/base/time.h"

namespace docket::sla {

absl::Time DueAt(const v1::Clock& clock) {
  return clock.has_due_at() ? FromProto(clock.due_at()) : absl::InfiniteFuture();
}

bool IsOver(const v1::Clock& clock, absl::Time t) { return clock.has_breached_due_at() || DueAt(clock) < t; }

std::vector<TimeSpan> PausesOf(const v1::Clock& clock) {
  std::vector<TimeSpan> pauses;
  pauses.reserve(clock.pauses_size());
  for (const v1::Interval& pause : clock.pauses()) {
    pauses.push_back({FromProto(pause.start()), pause.has_end() ? FromProto(pause.end()) : absl::InfiniteFuture()});
  }
  return pauses;
}

absl::Time PromisedDue(const v1::Case& state) {
  return state.has_promised_due_at() ? FromProto(state.promised_due_at()) : absl::InfiniteFuture();
}

Terms TermsOf(const v1::Clock& clock, const WorkingCalendar& calendar, absl::Time promised) {
  Terms terms{.target = clock.target(), .calendar = &calendar, .promised = promised};
  for (const v1::Warning& warning : clock.warnings()) {
    if (warning.has_before()) {
      terms.before.push_back(FromProto(warning.before()));
    } else {
      terms.permille.push_back(warning.permille());
    }
  }
  return terms;
}

Base BaseOf(const v1::Clock& clock) {
  if (clock.has_carried_at()) return {FromProto(clock.carried_at()), FromProto(clock.carried_used())};
  return {FromProto(clock.start_at())};
}

absl::Duration UsedAt(absl::Time at, const v1::Clock& clock, const WorkingCalendar& calendar,
                      absl::Span<const TimeSpan> pauses) {
  const Base base = BaseOf(clock);
  return base.used + calendar.Elapsed(base.at, std::max(base.at, at), pauses);
}

Plan PlanClock(const v1::Clock& clock, const Terms& terms, absl::Span<const TimeSpan> pauses, absl::Time latest) {
  const Base base = BaseOf(clock);
  Plan plan;
  plan.due = ComputeDue(*terms.calendar, base.at, terms.target, pauses, terms.promised, base.used);
  if (plan.due.at > latest) plan.due = {latest, clock.due_provisional()};
  plan.warnings = ComputeWarnings(*terms.calendar, base.at, terms.target, pauses, plan.due.at, terms.permille,
                                  terms.before, base.used);
  for (v1::Warning& warning : plan.warnings) {
    warning.set_reached(std::any_of(clock.warnings().begin(), clock.warnings().end(), [&](const v1::Warning& old) {
      return old.reached() && old.permille() == warning.permille() && old.has_before() == warning.has_before() &&
             FromProto(old.before()) == FromProto(warning.before());
    }));
  }
  return plan;
}

absl::Duration RemainingAt(absl::Time from, const v1::Clock& clock, const Terms& terms,
                           absl::Span<const TimeSpan> pauses) {
  const Base base = BaseOf(clock);
  const Due due = ComputeDue(*terms.calendar, base.at, terms.target, pauses, terms.promised, base.used);
  return terms.calendar->Elapsed(from, due.at, pauses);
}

}  // namespace docket::sla
