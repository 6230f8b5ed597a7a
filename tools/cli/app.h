#ifndef DOCKET_TOOLS_CLI_APP_H_
#define DOCKET_TOOLS_CLI_APP_H_

#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "tools/cli/global_options.h"

namespace docket::cli {

// Adds the global options and every command. `options` must outlive `app`.
void BuildApp(CLI::App& app, GlobalOptions& options);

// Parses `arguments` (without the program's name), runs the command and returns the exit code.
int RunApp(CLI::App& app, GlobalOptions& options, std::vector<std::string> arguments);

}  // namespace docket::cli

#endif  // DOCKET_TOOLS_CLI_APP_H_
