#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "docket/v1/command.pb.h"
#include "tools/cli/case_ref.h"
#include "tools/cli/command_form.h"
#include "tools/cli/commands.h"
#include "tools/cli/json_output.h"
#include "tools/cli/moments.h"
#include "tools/cli/write_report.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"

// One command under `docket case` for every field of the oneof in docket.v1.Command, its options from the fields.
namespace docket::cli {
namespace {

using google::protobuf::FieldDescriptor;

// What was typed for one verb.
struct VerbInput {
  const FieldDescriptor* verb;
  std::vector<FormField> fields;
  std::vector<std::vector<std::string>> values;  // by field
  std::vector<std::string> flags;                // by field; "" not given
  std::string case_name;
  std::string json;
  std::string occurred_at;
  std::string evidence_ref;
  std::string agreed_by;
  std::string request_id;
  uint32_t expected_revision = 0;
  bool has_expected_revision = false;
  bool dry_run = false;
};

bool IsFiling(const FieldDescriptor& verb) { return verb.number() == v1::Command::kFileFieldNumber; }

absl::Status FillCommand(GlobalOptions& options, const VerbInput& input, v1::Command* command) {
  auto* message = command->GetReflection()->MutableMessage(command, input.verb);
  if (!input.json.empty()) {
    DOCKET_ASSIGN_OR_RETURN(const std::string text, ReadInput(options, input.json));
    const absl::Status parsed = FromJson(text, message);
    if (!parsed.ok()) return absl::InvalidArgumentError(absl::StrCat(input.json, ": ", parsed.message()));
  }
  const FormContext context{options.now(), options.zone()};
  for (size_t i = 0; i < input.fields.size(); ++i) {
    for (const std::string& value : input.values[i]) {
      DOCKET_RETURN_IF_ERROR(SetField(input.fields[i], value, context, message));
    }
    if (!input.flags[i].empty()) {
      DOCKET_RETURN_IF_ERROR(SetField(input.fields[i], input.flags[i], context, message));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::ExecuteRequest> BuildRequest(GlobalOptions& options, const VerbInput& input) {
  v1::ExecuteRequest request;
  if (!input.case_name.empty()) SetCase(ParseCaseRef(input.case_name), &request);
  DOCKET_RETURN_IF_ERROR(FillCommand(options, input, request.mutable_command()));
  if (!input.occurred_at.empty()) {
    const auto time = ParseMoment(input.occurred_at, options.now(), options.zone());
    if (!time.ok()) return absl::InvalidArgumentError(absl::StrCat("--occurred-at: ", time.status().message()));
    *request.mutable_occurred_at() = ToProto(*time);
  }
  if (input.has_expected_revision) request.set_expected_revision(input.expected_revision);
  request.set_evidence_ref(input.evidence_ref);
  request.set_approver(input.agreed_by);
  request.set_request_id(input.request_id);
  request.set_validate_only(input.dry_run);
  return request;
}

int RunVerb(GlobalOptions& options, const VerbInput& input) {
  const auto request = BuildRequest(options, input);
  if (!request.ok()) return ReportUsage(options, request.status().message());
  const auto reply = options.client().Execute(*request);
  if (!reply.ok()) return ReportFailure(options, reply.status(), input.case_name);
  if (input.dry_run) {
    ReportDryRun(options, *reply);
  } else {
    ReportWrite(options, *reply);
  }
  return kExitOk;
}

void AddFormOptions(CLI::App& command, VerbInput& input) {
  for (size_t i = 0; i < input.fields.size(); ++i) {
    const FormField& field = input.fields[i];
    const std::string name = absl::StrCat("--", field.option);
    const std::string description =
        absl::StrCat(field.wanted, field.repeated() ? "; may be repeated" : "", field.required ? " (required)" : "");
    if (field.is_flag()) {
      command.add_flag(name, input.flags[i], absl::StrCat(description, ", true when given alone"));
      continue;
    }
    // One value per occurrence, so that CASE may follow; a single field given twice is an error.
    command.add_option(name, input.values[i], description)
        ->expected(1, field.repeated() ? CLI::detail::expected_max_vector_size : 1)
        ->allow_extra_args(false)
        ->type_name("");
  }
}

std::string Summary(const FieldDescriptor& verb, const std::vector<FormField>& fields) {
  std::vector<std::string> required;
  for (const FormField& field : fields) {
    if (field.required) required.push_back(absl::StrCat("--", field.option));
  }
  return absl::StrCat(verb.message_type()->name(), required.empty() ? "" : ": ", absl::StrJoin(required, " "));
}

void AddVerb(CLI::App& cases, GlobalOptions& options, const FieldDescriptor& verb) {
  auto input = std::make_shared<VerbInput>();
  input->verb = &verb;
  input->fields = FormFields(*verb.message_type());
  input->values.resize(input->fields.size());
  input->flags.resize(input->fields.size());
  CLI::App* command = AddCommand(cases, VerbName(verb), Summary(verb, input->fields), options,
                                 [&options, input] { return RunVerb(options, *input); });
  command->footer(absl::StrCat("Example:\n  ", CommandLine(verb, IsFiling(verb) ? "" : "CASE")));
  if (!IsFiling(verb)) command->add_option("CASE", input->case_name, "The case")->required();
  AddFormOptions(*command, *input);
  constexpr char kGroup[] = "Any command";
  command->add_option("--json", input->json, "File with the fields as JSON, - for standard input; options add to it")
      ->group(kGroup);
  command->add_flag("--dry-run", input->dry_run, "Show the events that would happen; write nothing")->group(kGroup);
  command->add_option("--occurred-at", input->occurred_at, "When it happened; only contacts may be back-dated")
      ->group(kGroup);
  command->add_option("--evidence-ref", input->evidence_ref, "Evidence for a back-dated contact or a correction")->group(kGroup);
  command->add_option("--agreed-by", input->agreed_by, "A second person who agrees, where a rule wants one")
      ->group(kGroup);
  command
      ->add_option_function<uint32_t>(
          "--expected-revision",
          [input](uint32_t revision) {
            input->expected_revision = revision;
            input->has_expected_revision = true;
          },
          "Refuse if the case has moved on from this revision")
      ->group(kGroup);
  command->add_option("--request-id", input->request_id, "UUIDv7 of an earlier attempt to repeat")->group(kGroup);
}

}  // namespace

void AddVerbCommands(CLI::App& cases, GlobalOptions& options) {
  const auto* verbs = v1::Command::descriptor()->FindOneofByName("command");
  for (int i = 0; i < verbs->field_count(); ++i) AddVerb(cases, options, *verbs->field(i));
}

}  // namespace docket::cli
