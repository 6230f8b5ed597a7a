#ifndef DOCKET_WORKFLOW_POLICY_NEAREST_H_
#define DOCKET_WORKFLOW_POLICY_NEAREST_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

// Suggestions for misspelt names. Pure.
namespace docket::policy {

// Single-character insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`. Names longer
// than kMaxComparedBytes are compared by their beginnings, so that hostile input costs little.
inline constexpr size_t kMaxComparedBytes = 128;
size_t EditDistance(absl::string_view a, absl::string_view b);

// The candidate with the smallest distance to `name`, the first of equals; "" when none is near: half of the longer
// name must be right, or the suggestion would be a guess.
std::string Nearest(absl::string_view name, const std::vector<std::string>& candidates);

// "; nearest: hold" for the end of a refusal; "" when none is near.
std::string NearestHint(absl::string_view name, const std::vector<std::string>& candidates);

}  // namespace docket::policy

#endif  // DOCKET_WORKFLOW_POLICY_NEAREST_H_
