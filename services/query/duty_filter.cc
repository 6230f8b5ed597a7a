#include "services/query/duty_filter.h"

#include <algorithm>
#include <utility>

#include "services/query/summary.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"

namespace docket::query {
namespace {

constexpr absl::Duration kDefaultWithin = absl::Hours(4);

// Whether the case waits at `at` in a status that pauses the metric. A wait that began after the due pauses nothing any
// more, it only changes the label (DOMAIN R5).
bool WaitsFor(const ListedCase& one, const std::string& metric, absl::Time at) {
  const auto& pauses = one.shown.wait().pauses();
  return WaitsAt(one, at) && std::find(pauses.begin(), pauses.end(), metric) != pauses.end();
}

}  // namespace

std::string DutyFilter::OwnerAskedAbout(const Reader& reader, const v1::ListDutiesRequest& request) {
  return request.preset() == v1::MINE && request.owner().empty() ? reader.viewer.principal_id : request.owner();
}

DutyFilter::DutyFilter(const Reader& reader, const v1::ListDutiesRequest& request, absl::Time at, Deputyship deputyship)
    : reader_(reader),
      request_(request),
      owner_(OwnerAskedAbout(reader, request)),
      deputyship_(std::move(deputyship)),
      at_(at),
      at_us_(absl::ToUnixMicros(at)),
      within_(request.has_within() ? FromProto(request.within()) : kDefaultWithin) {}

absl::StatusOr<bool> DutyFilter::IsForbidden(const projection::DutyRow& row) const {
  if (!deputyship_.Covers(row.value.facts().owner())) return false;
  DOCKET_ASSIGN_OR_RETURN(const bool may, deputyship_.MayActIn(reader_, row.case_id));
  return !may;
}

bool DutyFilter::IsForbidden(const projection::DutyRow& row, const v1::Case& state) const {
  return deputyship_.Covers(row.value.facts().owner()) && !deputyship_.MayActIn(state);
}

absl::Time DutyFilter::RiskHorizon() const {
  absl::Time latest = at_ + within_;
  if (request_.elapsed()) return latest;
  const policy::PolicySet& policies = *reader_.view.policies;
  for (const auto& listed : policies.List(v1::CALENDAR)) {
    v1::PolicyPin pin = listed.pin;
    for (uint32_t version = 1; version <= listed.pin.version(); ++version) {
      pin.set_version(version);
      if (const auto calendar = policies.Calendar(pin)) latest = std::max(latest, calendar->Advance(at_, within_));
    }
  }
  return latest;
}

ListScan::Range DutyFilter::Range() const {
  ListScan::Range range{.list = v1::LISTED_DUTY, .group = ""};
  if (request_.preset() == v1::OVERDUE) range.last_us = at_us_ - 1;
  if (request_.preset() == v1::AT_RISK) {
    range.first_us = at_us_;
    const absl::Time horizon = RiskHorizon();
    // kNever sorts last and is never at risk: a pause without a known end has no due to come near.
    range.last_us = horizon == absl::InfiniteFuture() ? projection::kNever - 1 : absl::ToUnixMicros(horizon);
  }
  return range;
}

bool DutyFilter::WaitMatches(const ListedCase& one) const {
  if (!AsksForWait()) return true;
  const bool waits = WaitsAt(one, at_);
  if (request_.waiting_on_size() > 0 && (!waits || !EmptyOrHas(request_.waiting_on(), one.shown.wait().on()))) {
    return false;
  }
  if (!request_.has_waiting_longer_than()) return true;
  int64_t since_us = waits ? one.shown.wait().since_us() : projection::kNever;
  for (const v1::PeriodDuty& duty : one.duties) {
    if (!waits && duty.duty().paused()) since_us = std::min(since_us, duty.duty().paused_since_us());
  }
  return since_us != projection::kNever &&
         absl::FromUnixMicros(since_us) < at_ - FromProto(request_.waiting_longer_than());
}

bool DutyFilter::TakesAll() const {
  return request_.preset() == v1::OVERDUE && owner_.empty() && request_.kinds().empty() &&
         request_.priorities().empty() && request_.obligations().empty() && request_.metric().empty() &&
         request_.queue().empty() && request_.department().empty() && request_.tiers().empty() && !AsksForWait();
}

bool DutyFilter::IsPaused(const projection::DutyRow& row) const {
  return row.value.paused() && (row.value.paused_until_us() == 0 || row.value.paused_until_us() > at_us_);
}

std::optional<absl::Duration> DutyFilter::WorkingTime(const projection::DutyRow& row, absl::Time from,
                                                      absl::Time to) const {
  if (row.value.calendar().empty()) return std::nullopt;
  v1::PolicyPin pin;
  pin.set_id(row.value.calendar());
  pin.set_version(row.value.calendar_version());
  const auto calendar = reader_.view.policies->Calendar(pin);
  if (calendar == nullptr) return std::nullopt;
  return calendar->Elapsed(from, to);
}

bool DutyFilter::AtRisk(const projection::DutyRow& row) const {
  if (row.late_from_us == projection::kNever || IsLate(row)) return false;
  const absl::Time due = absl::FromUnixMicros(row.late_from_us);
  if (request_.elapsed()) return due <= at_ + within_;
  return WorkingTime(row, at_, due).value_or(due - at_) <= within_;
}

bool DutyFilter::Matches(const What& what) const {
  return MaySee(reader_.viewer, {.facts = &what.facts}) &&
         (OwnerMatches(owner_, what.facts.owner()) || deputyship_.Covers(what.facts.owner())) &&
         EmptyOrHas(request_.kinds(), what.facts.kind()) && EmptyOrHas(request_.priorities(), what.facts.priority()) &&
         EmptyOrHas(request_.tiers(), what.facts.tier()) && EmptyOrHas(request_.obligations(), what.obligation) &&
         (request_.metric().empty() || request_.metric() == what.metric) &&
         (request_.queue().empty() || request_.queue() == what.facts.queue()) &&
         DepartmentMatches(reader_, request_.department(), what.answerable);
}

bool DutyFilter::Matches(const projection::DutyRow& row) const {
  if (request_.preset() == v1::OVERDUE && !IsLate(row)) return false;
  if (request_.preset() == v1::WAITING_DUTIES && !IsPaused(row) && !IsLate(row)) return false;
  if (request_.preset() == v1::MINE && owner_.empty()) return false;
  return Matches({.facts = row.value.facts(),
                  .metric = row.value.metric(),
                  .obligation = row.value.obligation(),
                  .answerable = row.value.answerable()}) &&
         (request_.preset() != v1::AT_RISK || AtRisk(row));
}

bool DutyFilter::IsWaiting(const projection::DutyRow& row, const ListedCase& one) const {
  return IsPaused(row) || (IsLate(row) && WaitsFor(one, row.value.metric(), at_));
}

bool DutyFilter::Matches(const projection::DutyRow& row, const ListedCase& one) const {
  return Matches(row) && WaitMatches(one) && (request_.preset() != v1::WAITING_DUTIES || IsWaiting(row, one));
}

bool DutyFilter::Matches(const v1::PendingApproval& approval, const ListedCase& one) const {
  return Matches({.facts = one.facts,
                  .metric = approval.metric(),
                  .obligation = approval.obligation(),
                  .answerable = approval.answerable()}) &&
         WaitMatches(one);
}

// Whether an entry made late says that it was met, which nobody else has judged yet.
static bool IsDisputed(const ListedCase& one, uint32_t clock_no) {
  const auto& approvals = one.shown.approvals();
  return std::any_of(approvals.begin(), approvals.end(), [&](const v1::PendingApproval& approval) {
    return approval.kind() == v1::Approval::LATE_ENTRY && approval.item() == clock_no;
  });
}

void SetWait(const ListedCase& one, absl::Time at, v1::ListDutiesReply::Item* item) {
  if (!WaitsAt(one, at)) return;
  const v1::WaitFacts& wait = one.shown.wait();
  item->set_waiting_on(wait.on());
  item->set_waiting_reason(wait.reason_code());
  *item->mutable_waiting_since() = ToProto(absl::FromUnixMicros(wait.since_us()));
  if (wait.until_us() == 0) return;
  *item->mutable_waiting_until() = ToProto(absl::FromUnixMicros(wait.until_us()));
  item->set_until_passed(wait.until_us() <= absl::ToUnixMicros(at));
}

v1::ListDutiesReply::Item DutyItem(const DutyFilter& filter, const projection::DutyRow& row, const ListedCase& one,
                                   absl::Time at) {
  v1::ListDutiesReply::Item item;
  item.set_clock_no(row.clock_no);
  item.set_metric(row.value.metric());
  item.set_obligation(row.value.obligation());
  if (row.value.due_at_us() != 0) *item.mutable_due_at() = ToProto(absl::FromUnixMicros(row.value.due_at_us()));
  if (row.value.first_due_at_us() != 0) {
    *item.mutable_first_due_at() = ToProto(absl::FromUnixMicros(row.value.first_due_at_us()));
  }
  item.set_late(filter.IsLate(row));
  item.set_paused(filter.IsPaused(row));
  if (row.late_from_us != projection::kNever) {
    const absl::Time late_from = absl::FromUnixMicros(row.late_from_us);
    if (item.late()) {
      *item.mutable_late_since() = ToProto(late_from);
      *item.mutable_late_by() = ToProto(at - late_from);
      const auto working = filter.WorkingTime(row, late_from, at);
      if (working.has_value()) *item.mutable_late_by_working() = ToProto(*working);
    } else {
      *item.mutable_time_left() = ToProto(late_from - at);
      const auto working = filter.WorkingTime(row, at, late_from);
      if (working.has_value()) *item.mutable_time_left_working() = ToProto(*working);
    }
  }
  item.set_department(row.value.answerable());
  item.set_owner(row.value.facts().owner());
  if (filter.deputyship().Covers(item.owner())) item.set_stands_in_for(item.owner());
  item.set_escalation_level(row.value.escalation_level());
  if (item.late() && IsDisputed(one, row.clock_no)) {
    item.set_words("late, disputed");
  } else if (item.late()) {
    item.set_words(item.paused() || WaitsFor(one, item.metric(), at) ? "late, waiting" : "late");
  } else if (item.paused()) {
    item.set_words("waiting");
  } else if (filter.AtRisk(row)) {
    item.set_words("at risk");
  }
  SetWait(one, at, &item);
  // Its clock waits by a rule of the policy, the case does not.
  if (!WaitsAt(one, at) && item.paused() && row.value.paused_since_us() != 0) {
    *item.mutable_waiting_since() = ToProto(absl::FromUnixMicros(row.value.paused_since_us()));
  }
  return item;
}

void DutyCount::Add(const DutyFilter& filter, const projection::DutyRow& row, bool new_case) {
  Add(row.late_from_us, filter.IsLate(row), row.value.obligation() == v1::REGULATOR, new_case);
}

void DutyCount::Add(int64_t late_from_us, bool late, bool regulatory, bool new_case) {
  cases_ += new_case ? 1 : 0;
  late_ += late ? 1 : 0;
  regulatory_ += regulatory ? 1 : 0;
  oldest_us_ = std::min(oldest_us_, late_from_us);
}

v1::ListDutiesReply::Header DutyCount::Header(bool complete) const {
  v1::ListDutiesReply::Header header;
  header.set_late_duties(late_);
  header.set_regulatory(regulatory_);
  header.set_cases(cases_);
  if (oldest_us_ != projection::kNever) *header.mutable_oldest_due() = ToProto(absl::FromUnixMicros(oldest_us_));
  header.set_complete(complete);
  return header;
}

}  // namespace docket::query
