#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "tools/cli/app.h"
#include "tools/cli/global_options.h"

int main(int argc, char** argv) {
  docket::cli::GlobalOptions options;
  CLI::App app("", "docket");
  docket::cli::BuildApp(app, options);
#ifdef DOCKET_HAVE_IMPORT
  docket::cli::AddImportCommand(app, options);
#endif
  return docket::cli::RunApp(app, options, std::vector<std::string>(argv + 1, argv + argc));
}
