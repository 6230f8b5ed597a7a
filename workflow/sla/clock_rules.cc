#include "workflow/sla/clock_rules.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"
#include "workflow/case/facts.h"
#include "workflow/sla/clock_apply.h"
#include "workflow/sla/clock_steps.h"

namespace docket::sla {
namespace {

std::string RuleName(const v1::PolicyPin& pin) { return absl::StrCat(pin.id(), "@", pin.version()); }

uint32_t ItemOf(const v1::Event& event, const v1::Case& after) {
  switch (event.body_case()) {
    case v1::Event::kOwedItemAsked:
      return event.owed_item_asked().item_no() != 0 ? event.owed_item_asked().item_no() : after.revision();
    case v1::Event::kOwedItemAccepted:
      return event.owed_item_accepted().item_no();
    case v1::Event::kOwedItemReturned:
      return event.owed_item_returned().item_no();
    case v1::Event::kOwedItemDone:
      return event.owed_item_done().item_no();
    case v1::Event::kOwedItemRefused:
      return event.owed_item_refused().item_no();
    case v1::Event::kOwedItemCancelled:
      return event.owed_item_cancelled().item_no();
    default:
      return 0;
  }
}

}  // namespace

Steps::Steps(const v1::Case& before, const v1::Case& after, const v1::Event& event, const policy::PolicySet& policies,
             const Occasion& occasion)
    : before_(before),
      after_(after),
      event_(event),
      body_(BodyOf(event)),
      policies_(policies),
      occasion_(occasion),
      at_(FromProto(event.occurred_at())),
      item_(ItemOf(event, after)),
      facts_(workflow::BuildFacts(after)),
      promised_(PromisedDue(after)) {
  *work_.mutable_clocks() = after.clocks();
}

absl::StatusOr<std::vector<v1::Event>> Steps::Run() {
  if (Withdraws(event_)) DOCKET_RETURN_IF_ERROR(Withdraw());
  DOCKET_RETURN_IF_ERROR(StopAndCancel(/*stop=*/true));
  DOCKET_RETURN_IF_ERROR(StopAndCancel(/*stop=*/false));
  if (event_.has_delivery_reported()) {
    DOCKET_RETURN_IF_ERROR(event_.delivery_reported().outcome() == v1::BOUNCED ? SetBouncedStopsAside()
                                                                               : RestoreStops());
  }
  DOCKET_RETURN_IF_ERROR(CorrectStarts());
  DOCKET_RETURN_IF_ERROR(Retarget());
  DOCKET_RETURN_IF_ERROR(PauseAndResume());
  if (event_.has_case_reopened()) DOCKET_RETURN_IF_ERROR(Reopen());
  DOCKET_RETURN_IF_ERROR(Start());
  return std::move(events_);
}

v1::Event Steps::New(const v1::PolicyPin& policy) const {
  v1::Event event;
  *event.mutable_occurred_at() = event_.occurred_at();
  event.set_rule(RuleName(policy));
  return event;
}

absl::Status Steps::Emit(v1::Event event) {
  // The number of a new clock is known only to the caller; here any unused, ascending one will do.
  DOCKET_RETURN_IF_ERROR(ApplyClockEvent(event, next_clock_no_++, &work_));
  events_.push_back(std::move(event));
  return absl::OkStatus();
}

absl::Status Steps::EmitBreach(const v1::Clock& clock, absl::string_view cause, absl::Time excused_until) {
  v1::Event event = New(clock.policy());
  v1::ClockBreached* breach = event.mutable_clock_breached();
  FillBreach(after_, clock, cause, breach);
  if (excused_until != absl::InfinitePast()) *breach->mutable_excused_until() = ToProto(excused_until);
  DOCKET_RETURN_IF_ERROR(FillShares(clock, policies_, breach));
  return Emit(std::move(event));
}

// A retarget excuses lateness only until the old due has passed too (R8). It had, where a wait from before it turns out
// to have been none.
absl::Status Steps::JudgeFormerTerms(int i, absl::string_view cause) {
  for (const v1::FormerTerms& terms : clock(i).former_terms()) {
    if (!Unfinished(clock(i)) || clock(i).has_breached_due_at() || clock(i).nature() != v1::DUTY) break;
    DOCKET_ASSIGN_OR_RETURN(const auto calendar, PinnedCalendar(policies_, terms.calendar()));
    const absl::Duration left = std::max(FromProto(terms.target()) - FromProto(terms.used()), absl::ZeroDuration());
    v1::Clock then = clock(i);
    *then.mutable_due_at() = ToProto(calendar->Advance(FromProto(terms.counted_from()), left, PausesOf(then)));
    if (FromProto(then.due_at()) < FromProto(terms.until())) {
      DOCKET_RETURN_IF_ERROR(EmitBreach(then, cause, absl::InfinitePast()));
    }
  }
  return absl::OkStatus();
}

absl::Status Steps::RecordBreachIfOver(const v1::Clock& clock, absl::string_view cause, absl::Time excused_until) {
  if (clock.nature() != v1::DUTY || clock.has_breached_due_at() || !IsOver(clock, at_)) return absl::OkStatus();
  return EmitBreach(clock, cause, excused_until);
}

absl::StatusOr<const v1::MetricRule*> Steps::PinnedRule(const v1::Clock& clock) const {
  const v1::SlaPolicy* policy = policies_.Sla(clock.policy());
  const v1::MetricRule* rule = policy == nullptr ? nullptr : RuleOf(*policy, clock.metric());
  if (rule == nullptr) {
    return absl::InternalError(absl::StrCat("clock ", clock.clock_no(), ": ", RuleName(clock.policy()), " with metric ",
                                            clock.metric(), " is not known"));
  }
  return rule;
}

bool Steps::FiresFor(const v1::Clock& clock,
                     const google::protobuf::RepeatedPtrField<v1::MetricRule::Trigger>& triggers) const {
  if (clock.item() != 0 && item_ != 0 && clock.item() != item_) return false;
  return AnyFires(triggers, body_, facts_);
}

absl::StatusOr<std::vector<v1::Event>> ClockConsequences(const v1::Case& before, const v1::Case& after,
                                                         const v1::Event& event, const policy::PolicySet& policies,
                                                         const Occasion& occasion) {
  if (IsClockEvent(event)) return std::vector<v1::Event>();
  return Steps(before, after, event, policies, occasion).Run();
}

}  // namespace docket::sla
