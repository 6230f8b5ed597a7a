#include "tools/cli/write_report.h"

#include <ostream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "tools/cli/json_output.h"
#include "tools/cli/moments.h"
#include "tools/cli/table.h"
#include "tools/cli/text.h"

namespace docket::cli {
namespace {

std::string NextDutyText(const GlobalOptions& options, const v1::ExecuteReply& reply) {
  if (!reply.has_next_duty()) return "none";
  const v1::NextDuty& duty = reply.next_duty();
  std::string text = duty.metric();
  if (duty.has_due_at()) {
    absl::StrAppend(&text, duty.late() ? ", late since " : ", due ", FormatMoment(duty.due_at(), options.zone()));
  } else {
    absl::StrAppend(&text, ", waiting");
  }
  if (!duty.department().empty()) absl::StrAppend(&text, ", ", duty.department());
  return text;
}

std::string AllowedNow(GlobalOptions& options, const v1::ExecuteReply& reply) {
  v1::ListAllowedCommandsRequest request;
  request.set_case_id(reply.case_id());
  const auto allowed = options.client().ListAllowedCommands(request);
  // The write is done whatever becomes of this question, so it only says that it went unanswered.
  if (!allowed.ok()) return absl::StrCat("not known (", std::string(allowed.status().message()), ")");
  std::vector<std::string> verbs;
  for (const auto& command : allowed->commands()) {
    if (command.allowed()) verbs.push_back(absl::StrReplaceAll(command.command(), {{"_", "-"}}));
  }
  return verbs.empty() ? "nothing" : absl::StrJoin(verbs, ", ");
}

std::string WarningText(const v1::ExecuteReply& reply) {
  return absl::StrJoin(reply.warnings(), "; ", [](std::string* out, const v1::CommandWarning& warning) {
    absl::StrAppend(out, warning.reason(), ": ", warning.description());
  });
}

}  // namespace

void ReportWrite(GlobalOptions& options, const v1::ExecuteReply& reply) {
  if (PrintJson(options, reply)) return;
  std::ostream& out = *options.out;
  const std::string name = reply.case_no().empty() ? reply.case_id() : reply.case_no();
  out << OneLine(name) << "  " << OneLine(reply.status()) << "  (revision " << reply.revision() << ")\n";
  std::string note;
  if (reply.unchanged()) note = "nothing to do, nothing was written";
  if (reply.replayed()) note = "done by an earlier attempt with this request id";
  const std::string positions = reply.first_position() == reply.last_position()
                                    ? absl::StrCat("position ", reply.last_position())
                                    : absl::StrCat("positions ", reply.first_position(), "-", reply.last_position());
  PrintFields({{"note", note},
               {"warning", WarningText(reply)},
               {"next duty", NextDutyText(options, reply)},
               {"allowed now", AllowedNow(options, reply)},
               {"commit", reply.unchanged() ? "" : absl::StrCat(reply.commit(), ", ", positions)}},
              out);
}

void ReportDryRun(GlobalOptions& options, const v1::ExecuteReply& reply) {
  if (PrintJson(options, reply, "events")) return;
  std::ostream& out = *options.out;
  if (reply.events().empty()) out << "nothing would happen\n";
  Table table({{"WOULD HAPPEN"}, {"WHEN"}, {"WHAT", Table::Align::kLeft, Table::kUncut}});
  for (const auto& event : reply.events()) {
    table.AddRow({event.type(), FormatMoment(event.event().occurred_at(), options.zone()),
                  EventSummary(event.event(), options.zone())});
  }
  table.Print(out, options.columns);
  if (!reply.warnings().empty()) out << "warning: " << OneLine(WarningText(reply)) << "\n";
  out << "dry run: nothing was written\n";
}

}  // namespace docket::cli
