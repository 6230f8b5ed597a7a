#include "workflow/projection/queue_place.h"

#include <algorithm>

#include "absl/time/time.h"
#include "workflow/base/time.h"
#include "workflow/escalation/escalation.h"
#include "workflow/projection/standing.h"
#include "workflow/sla/clock_rules.h"

namespace docket::projection {
namespace {

int64_t Micros(absl::Time time) { return time == absl::InfiniteFuture() ? kNever : absl::ToUnixMicros(time); }

bool IsOpen(const v1::Clock& clock) { return clock.state() == v1::RUNNING || clock.state() == v1::PAUSED; }

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

}  // namespace

v1::RowFacts StableFactsOf(const v1::RowFacts& all) {
  v1::RowFacts facts = all;
  facts.clear_status();
  facts.clear_category();
  return facts;
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

PastQueueRow PastQueueRowOf(const QueueRow& row, int64_t from_us, int64_t to_us) {
  PastQueueRow past;
  static_cast<QueuePlace&>(past) = row;
  past.queue = row.queue;
  past.length_class = LengthClass(from_us, to_us);
  past.stretch = StretchOf(past.length_class, from_us);
  past.from_us = from_us;
  past.value.set_to_us(to_us);
  past.value.set_stands_from_us(row.value.stands_from_us());
  *past.value.mutable_skills() = row.value.skills();
  return past;
}

bool IsSamePlace(const std::optional<QueueRow>& a, const std::optional<QueueRow>& b) {
  if (!a.has_value() || !b.has_value()) return a.has_value() == b.has_value();
  return a->queue == b->queue && static_cast<const QueuePlace&>(*a) == *b &&
         a->value.stands_from_us() == b->value.stands_from_us() &&
         std::equal(a->value.skills().begin(), a->value.skills().end(), b->value.skills().begin(),
                    b->value.skills().end());
}

}  // namespace docket::projection
