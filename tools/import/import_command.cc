#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "tools/cli/global_options.h"
#include "tools/cli/json_output.h"
#include "tools/client/call_status.h"
#include "tools/client/execute_pipeline.h"
#include "tools/client/request_id.h"
#include "tools/import/byte_source.h"
#include "tools/import/case_source.h"
#include "tools/import/importer.h"
#include "tools/import/mapping.h"
#include "tools/import/record_reader.h"
#include "tools/import/report.h"
#include "workflow/base/check.h"
#include "workflow/policy/pack.h"

namespace docket::cli {
namespace {

using import_tool::ByteSource;
using import_tool::CaseSource;
using import_tool::CaseWork;
using import_tool::ImportCounts;
using import_tool::Importer;
using import_tool::ImportReport;
using import_tool::ImportSummary;
using import_tool::Mapping;
using import_tool::ProgressLine;
using import_tool::RecordReader;

struct ImportArguments {
  std::string file;
  std::string mapping;
  std::string report;
  std::vector<std::string> packs;
  bool progress = false;
  bool dry_run = false;
};

// A server that is started again reads its log first: with the delays of client::RetryPolicy this is about a minute.
constexpr int kMaxAttempts = 40;

class ClientPipeline : public import_tool::CommandPipeline {
 public:
  using OnLost = std::function<void(const absl::Status&, absl::Duration)>;

  ClientPipeline(client::Client& client, OnResult on_result, OnLost on_lost)
      : pipeline_(client,
                  {.requests_per_message = 64, .max_in_flight = 1024, .brief = true, .on_lost = std::move(on_lost)},
                  std::move(on_result)) {}
  absl::Status Send(const v1::ExecuteRequest& request) override { return pipeline_.Send(request); }
  absl::Status Await(size_t unanswered) override { return pipeline_.Await(unanswered); }
  absl::Status Finish() override { return pipeline_.Finish(); }

 private:
  client::ExecutePipeline pipeline_;
};

std::string BaseName(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

bool IsJson(const Mapping& mapping, ByteSource* bytes) {
  if (mapping.format != import_tool::FileFormat::kEither) return mapping.format == import_tool::FileFormat::kJson;
  return bytes->Peek() == '[' || bytes->Peek() == '{';
}

absl::StatusOr<std::unique_ptr<RecordReader>> OpenReader(const Mapping& mapping, ByteSource* bytes) {
  if (IsJson(mapping, bytes)) return import_tool::OpenJson(bytes, mapping.Columns());
  return import_tool::OpenCsv(bytes, mapping.Columns(), mapping.delimiter);
}

// The mapping's chart out of pack files; nullopt when none are given.
absl::StatusOr<std::optional<v1::Chart>> ChartOfPacks(GlobalOptions& options, const ImportArguments& arguments,
                                                      const Mapping& mapping) {
  for (const std::string& path : arguments.packs) {
    DOCKET_ASSIGN_OR_RETURN(const std::string text, ReadInput(options, path));
    const policy::Pack pack = policy::ParsePack(text, policy::PolicySet(), options.now());
    if (!pack.findings.empty()) {
      const policy::Finding& first = pack.findings.front();
      return absl::InvalidArgumentError(absl::StrCat(path, ":", first.line, ": ", first.reason, " ", first.message));
    }
    for (const policy::PackDocument& document : pack.documents) {
      if (document.kind == v1::WORKFLOW && document.id == mapping.workflow) return document.compiled.chart();
    }
  }
  if (arguments.packs.empty()) return std::nullopt;
  return absl::InvalidArgumentError(
      absl::StrCat("--policy-pack: none has the workflow ", mapping.workflow, " of ", mapping.path));
}

absl::Status CheckKind(const Mapping& mapping, const v1::Chart& chart) {
  if (absl::c_linear_search(chart.kinds(), mapping.kind)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(mapping.path, ": kind ", v1::CaseKind_Name(mapping.kind), " is none of workflow ", chart.id()));
}

// Counts without a server: finds everything that is wrong with the file itself.
absl::Status DryRun(CaseSource* source, ImportSummary* summary) {
  CaseWork work;
  while (true) {
    DOCKET_ASSIGN_OR_RETURN(const bool more, source->Next(&work));
    if (!more) return absl::OkStatus();
    ++summary->cases;
  }
}

// A problem of this program's input is told apart from one of the server: the former has no gRPC behind it.
struct Outcome {
  absl::Status input;
  absl::Status server;
};

class ImportRun {
 public:
  ImportRun(GlobalOptions& options, const ImportArguments& arguments)
      : options_(options),
        arguments_(arguments),
        start_(options.now()),
        progress_(*options.err, options.err_is_terminal, start_),
        report_(*options.err, BaseName(arguments.file), arguments.progress ? &progress_ : nullptr) {}

  int Do() {
    const absl::Status opened = Open();
    if (!opened.ok()) return ReportUsage(options_, opened.message());
    if (!arguments_.dry_run) {
      options_.client_options.retry.max_attempts = kMaxAttempts;
      absl::Status ready = options_.client().EnsureConnected();
      if (ready.ok()) ready = AskForChart();
      if (!ready.ok()) return ReportFailure(options_, ready);
    } else if (!chart_.has_value()) {
      *options_.err << "statuses are not checked: --policy-pack was not given\n";
    }
    if (const absl::Status kind = chart_.has_value() ? CheckKind(mapping_, *chart_) : absl::OkStatus(); !kind.ok()) {
      return ReportUsage(options_, kind.message());
    }
    CaseSource source(mapping_, reader_.get(), BaseName(arguments_.file), client::NewRequestId, &report_,
                      import_tool::CommandCheck(options_.now(), chart_));
    ImportSummary summary;
    Outcome outcome;
    if (arguments_.dry_run) {
      outcome.input = DryRun(&source, &summary);
    } else {
      outcome = Send(&source, &summary);
    }
    progress_.Clear();
    const absl::Status closed = report_.Close();
    if (outcome.input.ok()) outcome.input = closed;
    Summarise(source, &summary);
    return Conclude(outcome);
  }

 private:
  absl::Status Open() {
    DOCKET_ASSIGN_OR_RETURN(mapping_, import_tool::LoadMapping(arguments_.mapping));
    if (mapping_.observed_until_import) mapping_.observed_until = start_;
    DOCKET_ASSIGN_OR_RETURN(bytes_, ByteSource::Open(arguments_.file));
    absl::StatusOr<std::unique_ptr<RecordReader>> reader = OpenReader(mapping_, bytes_.get());
    if (!reader.ok()) {
      return absl::Status(reader.status().code(), absl::StrCat(arguments_.file, ": ", reader.status().message()));
    }
    reader_ = *std::move(reader);
    DOCKET_RETURN_IF_ERROR(mapping_.CheckColumns(reader_->missing(), reader_->header()));
    DOCKET_ASSIGN_OR_RETURN(chart_, ChartOfPacks(options_, arguments_, mapping_));
    if (!arguments_.report.empty()) DOCKET_RETURN_IF_ERROR(report_.WriteTo(arguments_.report));
    return absl::OkStatus();
  }

  // The server's chart is the one that counts.
  absl::Status AskForChart() {
    v1::GetPolicyRequest request;
    request.set_kind(v1::WORKFLOW);
    request.set_id(mapping_.workflow);
    DOCKET_ASSIGN_OR_RETURN(const v1::GetPolicyReply reply, options_.client().GetPolicy(request));
    chart_ = reply.compiled().chart();
    return absl::OkStatus();
  }

  Outcome Send(CaseSource* source, ImportSummary* summary) {
    Outcome outcome;
    bool lost = false;
    Importer importer(source, &report_, [this, source, &lost](const ImportCounts& counts) {
      lost = false;
      if (arguments_.progress) {
        progress_.Show(options_.now(), bytes_->Progress(), source->rows_read(), counts.cases_done);
      }
    });
    ClientPipeline pipeline(options_.client(), importer.callback(), [this, &lost](const absl::Status& status, auto) {
      if (std::exchange(lost, true)) return;
      progress_.Clear();
      *options_.err << "the connection to " << options_.server << " is lost (" << status.message()
                    << "); trying again for about a minute\n";
    });
    outcome.server = importer.Run(&pipeline);
    outcome.input = importer.file_status();
    summary->cases = importer.counts().cases_sent;
    summary->rows_imported = importer.counts().rows_done;
    summary->commits_added = importer.counts().commits_added;
    summary->unchanged = importer.counts().unchanged;
    summary->rows_left_out = importer.counts().rows_after_refusal;
    return outcome;
  }

  void Summarise(const CaseSource& source, ImportSummary* summary) {
    summary->file = BaseName(arguments_.file);
    summary->dry_run = arguments_.dry_run;
    summary->rows = source.rows_read();
    summary->rows_left_out += source.rows_left_out();
    summary->bad_rows = report_.bad_rows();
    summary->notes = report_.notes();
    summary->elapsed = options_.now() - start_;
    if (options_.format() == OutputFormat::kTable) {
      PrintSummary(*summary, *options_.out);
    } else {
      PrintSummaryJson(*summary, report_.first_bad_rows(), *options_.out);
    }
  }

  int Conclude(const Outcome& outcome) {
    if (!outcome.server.ok()) {
      const int exit_code = ReportFailure(options_, client::WithoutUnknownOutcome(outcome.server));
      *options_.err << "The import stopped. Run it again: what is in the log already is not added twice.\n";
      return exit_code;
    }
    if (!outcome.input.ok()) return ReportUsage(options_, absl::StrCat(arguments_.file, ": ", outcome.input.message()));
    return report_.bad_rows() == 0 ? kExitOk : kExitRefused;
  }

  GlobalOptions& options_;
  const ImportArguments& arguments_;
  absl::Time start_;
  ProgressLine progress_;
  ImportReport report_;
  Mapping mapping_;
  std::unique_ptr<ByteSource> bytes_;
  std::unique_ptr<RecordReader> reader_;
  std::optional<v1::Chart> chart_;
};

}  // namespace

void AddImportCommand(CLI::App& app, GlobalOptions& options) {
  auto arguments = std::make_shared<ImportArguments>();
  CLI::App* command = app.add_subcommand("import", "Load another system's log (CSV or JSON, also gzipped)");
  command->add_option("FILE", arguments->file, "file to load")->required();
  command->add_option("--mapping", arguments->mapping, "how its rows become cases; see tools/import/README.md")
      ->required();
  command->add_option("--report", arguments->report,
                      "write every bad row and note to this file, one JSON object a line");
  command->add_flag("--progress", arguments->progress, "show how far it is");
  command->add_flag("--dry-run", arguments->dry_run, "read and check the file; send nothing");
  command
      ->add_option("--policy-pack", arguments->packs, "with --dry-run: the pack with the workflow, to check statuses")
      ->allow_extra_args(false);
  command->footer(
      "Example:\n  docket import incidents.csv.gz --mapping tools/import/mappings/servicenow-incident.yaml --as "
      "mei.tan\n\n"
      "Exit code 1 when there are bad rows. Importing again adds nothing that is in the log already: a case's history "
      "ends\n"
      "with its import, so rows that a later export adds to it are refused, and rows changed there add nothing. An "
      "import\n"
      "that was cut off goes on where it was.");
  command->callback([arguments, &options] { options.exit_code = ImportRun(options, *arguments).Do(); });
}

}  // namespace docket::cli
