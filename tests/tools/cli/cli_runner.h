#ifndef DOCKET_TESTS_TOOLS_CLI_CLI_RUNNER_H_
#define DOCKET_TESTS_TOOLS_CLI_CLI_RUNNER_H_

#include <sstream>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/time/time.h"
#include "tools/cli/app.h"
#include "tools/cli/global_options.h"

namespace docket::cli {

struct Ran {
  int exit_code;
  std::string out;
  std::string err;
};

// Runs `docket` in this process, as a script would: no terminal, UTC unless said, a fixed clock.
inline Ran RunDocket(std::vector<std::string> arguments, const std::string& input = "", bool utc = true) {
  std::ostringstream out, err;
  std::istringstream in(input);
  GlobalOptions options;
  options.out = &out;
  options.err = &err;
  options.in = &in;
  options.out_is_terminal = false;
  options.columns = 0;
  options.err_is_terminal = false;
  options.now = [] { return absl::FromUnixSeconds(1'795'185'000); };  // 2026-11-20T14:30:00Z
  options.utc = utc;
  options.client_options.sleep = [](absl::Duration) {};
  CLI::App app("", "docket");
  BuildApp(app, options);
  const int exit_code = RunApp(app, options, std::move(arguments));
  return {exit_code, out.str(), err.str()};
}

}  // namespace docket::cli

#endif  // DOCKET_TESTS_TOOLS_CLI_CLI_RUNNER_H_
