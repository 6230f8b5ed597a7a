#include "workflow/case/status.h"

#include <algorithm>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/conflict.h"
#include "workflow/case/decide.h"
#include "workflow/case/ownership.h"
#include "workflow/case/second_person.h"

namespace docket::workflow {
namespace {

bool IsSupervisor(const DecideContext& context, const std::string& principal_id) {
  const v1::Principal* principal = context.policies->Principal(principal_id);
  return principal != nullptr && absl::c_linear_search(principal->roles(), "SUPERVISOR");
}

// From when a wait that begins at `at` counts, for clocks and for the cap: from the question on, when that is not older
// than what may be back-dated (ADR 17). One question excuses one wait: held again, it counts from now on only. The
// state does not tell which question an earlier wait was for; one that ended since this question was sent counts as for
// it.
absl::Time WaitSince(const v1::Case& state, v1::WaitingOn on, absl::Time at) {
  if (on != v1::COMPLAINANT || state.last_information_request() == 0) return at;
  const absl::Time asked = FromProto(state.last_information_request_at());
  const bool waits = state.has_waited_on_requester_since();
  const bool waited = state.has_waited_on_requester() && FromProto(state.status_since()) > asked;
  return waits || waited || asked < at - kMaxBackDating ? at : asked;
}

// The last instant at which a wait that begins at `at`, and counts from `since`, ends by the cap of the chart (R6).
absl::Time LatestEnd(const v1::Case& state, const v1::Chart& chart, v1::WaitingOn on, absl::Time since, absl::Time at) {
  if (on != v1::COMPLAINANT || !chart.has_max_wait_on_requester()) return absl::InfiniteFuture();
  return since + FromProto(chart.max_wait_on_requester()) - WaitedOnRequester(state, at);
}

std::vector<Unmet> UnmetForHold(const Draft& draft, const v1::HoldCase& hold, const v1::Chart& chart,
                                absl::Time latest) {
  std::vector<Unmet> unmet;
  const DecideContext& context = draft.context();
  if (hold.has_until() && FromProto(hold.until()) <= context.effective) {
    unmet.push_back({"UNTIL_NOT_IN_FUTURE",
                     absl::StrCat("hold.until: ", FormatUtc(FromProto(hold.until())), ", want an instant after ",
                                  FormatUtc(context.effective)),
                     ""});
  }
  const bool beyond = latest <= context.effective || (hold.has_until() && FromProto(hold.until()) > latest);
  if (!beyond) return unmet;
  const std::string cap = absl::StrCat(
      "waited for the requester: ", absl::FormatDuration(WaitedOnRequester(draft.state(), context.effective)),
      " of at most ", absl::FormatDuration(FromProto(chart.max_wait_on_requester())));
  if (!IsSupervisor(context, context.actor->principal_id()) && !IsSupervisor(context, context.approver)) {
    unmet.push_back({"WAIT_CAP_REACHED",
                     hold.has_until()
                         ? absl::StrCat(cap, "; hold.until: ", FormatUtc(FromProto(hold.until())), ", want at most ",
                                        FormatUtc(latest), ", or a supervisor who asks for it or agrees")
                         : absl::StrCat(cap, "; only a supervisor who asks for it or agrees may hold it again"),
                     ""});
  } else if (!hold.has_until()) {
    unmet.push_back({"UNTIL_MISSING", absl::StrCat(cap, "; hold.until: missing, want the instant the wait ends"), ""});
  }
  return unmet;
}

absl::Time StoppedAt(const v1::Case& state) {
  if (state.has_resolved_at()) return FromProto(state.resolved_at());
  if (state.has_closed_at()) return FromProto(state.closed_at());
  return absl::InfinitePast();
}

// Whether the requester has said anything since that is more than thanks.
bool HeardSince(const v1::Case& state, absl::Time stopped) {
  const auto since = [&](const auto& said) { return FromProto(said) >= stopped; };
  return absl::c_any_of(state.unanswered_since(), since) ||
         absl::c_any_of(state.sent(),
                        [&](const v1::SentMessage& one) { return absl::c_any_of(one.answers_since(), since); });
}

// New facts are something new: heard from the requester since, or named. What was declined, forwarded or withdrawn is
// taken up again by another person (R17).
void AddUnmetForReopening(const Draft& draft, v1::ReopenReason reason, std::vector<Unmet>* unmet) {
  const v1::Case& state = draft.state();
  const absl::Time stopped = StoppedAt(state);
  if (reason == v1::NEW_FACTS && !HeardSince(state, stopped) && draft.context().evidence_ref.empty()) {
    unmet->push_back({"NEW_FACTS_MISSING",
                      absl::StrCat("evidence_ref: missing, and the requester has written nothing since ",
                                   FormatUtc(stopped), "; want either for NEW_FACTS"),
                      "record_inbound"});
  }
  WantAnotherPerson(state, draft.context().actor->principal_id(), unmet);
}

}  // namespace

absl::Duration WaitedOnRequester(const v1::Case& state, absl::Time at) {
  absl::Duration waited = FromProto(state.waited_on_requester());
  if (state.has_waited_on_requester_since()) {
    waited += std::max(absl::ZeroDuration(), at - FromProto(state.waited_on_requester_since()));
  }
  return waited;
}

absl::Status DecideHold(Draft& draft, const v1::Command& command) {
  const v1::HoldCase& hold = command.hold();
  const v1::Case& state = draft.state();
  const absl::Time now = draft.context().effective;
  DOCKET_ASSIGN_OR_RETURN(const v1::Chart* chart, PinnedChart(state, *draft.context().policies));
  const absl::Time since = WaitSince(state, hold.waiting_on(), now);
  const absl::Time latest = LatestEnd(state, *chart, hold.waiting_on(), since, now);
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition,
                          RequireTransition(draft, command, UnmetForHold(draft, hold, *chart, latest)));
  v1::Wait wait;
  wait.set_on(hold.waiting_on());
  wait.set_reason_code(hold.reason_code());
  if (hold.has_until()) {
    *wait.mutable_until() = hold.until();
  } else if (latest != absl::InfiniteFuture()) {
    *wait.mutable_until() = ToProto(latest);
  }
  wait.set_resume_to(state.has_wait() ? state.wait().resume_to() : state.status().status());
  if (hold.waiting_on() == v1::COMPLAINANT) wait.set_request_revision(state.last_information_request());
  *wait.mutable_since() = ToProto(since);
  return Follow(draft, transition, &wait);
}

absl::Status DecideResume(Draft& draft, const v1::Command& command) {
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command));
  return Follow(draft, transition);
}

absl::Status DecideResolve(Draft& draft, const v1::Command& command) {
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command));
  v1::Event event;
  event.mutable_case_resolved()->set_resolution_code(command.resolve().resolution_code());
  if (!command.resolve().solution().empty()) {
    *event.mutable_case_resolved()->mutable_solution() = draft.Seal(command.resolve().solution());
  }
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Follow(draft, transition);
}

absl::Status DecideClose(Draft& draft, const v1::Command& command) {
  const v1::CloseCase& close = command.close();
  DOCKET_ASSIGN_OR_RETURN(const v1::Chart* chart, PinnedChart(draft.state(), *draft.context().policies));
  std::vector<Unmet> unmet;
  if (!absl::c_linear_search(chart->closing_bases(), close.basis())) {
    unmet.push_back({"UNKNOWN_CLOSING_BASIS",
                     absl::StrCat("close.basis: \"", close.basis(), "\", want one of ",
                                  absl::StrJoin(chart->closing_bases(), ", ")),
                     ""});
  }
  if (close.basis() == kWithdrawn) WantWordsOfWithdrawal(draft.context(), draft.state(), &unmet);
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  v1::Event event;
  event.set_visibility(v1::VISIBILITY_PUBLIC);
  event.mutable_case_closed()->set_basis(close.basis());
  event.mutable_case_closed()->set_closure_code(close.outcome().empty() ? close.basis() : close.outcome());
  event.mutable_case_closed()->set_closed_by(draft.context().actor->principal_id());
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Follow(draft, transition);
}

absl::Time ReopenableUntil(const v1::Case& state, const v1::Chart& chart) {
  const absl::Time stopped = StoppedAt(state);
  if (stopped == absl::InfinitePast() || !chart.has_reopen_window()) return absl::InfiniteFuture();
  return stopped + FromProto(chart.reopen_window());
}

absl::Status EmitReopened(Draft& draft, v1::ReopenReason reason) {
  const v1::Case& state = draft.state();
  if (state.status().category() != v1::RESOLVED && state.status().category() != v1::CLOSED) return absl::OkStatus();
  v1::Event event;
  event.set_visibility(v1::VISIBILITY_PUBLIC);
  event.mutable_case_reopened()->set_reopen_no(state.reopen_count() + 1);
  event.mutable_case_reopened()->set_reason(reason);
  const absl::Time stopped = StoppedAt(state);
  if (stopped != absl::InfinitePast()) {
    *event.mutable_case_reopened()->mutable_since_stop() =
        ToProto(std::max(absl::ZeroDuration(), draft.context().effective - stopped));
  }
  return draft.Emit(std::move(event));
}

absl::Status DecideReopen(Draft& draft, const v1::Command& command) {
  const v1::Case& state = draft.state();
  DOCKET_ASSIGN_OR_RETURN(const v1::Chart* chart, PinnedChart(state, *draft.context().policies));
  std::vector<Unmet> unmet;
  const absl::Time last = ReopenableUntil(state, *chart);
  if (draft.context().effective > last) {
    unmet.push_back({"REOPEN_WINDOW_PASSED",
                     absl::StrCat("reopening was possible until ", FormatUtc(last), "; file a new case instead"),
                     "file"});
  }
  AddUnmetForReopening(draft, command.reopen().reason(), &unmet);
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  DOCKET_RETURN_IF_ERROR(EmitReopened(draft, command.reopen().reason()));
  return Follow(draft, transition);
}

absl::Status DecideVoid(Draft& draft, const v1::Command& command) {
  const v1::VoidCase& request = command.void_();
  const std::string& asker = draft.context().actor->principal_id();
  std::vector<BadField> bad;
  CheckPrincipal(draft.context(), "docket-principal", asker, &bad);  // of two persons both have to be somebody
  if (!bad.empty()) return RefuseFields("UNKNOWN_PRINCIPAL", bad);
  std::vector<Unmet> unmet;
  if (request.approver() == asker) {
    unmet.push_back({"SECOND_PERSON_MISSING",
                     absl::StrCat("void.approver: ", request.approver(), " asked for it, want a second person"), ""});
  } else if (draft.context().policies->Principal(request.approver()) == nullptr) {
    unmet.push_back({"UNKNOWN_PRINCIPAL",
                     absl::StrCat("void.approver: ", draft.context().policies->DescribeUnknown(
                                                         policy::NameKind::kPrincipal, request.approver())),
                     ""});
  } else {
    CheckNoConflict(draft.state(), "void.approver", request.approver(), &unmet);
  }
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  v1::Event event;
  event.mutable_case_voided()->set_reason_code(request.reason_code());
  event.mutable_case_voided()->set_approver(request.approver());
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Follow(draft, transition);
}

absl::Status ApplyStatusChanged(const v1::Event& event, v1::Case* state) {
  const v1::StatusChanged& changed = event.status_changed();
  if (changed.from() != state->status().status()) {
    return absl::DataLossError(
        absl::StrCat("StatusChanged from ", changed.from(), " in status ", state->status().status()));
  }
  if (state->has_waited_on_requester_since()) {
    *state->mutable_waited_on_requester() = ToProto(WaitedOnRequester(*state, FromProto(event.occurred_at())));
    state->clear_waited_on_requester_since();
  }
  if (changed.entered().category() != v1::WAITING) {
    state->clear_resume_status();
  } else if (changed.from_category() != v1::WAITING) {
    *state->mutable_resume_status() = state->status();
  }
  *state->mutable_status() = changed.entered();
  *state->mutable_status_since() = event.occurred_at();
  state->clear_wait();
  if (changed.has_wait()) {
    *state->mutable_wait() = changed.wait();
    if (changed.wait().on() == v1::COMPLAINANT) *state->mutable_waited_on_requester_since() = changed.wait().since();
  }
  switch (changed.entered().category()) {
    case v1::RESOLVED:
      *state->mutable_resolved_at() = event.occurred_at();
      state->clear_closed_at();
      break;
    case v1::CLOSED:
      *state->mutable_closed_at() = event.occurred_at();
      if (state->closure_code().empty()) state->set_closure_code(changed.entered().closure_code());
      break;
    default:
      state->clear_resolved_at();
      state->clear_closed_at();
      state->clear_closure_code();
      state->clear_closure_basis();
      break;
  }
  if (!changed.deviation().empty()) state->set_deviations(state->deviations() + 1);
  return absl::OkStatus();
}

absl::Status ApplyCaseReopened(const v1::Event& event, v1::Case* state) {
  state->set_reopen_count(event.case_reopened().reopen_no());
  *state->mutable_reopened_at() = event.occurred_at();
  state->clear_declined_by();
  state->clear_closed_by();
  state->clear_accepted_resolution();
  return absl::OkStatus();
}

absl::Status ApplyCaseClosed(const v1::CaseClosed& event, v1::Case* state) {
  state->set_closure_code(event.closure_code());
  state->set_closure_basis(event.basis());
  state->set_closed_by(event.closed_by());
  return absl::OkStatus();
}

absl::Status ApplyCaseResolved(const v1::CaseResolved& event, v1::Case* state) {
  state->set_resolution_code(event.resolution_code());
  if (event.has_solution()) *state->mutable_solution() = event.solution();
  return absl::OkStatus();
}

absl::Status ApplyTimerPostponed(const v1::TimerPostponed& event, v1::Case* state) {
  if (state->status().timer_transition() != event.transition_id()) {
    return absl::DataLossError(
        absl::StrCat("TimerPostponed ", event.transition_id(), " in status ", state->status().status()));
  }
  *state->mutable_status()->mutable_timer_at() = event.next_at();
  return absl::OkStatus();
}

}  // namespace docket::workflow
