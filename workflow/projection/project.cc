#include "workflow/projection/project.h"

#include <algorithm>

#include "absl/time/time.h"
#include "workflow/base/time.h"
#include "workflow/case/advance.h"
#include "workflow/case/case_number.h"
#include "workflow/escalation/escalation.h"
#include "workflow/projection/queue_place.h"

namespace docket::projection {
namespace {

std::optional<CaseNumberRow> NumberRowOf(const v1::Case& state) {
  const auto number = workflow::ParseCaseNumber(state.case_no());
  if (!number.has_value()) return std::nullopt;
  CaseNumberRow row;
  row.prefix = number->prefix;
  row.year = number->year;
  row.counter = number->counter;
  row.case_id = state.case_id();
  return row;
}

void AddDuties(const v1::Case& state, const Standing& standing, Rows* rows) {
  if (standing.shown.duties().empty()) return;
  const v1::RowFacts facts = StableFactsOf(standing.shown.facts());
  for (const v1::PeriodDuty& duty : standing.shown.duties()) {
    DutyRow& row = rows->duties.emplace_back();
    row.late_from_us = duty.late_from_us();
    row.case_id = state.case_id();
    row.clock_no = duty.clock_no();
    row.value = duty.duty();
    row.value.set_escalation_level(standing.shown.shown().escalation_level());
    *row.value.mutable_facts() = facts;
  }
}

void AddEscalations(const v1::Case& state, Rows* rows) {
  for (const v1::Escalation& one : state.escalations()) {
    EscalationRow& row = rows->escalations.emplace_back();
    row.acknowledged = !escalation::NeedsAnswer(one);
    row.raised_at_us = absl::ToUnixMicros(escalation::StandsSince(one));
    row.case_id = state.case_id();
    row.escalation_no = one.escalation_no();
    *row.value.mutable_escalation() = one;
    for (const v1::Clock& clock : state.clocks()) {
      if (one.clock_no() == 0 || clock.clock_no() != one.clock_no()) continue;
      row.value.set_metric(clock.metric());
      row.value.set_obligation(clock.obligation());
    }
  }
}

// Since when things stand where they stand. Duties and escalations have rows of their own.
void AddEntries(const v1::Case& state, const v1::CaseListing& listing, Rows* rows) {
  for (const v1::ListEntry& entry : listing.entries()) {
    if (entry.list() == v1::LISTED_DUTY) {
      for (DutyRow& duty : rows->duties) {
        if (duty.clock_no == entry.item()) duty.value.set_from_us(entry.from_us());
      }
      continue;
    }
    if (entry.list() == v1::LISTED_ESCALATION) {
      for (EscalationRow& escalation : rows->escalations) {
        if (escalation.escalation_no == entry.item()) escalation.value.set_from_us(entry.from_us());
      }
      continue;
    }
    EntryRow& row = rows->entries.emplace_back();
    row.list = entry.list();
    row.group = entry.group();
    row.anchor_us = entry.anchor_us();
    row.case_id = state.case_id();
    row.item = entry.item();
    row.value.set_from_us(entry.from_us());
  }
}

}  // namespace

bool StandsInQueue(const v1::Case& state, absl::Time at) {
  const std::optional<QueueRow> row = QueueRowOf(state);
  return row.has_value() && row->value.stands_from_us() <= absl::ToUnixMicros(at);
}

bool InHand(const v1::RowFacts& facts, const v1::CaseShown& shown, absl::Time at) {
  if (facts.owner().empty()) return false;
  if (facts.category() != v1::WAITING) return facts.category() == v1::NEW || facts.category() == v1::OPEN;
  const int64_t until_us = shown.wait().until_us();
  return until_us != 0 && !shown.history() && until_us <= absl::ToUnixMicros(at);
}

CaseRow CaseRowOf(const v1::Case& state, const v1::CaseListing& listing) {
  CaseRow row;
  row.case_id = state.case_id();
  row.value.set_revision(state.revision());
  row.value.set_case_no(state.case_no());
  *row.value.mutable_facts() = FactsOf(state);
  *row.value.mutable_shown() = ShownOf(state);
  if (state.has_title()) *row.value.mutable_title() = state.title();
  *row.value.mutable_listing() = listing;
  return row;
}

Rows RowsOf(const v1::Case& state) { return RowsOf(state, StandingOf(state), {}); }

Rows RowsOf(const v1::Case& state, const Standing& standing, const v1::CaseListing& listing) {
  Rows rows;
  rows.number = NumberRowOf(state);
  if (!state.external_ref().source().empty()) {
    rows.external = ExternalRow{.source = state.external_ref().source(),
                                .external_key = state.external_ref().key(),
                                .case_id = state.case_id()};
  }
  AddDuties(state, standing, &rows);
  rows.queue = standing.queue;
  if (rows.queue.has_value()) rows.queue->value.set_from_us(listing.queued_from_us());
  if (const absl::Time wake = workflow::WakeAt(state); wake != absl::InfiniteFuture()) {
    WakeRow row;
    row.at_us = absl::ToUnixMicros(wake);
    row.case_id = state.case_id();
    rows.wake = row;
  }
  AddEscalations(state, &rows);
  AddEntries(state, listing, &rows);
  return rows;
}

}  // namespace docket::projection
