// Calendars that change while clocks run by them (R10).
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/engine/engine_impl.h"
#include "services/engine/rollout.h"
#include "workflow/sla/calendar_compile.h"

namespace docket::engine {
namespace {

// Whether a version was published only because the zone data had changed.
bool SameText(const policy::PolicySet& policies, const v1::PolicyPin& pin) {
  const auto version = policies.Get(v1::CALENDAR, pin.id(), pin.version());
  const auto before = policies.Get(v1::CALENDAR, pin.id(), pin.version() - 1);
  return version.ok() && before.ok() && version->digest == before->digest;
}

}  // namespace

void EngineImpl::FollowZoneData() {
  const ReadView view = Read();
  const std::vector<policy::PolicySet::Listed> calendars = view.policies->List(v1::CALENDAR);
  const bool agree = std::all_of(calendars.begin(), calendars.end(), [&](const policy::PolicySet::Listed& one) {
    const auto calendar = view.policies->Get(v1::CALENDAR, one.pin.id(), one.pin.version());
    return !calendar.ok() || sla::AgreesWithZoneData(calendar->compiled.calendar());
  });
  if (agree || IsStopping()) return;
  // A failure leaves the calendars as they were pinned; the next start tries again.
  (void)OnWriter([&] {
    sequencer_.BeginGroup();
    if (sequencer_.RepublishCalendars(SystemCaller()).ok()) (void)FinishGroup({});
  });
}

// A late holiday, a storm day or other zone data concerns clocks that run: the plan is made at once, somebody has only
// to approve it.
void EngineImpl::PrepareCalendars() {
  const ReadView view = Read();
  for (const policy::PolicySet::Listed& calendar : view.policies->List(v1::CALENDAR)) {
    const std::string name = absl::StrCat(calendar.pin.id(), "@", calendar.pin.version());
    if (calendar.pin.version() < 2 || IsStopping() || !calendars_prepared_.insert(name).second) continue;
    v1::PlanRolloutRequest request;
    request.set_kind(v1::CALENDAR);
    request.set_id(calendar.pin.id());
    request.set_version(calendar.pin.version());
    request.set_dry_run(true);
    if (SameText(*view.policies, calendar.pin)) request.set_cause("TZDATA");
    const auto counted = PlanRollout(request, SystemCaller(), [this](uint64_t, uint64_t) { return !IsStopping(); });
    const bool planned = FindRollout(*Read().policies, absl::StrCat("calendar.", calendar.pin.id(), ".",
                                                                    calendar.pin.version())) != nullptr;
    if (!counted.ok() || counted->plan().clocks() == 0 || planned) continue;
    v1::Event event;
    *event.mutable_policy_rollout_planned() = counted->plan();
    if (!RecordRollout(std::move(event), SystemCaller()).ok()) calendars_prepared_.erase(name);
  }
}

}  // namespace docket::engine
