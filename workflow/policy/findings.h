#ifndef DOCKET_WORKFLOW_POLICY_FINDINGS_H_
#define DOCKET_WORKFLOW_POLICY_FINDINGS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "workflow/policy/pack.h"

// Collects what is wrong with a pack. Not thread-safe.
namespace docket::policy {

// Beyond this many the rest of a garbled file says nothing new; the last finding tells that there were more.
inline constexpr size_t kMaxFindings = 200;

class Findings {
 public:
  // `line` from 1; `reason` in UPPER_SNAKE; `message` names what was found and what was wanted.
  void Add(int line, absl::string_view reason, std::string message);
  // The reason and message of a refusal, or `reason` when it carries none.
  void Add(int line, const absl::Status& refusal, absl::string_view reason);
  bool empty() const { return findings_.empty(); }
  size_t size() const { return findings_.size(); }
  // By line, then in the order found.
  std::vector<Finding> Take();

 private:
  std::vector<Finding> findings_;
  size_t left_off_ = 0;
};

}  // namespace docket::policy

#endif  // DOCKET_WORKFLOW_POLICY_FINDINGS_H_
