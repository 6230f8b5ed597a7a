#ifndef DOCKET_TOOLS_IMPORT_REPORT_H_
#define DOCKET_TOOLS_IMPORT_REPORT_H_

#include <fstream>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tools/import/case_source.h"
#include "tools/import/importer.h"

namespace docket::import_tool {

// `text` as a JSON string with its quotes; what is not UTF-8 becomes '?'.
std::string JsonString(absl::string_view text);

// One line on a terminal that is written over, or now and then a line of its own elsewhere.
class ProgressLine {
 public:
  static constexpr absl::Duration kTerminalInterval = absl::Milliseconds(200);
  static constexpr absl::Duration kPlainInterval = absl::Seconds(10);

  ProgressLine(std::ostream& out, bool is_terminal, absl::Time start);

  // Shows the state unless it did so a moment ago. `share` of the file read, 0 to 1.
  void Show(absl::Time now, double share, uint64_t rows, uint64_t cases);
  // Makes room for other lines.
  void Clear();

 private:
  std::ostream& out_;
  bool is_terminal_;
  absl::Time start_;
  absl::Time last_;
  bool shown_ = false;
};

// Collects problems: the first kShown of each kind go to `err`, all of them to a file when asked.
class ImportReport : public ImportObserver {
 public:
  static constexpr size_t kShown = 20;

  // `file`: what is imported, as lines name it. `progress` may be null.
  ImportReport(std::ostream& err, std::string file, ProgressLine* progress)
      : err_(err), import_file_(std::move(file)), progress_(progress) {}

  // One JSON object per line: {"file":…,"bad":true|false,"line":…,"key":…,"column":…,"value":…,"reason":…}.
  // kInvalidArgument: cannot be written.
  absl::Status WriteTo(const std::string& path);
  // Call when done. kDataLoss: the file could not be written whole.
  absl::Status Close();

  void OnBadRow(const RowProblem& problem) override;
  void OnNote(const RowProblem& problem) override;

  uint64_t bad_rows() const { return bad_rows_; }
  uint64_t notes() const { return notes_; }
  const std::vector<RowProblem>& first_bad_rows() const { return first_bad_rows_; }

 private:
  void Print(const char* what, uint64_t number, const RowProblem& problem);
  void Write(const RowProblem& problem, bool bad);

  std::ostream& err_;
  std::string import_file_;
  ProgressLine* progress_;
  std::ofstream file_;
  std::string path_;
  uint64_t bad_rows_ = 0;
  uint64_t notes_ = 0;
  std::vector<RowProblem> first_bad_rows_;
};

// What an import did.
struct ImportSummary {
  std::string file;
  bool dry_run = false;
  uint64_t rows = 0;           // read
  uint64_t cases = 0;          // sent, or with dry_run ready to be sent
  uint64_t rows_imported = 0;  // in the log now, by this run or an earlier one
  uint64_t commits_added = 0;
  uint64_t unchanged = 0;
  uint64_t bad_rows = 0;
  uint64_t rows_left_out = 0;  // good rows of cases that have a bad one
  uint64_t notes = 0;
  absl::Duration elapsed;
};

void PrintSummary(const ImportSummary& summary, std::ostream& out);
// One line of JSON, with the first bad rows.
void PrintSummaryJson(const ImportSummary& summary, const std::vector<RowProblem>& bad_rows, std::ostream& out);

}  // namespace docket::import_tool

#endif  // DOCKET_TOOLS_IMPORT_REPORT_H_
