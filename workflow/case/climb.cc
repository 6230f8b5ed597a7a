#include "workflow/case/climb.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"
#include "workflow/case/conflicted.h"
#include "workflow/case/facts.h"
#include "workflow/case/owed_items.h"
#include "workflow/case/ownership.h"
#include "workflow/case/watchers.h"
#include "workflow/escalation/escalation.h"
#include "workflow/escalation/excuse.h"
#include "workflow/escalation/raise.h"
#include "workflow/escalation/silence.h"
#include "workflow/policy/levels.h"

namespace docket::workflow {
namespace {

v1::Event At(absl::Time at, const v1::PolicyPin& ladder) {
  v1::Event event;
  *event.mutable_occurred_at() = ToProto(at);
  event.set_rule(escalation::RuleOf(ladder));
  return event;
}

// The actions of a level beside telling, one after the other, for each may change what the next one finds.
class Actions {
 public:
  Actions(Draft& draft, const escalation::Firing& firing, absl::Time at, std::vector<std::string> targets)
      : draft_(draft), firing_(firing), at_(at), targets_(std::move(targets)) {}

  absl::Status Take() {
    DOCKET_RETURN_IF_ERROR(Watch());
    DOCKET_RETURN_IF_ERROR(SetPriority());
    DOCKET_RETURN_IF_ERROR(MoveQueue());
    DOCKET_RETURN_IF_ERROR(ReplaceOwner());
    DOCKET_RETURN_IF_ERROR(AskWork());
    return Supervise();
  }

  absl::Status Watch() {
    if (!level().watch()) return absl::OkStatus();
    for (const std::string& who : targets_) {
      if (IsWatcher(state(), who) || state().watchers_size() >= kMaxWatchers) continue;
      v1::Event event = New();
      event.mutable_watcher_added()->set_principal(who);
      DOCKET_RETURN_IF_ERROR(draft_.Emit(std::move(event)));
    }
    return absl::OkStatus();
  }

 private:
  const v1::Ladder::Level& level() const { return *firing_.level; }
  const v1::Case& state() const { return draft_.state(); }
  v1::Event New() const { return At(at_, firing_.ladder); }

  // Only ever towards more urgent: 1 is the highest, 0 none.
  absl::Status SetPriority() {
    const uint32_t wanted = level().set_priority();
    if (wanted == 0 || (state().priority() != 0 && state().priority() <= wanted)) return absl::OkStatus();
    v1::Event event = New();
    v1::PrioritySet* set = event.mutable_priority_set();
    set->set_priority(wanted);
    set->set_basis(v1::BY_LADDER);
    set->set_previous(state().priority());
    set->set_impact(state().impact());
    set->set_urgency(state().urgency());
    return draft_.Emit(std::move(event));
  }

  absl::Status MoveQueue() {
    const std::string& queue = level().move_queue();
    if (queue.empty() || queue == state().queue()) return absl::OkStatus();
    if (state().has_transfer()) return Skip("TRANSFER_PENDING");
    if (draft_.context().policies->Queue(queue) == nullptr) return Skip("UNKNOWN_QUEUE");
    v1::Event event = New();
    *event.mutable_case_queued() = QueuedIn(draft_, queue, at_);
    return draft_.Emit(std::move(event));
  }

  absl::Status ReplaceOwner() {
    if (!level().replace_owner()) return absl::OkStatus();
    const v1::Principal* owner = targets_.empty() ? nullptr : draft_.context().policies->Principal(targets_.front());
    if (owner == nullptr) return Skip("NO_NEW_OWNER");
    if (owner->id() == state().owner()) return absl::OkStatus();
    v1::Event event = New();
    v1::OwnerAssigned* assigned = event.mutable_owner_assigned();
    assigned->set_owner(owner->id());
    assigned->set_mode(v1::BY_ESCALATION);
    assigned->set_previous(state().owner());
    assigned->set_department(owner->department());
    return draft_.Emit(std::move(event));
  }

  absl::Status AskWork() {
    if (level().open_task().empty()) return absl::OkStatus();
    const std::string& department = level().task_department();
    return Ask(v1::WORK, department.empty() ? state().department() : department, level().open_task());
  }

  absl::Status Supervise() {
    if (!level().supervision_order()) return absl::OkStatus();
    return Ask(v1::SUPERVISION_ORDER, state().department(), policy::kSupervision);
  }

  absl::Status Ask(v1::OwedItemKind kind, const std::string& department, const std::string& what) {
    if (state().items_size() >= kMaxOwedItems) return Skip("TOO_MANY_ITEMS");
    const policy::PolicySet& policies = *draft_.context().policies;
    v1::Event event = New();
    v1::OwedItemAsked* asked = event.mutable_owed_item_asked();
    asked->set_kind(kind);
    asked->set_department(department);
    asked->set_what(what);
    // Who was told is who wants the answer.
    const v1::Principal* asker = targets_.empty() ? nullptr : policies.Principal(targets_.front());
    if (asker != nullptr) asked->set_asked_by(asker->id());
    asked->set_asked_by_department(asker != nullptr ? asker->department() : state().department());
    if (level().has_answer_within()) {
      const absl::Time due = escalation::SpanAfter(level(), level().answer_within(),
                                                   escalation::NoticedAt(at_, draft_.context().now), policies);
      if (due != absl::InfiniteFuture()) *asked->mutable_due_at() = ToProto(due);
    }
    return draft_.Emit(std::move(event));
  }

  absl::Status Skip(const char* reason) {
    v1::Event event = New();
    v1::EscalationLevelSkipped* skipped = event.mutable_escalation_level_skipped();
    *skipped->mutable_ladder() = firing_.ladder;
    skipped->set_level(level().level());
    skipped->set_trigger_key(firing_.key);
    skipped->set_reason(reason);
    return draft_.Emit(std::move(event));
  }

  Draft& draft_;
  const escalation::Firing& firing_;
  const absl::Time at_;
  const std::vector<std::string> targets_;
};

// Workflow events never go back, so what is noticed late, or entered late, keeps its place.
absl::Time InOrder(const v1::Case& state, absl::Time at) { return std::max(at, FromProto(state.last_event_at())); }

absl::Status CloseByThemselves(Draft& draft, const v1::Event& cause) {
  for (const escalation::Closing& closing : escalation::ClosedBy(draft.state(), cause)) {
    v1::Event event;
    *event.mutable_occurred_at() = ToProto(InOrder(draft.state(), FromProto(cause.occurred_at())));
    event.set_rule(closing.rule);
    event.mutable_escalation_closed()->set_escalation_no(closing.escalation_no);
    event.mutable_escalation_closed()->set_reason_code(closing.reason_code);
    DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  }
  return absl::OkStatus();
}

absl::Status EmitSkips(Draft& draft, const escalation::Firing& firing, const escalation::Targets& targets,
                       absl::Time at) {
  for (v1::EscalationLevelSkipped& skipped : escalation::SkipsOf(firing, targets)) {
    v1::Event event = At(at, firing.ladder);
    *event.mutable_escalation_level_skipped() = std::move(skipped);
    DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  }
  return absl::OkStatus();
}

// Who asked for it by hand, or for the one whose lapse leads here; "": nobody did.
std::string AskerOf(const Draft& draft, const escalation::Firing& firing, const v1::EscalationRaised& by_hand) {
  const uint32_t before = by_hand.request_no() != 0 ? by_hand.request_no() : firing.lapsed_no;
  const v1::Escalation* one = before == 0 ? nullptr : escalation::FindEscalation(draft.state(), before);
  if (one != nullptr) return one->requested_by();
  return by_hand.reason_code().empty() ? "" : draft.context().actor->principal_id();
}

// Who is told instead, past those who are skipped.
absl::StatusOr<escalation::Targets> OthersFor(Draft& draft, const v1::Escalation& one, const escalation::Firing& firing,
                                              absl::Time at) {
  escalation::Targets targets =
      escalation::TargetsOf(draft.state(), firing, one.kind(), one.requested_by(), *draft.context().policies, at);
  DOCKET_RETURN_IF_ERROR(EmitSkips(draft, firing, targets, at));
  return targets;
}

// The same escalation for other targets; its actions were taken, but for watching.
absl::Status TellOthers(Draft& draft, const v1::Escalation& one) {
  const policy::PolicySet& policies = *draft.context().policies;
  const absl::Time at = FromProto(draft.state().last_event_at());
  const escalation::Firing firing = escalation::FiringOf(draft.state(), one, policies);
  DOCKET_ASSIGN_OR_RETURN(const escalation::Targets targets, OthersFor(draft, one, firing, at));
  v1::Event event = At(at, one.reason_code().empty() ? one.ladder() : v1::PolicyPin());
  v1::EscalationRaised* raised = event.mutable_escalation_raised();
  *raised = escalation::Raise(draft.state(), firing, one.kind(), targets, policies, at);
  raised->set_request_no(one.escalation_no());
  raised->set_source(one.source());
  raised->set_reason_code(one.reason_code());
  raised->set_by(one.requested_by());
  if (one.has_justification()) *raised->mutable_justification() = one.justification();
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Actions(draft, firing, at, targets.principals).Watch();
}

// The same request of others: what it would do is not done yet.
absl::Status AskOthers(Draft& draft, const v1::Escalation& one) {
  const policy::PolicySet& policies = *draft.context().policies;
  const absl::Time at = FromProto(draft.state().last_event_at());
  const escalation::Firing firing = escalation::FiringOf(draft.state(), one, policies);
  DOCKET_ASSIGN_OR_RETURN(const escalation::Targets targets, OthersFor(draft, one, firing, at));
  v1::Event event = At(at, v1::PolicyPin());
  v1::EscalationRequested* requested = event.mutable_escalation_requested();
  *requested = escalation::Request(draft.state(), firing, one.kind(), targets, policies);
  requested->set_by(one.requested_by());
  requested->set_source(one.source());
  requested->set_reason_code(one.reason_code());
  if (one.has_justification()) *requested->mutable_justification() = one.justification();
  return draft.Emit(std::move(event));
}

absl::Status Schedule(Draft& draft, v1::EscalationScheduled scheduled, absl::Time at) {
  v1::Event event = At(InOrder(draft.state(), at), scheduled.ladder());
  *event.mutable_escalation_scheduled() = std::move(scheduled);
  return draft.Emit(std::move(event));
}

absl::Status LookForSilence(Draft& draft, const v1::ScheduledEscalation& silence) {
  const policy::PolicySet& policies = *draft.context().policies;
  const absl::Time at = InOrder(draft.state(), FromProto(silence.at()));
  if (const auto firing = escalation::BrokenSilence(draft.state(), silence, policies); firing.has_value()) {
    DOCKET_RETURN_IF_ERROR(RaiseLevel(draft, *firing, firing->level->kind(), at));
  }
  return Schedule(draft, escalation::AfterSilence(draft.state(), silence, policies), at);
}

absl::Status LookAfterExcuse(Draft& draft, const v1::ScheduledEscalation& look) {
  const policy::PolicySet& policies = *draft.context().policies;
  const absl::Time at = InOrder(draft.state(), FromProto(look.at()));
  for (const escalation::Firing& firing : escalation::FiredAfterExcuse(draft.state(), look, policies)) {
    if (!escalation::MayFire(draft.state(), firing)) continue;
    DOCKET_RETURN_IF_ERROR(RaiseLevel(draft, firing, firing.level->kind(), at));
  }
  return Schedule(draft, escalation::AfterExcuse(draft.state(), look, policies), at);
}

}  // namespace

absl::Status RaiseLevel(Draft& draft, const escalation::Firing& firing, v1::EscalationKind kind, absl::Time at,
                        const v1::EscalationRaised& by_hand) {
  const policy::PolicySet& policies = *draft.context().policies;
  const absl::Time noticed = escalation::NoticedAt(at, draft.context().now);
  const std::string asker = AskerOf(draft, firing, by_hand);
  const escalation::Targets targets = escalation::TargetsOf(draft.state(), firing, kind, asker, policies, noticed);
  DOCKET_RETURN_IF_ERROR(EmitSkips(draft, firing, targets, at));
  v1::Event event = At(at, by_hand.reason_code().empty() ? firing.ladder : v1::PolicyPin());
  *event.mutable_escalation_raised() = escalation::Raise(draft.state(), firing, kind, targets, policies, noticed);
  event.mutable_escalation_raised()->MergeFrom(by_hand);
  event.mutable_escalation_raised()->set_by(asker);
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Actions(draft, firing, at, targets.principals).Take();
}

absl::Status Climb(Draft& draft, const v1::Event& cause, uint32_t revision) {
  if (draft.context().facts_only) return absl::OkStatus();
  const policy::PolicySet& policies = *draft.context().policies;
  const absl::Time at = InOrder(draft.state(), FromProto(cause.occurred_at()));
  DOCKET_RETURN_IF_ERROR(CloseByThemselves(draft, cause));
  for (const escalation::Firing& firing :
       escalation::Triggered(draft.state(), cause, revision, policies, draft.context().now)) {
    if (!escalation::MayFire(draft.state(), firing)) continue;  // an earlier one led here already
    DOCKET_RETURN_IF_ERROR(RaiseLevel(draft, firing, firing.level->kind(), at));
  }
  const absl::Time now = draft.context().now;
  for (v1::EscalationScheduled& look : escalation::HeldBack(draft.state(), cause, policies, now)) {
    DOCKET_RETURN_IF_ERROR(Schedule(draft, std::move(look), at));
  }
  for (v1::EscalationScheduled& look : escalation::SilencesAfter(draft.state(), cause, revision, policies, now)) {
    DOCKET_RETURN_IF_ERROR(Schedule(draft, std::move(look), at));
  }
  return absl::OkStatus();
}

FactsWatch::FactsWatch(const Draft& draft) : filed_(draft.state().revision() > 0) {
  if (draft.context().facts_only) return;
  before_ = escalation::FactsToWatch(draft.state(), *draft.context().policies, draft.context().now);
}

absl::Status FactsWatch::Climb(Draft& draft) {
  if (!before_.has_value()) return absl::OkStatus();
  const policy::PolicySet& policies = *draft.context().policies;
  const v1::CaseFacts* before = filed_ ? &*before_ : nullptr;
  // Each round fires at least one key, and there are only so many.
  for (;;) {
    const std::vector<escalation::Firing> firings =
        escalation::TriggeredByFacts(before, draft.state(), policies, draft.context().now);
    if (firings.empty()) return absl::OkStatus();
    before_ = BuildFacts(draft.state());
    before = &*before_;
    const absl::Time at = FromProto(draft.state().last_event_at());
    for (const escalation::Firing& firing : firings) {
      if (!escalation::MayFire(draft.state(), firing)) continue;
      DOCKET_RETURN_IF_ERROR(RaiseLevel(draft, firing, firing.level->kind(), at));
    }
  }
}

absl::Status TellBeyondConflict(Draft& draft, const std::string& who) {
  const auto conflicted = [&](const std::string& one) { return ConflictOf(draft.state(), one) != nullptr; };
  std::vector<v1::Escalation> waiting;
  for (const v1::Escalation& one : draft.state().escalations()) {
    if (!escalation::NeedsAnswer(one) || one.has_lapsed_at() || !absl::c_linear_search(one.targets(), who)) continue;
    if (absl::c_all_of(one.targets(), conflicted)) waiting.push_back(one);
  }
  for (const v1::Escalation& one : waiting) {
    const bool asks = one.state() == v1::Escalation::REQUESTED;
    DOCKET_RETURN_IF_ERROR(asks ? AskOthers(draft, one) : TellOthers(draft, one));
  }
  return absl::OkStatus();
}

absl::Status LapseAcknowledgement(Draft& draft, uint32_t escalation_no, absl::Time at) {
  const v1::Escalation one = *escalation::FindEscalation(draft.state(), escalation_no);
  v1::Event event = At(InOrder(draft.state(), at), one.ladder());
  v1::EscalationAckLapsed* lapsed = event.mutable_escalation_ack_lapsed();
  lapsed->set_escalation_no(escalation_no);
  *lapsed->mutable_ack_due_at() = one.ack_due_at();
  for (const escalation::Firing& next :
       escalation::Triggered(draft.state(), event, 0, *draft.context().policies, draft.context().now)) {
    if (escalation::MayFire(draft.state(), next)) lapsed->set_next_level(next.level->level());
  }
  return draft.Emit(std::move(event));
}

absl::Status LookAgain(Draft& draft) {
  const v1::ScheduledEscalation look = *escalation::NextLook(draft.state());
  return escalation::IsClockKey(look.trigger_key()) ? LookAfterExcuse(draft, look) : LookForSilence(draft, look);
}

absl::Status TellOnlyTheHighest(Draft& draft, size_t first) {
  std::map<std::string, uint32_t> highest;  // by ladder
  for (size_t i = first; i < draft.events().size(); ++i) {
    if (!draft.events()[i].has_escalation_raised()) continue;
    const v1::EscalationRaised& raised = draft.events()[i].escalation_raised();
    uint32_t& level = highest[raised.ladder().id()];
    level = std::max(level, raised.level());
  }
  const absl::Time now = draft.context().now;
  const auto passed = [&](const v1::Event& event) {
    const absl::Time at = FromProto(event.occurred_at());
    return event.has_escalation_raised() && escalation::NoticedAt(at, now) > at &&
           event.escalation_raised().level() < highest[event.escalation_raised().ladder().id()];
  };
  std::vector<v1::Event> events(draft.events().begin(), draft.events().end());
  if (std::none_of(events.begin() + static_cast<ptrdiff_t>(first), events.end(), passed)) return absl::OkStatus();
  for (size_t i = first; i < events.size(); ++i) {
    if (!passed(events[i])) continue;
    v1::EscalationRaised* raised = events[i].mutable_escalation_raised();
    raised->set_passed(true);
    raised->clear_ack_due_at();
    raised->clear_notify_at();
    raised->clear_next_level();
  }
  return draft.Retell(std::move(events));
}

}  // namespace docket::workflow
