#ifndef DOCKET_WORKFLOW_CASE_STATUS_H_
#define DOCKET_WORKFLOW_CASE_STATUS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/command.pb.h"
#include "docket/v1/event.pb.h"
#include "docket/v1/policy.pb.h"
#include "workflow/base/refusal.h"
#include "workflow/case/draft.h"

// The status region: which transition of the chart a command takes, what forbids it, and entering a status.
namespace docket::workflow {

// The name of the set command in the oneof of Command: "hold". "" when none is set.
std::string CommandName(const v1::Command& command);
const google::protobuf::Message* CommandBody(const v1::Command& command);
// True for a command that is possible in a final status too: contacts, notes, and what is owed or judged beside the
// status.
bool AllowedInFinalStatus(absl::string_view command);
// True for a command that only a transition of the chart can allow.
bool NeedsTransition(absl::string_view command);

const v1::Status* FindStatus(const v1::Chart& chart, absl::string_view id);
// The flags of a status as the event that enters it carries them, its timer counted from `at`.
v1::StatusEntered EnteredOf(const v1::Chart& chart, const v1::Status& status, absl::Time at);

// The chart the case is pinned to. kDataLoss when the log does not hold it.
absl::StatusOr<const v1::Chart*> PinnedChart(const v1::Case& state, const policy::PolicySet& policies);

// How a command stands to a chart in the present status.
struct Choice {
  const v1::Transition* transition = nullptr;  // null: none applies
  bool listed = false;                         // the chart mentions the command at all
  std::vector<Unmet> unmet;                    // guards of `transition` that do not hold
};
// `body` null (what might be allowed, before the fields are known): conditions over the command count as met, and of
// the transitions it could take the first that nothing forbids is chosen.
Choice ChooseTransition(const v1::Chart& chart, const v1::Case& state, absl::string_view command,
                        const google::protobuf::Message* body);

// The guards of `transition` that do not hold in `state`; those over the command are left out.
std::vector<Unmet> UnmetGuards(const v1::Transition& transition, const v1::Case& state);

// The transition that the command takes, or the refusal with every unmet condition, `more` included. Null when the
// chart demands none for it and none applies.
absl::StatusOr<const v1::Transition*> RequireTransition(const Draft& draft, const v1::Command& command,
                                                        std::vector<Unmet> more = {});

// Emits StatusChanged along `transition` (null: nothing). `wait` for a status of category WAITING.
absl::Status Follow(Draft& draft, const v1::Transition* transition, const v1::Wait* wait = nullptr);

absl::Status DecideHold(Draft& draft, const v1::Command& command);
absl::Status DecideResume(Draft& draft, const v1::Command& command);
absl::Status DecideClose(Draft& draft, const v1::Command& command);
absl::Status DecideReopen(Draft& draft, const v1::Command& command);
absl::Status DecideVoid(Draft& draft, const v1::Command& command);
absl::Status DecideResolve(Draft& draft, const v1::Command& command);

// Until when a resolved or closed case may be reopened; InfiniteFuture: for ever, or it is neither.
absl::Time ReopenableUntil(const v1::Case& state, const v1::Chart& chart);

// CaseReopened, unless the case is in no resolved or closed status.
absl::Status EmitReopened(Draft& draft, v1::ReopenReason reason);
// Time spent waiting for the requester up to `at`, past waits included.
absl::Duration WaitedOnRequester(const v1::Case& state, absl::Time at);

absl::Status ApplyStatusChanged(const v1::Event& event, v1::Case* state);
absl::Status ApplyCaseReopened(const v1::Event& event, v1::Case* state);
absl::Status ApplyCaseClosed(const v1::CaseClosed& event, v1::Case* state);
absl::Status ApplyCaseResolved(const v1::CaseResolved& event, v1::Case* state);
absl::Status ApplyTimerPostponed(const v1::TimerPostponed& event, v1::Case* state);

}  // namespace docket::workflow

#endif  // DOCKET_WORKFLOW_CASE_STATUS_H_
