#include "workflow/policy/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cstdint>
#include <sstream>

#include "absl/strings/str_cat.h"

namespace docket::policy {
namespace {

// Builds the tree from the parser's events, which come in document order. After the first thing refused, the rest is
// skipped: what follows would only be noise.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(int first_line, YamlNode* root, Findings* findings)
      : first_line_(first_line), root_(root), findings_(findings) {}

  bool failed() const { return failed_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Leaf(mark, "", anchor, YamlNode::Kind::kNull, "");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { Refuse(mark, "YAML_ALIAS", "an alias"); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Leaf(mark, tag, anchor, YamlNode::Kind::kScalar, value);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, YamlNode::Kind::kList);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, YamlNode::Kind::kMap);
  }
  void OnMapEnd() override { Close(); }

 private:
  int Line(const YAML::Mark& mark) const { return first_line_ + std::max(mark.line, 0); }

  void Refuse(const YAML::Mark& mark, absl::string_view reason, absl::string_view what) {
    if (!failed_)
      findings_->Add(Line(mark), reason, absl::StrCat("found ", what, ", want plain maps, lists and values"));
    failed_ = true;
  }

  // Where the next node goes. Null: it is a key, or the builder has failed.
  YamlNode* Place(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const YamlNode& node) {
    if (anchor != 0) Refuse(mark, "YAML_ALIAS", "an anchor");
    if (!tag.empty() && tag != "?" && tag != "!") Refuse(mark, "YAML_TAG", absl::StrCat("the tag ", tag));
    if (failed_) return nullptr;
    if (open_.empty()) {
      *root_ = node;
      return root_;
    }
    YamlNode& parent = *open_.back();
    if (parent.is_list()) {
      parent.items.push_back(node);
      return &parent.items.back();
    }
    if (!parent_waits_for_value_.back()) {
      AddKey(mark, &parent, node);
      return nullptr;
    }
    parent_waits_for_value_.back() = false;
    const int key_line = parent.entries.back().line;
    parent.entries.back().value = node;
    // The parser notices that a value is missing only at what follows, perhaps lines later.
    if (node.kind == YamlNode::Kind::kNull) parent.entries.back().value.line = key_line;
    return &parent.entries.back().value;
  }

  void AddKey(const YAML::Mark& mark, YamlNode* parent, const YamlNode& node) {
    if (!node.is_scalar()) {
      Refuse(mark, "YAML_SYNTAX", absl::StrCat(node.Describe(), " as a key"));
      return;
    }
    if (parent->entries.size() >= kMaxYamlKeys) {
      Refuse(mark, "TOO_MANY", absl::StrCat("a map of more than ", kMaxYamlKeys, " keys"));
      return;
    }
    for (const YamlEntry& entry : parent->entries) {
      if (entry.key != node.text) continue;
      findings_->Add(
          Line(mark), "DUPLICATE_KEY",
          absl::StrCat("found \"", node.text, "\" again, want each key once; the first is on line ", entry.line));
      break;
    }
    parent->entries.push_back({.key = node.text, .line = Line(mark), .value = {}});
    parent->entries.back().value.line = Line(mark);
    parent_waits_for_value_.back() = true;
  }

  void Leaf(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YamlNode::Kind kind,
            const std::string& text) {
    Place(mark, tag, anchor, {.kind = kind, .line = Line(mark), .text = text, .items = {}, .entries = {}});
  }

  void Open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YamlNode::Kind kind) {
    if (open_.size() >= kMaxYamlDepth) {
      Refuse(mark, "YAML_TOO_DEEP", absl::StrCat("more than ", kMaxYamlDepth, " levels"));
    }
    YamlNode* node =
        Place(mark, tag, anchor, {.kind = kind, .line = Line(mark), .text = {}, .items = {}, .entries = {}});
    if (failed_) return;
    open_.push_back(node);
    parent_waits_for_value_.push_back(false);
  }

  void Close() {
    if (failed_) return;
    open_.pop_back();
    parent_waits_for_value_.pop_back();
  }

  const int first_line_;
  YamlNode* const root_;
  Findings* const findings_;
  // Containers not yet closed, outermost first. A container is only appended to while it is the last, so the addresses
  // of those before it stay valid.
  std::vector<YamlNode*> open_;
  std::vector<bool> parent_waits_for_value_;
  bool failed_ = false;
};

// Length of the UTF-8 sequence at the front of `text`; 0: malformed (RFC 3629: no surrogates, nothing overlong).
size_t SequenceLength(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                        : (first & 0xF0) == 0xE0         ? 3
                        : first >= 0xF0 && first <= 0xF4 ? 4
                                                         : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (first == 0xE0 && byte(1) < 0xA0) return 0;
  if (first == 0xED && byte(1) > 0x9F) return 0;
  if (first == 0xF0 && byte(1) < 0x90) return 0;
  if (first == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

}  // namespace

std::string YamlNode::Describe() const {
  switch (kind) {
    case Kind::kNull:
      return "nothing";
    case Kind::kScalar:
      return absl::StrCat("the text \"", text.substr(0, 80), "\"");
    case Kind::kList:
      return "a list";
    case Kind::kMap:
      return "a map";
  }
  return "nothing";
}

bool ParseYaml(absl::string_view text, int first_line, YamlNode* root, Findings* findings) {
  std::istringstream stream{std::string(text)};
  TreeBuilder builder(first_line, root, findings);
  // The library reports malformed input by throwing; nothing thrown leaves this function.
  try {
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) return false;
    if (builder.failed()) return false;
    YamlNode more;
    TreeBuilder rest(first_line, &more, findings);
    if (parser.HandleNextDocument(rest)) {
      findings->Add(first_line, "YAML_SYNTAX", "found a second document, want documents separated by lines of ---");
      return false;
    }
  } catch (const YAML::Exception& error) {
    if (builder.failed()) return false;  // what comes after what was refused is of no interest
    findings->Add(first_line + std::max(error.mark.line, 0), "YAML_SYNTAX",
                  absl::StrCat("found ", error.msg, ", want YAML"));
    return false;
  }
  return true;
}

int FirstBadByteLine(absl::string_view text) {
  int line = 1;
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    const uint8_t first = static_cast<uint8_t>(text[0]);
    const bool control = (first < 0x20 && first != '\t' && first != '\n' && first != '\r') || first == 0x7F;
    if (length == 0 || control) return line;
    if (first == '\n') ++line;
    text.remove_prefix(length);
  }
  return 0;
}

}  // namespace docket::policy
