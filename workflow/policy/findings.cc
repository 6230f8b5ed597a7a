#include "workflow/policy/findings.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "workflow/base/refusal.h"

namespace docket::policy {

void Findings::Add(int line, absl::string_view reason, std::string message) {
  if (findings_.size() >= kMaxFindings) {
    ++left_off_;
    return;
  }
  findings_.push_back({.line = line, .reason = std::string(reason), .message = std::move(message)});
}

void Findings::Add(int line, const absl::Status& refusal, absl::string_view reason) {
  const std::string own = ReasonOf(refusal);
  Add(line, own.empty() ? reason : absl::string_view(own), std::string(refusal.message()));
}

std::vector<Finding> Findings::Take() {
  std::stable_sort(findings_.begin(), findings_.end(),
                   [](const Finding& a, const Finding& b) { return a.line < b.line; });
  if (left_off_ > 0) {
    const int line = findings_.back().line;
    findings_.push_back({.line = line, .reason = "TOO_MANY_FINDINGS", .message = absl::StrCat(left_off_, " more")});
  }
  return std::exchange(findings_, {});
}

}  // namespace docket::policy
