#include "tools/cli/global_options.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <iostream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tools/cli/command_form.h"
#include "tools/cli/moments.h"
#include "tools/cli/table.h"

namespace docket::cli {
namespace {

size_t TerminalColumns() {
  winsize size = {};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

// The message without the unmet conditions, which are listed one by one.
std::string MessageOf(const client::CallFailure& failure) {
  if (failure.unmet.empty()) return failure.message;
  return failure.message.substr(0, failure.message.find(absl::StrCat(": ", failure.unmet.front().description)));
}

}  // namespace

GlobalOptions::GlobalOptions()
    : out(&std::cout),
      err(&std::cerr),
      in(&std::cin),
      out_is_terminal(isatty(STDOUT_FILENO) == 1),
      err_is_terminal(isatty(STDERR_FILENO) == 1),
      columns(TerminalColumns()),
      now([] { return absl::Now(); }) {}

GlobalOptions::~GlobalOptions() = default;

OutputFormat GlobalOptions::format() const {
  if (output == "json") return OutputFormat::kJson;
  if (output == "csv") return OutputFormat::kCsv;
  return output == "jsonl" ? OutputFormat::kJsonl : OutputFormat::kTable;
}

absl::TimeZone GlobalOptions::zone() const { return utc ? absl::UTCTimeZone() : absl::LocalTimeZone(); }

std::string GlobalOptions::zone_name() const {
  const std::string name = zone().name();
  // The system's zone is a file, which says nothing to the reader.
  return name == "localtime" || name[0] == '/' ? "local time" : name;
}

client::Client& GlobalOptions::client() {
  if (client_ == nullptr) {
    client_options.server = server;
    client_options.principal = principal;
    // The option's check has refused what is no span.
    client_options.call_timeout = ParseSpan(timeout).value_or(client_options.call_timeout);
    client_ = std::make_unique<client::Client>(client_options);
  }
  return *client_;
}

int ExitCodeFor(const absl::Status& status) {
  if (status.ok()) return kExitOk;
  const client::CallFailure failure = client::Describe(status);
  if (failure.not_connected) return kExitNoConnection;
  // A reason is the server's own word. Without one these codes come from the transport.
  const bool transport =
      status.code() == absl::StatusCode::kUnavailable || status.code() == absl::StatusCode::kDeadlineExceeded;
  return failure.reason.empty() && transport ? kExitNoConnection : kExitRefused;
}

int ReportFailure(GlobalOptions& options, const absl::Status& status, const std::string& case_name) {
  const client::CallFailure failure = client::Describe(status);
  const int exit_code = ExitCodeFor(status);
  std::ostream& err = *options.err;
  if (exit_code == kExitNoConnection) {
    if (!failure.not_connected) err << "no answer from " << options.server << ": ";
    err << failure.message << "\n";
  } else {
    err << "refused: " << absl::StatusCodeToString(failure.code);
    if (!failure.reason.empty()) err << " " << failure.reason;
    err << "\n";
    // The message of a refusal of fields only repeats them.
    if (failure.fields.empty()) err << "  " << OneLine(MessageOf(failure)) << "\n";
  }
  if (!failure.unmet.empty()) err << "unmet:\n";
  for (const Unmet& unmet : failure.unmet) {
    err << "  " << unmet.reason << ": " << OneLine(unmet.description) << "\n";
    if (!unmet.meet_by.empty()) err << "    met by: " << RemedyText(unmet.meet_by, case_name) << "\n";
  }
  for (const BadField& field : failure.fields) err << "  " << field.field << ": " << OneLine(field.description) << "\n";
  for (const auto& [key, value] : failure.metadata) {
    if (failure.fields.empty() && !absl::StrContains(failure.message, value)) {
      err << "  " << key << ": " << OneLine(value) << "\n";
    }
  }
  if (failure.reason == "PRINCIPAL_MISSING")
    err << "say who you are: --as PRINCIPAL, or DOCKET_AS in the environment\n";
  if (failure.retry_after.has_value()) err << "try again after " << FormatSpan(*failure.retry_after) << "\n";
  if (!failure.unknown_outcome_of.empty()) {
    err << "It is not known whether this took effect. Run the same command again with --request-id "
        << failure.unknown_outcome_of << "; it takes effect at most once.\n";
  }
  return exit_code;
}

int ReportUsage(GlobalOptions& options, absl::string_view message) {
  *options.err << "docket: " << message << "\n";
  return kExitUsage;
}

}  // namespace docket::cli
