#include "services/query/alerts.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/query/summary.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"
#include "workflow/case/decide.h"
#include "workflow/case/replay.h"
#include "workflow/escalation/escalation.h"
#include "workflow/escalation/raise.h"
#include "workflow/escalation/triggers.h"

namespace docket::query {
namespace {

// What may be an alert, and of which kind; ALERT_KIND_UNSPECIFIED: never one.
v1::AlertKind KindOf(uint32_t type) {
  switch (type) {
    case v1::Event::kWarningReached:
      return v1::WARNING;
    case v1::Event::kClockBreached:
      return v1::BREACH;
    case v1::Event::kEscalationRaised:
      return v1::ESCALATION;
    case v1::Event::kEscalationRequested:
    case v1::Event::kClockFulfilled:  // by an entry that is disputed
    case v1::Event::kPolicyRolloutPlanned:
      return v1::APPROVAL;
    case v1::Event::kOwedItemAsked:
      return v1::OWED_ITEM;
    default:
      return v1::ALERT_KIND_UNSPECIFIED;
  }
}

const v1::Clock* FindClock(const v1::Case& state, uint32_t clock_no) {
  const auto found = std::find_if(state.clocks().begin(), state.clocks().end(),
                                  [&](const v1::Clock& clock) { return clock.clock_no() == clock_no; });
  return found == state.clocks().end() ? nullptr : &*found;
}

// `state` is that right after `event`.
bool IsSilent(const v1::Event& event, const v1::Case& state) {
  if (state.history() || event.clock_breached().cause() == "IMPORT") return true;
  // An entry that is disputed is for an instant of the past, but waits from when it was made.
  const absl::Time since = FromProto(event.clock_fulfilled().disputed() && event.clock_fulfilled().has_entered_at()
                                         ? event.clock_fulfilled().entered_at()
                                         : event.occurred_at());
  if (state.has_observed_until() && since <= FromProto(state.observed_until())) return true;
  if (event.has_escalation_raised()) return event.escalation_raised().passed();
  if (!event.has_warning_reached()) return false;
  const v1::Clock* clock = FindClock(state, event.warning_reached().clock_no());
  const int index = static_cast<int>(event.warning_reached().warning());
  return clock != nullptr && index < clock->warnings_size() && clock->warnings(index).silent();
}

uint32_t ClockNoOf(const v1::Event& event) {
  if (event.has_clock_fulfilled()) return event.clock_fulfilled().clock_no();
  if (event.has_warning_reached()) return event.warning_reached().clock_no();
  if (event.has_clock_breached()) return event.clock_breached().clock_no();
  return event.escalation_raised().clock_no();
}

void DescribeCase(const v1::Case& state, v1::Alert* alert) {
  alert->set_case_id(state.case_id());
  alert->set_case_no(state.case_no());
  alert->set_case_kind(state.kind());
  alert->set_revision(state.revision());
  alert->set_department(state.department());
  alert->set_queue(state.queue());
  alert->set_owner(state.owner());
  alert->set_priority(state.priority());
}

void DescribeClock(const v1::Clock& clock, v1::Alert* alert) {
  alert->set_clock_no(clock.clock_no());
  alert->set_metric(clock.metric());
  alert->set_obligation(clock.obligation());
  if (!clock.answerable().empty()) alert->set_department(clock.answerable());
  if (clock.has_breached_due_at()) {
    *alert->mutable_due_at() = clock.breached_due_at();
  } else if (clock.has_due_at()) {
    *alert->mutable_due_at() = clock.due_at();
  }
}

void DescribeWarning(const v1::WarningReached& reached, const v1::Clock& clock, v1::Alert* alert) {
  *alert->mutable_scheduled_for() = reached.scheduled_for();
  if (reached.warning() >= static_cast<uint32_t>(clock.warnings_size())) return;
  const v1::Warning& warning = clock.warnings(static_cast<int>(reached.warning()));
  alert->mutable_warning()->set_permille(warning.permille());
  if (warning.has_before()) *alert->mutable_warning()->mutable_before() = warning.before();
}

void DescribeBreach(const v1::ClockBreached& breach, v1::Alert* alert) {
  *alert->mutable_due_at() = breach.due_at();
  *alert->mutable_scheduled_for() = breach.due_at();
  alert->set_department(breach.department());
  alert->set_cause(breach.cause());
}

void DescribeEscalation(const v1::EscalationRaised& raised, uint32_t escalation_no, v1::Alert* alert) {
  v1::AlertEscalation* escalation = alert->mutable_escalation();
  escalation->set_escalation_no(escalation_no);
  escalation->set_level(raised.level());
  escalation->set_kind(raised.kind());
  *escalation->mutable_targets() = raised.targets();
  escalation->set_target_basis(raised.target_basis());
  escalation->set_department(raised.department());
  escalation->set_queue(raised.queue());
  if (raised.has_ack_due_at()) *escalation->mutable_ack_due_at() = raised.ack_due_at();
  if (raised.has_ladder()) *escalation->mutable_ladder() = raised.ladder();
  escalation->set_reason_code(raised.reason_code());
  if (raised.has_notify_at()) *alert->mutable_notify_at() = raised.notify_at();
}

// Quiet hours are those of the level that is asked for, which the request is pinned to.
void DescribeRequest(const v1::Event& event, const v1::Case& state, const policy::PolicySet& policies,
                     v1::Alert* alert) {
  const v1::EscalationRequested& requested = event.escalation_requested();
  v1::AlertApproval* approval = alert->mutable_approval();
  approval->set_kind(v1::Approval::ESCALATION);
  if (const v1::Escalation* one = escalation::FindRequest(state, requested); one != nullptr) {
    approval->set_escalation_no(one->escalation_no());
    const absl::Time asked = FromProto(event.occurred_at());
    const absl::Time told = escalation::ToldAt(escalation::FiringOf(state, *one, policies), asked, policies);
    if (told > asked) *alert->mutable_notify_at() = ToProto(told);
  }
  approval->set_asked_by(requested.by());
  *approval->mutable_targets() = requested.targets();
  approval->set_department(requested.department());
  approval->set_queue(requested.queue());
  approval->set_reason_code(requested.reason_code());
  approval->set_command("approve_escalation");
  approval->set_escalation_kind(requested.kind());
  if (!requested.department().empty()) alert->set_department(requested.department());
}

void DescribeLateEntry(const v1::ClockFulfilled& fulfilled, v1::Alert* alert) {
  v1::AlertApproval* approval = alert->mutable_approval();
  approval->set_kind(v1::Approval::LATE_ENTRY);
  approval->set_asked_by(fulfilled.entered_by());
  approval->set_department(alert->department());
  approval->set_queue(alert->queue());
  approval->set_command("judge_late_entry");
}

// `number` is that of the item, which `state` has.
void DescribeItem(const v1::Case& state, uint32_t number, v1::Alert* alert) {
  const auto found = std::find_if(state.items().begin(), state.items().end(),
                                  [&](const v1::OwedItem& one) { return one.item_no() == number; });
  if (found == state.items().end()) return;
  v1::AlertItem* item = alert->mutable_item();
  item->set_item_no(number);
  item->set_kind(found->kind());
  item->set_what(found->what());
  item->set_department(found->department());
  item->set_principal(found->principal());
  item->set_asked_by(found->asked_by());
  item->set_asked_by_department(found->asked_by_department());
  if (found->has_due_at()) *item->mutable_due_at() = found->due_at();
  item->set_visits(found->visits());
  alert->set_department(found->department());
}

// What waits for a second person, or is asked of a department.
void DescribeTask(const v1::Event& event, const v1::Case& state, const policy::PolicySet& policies, v1::Alert* alert) {
  if (event.has_escalation_requested()) DescribeRequest(event, state, policies, alert);
  if (event.has_clock_fulfilled()) DescribeLateEntry(event.clock_fulfilled(), alert);
  if (event.has_owed_item_asked()) {
    const uint32_t again = event.owed_item_asked().item_no();
    DescribeItem(state, again != 0 ? again : state.revision(), alert);
  }
}

// Whom an alert is for by name.
std::vector<std::string> TargetsOf(const v1::Alert& alert) {
  const auto& targets = alert.has_approval() ? alert.approval().targets() : alert.escalation().targets();
  std::vector<std::string> names(targets.begin(), targets.end());
  if (!alert.item().principal().empty()) names.push_back(alert.item().principal());
  return names;
}

// What every alert has, of an event that stands at `position` of `record`.
v1::Alert AlertOf(const v1::CommitRecord& record, uint64_t position, const v1::Event& event) {
  v1::Alert alert;
  alert.set_position(position);
  alert.set_commit(record.commit());
  alert.set_kind(KindOf(event.body_case()));
  const absl::Time recorded_at = absl::FromUnixMicros(record.recorded_at_us());
  *alert.mutable_occurred_at() = event.occurred_at();
  *alert.mutable_recorded_at() = ToProto(recorded_at);
  alert.set_late(recorded_at > FromProto(event.occurred_at()) + workflow::kClockTolerance);
  return alert;
}

// `state` is that right after `event`, which stands at `position` of `record`.
absl::StatusOr<v1::Alert> MakeAlert(const v1::CommitRecord& record, uint64_t position, const v1::Event& event,
                                    const v1::Case& state, const policy::PolicySet& policies) {
  v1::Alert alert = AlertOf(record, position, event);
  DescribeCase(state, &alert);
  const v1::Clock* clock = FindClock(state, ClockNoOf(event));
  if (clock != nullptr) {
    DescribeClock(*clock, &alert);
  } else if (ClockNoOf(event) != 0) {
    return absl::DataLossError(
        absl::StrCat("position ", position, ": case ", state.case_id(), " has no clock ", ClockNoOf(event)));
  }
  if (event.has_warning_reached()) DescribeWarning(event.warning_reached(), *clock, &alert);
  if (event.has_clock_breached()) DescribeBreach(event.clock_breached(), &alert);
  if (event.has_escalation_raised()) {
    // One that a second person granted keeps the number of its request.
    const uint32_t request_no = event.escalation_raised().request_no();
    DescribeEscalation(event.escalation_raised(), request_no != 0 ? request_no : state.revision(), &alert);
  }
  DescribeTask(event, state, policies, &alert);
  return alert;
}

// Of a slice of the policies, which are no case's: rollouts that wait for a second person (R10).
absl::Status BuildRollouts(const Reader& reader, const AlertMatcher& matcher, const v1::CommitRecord& record,
                           const v1::Slice& slice, uint64_t first_position, uint64_t from,
                           std::vector<v1::Alert>* out) {
  for (int i = 0; i < slice.events_size(); ++i) {
    const uint64_t position = first_position + i;
    if (position < from || !matcher.MayMatch(slice.events(i))) continue;
    DOCKET_ASSIGN_OR_RETURN(const v1::Event event, workflow::DecodeEvent(slice.events(i)));
    v1::Alert alert = AlertOf(record, position, event);
    *alert.mutable_approval()->mutable_rollout() = event.policy_rollout_planned();
    alert.mutable_approval()->set_asked_by(event.policy_rollout_planned().planned_by());
    alert.mutable_approval()->set_command("approve_rollout");
    if (matcher.Matches(reader, alert)) out->push_back(std::move(alert));
  }
  return absl::OkStatus();
}

template <class Wanted, class Present>
bool HasAnyOf(const Wanted& wanted, const Present& present) {
  return std::any_of(wanted.begin(), wanted.end(),
                     [&](const auto& one) { return std::find(present.begin(), present.end(), one) != present.end(); });
}

}  // namespace

AlertMatcher::AlertMatcher(const v1::AlertFilter& filter, Viewer viewer) : filter_(filter), viewer_(std::move(viewer)) {
  for (const uint32_t type : {v1::Event::kWarningReached, v1::Event::kClockBreached, v1::Event::kEscalationRaised,
                              v1::Event::kEscalationRequested, v1::Event::kClockFulfilled, v1::Event::kOwedItemAsked,
                              v1::Event::kPolicyRolloutPlanned}) {
    if (EmptyOrHas(filter_.kinds(), KindOf(type))) types_.insert(type);
  }
  // What a clock tells is for a department, not for somebody by name.
  if (!filter_.targets().empty()) {
    types_.erase(v1::Event::kWarningReached);
    types_.erase(v1::Event::kClockBreached);
    types_.erase(v1::Event::kClockFulfilled);
  }
}

bool AlertMatcher::MayMatch(const v1::RecordedEvent& event) const {
  if (types_.count(event.type()) == 0 || !MaySee(viewer_, Subject{.visibility = event.visibility()})) return false;
  if (event.type() != v1::Event::kClockFulfilled) return true;
  // Most clocks are stopped by nothing that anybody disputes, and no case has to be loaded for them.
  const absl::StatusOr<v1::Event> decoded = workflow::DecodeEvent(event);
  return !decoded.ok() || decoded->clock_fulfilled().disputed();
}

bool AlertMatcher::Matches(const Reader& reader, const v1::Alert& alert) const {
  return EmptyOrHas(filter_.case_kinds(), alert.case_kind()) && EmptyOrHas(filter_.metrics(), alert.metric()) &&
         EmptyOrHas(filter_.obligations(), alert.obligation()) &&
         (filter_.targets().empty() || HasAnyOf(filter_.targets(), TargetsOf(alert))) &&
         DepartmentMatches(reader, filter_.department(), alert.department());
}

void AddNames(const v1::AlertFilter& filter, const std::string& field, FilterNames* names) {
  names->Add(policy::NameKind::kDepartment, absl::StrCat(field, ".department"), filter.department());
  for (int i = 0; i < filter.metrics_size(); ++i) {
    names->Add(policy::NameKind::kMetric, absl::StrCat(field, ".metrics[", i, "]"), filter.metrics(i));
  }
  for (int i = 0; i < filter.targets_size(); ++i) {
    names->Add(policy::NameKind::kPrincipal, absl::StrCat(field, ".targets[", i, "]"), filter.targets(i));
  }
}

absl::StatusOr<engine::LoadedCase*> AlertBuilder::StateBefore(const Reader& reader, const v1::Slice& slice) {
  engine::LoadedCase before;
  if (slice.prev_commit_plus_1() != 0) {
    const uint64_t previous = slice.prev_commit_plus_1() - 1;
    engine::LoadedCase* held = cases_.Find(slice.stream_id());
    if (held != nullptr && held->last_commit == previous) return held;
    const engine::CaseLoader loader(*reader.view.snapshot, reader.view.views, *reader.log);
    DOCKET_ASSIGN_OR_RETURN(before, loader.LoadThrough(slice.stream_id(), previous, held));
  }
  cases_.Erase(slice.stream_id());
  return cases_.Insert(slice.stream_id(), std::move(before));
}

absl::Status AlertBuilder::BuildSlice(const Reader& reader, const AlertMatcher& matcher, const v1::CommitRecord& record,
                                      const v1::Slice& slice, uint64_t first_position, uint64_t from,
                                      std::vector<v1::Alert>* out) {
  DOCKET_ASSIGN_OR_RETURN(engine::LoadedCase* const held, StateBefore(reader, slice));
  held->state.set_case_id(slice.stream_id());
  for (int i = 0; i < slice.events_size(); ++i) {
    DOCKET_ASSIGN_OR_RETURN(const v1::Event event, workflow::DecodeEvent(slice.events(i)));
    DOCKET_RETURN_IF_ERROR(workflow::Apply(event, &held->state));
    const uint64_t position = first_position + i;
    if (position < from || !matcher.MayMatch(slice.events(i)) || IsSilent(event, held->state)) continue;
    DOCKET_ASSIGN_OR_RETURN(v1::Alert alert, MakeAlert(record, position, event, held->state, *reader.view.policies));
    if (matcher.Matches(reader, alert)) out->push_back(std::move(alert));
  }
  held->last_commit = record.commit();
  return absl::OkStatus();
}

absl::StatusOr<std::vector<v1::Alert>> AlertBuilder::Build(const Reader& reader, const AlertMatcher& matcher,
                                                           const v1::CommitRecord& record, uint64_t from) {
  std::vector<v1::Alert> alerts;
  uint64_t position = record.first_position();
  for (const v1::Slice& slice : record.slices()) {
    const uint64_t first = position;
    position += slice.events_size();
    if (position <= from) continue;
    if (slice.kind() == v1::STREAM_KIND_POLICY) {
      DOCKET_RETURN_IF_ERROR(BuildRollouts(reader, matcher, record, slice, first, from, &alerts));
    }
    if (slice.kind() != v1::STREAM_KIND_CASE) continue;
    if (std::none_of(slice.events().begin(), slice.events().end(),
                     [&](const v1::RecordedEvent& event) { return matcher.MayMatch(event); })) {
      continue;
    }
    const absl::Status built = BuildSlice(reader, matcher, record, slice, first, from, &alerts);
    if (!built.ok()) {
      cases_.Erase(slice.stream_id());  // half of the slice may be in it
      return built;
    }
    cases_.Shrink();
  }
  return alerts;
}

}  // namespace docket::query
