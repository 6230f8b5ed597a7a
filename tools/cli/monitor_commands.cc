#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tools/cli/approval_list.h"
#include "tools/cli/command_form.h"
#include "tools/cli/commands.h"
#include "tools/cli/duty_list.h"
#include "tools/cli/escalation_view.h"
#include "tools/cli/list_filters.h"
#include "tools/cli/lists.h"
#include "tools/cli/moments.h"
#include "tools/cli/text.h"
#include "tools/client/event_streams.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"

// The lists behind one call: overdue, at-risk, waiting, mine, approvals; and escalations.
namespace docket::cli {
namespace {

struct DutyInput {
  v1::DutyPreset preset;
  AsOf as_of;
  ListLimit limit;
  std::string within = "4h";
  bool elapsed = false;
  std::string by;
  std::string longer_than;
  CaseFilters filters;
  MetricFilters duty;
  std::vector<std::string> waiting_on;
};

absl::StatusOr<v1::ListDutiesRequest> BuildRequest(const GlobalOptions& options, const DutyInput& input) {
  v1::ListDutiesRequest request;
  request.set_preset(input.preset);
  if (input.preset == v1::MINE && options.principal.empty() && input.filters.owner.empty()) {
    return absl::InvalidArgumentError(
        "whose duties? want --as PRINCIPAL (or DOCKET_AS in the environment), or --owner PRINCIPAL");
  }
  DOCKET_RETURN_IF_ERROR(input.as_of.Apply(options, &request));
  if (input.preset == v1::AT_RISK) {
    const auto span = ParseSpan(input.within);
    if (!span.ok()) return absl::InvalidArgumentError(absl::StrCat("--within: ", span.status().message()));
    *request.mutable_within() = ToProto(*span);
    request.set_elapsed(input.elapsed);
  }
  if (!input.longer_than.empty()) {
    const auto span = ParseSpan(input.longer_than);
    if (!span.ok()) return absl::InvalidArgumentError(absl::StrCat("--longer-than: ", span.status().message()));
    *request.mutable_waiting_longer_than() = ToProto(*span);
  }
  DOCKET_RETURN_IF_ERROR(input.filters.Apply(&request));
  DOCKET_RETURN_IF_ERROR(AddWaitingOn(input.waiting_on, &request));
  DOCKET_RETURN_IF_ERROR(input.duty.Apply(&request));
  request.set_by_case(input.by == "case");
  return request;
}

std::string Header(const GlobalOptions& options, const DutyInput& input, const v1::ListDutiesReply& reply) {
  const std::string count =
      absl::StrCat(CountPrefix(input.limit, reply.next_page_token()), CountText(reply.items_size(), "duty", "duties"));
  switch (input.preset) {
    case v1::OVERDUE:
      return OverdueHeader(options, reply);
    case v1::AT_RISK:
      return absl::StrCat("At risk: ", count, " due within ", input.within,
                          input.elapsed ? " of elapsed time" : " of working time");
    case v1::WAITING_DUTIES:
      return absl::StrCat("Waiting: ", count, ", paused or held when late already");
    case v1::APPROVALS:
      return ApprovalsHeader(options, reply);
    default:
      return absl::StrCat("Mine: ", count);
  }
}

// An empty list known before anything was recorded says nothing about what was late.
void SayWhereTheLogBegins(GlobalOptions& options, absl::Time known_at) {
  v1::ReadLogRequest request;
  request.set_from_position(1);
  request.set_limit(1);
  const absl::Status status = client::ReadLog(options.client(), request, [&](const v1::ReadLogReply& reply) {
    if (reply.events().empty() || FromProto(reply.events(0).recorded_at()) <= known_at) return false;
    *options.out << "nothing was known then: the log begins "
                 << FormatMoment(reply.events(0).recorded_at(), options.zone()) << "\n";
    return false;
  });
  if (!status.ok()) *options.out << "where the log begins is not known: " << status.message() << "\n";
}

int ListDuties(GlobalOptions& options, const DutyInput& input) {
  const auto request = BuildRequest(options, input);
  if (!request.ok()) return ReportUsage(options, request.status().message());
  const auto reply = ReadPages<v1::ListDutiesRequest, v1::ListDutiesReply>(
      options, *request, input.limit, "items", [](const v1::ListDutiesReply& page) { return page.items_size(); },
      [&](const v1::ListDutiesRequest& page) { return options.client().ListDuties(page); });
  if (!reply.ok()) return ReportFailure(options, reply.status());
  if (WasPrinted(options, *reply, "items")) return kExitOk;
  *options.out << Header(options, input, *reply) << "\n" << Footing(options, *reply) << "\n";
  PrintListWarnings(options, *reply);
  if (!reply->items().empty()) *options.out << "\n";
  if (reply->items().empty() && !input.as_of.as_known.empty())
    SayWhereTheLogBegins(options, FromProto(reply->known_at()));
  input.preset == v1::APPROVALS ? PrintApprovals(options, *reply)
                                : PrintDuties(options, *reply, input.preset == v1::WAITING_DUTIES);
  PrintMore(options, reply->next_page_token());
  return kExitOk;
}

std::shared_ptr<DutyInput> AddDutyList(CLI::App& app, GlobalOptions& options, v1::DutyPreset preset,
                                       const std::string& name, const std::string& description, CLI::App** command) {
  const auto input = std::make_shared<DutyInput>();
  input->preset = preset;
  *command = AddListCommand(app, name, description, options, [&options, input] { return ListDuties(options, *input); });
  (*command)->add_option("--department", input->filters.department, "Who answers, and the departments below it");
  input->duty.AddTo(*command);
  input->filters.AddTo(*command);
  AddWaitingOnOption(*command, &input->waiting_on);
  (*command)->add_option("--by", input->by, "case: one row per case, its earliest")->check(CLI::IsMember({"case"}));
  input->as_of.AddTo(*command);
  input->limit.AddTo(*command);
  return input;
}

struct EscalationInput {
  std::string target;
  bool all = false;
  AsOf as_of;
  CaseFilters filters;
  MetricFilters duty;
  ListLimit limit;
};

absl::StatusOr<v1::ListEscalationsRequest> BuildRequest(const GlobalOptions& options, const EscalationInput& input) {
  v1::ListEscalationsRequest request;
  request.set_target(input.target);
  request.set_include_acknowledged(input.all);
  DOCKET_RETURN_IF_ERROR(input.as_of.Apply(options, &request));
  DOCKET_RETURN_IF_ERROR(input.duty.Apply(&request));
  DOCKET_RETURN_IF_ERROR(input.filters.Apply(&request));
  return request;
}

int ListEscalations(GlobalOptions& options, const EscalationInput& input) {
  const auto request = BuildRequest(options, input);
  if (!request.ok()) return ReportUsage(options, request.status().message());
  const auto reply = ReadPages<v1::ListEscalationsRequest, v1::ListEscalationsReply>(
      options, *request, input.limit, "items", [](const v1::ListEscalationsReply& page) { return page.items_size(); },
      [&](const v1::ListEscalationsRequest& page) { return options.client().ListEscalations(page); });
  if (!reply.ok()) return ReportFailure(options, reply.status());
  if (WasPrinted(options, *reply, "items")) return kExitOk;
  *options.out << "Escalations: " << (input.limit.page_token.empty() ? "" : "continued, ")
               << AtLeastText(reply->items_size(), reply->next_page_token().empty()) << "\n"
               << Footing(options, *reply) << "\n";
  if (reply->by_replay()) *options.out << "answered by replaying the log\n";
  if (!reply->items().empty()) *options.out << "\n";
  PrintEscalationList(options, *reply);
  PrintMore(options, reply->next_page_token());
  return kExitOk;
}

}  // namespace

void AddMonitorCommands(CLI::App& app, GlobalOptions& options) {
  CLI::App* command;
  AddDutyList(app, options, v1::MINE, "mine",
              "Duties on your cases and those of whom you stand in for, earliest due first", &command);
  AddDutyList(app, options, v1::OVERDUE, "overdue", "Duties whose due has passed unmet, whatever the status", &command);
  command->footer("Example:\n  docket overdue --department complaints --as-known \"2026-11-20 17:00\" --by case");
  const auto at_risk = AddDutyList(app, options, v1::AT_RISK, "at-risk", "Duties that are soon due", &command);
  command->add_option("--within", at_risk->within, "How soon, in working time")->capture_default_str();
  command->add_flag("--elapsed", at_risk->elapsed, "Count elapsed instead of working time");
  command->footer("Example:\n  docket at-risk --within 4h");
  const auto waiting =
      AddDutyList(app, options, v1::WAITING_DUTIES, "waiting",
                  "Duties that are paused or were held when late already, the longest wait first", &command);
  command->add_option("--longer-than", waiting->longer_than, "Only cases that have waited longer, in elapsed time");

  AddDutyList(app, options, v1::APPROVALS, "approvals",
              "Escalations asked for and late entries that wait for a second person, the longest first", &command);
  command->footer("Example:\n  docket approvals --department complaints --as helen.marsh");

  const auto input = std::make_shared<EscalationInput>();
  CLI::App* escalations = AddListCommand(app, "escalations", "Escalations that nobody has acknowledged", options,
                                         [&options, input] { return ListEscalations(options, *input); });
  escalations->add_option("--department", input->filters.department, "Only of this department");
  escalations->add_option("--target", input->target, "Only to this principal, or to whom they stand in for");
  escalations->add_flag("--all", input->all, "Acknowledged ones too");
  input->duty.AddTo(escalations);
  input->filters.AddTo(escalations);
  input->as_of.AddTo(escalations);
  input->limit.AddTo(escalations);
}

}  // namespace docket::cli
