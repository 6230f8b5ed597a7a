#ifndef DOCKET_TOOLS_CLI_TABLE_H_
#define DOCKET_TOOLS_CLI_TABLE_H_

#include <iosfwd>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

// Aligned columns for terminals. Text that came from people is made harmless: control characters could otherwise move
// the reader's cursor or colour a lie.
namespace docket::cli {

// `text` on one line: newlines and tabs become spaces, other control characters and broken UTF-8 become '?'.
std::string OneLine(absl::string_view text);
// The same but keeping newlines; every line begins with `indent`.
std::string Block(absl::string_view text, absl::string_view indent);

// Columns a terminal needs for `text` (UTF-8): East Asian wide characters take two, combining marks none.
size_t DisplayWidth(absl::string_view text);

// The front of `text` that fits into `width` columns, without the space that the line is broken at; takes both off
// `text`. Words wider than a line are broken anywhere. REQUIRES: width > 1.
std::string TakeLine(absl::string_view* text, size_t width);

// `text` cut to at most `width` columns, the last one an ellipsis when anything was cut.
std::string Shorten(absl::string_view text, size_t width);

class Table {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string header;
    Align align = Align::kLeft;
    size_t max_width = 60;
  };

  static constexpr size_t kUncut = std::numeric_limits<size_t>::max();  // a max_width

  explicit Table(std::vector<Column> columns);
  // REQUIRES: as many cells as columns.
  void AddRow(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }

  // Header and rows, two spaces between columns, no spaces at line ends. Columns empty in every row are left out.
  // Prints nothing when there are no rows. A table wider than `fit` is made to fit by wrapping its kUncut column,
  // though not below kLeast; 0: as wide as it is.
  void Print(std::ostream& out, size_t fit = 0) const;

 private:
  static constexpr size_t kLeast = 20;

  void Fit(size_t fit, std::vector<size_t>* widths) const;
  void PrintRow(std::vector<std::string> cells, const std::vector<size_t>& widths, std::ostream& out) const;
  void PrintLine(const std::vector<std::string>& cells, const std::vector<size_t>& widths, std::ostream& out) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// "name  value" lines with the values aligned; pairs with an empty value are left out.
void PrintFields(const std::vector<std::pair<std::string, std::string>>& fields, std::ostream& out);

}  // namespace docket::cli

#endif  // DOCKET_TOOLS_CLI_TABLE_H_
