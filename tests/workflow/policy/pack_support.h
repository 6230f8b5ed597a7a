#ifndef DOCKET_TESTS_WORKFLOW_POLICY_PACK_SUPPORT_H_
#define DOCKET_TESTS_WORKFLOW_POLICY_PACK_SUPPORT_H_

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "workflow/policy/pack.h"
#include "workflow/policy/policy_set.h"

namespace docket::policy {

using PolicySetPtr = std::shared_ptr<const PolicySet>;

absl::Time TestNow();  // 2026-11-18 09:00 UTC

// "7 UNKNOWN_KEY" for each finding, in order.
std::vector<std::string> Brief(const std::vector<Finding>& findings);
// All findings with their messages, for failures.
std::string Explain(const std::vector<Finding>& findings);

// A valid document with one thing broken: the only place where it says `old` says `now` instead.
struct Broken {
  const char* name;
  const char* old;
  const char* now;
  std::vector<std::string> findings;
};
void PrintTo(const Broken& broken, std::ostream* out);
std::string Break(absl::string_view yaml, const Broken& broken);

// The set with all that `pack` publishes, version after version; positions and times ascend. Fails the test when the
// pack has findings.
PolicySetPtr Publish(const PolicySetPtr& set, absl::string_view yaml, absl::Time effective_from = absl::InfinitePast());
PolicySetPtr Publish(const PolicySetPtr& set, const Pack& pack, absl::Time effective_from = absl::InfinitePast());

// A shipped pack by its file name.
std::string ShippedPack(const std::string& name);
std::vector<std::string> ShippedPackNames();

}  // namespace docket::policy

#endif  // DOCKET_TESTS_WORKFLOW_POLICY_PACK_SUPPORT_H_
