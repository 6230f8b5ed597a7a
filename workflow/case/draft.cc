#include "workflow/case/draft.h"

#include <algorithm>
#include <utility>

#include "workflow/base/check.h"
#include "workflow/base/time.h"
#include "workflow/case/climb.h"
#include "workflow/case/replay.h"
#include "workflow/sla/clock_rules.h"

namespace docket::workflow {

absl::Status Draft::EmitOne(v1::Event event) {
  DOCKET_RETURN_IF_ERROR(Apply(event, &state_));
  events_.push_back(std::move(event));
  return absl::OkStatus();
}

sla::Occasion Draft::OccasionAt(absl::Time occurred_at) const {
  sla::Occasion occasion{.in_force = InForce(occurred_at)};
  if (context_.actor != nullptr) occasion.actor = context_.actor->principal_id();
  occasion.approver = context_.approver;
  occasion.by_person = in_force_.has_value() && !state_.history();
  occasion.now = context_.now;
  return occasion;
}

absl::Status Draft::EmitAll(std::vector<v1::Event> events) {
  for (v1::Event& event : events) DOCKET_RETURN_IF_ERROR(Emit(std::move(event)));
  return absl::OkStatus();
}

absl::Status Draft::Emit(v1::Event event) {
  if (!event.has_occurred_at()) {
    absl::Time at = context_.effective;
    if (state_.has_last_event_at()) at = std::max(at, FromProto(state_.last_event_at()));
    *event.mutable_occurred_at() = ToProto(at);
  }
  if (event.visibility() == v1::VISIBILITY_UNSPECIFIED) event.set_visibility(v1::VISIBILITY_INTERNAL);
  const v1::Case before = state_;
  DOCKET_RETURN_IF_ERROR(EmitOne(event));
  const uint32_t revision = state_.revision();
  const sla::Occasion occasion = OccasionAt(FromProto(event.occurred_at()));
  DOCKET_ASSIGN_OR_RETURN(const std::vector<v1::Event> clocks,
                          sla::ClockConsequences(before, state_, event, *context_.policies, occasion));
  for (v1::Event clock_event : clocks) {
    if (clock_event.visibility() == v1::VISIBILITY_UNSPECIFIED) clock_event.set_visibility(v1::VISIBILITY_INTERNAL);
    DOCKET_RETURN_IF_ERROR(EmitOne(clock_event));
    DOCKET_RETURN_IF_ERROR(Climb(*this, clock_event, state_.revision()));
  }
  return Climb(*this, event, revision);
}

absl::Status Draft::Retell(std::vector<v1::Event> events) {
  state_ = initial_;
  events_.clear();
  for (v1::Event& event : events) DOCKET_RETURN_IF_ERROR(EmitOne(std::move(event)));
  return absl::OkStatus();
}

}  // namespace docket::workflow
