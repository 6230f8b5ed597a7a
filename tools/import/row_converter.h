#ifndef DOCKET_TOOLS_IMPORT_ROW_CONVERTER_H_
#define DOCKET_TOOLS_IMPORT_ROW_CONVERTER_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "docket/v1/command.pb.h"
#include "tools/import/mapping.h"
#include "tools/import/record_reader.h"
#include "tools/import/row_fault.h"
#include "tools/import/source_time.h"

namespace docket::import_tool {

// Limits of the server that a row can break; a value beyond is a bad row, a longer title is cut.
inline constexpr size_t kMaxValueBytes = 256;
inline constexpr size_t kMaxTitleBytes = 512;

// What one row says. `row` lacks file and cursor.
struct ConvertedRow {
  absl::Time time;                        // when it became true
  std::optional<absl::Time> received_at;  // when the case was received, if the row tells
  std::optional<absl::Time> closed_at;    // when the case was closed, if the row tells
  docket::v1::SourceRow row;
};

// Turns records, whose values stand in the order of mapping.Columns(), into what the server wants. Pure but for the
// notes it keeps. Not thread-safe. `mapping` must outlive it.
class RowConverter {
 public:
  explicit RowConverter(const Mapping& mapping);

  // The case's key; "" when the row has none.
  std::string Key(const Record& record) const;

  // A RowFault: malformed, impossible, a value that the mapping does not know.
  absl::StatusOr<ConvertedRow> Convert(const Record& record);

  // A RowFault when what the row promises cannot be promised for a case received at `received`.
  absl::Status CheckDue(const Record& record, const ConvertedRow& converted, absl::Time received) const;

  // The head of a case as its first row tells it, without `row`.
  absl::StatusOr<docket::v1::FileCase> MakeFile(const Record& record, const ConvertedRow& converted);

  // What was decided about values since the last call: two of the source that became one slug (each pair is told once,
  // as is the end of watching at kMaxSlugs), local times that never were or came twice, dates that contradict a status.
  std::vector<RowProblem> TakeNotes();

 private:
  static constexpr size_t kMaxSlugs = 100000;

  struct Cell {
    std::string column;  // as the file spells it, if it has a value
    std::string value;   // "": none
  };
  Cell Find(const ColumnRef& columns, const Record& record) const;
  Cell Find(const std::string& name, const Record& record) const;
  absl::StatusOr<std::string> Field(absl::string_view field, const FieldRule& rule, const Record& record);
  absl::StatusOr<std::string> Field(absl::string_view field, const std::optional<FieldRule>& rule,
                                    const Record& record);
  absl::Status Number(absl::string_view field, const std::optional<FieldRule>& rule, const Record& record,
                      uint32_t* number);
  void Note(const Cell& cell, const std::string& what);
  // nullopt: no value. Notes what had to be decided.
  absl::StatusOr<std::optional<absl::Time>> Time(const Cell& cell, TwiceMeans twice);
  absl::Status CheckPossible(const Record& record) const;
  absl::Status ConvertTimes(const Record& record, ConvertedRow* converted);
  absl::Status CheckClosing(const Cell& cell, ConvertedRow* converted);
  absl::Status ConvertWholeCase(const Cell& status, const Cell& updated, const Cell& closed, ConvertedRow* converted);
  absl::Status ConvertFields(const Record& record, ConvertedRow* converted);
  void NoteSlug(absl::string_view field, const std::string& slug, const Cell& cell);

  const Mapping& mapping_;
  std::map<std::string, size_t> index_;
  std::map<std::string, std::string> slugs_;  // "field slug" to the first value
  bool slugs_full_ = false;
  std::vector<RowProblem> notes_;  // without line and key
};

}  // namespace docket::import_tool

#endif  // DOCKET_TOOLS_IMPORT_ROW_CONVERTER_H_
