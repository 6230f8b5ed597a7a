#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "docket/v1/command.pb.h"
#include "tools/policytest/command_reader.h"
#include "tools/policytest/instants.h"
#include "tools/policytest/read_expectation.h"
#include "tools/policytest/scenario.h"
#include "workflow/base/time.h"
#include "workflow/policy/findings.h"
#include "workflow/policy/map_reader.h"
#include "workflow/policy/yaml_tree.h"

namespace docket::policytest {
namespace {

using policy::MapReader;
using policy::Need;
using policy::Syntax;
using policy::YamlNode;

const google::protobuf::OneofDescriptor& Commands() { return *v1::Command::descriptor()->FindOneofByName("command"); }

// The set with one more pack.
std::shared_ptr<const policy::PolicySet> WithPack(std::shared_ptr<const policy::PolicySet> set,
                                                  const policy::Pack& pack, absl::Time now, uint64_t* position) {
  for (const v1::Event& event : policy::PublicationsOf(pack, *set)) {
    auto next = set->With(event, (*position)++, now, "scenario");
    if (next.ok()) set = *std::move(next);  // what was compiled a moment ago compiles
  }
  return set;
}

class SuiteReader {
 public:
  SuiteReader(const std::string& file, const PackSource& packs) : packs_(packs) { suite_.file = file; }

  Suite Read(absl::string_view text) {
    YamlNode root;
    if (text.size() > kMaxFileBytes) {
      findings_.Add(1, "FILE_TOO_LARGE",
                    absl::StrCat("file: found ", text.size(), " bytes, want at most ", kMaxFileBytes));
    } else if (const int line = policy::FirstBadByteLine(text); line != 0) {
      findings_.Add(line, "NOT_TEXT", "file: found bytes that are not UTF-8 text, want text");
    } else if (policy::ParseYaml(text, 1, &root, &findings_)) {
      ReadFile(root);
    } else if (findings_.empty()) {
      findings_.Add(1, "EMPTY_FILE", "file: found nothing, want scenarios");
    }
    for (policy::Finding& finding : findings_.Take()) suite_.findings.push_back({suite_.file, std::move(finding)});
    return std::move(suite_);
  }

 private:
  void ReadFile(const YamlNode& root) {
    MapReader reader(root, "file", &findings_);
    ReadZone(reader);
    now_ = Instant(reader, "now", absl::UnixEpoch(), Need::kRequired);
    as_ = reader.Text("as", Syntax::kId, Need::kRequired);
    ReadPacks(reader);
    CheckPrincipal(as_, reader.LineOf("as"));
    for (const YamlNode& node : reader.List("scenarios", kMaxScenarios, Need::kRequired)) ReadScenario(node);
    reader.Finish();
  }

  void ReadZone(MapReader& reader) {
    const std::string name = reader.Text("zone", Syntax::kText, Need::kRequired);
    if (name.empty() || absl::LoadTimeZone(name, &suite_.zone)) return;
    findings_.Add(reader.LineOf("zone"), "UNKNOWN_ZONE",
                  absl::StrCat("file.zone: found ", name, ", want an IANA zone such as Europe/London"));
  }

  absl::Time Instant(MapReader& reader, const char* key, absl::Time base, Need need = Need::kOptional) {
    const std::string text = reader.Text(key, Syntax::kText, need);
    if (text.empty()) return base;
    const auto time = ParseInstant(text, base, suite_.zone);
    if (time.ok()) return *time;
    findings_.Add(reader.LineOf(key), "BAD_TIME", absl::StrCat(key, ": ", time.status().message()));
    return base;
  }

  void ReadPacks(MapReader& reader) {
    suite_.policies = std::make_shared<policy::PolicySet>();
    uint64_t position = 1;
    for (const policy::Word& name : reader.Texts("packs", Syntax::kText, kMaxPacks, Need::kRequired)) {
      const auto yaml = packs_(name.text);
      if (!yaml.ok()) {
        findings_.Add(name.line, "PACK_NOT_FOUND", absl::StrCat("file.packs: ", yaml.status().message()));
        continue;
      }
      const policy::Pack pack = policy::ParsePack(*yaml, *suite_.policies, now_);
      for (const policy::Finding& finding : pack.findings) suite_.findings.push_back({name.text, finding});
      suite_.policies = WithPack(suite_.policies, pack, now_, &position);
    }
  }

  void CheckPrincipal(const std::string& name, int line) {
    const bool nobody_known = suite_.policies->directory().principals().empty();
    if (name.empty() || nobody_known || suite_.policies->Principal(name) != nullptr) return;
    findings_.Add(line, "UNKNOWN_PRINCIPAL", suite_.policies->DescribeUnknown(policy::NameKind::kPrincipal, name));
  }

  void ReadScenario(const YamlNode& node) {
    MapReader reader(node, "scenario", &findings_);
    Scenario scenario;
    scenario.line = node.line;
    scenario.name = reader.Text("name", Syntax::kText, Need::kRequired);
    for (const Scenario& other : suite_.scenarios) {
      if (other.name != scenario.name) continue;
      findings_.Add(reader.LineOf("name"), "DUPLICATE_NAME",
                    absl::StrCat("scenario.name: found again, want each once; the first is on line ", other.line));
    }
    scenario.now = Instant(reader, "now", now_);
    const std::string as = reader.Text("as", Syntax::kId);
    CheckPrincipal(as, reader.LineOf("as"));
    at_ = scenario.now;
    revisions_.clear();
    bool expects = reader.Has("expect");
    for (const YamlNode& step : reader.List("steps", kMaxSteps, Need::kRequired)) {
      scenario.steps.push_back(ReadStep(step, as.empty() ? as_ : as));
      expects |= scenario.steps.back().expect.has_value();
    }
    if (const YamlNode* expect = reader.Find("expect")) {
      scenario.expect = ReadExpectation(*expect, scenario.now, suite_.zone, &findings_);
      if (scenario.expect->refused.has_value()) {
        findings_.Add(scenario.expect->refused->line, "NOT_OF_A_STEP",
                      "expect.refused: found outside of a step, want it in the step that is refused");
      }
    }
    if (!expects) {
      findings_.Add(node.line, "NOTHING_EXPECTED", "scenario: found no key \"expect\" in it, want at least one");
    }
    reader.Finish();
    suite_.scenarios.push_back(std::move(scenario));
  }

  Step ReadStep(const YamlNode& node, const std::string& as) {
    MapReader reader(node, "step", &findings_);
    Step step;
    step.line = node.line;
    const absl::Time before = at_;
    at_ = step.at = Instant(reader, reader.Has("advance") ? "advance" : "at", before);
    if (reader.Has("advance") && reader.Has("at")) {
      findings_.Add(reader.LineOf("at"), "TWO_TIMES", "step: found at and advance, want one of them");
      reader.Find("at");
    }
    if (at_ < before) {
      findings_.Add(node.line, "BACKWARDS",
                    absl::StrCat("step: found ", FormatInstant(at_, suite_.zone), ", want at least ",
                                 FormatInstant(before, suite_.zone), ", when the step before is"));
    }
    step.as = reader.Text("as", Syntax::kId);
    CheckPrincipal(step.as, reader.LineOf("as"));
    if (step.as.empty()) step.as = as;
    step.approver = reader.Text("approver", Syntax::kId);
    step.evidence = reader.Text("evidence", Syntax::kText);
    if (reader.Has("occurred_at")) step.occurred_at = Instant(reader, "occurred_at", at_);
    ReadCommand(reader, &step);
    ReadId(reader, &step);
    if (const YamlNode* expect = reader.Find("expect")) {
      step.expect = ReadExpectation(*expect, at_, suite_.zone, &findings_);
    }
    reader.Finish();
    return step;
  }

  void ReadId(MapReader& reader, Step* step) {
    step->id = reader.Text("id", Syntax::kId);
    if (step->id.empty()) return;
    if (!revisions_.emplace(step->id, 1).second) {
      findings_.Add(reader.LineOf("id"), "DUPLICATE_ID",
                    absl::StrCat("step.id: found ", step->id, " again, want each once"));
    }
  }

  void ReadCommand(MapReader& reader, Step* step) {
    for (int i = 0; i < Commands().field_count(); ++i) {
      const auto& field = *Commands().field(i);
      if (field.number() == v1::Command::kAdvanceFieldNumber) continue;
      const YamlNode* body = reader.Find(field.name());
      if (body == nullptr) continue;
      if (!step->command.empty()) {
        findings_.Add(reader.LineOf(field.name()), "TWO_COMMANDS",
                      absl::StrCat("step: found ", field.name(), " and ", step->command, ", want one command"));
        continue;
      }
      step->command = field.name();
      step->body = *body;
      v1::Command command;
      const CommandContext context{.at = step->at, .zone = suite_.zone, .revisions = &revisions_};
      ReadMessage(*body, field.name(), context, command.GetReflection()->MutableMessage(&command, &field), &findings_);
    }
  }

  const PackSource& packs_;
  Suite suite_;
  policy::Findings findings_;
  absl::Time now_ = absl::UnixEpoch();
  std::string as_;
  absl::Time at_;
  std::map<std::string, uint32_t> revisions_;  // of the steps named so far; the numbers come when it is run
};

}  // namespace

Suite ReadSuite(const std::string& file, absl::string_view text, const PackSource& packs) {
  return SuiteReader(file, packs).Read(text);
}

}  // namespace docket::policytest
