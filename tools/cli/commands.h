#ifndef DOCKET_TOOLS_CLI_COMMANDS_H_
#define DOCKET_TOOLS_CLI_COMMANDS_H_

#include "CLI/CLI.hpp"
#include "tools/cli/global_options.h"

// Each function adds its commands to `app`. `options` must outlive `app`. A command runs in its CLI11 callback and
// leaves its exit code in `options`.
namespace docket::cli {

void AddCaseCommands(CLI::App& app, GlobalOptions& options);          // docket case …, with the verbs
void AddLeaseCommands(CLI::App& cases, GlobalOptions& options);       // docket case lease, unlease
void AddVerbCommands(CLI::App& cases, GlobalOptions& options);        // one under `docket case` per Command
void AddMonitorCommands(CLI::App& app, GlobalOptions& options);       // mine, overdue, at-risk, waiting, escalations
void AddQueueCommands(CLI::App& app, GlobalOptions& options);         // docket queue …
void AddWatchCommand(CLI::App& app, GlobalOptions& options);          // docket watch
void AddAlertsCommand(CLI::App& app, GlobalOptions& options);         // docket alerts
void AddPolicyCommands(CLI::App& app, GlobalOptions& options);        // docket policy …, with due
void AddDueCommand(CLI::App& policy, GlobalOptions& options);         // docket policy due
void AddPolicyTestCommand(CLI::App& policy, GlobalOptions& options);  // docket policy test
void AddRolloutCommands(CLI::App& policy, GlobalOptions& options);    // docket policy rollout …
void AddLogCommands(CLI::App& app, GlobalOptions& options);           // docket log …
void AddAdminCommands(CLI::App& app, GlobalOptions& options);         // docket admin …
void AddOutboxCommands(CLI::App& admin, GlobalOptions& options);      // docket admin webhooks, dead-letters …
void AddControlCommands(CLI::App& app, GlobalOptions& options);       // unowned, no-clock, wake-up
void AddAbsenceCommands(CLI::App& policy, GlobalOptions& options);    // docket policy absence …
void AddReassignCommand(CLI::App& app, GlobalOptions& options);       // docket reassign
void AddDirectoryCommand(CLI::App& app, GlobalOptions& options);

// A subcommand whose callback stores what `run` returns. Only lists can be printed as CSV.
template <class Run>
CLI::App* AddListCommand(CLI::App& parent, const std::string& name, const std::string& description,
                         GlobalOptions& options, Run run) {
  CLI::App* command = parent.add_subcommand(name, description);
  command->callback([&options, run] { options.exit_code = run(); });
  return command;
}
template <class Run>
CLI::App* AddCommand(CLI::App& parent, const std::string& name, const std::string& description, GlobalOptions& options,
                     Run run) {
  return AddListCommand(parent, name, description, options, [&options, run] {
    if (options.format() == OutputFormat::kCsv) return ReportUsage(options, "-o csv is for lists; use json or jsonl");
    return run();
  });
}

}  // namespace docket::cli

#endif  // DOCKET_TOOLS_CLI_COMMANDS_H_
