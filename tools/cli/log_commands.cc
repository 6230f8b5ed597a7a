#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tools/cli/case_ref.h"
#include "tools/cli/commands.h"
#include "tools/cli/event_lines.h"
#include "tools/cli/json_output.h"
#include "tools/client/event_streams.h"
#include "workflow/base/check.h"

namespace docket::cli {
namespace {

struct LogInput {
  uint64_t from = 1;
  bool follow = false;
  std::vector<std::string> types;
  std::vector<std::string> cases;
  std::string department;
  uint64_t limit = 0;
};

// Prints events as they come: lines, or one JSON document that is written piece by piece so that memory stays flat.
class EventPrinter {
 public:
  EventPrinter(GlobalOptions& options, uint64_t limit) : options_(options), limit_(limit) {}

  // False when the limit is reached or nobody reads any more.
  template <class Reply>
  bool Print(const Reply& reply) {
    for (const v1::HistoryEvent& event : reply.events()) {
      if (Full()) break;
      PrintOne(event);
      ++printed_;
    }
    // Whoever follows wants to see an event when it happens.
    options_.out->flush();
    return !Full() && options_.out->good();
  }

  void Finish() {
    if (options_.format() != OutputFormat::kJson) return;
    *options_.out << (printed_ == 0 ? "{\"events\":[" : "") << "]}\n";
  }

 private:
  bool Full() const { return limit_ != 0 && printed_ >= limit_; }

  void PrintOne(const v1::HistoryEvent& event) {
    switch (options_.format()) {
      case OutputFormat::kTable:
        *options_.out << EventLine(options_, event) << "\n";
        break;
      case OutputFormat::kCsv:  // refused before
      case OutputFormat::kJsonl:
        *options_.out << ToJson(event) << "\n";
        break;
      case OutputFormat::kJson:
        *options_.out << (printed_ == 0 ? "{\"events\":[" : ",") << ToJson(event);
        break;
    }
  }

  GlobalOptions& options_;
  const uint64_t limit_;
  uint64_t printed_ = 0;
};

// The log knows cases by their ids alone.
absl::StatusOr<v1::EventFilter> FilterOf(GlobalOptions& options, const LogInput& input) {
  v1::EventFilter filter;
  for (const std::string& type : input.types) filter.add_types(type);
  for (const std::string& name : input.cases) {
    CaseRef ref = ParseCaseRef(name);
    if (ref.case_id.empty()) DOCKET_RETURN_IF_ERROR(ResolveId(options.client(), &ref));
    filter.add_case_ids(ref.case_id);
  }
  filter.set_department(input.department);
  return filter;
}

int Read(GlobalOptions& options, const LogInput& input) {
  if (input.follow && options.format() == OutputFormat::kJson && input.limit == 0) {
    return ReportUsage(options, "--follow has no end, so -o json would never be whole; use -o jsonl or --limit");
  }
  const auto filter = FilterOf(options, input);
  if (!filter.ok()) return ReportFailure(options, filter.status());
  EventPrinter printer(options, input.limit);
  absl::Status status;
  if (input.follow) {
    v1::SubscribeRequest request;
    request.set_from_position(input.from);
    *request.mutable_filter() = *filter;
    status = client::Subscribe(options.client(), request,
                               [&](const v1::SubscribeReply& reply) { return printer.Print(reply); });
  } else {
    v1::ReadLogRequest request;
    request.set_from_position(input.from);
    request.set_limit(input.limit);
    *request.mutable_filter() = *filter;
    status = client::ReadLog(options.client(), request,
                             [&](const v1::ReadLogReply& reply) { return printer.Print(reply); });
  }
  if (!status.ok()) return ReportFailure(options, status);
  printer.Finish();
  return kExitOk;
}

}  // namespace

void AddLogCommands(CLI::App& app, GlobalOptions& options) {
  CLI::App* log = app.add_subcommand("log", "Read the log of everything that happened");
  log->require_subcommand(1, 1);
  const auto input = std::make_shared<LogInput>();
  CLI::App* read =
      AddCommand(*log, "read", "Events of the whole log in order", options,
                 [&options, input] { return Read(options, *input); });
  read->add_option("--from", input->from, "First position")->capture_default_str();
  read->add_flag("--follow", input->follow, "Go on with new events as they happen");
  read->add_option("--type", input->types, "Only this event type, e.g. ClockBreached; may be repeated")
      ->allow_extra_args(false);
  read->add_option("--case", input->cases, "Only this case (number, id, or source:key); may be repeated")
      ->allow_extra_args(false);
  read->add_option("--department", input->department, "Only cases this department is accountable for (with --follow)");
  read->add_option("--limit", input->limit, "Events at most");
  read->footer("Example:\n  docket -o jsonl log read --from 1 --follow --type ClockBreached --type EscalationRaised");
}

}  // namespace docket::cli
