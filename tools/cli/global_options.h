#ifndef DOCKET_TOOLS_CLI_GLOBAL_OPTIONS_H_
#define DOCKET_TOOLS_CLI_GLOBAL_OPTIONS_H_

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "tools/client/client.h"

namespace CLI {
class App;
}

// What every command of `docket` shares. A command reads it in its CLI11 callback, writes to `out` and `err`, and
// leaves its result in `exit_code`.
namespace docket::cli {

// Fixed: scripts rely on them.
enum ExitCode : int {
  kExitOk = 0,
  kExitRefused = 1,       // by the server, or an import with bad rows
  kExitUsage = 2,         // usage, or input and output of this program
  kExitNoConnection = 3,  // cannot connect, or no answer
  kExitNotVerified = 4,   // a verification failed
  kExitOlder = 5,         // older than a trusted state
};

enum class OutputFormat { kTable, kJson, kJsonl, kCsv };

struct GlobalOptions {
  std::string server = "127.0.0.1:7450";
  std::string principal;
  std::string output = "table";  // table, json, jsonl or csv
  bool utc = false;
  std::string timeout = "30s";  // per call

  std::ostream* out;
  std::ostream* err;
  std::istream* in;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  size_t columns = 0;  // of the terminal that `out` is; 0: it is none
  std::function<absl::Time()> now;
  // Retries and waits; server, principal and timeout are taken from above.
  client::ClientOptions client_options;
  int exit_code = kExitOk;

  // Standard streams and the wall clock.
  GlobalOptions();
  ~GlobalOptions();

  OutputFormat format() const;
  // The zone times are shown in, and read in when they name none.
  absl::TimeZone zone() const;
  std::string zone_name() const;
  // Made on first use, when the options have been parsed. The same object every time.
  client::Client& client();

 private:
  std::unique_ptr<client::Client> client_;
};

// Reports a failed call on `err` (code, reason, message, every unmet condition with the command that would meet it) and
// returns the exit code for it. `case_name` is the case as the user named it; empty: none. REQUIRES: !status.ok().
int ReportFailure(GlobalOptions& options, const absl::Status& status, const std::string& case_name = "");
int ExitCodeFor(const absl::Status& status);

// Reports a wrong argument or an unreadable file on `err` and returns kExitUsage.
int ReportUsage(GlobalOptions& options, absl::string_view message);

// `docket import`; defined in tools/import, which links what it needs of this folder.
void AddImportCommand(CLI::App& app, GlobalOptions& options);

}  // namespace docket::cli

#endif  // DOCKET_TOOLS_CLI_GLOBAL_OPTIONS_H_
