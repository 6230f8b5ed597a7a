#include <memory>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "tools/cli/command_form.h"
#include "tools/cli/commands.h"
#include "tools/cli/json_output.h"
#include "tools/cli/moments.h"
#include "tools/cli/progress.h"
#include "tools/cli/table.h"
#include "tools/cli/text.h"
#include "tools/client/event_streams.h"
#include "workflow/base/time.h"

namespace docket::cli {
namespace {

struct RolloutInput {
  std::string kind;
  std::string id;
  uint32_t version = 0;
  std::string cause;
  bool dry_run = false;
};

std::string DueText(GlobalOptions& options, bool has, const google::protobuf::Timestamp& due) {
  return has ? FormatMoment(due, options.zone()) : "waiting";
}

void PrintPlan(GlobalOptions& options, const v1::PlanRolloutReply& reply, bool dry_run) {
  Table table({{"CASE"}, {"METRIC"}, {"DUE"}, {"WOULD BE DUE"}, {"NOTE"}});
  for (const v1::RolloutChange& change : reply.changes()) {
    table.AddRow({change.case_no(), change.metric(), DueText(options, change.has_old_due_at(), change.old_due_at()),
                  DueText(options, change.has_new_due_at(), change.new_due_at()), change.late() ? "late at once" : ""});
  }
  table.Print(*options.out);
  const v1::PolicyRolloutPlanned& plan = reply.plan();
  if (reply.changes_cut()) *options.out << "and more\n";
  *options.out << CountText(plan.clocks(), "clock", "clocks") << " of " << reply.cases_done()
               << " cases: " << plan.later() << " later, " << plan.earlier() << " earlier, " << plan.late()
               << " late at once; times in " << options.zone_name() << "\n";
  if (dry_run) {
    *options.out << "nothing was written\n";
  } else {
    *options.out << "planned as " << plan.rollout_id() << "; somebody else approves it: docket policy rollout approve "
                 << plan.rollout_id() << "\n";
  }
}

int Plan(GlobalOptions& options, const RolloutInput& input) {
  v1::PlanRolloutRequest request;
  const auto kind = ParseEnum(*v1::PolicyKind_descriptor(), input.kind);
  if (!kind.ok()) return ReportUsage(options, absl::StrCat("KIND: ", kind.status().message()));
  request.set_kind(static_cast<v1::PolicyKind>(*kind));
  request.set_id(input.id);
  request.set_version(input.version);
  request.set_cause(input.cause);
  request.set_dry_run(input.dry_run);
  Progress progress(*options.err, options.err_is_terminal, "looking at cases");
  v1::PlanRolloutReply last;
  const absl::Status status = client::PlanRollout(options.client(), request, [&](const v1::PlanRolloutReply& reply) {
    progress.Update(reply.cases_done(), reply.cases_total());
    last = reply;
    return true;
  });
  progress.Finish();
  if (!status.ok()) return ReportFailure(options, status);
  if (!last.done()) return ReportUsage(options, "the server ended the plan without a result");
  if (!PrintJson(options, last)) PrintPlan(options, last, input.dry_run);
  return kExitOk;
}

int Approve(GlobalOptions& options, const std::string& id) {
  v1::ApproveRolloutRequest request;
  request.set_rollout_id(id);
  const auto reply = options.client().ApproveRollout(request);
  if (!reply.ok()) return ReportFailure(options, reply.status());
  if (PrintJson(options, *reply)) return kExitOk;
  *options.out << id << (reply->unchanged() ? ": was approved before\n" : ": approved; the server is at it\n")
               << "docket policy rollout list tells how far it is\n";
  return kExitOk;
}

std::string StateOf(const v1::ListRolloutsReply::Item& item) {
  if (item.has_applied()) {
    return absl::StrCat("applied to ", item.applied().clocks(), " clocks of ", item.applied().cases(), " cases",
                        item.applied().failed() > 0 ? absl::StrCat(", ", item.applied().failed(), " failed") : "");
  }
  if (item.approver().empty()) return "waits for approval";
  return absl::StrCat("at work, ", item.cases_done(), " of ", item.cases_total(), " cases looked at");
}

int List(GlobalOptions& options) {
  const auto reply = options.client().ListRollouts(v1::ListRolloutsRequest());
  if (!reply.ok()) return ReportFailure(options, reply.status());
  if (PrintJson(options, *reply, "rollouts")) return kExitOk;
  Table table({{"ROLLOUT"}, {"CAUSE"}, {"CLOCKS", Table::Align::kRight}, {"PLANNED BY"}, {"APPROVED BY"}, {"STATE"}});
  for (const auto& item : reply->rollouts()) {
    table.AddRow({item.plan().rollout_id(), item.plan().cause(), absl::StrCat(item.plan().clocks()),
                  item.plan().planned_by(), item.approver(), StateOf(item)});
  }
  table.Print(*options.out);
  *options.out << CountText(reply->rollouts_size(), "rollout", "rollouts") << ", position " << reply->position()
               << "\n";
  return kExitOk;
}

}  // namespace

void AddRolloutCommands(CLI::App& policy, GlobalOptions& options) {
  CLI::App* rollout =
      policy.add_subcommand("rollout", "Another version of a calendar or SLA policy for clocks that run already");
  rollout->require_subcommand(1, 1);
  auto input = std::make_shared<RolloutInput>();
  CLI::App* plan = AddCommand(*rollout, "plan", "Count what it would change, and plan it", options,
                              [&options, input] { return Plan(options, *input); });
  plan->add_option("KIND", input->kind, "CALENDAR or SLA")->required();
  plan->add_option("ID", input->id, "Its id")->required();
  plan->add_option("--version", input->version, "Default: the newest");
  plan->add_option("--cause", input->cause, "Default CALENDAR or POLICY; TZDATA for new time-zone data");
  plan->add_flag("--dry-run", input->dry_run, "Count only; write nothing");
  auto id = std::make_shared<std::string>();
  CLI::App* approve = AddCommand(*rollout, "approve", "Approve a plan that somebody else made", options,
                                 [&options, id] { return Approve(options, *id); });
  approve->add_option("ROLLOUT", *id, "As docket policy rollout list names it")->required();
  AddCommand(*rollout, "list", "All rollouts and how far they are", options, [&options] { return List(options); });
}

}  // namespace docket::cli
