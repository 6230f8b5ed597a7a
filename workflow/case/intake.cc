#include "workflow/case/intake.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/decide.h"
#include "workflow/case/history.h"
#include "workflow/case/ownership.h"
#include "workflow/case/routing.h"
#include "workflow/case/second_person.h"
#include "workflow/case/status.h"
#include "workflow/sla/target.h"

namespace docket::workflow {
namespace {

constexpr const char* kCriteria[] = {"IDENTIFIED_COMPLAINANT", "LISTED_MATTERS", "ACTUAL_HARM", "EXPLICIT_DEMAND",
                                     "IN_SCOPE"};
constexpr uint32_t kMatrixSize = 3;

// Priority by the matrix in force; nullopt when none is published for the kind.
std::optional<v1::PrioritySet> ByMatrix(const Draft& draft, v1::CaseKind kind, uint32_t impact, uint32_t urgency) {
  const auto* matrix = draft.context().policies->MatrixFor(kind, draft.InForce(draft.context().effective));
  if (matrix == nullptr) return std::nullopt;
  v1::PrioritySet set;
  set.set_priority(matrix->value->impact(impact - 1).priority(urgency - 1));
  set.set_basis(v1::MATRIX);
  *set.mutable_matrix() = matrix->pin;
  set.set_impact(impact);
  set.set_urgency(urgency);
  return set;
}

void CheckScale(absl::string_view field, uint32_t value, uint32_t max, std::vector<BadField>* bad) {
  if (value > max) bad->push_back({std::string(field), absl::StrCat(value, ", want 1..", max)});
}

absl::Status EmitPriority(Draft& draft, v1::PrioritySet set) {
  set.set_previous(draft.state().priority());
  if (set.priority() == set.previous() && set.impact() == draft.state().impact() &&
      set.urgency() == draft.state().urgency()) {
    return absl::OkStatus();
  }
  v1::Event event;
  *event.mutable_priority_set() = std::move(set);
  return draft.Emit(std::move(event));
}

absl::StatusOr<const policy::Published<v1::Chart>*> ChartToFileUnder(const Draft& draft, const v1::FileCase& file) {
  const DecideContext& context = draft.context();
  const auto* chart = file.workflow().empty() ? context.policies->ChartFor(file.kind(), context.now)
                                              : context.policies->ChartNamed(file.workflow(), context.now);
  if (chart != nullptr && absl::c_linear_search(chart->value->kinds(), file.kind())) return chart;
  return Refuse(absl::StatusCode::kFailedPrecondition, "NO_WORKFLOW",
                file.workflow().empty()
                    ? absl::StrCat("no workflow is published for kind ", v1::CaseKind_Name(file.kind()))
                    : absl::StrCat("file.workflow: \"", file.workflow(), "\" is not published for kind ",
                                   v1::CaseKind_Name(file.kind())),
                {{"kind", v1::CaseKind_Name(file.kind())}});
}

// What is promised today lies ahead of the receipt. What another system promised stands in its row.
void CheckPromise(const Draft& draft, const v1::FileCase& file, std::vector<BadField>* bad) {
  const absl::Time received = file.has_received_at() ? FromProto(file.received_at()) : draft.context().effective;
  if (file.history()) {
    bad->push_back({"file.due_at", "given, want it in file.row with history"});
  } else if (std::string fault = sla::PromiseFault(FromProto(file.due_at()), received, /*live=*/true); !fault.empty()) {
    bad->push_back({"file.due_at", std::move(fault)});
  }
}

// A receipt longer ago than contacts may be back-dated wants something to show for it (R7).
absl::Status CheckReceipt(const DecideContext& context, const v1::FileCase& file) {
  const absl::Time limit = context.now - kMaxBackDating;
  const bool old = file.has_received_at() && FromProto(file.received_at()) < limit;
  if (file.history() || !old || !context.evidence_ref.empty()) return absl::OkStatus();
  return RefuseFields("EVIDENCE_MISSING", {{"evidence_ref", absl::StrCat("missing, wanted because file.received_at ",
                                                                         FormatUtc(FromProto(file.received_at())),
                                                                         " lies before ", FormatUtc(limit))}});
}

std::vector<BadField> BadFileFields(const Draft& draft, const v1::FileCase& file) {
  std::vector<BadField> bad;
  const DecideContext& context = draft.context();
  CheckScale("file.impact", file.impact(), kMatrixSize, &bad);
  CheckScale("file.urgency", file.urgency(), kMatrixSize, &bad);
  if ((file.impact() == 0) != (file.urgency() == 0)) {
    bad.push_back({"file.urgency", "impact and urgency are given together or not at all"});
  }
  if (file.has_received_at() && FromProto(file.received_at()) > context.now) {
    bad.push_back({"file.received_at", absl::StrCat(FormatUtc(FromProto(file.received_at())),
                                                    " is in the future, want at most ", FormatUtc(context.now))});
  }
  if (file.has_due_at()) CheckPromise(draft, file, &bad);
  if (!file.tier().empty() && !absl::c_linear_search(kTiers, file.tier())) {
    bad.push_back({"file.tier", absl::StrCat("\"", file.tier(), "\", want ", kTiersInWords)});
  }
  if (file.history() && !file.has_row()) bad.push_back({"file.row", "missing, want the first row with history"});
  if (!file.history() && file.has_row()) bad.push_back({"file.row", "given, want none without history"});
  if (file.history()) return bad;  // imported names are recorded as they are
  if (!file.department().empty()) CheckDepartment(context, "file.department", file.department(), &bad);
  if (!file.respondent_department().empty()) {
    CheckDepartment(context, "file.respondent_department", file.respondent_department(), &bad);
  }
  if (!file.queue().empty()) CheckQueue(context, "file.queue", file.queue(), &bad);
  return bad;
}

v1::CaseReceived Received(const Draft& draft, const v1::FileCase& file, const v1::Chart& chart,
                          const v1::PolicyPin& pin) {
  const DecideContext& context = draft.context();
  const std::string& id = context.new_case_id;
  v1::CaseReceived received;
  received.set_kind(file.kind());
  *received.mutable_channel() = file.channel();
  if (!file.has_channel()) {
    received.mutable_channel()->set_medium(v1::TEXT);
    received.mutable_channel()->set_carrier("api");
  }
  if (file.has_external_ref()) *received.mutable_external_ref() = file.external_ref();
  *received.mutable_received_at() = file.has_received_at() ? file.received_at() : ToProto(context.effective);
  received.set_language(file.language());
  *received.mutable_title() = context.sealer->Seal(id, file.title());
  if (!file.narrative().empty()) *received.mutable_narrative() = context.sealer->Seal(id, file.narrative());
  if (!file.requester().empty()) *received.mutable_requester() = context.sealer->Seal(id, file.requester());
  received.set_requester_ref(file.requester_ref());
  for (int i = 0; i < std::max(1, file.matters_size()); ++i) {
    v1::Matter* matter = received.add_matters();
    matter->set_matter_no(i + 1);
    *matter->mutable_text() = file.matters().empty() ? received.title() : context.sealer->Seal(id, file.matters(i));
  }
  *received.mutable_workflow() = pin;
  *received.mutable_entered() = EnteredOf(chart, *FindStatus(chart, chart.initial()), context.effective);
  received.set_department(file.department());
  received.set_respondent_department(file.respondent_department());
  received.set_history(file.history());
  received.set_tier(file.tier());
  if (file.has_due_at()) *received.mutable_promised_due_at() = file.due_at();
  received.set_filed_by_department(context.actor->department_id());
  received.set_case_no(
      context.next_case_no(chart.case_number_prefix(0), absl::ToCivilYear(context.now, absl::UTCTimeZone()).year()));
  return received;
}

// Priority and classification as filed: by impact and urgency, else the chart's default.
void Prioritise(const Draft& draft, const v1::FileCase& file, const v1::Chart& chart, v1::CaseReceived* received) {
  std::optional<v1::PrioritySet> set;
  if (file.impact() != 0) set = ByMatrix(draft, file.kind(), file.impact(), file.urgency());
  if (set.has_value()) {
    received->set_priority(set->priority());
    received->set_priority_basis(v1::MATRIX);
    *received->mutable_matrix() = set->matrix();
  } else if (chart.default_priority() != 0) {
    received->set_priority(chart.default_priority());
    received->set_priority_basis(v1::MANUAL);
  }
  received->set_impact(file.impact());
  received->set_urgency(file.urgency());
  received->set_category(file.category());
  received->set_subcategory(file.subcategory());
}

// Who does not say which department answers leaves it to the queue.
void AccountByQueue(const Draft& draft, const std::string& queue, v1::CaseReceived* received) {
  const v1::Queue* known = draft.context().policies->Queue(queue);
  if (received->department().empty() && known != nullptr) received->set_department(known->department());
}

// The queue named, else that of the routing rules for the case as it will be.
absl::StatusOr<Route> RouteOnFiling(const Draft& draft, const v1::FileCase& file, const v1::Event& received) {
  if (!file.queue().empty()) return Route{.queue = file.queue()};
  v1::Case filed = draft.state();
  DOCKET_RETURN_IF_ERROR(ApplyCaseReceived(received, &filed));
  return RouteFor(filed, *draft.context().policies, draft.InForce(draft.context().effective));
}

}  // namespace

absl::Status DecideFile(Draft& draft, const v1::Command& command) {
  const v1::FileCase& file = command.file();
  if (const auto bad = BadFileFields(draft, file); !bad.empty()) return RefuseFields("INVALID_FIELD", bad);
  DOCKET_RETURN_IF_ERROR(CheckReceipt(draft.context(), file));
  DOCKET_ASSIGN_OR_RETURN(const auto* chart, ChartToFileUnder(draft, file));
  v1::Event event;
  event.set_visibility(v1::VISIBILITY_PUBLIC);
  *event.mutable_case_received() = Received(draft, file, *chart->value, chart->pin);
  if (file.history()) {
    AccountByQueue(draft, file.queue(), event.mutable_case_received());
    return DecideHistoricalFile(draft, file, *chart->value, std::move(event));
  }
  Prioritise(draft, file, *chart->value, event.mutable_case_received());
  DOCKET_ASSIGN_OR_RETURN(Route route, RouteOnFiling(draft, file, event));
  if (route.queue.empty()) route.queue = chart->value->default_queue();
  AccountByQueue(draft, route.queue, event.mutable_case_received());
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return route.queue.empty() ? absl::OkStatus() : EmitQueued(draft, route.queue, route.skills, route.rule);
}

absl::Status DecideAccept(Draft& draft, const v1::Command& command) {
  const v1::AcceptCase& accept = command.accept();
  v1::Event event;
  v1::CaseAccepted* accepted = event.mutable_case_accepted();
  *accepted->mutable_accepted_at() = ToProto(draft.context().effective);
  std::vector<Unmet> unmet;
  for (const char* name : kCriteria) {
    v1::Criterion* criterion = accepted->add_criteria();
    criterion->set_criterion(name);
    criterion->set_met(true);
    for (const v1::Criterion& given : accept.criteria()) {
      if (given.criterion() == name) criterion->set_met(given.met());
    }
    if (!criterion->met() && accept.override_reason().empty()) {
      unmet.push_back({absl::StrCat(name, "_NOT_MET"),
                       absl::StrCat("criterion ", name, " is not met; give accept.override_reason or decline"),
                       "decline"});
    }
  }
  for (const v1::Criterion& given : accept.criteria()) {
    if (!absl::c_linear_search(kCriteria, given.criterion())) {
      unmet.push_back({"UNKNOWN_CRITERION",
                       absl::StrCat("accept.criteria: \"", given.criterion(), "\" is not one of the five"), ""});
    }
  }
  accepted->set_override_reason(accept.override_reason());
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Follow(draft, transition);
}

absl::Status DecideDecline(Draft& draft, const v1::Command& command) {
  const v1::DeclineCase& decline = command.decline();
  DOCKET_ASSIGN_OR_RETURN(const v1::Chart* chart, PinnedChart(draft.state(), *draft.context().policies));
  std::vector<Unmet> unmet;
  if (!chart->decline_reasons().empty() && !absl::c_linear_search(chart->decline_reasons(), decline.reason_code())) {
    unmet.push_back({"UNKNOWN_DECLINE_REASON",
                     absl::StrCat("decline.reason_code: \"", decline.reason_code(), "\" is not a reason of the chart"),
                     ""});
  }
  if (decline.reason_code() == kWithdrawn) WantWordsOfWithdrawal(draft.context(), draft.state(), &unmet);
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  v1::Event event;
  event.set_visibility(v1::VISIBILITY_PUBLIC);
  event.mutable_case_declined()->set_reason_code(decline.reason_code());
  *event.mutable_case_declined()->mutable_explanation() = draft.Seal(decline.explanation());
  event.mutable_case_declined()->set_appeal_route(decline.appeal_route());
  event.mutable_case_declined()->set_declined_by(draft.context().actor->principal_id());
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Follow(draft, transition);
}

absl::Status DecideTriage(Draft& draft, const v1::Command& command) {
  const v1::TriageCase& triage = command.triage();
  std::vector<BadField> bad;
  CheckScale("triage.severity", triage.severity(), 4, &bad);
  CheckScale("triage.impact", triage.impact(), kMatrixSize, &bad);
  CheckScale("triage.urgency", triage.urgency(), kMatrixSize, &bad);
  CheckScale("triage.complexity", triage.complexity(), 3, &bad);
  if (!bad.empty()) return RefuseFields("INVALID_FIELD", bad);
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command));
  v1::Event event;
  v1::CaseTriaged* triaged = event.mutable_case_triaged();
  triaged->set_severity(triage.severity());
  triaged->set_impact(triage.impact());
  triaged->set_urgency(triage.urgency());
  triaged->set_complexity(triage.complexity());
  triaged->set_safety(triage.safety());
  triaged->set_legal(triage.legal());
  triaged->set_regulatory(triage.regulatory());
  triaged->set_vulnerable(triage.vulnerable());
  triaged->set_public_exposure(triage.public_exposure());
  auto priority = ByMatrix(draft, draft.state().kind(), triage.impact(), triage.urgency());
  if (priority.has_value()) priority->set_previous(draft.state().priority());
  const bool changes = priority.has_value() && priority->priority() != draft.state().priority();
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  if (changes) {
    v1::Event set;
    *set.mutable_priority_set() = *priority;
    DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(set)));
  }
  return Follow(draft, transition);
}

absl::Status DecideSetPriority(Draft& draft, const v1::Command& command) {
  const v1::SetPriority& set = command.set_priority();
  std::vector<BadField> bad;
  CheckScale("set_priority.priority", set.priority(), 5, &bad);
  CheckScale("set_priority.impact", set.impact(), kMatrixSize, &bad);
  CheckScale("set_priority.urgency", set.urgency(), kMatrixSize, &bad);
  const bool manual = set.priority() != 0;
  const bool matrix = set.impact() != 0 && set.urgency() != 0;
  if (manual == matrix) {
    bad.push_back({"set_priority.priority", "want either priority with override_reason, or impact and urgency"});
  } else if (manual && set.override_reason().empty()) {
    bad.push_back({"set_priority.override_reason", "missing, want the reason for a priority beside the matrix"});
  }
  if (!bad.empty()) return RefuseFields("INVALID_FIELD", bad);
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command));
  v1::PrioritySet event;
  if (manual) {
    event.set_priority(set.priority());
    event.set_basis(v1::MANUAL);
    event.set_override_reason(set.override_reason());
    event.set_impact(draft.state().impact());
    event.set_urgency(draft.state().urgency());
  } else {
    auto by_matrix = ByMatrix(draft, draft.state().kind(), set.impact(), set.urgency());
    if (!by_matrix.has_value()) {
      return Refuse(absl::StatusCode::kFailedPrecondition, "NO_PRIORITY_MATRIX",
                    absl::StrCat("no priority matrix is published for kind ", v1::CaseKind_Name(draft.state().kind())));
    }
    event = *std::move(by_matrix);
  }
  DOCKET_RETURN_IF_ERROR(EmitPriority(draft, std::move(event)));
  return Follow(draft, transition);
}

absl::Status DecideClassify(Draft& draft, const v1::Command& command) {
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command));
  const v1::ClassifyCase& classify = command.classify();
  if (classify.category() != draft.state().category() || classify.subcategory() != draft.state().subcategory()) {
    v1::Event event;
    event.mutable_case_classified()->set_category(classify.category());
    event.mutable_case_classified()->set_subcategory(classify.subcategory());
    DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  }
  return Follow(draft, transition);
}

absl::Status ApplyCaseReceived(const v1::Event& event, v1::Case* state) {
  const v1::CaseReceived& received = event.case_received();
  state->set_case_no(received.case_no());
  state->set_kind(received.kind());
  *state->mutable_workflow() = received.workflow();
  *state->mutable_status() = received.entered();
  *state->mutable_status_since() = event.occurred_at();
  *state->mutable_received_at() = received.received_at();
  *state->mutable_channel() = received.channel();
  if (received.has_external_ref()) *state->mutable_external_ref() = received.external_ref();
  state->set_language(received.language());
  *state->mutable_title() = received.title();
  if (received.has_narrative()) *state->mutable_narrative() = received.narrative();
  if (received.has_requester()) *state->mutable_requester() = received.requester();
  state->set_requester_ref(received.requester_ref());
  *state->mutable_matters() = received.matters();
  state->set_tier(received.tier());
  state->set_department(received.department());
  state->set_respondent_department(received.respondent_department());
  state->set_filed_by_department(received.filed_by_department());
  state->set_history(received.history());
  state->set_priority(received.priority());
  state->set_impact(received.impact());
  state->set_urgency(received.urgency());
  state->set_category(received.category());
  state->set_subcategory(received.subcategory());
  if (received.has_promised_due_at()) *state->mutable_promised_due_at() = received.promised_due_at();
  if (!received.deviation().empty()) state->set_deviations(1);
  if (received.entered().category() == v1::RESOLVED) *state->mutable_resolved_at() = event.occurred_at();
  if (received.entered().category() == v1::CLOSED) *state->mutable_closed_at() = event.occurred_at();
  return absl::OkStatus();
}

absl::Status ApplyCaseAccepted(const v1::CaseAccepted& event, v1::Case* state) {
  *state->mutable_accepted_at() = event.accepted_at();
  *state->mutable_criteria() = event.criteria();
  return absl::OkStatus();
}

absl::Status ApplyCaseDeclined(const v1::CaseDeclined& event, v1::Case* state) {
  state->set_declined_by(event.declined_by());
  return absl::OkStatus();
}

absl::Status ApplyCaseTriaged(const v1::CaseTriaged& event, v1::Case* state) {
  state->set_severity(event.severity());
  state->set_impact(event.impact());
  state->set_urgency(event.urgency());
  state->set_complexity(event.complexity());
  state->set_safety(event.safety());
  state->set_legal(event.legal());
  state->set_regulatory(event.regulatory());
  state->set_vulnerable(event.vulnerable());
  state->set_public_exposure(event.public_exposure());
  state->set_triaged(true);
  return absl::OkStatus();
}

absl::Status ApplyPrioritySet(const v1::PrioritySet& event, v1::Case* state) {
  state->set_priority(event.priority());
  state->set_impact(event.impact());
  state->set_urgency(event.urgency());
  return absl::OkStatus();
}

absl::Status ApplyCaseClassified(const v1::CaseClassified& event, v1::Case* state) {
  state->set_category(event.category());
  state->set_subcategory(event.subcategory());
  return absl::OkStatus();
}

absl::Status ApplyPromisedDueSet(const v1::PromisedDueSet& event, v1::Case* state) {
  if (event.has_due_at()) {
    *state->mutable_promised_due_at() = event.due_at();
  } else {
    state->clear_promised_due_at();
  }
  return absl::OkStatus();
}

}  // namespace docket::workflow
