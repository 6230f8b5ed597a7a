#ifndef DOCKET_TOOLS_IMPORT_CASE_SOURCE_H_
#define DOCKET_TOOLS_IMPORT_CASE_SOURCE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "docket/v1/case_service.pb.h"
#include "tools/import/command_check.h"
#include "tools/import/mapping.h"
#include "tools/import/record_reader.h"
#include "tools/import/row_converter.h"
#include "tools/import/row_fault.h"

namespace docket::import_tool {

// More rows than this in one case are taken for a mistake in the mapping's key.
inline constexpr size_t kMaxRowsPerCase = 10000;

// Told of every row that cannot be loaded and of everything that was adjusted.
class ImportObserver {
 public:
  virtual ~ImportObserver() = default;
  // A bad row. Its case is left out (or, when the server refused it, left as far as it came).
  virtual void OnBadRow(const RowProblem& problem) = 0;
  // Something was adjusted; the row is loaded.
  virtual void OnNote(const RowProblem& problem) = 0;
};

// A case as commands in the order they must be done: FileCase with its first row, RecordSourceRow for each further
// row, EndHistory. Commands carry request ids; doing one twice is safe.
struct CaseWork {
  std::string key;
  std::vector<docket::v1::ExecuteRequest> commands;
  std::vector<uint64_t> lines;  // of the row behind each command
};

// Groups records into cases. One case is in memory at a time, and eight bytes for every key seen, to notice a case
// whose rows do not stand together. A case with a bad row is left out whole: half a history would be a false one,
// and a corrected file can be imported again. Not thread-safe.
class CaseSource {
 public:
  using NewRequestId = std::function<std::string()>;

  // `file_name` is what rows are marked with (no folders). A case of which `check` finds a command wrong is left out.
  // All pointers must outlive the source.
  CaseSource(const Mapping& mapping, RecordReader* reader, std::string file_name, NewRequestId new_request_id,
             ImportObserver* observer, CommandCheck check = CommandCheck());

  // The next case; false at the end. An error ends the file (see RecordReader::Next).
  absl::StatusOr<bool> Next(CaseWork* work);

  uint64_t rows_read() const { return rows_read_; }
  // Good rows of cases left out because of a bad one.
  uint64_t rows_left_out() const { return rows_left_out_; }
  uint64_t cases_left_out() const { return cases_left_out_; }

 private:
  struct Row {
    Record record;
    ConvertedRow converted;
  };

  // Reads the rows of one case; false when the case is to be left out (reported).
  absl::StatusOr<bool> ReadBlock(std::string* key, std::vector<Row>* rows);
  // Makes sure that `next_` holds an unread record; false at the end.
  absl::StatusOr<bool> Fetch();
  // Commands from the rows of one case; false when the case is to be left out (reported).
  bool Build(const std::string& key, std::vector<Row>& rows, CaseWork* work);
  // A row, its reason to leave the case out, and the rows that are good.
  bool LeaveOut(const std::string& key, uint64_t line, const absl::Status& fault, size_t good_rows);
  bool CheckRows(const std::string& key, const std::vector<Row>& rows);
  bool CheckCommands(const std::string& key, size_t rows, const CaseWork& work);
  Row Beginning(const Row& of) const;
  void Close(const std::string& key, std::vector<Row>* rows);
  void OrderTimes(const std::string& key, std::vector<Row>* rows);
  docket::v1::ExecuteRequest* AddCommand(CaseWork* work, uint64_t line, absl::Time occurred_at);

  const Mapping& mapping_;
  RecordReader* reader_;
  std::string file_name_;
  NewRequestId new_request_id_;
  ImportObserver* observer_;
  RowConverter converter_;
  CommandCheck check_;
  Record next_;
  bool has_next_ = false;
  absl::flat_hash_set<uint64_t> seen_;
  uint64_t rows_read_ = 0;
  uint64_t rows_left_out_ = 0;
  uint64_t cases_left_out_ = 0;
};

}  // namespace docket::import_tool

#endif  // DOCKET_TOOLS_IMPORT_CASE_SOURCE_H_
