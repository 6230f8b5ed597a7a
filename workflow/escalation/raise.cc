#include "workflow/escalation/raise.h"

#include "absl/strings/str_cat.h"
#include "workflow/base/time.h"

namespace docket::escalation {
namespace {

// The first instant from `at` on at which the calendar is open; `at` when there is no such calendar, or it never opens.
absl::Time NextOpen(const std::string& calendar, absl::Time at, const policy::PolicySet& policies) {
  const auto* found = calendar.empty() ? nullptr : policies.CalendarNamed(calendar, at);
  if (found == nullptr) return at;
  const absl::Time used = found->value->Advance(at, absl::Microseconds(1));
  return used == absl::InfiniteFuture() ? at : used - absl::Microseconds(1);
}

// Who heard of the levels below the one that a lapse leads to.
std::vector<std::string> ToldBefore(const v1::Case& state, const Firing& firing) {
  std::vector<std::string> told;
  if (firing.lapsed_no == 0) return told;
  for (const v1::Escalation& one : state.escalations()) {
    if (one.passed() || one.ladder().id() != firing.ladder.id() || one.trigger_key() != firing.key) continue;
    told.insert(told.end(), one.targets().begin(), one.targets().end());
  }
  return told;
}

v1::EscalationLevelSkipped Skip(const Firing& firing, absl::string_view reason) {
  v1::EscalationLevelSkipped skipped;
  *skipped.mutable_ladder() = firing.ladder;
  skipped.set_level(firing.level->level());
  skipped.set_trigger_key(firing.key);
  skipped.set_reason(std::string(reason));
  return skipped;
}

}  // namespace

absl::Time SpanAfter(const v1::Ladder::Level& level, const google::protobuf::Duration& span, absl::Time from,
                     const policy::PolicySet& policies) {
  const auto* calendar = level.calendar().empty() ? nullptr : policies.CalendarNamed(level.calendar(), from);
  return calendar == nullptr ? from + FromProto(span) : calendar->value->Advance(from, FromProto(span));
}

Targets TargetsOf(const v1::Case& state, const Firing& firing, v1::EscalationKind kind, const std::string& by,
                  const policy::PolicySet& policies, absl::Time at) {
  std::vector<std::string> past;
  if (!by.empty()) past.push_back(by);
  if (kind != v1::FUNCTIONAL && firing.level->target() != "OWNER" && !state.owner().empty()) {
    past.push_back(state.owner());
  }
  return ResolveTargets(*firing.level, state, policies, at, past, ToldBefore(state, firing));
}

v1::EscalationRaised Raise(const v1::Case& state, const Firing& firing, v1::EscalationKind kind, const Targets& targets,
                           const policy::PolicySet& policies, absl::Time noticed) {
  const v1::Ladder::Level& level = *firing.level;
  v1::EscalationRaised raised;
  raised.set_kind(kind);
  *raised.mutable_ladder() = firing.ladder;
  raised.set_level(level.level());
  raised.set_trigger_key(firing.key);
  raised.set_clock_no(firing.clock_no);
  raised.mutable_targets()->Assign(targets.principals.begin(), targets.principals.end());
  raised.mutable_absent()->Assign(targets.absent.begin(), targets.absent.end());
  raised.set_target_basis(targets.basis);
  raised.set_department(DepartmentOf(state));
  raised.set_queue(state.queue());
  raised.set_auto_close(level.auto_close());
  raised.set_lapsed_no(firing.lapsed_no);
  const absl::Time told = ToldAt(firing, noticed, policies);
  if (told > noticed) *raised.mutable_notify_at() = ToProto(told);
  if (!level.has_ack_within()) return raised;
  const absl::Time ack_due = SpanAfter(level, level.ack_within(), told, policies);
  if (ack_due == absl::InfiniteFuture()) return raised;
  *raised.mutable_ack_due_at() = ToProto(ack_due);
  const v1::Ladder::Level* next =
      firing.rules == nullptr ? nullptr : NextLevel(state, *firing.rules, firing.key, kind, level.level());
  if (next != nullptr) raised.set_next_level(next->level());
  return raised;
}

v1::EscalationRequested Request(const v1::Case& state, const Firing& firing, v1::EscalationKind kind,
                                const Targets& targets, const policy::PolicySet& policies) {
  v1::EscalationRequested requested;
  requested.set_kind(kind);
  *requested.mutable_ladder() = firing.ladder;
  requested.set_level(firing.level->level());
  requested.set_trigger_key(firing.key);
  requested.mutable_targets()->Assign(targets.principals.begin(), targets.principals.end());
  const v1::Principal* decides = targets.principals.empty() ? nullptr : policies.Principal(targets.principals.front());
  requested.set_department(decides == nullptr ? DepartmentOf(state) : decides->department());
  requested.set_queue(state.queue());
  return requested;
}

absl::Time ToldAt(const Firing& firing, absl::Time noticed, const policy::PolicySet& policies) {
  const bool own = !firing.level->notify_calendar().empty() || firing.rules == nullptr;
  return NextOpen(own ? firing.level->notify_calendar() : firing.rules->notify_calendar(), noticed, policies);
}

std::vector<v1::EscalationLevelSkipped> SkipsOf(const Firing& firing, const Targets& targets) {
  std::vector<v1::EscalationLevelSkipped> skips;
  if (!targets.conflicted.empty()) {
    skips.push_back(Skip(firing, "CONFLICT"));
    skips.back().mutable_principals()->Assign(targets.conflicted.begin(), targets.conflicted.end());
  }
  if (targets.basis == "COMPLIANCE" || targets.basis == "NO_TARGET") skips.push_back(Skip(firing, "NO_TARGET"));
  return skips;
}

std::string RuleOf(const v1::PolicyPin& ladder) {
  return ladder.id().empty() ? "" : absl::StrCat(ladder.id(), "@", ladder.version());
}

}  // namespace docket::escalation
