#ifndef DOCKET_TOOLS_IMPORT_MAPPING_H_
#define DOCKET_TOOLS_IMPORT_MAPPING_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "docket/v1/types.pb.h"

// How rows of another system's file become cases. tools/import/README.md documents the YAML key by key.
namespace docket::import_tool {

// Where a value comes from: the first of these columns, or spellings of columns, that has one.
struct ColumnRef {
  std::vector<std::string> names;  // never empty when the field is mapped
  int line = 0;                    // in the mapping, for errors about the file's columns
  bool optional = false;           // a file may have none of them
};

// How one field is computed from a row.
struct FieldRule {
  ColumnRef columns;
  bool has_map = false;
  std::map<std::string, std::string> map;  // source value to ours; a value outside it takes `fallback`
  std::optional<std::string> fallback;     // without one, a value outside the map is a bad row
  bool slug = false;                       // "Group 56" becomes "group-56"
  bool number = false;                     // the digits in front: "2 - Medium" becomes 2
  // A column that, when it has a value, decides the field alone: {"Closed Date", "CLOSED"}.
  std::vector<std::pair<std::string, std::string>> if_set;
};

struct ChannelRule {
  ColumnRef columns;
  std::map<std::string, docket::v1::Channel> map;
  std::optional<docket::v1::Channel> fallback;
};

// "Incident {number}": text and column names in turn, beginning with text.
struct Template {
  std::vector<std::string> parts;
  int line = 0;
};

// A row whose `column` lies before its `before` is impossible; its whole case is rejected.
struct Rejection {
  std::string column;
  std::string before;
  std::string reason;
  int line = 0;
};

// When a case was closed, as one column of its row or rows tells; no columns: the statuses of the rows tell.
struct Closing {
  ColumnRef columns;
  std::string status;          // the one it has from then on
  bool day_precision = false;  // a value of the day of the receipt, but before it, means the receipt
};

enum class FileFormat { kCsv, kJson, kEither };  // kEither: JSON when the file begins with a bracket or a brace
enum class RowMeaning {
  kSnapshot,   // the state of a case after one update; the rows of a case stand together, in order
  kWholeCase,  // one row is all that is known of a case
  kStep,       // one thing done; columns of the case hold the same on each of its rows, which stand together, in order
};

struct Mapping {
  std::string path;  // as given, for messages
  std::string source;
  std::string workflow;
  docket::v1::CaseKind kind = docket::v1::CASE_KIND_UNSPECIFIED;
  FileFormat format = FileFormat::kCsv;
  char delimiter = ',';
  RowMeaning rows = RowMeaning::kSnapshot;
  std::set<std::string> none;             // values that mean "no value", besides the empty one
  std::vector<std::string> time_formats;  // absl::ParseTime; the first that fits
  absl::TimeZone zone;
  std::optional<absl::Time> observed_until;  // unset: the time of the case's last row
  bool observed_until_import = false;        // whoever imports sets observed_until to the moment of the import

  ColumnRef key;
  ColumnRef received_at;
  ColumnRef updated_at;  // when the row became true
  ColumnRef due_at;      // the instant promised for the case
  Closing closing;
  FieldRule status;
  std::string first_status;  // whole cases and steps: the status a case had when it was received
  std::optional<FieldRule> queue;
  std::optional<FieldRule> owner;
  std::optional<FieldRule> category;
  std::optional<FieldRule> subcategory;
  std::optional<FieldRule> impact;
  std::optional<FieldRule> urgency;
  std::optional<FieldRule> priority;
  std::optional<FieldRule> requester_ref;
  std::optional<FieldRule> updated_by_ref;
  std::optional<FieldRule> closure_code;
  std::optional<FieldRule> department;
  std::optional<ChannelRule> channel;
  Template title;
  std::vector<Rejection> rejections;

  std::map<std::string, std::vector<std::string>> aliases;  // a name used in this mapping: how files spell the column

  std::set<std::string> optional;  // names of columns that a file may lack

  // How files spell the column that this mapping calls `name`.
  std::vector<std::string> SpellingsOf(const std::string& name) const;

  // Every column the mapping names, in every spelling, once, in order of first use.
  std::vector<std::string> Columns() const;

  // kInvalidArgument naming the mapping's line, when the file has none of the columns a field names.
  // `missing` and `header` are what the reader tells.
  absl::Status CheckColumns(const std::vector<std::string>& missing, const std::vector<std::string>& header) const;
};

// Parses a mapping; `path` is used in messages only. kInvalidArgument with "path:line: what was found, what was
// wanted" for malformed YAML, unknown keys, missing keys and values out of range.
absl::StatusOr<Mapping> ParseMapping(absl::string_view yaml, const std::string& path);

// ParseMapping of a file's content. kNotFound: it cannot be read.
absl::StatusOr<Mapping> LoadMapping(const std::string& path);

}  // namespace docket::import_tool

#endif  // DOCKET_TOOLS_IMPORT_MAPPING_H_
