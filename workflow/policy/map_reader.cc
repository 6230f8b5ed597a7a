#include "workflow/policy/map_reader.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "workflow/policy/nearest.h"

namespace docket::policy {

bool HasSyntax(absl::string_view text, Syntax syntax) {
  if (text.empty()) return false;
  if (syntax == Syntax::kText) return text.size() <= kMaxTextBytes;
  if (text.size() > kMaxIdBytes) return false;
  if (syntax == Syntax::kCode && !absl::ascii_isupper(text[0])) return false;
  if (syntax == Syntax::kSnake && !absl::ascii_islower(text[0])) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    if (absl::ascii_isdigit(c)) return true;
    if (syntax == Syntax::kCode) return absl::ascii_isupper(c) || c == '_';
    if (absl::ascii_islower(c) || c == '_') return true;
    return syntax == Syntax::kId && (c == '.' || c == '-');
  });
}

std::string DescribeSyntax(Syntax syntax) {
  switch (syntax) {
    case Syntax::kText:
      return absl::StrCat("1..", kMaxTextBytes, " bytes of text");
    case Syntax::kId:
      return absl::StrCat("1..", kMaxIdBytes, " of a-z 0-9 . _ -");
    case Syntax::kCode:
      return absl::StrCat("UPPER_SNAKE of 1..", kMaxIdBytes);
    case Syntax::kSnake:
      return absl::StrCat("lower_snake of 1..", kMaxIdBytes);
  }
  return "";
}

absl::StatusOr<absl::Duration> ParseSpan(absl::string_view text) {
  const auto bad = [&] {
    return absl::InvalidArgumentError(absl::StrCat(
        "found \"", text.substr(0, 80), "\", want a span of 1s to 3660d such as 90s, 45m, 1h30m, 14d or 8w"));
  };
  absl::Duration sum;
  absl::string_view rest = text;
  int64_t last_unit_s = INT64_MAX;
  while (!rest.empty()) {
    const size_t digits = std::find_if_not(rest.begin(), rest.end(), absl::ascii_isdigit) - rest.begin();
    int64_t count = 0;
    // Nine digits of weeks still fit 64 bits of seconds.
    if (digits == 0 || digits > 9 || digits == rest.size() || !absl::SimpleAtoi(rest.substr(0, digits), &count))
      return bad();
    int64_t unit_s = 0;
    switch (rest[digits]) {
      case 's':
        unit_s = 1;
        break;
      case 'm':
        unit_s = 60;
        break;
      case 'h':
        unit_s = 3600;
        break;
      case 'd':
        unit_s = 86400;
        break;
      case 'w':
        unit_s = 7 * 86400;
        break;
      default:
        return bad();
    }
    if (unit_s >= last_unit_s) return bad();  // each unit once, largest first
    last_unit_s = unit_s;
    sum += absl::Seconds(count * unit_s);
    rest.remove_prefix(digits + 1);
  }
  if (sum <= absl::ZeroDuration() || sum > kMaxSpan) return bad();
  return sum;
}

std::string Suggest(absl::string_view name, const std::vector<std::string>& candidates) {
  return NearestHint(name, candidates);
}

std::optional<std::string> ReadText(const YamlNode& node, absl::string_view what, Syntax syntax, Findings* findings) {
  if (!node.is_scalar()) {
    findings->Add(node.line, "WRONG_TYPE",
                  absl::StrCat(what, ": found ", node.Describe(), ", want ", DescribeSyntax(syntax)));
    return std::nullopt;
  }
  if (HasSyntax(node.text, syntax)) return node.text;
  const bool long_text = node.text.size() > (syntax == Syntax::kText ? kMaxTextBytes : kMaxIdBytes);
  findings->Add(
      node.line, long_text ? "TOO_LONG" : "BAD_NAME",
      absl::StrCat(what, ": found ", node.Describe(), long_text ? absl::StrCat(" of ", node.text.size(), " bytes") : "",
                   ", want ", DescribeSyntax(syntax)));
  return std::nullopt;
}

std::optional<int64_t> ReadInt(const YamlNode& node, absl::string_view what, int64_t min, int64_t max,
                               Findings* findings) {
  int64_t number = 0;
  if (!node.is_scalar() || !absl::SimpleAtoi(node.text, &number)) {
    findings->Add(node.line, "WRONG_TYPE", absl::StrCat(what, ": found ", node.Describe(), ", want a whole number"));
    return std::nullopt;
  }
  if (number < min || number > max) {
    findings->Add(node.line, "OUT_OF_RANGE", absl::StrCat(what, ": found ", number, ", want ", min, "..", max));
    return std::nullopt;
  }
  return number;
}

int ReadEnum(const YamlNode& node, absl::string_view what, const google::protobuf::EnumDescriptor& type,
             Findings* findings) {
  std::vector<std::string> names;
  for (int i = 0; i < type.value_count(); ++i) {
    if (type.value(i)->number() != 0) names.push_back(type.value(i)->name());
  }
  if (!node.is_scalar()) {
    findings->Add(node.line, "WRONG_TYPE",
                  absl::StrCat(what, ": found ", node.Describe(), ", want a value of ", type.name()));
    return 0;
  }
  const auto* value = type.FindValueByName(node.text);
  if (value == nullptr || value->number() == 0) {
    findings->Add(
        node.line, "UNKNOWN_VALUE",
        absl::StrCat(what, ": found ", node.Describe(), ", want a value of ", type.name(), Suggest(node.text, names)));
    return 0;
  }
  return value->number();
}

MapReader::MapReader(const YamlNode& node, std::string what, Findings* findings)
    : node_(node), what_(std::move(what)), findings_(findings) {
  if (!node.is_map()) {
    findings_->Add(node.line, "WRONG_TYPE", absl::StrCat(what_, ": found ", node.Describe(), ", want a map of keys"));
  }
}

bool MapReader::Has(absl::string_view key) const {
  return std::any_of(node_.entries.begin(), node_.entries.end(),
                     [&](const YamlEntry& entry) { return entry.key == key; });
}

int MapReader::LineOf(absl::string_view key) const {
  for (const YamlEntry& entry : node_.entries) {
    if (entry.key == key) return entry.line;
  }
  return node_.line;
}

const YamlNode* MapReader::Find(absl::string_view key, Need need) {
  known_.emplace_back(key);
  for (const YamlEntry& entry : node_.entries) {
    if (entry.key == key) return &entry.value;
  }
  if (need == Need::kRequired && node_.is_map()) {
    findings_->Add(node_.line, "MISSING_KEY", absl::StrCat(what_, ": found no key \"", key, "\", want one"));
  }
  return nullptr;
}

void MapReader::Wrong(const YamlNode& node, absl::string_view key, absl::string_view wanted) {
  findings_->Add(node.line, "WRONG_TYPE",
                 absl::StrCat(what_, ".", key, ": found ", node.Describe(), ", want ", wanted));
}

std::string MapReader::Text(absl::string_view key, Syntax syntax, Need need) {
  const YamlNode* node = Find(key, need);
  if (node == nullptr) return "";
  return ReadText(*node, absl::StrCat(what_, ".", key), syntax, findings_).value_or("");
}

bool MapReader::Bool(absl::string_view key, bool otherwise) {
  const YamlNode* node = Find(key);
  if (node == nullptr) return otherwise;
  if (node->is_scalar() && (node->text == "true" || node->text == "false")) return node->text == "true";
  Wrong(*node, key, "true or false");
  return otherwise;
}

int64_t MapReader::Int(absl::string_view key, int64_t min, int64_t max, int64_t otherwise, Need need) {
  const YamlNode* node = Find(key, need);
  if (node == nullptr) return otherwise;
  return ReadInt(*node, absl::StrCat(what_, ".", key), min, max, findings_).value_or(otherwise);
}

std::optional<absl::Duration> MapReader::Span(absl::string_view key, Need need) {
  const YamlNode* node = Find(key, need);
  if (node == nullptr) return std::nullopt;
  if (!node->is_scalar()) {
    Wrong(*node, key, "a span such as 90s, 1h30m or 14d");
    return std::nullopt;
  }
  const auto span = ParseSpan(node->text);
  if (!span.ok()) {
    findings_->Add(node->line, "BAD_SPAN", absl::StrCat(what_, ".", key, ": ", span.status().message()));
    return std::nullopt;
  }
  return *span;
}

int MapReader::Enum(absl::string_view key, const google::protobuf::EnumDescriptor& type, Need need) {
  const YamlNode* node = Find(key, need);
  return node == nullptr ? 0 : ReadEnum(*node, absl::StrCat(what_, ".", key), type, findings_);
}

const std::vector<YamlNode>& MapReader::List(absl::string_view key, size_t max, Need need) {
  static const std::vector<YamlNode>* const kNone = new std::vector<YamlNode>();
  const YamlNode* node = Find(key, need);
  if (node == nullptr) return *kNone;
  if (!node->is_list()) {
    Wrong(*node, key, "a list");
    return *kNone;
  }
  if (node->items.size() > max) {
    findings_->Add(node->line, "TOO_MANY",
                   absl::StrCat(what_, ".", key, ": found ", node->items.size(), " elements, want at most ", max));
    return *kNone;
  }
  if (node->items.empty() && need == Need::kRequired) {
    findings_->Add(node->line, "EMPTY_LIST",
                   absl::StrCat(what_, ".", key, ": found an empty list, want at least one element"));
  }
  return node->items;
}

std::vector<Word> MapReader::Texts(absl::string_view key, Syntax syntax, size_t max, Need need) {
  std::vector<Word> words;
  for (const YamlNode& item : List(key, max, need)) {
    std::optional<std::string> text = ReadText(item, absl::StrCat(what_, ".", key), syntax, findings_);
    if (!text.has_value()) continue;
    if (std::any_of(words.begin(), words.end(), [&](const Word& word) { return word.text == *text; })) {
      findings_->Add(item.line, "DUPLICATE_VALUE",
                     absl::StrCat(what_, ".", key, ": found ", *text, " again, want it once"));
      continue;
    }
    words.push_back({.text = *std::move(text), .line = item.line});
  }
  return words;
}

v1::Condition MapReader::When(absl::string_view key, const FactCatalogue& catalogue, Need need) {
  const YamlNode* node = Find(key, need);
  return node == nullptr ? v1::Condition() : ReadCondition(*node, catalogue, findings_);
}

void MapReader::Finish() {
  for (const YamlEntry& entry : node_.entries) {
    if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) continue;
    findings_->Add(entry.line, "UNKNOWN_KEY",
                   absl::StrCat(what_, ": found the key \"", entry.key.substr(0, 80), "\", want a known one",
                                Suggest(entry.key, known_)));
  }
}

}  // namespace docket::policy
