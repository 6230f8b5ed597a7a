#include "tools/cli/bare_calendar.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace docket::cli {
namespace {

bool IsBlankOrComment(absl::string_view line) {
  const absl::string_view text = absl::StripAsciiWhitespace(line);
  return text.empty() || text[0] == '#' || text == "---";
}

}  // namespace

NamedCalendar NameCalendar(absl::string_view yaml) {
  const std::vector<absl::string_view> lines = absl::StrSplit(yaml, '\n');
  size_t first = 0;
  while (first < lines.size() && IsBlankOrComment(lines[first])) ++first;
  if (first == lines.size()) return {std::string(yaml), 0};
  const bool flow = lines[first][0] == '{';
  bool bare = flow;
  bool named = false;
  for (size_t i = first; i < lines.size(); ++i) {
    const absl::string_view key = lines[i].substr(0, lines[i].find(':'));
    bare |= key == "zone" || key == "week" || key == "exceptions" || key == "always";
    named |= key == "calendar" || absl::StartsWith(lines[i], "---");
  }
  if (!bare || named) return {std::string(yaml), 0};
  const size_t offset = static_cast<size_t>(lines[first].data() - yaml.data());
  const absl::string_view head = yaml.substr(0, offset);
  absl::string_view body = yaml.substr(offset);
  if (!flow) return {absl::StrCat(head, "calendar: adhoc\n", body), 1};
  body.remove_prefix(1);
  if (absl::StartsWith(absl::StripLeadingAsciiWhitespace(body), "calendar:")) return {std::string(yaml), 0};
  return {absl::StrCat(head, "{calendar: adhoc, ", body), 0};
}

}  // namespace docket::cli
