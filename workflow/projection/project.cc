#include "workflow/projection/project.h"

#include <algorithm>

#include "absl/time/time.h"
#include "workflow/base/time.h"
#include "workflow/case/advance.h"
#include "workflow/case/case_number.h"
#include "workflow/escalation/escalation.h"
#include "workflow/sla/clock_rules.h"

namespace docket::projection {
namespace {

int64_t Micros(absl::Time time) { return time == absl::InfiniteFuture() ? kNever : absl::ToUnixMicros(time); }

bool IsOpen(const v1::Clock& clock) { return clock.state() == v1::RUNNING || clock.state() == v1::PAUSED; }

// The facts without those that move with every status: rows that do not list by status need not be written for it.
v1::RowFacts StableFactsOf(const v1::RowFacts& all) {
  v1::RowFacts facts = all;
  facts.clear_status();
  facts.clear_category();
  return facts;
}

// DOMAIN's fixed tiers; anything else weighs nothing.
uint32_t TierWeight(const std::string& tier) {
  if (tier == "VIP") return 3;
  if (tier == "MAIN") return 2;
  if (tier == "ORDINARY") return 1;
  return 0;
}

// When a case that has left its queue to wait stands in it again, if nothing happens: the end of a wait is true at its
// instant, whether anybody has recorded it or not. nullopt: the wait has no end of its own.
std::optional<absl::Time> BackInQueueAt(const v1::Case& state) {
  const bool returns =
      state.has_resume_status() && state.resume_status().active() && !state.resume_status().leaves_queue();
  if (!returns || state.history() || !state.wait().has_until()) return std::nullopt;
  return FromProto(state.wait().until());
}

std::optional<QueueRow> QueueRowOf(const v1::Case& state) {
  if (state.queue().empty() || !state.status().active()) return std::nullopt;
  QueueRow row;
  if (state.status().leaves_queue()) {
    const std::optional<absl::Time> back = BackInQueueAt(state);
    if (!back.has_value()) return std::nullopt;
    row.value.set_stands_from_us(absl::ToUnixMicros(*back));
  }
  row.queue = state.queue();
  row.band = state.safety() ? 0 : 2;
  row.effective_due_us = kNever;
  for (const v1::Clock& clock : state.clocks()) {
    if (!IsOpen(clock) || clock.nature() != v1::DUTY) continue;
    row.effective_due_us = std::min(row.effective_due_us, Micros(sla::LateFrom(clock)));
    if (clock.obligation() == v1::REGULATOR) row.band = std::min<uint8_t>(row.band, 1);
  }
  row.received_at_us = absl::ToUnixMicros(FromProto(state.received_at()));
  if (row.effective_due_us == kNever) {
    row.effective_due_us = state.has_queue_default_due_at()
                               ? absl::ToUnixMicros(FromProto(state.queue_default_due_at()))
                               : row.received_at_us;
  }
  row.inverse_level = 255 - std::min<uint32_t>(255, escalation::HighestLevel(state));
  row.priority = state.priority();
  row.inverse_tier = 255 - TierWeight(state.tier());
  row.case_id = state.case_id();
  *row.value.mutable_facts() = StableFactsOf(FactsOf(state));
  row.value.set_tier(state.tier());
  row.value.set_effective_due_us(row.effective_due_us);
  row.value.set_received_at_us(row.received_at_us);
  *row.value.mutable_skills() = state.required_skills();
  return row;
}

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
      if (one.clock_no() != 0 && clock.clock_no() == one.clock_no()) row.value.set_metric(clock.metric());
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
  rows.queue = QueueRowOf(state);
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
