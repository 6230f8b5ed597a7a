#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tools/cli/commands.h"
#include "tools/cli/list_filters.h"
#include "tools/cli/lists.h"
#include "tools/cli/moments.h"
#include "tools/cli/table.h"
#include "tools/cli/text.h"

// The control lists: unowned, no-clock, wake-up.
namespace docket::cli {
namespace {

struct ControlInput {
  v1::ControlList list;
  std::string title;
  AsOf as_of;
  ListLimit limit;
  CaseFilters filters;
  std::vector<std::string> waiting_on;
};

absl::StatusOr<v1::ListControlRequest> BuildRequest(const GlobalOptions& options, const ControlInput& input) {
  v1::ListControlRequest request;
  request.set_list(input.list);
  DOCKET_RETURN_IF_ERROR(input.as_of.Apply(options, &request));
  DOCKET_RETURN_IF_ERROR(input.filters.Apply(&request));
  DOCKET_RETURN_IF_ERROR(AddWaitingOn(input.waiting_on, &request));
  return request;
}

void PrintControl(GlobalOptions& options, const v1::ListControlReply& reply) {
  Table table({{"CASE"},
               {"KIND"},
               {"PRI", Table::Align::kRight},
               {"STATUS"},
               {"SINCE"},
               {"WAITS FOR"},
               {"UNTIL"},
               {"REASON"},
               {"LEVEL", Table::Align::kRight},
               {"DEPARTMENT"},
               {"OWNER"},
               {"QUEUE"},
               {"TITLE", Table::Align::kLeft, 40}});
  for (const auto& item : reply.items()) {
    const v1::CaseSummary& row = item.case_();
    const bool waits = item.waiting_on() != v1::WAITING_ON_UNSPECIFIED;
    table.AddRow(
        {row.case_no(), v1::CaseKind_Name(row.kind()), NumberText(row.priority()), row.status(),
         FormatMoment(item.since(), options.zone()), waits ? v1::WaitingOn_Name(item.waiting_on()) : "",
         absl::StrCat(FormatMoment(item.waiting_until(), options.zone()), item.until_passed() ? ", passed" : ""),
         item.waiting_reason(), NumberText(item.escalation_level()), row.department(), row.owner(), row.queue(),
         row.title()});
  }
  table.Print(*options.out);
}

int ListControl(GlobalOptions& options, const ControlInput& input) {
  const auto request = BuildRequest(options, input);
  if (!request.ok()) return ReportUsage(options, request.status().message());
  const auto reply = ReadPages<v1::ListControlRequest, v1::ListControlReply>(
      options, *request, input.limit, "items", [](const v1::ListControlReply& page) { return page.items_size(); },
      [&](const v1::ListControlRequest& page) { return options.client().ListControl(page); });
  if (!reply.ok()) return ReportFailure(options, reply.status());
  if (WasPrinted(options, *reply, "items")) return kExitOk;
  *options.out << input.title << ": " << CountPrefix(input.limit, reply->next_page_token())
               << CountText(reply->items_size(), "case", "cases") << "\n"
               << Footing(options, *reply) << "\n";
  PrintListWarnings(options, *reply);
  if (!reply->items().empty()) *options.out << "\n";
  PrintControl(options, *reply);
  PrintMore(options, reply->next_page_token());
  return kExitOk;
}

void AddControlList(CLI::App& app, GlobalOptions& options, v1::ControlList list, const std::string& name,
                    const std::string& title, const std::string& description) {
  const auto input = std::make_shared<ControlInput>();
  input->list = list;
  input->title = title;
  CLI::App* command =
      AddListCommand(app, name, description, options, [&options, input] { return ListControl(options, *input); });
  command->add_option("--department", input->filters.department, "Accountable, and the departments below it");
  input->filters.AddTo(command);
  AddWaitingOnOption(command, &input->waiting_on);
  input->as_of.AddTo(command);
  input->limit.AddTo(command);
}

}  // namespace

void AddControlCommands(CLI::App& app, GlobalOptions& options) {
  AddControlList(app, options, v1::UNOWNED, "unowned", "Unowned",
                 "New, open and waiting cases that nobody owns, the longest first");
  AddControlList(app, options, v1::NO_CLOCK, "no-clock", "Without a running duty",
                 "New, open and waiting cases on which no duty runs or pauses, the longest first");
  AddControlList(app, options, v1::WAKE_UP, "wake-up", "Waiting until a known time",
                 "Cases that wait until a known time, the first to wake first");
}

}  // namespace docket::cli
