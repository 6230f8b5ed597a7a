#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "docket/v1/case.pb.h"
#include "workflow/base/time.h"
#include "workflow/policy/documents.h"

namespace docket::policy {
namespace {

constexpr size_t kMaxLevels = 32;
constexpr size_t kMaxMetrics = 32;
constexpr size_t kScale = 3;  // impact and urgency are 1 (high) to 3

const FactCatalogue& CaseFactsOnly() {
  static const auto* const catalogue =
      new FactCatalogue{.case_facts = v1::CaseFacts::descriptor(), .command = nullptr, .event = nullptr};
  return *catalogue;
}

std::string ReadOneOf(MapReader& reader, const std::string& key, const std::vector<std::string>& known,
                      Findings* findings) {
  std::string text = reader.Text(key, Syntax::kCode, Need::kRequired);
  if (!text.empty() && std::find(known.begin(), known.end(), text) == known.end()) {
    findings->Add(reader.LineOf(key), "UNKNOWN_VALUE",
                  absl::StrCat("level.", key, ": found ", text, ", want a known one", Suggest(text, known)));
  }
  return text;
}

void ReadLevel(const YamlNode& node, v1::Ladder* ladder, ParsedDocument* document, Findings* findings) {
  MapReader reader(node, "level", findings);
  v1::Ladder::Level& level = *ladder->add_levels();
  level.set_level(static_cast<uint32_t>(reader.Int("level", 1, kMaxLevels, 0, Need::kRequired)));
  level.set_kind(
      static_cast<v1::EscalationKind>(reader.Enum("kind", *v1::EscalationKind_descriptor(), Need::kRequired)));
  level.set_trigger(ReadOneOf(reader, "trigger", {"BREACH", "MANUAL"}, findings));
  for (const Word& word : reader.Texts("metrics", Syntax::kCode, kMaxMetrics)) {
    level.add_metrics(word.text);
    document->metric_uses.push_back({.what = "level.metrics", .metric = word.text, .line = word.line});
  }
  if (level.trigger() == "MANUAL" && !level.metrics().empty()) {
    findings->Add(reader.LineOf("metrics"), "MANUAL_WITH_METRICS",
                  "level.metrics: found with MANUAL, want only with BREACH");
  }
  *level.mutable_when() = reader.When("when", CaseFactsOnly());
  level.set_target(ReadOneOf(reader, "target", {"QUEUE_LEAD", "DEPARTMENT_LEAD", "OWNER_MANAGER"}, findings));
  if (const auto span = reader.Span("ack_within")) *level.mutable_ack_within() = ToProto(*span);
  level.set_calendar(reader.Text("calendar", Syntax::kId));
  if (!level.calendar().empty()) {
    document->references.push_back(
        {.to = Reference::To::kCalendar, .id = level.calendar(), .line = reader.LineOf("calendar")});
    if (!level.has_ack_within()) {
      findings->Add(reader.LineOf("calendar"), "CALENDAR_WITHOUT_ACK",
                    "level.calendar: found without ack_within, want both");
    }
  }
  reader.Finish();
}

// Levels of one trigger are climbed in the order written, so they may not go down, and the climb begins at 1. A breach
// fires each level once whatever its kind; somebody who escalates by hand says which kind is wanted.
void CheckOrder(const v1::Ladder& ladder, const std::vector<int>& lines, Findings* findings) {
  std::map<std::string, uint32_t> highest;  // by trigger
  std::map<std::pair<std::string, int>, uint32_t> last_of_kind;
  for (int i = 0; i < ladder.levels_size(); ++i) {
    const v1::Ladder::Level& level = ladder.levels(i);
    if (level.level() == 0 || level.trigger().empty()) continue;
    uint32_t& top = highest[level.trigger()];
    uint32_t& last = last_of_kind[{level.trigger(), level.trigger() == "MANUAL" ? static_cast<int>(level.kind()) : 0}];
    if (level.level() < top || level.level() > top + 1 || level.level() == last) {
      findings->Add(lines[i], "LEVELS_NOT_ASCENDING",
                    absl::StrCat("level ", level.level(), " of ", level.trigger(), " after ", top,
                                 ": want levels from 1 without gaps, each once (by hand: once per kind)"));
    }
    top = std::max(top, level.level());
    last = level.level();
  }
}

}  // namespace

void ReadLadder(MapReader& reader, ParsedDocument* document, Findings* findings) {
  v1::Ladder* ladder = document->compiled.mutable_ladder();
  *ladder->mutable_when() = reader.When("when", CaseFactsOnly());
  std::vector<int> lines;
  for (const YamlNode& node : reader.List("levels", kMaxLevels, Need::kRequired)) {
    lines.push_back(node.line);
    ReadLevel(node, ladder, document, findings);
  }
  CheckOrder(*ladder, lines, findings);
}

void ReadMatrix(MapReader& reader, ParsedDocument* document, Findings* findings) {
  v1::PriorityMatrix* matrix = document->compiled.mutable_matrix();
  for (v1::CaseKind kind : ReadKinds(reader, Need::kOptional, findings)) matrix->add_kinds(kind);
  const YamlNode* impact = reader.Find("impact", Need::kRequired);
  if (impact == nullptr) return;
  const auto is_triple = [](const YamlNode& node) { return node.is_list() && node.items.size() == kScale; };
  if (!is_triple(*impact)) {
    findings->Add(impact->line, "NOT_3_BY_3",
                  absl::StrCat("priority_matrix.impact: found ", impact->Describe(), " of ", impact->items.size(),
                               ", want three rows of three priorities"));
    return;
  }
  for (const YamlNode& row : impact->items) {
    if (!is_triple(row)) {
      findings->Add(row.line, "NOT_3_BY_3",
                    absl::StrCat("priority_matrix.impact: found ", row.Describe(), " of ", row.items.size(),
                                 ", want three priorities by urgency"));
      continue;
    }
    v1::PriorityMatrix::Row* out = matrix->add_impact();
    for (const YamlNode& cell : row.items) {
      out->add_priority(static_cast<uint32_t>(ReadInt(cell, "priority_matrix.impact", 1, 5, findings).value_or(0)));
    }
  }
}

}  // namespace docket::policy
