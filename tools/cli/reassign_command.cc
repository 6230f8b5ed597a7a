#include <map>
#include <memory>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "tools/cli/commands.h"
#include "tools/cli/json_output.h"
#include "tools/cli/table.h"
#include "tools/cli/text.h"
#include "tools/client/event_streams.h"

// `docket reassign`: all open cases of one principal to another.
namespace docket::cli {
namespace {

struct ReassignInput {
  std::string from, to, queue, request_id;
  bool dry_run = false;
};

// What is wrong with whom the cases go to is mostly the same for each, so it is said once.
void PrintWarnings(const v1::ReassignCasesReply& all, std::ostream& out) {
  std::map<std::string, uint64_t> cases;
  for (const auto& result : all.results()) {
    for (const v1::CommandWarning& warning : result.warnings()) {
      ++cases[absl::StrCat(warning.reason(), ": ", warning.description())];
    }
  }
  for (const auto& [text, count] : cases) {
    out << "warning: " << OneLine(text) << " (" << CountText(count, "case", "cases") << ")\n";
  }
}

int Reassign(GlobalOptions& options, const ReassignInput& input) {
  v1::ReassignCasesRequest request;
  request.set_from(input.from);
  request.set_to(input.to);
  request.set_queue(input.queue);
  request.set_dry_run(input.dry_run);
  request.set_request_id(input.request_id);
  v1::ReassignCasesReply all;
  const absl::Status status =
      client::ReassignCases(options.client(), request, [&](const v1::ReassignCasesReply& reply) {
        all.mutable_results()->MergeFrom(reply.results());
        return true;
      });
  if (!status.ok()) return ReportFailure(options, status);
  int left = 0;
  for (const auto& result : all.results()) left += result.has_status() ? 1 : 0;
  const int exit_code = left == 0 ? kExitOk : kExitRefused;
  if (PrintJson(options, all, "results")) return exit_code;
  Table table({{"CASE"}, {"OUTCOME"}});
  for (const auto& result : all.results()) {
    const std::string given = input.dry_run ? "would be given" : "given";
    table.AddRow({result.case_no(), result.has_status() ? absl::StrCat("left: ", OneLine(result.status().message()))
                                                        : absl::StrCat(given, " to ", input.to)});
  }
  table.Print(*options.out);
  *options.out << CountText(all.results_size() - left, "case", "cases")
               << (input.dry_run ? " would be given" : " given") << ", " << left << " left with " << input.from << "\n";
  PrintWarnings(all, *options.out);
  return exit_code;
}

}  // namespace

void AddReassignCommand(CLI::App& app, GlobalOptions& options) {
  const auto input = std::make_shared<ReassignInput>();
  CLI::App* command = AddCommand(app, "reassign", "Give all open cases of one principal to another", options,
                                 [&options, input] { return Reassign(options, *input); });
  command->add_option("--from", input->from, "Whose cases")->required();
  command->add_option("--to", input->to, "Who gets them")->required();
  command->add_option("--queue", input->queue, "Only cases of this queue");
  command->add_flag("--dry-run", input->dry_run, "Tell what would happen, write nothing");
  command->add_option("--request-id", input->request_id, "UUIDv7 of an earlier attempt, to go on with it");
  command->footer("Example:\n  docket reassign --from grace.lind --to luis.romero --queue intake --dry-run");
}

}  // namespace docket::cli
