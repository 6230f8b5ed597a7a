#include "workflow/case/watchers.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/case/ownership.h"
#include "workflow/case/status.h"

namespace docket::workflow {
namespace {

const std::string& OrActor(const Draft& draft, const std::string& principal) {
  return principal.empty() ? draft.context().actor->principal_id() : principal;
}

}  // namespace

bool IsWatcher(const v1::Case& state, absl::string_view principal) {
  return absl::c_any_of(state.watchers(), [&](const std::string& one) { return one == principal; });
}

absl::Status DecideAddWatcher(Draft& draft, const v1::Command& command) {
  const std::string& who = OrActor(draft, command.add_watcher().principal());
  std::vector<BadField> bad;
  CheckPrincipal(draft.context(), "add_watcher.principal", who, &bad);
  if (!bad.empty()) return RefuseFields("UNKNOWN_PRINCIPAL", bad);
  const v1::Case& state = draft.state();
  std::vector<Unmet> unmet;
  if (!IsWatcher(state, who) && state.watchers_size() >= kMaxWatchers) {
    unmet.push_back({"TOO_MANY_WATCHERS",
                     absl::StrCat("watchers: ", state.watchers_size(), ", want at most ", kMaxWatchers),
                     "remove_watcher"});
  }
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  if (!IsWatcher(state, who)) {
    v1::Event event;
    event.mutable_watcher_added()->set_principal(who);
    DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  }
  return Follow(draft, transition);
}

absl::Status DecideRemoveWatcher(Draft& draft, const v1::Command& command) {
  const std::string& who = OrActor(draft, command.remove_watcher().principal());
  std::vector<Unmet> unmet;
  if (!IsWatcher(draft.state(), who)) {
    unmet.push_back(
        {"NOT_A_WATCHER", absl::StrCat("remove_watcher.principal: ", who, " does not watch the case"), "add_watcher"});
  }
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  v1::Event event;
  event.mutable_watcher_removed()->set_principal(who);
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Follow(draft, transition);
}

absl::Status ApplyWatcherAdded(const v1::WatcherAdded& event, v1::Case* state) {
  if (!IsWatcher(*state, event.principal())) state->add_watchers(event.principal());
  return absl::OkStatus();
}

absl::Status ApplyWatcherRemoved(const v1::WatcherRemoved& event, v1::Case* state) {
  auto* watchers = state->mutable_watchers();
  watchers->erase(std::remove(watchers->begin(), watchers->end(), event.principal()), watchers->end());
  return absl::OkStatus();
}

}  // namespace docket::workflow
