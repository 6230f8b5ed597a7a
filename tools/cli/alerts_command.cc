#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/cli/command_form.h"
#include "tools/cli/commands.h"
#include "tools/cli/json_output.h"
#include "tools/cli/list_filters.h"
#include "tools/cli/moments.h"
#include "tools/cli/table.h"
#include "tools/cli/text.h"
#include "tools/client/event_streams.h"
#include "workflow/base/check.h"

// `docket alerts`: one line each.
namespace docket::cli {
namespace {

struct AlertInput {
  std::optional<uint64_t> from;
  bool follow = false;
  std::string department;
  std::vector<std::string> kinds, case_kinds, metrics, obligations, targets;
  uint64_t limit = 0;
};

std::string WarningText(const v1::AlertWarning& warning) {
  if (warning.permille() != 0) return absl::StrCat(warning.permille() / 10, "% used");
  return "due soon";
}

std::string EscalationText(const v1::AlertEscalation& escalation) {
  const std::string to = escalation.targets().empty() ? "nobody" : absl::StrJoin(escalation.targets(), ", ");
  return absl::StrCat("level ", escalation.level(), " to ", to);
}

std::string RolloutText(const v1::AlertApproval& approval) {
  const v1::PolicyRolloutPlanned& plan = approval.rollout();
  return absl::StrCat("rollout ", plan.rollout_id(), " of ", CountText(plan.clocks(), "clock", "clocks"), ", ",
                      plan.late(), " late at once, planned by ", approval.asked_by(),
                      "  docket policy rollout approve ", plan.rollout_id());
}

std::string ApprovalText(const v1::AlertApproval& approval) {
  if (approval.has_rollout()) return RolloutText(approval);
  const std::string what =
      approval.kind() == v1::Approval::LATE_ENTRY ? "late entry" : v1::EscalationKind_Name(approval.escalation_kind());
  const std::string to = approval.targets().empty() ? approval.department() : absl::StrJoin(approval.targets(), ", ");
  return absl::StrCat(what, " asked by ", approval.asked_by(), " of ", to);
}

std::string ItemText(const GlobalOptions& options, const v1::AlertItem& item) {
  std::string text = absl::StrCat(v1::OwedItemKind_Name(item.kind()), " ", item.what(), " asked of ",
                                  item.principal().empty() ? item.department() : item.principal());
  if (item.has_due_at()) absl::StrAppend(&text, " by ", FormatMoment(item.due_at(), options.zone()));
  return text;
}

std::string AlertLine(const GlobalOptions& options, const v1::Alert& alert) {
  std::vector<std::string> parts = {absl::StrCat(alert.position()), FormatMoment(alert.occurred_at(), options.zone()),
                                    v1::AlertKind_Name(alert.kind())};
  if (!alert.case_no().empty()) parts.push_back(alert.case_no());
  if (alert.has_escalation()) parts.push_back(EscalationText(alert.escalation()));
  if (alert.has_approval()) parts.push_back(ApprovalText(alert.approval()));
  if (alert.has_item()) parts.push_back(ItemText(options, alert.item()));
  if (!alert.metric().empty()) parts.push_back(alert.metric());
  if (alert.has_warning()) parts.push_back(WarningText(alert.warning()));
  if (alert.has_due_at()) parts.push_back(absl::StrCat("due ", FormatMoment(alert.due_at(), options.zone())));
  if (!alert.department().empty()) parts.push_back(alert.department());
  if (!alert.owner().empty()) parts.push_back(alert.owner());
  if (alert.late()) parts.push_back(absl::StrCat("[noticed ", FormatMoment(alert.recorded_at(), options.zone()), "]"));
  if (alert.has_notify_at()) {
    parts.push_back(absl::StrCat("[to be told ", FormatMoment(alert.notify_at(), options.zone()), "]"));
  }
  return OneLine(absl::StrJoin(parts, "  "));
}

// Numbers of the enum `type` that `names` stand for.
absl::Status AddEnums(const google::protobuf::EnumDescriptor& type, const char* option,
                      const std::vector<std::string>& names, absl::FunctionRef<void(int)> add) {
  for (const std::string& name : names) {
    const auto value = ParseEnum(type, name);
    if (!value.ok()) return absl::InvalidArgumentError(absl::StrCat(option, ": ", value.status().message()));
    add(*value);
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::AlertFilter> FilterOf(const AlertInput& input) {
  v1::AlertFilter filter;
  filter.set_department(input.department);
  DOCKET_RETURN_IF_ERROR(AddEnums(*v1::AlertKind_descriptor(), "--kind", input.kinds,
                                  [&](int value) { filter.add_kinds(static_cast<v1::AlertKind>(value)); }));
  DOCKET_RETURN_IF_ERROR(AddEnums(*v1::CaseKind_descriptor(), "--case-kind", input.case_kinds,
                                  [&](int value) { filter.add_case_kinds(static_cast<v1::CaseKind>(value)); }));
  DOCKET_RETURN_IF_ERROR(AddEnums(*v1::Obligation_descriptor(), "--owed-to", input.obligations,
                                  [&](int value) { filter.add_obligations(static_cast<v1::Obligation>(value)); }));
  for (const std::string& metric : input.metrics) filter.add_metrics(MetricName(metric));
  for (const std::string& target : input.targets) filter.add_targets(target);
  return filter;
}

int Alerts(GlobalOptions& options, const AlertInput& input) {
  if (options.format() == OutputFormat::kJson) {
    return ReportUsage(options, "alerts are a stream, so -o json would never be whole; use -o jsonl");
  }
  const auto filter = FilterOf(input);
  if (!filter.ok()) return ReportUsage(options, filter.status().message());
  v1::WatchAlertsRequest request;
  *request.mutable_filter() = *filter;
  request.set_from_position(input.from.value_or(input.follow ? 0 : 1));
  uint64_t printed = 0;
  const absl::Status status = client::WatchAlerts(options.client(), request, [&](const v1::WatchAlertsReply& reply) {
    for (const v1::Alert& alert : reply.alerts()) {
      const bool table = options.format() == OutputFormat::kTable;
      *options.out << (table ? AlertLine(options, alert) : ToJson(alert)) << "\n";
      if (++printed == input.limit) return false;
    }
    options.out->flush();
    return options.out->good() && (input.follow || !reply.caught_up());
  });
  return status.ok() ? kExitOk : ReportFailure(options, status);
}

}  // namespace

void AddAlertsCommand(CLI::App& app, GlobalOptions& options) {
  const auto input = std::make_shared<AlertInput>();
  CLI::App* alerts = AddCommand(app, "alerts", "Warnings, breaches, escalations, requests and items in order", options,
                                [&options, input] { return Alerts(options, *input); });
  alerts->add_option("--from", input->from, "First position; default 1, with --follow only new ones");
  alerts->add_flag("--follow", input->follow, "Go on with new alerts as they come");
  alerts->add_option("--department", input->department, "Who answers, and the departments below it");
  const auto add_list = [alerts](const char* name, std::vector<std::string>* values, const char* help) {
    alerts->add_option(name, *values, absl::StrCat(help, "; may be repeated"))->allow_extra_args(false);
  };
  add_list("--kind", &input->kinds, "warning, breach, escalation, approval or owed_item");
  add_list("--case-kind", &input->case_kinds, "Only cases of this kind");
  add_list("--metric", &input->metrics, "Only this metric, e.g. FIRST_RESPONSE");
  add_list("--owed-to", &input->obligations, "customer, internal, vendor or regulator");
  add_list("--target", &input->targets, "Only escalations, requests and items to this principal");
  alerts->add_option("--limit", input->limit, "Alerts at most");
  alerts->footer("Example:\n  docket -o jsonl alerts --follow --kind breach --department complaints");
}

}  // namespace docket::cli
