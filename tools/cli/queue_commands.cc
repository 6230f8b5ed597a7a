#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/cli/commands.h"
#include "tools/cli/list_filters.h"
#include "tools/cli/lists.h"
#include "tools/cli/moments.h"
#include "tools/cli/table.h"
#include "tools/cli/text.h"
#include "tools/cli/write_report.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"

namespace docket::cli {
namespace {

struct QueueInput {
  std::string queue;
  bool unowned = false;
  CaseFilters filters;
  std::string request_id;
  AsOf as_of;
  ListLimit limit;
};

absl::StatusOr<v1::ListQueueRequest> BuildRequest(const GlobalOptions& options, const QueueInput& input) {
  v1::ListQueueRequest request;
  DOCKET_RETURN_IF_ERROR(input.filters.Apply(&request));
  DOCKET_RETURN_IF_ERROR(input.as_of.Apply(options, &request));
  request.set_queue(input.queue);
  request.set_unowned_only(input.unowned);
  return request;
}

int Show(GlobalOptions& options, const QueueInput& input) {
  const auto request = BuildRequest(options, input);
  if (!request.ok()) return ReportUsage(options, request.status().message());
  const auto reply = ReadPages<v1::ListQueueRequest, v1::ListQueueReply>(
      options, *request, input.limit, "items", [](const v1::ListQueueReply& page) { return page.items_size(); },
      [&](const v1::ListQueueRequest& page) { return options.client().ListQueue(page); });
  if (!reply.ok()) return ReportFailure(options, reply.status());
  if (WasPrinted(options, *reply, "items")) return kExitOk;
  *options.out << "Queue " << OneLine(input.queue) << ": " << CountPrefix(input.limit, reply->next_page_token())
               << CountText(reply->items_size(), "case", "cases") << " in the order of work\n"
               << Footing(options, *reply) << "\n";
  PrintListWarnings(options, *reply);
  Table table({{"CASE"},
               {"BAND"},
               {"LEVEL", Table::Align::kRight},
               {"DUE"},
               {"PRI", Table::Align::kRight},
               {"STATUS"},
               {"OWNER"},
               {"SKILLS"},
               {"TIER"},
               {"RECEIVED"},
               {"TITLE"}});
  for (const auto& item : reply->items()) {
    const v1::CaseSummary& row = item.case_();
    table.AddRow({row.case_no(), item.band(), NumberText(item.escalation_level()),
                  FormatMoment(item.effective_due(), options.zone()), NumberText(row.priority()), row.status(),
                  row.owner(), absl::StrJoin(item.required_skills(), " "), item.tier(),
                  FormatMoment(row.received_at(), options.zone()), row.title()});
  }
  if (!table.empty()) *options.out << "\n";
  table.Print(*options.out);
  PrintMore(options, reply->next_page_token());
  return kExitOk;
}

void SayWhereToLook(GlobalOptions& options, const std::string& queue, const std::string& reason) {
  if (reason == "CAPACITY_REACHED") {
    *options.err << "what you own: docket mine; one more all the same: docket case take CASE\n";
  } else if (reason == "NOTHING_FOR_YOU") {
    *options.err << "all that nobody owns: docket queue show " << OneLine(queue) << " --unowned\n";
  }
}

int Take(GlobalOptions& options, const QueueInput& input) {
  v1::TakeNextRequest request;
  request.set_queue(input.queue);
  request.set_request_id(input.request_id);
  const auto reply = options.client().TakeNext(request);
  if (!reply.ok()) {
    const int exit_code = ReportFailure(options, reply.status());
    SayWhereToLook(options, input.queue, ReasonOf(reply.status()));
    return exit_code;
  }
  ReportWrite(options, *reply);
  return kExitOk;
}

}  // namespace

void AddQueueCommands(CLI::App& app, GlobalOptions& options) {
  CLI::App* queue = app.add_subcommand("queue", "Look at a queue, take work from it");
  queue->require_subcommand(1, 1);
  const auto shown = std::make_shared<QueueInput>();
  CLI::App* show = AddListCommand(*queue, "show", "Cases of a queue in the order of work", options,
                                  [&options, shown] { return Show(options, *shown); });
  show->add_option("QUEUE", shown->queue, "Queue")->required();
  show->add_flag("--unowned", shown->unowned, "Only cases that nobody owns");
  show->add_option("--department", shown->filters.department, "Accountable, and the departments below it");
  shown->filters.AddInQueueTo(show);
  shown->as_of.AddTo(show);
  shown->limit.AddTo(show);
  show->footer("Example:\n  docket queue show first-line --as-known \"2026-11-20 17:00\"");
  const auto taken = std::make_shared<QueueInput>();
  CLI::App* take =
      AddCommand(*queue, "take", "Take the first case that nobody owns and you have skills and capacity for", options,
                 [&options, taken] { return Take(options, *taken); });
  take->add_option("QUEUE", taken->queue, "Queue")->required();
  take->add_option("--request-id", taken->request_id, "UUIDv7 of an earlier attempt to repeat");
  take->footer("Example:\n  docket queue take first-line --as alice");
}

}  // namespace docket::cli
