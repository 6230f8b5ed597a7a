#include <memory>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "tools/cli/case_ref.h"
#include "tools/cli/commands.h"
#include "tools/cli/json_output.h"
#include "tools/cli/moments.h"
#include "workflow/base/time.h"

namespace docket::cli {
namespace {

struct LeaseInput {
  std::string case_name;
  std::string span;
};

int Take(GlobalOptions& options, const LeaseInput& input) {
  v1::TakeLeaseRequest request;
  if (!input.span.empty()) {
    const auto span = ParseSpan(input.span);
    if (!span.ok()) return ReportUsage(options, absl::StrCat("--for: ", span.status().message()));
    *request.mutable_span() = ToProto(*span);
  }
  const absl::Status found = SetResolvedCase(options.client(), input.case_name, &request);
  if (!found.ok()) return ReportFailure(options, found, input.case_name);
  const auto reply = options.client().TakeLease(request);
  if (!reply.ok()) return ReportFailure(options, reply.status(), input.case_name);
  if (PrintJson(options, *reply)) return kExitOk;
  *options.out << input.case_name << ": yours until " << FormatMoment(reply->until(), options.zone())
               << "; nobody else acts on it. docket case unlease " << input.case_name << " when done\n";
  return kExitOk;
}

int Release(GlobalOptions& options, const LeaseInput& input) {
  v1::ReleaseLeaseRequest request;
  const absl::Status found = SetResolvedCase(options.client(), input.case_name, &request);
  if (!found.ok()) return ReportFailure(options, found, input.case_name);
  const auto reply = options.client().ReleaseLease(request);
  if (!reply.ok()) return ReportFailure(options, reply.status(), input.case_name);
  if (PrintJson(options, *reply)) return kExitOk;
  *options.out << input.case_name << (reply->released() ? ": released\n" : ": you held no lease\n");
  return kExitOk;
}

}  // namespace

void AddLeaseCommands(CLI::App& cases, GlobalOptions& options) {
  auto input = std::make_shared<LeaseInput>();
  CLI::App* take = AddCommand(cases, "lease", "Tell others that you are at work on a case", options,
                              [&options, input] { return Take(options, *input); });
  take->add_option("CASE", input->case_name, "The case")->required();
  take->add_option("--for", input->span, "How long, such as 10m; default 5m, at most 30m");
  auto released = std::make_shared<LeaseInput>();
  CLI::App* release = AddCommand(cases, "unlease", "Let others act on the case again", options,
                                 [&options, released] { return Release(options, *released); });
  release->add_option("CASE", released->case_name, "The case")->required();
}

}  // namespace docket::cli
