#ifndef DOCKET_WORKFLOW_CASE_DECIDE_H_
#define DOCKET_WORKFLOW_CASE_DECIDE_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/command.pb.h"
#include "docket/v1/event.pb.h"
#include "workflow/case/draft.h"

// The pure core: a state and a command in, the events that happen or a refusal out. Start here to understand workflow/.
namespace docket::workflow {

// How far a contact with the outside world may lie back (R7), imports excepted.
inline constexpr absl::Duration kMaxBackDating = absl::Hours(72);
// Clients' clocks may differ by this much without a word.
inline constexpr absl::Duration kClockTolerance = absl::Minutes(2);
// A case holds at most this many events; the last ones are kept for what time makes true and, before these, for the
// commands that bring a case to its end, so that no flood of notes can bury it.
inline constexpr uint32_t kMaxCaseEvents = 65'536;
inline constexpr uint32_t kKeptForTime = 1024;
inline constexpr uint32_t kKeptForEnding = 1024;
// The events a case may hold after `command`, beyond which it is FAILED_PRECONDITION CASE_FULL.
uint32_t EventLimit(absl::string_view command);

// The instant a command takes effect. `occurred_at` InfinitePast: not given. Refuses (INVALID_ARGUMENT OCCURRED_AT_…)
// the future, back-dating of anything but contacts, beyond the limit, or without evidence.
absl::StatusOr<absl::Time> EffectiveTime(const v1::Case& state, const v1::Command& command, absl::Time occurred_at,
                                         bool has_evidence, absl::Time now);

// What happens: first everything that time has made true up to the effective time, then the command. No events: nothing
// to do (an import row already recorded, an advance too early). Refusals carry a reason and every unmet condition;
// a refused command makes no event at all, not even the automatic ones. `after`, when not null, gets the new state.
absl::StatusOr<std::vector<v1::Event>> Decide(const v1::Case& state, const v1::Command& command,
                                              const DecideContext& context, v1::Case* after = nullptr);

}  // namespace docket::workflow

#endif  // DOCKET_WORKFLOW_CASE_DECIDE_H_
