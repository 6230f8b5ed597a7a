#include <memory>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "tools/cli/commands.h"
#include "tools/cli/json_output.h"
#include "tools/cli/moments.h"
#include "tools/cli/table.h"
#include "tools/cli/text.h"
#include "workflow/base/time.h"

// `docket policy absence`: who is away, and who stands in.
namespace docket::cli {
namespace {

struct AbsenceInput {
  std::string principal, from, until, deputy, request_id;
  bool all = false;
};

// False: `text` is no moment, and the user has been told.
bool ReadMoment(GlobalOptions& options, const char* flag, const std::string& text, google::protobuf::Timestamp* out) {
  const auto time = ParseMoment(text, options.now(), options.zone());
  if (!time.ok()) {
    ReportUsage(options, absl::StrCat(flag, ": ", time.status().message()));
    return false;
  }
  *out = ToProto(*time);
  return true;
}

int Report(GlobalOptions& options, const absl::StatusOr<v1::AbsenceReply>& reply) {
  if (!reply.ok()) return ReportFailure(options, reply.status());
  if (PrintJson(options, *reply)) return kExitOk;
  const v1::Absence& absence = reply->absence();
  const absl::TimeZone zone = options.zone();
  if (FromProto(absence.until()) <= FromProto(absence.from())) {
    *options.out << absence.principal() << " stays after all\n";
  } else {
    *options.out << absence.principal() << " is away from " << FormatMoment(absence.from(), zone) << " until "
                 << FormatMoment(absence.until(), zone) << ", " << absence.deputy() << " stands in\n";
  }
  *options.out << "commit " << reply->commit() << ", position " << reply->last_position() << "\n";
  return kExitOk;
}

int Record(GlobalOptions& options, const AbsenceInput& input) {
  v1::RecordAbsenceRequest request;
  request.set_principal(input.principal);
  request.set_deputy(input.deputy);
  request.set_request_id(input.request_id);
  if (!input.from.empty() && !ReadMoment(options, "--from", input.from, request.mutable_from())) return kExitUsage;
  if (!ReadMoment(options, "--until", input.until, request.mutable_until())) return kExitUsage;
  return Report(options, options.client().RecordAbsence(request));
}

int End(GlobalOptions& options, const AbsenceInput& input) {
  v1::EndAbsenceRequest request;
  request.set_principal(input.principal);
  request.set_request_id(input.request_id);
  if (!input.from.empty() && !ReadMoment(options, "--from", input.from, request.mutable_from())) return kExitUsage;
  return Report(options, options.client().EndAbsence(request));
}

int List(GlobalOptions& options, const AbsenceInput& input) {
  const auto reply = options.client().GetDirectory(v1::GetDirectoryRequest());
  if (!reply.ok()) return ReportFailure(options, reply.status());
  Table table({{"PRINCIPAL"}, {"FROM"}, {"UNTIL"}, {"DEPUTY"}});
  v1::GetDirectoryReply shown;
  for (const v1::Absence& absence : reply->absences()) {
    if (!input.all && FromProto(absence.until()) <= options.now()) continue;
    *shown.add_absences() = absence;
    table.AddRow({absence.principal(), FormatMoment(absence.from(), options.zone()),
                  FormatMoment(absence.until(), options.zone()), absence.deputy()});
  }
  if (PrintJson(options, shown, "absences")) return kExitOk;
  table.Print(*options.out);
  *options.out << CountText(shown.absences_size(), "absence", "absences") << ", times in " << options.zone_name()
               << "\n";
  return kExitOk;
}

}  // namespace

void AddAbsenceCommands(CLI::App& policy, GlobalOptions& options) {
  CLI::App* absence = policy.add_subcommand("absence", "Who is away, and who stands in");
  absence->require_subcommand(1, 1);

  auto input = std::make_shared<AbsenceInput>();
  CLI::App* command = AddCommand(*absence, "record", "Somebody is away and a deputy stands in", options,
                                 [&options, input] { return Record(options, *input); });
  command->add_option("PRINCIPAL", input->principal, "Who is away")->required();
  command->add_option("--from", input->from, "Since when; default now");
  command->add_option("--until", input->until, "Until when")->required();
  command->add_option("--deputy", input->deputy, "Who stands in")->required();
  command->add_option("--request-id", input->request_id, "UUIDv7 of an earlier attempt to repeat");
  command->footer(
      "Example:\n  docket policy absence record helen.marsh --until +14d --deputy tomasz.zielinski --as mei.tan");

  input = std::make_shared<AbsenceInput>();
  command = AddCommand(*absence, "end", "Back earlier, or not going at all", options,
                       [&options, input] { return End(options, *input); });
  command->add_option("PRINCIPAL", input->principal, "Who was away")->required();
  command->add_option("--from", input->from, "Which absence; default the one in force, else the next");
  command->add_option("--request-id", input->request_id, "UUIDv7 of an earlier attempt to repeat");

  input = std::make_shared<AbsenceInput>();
  command = AddCommand(*absence, "list", "Absences in force and to come", options,
                       [&options, input] { return List(options, *input); });
  command->add_flag("--all", input->all, "Those that are over too");
}

}  // namespace docket::cli
