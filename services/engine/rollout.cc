#include "services/engine/rollout.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "services/engine/case_loader.h"
#include "store/view_table.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/projection/rows.h"
#include "workflow/sla/clock_decisions.h"

namespace docket::engine {
namespace {

constexpr uint64_t kProgressEvery = 1000;

uint64_t CountRows(const ReadView& view) {
  uint64_t count = 0;
  const std::string lower = store::KeyspacePrefix(projection::CaseRow::kKeyspace);
  for (auto rows = view.snapshot->Scan(view.views, lower, store::PrefixEnd(lower)); rows->Valid(); rows->Next()) {
    ++count;
  }
  return count;
}

void Count(const v1::Case& state, const v1::ClockRetargeted& change, absl::Time now, v1::PlanRolloutReply* reply) {
  v1::PolicyRolloutPlanned& plan = *reply->mutable_plan();
  const absl::Time before = change.has_old_due_at() ? FromProto(change.old_due_at()) : absl::InfiniteFuture();
  const absl::Time after = change.has_due_at() ? FromProto(change.due_at()) : absl::InfiniteFuture();
  const bool late = after < now && before >= now;
  plan.set_clocks(plan.clocks() + 1);
  if (after > before) plan.set_later(plan.later() + 1);
  if (after < before) plan.set_earlier(plan.earlier() + 1);
  if (late) plan.set_late(plan.late() + 1);
  if (reply->changes_size() == kMaxRolloutChanges) {
    reply->set_changes_cut(true);
    return;
  }
  v1::RolloutChange* told = reply->add_changes();
  told->set_case_id(state.case_id());
  told->set_case_no(state.case_no());
  told->set_clock_no(change.clock_no());
  for (const v1::Clock& clock : state.clocks()) {
    if (clock.clock_no() == change.clock_no()) told->set_metric(clock.metric());
  }
  if (change.has_old_due_at()) *told->mutable_old_due_at() = change.old_due_at();
  if (change.has_due_at()) *told->mutable_new_due_at() = change.due_at();
  told->set_late(late);
}

}  // namespace

absl::StatusOr<v1::PolicyRolloutPlanned> MakeRolloutPlan(const policy::PolicySet& policies,
                                                         const v1::PlanRolloutRequest& request,
                                                         const std::string& planned_by) {
  if (request.kind() != v1::CALENDAR && request.kind() != v1::SLA) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "ROLLOUT_KIND",
                  absl::StrCat("kind: ", v1::PolicyKind_Name(request.kind()), ", want CALENDAR or SLA"));
  }
  DOCKET_ASSIGN_OR_RETURN(const policy::PolicySet::Listed to,
                          policies.Get(request.kind(), request.id(), request.version()));
  v1::PolicyRolloutPlanned plan;
  plan.set_kind(request.kind());
  *plan.mutable_to() = to.pin;
  plan.set_rollout_id(absl::StrCat(absl::AsciiStrToLower(v1::PolicyKind_Name(request.kind())), ".", request.id(), ".",
                                   to.pin.version()));
  plan.set_cause(!request.cause().empty() ? request.cause() : request.kind() == v1::CALENDAR ? "CALENDAR" : "POLICY");
  plan.set_planned_by(planned_by);
  return plan;
}

bool ConcernsCase(const v1::Case& state, const v1::PolicyRolloutPlanned& plan) {
  if (state.history()) return false;
  return std::any_of(state.clocks().begin(), state.clocks().end(), [&](const v1::Clock& clock) {
    const v1::PolicyPin& pin = plan.kind() == v1::CALENDAR ? clock.calendar() : clock.policy();
    const bool runs = clock.state() == v1::RUNNING || clock.state() == v1::PAUSED;
    return runs && pin.id() == plan.to().id() && pin.version() < plan.to().version();
  });
}

absl::StatusOr<v1::PlanRolloutReply> PreviewRollout(
    const ReadView& view, const store::EventLog& log, v1::PolicyRolloutPlanned plan, absl::Time now,
    const std::function<bool(uint64_t done, uint64_t total)>& progress) {
  v1::PlanRolloutReply reply;
  reply.set_cases_total(CountRows(view));
  for (auto clear : {&v1::PolicyRolloutPlanned::clear_clocks, &v1::PolicyRolloutPlanned::clear_later,
                     &v1::PolicyRolloutPlanned::clear_earlier, &v1::PolicyRolloutPlanned::clear_late}) {
    (plan.*clear)();
  }
  *reply.mutable_plan() = plan;
  const CaseLoader loader(*view.snapshot, view.views, log);
  store::RowScan<projection::CaseRow> rows(*view.snapshot, view.views);
  uint64_t done = 0;
  for (; rows.Valid(); rows.Next()) {
    if (done++ % kProgressEvery == 0 && !progress(done, reply.cases_total())) {
      return absl::CancelledError("the preview was given up");
    }
    DOCKET_ASSIGN_OR_RETURN(const projection::CaseRow row, rows.Get());
    DOCKET_ASSIGN_OR_RETURN(const std::optional<v1::Case> state, loader.Load(row.case_id));
    if (!state.has_value() || !ConcernsCase(*state, plan)) continue;
    DOCKET_ASSIGN_OR_RETURN(const std::vector<v1::Event> events,
                            sla::RollOut(*state, plan, now, *view.policies, {.in_force = now}));
    for (const v1::Event& event : events) {
      if (event.has_clock_retargeted()) Count(*state, event.clock_retargeted(), now, &reply);
    }
  }
  DOCKET_RETURN_IF_ERROR(rows.status());
  reply.set_cases_done(done);
  reply.set_done(true);
  return reply;
}

}  // namespace docket::engine
