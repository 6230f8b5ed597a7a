#ifndef DOCKET_TESTS_TOOLS_CLI_READERS_H_
#define DOCKET_TESTS_TOOLS_CLI_READERS_H_

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/tools/cli/cli_runner.h"
#include "tests/tools/support/fake_server.h"

// Commands that read, against a server that answers as a test has it.
namespace docket::cli {

using docket::testing::FakeServer;

class Readers : public ::testing::Test {
 protected:
  Ran Run(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), {"--server", server_.address()});
    return RunDocket(std::move(arguments), input);
  }

  FakeServer server_;
};

}  // namespace docket::cli

#endif  // DOCKET_TESTS_TOOLS_CLI_READERS_H_
