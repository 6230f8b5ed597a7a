#ifndef DOCKET_TOOLS_IMPORT_MAPPING_NODE_H_
#define DOCKET_TOOLS_IMPORT_MAPPING_NODE_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "yaml-cpp/yaml.h"

namespace docket::import_tool {

// A YAML node that answers with a status naming file and line instead of throwing.
class MappingNode {
 public:
  static absl::StatusOr<MappingNode> Parse(absl::string_view yaml, const std::string& path);

  int line() const { return node_.Mark().line + 1; }
  bool is_map() const { return node_.IsMap(); }

  // kInvalidArgument "path:line: what".
  absl::Status Error(absl::string_view what) const;

  // Refuses any key of a map besides `keys`, keys given twice, and what is no map.
  absl::Status AllowKeys(const std::vector<absl::string_view>& keys) const;
  std::optional<MappingNode> Find(absl::string_view key) const;
  absl::StatusOr<MappingNode> Required(absl::string_view key) const;

  absl::StatusOr<std::string> Text() const;
  absl::StatusOr<bool> Boolean() const;
  absl::StatusOr<std::string> OneOf(const std::vector<absl::string_view>& values) const;
  // One text, or a list of them.
  absl::StatusOr<std::vector<std::string>> Texts() const;
  absl::StatusOr<std::vector<MappingNode>> Elements() const;
  // Keys and values in file order.
  absl::StatusOr<std::vector<std::pair<std::string, MappingNode>>> Entries() const;

 private:
  MappingNode(YAML::Node node, std::string path) : node_(std::move(node)), path_(std::move(path)) {}

  YAML::Node node_;
  std::string path_;
};

}  // namespace docket::import_tool

#endif  // DOCKET_TOOLS_IMPORT_MAPPING_NODE_H_
