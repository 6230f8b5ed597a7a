#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "workflow/policy/map_reader.h"

// The YAML of conditions:
//   {fact: case.priority, le: 2}      one comparison; eq ne lt le gt ge in empty not_empty
//   {case.priority: 2}                short for eq; a list as value means in; several pairs must all hold
//   {all: [...]}  {any: [...]}  {not: {...}}
namespace docket::policy {
namespace {

constexpr size_t kMaxParts = 64;

constexpr std::pair<absl::string_view, v1::Condition::Operator> kOperators[] = {
    {"eq", v1::Condition::EQ}, {"ne", v1::Condition::NE},       {"lt", v1::Condition::LT},
    {"le", v1::Condition::LE}, {"gt", v1::Condition::GT},       {"ge", v1::Condition::GE},
    {"in", v1::Condition::IN}, {"empty", v1::Condition::EMPTY}, {"not_empty", v1::Condition::NOT_EMPTY}};

class ConditionReader {
 public:
  ConditionReader(const FactCatalogue& catalogue, Findings* findings) : catalogue_(catalogue), findings_(findings) {}

  v1::Condition Read(const YamlNode& node) {
    v1::Condition condition;
    if (!node.is_map() || node.entries.empty()) {
      findings_->Add(node.line, "BAD_CONDITION",
                     absl::StrCat("condition: found ", node.is_map() ? "an empty map" : node.Describe(),
                                  ", want {fact: case.x, eq: y}, {all: [...]}, {any: [...]} or {not: {...}}"));
      return condition;
    }
    const std::string& first = node.entries[0].key;
    if (first == "all" || first == "any" || first == "not") {
      if (node.entries.size() > 1) Extra(node.entries[1], absl::StrCat("nothing beside \"", first, "\""));
      if (first == "not") {
        *condition.mutable_not_() = Read(node.entries[0].value);
      } else {
        ReadList(node.entries[0], first == "all" ? condition.mutable_all() : condition.mutable_any());
      }
      return condition;
    }
    const bool has_dot = absl::StrContains(first, '.');
    return has_dot ? ReadShort(node) : ReadLong(node);
  }

 private:
  void Extra(const YamlEntry& entry, absl::string_view wanted) {
    findings_->Add(entry.line, "UNKNOWN_KEY",
                   absl::StrCat("condition: found the key \"", entry.key.substr(0, 80), "\", want ", wanted));
  }

  void ReadList(const YamlEntry& entry, v1::Condition::List* list) {
    if (!entry.value.is_list() || entry.value.items.empty() || entry.value.items.size() > kMaxParts) {
      findings_->Add(entry.value.line, "BAD_CONDITION",
                     absl::StrCat("condition.", entry.key, ": found ", entry.value.Describe(), ", want a list of 1..",
                                  kMaxParts, " conditions"));
      return;
    }
    for (const YamlNode& item : entry.value.items) *list->add_of() = Read(item);
  }

  v1::Condition ReadShort(const YamlNode& node) {
    v1::Condition all;
    for (const YamlEntry& entry : node.entries) {
      if (!absl::StrContains(entry.key, '.')) {
        Extra(entry, "only facts beside a fact");
        continue;
      }
      v1::Condition* part = all.mutable_all()->add_of();
      v1::Condition::Comparison* comparison = part->mutable_comparison();
      comparison->set_fact(entry.key);
      comparison->set_op(entry.value.is_list() ? v1::Condition::IN : v1::Condition::EQ);
      if (AddValues(entry.value, comparison)) CheckLeaf(entry.line, *part);
    }
    if (all.all().of_size() != 1) return all;
    v1::Condition only = all.all().of(0);
    return only;
  }

  v1::Condition ReadLong(const YamlNode& node) {
    v1::Condition condition;
    MapReader reader(node, "condition", findings_);
    v1::Condition::Comparison* comparison = condition.mutable_comparison();
    comparison->set_fact(reader.Text("fact", Syntax::kText, Need::kRequired));
    int operators = 0;
    bool readable = false;
    for (const auto& [name, op] : kOperators) {
      const YamlNode* value = reader.Find(name);
      if (value == nullptr) continue;
      if (++operators > 1) continue;
      readable = ReadOperator(name, op, *value, comparison);
    }
    const size_t before = findings_->size();
    reader.Finish();
    if (operators != 1 && findings_->size() == before) {
      findings_->Add(node.line, "BAD_CONDITION",
                     absl::StrCat("condition: found ", operators,
                                  " operators, want one of eq, ne, lt, le, gt, ge, in, empty, not_empty"));
    }
    if (operators == 1 && readable && !comparison->fact().empty()) CheckLeaf(node.line, condition);
    return condition;
  }

  // False: a finding has been made, and there is nothing left to check.
  bool ReadOperator(absl::string_view name, v1::Condition::Operator op, const YamlNode& value,
                    v1::Condition::Comparison* comparison) {
    const auto wrong = [&](absl::string_view wanted) {
      findings_->Add(value.line, "WRONG_TYPE",
                     absl::StrCat("condition.", name, ": found ", value.Describe(), ", want ", wanted));
      return false;
    };
    comparison->set_op(op);
    if (op == v1::Condition::EMPTY || op == v1::Condition::NOT_EMPTY) {
      if (!value.is_scalar() || (value.text != "true" && value.text != "false")) return wrong("true or false");
      if (value.text == "false") {
        comparison->set_op(op == v1::Condition::EMPTY ? v1::Condition::NOT_EMPTY : v1::Condition::EMPTY);
      }
      return true;
    }
    if (op == v1::Condition::IN && !value.is_list()) return wrong("a list");
    if (op != v1::Condition::IN && !value.is_scalar()) return wrong("one value");
    return AddValues(value, comparison);
  }

  bool AddValues(const YamlNode& value, v1::Condition::Comparison* comparison) {
    const auto fits = [](const YamlNode& node) { return node.is_scalar() && node.text.size() <= kMaxTextBytes; };
    if (fits(value)) {
      comparison->add_values(value.text);
      return true;
    }
    if (!value.is_list() || value.items.empty() || value.items.size() > kMaxParts) {
      findings_->Add(value.line, "WRONG_TYPE",
                     absl::StrCat("condition: found ", value.Describe(), ", want a value of at most ", kMaxTextBytes,
                                  " bytes or a list of 1..", kMaxParts));
      return false;
    }
    for (const YamlNode& item : value.items) {
      if (!fits(item)) {
        findings_->Add(item.line, "WRONG_TYPE", absl::StrCat("condition: found ", item.Describe(), ", want a value"));
        return false;
      }
      comparison->add_values(item.text);
    }
    return true;
  }

  void CheckLeaf(int line, const v1::Condition& leaf) {
    const absl::Status status = CheckCondition(leaf, catalogue_);
    if (!status.ok()) findings_->Add(line, status, "BAD_CONDITION");
  }

  const FactCatalogue catalogue_;
  Findings* const findings_;
};

}  // namespace

v1::Condition ReadCondition(const YamlNode& node, const FactCatalogue& catalogue, Findings* findings) {
  const size_t before = findings->size();
  v1::Condition condition = ConditionReader(catalogue, findings).Read(node);
  if (findings->size() == before) {
    const absl::Status status = CheckCondition(condition, catalogue);
    if (!status.ok()) findings->Add(node.line, status, "BAD_CONDITION");
  }
  return condition;
}

}  // namespace docket::policy
