#ifndef DOCKET_WORKFLOW_POLICY_YAML_TREE_H_
#define DOCKET_WORKFLOW_POLICY_YAML_TREE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "workflow/policy/findings.h"

// One YAML document as a tree that knows the line of every node. A subset on purpose: anchors, aliases and tags are
// refused, for an alias hides a whole tree behind a word and can make a small file huge.
namespace docket::policy {

inline constexpr size_t kMaxYamlDepth = 40;
// The most keys of one map: twice the exceptions a calendar may have.
inline constexpr size_t kMaxYamlKeys = 4096;

struct YamlEntry;
struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  int line = 0;                    // from 1, in the whole file
  std::string text;                // kScalar
  std::vector<YamlNode> items;     // kList
  std::vector<YamlEntry> entries;  // kMap, in order; keys are distinct scalars

  bool is_scalar() const { return kind == Kind::kScalar; }
  bool is_list() const { return kind == Kind::kList; }
  bool is_map() const { return kind == Kind::kMap; }
  // "a list", "the text \"x\"": for messages.
  std::string Describe() const;
};
struct YamlEntry {
  std::string key;
  int line = 0;  // of the key
  YamlNode value;
};

// The tree of the one document in `text`, whose first line is `first_line` of the file. False when there is nothing in
// it but comments, or when it is not well formed: then a finding says so.
bool ParseYaml(absl::string_view text, int first_line, YamlNode* root, Findings* findings);

// Line (from 1) of the first byte that no pack may hold: not UTF-8, or a control character other than tab, line feed
// and carriage return. 0: none.
int FirstBadByteLine(absl::string_view text);

}  // namespace docket::policy

#endif  // DOCKET_WORKFLOW_POLICY_YAML_TREE_H_
