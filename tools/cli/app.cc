#include "tools/cli/app.h"

#include <algorithm>
#include <cstdint>
#include <ostream>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tools/cli/commands.h"
#include "tools/cli/moments.h"

namespace docket::cli {
namespace {

constexpr char kExamples[] = R"(Examples:
  docket case file --kind complaint --title "Charged twice" --narrative "Two debits on 3 May"
  docket case allowed CMP-2026-000017-K
  docket case hold CMP-2026-000017-K --waiting-on complainant --reason-code DOCUMENTS --until 2026-11-27T17:00:00Z
  docket overdue --department complaints --as-of "2026-11-20 17:00"
  docket -o json case show servicenow-incident:INC0000045

CASE is a case number, a case id or source:key of another system.
Exit codes: 0 ok, 1 refused, 2 usage or files, 3 cannot connect, 4 verification failed, 5 older than trusted.)";

constexpr char kStart[] = R"(docket: complaints and tickets, with their deadlines and their history

  docket overdue                                  what is late, for whom, since when
  docket mine --as PRINCIPAL                      what is yours to do, earliest due first
  docket case file --kind complaint --title "…"   open a case

docket --help lists all commands; docket COMMAND --help shows one with examples.
)";

// Checks of CLI11: "" when the value is good.
std::string CheckServer(const std::string& text) {
  const size_t colon = text.rfind(':');
  uint32_t port = 0;
  const bool good = colon != std::string::npos && colon > 0 && absl::SimpleAtoi(text.substr(colon + 1), &port) &&
                    port >= 1 && port <= 65535;
  return good ? "" : absl::StrCat("\"", absl::CHexEscape(text), "\", want HOST:PORT, port 1 to 65535");
}

// The server's rule. gRPC ends the program over metadata with a control character, so it cannot be left to the server.
std::string CheckPrincipal(const std::string& text) {
  const bool good = std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_islower(static_cast<unsigned char>(c)) || absl::ascii_isdigit(static_cast<unsigned char>(c)) ||
           c == '.' || c == '_' || c == '-';
  });
  return good ? "" : absl::StrCat("\"", absl::CHexEscape(text), "\", want a principal id, of a-z 0-9 . _ -");
}

}  // namespace

void BuildApp(CLI::App& app, GlobalOptions& options) {
  app.description("Docket: complaints and tickets, their deadlines and their history.");
  app.set_version_flag("--version", "docket " DOCKET_VERSION);
  // Global options may stand anywhere on the line.
  app.fallthrough();
  app.require_subcommand(0, 1);
  app.add_option("--server", options.server, "Server, HOST:PORT")
      ->envname("DOCKET_SERVER")
      ->check(CheckServer)
      ->capture_default_str();
  app.add_option("--as", options.principal, "Principal on whose behalf")->envname("DOCKET_AS")->check(CheckPrincipal);
  app.add_option("-o,--output", options.output,
                 "table, json or jsonl; lists also csv, in which text that begins with = + - @ has a ' before it")
      ->check(CLI::IsMember({"table", "json", "jsonl", "csv"}))
      ->capture_default_str();
  app.add_flag("--utc", options.utc, "Show times, and read times without an offset, in UTC");
  app.add_option("--timeout", options.timeout, "Longest wait for one answer")
      ->check([](const std::string& text) {
        const auto span = ParseSpan(text);
        return span.ok() ? std::string() : std::string(span.status().message());
      })
      ->capture_default_str();
  AddCaseCommands(app, options);
  AddMonitorCommands(app, options);
  AddControlCommands(app, options);
  AddQueueCommands(app, options);
  AddReassignCommand(app, options);
  AddWatchCommand(app, options);
  AddAlertsCommand(app, options);
  AddPolicyCommands(app, options);
  AddLogCommands(app, options);
  AddAdminCommands(app, options);
  AddDirectoryCommand(app, options);
  // Last: subcommands inherit the footer that stands when they are made, and these examples are not theirs.
  app.footer(kExamples);
}

int RunApp(CLI::App& app, GlobalOptions& options, std::vector<std::string> arguments) {
  // CLI11 takes the arguments from the back.
  std::reverse(arguments.begin(), arguments.end());
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, *options.out, *options.err) == 0 ? kExitOk : kExitUsage;
  }
  if (app.get_subcommands().empty()) *options.out << kStart;
  options.out->flush();
  // A full disk must not look like success to a script.
  if (options.exit_code == kExitOk && !*options.out) return ReportUsage(options, "cannot write the output");
  return options.exit_code;
}

}  // namespace docket::cli
