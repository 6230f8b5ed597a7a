#include "workflow/case/history.h"

#include <string>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/ownership.h"
#include "workflow/case/status.h"
#include "workflow/sla/target.h"

namespace docket::workflow {
namespace {

v1::Event RowEvent(const Draft& draft, const v1::SourceRow& row, const std::string& source) {
  v1::Event event;
  v1::SourceRowRecorded* recorded = event.mutable_source_row_recorded();
  recorded->set_source(source);
  recorded->set_file(row.file());
  recorded->set_line(row.line());
  recorded->set_cursor(row.cursor());
  recorded->set_source_status(row.source_status());
  recorded->set_updated_by_ref(row.updated_by_ref());
  *event.mutable_occurred_at() = ToProto(draft.context().effective);
  return event;
}

absl::StatusOr<const v1::Status*> StatusOfRow(const v1::Chart& chart, const v1::SourceRow& row) {
  const v1::Status* status = FindStatus(chart, row.status());
  if (status == nullptr) {
    return RefuseFields("INVALID_FIELD",
                        {{"row.status", absl::StrCat("\"", row.status(), "\" is no status of workflow ", chart.id(),
                                                     "@", chart.version())}});
  }
  return status;
}

// An edge of the chart between two statuses, whatever its command and guards; null: none.
const v1::Transition* EdgeBetween(const v1::Chart& chart, absl::string_view from, absl::string_view to) {
  for (const v1::Transition& transition : chart.transitions()) {
    if ((transition.to() == to || transition.back_to_resume()) && absl::c_linear_search(transition.from(), from)) {
      return &transition;
    }
  }
  return nullptr;
}

bool IsStopped(v1::StatusCategory category) { return category == v1::RESOLVED || category == v1::CLOSED; }

absl::Status EmitRowStatus(Draft& draft, const v1::Chart& chart, const v1::SourceRow& row) {
  if (row.status() == draft.state().status().status()) return absl::OkStatus();
  DOCKET_ASSIGN_OR_RETURN(const v1::Status* status, StatusOfRow(chart, row));
  const bool reopens = IsStopped(draft.state().status().category()) && !IsStopped(status->category());
  if (reopens) DOCKET_RETURN_IF_ERROR(EmitReopened(draft, v1::NOT_RESOLVED));
  if (status->category() == v1::CLOSED) {
    v1::Event closed;
    closed.mutable_case_closed()->set_basis("IMPORTED");
    closed.mutable_case_closed()->set_closure_code(row.closure_code());
    DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(closed)));
  }
  v1::Event event;
  v1::StatusChanged* changed = event.mutable_status_changed();
  changed->set_from(draft.state().status().status());
  changed->set_from_category(draft.state().status().category());
  *changed->mutable_entered() = EnteredOf(chart, *status, draft.context().effective);
  const v1::Transition* edge = EdgeBetween(chart, changed->from(), status->id());
  if (edge != nullptr) {
    changed->set_transition_id(edge->id());
  } else {
    changed->set_deviation("NO_TRANSITION");
  }
  if (status->category() == v1::WAITING) {
    changed->mutable_wait()->set_resume_to(changed->from_category() == v1::WAITING ? draft.state().wait().resume_to()
                                                                                   : changed->from());
    *changed->mutable_wait()->mutable_since() = ToProto(draft.context().effective);
  }
  return draft.Emit(std::move(event));
}

// A promise may lie before the row that tells of it: the source may tell late.
absl::Status CheckRowDue(const v1::SourceRow& row, const google::protobuf::Timestamp& received_at) {
  if (!row.has_due_at()) return absl::OkStatus();
  std::string fault = sla::PromiseFault(FromProto(row.due_at()), FromProto(received_at), /*live=*/false);
  return fault.empty() ? absl::OkStatus() : RefuseFields("INVALID_FIELD", {{"row.due_at", std::move(fault)}});
}

absl::Status EmitRowDue(Draft& draft, const v1::SourceRow& row) {
  const v1::Case& state = draft.state();
  if (row.has_due_at() == state.has_promised_due_at() &&
      FromProto(row.due_at()) == FromProto(state.promised_due_at())) {
    return absl::OkStatus();
  }
  v1::Event event;
  v1::PromisedDueSet* set = event.mutable_promised_due_set();
  if (row.has_due_at()) *set->mutable_due_at() = row.due_at();
  return draft.Emit(std::move(event));
}

absl::Status EmitRowOwnership(Draft& draft, const v1::SourceRow& row) {
  if (row.queue() != draft.state().queue()) {
    if (row.queue().empty()) {
      DOCKET_RETURN_IF_ERROR(EmitDequeued(draft));
    } else {
      DOCKET_RETURN_IF_ERROR(EmitQueued(draft, row.queue()));
    }
  }
  if (row.owner() != draft.state().owner()) {
    if (row.owner().empty()) {
      DOCKET_RETURN_IF_ERROR(EmitReleased(draft));
    } else {
      DOCKET_RETURN_IF_ERROR(EmitAssigned(draft, row.owner(), v1::GIVE));
    }
  }
  return absl::OkStatus();
}

absl::Status EmitRowDetails(Draft& draft, const v1::SourceRow& row) {
  const v1::Case& state = draft.state();
  if (row.priority() != state.priority() || row.impact() != state.impact() || row.urgency() != state.urgency()) {
    v1::Event event;
    v1::PrioritySet* set = event.mutable_priority_set();
    set->set_priority(row.priority());
    set->set_impact(row.impact());
    set->set_urgency(row.urgency());
    set->set_previous(state.priority());
    set->set_basis(v1::IMPORTED);
    DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  }
  if (row.category() != draft.state().category() || row.subcategory() != draft.state().subcategory()) {
    v1::Event event;
    event.mutable_case_classified()->set_category(row.category());
    event.mutable_case_classified()->set_subcategory(row.subcategory());
    DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status DecideHistoricalFile(Draft& draft, const v1::FileCase& file, const v1::Chart& chart, v1::Event received) {
  const v1::SourceRow& row = file.row();
  DOCKET_ASSIGN_OR_RETURN(const v1::Status* status, StatusOfRow(chart, row));
  v1::CaseReceived* body = received.mutable_case_received();
  DOCKET_RETURN_IF_ERROR(CheckRowDue(row, body->received_at()));
  *body->mutable_entered() = EnteredOf(chart, *status, draft.context().effective);
  if (status->id() != chart.initial()) body->set_deviation("BEGINS_ELSEWHERE");
  body->set_priority(row.priority());
  body->set_impact(row.impact());
  body->set_urgency(row.urgency());
  body->set_priority_basis(v1::IMPORTED);
  body->set_category(row.category());
  body->set_subcategory(row.subcategory());
  if (row.has_due_at()) *body->mutable_promised_due_at() = row.due_at();
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(received)));
  DOCKET_RETURN_IF_ERROR(draft.Emit(RowEvent(draft, row, file.external_ref().source())));
  return EmitRowOwnership(draft, row);
}

absl::Status DecideSourceRow(Draft& draft, const v1::Command& command) {
  const v1::SourceRow& row = command.record_source_row().row();
  const v1::Case& state = draft.state();
  if (row.cursor() <= state.source_cursor()) return absl::OkStatus();
  if (!state.history()) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "NOT_HISTORY",
                  absl::StrCat("case ", state.case_no(), " is not an import in progress; its history has ended"));
  }
  if (row.cursor() != state.source_cursor() + 1) {
    // Rows sent in a row may be executed out of it when one is retried; a gap must not swallow the row that is missing.
    return Refuse(absl::StatusCode::kFailedPrecondition, "SOURCE_ROW_GAP",
                  absl::StrCat("row.cursor: ", row.cursor(), ", want ", state.source_cursor() + 1, " next for case ",
                               state.case_no()),
                  {{"want", absl::StrCat(state.source_cursor() + 1)}});
  }
  if (draft.context().effective < FromProto(state.last_event_at())) {
    return RefuseFields("INVALID_FIELD", {{"occurred_at", absl::StrCat(FormatUtc(draft.context().effective),
                                                                       " lies before the row before it, ",
                                                                       FormatUtc(FromProto(state.last_event_at())))}});
  }
  DOCKET_ASSIGN_OR_RETURN(const v1::Chart* chart, PinnedChart(state, *draft.context().policies));
  DOCKET_RETURN_IF_ERROR(StatusOfRow(*chart, row).status());
  DOCKET_RETURN_IF_ERROR(CheckRowDue(row, state.received_at()));
  DOCKET_RETURN_IF_ERROR(draft.Emit(RowEvent(draft, row, state.external_ref().source())));
  DOCKET_RETURN_IF_ERROR(EmitRowDetails(draft, row));
  DOCKET_RETURN_IF_ERROR(EmitRowDue(draft, row));
  DOCKET_RETURN_IF_ERROR(EmitRowOwnership(draft, row));
  return EmitRowStatus(draft, *chart, row);
}

absl::Status DecideEndHistory(Draft& draft, const v1::Command& command) {
  if (!draft.state().history()) return absl::OkStatus();
  v1::Event event;
  *event.mutable_history_ended()->mutable_observed_until() = command.end_history().observed_until();
  return draft.Emit(std::move(event));
}

absl::Status ApplySourceRowRecorded(const v1::SourceRowRecorded& event, v1::Case* state) {
  if (event.cursor() <= state->source_cursor()) {
    return absl::DataLossError(absl::StrCat("source row ", event.cursor(), " after row ", state->source_cursor()));
  }
  state->set_source(event.source());
  state->set_source_cursor(event.cursor());
  return absl::OkStatus();
}

absl::Status ApplyHistoryEnded(const v1::HistoryEnded& event, v1::Case* state) {
  state->set_history(false);
  *state->mutable_observed_until() = event.observed_until();
  return absl::OkStatus();
}

}  // namespace docket::workflow
