#include "tools/cli/table.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <ostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "workflow/base/check.h"

namespace docket::cli {
namespace {

constexpr uint32_t kBroken = 0xffff'ffff;

// Takes one character off the front of `text`; kBroken (and one byte taken) when it is not well-formed UTF-8.
uint32_t TakeCharacter(absl::string_view* text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>((*text)[i]); };
  const unsigned char first = byte(0);
  const size_t length = first < 0x80 ? 1 : first >= 0xc2 && first < 0xe0 ? 2 : (first & 0xf0) == 0xe0 ? 3
                        : first >= 0xf0 && first < 0xf5                 ? 4
                                                                        : 0;
  uint32_t character = length <= 1 ? first : first & (0x7f >> length);
  bool broken = length == 0 || length > text->size();
  for (size_t i = 1; !broken && i < length; ++i) {
    broken = (byte(i) & 0xc0) != 0x80;
    character = character << 6 | (byte(i) & 0x3f);
  }
  static constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  broken = broken || character < kSmallest[length] || character > 0x10ffff ||
           (character >= 0xd800 && character <= 0xdfff);
  text->remove_prefix(broken ? 1 : length);
  return broken ? kBroken : character;
}

struct Range {
  uint32_t first;
  uint32_t last;
};
// Wide ranges of Unicode's EastAsianWidth that occur in names and messages, and emoji.
constexpr Range kWide[] = {{0x1100, 0x115f},   {0x2e80, 0xa4cf},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
                           {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
                           {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};
constexpr Range kZero[] = {{0x300, 0x36f}, {0x200b, 0x200f}, {0xfe00, 0xfe0f}};
// Besides C0 and C1: characters that reorder or hide what follows them.
constexpr Range kUnsafe[] = {{0x0, 0x1f}, {0x7f, 0x9f}, {0x202a, 0x202e}, {0x2066, 0x2069}};

template <size_t n>
bool In(uint32_t character, const Range (&ranges)[n]) {
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [&](const Range& range) { return character >= range.first && character <= range.last; });
}

size_t WidthOf(uint32_t character) {
  if (character == kBroken) return 1;
  return In(character, kZero) ? 0 : In(character, kWide) ? 2 : 1;
}

}  // namespace

std::string OneLine(absl::string_view text) {
  std::string result;
  while (!text.empty()) {
    const absl::string_view before = text;
    const uint32_t character = TakeCharacter(&text);
    if (character == '\n' || character == '\t' || character == '\r') {
      result.push_back(' ');
    } else if (character == kBroken || In(character, kUnsafe)) {
      result.push_back('?');
    } else {
      absl::StrAppend(&result, before.substr(0, before.size() - text.size()));
    }
  }
  return result;
}

std::string Block(absl::string_view text, absl::string_view indent) {
  std::string result;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) absl::StrAppend(&result, indent, OneLine(line), "\n");
  return result;
}

size_t DisplayWidth(absl::string_view text) {
  size_t width = 0;
  while (!text.empty()) width += WidthOf(TakeCharacter(&text));
  return width;
}

std::string TakeLine(absl::string_view* text, size_t width) {
  absl::string_view rest = *text;
  absl::string_view end;  // what follows the last space
  for (size_t used = 0; !rest.empty();) {
    const absl::string_view before = rest;
    used += WidthOf(TakeCharacter(&rest));
    if (used > width) {
      if (before.front() == ' ') end = rest;
      const size_t taken = end.data() != nullptr ? text->size() - end.size() - 1 : text->size() - before.size();
      const std::string line(text->substr(0, taken));
      *text = end.data() != nullptr ? end : before;
      return line;
    }
    if (before.front() == ' ') end = rest;
  }
  return std::string(std::exchange(*text, absl::string_view()));
}

std::string Shorten(absl::string_view text, size_t width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  if (width == 0) return "";
  std::string result;
  size_t used = 1;  // the ellipsis
  while (!text.empty()) {
    const absl::string_view before = text;
    used += WidthOf(TakeCharacter(&text));
    if (used > width) break;
    absl::StrAppend(&result, before.substr(0, before.size() - text.size()));
  }
  return absl::StrCat(result, "…");
}

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::AddRow(std::vector<std::string> cells) {
  DOCKET_CHECK(cells.size() == columns_.size());
  for (size_t i = 0; i < cells.size(); ++i) cells[i] = Shorten(OneLine(cells[i]), columns_[i].max_width);
  rows_.push_back(std::move(cells));
}

void Table::Fit(size_t fit, std::vector<size_t>* widths) const {
  size_t total = 0;
  for (const size_t width : *widths) total += width == 0 ? 0 : width + (total == 0 ? 0 : 2);
  for (size_t i = 0; i < columns_.size() && total > fit; ++i) {
    if (columns_[i].max_width != kUncut || (*widths)[i] <= kLeast) continue;
    const size_t cut = std::min(total - fit, (*widths)[i] - kLeast);
    (*widths)[i] -= cut;
    total -= cut;
  }
}

void Table::Print(std::ostream& out, size_t fit) const {
  if (rows_.empty()) return;
  std::vector<size_t> widths(columns_.size(), 0);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], DisplayWidth(row[i]));
  }
  std::vector<std::string> headers;
  for (size_t i = 0; i < columns_.size(); ++i) {
    headers.push_back(columns_[i].header);
    if (widths[i] > 0) widths[i] = std::max(widths[i], DisplayWidth(columns_[i].header));
  }
  if (fit > 0) Fit(fit, &widths);
  PrintLine(headers, widths, out);
  for (const auto& row : rows_) PrintRow(row, widths, out);
}

void Table::PrintRow(std::vector<std::string> cells, const std::vector<size_t>& widths, std::ostream& out) const {
  for (bool more = true; more;) {
    more = false;
    std::vector<std::string> rest(cells.size());
    for (size_t i = 0; i < cells.size(); ++i) {
      if (DisplayWidth(cells[i]) <= widths[i]) continue;
      absl::string_view text = cells[i];
      std::string line = TakeLine(&text, widths[i]);
      rest[i] = std::string(text);
      cells[i] = std::move(line);
      more = true;
    }
    PrintLine(cells, widths, out);
    cells = std::move(rest);
  }
}

void Table::PrintLine(const std::vector<std::string>& cells, const std::vector<size_t>& widths,
                      std::ostream& out) const {
  std::string line;
  bool first = true;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (widths[i] == 0) continue;
    const std::string& cell = cells[i];
    const std::string padding(widths[i] - DisplayWidth(cell), ' ');
    const bool right = columns_[i].align == Align::kRight;
    absl::StrAppend(&line, first ? "" : "  ", right ? padding : "", cell, right ? "" : padding);
    first = false;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  out << line << "\n";
}

void PrintFields(const std::vector<std::pair<std::string, std::string>>& fields, std::ostream& out) {
  size_t width = 0;
  for (const auto& [name, value] : fields) {
    if (!value.empty()) width = std::max(width, DisplayWidth(name));
  }
  for (const auto& [name, value] : fields) {
    if (value.empty()) continue;
    out << name << std::string(width - DisplayWidth(name) + 2, ' ') << OneLine(value) << "\n";
  }
}

}  // namespace docket::cli
