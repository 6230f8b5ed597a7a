#ifndef DOCKET_WORKFLOW_CASE_CONFLICTED_H_
#define DOCKET_WORKFLOW_CASE_CONFLICTED_H_

#include <algorithm>

#include "absl/strings/string_view.h"
#include "docket/v1/case.pb.h"

namespace docket::workflow {

// The declared conflict of a principal with a case; null: none. Such a principal does not take it, is not given it,
// approves nothing in it and hears of no escalation of it.
inline const v1::Conflict* ConflictOf(const v1::Case& state, absl::string_view principal) {
  const auto found = std::find_if(state.conflicts().begin(), state.conflicts().end(),
                                  [&](const v1::Conflict& one) { return one.principal() == principal; });
  return found == state.conflicts().end() ? nullptr : &*found;
}

}  // namespace docket::workflow

#endif  // DOCKET_WORKFLOW_CASE_CONFLICTED_H_
