#ifndef DOCKET_WORKFLOW_CASE_WATCHERS_H_
#define DOCKET_WORKFLOW_CASE_WATCHERS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/command.pb.h"
#include "docket/v1/event.pb.h"
#include "workflow/case/draft.h"

// Principals who are told of a case that is not theirs.
namespace docket::workflow {

inline constexpr int kMaxWatchers = 64;  // the limit of Case.watchers

bool IsWatcher(const v1::Case& state, absl::string_view principal);

absl::Status DecideAddWatcher(Draft& draft, const v1::Command& command);
absl::Status DecideRemoveWatcher(Draft& draft, const v1::Command& command);

absl::Status ApplyWatcherAdded(const v1::WatcherAdded& event, v1::Case* state);
absl::Status ApplyWatcherRemoved(const v1::WatcherRemoved& event, v1::Case* state);

}  // namespace docket::workflow

#endif  // DOCKET_WORKFLOW_CASE_WATCHERS_H_
