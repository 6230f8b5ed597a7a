#ifndef DOCKET_WORKFLOW_CASE_CLIMB_H_
#define DOCKET_WORKFLOW_CASE_CLIMB_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/event.pb.h"
#include "workflow/case/draft.h"
#include "workflow/escalation/triggers.h"

// What ladders make of events while a case is decided: raising levels, their actions, acknowledgements that lapse,
// silences. What is to be raised is found in workflow/escalation; here it is emitted, and what follows from it in turn.
// Every key fires once, so that this ends.
namespace docket::workflow {

// Emits what `cause`, which has this revision, sets off by itself.
absl::Status Climb(Draft& draft, const v1::Event& cause, uint32_t revision);

// Emits what the facts that have become true since it was made set off, and what that sets off in turn. Made before a
// command or a timer does what it does, asked once it has done all of it.
class FactsWatch {
 public:
  explicit FactsWatch(const Draft& draft);
  absl::Status Climb(Draft& draft);

 private:
  const bool filed_;
  std::optional<v1::CaseFacts> before_;  // nullopt: no ladder looks at facts
};

// Raises a level at `at`: who was passed over, the escalation, its actions. `raised` carries what asking by hand adds
// to the fact: source, reason, justification, request_no; empty for a trigger.
absl::Status RaiseLevel(Draft& draft, const escalation::Firing& firing, v1::EscalationKind kind, absl::Time at,
                        const v1::EscalationRaised& by_hand = {});

// Tells others of what waits to be acknowledged by nobody but principals in conflict, of whom `who` is the newest.
absl::Status TellBeyondConflict(Draft& draft, const std::string& who);

// Nobody acknowledged the escalation by `at`. The next level follows.
absl::Status LapseAcknowledgement(Draft& draft, uint32_t escalation_no, absl::Time at);

// A ladder looks at a silence, or at a duty that was excused, whose instant has come.
absl::Status LookAgain(Draft& draft);

// After several levels of a ladder were noticed late, all but the highest are marked as passed: recorded, but nobody is
// told (R13). Only of one ladder, for another tells other people. `first` is where what is noticed now begins in
// draft.events().
absl::Status TellOnlyTheHighest(Draft& draft, size_t first);

}  // namespace docket::workflow

#endif  // DOCKET_WORKFLOW_CASE_CLIMB_H_
