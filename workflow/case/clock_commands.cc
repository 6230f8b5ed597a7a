#include "workflow/case/clock_commands.h"

#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/second_person.h"
#include "workflow/case/status.h"
#include "workflow/sla/clock_decisions.h"

namespace docket::workflow {
namespace {

bool Unfinished(const v1::Clock& clock) { return clock.state() == v1::RUNNING || clock.state() == v1::PAUSED; }

std::string Name(const v1::Clock& clock) { return absl::StrCat(clock.metric(), " (clock ", clock.clock_no(), ")"); }

// The one clock that is meant: by number, by metric, or the only one that `fits`. Null with what is unmet otherwise.
const v1::Clock* ChooseClock(const v1::Case& state, absl::string_view verb, uint32_t clock_no,
                             const std::string& metric, absl::FunctionRef<bool(const v1::Clock&)> fits,
                             std::vector<Unmet>* unmet) {
  std::vector<const v1::Clock*> found;
  for (const v1::Clock& clock : state.clocks()) {
    if (clock_no != 0 ? clock.clock_no() == clock_no : (metric.empty() || clock.metric() == metric) && fits(clock)) {
      found.push_back(&clock);
    }
  }
  if (found.size() == 1 && fits(*found.front())) return found.front();
  if (found.size() == 1) {
    unmet->push_back(
        {"CLOCK_NOT_OPEN",
         absl::StrCat(verb, ".clock_no: ", Name(*found.front()), " is ", v1::ClockState_Name(found.front()->state())),
         ""});
  } else if (found.empty()) {
    unmet->push_back({"CLOCK_NOT_FOUND", absl::StrCat(verb, ": no such clock; docket case clocks lists them"), ""});
  } else {
    unmet->push_back({"CLOCK_AMBIGUOUS",
                      absl::StrCat(verb, ".clock_no: missing, want one of ",
                                   absl::StrJoin(found, ", ",
                                                 [](std::string* out, const v1::Clock* clock) {
                                                   absl::StrAppend(out, Name(*clock));
                                                 })),
                      ""});
  }
  return nullptr;
}

// The newest message to the requester, of one of these kinds, sent since `from` and not bounced; null: none.
const v1::SentMessage* Told(const v1::Case& state, const v1::MetricRule::Extension& extension, absl::Time from) {
  const v1::SentMessage* told = nullptr;
  for (const v1::SentMessage& one : state.sent()) {
    if (absl::c_linear_search(extension.told_by(), one.kind()) && one.outcome() != v1::BOUNCED &&
        FromProto(one.sent_at()) >= from) {
      told = &one;
    }
  }
  return told;
}

void AddUnmetForExtension(const Draft& draft, const v1::Clock& clock, const v1::MetricRule::Extension& extension,
                          const v1::SentMessage* told, std::vector<Unmet>* unmet) {
  if (absl::c_linear_search(clock.extensions(), extension.ground())) {
    unmet->push_back(
        {"ALREADY_EXTENDED", absl::StrCat("extend_clock.ground: ", extension.ground(), " was granted"), ""});
  }
  if (!extension.after().empty() && !absl::c_linear_search(clock.extensions(), extension.after())) {
    unmet->push_back({"EXTENSION_ORDER",
                      absl::StrCat("extend_clock.ground: ", extension.ground(), " follows ", extension.after(),
                                   ", which was not granted"),
                      "extend_clock"});
  }
  if (!extension.told_by().empty() && told == nullptr) {
    unmet->push_back({"REQUESTER_NOT_TOLD",
                      absl::StrCat("no ",
                                   absl::StrJoin(extension.told_by(), " or ",
                                                 [](std::string* out, int kind) {
                                                   absl::StrAppend(
                                                       out, v1::OutboundKind_Name(static_cast<v1::OutboundKind>(kind)));
                                                 }),
                                   " was sent since the clock began"),
                      "send_outbound"});
  }
  if (extension.approval()) WantSecondPerson(draft.context(), "this extension", unmet);
  if (clock.has_breached_due_at() && !extension.when_late()) {
    unmet->push_back({"EXTENSION_AFTER_DUE",
                      absl::StrCat("the due ", FormatUtc(FromProto(clock.breached_due_at())), " has passed"),
                      "exempt_clock"});
  }
}

}  // namespace

absl::Status DecideCorrectReceivedAt(Draft& draft, const v1::Command& command) {
  const v1::CorrectReceivedAt& request = command.correct_received_at();
  const v1::Case& state = draft.state();
  const absl::Time received = FromProto(request.received_at());
  const absl::Time before = FromProto(state.received_at());
  std::vector<Unmet> unmet;
  if (received > draft.context().now) {
    unmet.push_back({"RECEIVED_IN_FUTURE",
                     absl::StrCat("correct_received_at.received_at: ", FormatUtc(received), ", want at most ",
                                  FormatUtc(draft.context().now)),
                     ""});
  }
  if (state.has_first_response_at() && received > FromProto(state.first_response_at())) {
    unmet.push_back(
        {"RECEIVED_AFTER_RESPONSE",
         absl::StrCat("correct_received_at.received_at: ", FormatUtc(received), ", but the first response was sent ",
                      FormatUtc(FromProto(state.first_response_at()))),
         ""});
  }
  WantEvidence(draft.context(), "another instant of receipt", &unmet);
  if (received > before) WantSecondPerson(draft.context(), "a later receipt", &unmet);
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  if (received == before) return absl::OkStatus();
  v1::Event event;
  v1::ReceivedAtCorrected* corrected = event.mutable_received_at_corrected();
  *corrected->mutable_received_at() = request.received_at();
  *corrected->mutable_previous() = state.received_at();
  corrected->set_reason_code(request.reason_code());
  corrected->set_evidence_ref(draft.context().evidence_ref);
  corrected->set_approver(draft.context().approver);
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Follow(draft, transition);
}

absl::Status DecideExtendClock(Draft& draft, const v1::Command& command) {
  const v1::ExtendClock& request = command.extend_clock();
  const v1::Case& state = draft.state();
  const policy::PolicySet& policies = *draft.context().policies;
  std::vector<Unmet> unmet;
  const v1::Clock* clock = ChooseClock(state, "extend_clock", request.clock_no(), request.metric(), Unfinished, &unmet);
  const v1::MetricRule::Extension* extension = nullptr;
  const v1::SentMessage* told = nullptr;
  if (clock != nullptr) {
    DOCKET_ASSIGN_OR_RETURN(extension, sla::ExtensionOn(*clock, request.ground(), policies));
    if (extension == nullptr) {
      unmet.push_back({"NO_SUCH_EXTENSION",
                       absl::StrCat("extend_clock.ground: ", request.ground(), " is no ground on which ",
                                    clock->policy().id(), " extends ", clock->metric()),
                       ""});
    } else {
      told = Told(state, *extension, FromProto(clock->start_at()));
      AddUnmetForExtension(draft, *clock, *extension, told, &unmet);
    }
  }
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  DOCKET_ASSIGN_OR_RETURN(
      std::vector<v1::Event> events,
      sla::ExtendClock(state, clock->clock_no(), *extension, told == nullptr ? 0 : told->revision(),
                       draft.context().effective, policies, draft.OccasionAt(draft.context().effective)));
  DOCKET_RETURN_IF_ERROR(draft.EmitAll(std::move(events)));
  return Follow(draft, transition);
}

absl::Status DecideExemptClock(Draft& draft, const v1::Command& command) {
  const v1::ExemptClock& request = command.exempt_clock();
  std::vector<Unmet> unmet;
  const auto fits = [](const v1::Clock& clock) {
    const bool late = clock.state() == v1::FULFILLED && clock.has_breached_due_at();
    return (Unfinished(clock) || late) && clock.nature() == v1::DUTY && clock.exempt_cause().empty();
  };
  const v1::Clock* clock =
      ChooseClock(draft.state(), "exempt_clock", request.clock_no(), request.metric(), fits, &unmet);
  WantSecondPerson(draft.context(), "an exemption", &unmet);
  WantEvidence(draft.context(), "an exemption", &unmet);
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  DOCKET_ASSIGN_OR_RETURN(std::vector<v1::Event> events,
                          sla::ExemptClock(draft.state(), clock->clock_no(), request.cause(),
                                           draft.context().evidence_ref, draft.context().effective,
                                           *draft.context().policies, draft.OccasionAt(draft.context().effective)));
  DOCKET_RETURN_IF_ERROR(draft.EmitAll(std::move(events)));
  return Follow(draft, transition);
}

absl::Status DecideJudgeLateEntry(Draft& draft, const v1::Command& command) {
  const v1::JudgeLateEntry& request = command.judge_late_entry();
  const std::string& judge = draft.context().actor->principal_id();
  std::vector<Unmet> unmet;
  const v1::Clock* clock = ChooseClock(
      draft.state(), "judge_late_entry", request.clock_no(), "", [](const v1::Clock& one) { return one.disputed(); },
      &unmet);
  if (clock != nullptr && clock->entered_by() == judge) {
    unmet.push_back({"SECOND_PERSON_MISSING", absl::StrCat(judge, " made the entry, want a second person"), ""});
  }
  if (draft.context().policies->Principal(judge) == nullptr) {
    unmet.push_back(
        {"UNKNOWN_PRINCIPAL", draft.context().policies->DescribeUnknown(policy::NameKind::kPrincipal, judge), ""});
  }
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  if (request.confirmed()) {
    sla::Occasion occasion = draft.OccasionAt(draft.context().effective);
    occasion.approver = judge;
    DOCKET_ASSIGN_OR_RETURN(std::vector<v1::Event> events,
                            sla::AnnulBreach(draft.state(), clock->clock_no(), "LATE_RECORDED",
                                             draft.context().effective, *draft.context().policies, occasion));
    DOCKET_RETURN_IF_ERROR(draft.EmitAll(std::move(events)));
  } else {
    v1::Event event;
    event.mutable_late_entry_rejected()->set_clock_no(clock->clock_no());
    event.mutable_late_entry_rejected()->set_by(judge);
    DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  }
  return Follow(draft, transition);
}

absl::Status DecideSetDue(Draft& draft, const v1::Command& command) {
  const v1::SetDue& request = command.set_due();
  const absl::Time due = request.has_due_at() ? FromProto(request.due_at()) : absl::InfinitePast();
  std::vector<Unmet> unmet;
  const v1::Clock* clock =
      ChooseClock(draft.state(), "set_due", request.clock_no(), request.metric(), Unfinished, &unmet);
  if (clock != nullptr && request.has_due_at()) {
    const absl::Time now = clock->has_due_at() ? FromProto(clock->due_at()) : absl::InfiniteFuture();
    if (due <= draft.context().now) {
      unmet.push_back(
          {"DUE_NOT_IN_FUTURE",
           absl::StrCat("set_due.due_at: ", FormatUtc(due), ", want an instant after ", FormatUtc(draft.context().now)),
           ""});
    }
    if (due == now) {
      unmet.push_back({"DUE_UNCHANGED", absl::StrCat("set_due.due_at: ", FormatUtc(due), ", which it is already"), ""});
    }
    if (clock->obligation() == v1::REGULATOR && due > now) {
      unmet.push_back({"REGULATOR_NEVER_LATER",
                       absl::StrCat("set_due.due_at: ", FormatUtc(due), ", want at most ", FormatUtc(now)),
                       "extend_clock"});
    }
    if (due > now || clock->has_breached_due_at()) WantSecondPerson(draft.context(), "a later due", &unmet);
  } else if (clock != nullptr && !clock->pinned()) {
    unmet.push_back({"DUE_NOT_SET",
                     absl::StrCat("set_due.due_at: missing, and that of ", Name(*clock), " was not set by hand"), ""});
  }
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  DOCKET_ASSIGN_OR_RETURN(std::vector<v1::Event> events,
                          sla::SetDue(draft.state(), clock->clock_no(), due, draft.context().effective,
                                      *draft.context().policies, draft.OccasionAt(draft.context().effective)));
  DOCKET_RETURN_IF_ERROR(draft.EmitAll(std::move(events)));
  return Follow(draft, transition);
}

absl::Status DecideRollOut(Draft& draft, const v1::Command& command) {
  const v1::PolicyRolloutPlanned* plan = draft.context().policies->ApprovedRollout(command.roll_out().rollout_id());
  if (plan == nullptr) {
    return RefuseFields(
        "UNKNOWN_ROLLOUT",
        {{"roll_out.rollout_id", absl::StrCat("\"", command.roll_out().rollout_id(), "\" is no approved rollout")}});
  }
  sla::Occasion occasion = draft.OccasionAt(draft.context().effective);
  occasion.by_person = false;
  DOCKET_ASSIGN_OR_RETURN(std::vector<v1::Event> events, sla::RollOut(draft.state(), *plan, draft.context().effective,
                                                                      *draft.context().policies, occasion));
  return draft.EmitAll(std::move(events));
}

}  // namespace docket::workflow
