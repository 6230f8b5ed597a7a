#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "tools/cli/case_ref.h"
#include "tools/cli/case_view.h"
#include "tools/cli/command_form.h"
#include "tools/cli/commands.h"
#include "tools/cli/csv_output.h"
#include "tools/cli/explain_view.h"
#include "tools/cli/history_view.h"
#include "tools/cli/json_output.h"
#include "tools/cli/list_filters.h"
#include "tools/cli/lists.h"
#include "tools/cli/moments.h"
#include "tools/cli/table.h"
#include "tools/cli/text.h"
#include "tools/client/event_streams.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"

// Reading cases: show, list, history, clocks, allowed.
namespace docket::cli {
namespace {

struct CaseInput {
  std::string case_name;
  AsOf as_of;
  uint32_t revision = 0;
  bool states = false;
  uint32_t clock_no = 0;
  std::string metric;
  std::string obligation;
};

int Show(GlobalOptions& options, const CaseInput& input) {
  v1::GetCaseRequest request;
  SetCase(ParseCaseRef(input.case_name), &request);
  request.set_revision(input.revision);
  const absl::Status times = input.as_of.Apply(options, &request);
  if (!times.ok()) return ReportUsage(options, times.message());
  const auto reply = options.client().GetCase(request);
  if (!reply.ok()) return ReportFailure(options, reply.status(), input.case_name);
  if (PrintJson(options, *reply)) return kExitOk;
  PrintCase(options, reply->case_(), FromProto(reply->valid_at()));
  *options.out << "\n" << Footing(options, *reply) << "\n";
  return kExitOk;
}

int Clocks(GlobalOptions& options, const CaseInput& input) {
  v1::GetClocksRequest request;
  const absl::Status times = input.as_of.Apply(options, &request);
  if (!times.ok()) return ReportUsage(options, times.message());
  const absl::Status resolved = SetResolvedCase(options.client(), input.case_name, &request);
  if (!resolved.ok()) return ReportFailure(options, resolved, input.case_name);
  const auto reply = options.client().GetClocks(request);
  if (!reply.ok()) return ReportFailure(options, reply.status(), input.case_name);
  if (options.format() == OutputFormat::kCsv) {
    PrintCsvHeader(*reply, "clocks", *options.out);
    PrintCsv(*reply, "clocks", *options.out);
    return kExitOk;
  }
  if (PrintJson(options, *reply, "clocks")) return kExitOk;
  if (reply->clocks().empty()) *options.out << "no clocks\n";
  PrintClocks(options, reply->clocks(), FromProto(reply->valid_at()));
  *options.out << Footing(options, *reply) << "\n";
  return kExitOk;
}

int Explain(GlobalOptions& options, const CaseInput& input) {
  v1::ExplainDueRequest request;
  request.set_clock_no(input.clock_no);
  request.set_metric(MetricName(input.metric));
  if (!input.obligation.empty()) {
    const auto obligation = ParseEnum(*v1::Obligation_descriptor(), input.obligation);
    if (!obligation.ok()) return ReportUsage(options, absl::StrCat("--obligation: ", obligation.status().message()));
    request.set_obligation(static_cast<v1::Obligation>(*obligation));
  }
  const absl::Status times = input.as_of.Apply(options, &request);
  if (!times.ok()) return ReportUsage(options, times.message());
  const absl::Status resolved = SetResolvedCase(options.client(), input.case_name, &request);
  if (!resolved.ok()) return ReportFailure(options, resolved, input.case_name);
  const auto reply = options.client().ExplainDue(request);
  if (!reply.ok()) return ReportFailure(options, reply.status(), input.case_name);
  if (PrintJson(options, *reply, "intervals")) return kExitOk;
  PrintExplanation(options, *reply);
  *options.out << Footing(options, *reply) << "\n";
  return kExitOk;
}

// With jsonl and csv the entries are printed as they come.
int History(GlobalOptions& options, const CaseInput& input) {
  v1::ReadHistoryRequest request;
  request.set_with_state(input.states);
  const absl::Status resolved = SetResolvedCase(options.client(), input.case_name, &request);
  if (!resolved.ok()) return ReportFailure(options, resolved, input.case_name);
  v1::ReadHistoryReply history;
  if (options.format() == OutputFormat::kCsv) PrintHistoryCsvHeader(*options.out);
  const absl::Status status = client::ReadHistory(options.client(), request, [&](const v1::ReadHistoryReply& reply) {
    if (options.format() == OutputFormat::kJsonl) {
      PrintJson(options, reply, "entries");
    } else if (options.format() == OutputFormat::kCsv) {
      PrintHistoryCsv(reply, *options.out);
    } else {
      history.MergeFrom(reply);
    }
    return true;
  });
  if (!status.ok()) return ReportFailure(options, status, input.case_name);
  if (options.format() == OutputFormat::kTable) {
    PrintHistory(options, history);
  } else if (options.format() == OutputFormat::kJson) {
    PrintJson(options, history);
  }
  return kExitOk;
}

int Allowed(GlobalOptions& options, const CaseInput& input) {
  v1::ListAllowedCommandsRequest request;
  const absl::Status resolved = SetResolvedCase(options.client(), input.case_name, &request);
  if (!resolved.ok()) return ReportFailure(options, resolved, input.case_name);
  const auto reply = options.client().ListAllowedCommands(request);
  if (!reply.ok()) return ReportFailure(options, reply.status(), input.case_name);
  if (PrintJson(options, *reply, "commands")) return kExitOk;
  *options.out << OneLine(input.case_name) << "  " << OneLine(reply->status()) << "  (revision " << reply->revision()
               << ")\n";
  Table table({{"COMMAND"}, {"ALLOWED"}, {"LEADS TO"}, {"NEEDS"}, {"FORBIDDEN BY", Table::Align::kLeft, 1000}});
  for (const auto& command : reply->commands()) {
    std::vector<std::string> needs;
    for (const std::string& field : command.required_fields()) {
      needs.push_back(absl::StrCat("--", absl::StrReplaceAll(field, {{"_", "-"}})));
    }
    std::vector<std::string> unmet;
    for (const auto& one : command.unmet()) {
      const std::string remedy = RemedyText(one.meet_by(), input.case_name);
      unmet.push_back(remedy.empty() ? one.description() : absl::StrCat(one.description(), " (met by: ", remedy, ")"));
    }
    table.AddRow({absl::StrReplaceAll(command.command(), {{"_", "-"}}), command.allowed() ? "yes" : "no",
                  command.leads_to(), absl::StrJoin(needs, " "), absl::StrJoin(unmet, "; ")});
  }
  table.Print(*options.out);
  return kExitOk;
}

struct ListInput {
  std::vector<std::string> kinds;
  std::vector<std::string> categories;
  std::vector<std::string> statuses;
  std::vector<std::string> tiers;
  std::vector<uint32_t> priorities;
  std::string department, queue, owner, source, topic;
  AsOf as_of;
  ListLimit limit;
};

absl::Status FillFilter(const ListInput& input, v1::CaseFilter* filter) {
  for (const std::string& kind : input.kinds) {
    const auto value = ParseEnum(*v1::CaseKind_descriptor(), kind);
    if (!value.ok()) return absl::InvalidArgumentError(absl::StrCat("--kind: ", value.status().message()));
    filter->add_kinds(static_cast<v1::CaseKind>(*value));
  }
  for (const std::string& category : input.categories) {
    const auto value = ParseEnum(*v1::StatusCategory_descriptor(), category);
    if (!value.ok()) return absl::InvalidArgumentError(absl::StrCat("--status-category: ", value.status().message()));
    filter->add_categories(static_cast<v1::StatusCategory>(*value));
  }
  for (const std::string& status : input.statuses) filter->add_statuses(status);
  for (const uint32_t priority : input.priorities) filter->add_priorities(priority);
  for (const std::string& tier : input.tiers) filter->add_tiers(tier);
  filter->set_department(input.department);
  filter->set_queue(input.queue);
  filter->set_owner(input.owner);
  filter->set_source(input.source);
  filter->set_category(input.topic);
  return absl::OkStatus();
}

int List(GlobalOptions& options, const ListInput& input) {
  v1::ListCasesRequest request;
  absl::Status filled = FillFilter(input, request.mutable_filter());
  filled.Update(input.as_of.Apply(options, &request));
  if (!filled.ok()) return ReportUsage(options, filled.message());
  const auto reply = ReadPages<v1::ListCasesRequest, v1::ListCasesReply>(
      options, request, input.limit, "cases", [](const v1::ListCasesReply& page) { return page.cases_size(); },
      [&](const v1::ListCasesRequest& page) { return options.client().ListCases(page); });
  if (!reply.ok()) return ReportFailure(options, reply.status());
  if (WasPrinted(options, *reply, "cases")) return kExitOk;
  Table table({{"CASE"},
               {"KIND"},
               {"PRI", Table::Align::kRight},
               {"STATUS"},
               {"DEPARTMENT"},
               {"QUEUE"},
               {"OWNER"},
               {"RECEIVED"},
               {"TITLE"}});
  for (const v1::CaseSummary& row : reply->cases()) {
    table.AddRow({row.case_no(), v1::CaseKind_Name(row.kind()), NumberText(row.priority()), row.status(),
                  row.department(), row.queue(), row.owner(), FormatMoment(row.received_at(), options.zone()),
                  row.title()});
  }
  table.Print(*options.out);
  PrintMore(options, reply->next_page_token());
  *options.out << CountText(reply->cases_size(), "case", "cases") << ", " << Footing(options, *reply) << "\n";
  PrintListWarnings(options, *reply);
  return kExitOk;
}

void AddCaseOption(CLI::App* command, std::string* name) {
  command->add_option("CASE", *name, "Case number, case id, or source:key")->required();
}

using Reading = int (*)(GlobalOptions&, const CaseInput&);

CLI::App* AddReader(CLI::App& cases, GlobalOptions& options, const std::string& name, const std::string& description,
                    Reading run, const std::shared_ptr<CaseInput>& input) {
  CLI::App* command =
      AddCommand(cases, name, description, options, [&options, run, input] { return run(options, *input); });
  AddCaseOption(command, &input->case_name);
  return command;
}

// What can be printed as CSV too.
CLI::App* AddListReader(CLI::App& cases, GlobalOptions& options, const std::string& name,
                        const std::string& description, Reading run, const std::shared_ptr<CaseInput>& input) {
  CLI::App* command =
      AddListCommand(cases, name, description, options, [&options, run, input] { return run(options, *input); });
  AddCaseOption(command, &input->case_name);
  return command;
}

void AddList(CLI::App& cases, GlobalOptions& options) {
  const auto input = std::make_shared<ListInput>();
  CLI::App* command =
      AddListCommand(cases, "list", "Cases that match", options, [&options, input] { return List(options, *input); });
  command->add_option("--kind", input->kinds, "Case kind; may be repeated")->allow_extra_args(false);
  command->add_option("--status-category", input->categories, "NEW, OPEN, WAITING, RESOLVED, CLOSED; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--status", input->statuses, "Status of the chart; may be repeated")->allow_extra_args(false);
  AddPriorityOption(command, &input->priorities);
  command->add_option("--tier", input->tiers, "Tier of the requester; may be repeated")->allow_extra_args(false);
  command->add_option("--department", input->department, "Accountable department, and those below it");
  command->add_option("--queue", input->queue, "Queue");
  command->add_option("--owner", input->owner, "Handler; - for unowned");
  command->add_option("--source", input->source, "Other system the case came from");
  command->add_option("--category", input->topic, "What it is about");
  input->as_of.AddTo(command);
  input->limit.AddTo(command);
  command->footer("Example:\n  docket case list --kind complaint --status-category open --owner -");
}

}  // namespace

void AddCaseCommands(CLI::App& app, GlobalOptions& options) {
  CLI::App* cases = app.add_subcommand("case", "File, read and work cases");
  cases->require_subcommand(1, 1);

  auto input = std::make_shared<CaseInput>();
  CLI::App* show = AddReader(*cases, options, "show", "One case, now or in the past", Show, input);
  show->add_option("--revision", input->revision, "As it was after this revision, from 1")
      ->check([](const std::string& text) { return text == "0" ? "0, want 1 (the first) or more" : std::string(); });
  input->as_of.AddTo(show);
  show->footer("Example:\n  docket case show CMP-2026-000017-K --as-known \"2026-11-20 17:00\"");
  AddList(*cases, options);

  input = std::make_shared<CaseInput>();
  CLI::App* history = AddListReader(*cases, options, "history", "Every event of a case", History, input);
  history->add_flag("--states", input->states, "With the state after each event");

  input = std::make_shared<CaseInput>();
  CLI::App* clocks = AddListReader(*cases, options, "clocks", "All clocks of a case, finished ones too", Clocks, input);
  input->as_of.AddTo(clocks);

  input = std::make_shared<CaseInput>();
  CLI::App* explain =
      AddReader(*cases, options, "explain",
                "Why a deadline is what it is: what set and moved it, and the time that counts", Explain, input);
  explain->add_option("--metric", input->metric, "The newest clock of this metric, such as RESOLUTION");
  explain->add_option("--obligation,--owed-to", input->obligation,
                      "Only a clock owed to CUSTOMER, INTERNAL, VENDOR or REGULATOR");
  explain->add_option("--clock", input->clock_no, "The clock of this number (see: docket case clocks)");
  input->as_of.AddTo(explain);
  explain->footer("Example:\n  docket case explain CMP-2026-000017-K --metric RESOLUTION --as-of \"2026-11-20 17:00\"");

  AddReader(*cases, options, "allowed", "What may be done now, and what forbids the rest", Allowed,
            std::make_shared<CaseInput>());
  AddLeaseCommands(*cases, options);
  AddVerbCommands(*cases, options);
}

}  // namespace docket::cli
