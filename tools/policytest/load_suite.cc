#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "tools/policytest/scenario.h"
#include "tools/policytest/shipped_packs.h"
#include "workflow/base/check.h"

namespace docket::policytest {
namespace {

constexpr absl::string_view kShipped = "shipped/";

absl::StatusOr<std::string> ReadText(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return absl::NotFoundError(absl::StrCat(path, ": ", std::strerror(errno)));
  std::string text(std::istreambuf_iterator<char>(stream), {});
  if (stream.bad()) return absl::NotFoundError(absl::StrCat(path, ": cannot be read"));
  return text;
}

}  // namespace

absl::StatusOr<std::string> ShippedPack(absl::string_view name) {
  std::vector<absl::string_view> names;
  for (const ShippedFile& file : ShippedFiles()) {
    if (file.name == name) return std::string(file.text);
    names.push_back(file.name);
  }
  return absl::NotFoundError(absl::StrCat("\"", name, "\" is not shipped, want one of ", absl::StrJoin(names, ", ")));
}

absl::StatusOr<Suite> LoadSuite(const std::string& path) {
  DOCKET_ASSIGN_OR_RETURN(const std::string text, ReadText(path));
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  return ReadSuite(path, text, [&](const std::string& name) -> absl::StatusOr<std::string> {
    absl::string_view shipped = name;
    if (absl::ConsumePrefix(&shipped, kShipped)) return ShippedPack(shipped);
    return ReadText((folder / name).string());
  });
}

}  // namespace docket::policytest
