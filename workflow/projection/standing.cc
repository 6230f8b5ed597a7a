#include "workflow/projection/standing.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/time/time.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"
#include "workflow/escalation/escalation.h"
#include "workflow/projection/queue_place.h"
#include "workflow/sla/clock_rules.h"
#include "workflow/sla/policy_match.h"

namespace docket::projection {
namespace {

constexpr int64_t kShortestClassUs = int64_t{3'600'000'000};

int64_t Micros(absl::Time time) { return time == absl::InfiniteFuture() ? kNever : absl::ToUnixMicros(time); }

int64_t Micros(const google::protobuf::Timestamp& timestamp) { return absl::ToUnixMicros(FromProto(timestamp)); }

template <class Timestamp>
int64_t MicrosOrZero(bool has, const Timestamp& timestamp) {
  return has ? Micros(timestamp) : 0;
}

// What somebody says, later, to have done in time is still late until a second person has confirmed it (R7).
bool IsOpenDuty(const v1::Clock& clock) {
  const bool open = clock.state() == v1::RUNNING || clock.state() == v1::PAUSED || sla::IsDisputed(clock);
  return clock.nature() == v1::DUTY && open;
}

v1::PeriodDuty DutyOf(const v1::Case& state, const v1::Clock& clock) {
  v1::PeriodDuty row;
  row.set_clock_no(clock.clock_no());
  row.set_late_from_us(Micros(sla::LateFrom(clock)));
  v1::DutyRowValue& duty = *row.mutable_duty();
  duty.set_metric(clock.metric());
  duty.set_obligation(clock.obligation());
  duty.set_due_at_us(MicrosOrZero(clock.has_due_at(), clock.due_at()));
  duty.set_first_due_at_us(MicrosOrZero(clock.has_first_due_at(), clock.first_due_at()));
  duty.set_breached_due_at_us(MicrosOrZero(clock.has_breached_due_at(), clock.breached_due_at()));
  duty.set_paused(clock.state() == v1::PAUSED);
  if (duty.paused() && !clock.pauses().empty()) duty.set_paused_since_us(Micros(clock.pauses().rbegin()->start()));
  duty.set_paused_until_us(MicrosOrZero(clock.has_paused_until(), clock.paused_until()));
  duty.set_answerable(AnsweringDepartment(state, clock));
  duty.set_calendar(clock.calendar().id());
  duty.set_calendar_version(clock.calendar().version());
  return row;
}

void AddApprovals(const v1::Case& state, v1::CaseShown* shown) {
  for (const v1::Escalation& one : state.escalations()) {
    if (one.state() != v1::Escalation::REQUESTED) continue;
    v1::PendingApproval& approval = *shown->add_approvals();
    approval.set_kind(v1::Approval::ESCALATION);
    approval.set_item(one.escalation_no());
    approval.set_since_us(Micros(one.requested_at()));
    approval.set_asked_by(one.requested_by());
    approval.set_answerable(one.department());
    approval.set_escalation_kind(one.kind());
    approval.set_reason_code(one.reason_code());
  }
  for (const v1::Clock& clock : state.clocks()) {
    if (!clock.disputed()) continue;
    v1::PendingApproval& approval = *shown->add_approvals();
    approval.set_kind(v1::Approval::LATE_ENTRY);
    approval.set_item(clock.clock_no());
    approval.set_since_us(Micros(clock.has_entered_at() ? clock.entered_at() : clock.stopped_at()));
    approval.set_asked_by(clock.entered_by());
    approval.set_answerable(AnsweringDepartment(state, clock));
    approval.set_metric(clock.metric());
    approval.set_obligation(clock.obligation());
    approval.set_due_at_us(MicrosOrZero(clock.has_breached_due_at(), clock.breached_due_at()));
    approval.set_claimed_at_us(Micros(clock.stopped_at()));
  }
}

// Adds entries in the order of the kinds, which is that of comparing.
class Entries {
 public:
  v1::ListEntry& Add(v1::ListKind list, int64_t anchor_us, uint32_t item = 0) {
    v1::ListEntry& entry = entries_.emplace_back();
    entry.set_list(list);
    entry.set_anchor_us(anchor_us);
    entry.set_item(item);
    return entry;
  }
  std::vector<v1::ListEntry> Take() { return std::move(entries_); }

 private:
  std::vector<v1::ListEntry> entries_;
};

using Identity = std::tuple<v1::ListKind, const std::string&, uint32_t>;
Identity IdentityOf(const v1::ListEntry& entry) { return {entry.list(), entry.group(), entry.item()}; }

// Its anchor is the instant from which it stands there.
bool IsOrderedBySince(v1::ListKind list) {
  return list == v1::LISTED_OWNED || list == v1::LISTED_UNOWNED || list == v1::LISTED_NO_CLOCK;
}

// What is resolved waits for nobody here, so nobody has to take it and no duty has to run.
bool WantsWork(v1::StatusCategory category) {
  return category == v1::NEW || category == v1::OPEN || category == v1::WAITING;
}

std::vector<v1::ListEntry> EntriesOf(const v1::Case& state, const v1::CasePeriodRowValue& shown) {
  Entries entries;
  int64_t paused_since_us = kNever;
  for (const v1::PeriodDuty& duty : shown.duties()) {
    entries.Add(v1::LISTED_DUTY, duty.late_from_us(), duty.clock_no())
        .set_regulatory(duty.duty().obligation() == v1::REGULATOR);
    if (duty.duty().paused()) paused_since_us = std::min(paused_since_us, duty.duty().paused_since_us());
  }
  const bool unfinished = state.status().active() || !shown.duties().empty();
  if (!state.owner().empty() && unfinished) entries.Add(v1::LISTED_OWNED, 0).set_group(state.owner());
  if (WantsWork(state.status().category())) {
    if (state.owner().empty()) entries.Add(v1::LISTED_UNOWNED, 0);
    if (shown.duties().empty()) entries.Add(v1::LISTED_NO_CLOCK, 0);
  }
  const v1::WaitFacts& wait = shown.shown().wait();
  if (shown.shown().has_wait()) {
    entries.Add(v1::LISTED_WAITING, wait.since_us());
  } else if (paused_since_us != kNever) {
    entries.Add(v1::LISTED_WAITING, paused_since_us);  // its clock waits, by a rule of the policy; the case does not
  }
  if (wait.until_us() != 0) entries.Add(v1::LISTED_WAKE_UP, wait.until_us());
  for (const v1::Escalation& one : state.escalations()) {
    const int64_t since_us = Micros(escalation::StandsSince(one));
    v1::ListEntry& entry = entries.Add(v1::LISTED_ESCALATION, since_us, one.escalation_no());
    if (!escalation::NeedsAnswer(one)) entry.set_group(kAcknowledged);
  }
  for (const v1::PendingApproval& one : shown.shown().approvals()) {
    entries.Add(v1::LISTED_APPROVAL, one.since_us(), one.item());
  }
  std::vector<v1::ListEntry> sorted = entries.Take();
  std::sort(sorted.begin(), sorted.end(),
            [](const v1::ListEntry& a, const v1::ListEntry& b) { return IdentityOf(a) < IdentityOf(b); });
  return sorted;
}

void Close(const std::string& case_id, const v1::ListEntry& entry, int64_t at_us, PastRows* past) {
  if (entry.from_us() == at_us) return;
  PastEntryRow row;
  row.list = entry.list();
  row.group = entry.group();
  row.length_class = LengthClass(entry.anchor_us(), at_us);
  row.anchor_us = entry.anchor_us();
  row.case_id = case_id;
  row.item = entry.item();
  row.from_us = entry.from_us();
  row.value.set_to_us(at_us);
  row.value.set_regulatory(entry.regulatory());
  past->entries.push_back(std::move(row));
}

// Both sides are sorted by identity.
void FollowEntries(const std::string& case_id, const std::vector<v1::ListEntry>& after, int64_t at_us,
                   v1::CaseListing* listing, PastRows* past) {
  google::protobuf::RepeatedPtrField<v1::ListEntry> before;
  before.Swap(listing->mutable_entries());
  int i = 0;
  for (const v1::ListEntry& next : after) {
    for (; i < before.size() && IdentityOf(before[i]) < IdentityOf(next); ++i) {
      Close(case_id, before[i], at_us, past);
    }
    const bool known = i < before.size() && IdentityOf(before[i]) == IdentityOf(next);
    const bool since = IsOrderedBySince(next.list());
    if (known && (since || before[i].anchor_us() == next.anchor_us())) {
      *listing->add_entries() = std::move(before[i++]);
      continue;
    }
    if (known) Close(case_id, before[i++], at_us, past);
    v1::ListEntry& added = *listing->add_entries();
    added = next;
    added.set_from_us(at_us);
    if (since) added.set_anchor_us(at_us);
  }
  for (; i < before.size(); ++i) Close(case_id, before[i], at_us, past);
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
  facts.set_tier(state.tier());
  return facts;
}

v1::CaseShown ShownOf(const v1::Case& state) {
  v1::CaseShown shown;
  shown.set_received_at_us(MicrosOrZero(state.has_received_at(), state.received_at()));
  shown.set_reopen_count(state.reopen_count());
  shown.set_safety(state.safety());
  shown.set_escalation_level(escalation::HighestLevel(state));
  shown.set_history(state.history());
  if (state.status().category() == v1::WAITING) {
    v1::WaitFacts& wait = *shown.mutable_wait();
    wait.set_on(state.wait().on());
    wait.set_since_us(Micros(state.wait().has_since() ? state.wait().since() : state.status_since()));
    wait.set_until_us(MicrosOrZero(state.wait().has_until(), state.wait().until()));
    wait.set_reason_code(state.wait().reason_code());
    *wait.mutable_pauses() = state.status().pauses();
  }
  AddApprovals(state, &shown);
  return shown;
}

std::string AnsweringDepartment(const v1::Case& state, const v1::Clock& clock) {
  return sla::AnsweringDepartment(clock.answerable_rule(), clock.item(), state);
}

bool MovesRows(v1::Event::BodyCase type) {
  switch (type) {
    case v1::Event::kInternalNoteAdded:
    case v1::Event::kInboundReceived:
    case v1::Event::kOutboundSent:
    case v1::Event::kSourceRowRecorded:
      return false;
    default:
      return true;
  }
}

Standing StandingOf(const v1::Case& state) {
  Standing standing;
  if (state.revision() == 0) return standing;
  *standing.shown.mutable_facts() = FactsOf(state);
  *standing.shown.mutable_shown() = ShownOf(state);
  for (const v1::Clock& clock : state.clocks()) {
    if (IsOpenDuty(clock)) *standing.shown.add_duties() = DutyOf(state, clock);
  }
  standing.entries = EntriesOf(state, standing.shown);
  standing.queue = QueueRowOf(state);
  return standing;
}

void Follow(const std::string& case_id, const Standing& before, const Standing& after, int64_t at_us, uint32_t revision,
            v1::CaseListing* listing, PastRows* past) {
  DOCKET_CHECK(at_us >= listing->since_us());
  listing->set_newest_us(std::max(listing->newest_us(), at_us));
  const bool opens = listing->since_revision() == 0;
  if (opens || before.shown.SerializeAsString() != after.shown.SerializeAsString()) {
    if (!opens && listing->since_us() < at_us) {
      CasePeriodRow row;
      row.case_id = case_id;
      row.since_us = listing->since_us();
      row.value = before.shown;
      row.value.set_revision(listing->since_revision());
      past->periods.push_back(std::move(row));
    }
    listing->set_since_us(at_us);
    listing->set_since_revision(revision);
  }
  FollowEntries(case_id, after.entries, at_us, listing, past);
  if (IsSamePlace(before.queue, after.queue)) return;
  if (before.queue.has_value() && listing->queued_from_us() < at_us) {
    past->queues.push_back(PastQueueRowOf(*before.queue, listing->queued_from_us(), at_us));
  }
  listing->set_queued_from_us(after.queue.has_value() ? at_us : 0);
}

int64_t StretchOf(uint8_t length_class, int64_t at_us) {
  const int64_t longest = LongestOf(length_class);
  return at_us / longest - (at_us % longest < 0 ? 1 : 0);
}

uint8_t LengthClass(int64_t anchor_us, int64_t to_us) {
  if (to_us <= anchor_us) return 0;
  uint8_t length_class = 1;
  while (length_class < kMaxLengthClass && LongestOf(length_class) < to_us - anchor_us) ++length_class;
  return length_class;
}

int64_t LongestOf(uint8_t length_class) {
  DOCKET_CHECK(length_class >= 1 && length_class <= kMaxLengthClass);
  const int octave = (length_class - 1) / 2;
  const int64_t longest = kShortestClassUs << octave;
  return length_class % 2 == 1 ? longest : longest + longest / 2;
}

}  // namespace docket::projection
