#include <algorithm>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/struct.pb.h"
#include "tools/cli/commands.h"
#include "tools/cli/json_output.h"
#include "tools/cli/table.h"
#include "tools/cli/text.h"
#include "tools/policytest/run.h"
#include "tools/policytest/scenario.h"

// `docket policy test`: scenario files run against the packs they name, without a server.
namespace docket::cli {
namespace {

using google::protobuf::Struct;

struct TestInput {
  std::vector<std::string> files;
  bool show = false;
};

void SetText(Struct* object, const std::string& key, const std::string& text) {
  (*object->mutable_fields())[key].set_string_value(text);
}

Struct AsJson(const std::string& file, const policytest::Outcome& outcome) {
  Struct object;
  SetText(&object, "file", file);
  SetText(&object, "scenario", outcome.name);
  (*object.mutable_fields())["line"].set_number_value(outcome.line);
  (*object.mutable_fields())["ok"].set_bool_value(outcome.differences.empty());
  auto* differences = (*object.mutable_fields())["differences"].mutable_list_value();
  for (const policytest::Difference& difference : outcome.differences) {
    Struct* one = differences->add_values()->mutable_struct_value();
    (*one->mutable_fields())["line"].set_number_value(difference.line);
    SetText(one, "when", difference.when);
    SetText(one, "what", difference.what);
    SetText(one, "expected", difference.expected);
    SetText(one, "got", difference.got);
  }
  auto* clocks = (*object.mutable_fields())["clocks"].mutable_list_value();
  for (const std::string& clock : outcome.clocks) clocks->add_values()->set_string_value(clock);
  return object;
}

void PrintOutcome(GlobalOptions& options, const TestInput& input, const std::string& file,
                  const policytest::Outcome& outcome) {
  const bool ok = outcome.differences.empty();
  *options.out << (ok ? "ok      " : "FAILED  ") << file << ":" << outcome.line << ": " << OneLine(outcome.name)
               << "\n";
  for (const policytest::Difference& difference : outcome.differences) {
    *options.out << "  line " << difference.line << ", " << difference.when << ": " << difference.what
                 << "\n    expected  " << OneLine(difference.expected) << "\n    got       " << OneLine(difference.got)
                 << "\n";
  }
  if (!input.show) return;
  for (const std::string& clock : outcome.clocks) *options.out << "    " << OneLine(clock) << "\n";
}

struct Tally {
  int run = 0;
  int failed = 0;
  bool unreadable = false;
  Struct document;  // for -o json: all of them
};

void RunSuite(GlobalOptions& options, const TestInput& input, const policytest::Suite& suite, Tally* tally) {
  for (const policytest::Scenario& scenario : suite.scenarios) {
    const policytest::Outcome outcome = policytest::RunScenario(suite, scenario);
    ++tally->run;
    tally->failed += outcome.differences.empty() ? 0 : 1;
    if (options.format() == OutputFormat::kTable) {
      PrintOutcome(options, input, suite.file, outcome);
      continue;
    }
    const Struct object = AsJson(suite.file, outcome);
    if (options.format() == OutputFormat::kJsonl) {
      *options.out << ToJson(object) << "\n";
    } else {
      *(*tally->document.mutable_fields())["scenarios"].mutable_list_value()->add_values()->mutable_struct_value() =
          object;
    }
  }
}

int Test(GlobalOptions& options, const TestInput& input) {
  Tally tally;
  for (const std::string& file : input.files) {
    const auto suite = policytest::LoadSuite(file);
    if (!suite.ok()) return ReportUsage(options, suite.status().message());
    for (const policytest::FileFinding& one : suite->findings) {
      *options.err << one.file << ":" << one.finding.line << ": " << one.finding.reason << " "
                   << OneLine(one.finding.message) << "\n";
    }
    tally.unreadable |= !suite->findings.empty();
    if (suite->findings.empty()) RunSuite(options, input, *suite, &tally);
  }
  if (options.format() == OutputFormat::kJson) {
    (*tally.document.mutable_fields())["failed"].set_number_value(tally.failed);
    *options.out << ToJson(tally.document) << "\n";
  } else if (options.format() == OutputFormat::kTable) {
    *options.out << CountText(tally.run, "scenario", "scenarios") << ", " << tally.failed << " failed\n";
  }
  if (tally.unreadable) return kExitUsage;
  return tally.failed > 0 ? kExitRefused : kExitOk;
}

}  // namespace

void AddPolicyTestCommand(CLI::App& policy, GlobalOptions& options) {
  const auto input = std::make_shared<TestInput>();
  CLI::App* test = AddCommand(policy, "test", "Run scenario files against policy packs, without a server", options,
                              [&options, input] { return Test(options, *input); });
  test->add_option("FILE", input->files, "YAML file of scenarios")->required();
  test->add_flag("--show", input->show, "Print how the clocks of each scenario stand at its end");
  test->footer(R"(Exit code 0: all is as expected, 1: something is not, 2: a file is wrong. Example:
  zone: Europe/London
  now: 2026-11-18 09:00
  as: luis.romero
  packs: [shipped/directory-sample.yaml, shipped/calendar-london.yaml, shipped/complaint-iso10002.yaml, mine.yaml]
  scenarios:
    - name: a complaint is acknowledged within two days
      steps:
        - file: {kind: COMPLAINT}
        - at: +4h
          send_outbound: {kind: ACKNOWLEDGEMENT}
          expect:
            clocks: [{metric: ACKNOWLEDGE, due: 2026-11-20 17:00, met: true}])");
}

}  // namespace docket::cli
