#include "tests/support/brute_force.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "store/record_format.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"
#include "workflow/case/replay.h"

namespace docket::testing {
namespace {

template <class Message>
std::optional<absl::Time> DueOf(const Message& message) {
  if (!message.has_due_at()) return std::nullopt;
  return FromProto(message.due_at());
}

int TierWeight(const std::string& tier) { return tier == "VIP" ? 3 : tier == "MAIN" ? 2 : tier == "ORDINARY" ? 1 : 0; }

// 0: safety; 1: something is owed to a regulator; 2: other.
int BandOf(const TwinCase& one) {
  if (one.safety) return 0;
  for (const auto& [no, clock] : one.clocks) {
    if (clock.duty && !clock.stopped && clock.obligation == v1::REGULATOR) return 1;
  }
  return 2;
}

absl::Time EffectiveDue(const TwinCase& one) {
  std::optional<absl::Time> earliest;
  for (const auto& [no, clock] : one.clocks) {
    if (!clock.duty || clock.stopped || !clock.LateFrom().has_value()) continue;
    earliest = std::min(earliest.value_or(absl::InfiniteFuture()), *clock.LateFrom());
  }
  if (earliest.has_value()) return *earliest;
  return one.default_due.value_or(one.received_at);
}

bool StandsInQueue(const TwinCase& one, absl::Time t) {
  if (!one.received || !one.active) return false;
  if (!one.leaves_queue) return true;
  return one.wait_until.has_value() && *one.wait_until <= t && !one.leaves_queue_after_wait && !one.history;
}

bool WantsWork(const TwinCase& one) {
  return one.category == v1::NEW || one.category == v1::OPEN || one.category == v1::WAITING;
}

uint32_t HighestOf(const TwinCase& one) {
  uint32_t highest = 0;
  for (const auto& [number, level] : one.levels) highest = std::max(highest, level);
  return highest;
}

}  // namespace

std::string TwinDuty::ToString() const {
  return absl::StrCat(FormatUtc(late_from), " ", case_id, "/", clock_no, " due ",
                      due.has_value() ? FormatUtc(*due) : "-", paused ? " paused " : " ", department);
}

std::vector<LogEvent> ReadWholeLog(const store::EventLog& log) {
  std::vector<LogEvent> events;
  const auto cursor = log.ReadFrom(0);
  for (;;) {
    const auto stored = cursor->Next();
    DOCKET_CHECK(stored.ok());
    if (!stored->has_value()) return events;
    const auto record = store::DecodeRecord(**stored);
    DOCKET_CHECK(record.ok());
    for (const v1::Slice& slice : record->slices()) {
      if (slice.kind() != v1::STREAM_KIND_CASE) continue;
      for (int i = 0; i < slice.events_size(); ++i) {
        const auto event = workflow::DecodeEvent(slice.events(i));
        DOCKET_CHECK(event.ok());
        events.push_back({.case_id = slice.stream_id(),
                          .revision = static_cast<uint32_t>(slice.first_revision() + i),
                          .occurred_at = absl::FromUnixMicros(slice.events(i).occurred_at_us()),
                          .recorded_at = absl::FromUnixMicros(record->recorded_at_us()),
                          .event = *event});
      }
    }
  }
}

void LogTwin::TakeLogEvent(const LogEvent& one) {
  TwinCase& taken = cases_[one.case_id];
  taken.case_id = one.case_id;
  Take(one.event, one.revision, &taken);
}

LogTwin::LogTwin(const std::vector<LogEvent>& log, const policy::PolicySet& policies, absl::Time valid_at,
                 absl::Time known_at)
    : policies_(policies) {
  for (const LogEvent& one : log) {
    if (one.recorded_at <= known_at && one.occurred_at <= valid_at) TakeLogEvent(one);
  }
}

LogTwin::LogTwin(const store::EventLog& log, const policy::PolicySet& policies, absl::Time valid_at,
                 absl::Time known_at)
    : policies_(policies) {
  for (LogEvent& one : ReadWholeLog(log)) {
    if (one.recorded_at > known_at || one.occurred_at > valid_at) continue;
    TakeLogEvent(one);
    auto& events = events_[one.case_id];
    const auto later = [&](const auto& other) { return FromProto(other.second.occurred_at()) > one.occurred_at; };
    entered_late_ += std::any_of(events.begin(), events.end(), later) ? 1 : 0;
    events.emplace_back(one.revision, std::move(one.event));
  }
}

void LogTwin::Take(const v1::Event& event, uint32_t revision, TwinCase* one) const {
  if (event.has_case_received()) {
    const v1::CaseReceived& received = event.case_received();
    one->received = true;
    one->active = received.entered().active();
    one->leaves_queue = received.entered().leaves_queue();
    one->category = received.entered().category();
    one->history = received.history();
    one->status_since = FromProto(event.occurred_at());
    one->waiting = one->category == v1::WAITING;
    one->waiting_since = one->status_since;
    one->pauses = {received.entered().pauses().begin(), received.entered().pauses().end()};
    one->priority = received.priority();
    one->tier = received.tier();
    one->department = received.department();
    one->received_at = FromProto(received.received_at());
  } else if (event.has_status_changed()) {
    const v1::StatusChanged& changed = event.status_changed();
    const bool waiting = changed.entered().category() == v1::WAITING;
    if (changed.from_category() != v1::WAITING) one->leaves_queue_after_wait = one->leaves_queue;
    one->active = changed.entered().active();
    one->leaves_queue = changed.entered().leaves_queue();
    one->category = changed.entered().category();
    one->wait_until.reset();
    if (waiting && changed.wait().has_until()) one->wait_until = FromProto(changed.wait().until());
    one->waiting = waiting;
    one->pauses = {changed.entered().pauses().begin(), changed.entered().pauses().end()};
    one->status_since = FromProto(event.occurred_at());
    one->waiting_since = changed.wait().has_since() ? FromProto(changed.wait().since()) : one->status_since;
  } else if (event.has_case_queued()) {
    one->queue = event.case_queued().queue();
    one->queue_department = event.case_queued().department();
    one->skills.assign(event.case_queued().skills().begin(), event.case_queued().skills().end());
    one->default_due.reset();
    if (event.case_queued().has_default_due_at()) one->default_due = FromProto(event.case_queued().default_due_at());
  } else if (event.has_case_dequeued()) {
    one->queue.clear();
    one->queue_department.clear();
    one->skills.clear();
    one->default_due.reset();
  } else if (event.has_priority_set()) {
    one->priority = event.priority_set().priority();
  } else if (event.has_case_triaged()) {
    one->safety = event.case_triaged().safety();
  } else if (event.has_accountable_owner_set()) {
    one->department = event.accountable_owner_set().department();
  } else if (event.has_owner_assigned()) {
    one->owner = event.owner_assigned().owner();
    one->owner_department = event.owner_assigned().department();
  } else if (event.has_owner_released()) {
    one->owner.clear();
    one->owner_department.clear();
  } else if (event.has_escalation_raised()) {
    const v1::EscalationRaised& raised = event.escalation_raised();
    const uint32_t number = raised.request_no() == 0 ? revision : raised.request_no();
    one->levels[number] = raised.level();
    one->escalations[number] = {.raised_at = FromProto(event.occurred_at()), .settled = raised.passed()};
  } else if (event.has_escalation_requested()) {
    const v1::EscalationRequested& requested = event.escalation_requested();
    one->escalations[revision] = {.raised_at = FromProto(event.occurred_at()),
                                  .requested = true,
                                  .asked_by = requested.by(),
                                  .department = requested.department()};
  } else if (event.has_escalation_declined()) {
    TwinEscalation& declined = one->escalations[event.escalation_declined().escalation_no()];
    declined.settled = true;
    declined.requested = false;
  } else if (event.has_escalation_closed()) {
    TwinEscalation& closed = one->escalations[event.escalation_closed().escalation_no()];
    closed.settled = true;
    closed.acknowledged = false;
    one->levels.erase(event.escalation_closed().escalation_no());
  } else if (event.has_escalation_acknowledged()) {
    TwinEscalation& acknowledged = one->escalations[event.escalation_acknowledged().escalation_no()];
    acknowledged.settled = true;
    acknowledged.acknowledged = true;
  } else if (event.has_conflict_declared()) {
    one->conflicts.insert(event.conflict_declared().principal());
  } else if (event.has_conflict_cleared()) {
    one->conflicts.erase(event.conflict_cleared().principal());
  } else if (event.has_history_ended()) {
    one->history = false;
  } else if (!TakeHands(event, revision, one)) {
    TakeClock(event, revision, one);
  }
}

bool LogTwin::TakeHands(const v1::Event& event, uint32_t revision, TwinCase* one) const {
  if (event.has_case_transferred()) {
    one->receiver = event.case_transferred().to_department();
  } else if (event.has_transfer_accepted() || event.has_transfer_refused()) {
    one->receiver.clear();
  } else if (event.has_owed_item_asked()) {
    const v1::OwedItemAsked& asked = event.owed_item_asked();
    one->items[asked.item_no() == 0 ? revision : asked.item_no()] = {asked.department(), asked.asked_by_department()};
  } else if (event.has_owed_item_returned()) {
    one->items[event.owed_item_returned().item_no()].returned = true;
  } else {
    return false;
  }
  return true;
}

std::string LogTwin::Answering(const TwinCase& one, const TwinClock& clock) {
  if (clock.answerable_rule == "RECEIVER" && !one.receiver.empty()) return one.receiver;
  if (clock.answerable_rule == "ITEM") {
    const TwinCase::Item& item = one.items.at(clock.item);
    return item.returned ? item.asked_by : item.department;
  }
  const bool handler = clock.answerable_rule == "HANDLER";
  if (handler && !one.owner_department.empty()) return one.owner_department;
  if ((handler || clock.answerable_rule == "QUEUE") && !one.queue_department.empty()) return one.queue_department;
  return one.department;
}

void LogTwin::TakeClock(const v1::Event& event, uint32_t revision, TwinCase* one) const {
  if (event.has_clock_attached()) {
    const v1::ClockAttached& attached = event.clock_attached();
    TwinClock& clock = one->clocks[revision];
    clock.clock_no = revision;
    clock.metric = attached.metric();
    clock.obligation = attached.obligation();
    clock.duty = attached.nature() == v1::DUTY;
    clock.calendar = attached.calendar();
    clock.answerable_rule = attached.answerable_rule();
    clock.item = attached.item();
    clock.due = DueOf(attached);
    if (attached.has_paused()) TakePause(attached.paused(), &clock);
    return;
  }
  // An earlier contact may have stopped a clock that, at the instant asked for, was not there yet.
  const auto find = [&](uint32_t clock_no) -> TwinClock* {
    const auto found = one->clocks.find(clock_no);
    return found == one->clocks.end() ? nullptr : &found->second;
  };
  if (event.has_clock_retargeted()) {
    const v1::ClockRetargeted& retargeted = event.clock_retargeted();
    TwinClock* clock = find(retargeted.clock_no());
    clock->calendar = retargeted.calendar();
    clock->due = DueOf(retargeted);
    if (retargeted.has_remaining()) clock->remaining = FromProto(retargeted.remaining());
    CheckProjectedDue(*clock);
  } else if (event.has_clock_paused()) {
    TakePause(event.clock_paused(), find(event.clock_paused().clock_no()));
  } else if (event.has_clock_resumed()) {
    TwinClock* clock = find(event.clock_resumed().clock_no());
    clock->paused = false;
    clock->until.reset();
    clock->due = DueOf(event.clock_resumed());
  } else if (event.has_clock_reopened()) {
    TwinClock* clock = find(event.clock_reopened().clock_no());
    clock->stopped = false;
    clock->disputed = false;
    clock->due = DueOf(event.clock_reopened());
  } else if (event.has_clock_breached()) {
    find(event.clock_breached().clock_no())->breached_due = FromProto(event.clock_breached().due_at());
  } else if (event.has_clock_fulfilled()) {
    if (TwinClock* clock = find(event.clock_fulfilled().clock_no()); clock != nullptr) {
      clock->stopped = true;
      clock->paused = false;
      clock->disputed = event.clock_fulfilled().disputed();
      clock->entered_by = event.clock_fulfilled().entered_by();
      clock->entered_at = FromProto(event.clock_fulfilled().entered_at());
    }
  } else if (event.has_late_entry_rejected()) {
    find(event.late_entry_rejected().clock_no())->disputed = false;
  } else if (event.has_clock_extended()) {
    find(event.clock_extended().clock_no())->due = DueOf(event.clock_extended());
  } else if (event.has_breach_annulled()) {
    TwinClock* clock = find(event.breach_annulled().clock_no());
    clock->breached_due.reset();
    clock->disputed = false;
  } else if (event.has_clock_pause_shortened()) {
    TwinClock* clock = find(event.clock_pause_shortened().clock_no());
    if (clock->paused) clock->until = FromProto(event.clock_pause_shortened().end());
    clock->due = DueOf(event.clock_pause_shortened());
  } else if (event.has_clock_exempted()) {
    TwinClock* clock = find(event.clock_exempted().clock_no());
    clock->stopped = true;
    clock->paused = false;
    clock->disputed = false;
  } else if (event.has_clock_cancelled()) {
    TwinClock* clock = find(event.clock_cancelled().clock_no());
    clock->stopped = true;
    clock->paused = false;
  }
}

void LogTwin::TakePause(const v1::ClockPaused& paused, TwinClock* clock) const {
  clock->paused = true;
  clock->paused_since = FromProto(paused.since());
  clock->remaining = FromProto(paused.remaining());
  clock->until.reset();
  if (paused.has_until()) clock->until = FromProto(paused.until());
  clock->due = DueOf(paused);
  CheckProjectedDue(*clock);
}

// While paused until a known instant, a clock is due when its remaining working time has passed after it. With nothing
// left (a shorter target was set meanwhile) its due lies before the pause.
void LogTwin::CheckProjectedDue(const TwinClock& clock) const {
  if (!clock.paused || clock.remaining == absl::ZeroDuration()) return;
  std::optional<absl::Time> expected;
  if (clock.until.has_value()) {
    const auto pinned = policies_.Calendar(clock.calendar);  // null: round the clock
    expected = pinned == nullptr ? *clock.until + clock.remaining : pinned->Advance(*clock.until, clock.remaining);
  }
  if (expected != clock.due) {
    problems_.push_back(absl::StrCat(
        "clock ", clock.clock_no, " paused until ", clock.until.has_value() ? FormatUtc(*clock.until) : "-", " with ",
        absl::FormatDuration(clock.remaining), " left is due at ", clock.due.has_value() ? FormatUtc(*clock.due) : "-",
        ", want ", expected.has_value() ? FormatUtc(*expected) : "-"));
  }
}

std::vector<TwinDuty> LogTwin::OverdueAt(absl::Time t) const {
  std::vector<TwinDuty> late;
  for (const auto& [id, one] : cases_) {
    for (const auto& [no, clock] : one.clocks) {
      if (!clock.duty || clock.Gone() || !clock.LateFrom().has_value() || *clock.LateFrom() >= t) continue;
      TwinDuty duty;
      duty.late_from = *clock.LateFrom();
      duty.case_id = id;
      duty.clock_no = no;
      duty.due = clock.due;
      duty.paused = clock.paused && (!clock.until.has_value() || *clock.until > t);
      duty.department = Answering(one, clock);
      late.push_back(std::move(duty));
    }
  }
  std::sort(late.begin(), late.end(), [](const TwinDuty& a, const TwinDuty& b) {
    return std::tie(a.late_from, a.case_id, a.clock_no) < std::tie(b.late_from, b.case_id, b.clock_no);
  });
  return late;
}

std::vector<std::string> LogTwin::QueueAt(absl::string_view queue, absl::Time t) const {
  using Place = std::tuple<int, int64_t, absl::Time, uint32_t, int, absl::Time, std::string>;
  std::vector<Place> places;
  for (const auto& [id, one] : cases_) {
    if (one.queue != queue || !StandsInQueue(one, t)) continue;
    places.emplace_back(BandOf(one), -static_cast<int64_t>(HighestOf(one)), EffectiveDue(one), one.priority,
                        -TierWeight(one.tier), one.received_at, id);
  }
  std::sort(places.begin(), places.end());
  std::vector<std::string> ids;
  for (const Place& place : places) ids.push_back(std::get<6>(place));
  return ids;
}

std::vector<std::string> LogTwin::Since(absl::Time t, bool (*holds)(const TwinCase&)) const {
  std::vector<std::pair<absl::Time, std::string>> found;
  for (const auto& [id, events] : events_) {
    std::set<absl::Time> instants;
    for (const auto& [revision, event] : events) instants.insert(FromProto(event.occurred_at()));
    std::optional<absl::Time> since;
    for (auto at = instants.rbegin(); at != instants.rend(); ++at) {
      if (*at > t) continue;
      TwinCase then;
      for (const auto& [revision, event] : events) {
        if (FromProto(event.occurred_at()) <= *at) Take(event, revision, &then);
      }
      if (!then.received || !holds(then)) break;
      since = *at;
    }
    if (since.has_value()) found.emplace_back(*since, id);
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> lines;
  for (const auto& [since, id] : found) lines.push_back(absl::StrCat(FormatUtc(since), " ", id));
  return lines;
}

std::vector<std::string> LogTwin::UnownedAt(absl::Time t) const {
  return Since(t, [](const TwinCase& one) { return WantsWork(one) && one.owner.empty(); });
}

std::vector<std::string> LogTwin::WithoutClockAt(absl::Time t) const {
  return Since(t, [](const TwinCase& one) {
    return WantsWork(one) && std::none_of(one.clocks.begin(), one.clocks.end(),
                                          [](const auto& clock) { return clock.second.duty && !clock.second.Gone(); });
  });
}

std::vector<std::string> LogTwin::WakingAt(absl::Time t) const {
  std::vector<std::pair<absl::Time, std::string>> found;
  for (const auto& [id, one] : cases_) {
    if (one.waiting && one.wait_until.has_value() && (one.history || *one.wait_until > t)) {
      found.emplace_back(*one.wait_until, id);
    }
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> lines;
  for (const auto& [until, id] : found) lines.push_back(absl::StrCat(FormatUtc(until), " ", id));
  return lines;
}

std::vector<std::string> LogTwin::PausedAt(absl::Time t) const {
  // Listed by what is recorded; a wait that has run out by itself, though nothing is recorded of it yet, is not shown.
  std::vector<std::tuple<absl::Time, std::string, uint32_t, absl::Time>> found;
  for (const auto& [id, one] : cases_) {
    const bool over = one.wait_until.has_value() && *one.wait_until <= t && !one.history;
    for (const auto& [no, clock] : one.clocks) {
      const bool paused = clock.paused && (!clock.until.has_value() || *clock.until > t);
      const bool late = clock.LateFrom().has_value() && *clock.LateFrom() < t;
      const bool held = late && one.waiting && !over && one.pauses.count(clock.metric) > 0;
      if (!clock.duty || clock.Gone() || !(paused || held)) continue;
      found.emplace_back(one.waiting ? one.waiting_since : clock.paused_since, id, no,
                         one.waiting && !over ? one.waiting_since : clock.paused_since);
    }
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> lines;
  for (const auto& [listed, id, no, since] : found) lines.push_back(absl::StrCat(FormatUtc(since), " ", id, "/", no));
  return lines;
}

std::vector<std::string> LogTwin::DutiesOf(absl::string_view owner) const {
  std::vector<std::tuple<absl::Time, std::string, uint32_t>> found;
  for (const auto& [id, one] : cases_) {
    if (one.owner != owner) continue;
    for (const auto& [no, clock] : one.clocks) {
      if (clock.duty && !clock.Gone()) found.emplace_back(clock.LateFrom().value_or(absl::InfiniteFuture()), id, no);
    }
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> lines;
  for (const auto& [late_from, id, no] : found) lines.push_back(absl::StrCat(FormatUtc(late_from), " ", id, "/", no));
  return lines;
}

std::vector<std::string> LogTwin::Escalations() const {
  std::vector<std::tuple<bool, absl::Time, std::string, uint32_t, bool>> found;
  for (const auto& [id, one] : cases_) {
    for (const auto& [no, escalation] : one.escalations) {
      found.emplace_back(escalation.settled, escalation.raised_at, id, no, escalation.acknowledged);
    }
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> lines;
  for (const auto& [settled, raised_at, id, no, acknowledged] : found) {
    lines.push_back(absl::StrCat(FormatUtc(raised_at), " ", id, "/", no, acknowledged ? " acknowledged" : " raised"));
  }
  return lines;
}

std::vector<std::string> LogTwin::ApprovalsAt(absl::Time t) const {
  std::vector<std::tuple<absl::Time, std::string, uint32_t, std::string>> found;
  for (const auto& [id, one] : cases_) {
    for (const auto& [no, escalation] : one.escalations) {
      if (!escalation.requested || escalation.raised_at > t) continue;
      found.emplace_back(escalation.raised_at, id, no,
                         absl::StrCat("ESCALATION ", escalation.asked_by, ", ", escalation.department));
    }
    for (const auto& [no, clock] : one.clocks) {
      if (!clock.disputed || clock.entered_at > t) continue;
      found.emplace_back(clock.entered_at, id, no,
                         absl::StrCat("LATE_ENTRY ", clock.entered_by, ", ", Answering(one, clock)));
    }
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> lines;
  for (const auto& [since, id, no, what] : found) {
    lines.push_back(absl::StrCat(FormatUtc(since), " ", id, "/", no, " ", what));
  }
  return lines;
}

std::string LogTwin::FirstFree(absl::string_view queue, absl::Time t, const std::string& principal) const {
  const v1::Principal* known = policies_.Principal(principal);
  const auto has = [&](const std::string& skill) {
    return std::find(known->skills().begin(), known->skills().end(), skill) != known->skills().end();
  };
  for (const std::string& id : QueueAt(queue, t)) {
    const TwinCase& one = cases_.at(id);
    const bool skilled = std::all_of(one.skills.begin(), one.skills.end(), has);
    if (one.owner.empty() && skilled && one.conflicts.count(principal) == 0) return id;
  }
  return "";
}

bool LogTwin::AnyUnowned(absl::string_view queue, absl::Time t) const {
  const std::vector<std::string> ids = QueueAt(queue, t);
  return std::any_of(ids.begin(), ids.end(), [&](const std::string& id) { return cases_.at(id).owner.empty(); });
}

uint32_t LogTwin::InHand(absl::string_view owner, absl::Time t) const {
  uint32_t in_hand = 0;
  for (const auto& [id, one] : cases_) {
    const bool waits = one.waiting && (!one.wait_until.has_value() || one.history || *one.wait_until > t);
    const bool at_work = one.category == v1::NEW || one.category == v1::OPEN || one.waiting;
    in_hand += one.owner == owner && at_work && !waits ? 1 : 0;
  }
  return in_hand;
}

std::vector<absl::Time> LogTwin::Instants() const {
  std::set<absl::Time> instants;
  for (const auto& [id, events] : events_) {
    for (const auto& [revision, event] : events) instants.insert(FromProto(event.occurred_at()));
  }
  return {instants.begin(), instants.end()};
}

std::vector<absl::Time> LogTwin::Moments() const {
  std::vector<absl::Time> moments;
  for (const auto& [id, one] : cases_) {
    if (one.wait_until.has_value()) moments.push_back(*one.wait_until);
    for (const auto& [no, clock] : one.clocks) {
      if (clock.LateFrom().has_value()) moments.push_back(*clock.LateFrom());
    }
  }
  return moments;
}

}  // namespace docket::testing
