#include "workflow/case/decide.h"

#include <algorithm>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/advance.h"
#include "workflow/case/climb.h"
#include "workflow/case/clock_commands.h"
#include "workflow/case/communication.h"
#include "workflow/case/conflict.h"
#include "workflow/case/decision.h"
#include "workflow/case/escalate.h"
#include "workflow/case/history.h"
#include "workflow/case/intake.h"
#include "workflow/case/owed_items.h"
#include "workflow/case/ownership.h"
#include "workflow/case/routing.h"
#include "workflow/case/second_person.h"
#include "workflow/case/status.h"
#include "workflow/case/watchers.h"

namespace docket::workflow {
namespace {

absl::Status DecideCommand(Draft& draft, const v1::Command& command) {
  switch (command.command_case()) {
    case v1::Command::kFile:
      return DecideFile(draft, command);
    case v1::Command::kAccept:
      return DecideAccept(draft, command);
    case v1::Command::kDecline:
      return DecideDecline(draft, command);
    case v1::Command::kTriage:
      return DecideTriage(draft, command);
    case v1::Command::kSetPriority:
      return DecideSetPriority(draft, command);
    case v1::Command::kClassify:
      return DecideClassify(draft, command);
    case v1::Command::kQueue:
      return DecideQueue(draft, command);
    case v1::Command::kAssign:
      return DecideAssign(draft, command);
    case v1::Command::kTake:
      return DecideTake(draft, command);
    case v1::Command::kRelease:
      return DecideRelease(draft, command);
    case v1::Command::kTransfer:
      return DecideTransfer(draft, command);
    case v1::Command::kAcceptTransfer:
      return DecideAcceptTransfer(draft, command);
    case v1::Command::kRefuseTransfer:
      return DecideRefuseTransfer(draft, command);
    case v1::Command::kHold:
      return DecideHold(draft, command);
    case v1::Command::kResume:
      return DecideResume(draft, command);
    case v1::Command::kRecordInbound:
      return DecideRecordInbound(draft, command);
    case v1::Command::kSendOutbound:
      return DecideSendOutbound(draft, command);
    case v1::Command::kAddNote:
      return DecideAddNote(draft, command);
    case v1::Command::kMarkNoReplyNeeded:
      return DecideMarkNoReplyNeeded(draft, command);
    case v1::Command::kResolve:
      return DecideResolve(draft, command);
    case v1::Command::kDraftDecision:
      return DecideDraftDecision(draft, command);
    case v1::Command::kIssueDecision:
      return DecideIssueDecision(draft, command);
    case v1::Command::kResolveOnTheSpot:
      return DecideResolveOnTheSpot(draft, command);
    case v1::Command::kClose:
      return DecideClose(draft, command);
    case v1::Command::kReopen:
      return DecideReopen(draft, command);
    case v1::Command::kVoid:
      return DecideVoid(draft, command);
    case v1::Command::kEscalate:
      return DecideEscalate(draft, command);
    case v1::Command::kAcknowledgeEscalation:
      return DecideAcknowledgeEscalation(draft, command);
    case v1::Command::kApproveEscalation:
      return DecideApproveEscalation(draft, command);
    case v1::Command::kDeclineEscalation:
      return DecideDeclineEscalation(draft, command);
    case v1::Command::kCloseEscalation:
      return DecideCloseEscalation(draft, command);
    case v1::Command::kDeclareConflict:
      return DecideDeclareConflict(draft, command);
    case v1::Command::kClearConflict:
      return DecideClearConflict(draft, command);
    case v1::Command::kAddWatcher:
      return DecideAddWatcher(draft, command);
    case v1::Command::kRemoveWatcher:
      return DecideRemoveWatcher(draft, command);
    case v1::Command::kRecordSourceRow:
      return DecideSourceRow(draft, command);
    case v1::Command::kEndHistory:
      return DecideEndHistory(draft, command);
    case v1::Command::kCorrectReceivedAt:
      return DecideCorrectReceivedAt(draft, command);
    case v1::Command::kReportDelivery:
      return DecideReportDelivery(draft, command);
    case v1::Command::kExtendClock:
      return DecideExtendClock(draft, command);
    case v1::Command::kExemptClock:
      return DecideExemptClock(draft, command);
    case v1::Command::kJudgeLateEntry:
      return DecideJudgeLateEntry(draft, command);
    case v1::Command::kSetDue:
      return DecideSetDue(draft, command);
    case v1::Command::kAskItem:
      return DecideAskItem(draft, command);
    case v1::Command::kAcceptItem:
      return DecideAcceptItem(draft, command);
    case v1::Command::kReturnItem:
      return DecideReturnItem(draft, command);
    case v1::Command::kCompleteItem:
      return DecideCompleteItem(draft, command);
    case v1::Command::kRefuseItem:
      return DecideRefuseItem(draft, command);
    case v1::Command::kCancelItem:
      return DecideCancelItem(draft, command);
    case v1::Command::kRoute:
      return DecideRoute(draft, command);
    case v1::Command::kRollOut:
      return DecideRollOut(draft, command);
    case v1::Command::kAdvance:
      return absl::OkStatus();  // advancing is what every command does first
    case v1::Command::COMMAND_NOT_SET:
      break;
  }
  return RefuseFields("INVALID_FIELD", {{"command", "missing, want one of the oneof"}});
}

bool IsContact(const v1::Command& command) {
  return command.has_record_inbound() || command.has_send_outbound() || command.has_file() || command.has_accept();
}

// Commands that bring a case to its end.
constexpr absl::string_view kEnding[] = {"accept",
                                         "decline",
                                         "triage",
                                         "resolve",
                                         "draft_decision",
                                         "issue_decision",
                                         "resolve_on_the_spot",
                                         "close",
                                         "void",
                                         "mark_no_reply_needed",
                                         "resume",
                                         "accept_transfer",
                                         "refuse_transfer",
                                         "take",
                                         "acknowledge_escalation",
                                         "report_delivery",
                                         "exempt_clock",
                                         "judge_late_entry",
                                         "complete_item",
                                         "refuse_item",
                                         "cancel_item",
                                         "close_escalation",
                                         "declare_conflict"};

bool IsHistorical(const v1::Command& command) {
  return command.has_record_source_row() || command.has_end_history() ||
         (command.has_file() && command.file().history());
}

}  // namespace

uint32_t EventLimit(absl::string_view command) {
  if (command == "advance") return kMaxCaseEvents;
  return kMaxCaseEvents - (absl::c_linear_search(kEnding, command) ? kKeptForTime : kKeptForTime + kKeptForEnding);
}

absl::StatusOr<absl::Time> EffectiveTime(const v1::Case& state, const v1::Command& command, absl::Time occurred_at,
                                         bool has_evidence, absl::Time now) {
  if (command.has_end_history()) {
    const absl::Time until = FromProto(command.end_history().observed_until());
    if (!state.history()) return std::min(until, now);  // ended already: nothing to do, and no time to push ahead
    if (until <= now + kClockTolerance) return until;
    return RefuseFields("OCCURRED_AT_IN_FUTURE",
                        {{"end_history.observed_until",
                          absl::StrCat(FormatUtc(until), " is in the future, want at most ", FormatUtc(now))}});
  }
  if (occurred_at == absl::InfinitePast()) {
    // The clock may have stepped back a little since the last event; a case's own time never does.
    return state.has_last_event_at() && !state.history() ? std::max(now, FromProto(state.last_event_at())) : now;
  }
  const std::string given = FormatUtc(occurred_at);
  if (occurred_at > now + kClockTolerance) {
    return RefuseFields("OCCURRED_AT_IN_FUTURE",
                        {{"occurred_at", absl::StrCat(given, " is in the future, want at most ", FormatUtc(now))}});
  }
  if (IsHistorical(command)) return occurred_at;
  if (occurred_at >= now - kClockTolerance) return now;
  if (!IsContact(command)) {
    return RefuseFields(
        "OCCURRED_AT_BACK_DATED",
        {{"occurred_at", absl::StrCat(given, ": only contacts with the outside world may be back-dated, ",
                                      CommandName(command), " may not")}});
  }
  if (occurred_at < now - kMaxBackDating) {
    return RefuseFields("OCCURRED_AT_TOO_OLD",
                        {{"occurred_at", absl::StrCat(given, ", want at least ", FormatUtc(now - kMaxBackDating))}});
  }
  // An answer to what was not yet said is none.
  const bool answers = command.has_send_outbound() || command.has_accept();
  if (answers && state.has_received_at() && occurred_at < FromProto(state.received_at())) {
    return RefuseFields(
        "OCCURRED_BEFORE_RECEIPT",
        {{"occurred_at", absl::StrCat(given, ": the case was received ", FormatUtc(FromProto(state.received_at())))}});
  }
  if (!has_evidence) {
    return RefuseFields(
        "EVIDENCE_MISSING",
        {{"evidence_ref", absl::StrCat("missing, wanted because occurred_at ", given, " is back-dated")}});
  }
  return occurred_at;
}

absl::StatusOr<std::vector<v1::Event>> Decide(const v1::Case& state, const v1::Command& command,
                                              const DecideContext& context, v1::Case* after) {
  DOCKET_CHECK(context.actor != nullptr && context.policies != nullptr && context.sealer != nullptr);
  const bool filing = command.has_file();
  if (filing != (state.revision() == 0)) {
    return filing ? Refuse(absl::StatusCode::kAlreadyExists, "CASE_EXISTS",
                           absl::StrCat("case ", state.case_no(), " exists already"))
                  : Refuse(absl::StatusCode::kNotFound, "CASE_NOT_FOUND", "no such case");
  }
  if (const std::vector<Unmet> unmet = UnmetBySecondPerson(state, context); !unmet.empty()) {
    return RefuseUnmet("CONDITIONS_UNMET", absl::StrCat("case ", state.case_no()), unmet);
  }
  Draft draft(state, context);
  const bool live = !IsHistorical(command) && !state.history();
  // What time has made true comes first, also before a contact of the past: whether a duty was met must not depend on
  // who was quicker, the timers or the clerk (R5, R7).
  const absl::Time until = live ? std::max(context.effective, context.now) : context.effective;
  DOCKET_RETURN_IF_ERROR(Advance(draft, until));
  // A backlog longer than one commit holds is worked off first; whoever asked for more is told to ask again.
  if (NextMoment(draft.state()) <= until && !command.has_advance()) {
    return WithRetryAfter(Refuse(absl::StatusCode::kUnavailable, "CASE_CATCHING_UP",
                                 absl::StrCat("case ", state.case_no(), " has overdue timers to record first")),
                          absl::Milliseconds(50));
  }
  if (live) draft.UsePoliciesOf(context.now);
  FactsWatch watch(draft);
  DOCKET_RETURN_IF_ERROR(DecideCommand(draft, command));
  DOCKET_RETURN_IF_ERROR(watch.Climb(draft));
  const uint32_t limit = EventLimit(CommandName(command));
  if (draft.state().revision() > limit) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "CASE_FULL",
                  absl::StrCat("case ", state.case_no(), " holds ", state.revision(), " events, the limit for ",
                               CommandName(command), " is ", limit, "; bring it to its end and file another"),
                  {{"limit", absl::StrCat(limit)}});
  }
  if (after != nullptr) *after = draft.state();
  return draft.TakeEvents();
}

}  // namespace docket::workflow
