#include "workflow/projection/project.h"

#include <algorithm>

#include "absl/time/time.h"
#include "workflow/base/time.h"
#include "workflow/case/advance.h"
#include "workflow/case/case_number.h"
#include "workflow/escalation/escalation.h"
#include "workflow/sla/clock_rules.h"
#include "workflow/sla/policy_match.h"

namespace docket::projection {
namespace {

int64_t Micros(absl::Time time) { return time == absl::InfiniteFuture() ? kNever : absl::ToUnixMicros(time); }

template <class Timestamp>
int64_t MicrosOrZero(bool has, const Timestamp& timestamp) {
  return has ? absl::ToUnixMicros(FromProto(timestamp)) : 0;
}

bool IsOpen(const v1::Clock& clock) { return clock.state() == v1::RUNNING || clock.state() == v1::PAUSED; }

// The facts without those that move with every status: rows that do not list by status need not be written for it.
v1::RowFacts StableFactsOf(const v1::Case& state) {
  v1::RowFacts facts = FactsOf(state);
  facts.clear_status();
  facts.clear_category();
  return facts;
}

DutyRow DutyRowOf(const v1::Case& state, const v1::Clock& clock) {
  DutyRow row;
  row.late_from_us = Micros(sla::LateFrom(clock));
  row.case_id = state.case_id();
  row.clock_no = clock.clock_no();
  row.value.set_metric(clock.metric());
  row.value.set_obligation(clock.obligation());
  row.value.set_due_at_us(MicrosOrZero(clock.has_due_at(), clock.due_at()));
  row.value.set_first_due_at_us(MicrosOrZero(clock.has_first_due_at(), clock.first_due_at()));
  row.value.set_breached_due_at_us(MicrosOrZero(clock.has_breached_due_at(), clock.breached_due_at()));
  row.value.set_paused(clock.state() == v1::PAUSED);
  row.value.set_paused_until_us(MicrosOrZero(clock.has_paused_until(), clock.paused_until()));
  row.value.set_answerable(AnsweringDepartment(state, clock));
  row.value.set_escalation_level(escalation::HighestLevel(state));
  row.value.set_calendar(clock.calendar().id());
  row.value.set_calendar_version(clock.calendar().version());
  *row.value.mutable_facts() = StableFactsOf(state);
  return row;
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
  *row.value.mutable_facts() = StableFactsOf(state);
  row.value.set_tier(state.tier());
  row.value.set_effective_due_us(row.effective_due_us);
  row.value.set_received_at_us(row.received_at_us);
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

}  // namespace

v1::RowFacts FactsOf(const v1::Case& state) {
  v1::RowFacts facts;
  facts.set_kind(state.kind());
  facts.set_status(state.status().status());
  facts.set_category(state.status().category());
  facts.set_priority(state.priority());
  facts.set_department(state.department());
  facts.set_queue(state.queue());
  facts.set_owner(state.owner());
  facts.set_source(state.external_ref().source());
  facts.set_topic(state.category());
  return facts;
}

bool StandsInQueue(const v1::Case& state, absl::Time at) {
  const std::optional<QueueRow> row = QueueRowOf(state);
  return row.has_value() && row->value.stands_from_us() <= absl::ToUnixMicros(at);
}

std::string AnsweringDepartment(const v1::Case& state, const v1::Clock& clock) {
  return sla::AnsweringDepartment(clock.answerable_rule(), clock.item(), state);
}

Rows RowsOf(const v1::Case& state) {
  Rows rows;
  rows.number = NumberRowOf(state);
  if (!state.external_ref().source().empty()) {
    rows.external = ExternalRow{.source = state.external_ref().source(),
                                .external_key = state.external_ref().key(),
                                .case_id = state.case_id()};
  }
  for (const v1::Clock& clock : state.clocks()) {
    if (IsOpen(clock) && clock.nature() == v1::DUTY) rows.duties.push_back(DutyRowOf(state, clock));
  }
  rows.queue = QueueRowOf(state);
  if (const absl::Time wake = workflow::WakeAt(state); wake != absl::InfiniteFuture()) {
    WakeRow row;
    row.at_us = absl::ToUnixMicros(wake);
    row.case_id = state.case_id();
    rows.wake = row;
  }
  for (const v1::Escalation& one : state.escalations()) {
    EscalationRow row;
    row.acknowledged = one.state() == v1::Escalation::ACKNOWLEDGED;
    row.raised_at_us = absl::ToUnixMicros(FromProto(one.raised_at()));
    row.case_id = state.case_id();
    row.escalation_no = one.escalation_no();
    *row.value.mutable_targets() = one.targets();
    row.value.set_department(one.department());
    row.value.set_acknowledged(row.acknowledged);
    rows.escalations.push_back(std::move(row));
  }
  return rows;
}

}  // namespace docket::projection
