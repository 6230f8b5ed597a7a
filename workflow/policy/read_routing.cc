#include "docket/v1/case.pb.h"
#include "workflow/policy/documents.h"

namespace docket::policy {
namespace {

constexpr size_t kMaxRules = 256;
constexpr size_t kMaxSkills = 16;

}  // namespace

void ReadRouting(MapReader& reader, ParsedDocument* document, Findings* findings) {
  v1::Routing& routing = *document->compiled.mutable_routing();
  routing.set_order(static_cast<int32_t>(reader.Int("order", 0, 1'000'000, 100)));
  const FactCatalogue facts{.case_facts = v1::CaseFacts::descriptor(), .command = nullptr, .event = nullptr};
  bool matched_always = false;
  for (const YamlNode& node : reader.List("rules", kMaxRules, Need::kRequired)) {
    MapReader one(node, "rule", findings);
    v1::Routing::Rule& rule = *routing.add_rules();
    if (matched_always) {
      findings->Add(node.line, "UNREACHABLE_RULE", "rule: found after one without when, want it before that");
    }
    if (one.Has("when")) {
      *rule.mutable_when() = one.When("when", facts);
    } else {
      matched_always = true;
    }
    rule.set_queue(one.Text("queue", Syntax::kId, Need::kRequired));
    if (!rule.queue().empty()) {
      document->references.push_back({.to = Reference::To::kQueue, .id = rule.queue(), .line = one.LineOf("queue")});
    }
    for (Word& skill : one.Texts("skills", Syntax::kCode, kMaxSkills)) rule.add_skills(std::move(skill.text));
    one.Finish();
  }
}

}  // namespace docket::policy
