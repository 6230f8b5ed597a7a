#ifndef DOCKET_TOOLS_POLICYTEST_RUN_H_
#define DOCKET_TOOLS_POLICYTEST_RUN_H_

#include <string>
#include <vector>

#include "tools/policytest/scenario.h"

// Runs scenarios through the rules of workflow/case: the same decisions as the server's, without one. Pure.
namespace docket::policytest {

// Something that is not as expected.
struct Difference {
  int line = 0;      // of the expectation, or of the step that failed
  std::string when;  // "Fri 2026-11-20 17:00"
  std::string what;  // "RESOLUTION.due"
  std::string expected;
  std::string got;
};

struct Outcome {
  std::string name;
  int line = 0;
  std::vector<Difference> differences;  // empty: ok
  std::vector<std::string> clocks;      // as they stand at the end, one line each
};

// REQUIRES: suite.findings is empty, and `scenario` is one of its own.
Outcome RunScenario(const Suite& suite, const Scenario& scenario);

}  // namespace docket::policytest

#endif  // DOCKET_TOOLS_POLICYTEST_RUN_H_
