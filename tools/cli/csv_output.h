#ifndef DOCKET_TOOLS_CLI_CSV_OUTPUT_H_
#define DOCKET_TOOLS_CLI_CSV_OUTPUT_H_

#include <iosfwd>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

// Lists as CSV (RFC 4180: lines end in CR LF; a field that holds a comma, a quote or a line end is quoted). One column
// per JSON field of an item, those of a message inside it with its name before theirs ("case.caseNo"); instants in UTC,
// spans as in JSON ("90s", "1.500s"), enumerations by name, several values divided by a space. What is unset is empty,
// defaults too. Text that begins with = + - @, a tab or a CR has a ' before it, or a spreadsheet would run it as a
// formula.
namespace docket::cli {

// One field, quoted if need be.
std::string CsvField(absl::string_view text);
// Text of people, made harmless for spreadsheets as above.
std::string WithoutFormula(std::string text);
void PrintCsvLine(const std::vector<std::string>& fields, std::ostream& out);

// The names of the columns for the elements of the repeated field `items` of `reply`.
void PrintCsvHeader(const google::protobuf::Message& reply, absl::string_view items, std::ostream& out);
// One line per element.
void PrintCsv(const google::protobuf::Message& reply, absl::string_view items, std::ostream& out);

}  // namespace docket::cli

#endif  // DOCKET_TOOLS_CLI_CSV_OUTPUT_H_
