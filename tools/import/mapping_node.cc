#include "tools/import/mapping_node.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "workflow/base/check.h"

namespace docket::import_tool {

absl::StatusOr<MappingNode> MappingNode::Parse(absl::string_view yaml, const std::string& path) {
  // yaml-cpp reports by exception only; this is the one place that meets them.
  try {
    MappingNode root(YAML::Load(std::string(yaml)), path);
    if (!root.is_map()) return absl::InvalidArgumentError(absl::StrCat(path, ":1: want a map of keys"));
    return root;
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(absl::StrCat(path, ":", error.mark.line + 1, ": ", error.msg));
  }
}

absl::Status MappingNode::Error(absl::string_view what) const {
  return absl::InvalidArgumentError(absl::StrCat(path_, ":", line(), ": ", what));
}

absl::Status MappingNode::AllowKeys(const std::vector<absl::string_view>& keys) const {
  DOCKET_ASSIGN_OR_RETURN(const auto entries, Entries());
  for (const auto& [key, value] : entries) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      return value.Error(absl::StrCat("unknown key \"", key, "\", want one of ", absl::StrJoin(keys, ", ")));
    }
  }
  return absl::OkStatus();
}

std::optional<MappingNode> MappingNode::Find(absl::string_view key) const {
  for (const auto& entry : node_) {
    if (entry.first.IsScalar() && entry.first.Scalar() == std::string(key)) return MappingNode(entry.second, path_);
  }
  return std::nullopt;
}

absl::StatusOr<MappingNode> MappingNode::Required(absl::string_view key) const {
  std::optional<MappingNode> found = Find(key);
  if (!found.has_value()) return Error(absl::StrCat("want the key \"", key, "\""));
  return *std::move(found);
}

absl::StatusOr<std::string> MappingNode::Text() const {
  if (!node_.IsScalar()) return Error("want a text");
  return node_.Scalar();
}

absl::StatusOr<bool> MappingNode::Boolean() const {
  const absl::StatusOr<std::string> text = OneOf({"true", "false"});
  DOCKET_RETURN_IF_ERROR(text.status());
  return *text == "true";
}

absl::StatusOr<std::string> MappingNode::OneOf(const std::vector<absl::string_view>& values) const {
  DOCKET_ASSIGN_OR_RETURN(const std::string text, Text());
  if (std::find(values.begin(), values.end(), text) == values.end()) {
    return Error(absl::StrCat("\"", text, "\", want ", absl::StrJoin(values, " or ")));
  }
  return text;
}

absl::StatusOr<std::vector<std::string>> MappingNode::Texts() const {
  std::vector<std::string> texts;
  if (node_.IsScalar()) return std::vector<std::string>{node_.Scalar()};
  DOCKET_ASSIGN_OR_RETURN(const std::vector<MappingNode> elements, Elements());
  for (const MappingNode& element : elements) {
    DOCKET_ASSIGN_OR_RETURN(std::string text, element.Text());
    texts.push_back(std::move(text));
  }
  return texts;
}

absl::StatusOr<std::vector<MappingNode>> MappingNode::Elements() const {
  if (!node_.IsSequence()) return Error("want a list");
  std::vector<MappingNode> elements;
  for (const auto& element : node_) elements.push_back(MappingNode(element, path_));
  return elements;
}

absl::StatusOr<std::vector<std::pair<std::string, MappingNode>>> MappingNode::Entries() const {
  if (!node_.IsMap()) return Error("want a map of keys");
  std::vector<std::pair<std::string, MappingNode>> entries;
  std::set<std::string> seen;
  for (const auto& entry : node_) {
    if (!entry.first.IsScalar()) return Error("want texts as keys");
    const std::string& key = entry.first.Scalar();
    if (!seen.insert(key).second) {
      return MappingNode(entry.first, path_).Error(absl::StrCat("key \"", key, "\" twice"));
    }
    entries.emplace_back(key, MappingNode(entry.second, path_));
  }
  return entries;
}

}  // namespace docket::import_tool
