#include <algorithm>

#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"
#include "workflow/case/communication.h"
#include "workflow/case/conflict.h"
#include "workflow/case/decision.h"
#include "workflow/case/history.h"
#include "workflow/case/intake.h"
#include "workflow/case/owed_items.h"
#include "workflow/case/ownership.h"
#include "workflow/case/replay.h"
#include "workflow/case/status.h"
#include "workflow/case/watchers.h"
#include "workflow/escalation/escalation_apply.h"
#include "workflow/sla/clock_apply.h"

namespace docket::workflow {
namespace {

// Who stands beside a case, and who must not.
absl::Status ApplyPeople(const v1::Event& event, v1::Case* state) {
  if (event.has_watcher_added()) return ApplyWatcherAdded(event.watcher_added(), state);
  if (event.has_watcher_removed()) return ApplyWatcherRemoved(event.watcher_removed(), state);
  if (event.has_conflict_declared()) return ApplyConflictDeclared(event, state);
  return ApplyConflictCleared(event.conflict_cleared(), state);
}

// One line per event. The compiler does not demand the list to be complete, tests/workflow/case/golden_test.cc does.
absl::Status ApplyBody(const v1::Event& event, uint32_t revision, v1::Case* state) {
  if (sla::IsClockEvent(event)) return sla::ApplyClockEvent(event, revision, state);
  switch (event.body_case()) {
    case v1::Event::kCaseReceived:
      return ApplyCaseReceived(event, state);
    case v1::Event::kCaseAccepted:
      return ApplyCaseAccepted(event.case_accepted(), state);
    case v1::Event::kCaseDeclined:
      return ApplyCaseDeclined(event.case_declined(), state);  // the status change follows
    case v1::Event::kCaseTriaged:
      return ApplyCaseTriaged(event.case_triaged(), state);
    case v1::Event::kPrioritySet:
      return ApplyPrioritySet(event.priority_set(), state);
    case v1::Event::kCaseClassified:
      return ApplyCaseClassified(event.case_classified(), state);
    case v1::Event::kReceivedAtCorrected:
      *state->mutable_received_at() = event.received_at_corrected().received_at();
      return absl::OkStatus();
    case v1::Event::kPromisedDueSet:
      return ApplyPromisedDueSet(event.promised_due_set(), state);
    case v1::Event::kSourceRowRecorded:
      return ApplySourceRowRecorded(event.source_row_recorded(), state);
    case v1::Event::kHistoryEnded:
      return ApplyHistoryEnded(event.history_ended(), state);
    case v1::Event::kCaseQueued:
      return ApplyCaseQueued(event.case_queued(), state);
    case v1::Event::kCaseDequeued:
      return ApplyCaseDequeued(state);
    case v1::Event::kOwnerAssigned:
      return ApplyOwnerAssigned(event.owner_assigned(), state);
    case v1::Event::kOwnerReleased:
      return ApplyOwnerReleased(state);
    case v1::Event::kAccountableOwnerSet:
      return ApplyAccountableOwnerSet(event.accountable_owner_set(), state);
    case v1::Event::kCaseTransferred:
      return ApplyCaseTransferred(event, state);
    case v1::Event::kTransferAccepted:
      return ApplyTransferEnded(state);
    case v1::Event::kTransferRefused:
      return ApplyTransferEnded(state);
    case v1::Event::kStatusChanged:
      return ApplyStatusChanged(event, state);
    case v1::Event::kCaseReopened:
      return ApplyCaseReopened(event, state);
    case v1::Event::kCaseClosed:
      return ApplyCaseClosed(event.case_closed(), state);
    case v1::Event::kCaseVoided:
      return absl::OkStatus();
    case v1::Event::kCaseResolved:
      return ApplyCaseResolved(event.case_resolved(), state);
    case v1::Event::kWaitExpired:
      return absl::OkStatus();
    case v1::Event::kTimerPostponed:
      return ApplyTimerPostponed(event.timer_postponed(), state);
    case v1::Event::kInboundReceived:
      return ApplyInboundReceived(event, revision, state);
    case v1::Event::kOutboundSent:
      return ApplyOutboundSent(event, revision, state);
    case v1::Event::kNoReplyNeededMarked:
      return ApplyNoReplyNeededMarked(event.no_reply_needed_marked(), state);
    case v1::Event::kDeliveryReported:
      return ApplyDeliveryReported(event.delivery_reported(), state);
    case v1::Event::kOwedItemAsked:
    case v1::Event::kOwedItemAccepted:
    case v1::Event::kOwedItemReturned:
    case v1::Event::kOwedItemDone:
    case v1::Event::kOwedItemRefused:
    case v1::Event::kOwedItemCancelled:
      return ApplyOwedItemEvent(event, revision, state);
    case v1::Event::kInternalNoteAdded:
      return absl::OkStatus();
    case v1::Event::kDecisionDrafted:
      return ApplyDecisionDrafted(event, revision, state);
    case v1::Event::kDecisionIssued:
      return ApplyDecisionIssued(event, state);
    case v1::Event::kResolutionAccepted:
      return ApplyResolutionAccepted(event.resolution_accepted(), state);
    case v1::Event::kEscalationRaised:
    case v1::Event::kEscalationAcknowledged:
    case v1::Event::kEscalationRequested:
    case v1::Event::kEscalationDeclined:
    case v1::Event::kEscalationAckLapsed:
    case v1::Event::kEscalationLevelSkipped:
    case v1::Event::kEscalationClosed:
    case v1::Event::kEscalationScheduled:
      return escalation::ApplyEscalationEvent(event, revision, state);
    case v1::Event::kWatcherAdded:
    case v1::Event::kWatcherRemoved:
    case v1::Event::kConflictDeclared:
    case v1::Event::kConflictCleared:
      return ApplyPeople(event, state);
    default:  // of another stream
      break;
  }
  return absl::DataLossError(
      absl::StrCat(EventTypeName(event.body_case()), " (type ", event.body_case(), ") is no event of a case"));
}

// Facts told by the world may be entered late and lie before what is already recorded; everything else moves time on.
bool MayLieEarlier(const v1::Event& event) {
  return event.has_inbound_received() || event.has_outbound_sent() || event.has_clock_fulfilled() ||
         event.has_clock_pause_shortened();
}

// What may end a clock as a message does: telling the requester how it stands, or bringing the case further.
bool MayEndAClock(const v1::Event& event) {
  return event.has_case_accepted() || event.has_case_declined() || event.has_decision_issued() ||
         event.has_resolution_accepted() || event.has_status_changed() || event.has_case_resolved() ||
         event.has_case_closed();
}

// Events after which another department may answer for a clock.
bool ChangesWhoAnswers(const v1::Event& event) {
  switch (event.body_case()) {
    case v1::Event::kCaseQueued:
    case v1::Event::kCaseDequeued:
    case v1::Event::kOwnerAssigned:
    case v1::Event::kOwnerReleased:
    case v1::Event::kAccountableOwnerSet:
    case v1::Event::kCaseTransferred:
    case v1::Event::kTransferAccepted:
    case v1::Event::kTransferRefused:
    case v1::Event::kOwedItemAsked:
    case v1::Event::kOwedItemReturned:
      return true;
    default:
      return false;
  }
}

}  // namespace

absl::Status Apply(const v1::Event& event, v1::Case* state) {
  if ((state->revision() == 0) != event.has_case_received()) {
    return absl::DataLossError(absl::StrCat(EventTypeName(event.body_case()), " at revision ", state->revision() + 1,
                                            ": CaseReceived opens a case and nothing else does"));
  }
  const uint32_t revision = state->revision() + 1;
  DOCKET_RETURN_IF_ERROR(ApplyBody(event, revision, state));
  if (MayEndAClock(event) && !state->history()) KeepPastAnswer(event, revision, state);
  if (ChangesWhoAnswers(event)) sla::UpdateAnswering(event.occurred_at(), state);
  if (escalation::IsActivity(event)) escalation::NoteActivity(event, revision, state);
  state->set_revision(revision);
  const absl::Time occurred = FromProto(event.occurred_at());
  if (!state->has_last_event_at() || (!MayLieEarlier(event) && FromProto(state->last_event_at()) < occurred)) {
    *state->mutable_last_event_at() = event.occurred_at();
  }
  return absl::OkStatus();
}

}  // namespace docket::workflow
