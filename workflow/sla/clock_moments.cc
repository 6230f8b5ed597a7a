// What time alone makes true of the clocks of a case.
#include <algorithm>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"
#include "workflow/sla/clock_math.h"
#include "workflow/sla/clock_rules.h"
#include "workflow/sla/policy_match.h"

namespace docket::sla {
namespace {

v1::Event EventOf(const v1::Case& state, const v1::Clock& clock, absl::Time at) {
  v1::Event event;
  event.set_rule(absl::StrCat(clock.policy().id(), "@", clock.policy().version()));
  const absl::Time last = state.has_last_event_at() ? FromProto(state.last_event_at()) : absl::InfinitePast();
  *event.mutable_occurred_at() = ToProto(std::max(at, last));
  return event;
}

ClockMoment WarningMoment(const v1::Case& state, const v1::Clock& clock, int index) {
  const absl::Time at = FromProto(clock.warnings(index).at());
  // What is due at the due or later is not, for a clock stopped exactly then.
  const absl::Duration grace = clock.warnings(index).has_after() ? absl::Microseconds(1) : absl::ZeroDuration();
  ClockMoment moment{.at = at, .true_from = at + grace, .event = EventOf(state, clock, at)};
  v1::WarningReached* reached = moment.event.mutable_warning_reached();
  reached->set_clock_no(clock.clock_no());
  reached->set_warning(static_cast<uint32_t>(index));
  *reached->mutable_scheduled_for() = clock.warnings(index).at();
  return moment;
}

ClockMoment BreachMoment(const v1::Case& state, const v1::Clock& clock) {
  const absl::Time at = FromProto(clock.due_at());
  ClockMoment moment{.at = at, .true_from = at + absl::Microseconds(1), .event = EventOf(state, clock, at)};
  FillBreach(state, clock, "TIME", moment.event.mutable_clock_breached());
  return moment;
}

}  // namespace

void FillBreach(const v1::Case& state, const v1::Clock& clock, absl::string_view cause, v1::ClockBreached* breach) {
  breach->set_clock_no(clock.clock_no());
  *breach->mutable_due_at() = clock.due_at();
  breach->set_cause(state.history() ? "IMPORT" : std::string(cause));
  breach->set_owner(state.owner());
  breach->set_queue(state.queue());
  breach->set_department(AnsweringDepartment(clock.answerable_rule(), clock.item(), state));
}

void AddShares(const v1::Clock& clock, const WorkingCalendar& calendar, absl::Time until,
               google::protobuf::RepeatedPtrField<v1::DepartmentShare>* shares) {
  const absl::Time start = FromProto(clock.start_at());
  const std::vector<TimeSpan> pauses = PausesOf(clock);
  for (int i = 0; i < clock.answered_size(); ++i) {
    const absl::Time from = i == 0 ? start : std::clamp(FromProto(clock.answered(i).since()), start, until);
    const absl::Time to =
        i + 1 == clock.answered_size() ? until : std::clamp(FromProto(clock.answered(i + 1).since()), start, until);
    if (from >= to) continue;
    const absl::Duration used = calendar.Elapsed(from, to, pauses);
    if (used == absl::ZeroDuration()) continue;
    auto share = absl::c_find_if(
        *shares, [&](const v1::DepartmentShare& one) { return one.department() == clock.answered(i).department(); });
    v1::DepartmentShare& with = share == shares->end() ? *shares->Add() : *share;
    with.set_department(clock.answered(i).department());
    *with.mutable_used() = ToProto(FromProto(with.used()) + used);
  }
}

absl::Status FillShares(const v1::Clock& clock, const policy::PolicySet& policies, v1::ClockBreached* breach) {
  DOCKET_ASSIGN_OR_RETURN(const auto calendar, PinnedCalendar(policies, clock.calendar()));
  *breach->mutable_shares() = clock.brought_shares();
  AddShares(clock, *calendar, std::max(FromProto(clock.start_at()), FromProto(breach->due_at())),
            breach->mutable_shares());
  return absl::OkStatus();
}

absl::Time OldestUnanswered(const v1::Case& state) {
  absl::Time oldest = absl::InfiniteFuture();
  for (const auto& since : state.unanswered_since()) oldest = std::min(oldest, FromProto(since));
  return oldest;
}

ClockMoment NextClockMoment(const v1::Case& state) {
  ClockMoment next;
  for (const v1::Clock& clock : state.clocks()) {
    // While a clock is paused without a known end, its warnings wait with it.
    if (!Unfinished(clock) || !clock.has_due_at()) continue;
    int first = -1;
    for (int i = 0; i < clock.warnings_size(); ++i) {
      const v1::Warning& warning = clock.warnings(i);
      if (warning.reached() || !warning.has_at()) continue;
      if (first < 0 || FromProto(warning.at()) < FromProto(clock.warnings(first).at())) first = i;
    }
    if (first >= 0 && FromProto(clock.warnings(first).at()) < next.at) next = WarningMoment(state, clock, first);
    const bool can_breach = clock.nature() == v1::DUTY && !clock.has_breached_due_at();
    if (can_breach && FromProto(clock.due_at()) < next.at) next = BreachMoment(state, clock);
  }
  return next;
}

bool IsLate(const v1::Clock& clock, absl::Time t) { return LateFrom(clock) < t; }

bool IsDisputed(const v1::Clock& clock) { return clock.state() == v1::FULFILLED && clock.disputed(); }

absl::Time LateFrom(const v1::Clock& clock) {
  if (clock.nature() != v1::DUTY || (!Unfinished(clock) && !IsDisputed(clock))) return absl::InfiniteFuture();
  return clock.has_breached_due_at() ? FromProto(clock.breached_due_at()) : DueAt(clock);
}

}  // namespace docket::sla
