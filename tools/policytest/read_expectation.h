#ifndef DOCKET_TOOLS_POLICYTEST_READ_EXPECTATION_H_
#define DOCKET_TOOLS_POLICYTEST_READ_EXPECTATION_H_

#include "absl/time/time.h"
#include "tools/policytest/scenario.h"
#include "workflow/policy/findings.h"
#include "workflow/policy/yaml_tree.h"

namespace docket::policytest {

// The value of one `expect` key; "+4h" counts from `base`.
Expectation ReadExpectation(const policy::YamlNode& node, absl::Time base, absl::TimeZone zone,
                            policy::Findings* findings);

}  // namespace docket::policytest

#endif  // DOCKET_TOOLS_POLICYTEST_READ_EXPECTATION_H_
