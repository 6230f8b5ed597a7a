#include "absl/strings/str_cat.h"
#include "workflow/policy/documents.h"

namespace docket::policy {
namespace {

constexpr size_t kScale = 3;  // impact and urgency are 1 (high) to 3

}  // namespace

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
