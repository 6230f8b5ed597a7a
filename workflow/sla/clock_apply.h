#ifndef DOCKET_WORKFLOW_SLA_CLOCK_APPLY_H_
#define DOCKET_WORKFLOW_SLA_CLOCK_APPLY_H_

#include <cstdint>

#include "absl/status/status.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/event.pb.h"

// Folding the events of clocks. Pure and closed: reads the event and the state, computes no due.
namespace docket::sla {

// The most changes of the answering department that one clock keeps; later ones are charged to the last kept.
inline constexpr int kMaxAnswered = 1024;
// Terms kept of those a clock had before its retargets.
inline constexpr int kMaxFormerTerms = 16;
// Notes for every unfinished clock who answers for it from `at` on, if that has changed. Follows every event that may
// change it.
void UpdateAnswering(const google::protobuf::Timestamp& at, v1::Case* state);

// ClockAttached, ClockRetargeted, … ClockPauseShortened.
bool IsClockEvent(const v1::Event& event);

// Folds a clock event into `state`; `revision` is the event's own and names the clock that a ClockAttached makes. Does
// not touch state->revision().
// kDataLoss: not a clock event, a clock the case does not have, or an event that cannot follow the clock's state.
absl::Status ApplyClockEvent(const v1::Event& event, uint32_t revision, v1::Case* state);

}  // namespace docket::sla

#endif  // DOCKET_WORKFLOW_SLA_CLOCK_APPLY_H_
