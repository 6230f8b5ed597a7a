#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tools/cli/command_form.h"
#include "tools/cli/commands.h"
#include "tools/cli/json_output.h"
#include "tools/cli/moments.h"
#include "tools/cli/table.h"
#include "tools/cli/text.h"
#include "workflow/base/time.h"

namespace docket::cli {
namespace {

struct PolicyInput {
  std::vector<std::string> files;
  std::string effective_from;
  std::string request_id;
  std::string kind;
  std::string id;
  uint32_t version = 0;
};

constexpr char kWarning[] = "warning: ";

// "file:line: REASON message", the form editors jump to.
void PrintFindings(GlobalOptions& options, const std::string& file,
                   const google::protobuf::RepeatedPtrField<v1::PolicyFinding>& findings, const char* word = "") {
  for (const v1::PolicyFinding& finding : findings) {
    *options.out << file << ":" << finding.line() << ": " << word << finding.reason() << " "
                 << OneLine(finding.message()) << "\n";
  }
}

int Validate(GlobalOptions& options, const PolicyInput& input) {
  int exit_code = kExitOk;
  for (const std::string& file : input.files) {
    const auto yaml = ReadInput(options, file);
    if (!yaml.ok()) return ReportUsage(options, yaml.status().message());
    v1::ValidatePoliciesRequest request;
    request.set_yaml(*yaml);
    const auto reply = options.client().ValidatePolicies(request);
    if (!reply.ok()) return ReportFailure(options, reply.status());
    if (!reply->findings().empty()) exit_code = kExitRefused;
    if (PrintJson(options, *reply, "findings")) continue;
    PrintFindings(options, file, reply->findings());
    PrintFindings(options, file, reply->warnings(), kWarning);
    // A file with only a directory holds no policy, and none need be counted.
    if (!reply->findings().empty()) continue;
    *options.out << file << ": valid";
    if (!reply->policies().empty()) *options.out << ", " << CountText(reply->policies_size(), "policy", "policies");
    *options.out << "\n";
  }
  return exit_code;
}

void PrintPublished(GlobalOptions& options, const std::string& file, const v1::PublishPoliciesReply& reply) {
  Table table({{"KIND"}, {"ID"}, {"VERSION", Table::Align::kRight}, {"NOTE"}});
  for (const v1::PublishedPolicy& policy : reply.policies()) {
    table.AddRow({v1::PolicyKind_Name(policy.kind()), policy.id(), absl::StrCat(policy.version()),
                  policy.unchanged() ? "unchanged" : "published"});
  }
  table.Print(*options.out);
  PrintFindings(options, file, reply.warnings(), kWarning);
  if (reply.directory_published()) *options.out << "directory published\n";
  if (reply.unchanged()) {
    *options.out << file << ": nothing to publish, nothing was written\n";
  } else {
    *options.out << file << ": commit " << reply.commit() << ", position " << reply.last_position() << "\n";
  }
}

int Publish(GlobalOptions& options, const PolicyInput& input) {
  if (!input.request_id.empty() && input.files.size() > 1) {
    return ReportUsage(options, "--request-id: belongs to one publication, want one FILE with it");
  }
  for (const std::string& file : input.files) {
    const auto yaml = ReadInput(options, file);
    if (!yaml.ok()) return ReportUsage(options, yaml.status().message());
    v1::PublishPoliciesRequest request;
    request.set_yaml(*yaml);
    request.set_request_id(input.request_id);
    if (!input.effective_from.empty()) {
      const auto time = ParseMoment(input.effective_from, options.now(), options.zone());
      if (!time.ok()) return ReportUsage(options, absl::StrCat("--effective-from: ", time.status().message()));
      *request.mutable_effective_from() = ToProto(*time);
    }
    const auto reply = options.client().PublishPolicies(request);
    if (!reply.ok()) {
      *options.err << file << ":\n";
      return ReportFailure(options, reply.status());
    }
    if (!PrintJson(options, *reply, "policies")) PrintPublished(options, file, *reply);
  }
  return kExitOk;
}

absl::StatusOr<v1::PolicyKind> ParseKind(const std::string& text) {
  const auto kind = ParseEnum(*v1::PolicyKind_descriptor(), text);
  if (!kind.ok()) return absl::InvalidArgumentError(absl::StrCat("KIND: ", kind.status().message()));
  return static_cast<v1::PolicyKind>(*kind);
}

int List(GlobalOptions& options, const PolicyInput& input) {
  v1::ListPoliciesRequest request;
  if (!input.kind.empty()) {
    const auto kind = ParseKind(input.kind);
    if (!kind.ok()) return ReportUsage(options, kind.status().message());
    request.set_kind(*kind);
  }
  const auto reply = options.client().ListPolicies(request);
  if (!reply.ok()) return ReportFailure(options, reply.status());
  if (PrintJson(options, *reply, "policies")) return kExitOk;
  Table table({{"KIND"}, {"ID"}, {"VERSION", Table::Align::kRight}, {"EFFECTIVE FROM"}, {"PUBLISHED"}, {"BY"}});
  for (const auto& item : reply->policies()) {
    table.AddRow({v1::PolicyKind_Name(item.kind()), item.pin().id(), absl::StrCat(item.pin().version()),
                  FormatMoment(item.effective_from(), options.zone()),
                  FormatMoment(item.published_at(), options.zone()), item.published_by()});
  }
  table.Print(*options.out);
  *options.out << CountText(reply->policies_size(), "policy", "policies") << ", position " << reply->position()
               << ", times in " << options.zone_name() << "\n";
  return kExitOk;
}

int Show(GlobalOptions& options, const PolicyInput& input) {
  const auto kind = ParseKind(input.kind);
  if (!kind.ok()) return ReportUsage(options, kind.status().message());
  v1::GetPolicyRequest request;
  request.set_kind(*kind);
  request.set_id(input.id);
  request.set_version(input.version);
  const auto reply = options.client().GetPolicy(request);
  if (!reply.ok()) return ReportFailure(options, reply.status());
  // The exact bytes that were published, so that they can be edited and published again.
  if (!PrintJson(options, *reply)) *options.out << reply->yaml();
  return kExitOk;
}

}  // namespace

void AddPolicyCommands(CLI::App& app, GlobalOptions& options) {
  CLI::App* policy = app.add_subcommand("policy", "Workflows, deadlines, calendars, ladders: check, publish, read");
  policy->require_subcommand(1, 1);

  auto input = std::make_shared<PolicyInput>();
  CLI::App* command = AddCommand(*policy, "validate", "Check files as publishing would, without publishing", options,
                                 [&options, input] { return Validate(options, *input); });
  command->add_option("FILE", input->files, "YAML pack, - for standard input")->required();

  input = std::make_shared<PolicyInput>();
  command = AddCommand(*policy, "publish", "Publish files, each whole or not at all", options,
                       [&options, input] { return Publish(options, *input); });
  command->add_option("FILE", input->files, "YAML pack, - for standard input")->required();
  command->add_option("--effective-from", input->effective_from, "Applies to commands from this time on; default now");
  command->add_option("--request-id", input->request_id, "UUIDv7 of an earlier attempt to repeat");

  input = std::make_shared<PolicyInput>();
  command = AddCommand(*policy, "list", "The newest version of every policy", options,
                       [&options, input] { return List(options, *input); });
  command->add_option("--kind", input->kind, "WORKFLOW, SLA, CALENDAR, LADDER, PRIORITY_MATRIX or ROUTING");

  input = std::make_shared<PolicyInput>();
  command = AddCommand(*policy, "show", "A policy as published", options,
                       [&options, input] { return Show(options, *input); });
  command->add_option("KIND", input->kind, "WORKFLOW, SLA, CALENDAR, LADDER, PRIORITY_MATRIX or ROUTING")->required();
  command->add_option("ID", input->id, "Its id")->required();
  command->add_option("--version", input->version, "Default: the newest");
  AddAbsenceCommands(*policy, options);
  AddDueCommand(*policy, options);
  AddPolicyTestCommand(*policy, options);
  AddRolloutCommands(*policy, options);
}

}  // namespace docket::cli
