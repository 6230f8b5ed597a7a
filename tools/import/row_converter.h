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

namespace docket::import_tool {

// Limits of the server that a row can break; a value beyond is a bad row, a longer title is cut.
inline constexpr size_t kMaxValueBytes = 256;
inline constexpr size_t kMaxTitleBytes = 512;

// What one row says. `row` lacks file and cursor.
struct ConvertedRow {
  absl::Time time;                        // when it became true
  std::optional<absl::Time> received_at;  // when the case was received, if the row tells
  docket::v1::SourceRow row;
};

// Lower case, runs of anything but letters and digits as one dash, no dash at the ends; bytes beyond ASCII are kept.
// "Group 56" becomes "group-56".
std::string Slug(absl::string_view text);

// Turns records, whose values stand in the order of mapping.Columns(), into what the server wants. Pure but for the
// note it keeps of slugs. Not thread-safe. `mapping` must outlive it.
class RowConverter {
 public:
  explicit RowConverter(const Mapping& mapping);

  // The case's key; "" when the row has none.
  std::string Key(const Record& record) const;

  // kInvalidArgument with the reason, for people: malformed, impossible, a value that the mapping does not know.
  absl::StatusOr<ConvertedRow> Convert(const Record& record);

  // The head of a case as its first row tells it, without `row`.
  absl::StatusOr<docket::v1::FileCase> MakeFile(const Record& record, const ConvertedRow& converted);

  // Two source values that became one slug since the last call; each pair is told once. At most kMaxSlugs values are
  // watched.
  std::vector<std::string> TakeSlugNotes();

 private:
  static constexpr size_t kMaxSlugs = 100000;

  std::string Value(const ColumnRef& columns, const Record& record) const;
  std::string Column(const std::string& name, const Record& record) const;
  absl::StatusOr<std::string> Field(absl::string_view field, const FieldRule& rule, const Record& record);
  absl::StatusOr<std::string> Field(absl::string_view field, const std::optional<FieldRule>& rule,
                                    const Record& record);
  absl::Status Number(absl::string_view field, const std::optional<FieldRule>& rule, const Record& record,
                      uint32_t* number);
  absl::StatusOr<absl::Time> Time(absl::string_view text) const;
  absl::Status CheckPossible(const Record& record) const;
  void NoteSlug(absl::string_view field, const std::string& slug, const std::string& value);

  const Mapping& mapping_;
  std::map<std::string, size_t> index_;
  std::map<std::string, std::string> slugs_;  // "field slug" to the first value
  std::vector<std::string> slug_notes_;
};

}  // namespace docket::import_tool

#endif  // DOCKET_TOOLS_IMPORT_ROW_CONVERTER_H_
