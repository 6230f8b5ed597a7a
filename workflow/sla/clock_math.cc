#include "workflow/sla/clock_math.h"

#include <algorithm>

#include "workflow/base/time.h"
#include "workflow/escalation/instants.h"

namespace docket::sla {
namespace {

// InfiniteFuture: not as things stand. A share or a working span before the due is walked as an ordinary warning is.
absl::Time InstantAt(const v1::Warning& wanted, const Base& base, absl::Time due, const Terms& terms,
                     absl::Span<const TimeSpan> pauses) {
  const bool known = due != absl::InfiniteFuture();
  if (wanted.has_after()) {
    const absl::Duration span = FromProto(wanted.after());
    if (!known) return due;
    return wanted.elapsed() ? due + span : terms.calendar->Advance(due, span, pauses);
  }
  if (wanted.elapsed()) return known ? std::max(base.at, due - FromProto(wanted.before())) : due;
  std::vector<uint32_t> permille;
  std::vector<absl::Duration> before;
  if (wanted.has_before()) {
    before.push_back(FromProto(wanted.before()));
  } else {
    permille.push_back(wanted.permille());
  }
  const v1::Warning walked =
      ComputeWarnings(*terms.calendar, base.at, terms.target, pauses, due, permille, before, base.used).front();
  return walked.has_at() ? FromProto(walked.at()) : absl::InfiniteFuture();
}

}  // namespace

absl::Time DueAt(const v1::Clock& clock) {
  return clock.has_due_at() ? FromProto(clock.due_at()) : absl::InfiniteFuture();
}

bool IsOver(const v1::Clock& clock, absl::Time t) {
  return clock.has_breached_due_at() || DueAt(clock) < t || IsLateAtStart(clock);
}

bool IsLateAtStart(const v1::Clock& clock) {
  return clock.target().unit() == v1::Target::WORKING_TIME && !clock.has_carried_at() &&
         FromProto(clock.brought()) > FromProto(clock.target().duration());
}

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
    if (warning.silent()) {
      terms.silent.push_back(warning);
      terms.silent.back().clear_at();
      terms.silent.back().clear_reached();
    } else if (warning.has_before()) {
      terms.before.push_back(FromProto(warning.before()));
    } else {
      terms.permille.push_back(warning.permille());
    }
  }
  return terms;
}

Base BaseOf(const v1::Clock& clock) {
  if (clock.has_carried_at()) return {FromProto(clock.carried_at()), FromProto(clock.carried_used())};
  return {FromProto(clock.start_at()), FromProto(clock.brought())};
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
  for (const v1::Warning& wanted : terms.silent) {
    const bool given = std::any_of(plan.warnings.begin(), plan.warnings.end(), [&](const v1::Warning& warning) {
      return escalation::SameInstant(warning, wanted);
    });
    if (given) continue;
    const absl::Time at = InstantAt(wanted, base, plan.due.at, terms, pauses);
    plan.warnings.push_back(wanted);
    if (at != absl::InfiniteFuture()) *plan.warnings.back().mutable_at() = ToProto(at);
  }
  for (v1::Warning& warning : plan.warnings) {
    warning.set_reached(std::any_of(clock.warnings().begin(), clock.warnings().end(), [&](const v1::Warning& old) {
      return old.reached() && escalation::SameInstant(old, warning);
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
