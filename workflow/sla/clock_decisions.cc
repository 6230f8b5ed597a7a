#include "workflow/sla/clock_decisions.h"

#include <algorithm>
#include <functional>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/sla/clock_steps.h"

namespace docket::sla {
namespace {

// Runs one decision as if something had happened at `at` that changed nothing else.
absl::StatusOr<std::vector<v1::Event>> Decided(const v1::Case& state, absl::Time at, const policy::PolicySet& policies,
                                               const Occasion& occasion,
                                               absl::FunctionRef<absl::Status(Steps&)> decision) {
  v1::Event moment;
  *moment.mutable_occurred_at() = ToProto(at);
  Steps steps(state, state, moment, policies, occasion);
  DOCKET_RETURN_IF_ERROR(decision(steps));
  return steps.TakeEvents();
}

absl::StatusOr<int> IndexOf(const v1::Case& state, uint32_t clock_no) {
  for (int i = 0; i < state.clocks_size(); ++i) {
    if (state.clocks(i).clock_no() == clock_no) return i;
  }
  return absl::InternalError(absl::StrCat("case ", state.case_no(), " has no clock ", clock_no));
}

}  // namespace

absl::Status Steps::Extend(int i, const v1::MetricRule::Extension& extension, uint32_t told_revision,
                           absl::string_view approver) {
  DOCKET_RETURN_IF_ERROR(RecordBreachIfOver(clock(i), "TIME"));
  if (clock(i).state() == v1::PAUSED && !CanPause(extension.target())) DOCKET_RETURN_IF_ERROR(Resume(i));
  DOCKET_ASSIGN_OR_RETURN(const auto calendar, PinnedCalendar(policies_, clock(i).calendar()));
  v1::Clock next = clock(i);
  next.clear_carried_at();
  next.clear_carried_used();
  Terms terms = TermsOf(clock(i), *calendar, promised_);
  terms.target = extension.target();
  const Plan plan = PlanClock(next, terms, PausesOf(next));
  if (plan.due.at <= DueAt(clock(i))) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "EXTENSION_NOT_LATER",
                  absl::StrCat("extend_clock.ground: ", extension.ground(), " would make the due ",
                               FormatUtc(plan.due.at), ", it is ", FormatUtc(DueAt(clock(i))), " already"));
  }
  v1::Event event = New(clock(i).policy());
  v1::ClockExtended* extended = event.mutable_clock_extended();
  extended->set_clock_no(clock(i).clock_no());
  extended->set_ground(extension.ground());
  *extended->mutable_target() = extension.target();
  if (clock(i).has_due_at()) *extended->mutable_old_due_at() = clock(i).due_at();
  extended->set_approver(std::string(approver));
  extended->set_told_revision(told_revision);
  SetPlan(plan, extended);
  DOCKET_RETURN_IF_ERROR(Emit(std::move(event)));
  if (clock(i).has_breached_due_at()) DOCKET_RETURN_IF_ERROR(Annul(i, "EXTENSION", approver));
  return RecordBreachIfOver(clock(i), "TIME");
}

absl::Status Steps::Exempt(int i, absl::string_view cause, absl::string_view approver, absl::string_view evidence_ref) {
  if (Unfinished(clock(i))) DOCKET_RETURN_IF_ERROR(RecordBreachIfOver(clock(i), "TIME"));
  v1::Event event = New(clock(i).policy());
  v1::ClockExempted* exempted = event.mutable_clock_exempted();
  exempted->set_clock_no(clock(i).clock_no());
  exempted->set_cause(std::string(cause));
  exempted->set_approver(std::string(approver));
  exempted->set_evidence_ref(std::string(evidence_ref));
  return Emit(std::move(event));
}

absl::Status Steps::SetDue(int i, absl::Time due, absl::string_view approver) {
  DOCKET_RETURN_IF_ERROR(RecordBreachIfOver(clock(i), "TIME"));
  if (clock(i).state() == v1::PAUSED) DOCKET_RETURN_IF_ERROR(Resume(i));
  DOCKET_ASSIGN_OR_RETURN(Match match, SameTerms(clock(i)));
  match.target.Clear();
  match.target.set_unit(v1::Target::UNTIL);
  *match.target.mutable_until() = ToProto(due);
  v1::Clock next = clock(i);
  next.set_pinned(true);
  next.clear_carried_at();
  next.clear_carried_used();
  Terms terms = TermsOf(next, *match.calendar, promised_);
  terms.target = match.target;
  return EmitTerms(i, next, match, terms, {.cause = "MANUAL", .approver = std::string(approver)}, "NONE",
                   absl::InfiniteFuture());
}

absl::Status Steps::ReleaseDue(int i) {
  DOCKET_RETURN_IF_ERROR(RecordBreachIfOver(clock(i), "TIME"));
  DOCKET_ASSIGN_OR_RETURN(const std::vector<Candidate> candidates,
                          CandidatesFor(policies_, clock(i), occasion_.in_force));
  const Candidate* policy = FirstMatch(candidates, facts_);
  const v1::MetricRule* rule = policy == nullptr ? nullptr : RuleOf(*policy->policy, clock(i).metric());
  const v1::MetricRule::Choice* choice = rule == nullptr ? nullptr : ChoiceOf(*rule, facts_);
  if (choice == nullptr) {
    return Refuse(
        absl::StatusCode::kFailedPrecondition, "NO_POLICY",
        absl::StrCat("set_due.due_at: missing, and no policy promises ", clock(i).metric(), " for this case"));
  }
  DOCKET_ASSIGN_OR_RETURN(const Match match, MatchOf(i, *policy, *rule, *choice));
  v1::Clock next = clock(i);
  next.set_pinned(false);
  const Terms terms = NewTerms(*rule, *choice, *match.calendar);
  const absl::Time highest = clock(i).obligation() == v1::REGULATOR ? DueAt(clock(i)) : absl::InfiniteFuture();
  if (PlanClock(next, terms, PausesOf(next), highest).due.at > DueAt(clock(i)) &&
      NeedsSecondPerson(i, occasion_.approver)) {
    return SecondPersonMissing(
        absl::StrCat("without the due set by hand ", next.metric(), " is due later, which wants a second person"));
  }
  DOCKET_RETURN_IF_ERROR(
      EmitTerms(i, next, match, terms, {.cause = "MANUAL", .approver = occasion_.approver}, "ALL", highest));
  DOCKET_RETURN_IF_ERROR(ReconcilePause(i));
  return RecordBreachIfOver(clock(i), "RETARGET");
}

absl::Status Steps::Annul(int i, absl::string_view cause, absl::string_view approver) {
  v1::Event event = New(clock(i).policy());
  v1::BreachAnnulled* annulled = event.mutable_breach_annulled();
  annulled->set_clock_no(clock(i).clock_no());
  annulled->set_cause(std::string(cause));
  *annulled->mutable_due_at() = clock(i).breached_due_at();
  annulled->set_approver(std::string(approver));
  return Emit(std::move(event));
}

absl::StatusOr<const v1::MetricRule::Extension*> ExtensionOn(const v1::Clock& clock, absl::string_view ground,
                                                             const policy::PolicySet& policies) {
  const v1::SlaPolicy* policy = policies.Sla(clock.policy());
  const v1::MetricRule* rule = policy == nullptr ? nullptr : RuleOf(*policy, clock.metric());
  if (rule == nullptr)
    return absl::InternalError(absl::StrCat("clock ", clock.clock_no(), ": its policy is not known"));
  for (const v1::MetricRule::Extension& one : rule->extensions()) {
    if (one.ground() == ground) return &one;
  }
  return nullptr;
}

absl::StatusOr<std::vector<v1::Event>> ExtendClock(const v1::Case& state, uint32_t clock_no,
                                                   const v1::MetricRule::Extension& extension, uint32_t told_revision,
                                                   absl::Time at, const policy::PolicySet& policies,
                                                   const Occasion& occasion) {
  DOCKET_ASSIGN_OR_RETURN(const int i, IndexOf(state, clock_no));
  return Decided(state, at, policies, occasion,
                 [&](Steps& steps) { return steps.Extend(i, extension, told_revision, occasion.approver); });
}

absl::StatusOr<std::vector<v1::Event>> ExemptClock(const v1::Case& state, uint32_t clock_no, absl::string_view cause,
                                                   absl::string_view evidence_ref, absl::Time at,
                                                   const policy::PolicySet& policies, const Occasion& occasion) {
  DOCKET_ASSIGN_OR_RETURN(const int i, IndexOf(state, clock_no));
  return Decided(state, at, policies, occasion,
                 [&](Steps& steps) { return steps.Exempt(i, cause, occasion.approver, evidence_ref); });
}

absl::StatusOr<std::vector<v1::Event>> SetDue(const v1::Case& state, uint32_t clock_no, absl::Time due, absl::Time at,
                                              const policy::PolicySet& policies, const Occasion& occasion) {
  DOCKET_ASSIGN_OR_RETURN(const int i, IndexOf(state, clock_no));
  return Decided(state, at, policies, occasion, [&](Steps& steps) {
    return due == absl::InfinitePast() ? steps.ReleaseDue(i) : steps.SetDue(i, due, occasion.approver);
  });
}

absl::StatusOr<std::vector<v1::Event>> AnnulBreach(const v1::Case& state, uint32_t clock_no, absl::string_view cause,
                                                   absl::Time at, const policy::PolicySet& policies,
                                                   const Occasion& occasion) {
  DOCKET_ASSIGN_OR_RETURN(const int i, IndexOf(state, clock_no));
  return Decided(state, at, policies, occasion, [&](Steps& steps) { return steps.Annul(i, cause, occasion.approver); });
}

absl::StatusOr<std::vector<v1::Event>> RollOut(const v1::Case& state, const v1::PolicyRolloutPlanned& plan,
                                               absl::Time at, const policy::PolicySet& policies,
                                               const Occasion& occasion) {
  return Decided(state, at, policies, occasion, [&](Steps& steps) { return steps.RollOut(plan); });
}

}  // namespace docket::sla
