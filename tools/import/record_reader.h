#ifndef DOCKET_TOOLS_IMPORT_RECORD_READER_H_
#define DOCKET_TOOLS_IMPORT_RECORD_READER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/import/byte_source.h"

namespace docket::import_tool {

// Limits of one record. A longer one is a malformed record, not a reason to fill the memory.
inline constexpr size_t kMaxRecordBytes = 1024 * 1024;
inline constexpr size_t kMaxColumns = 4096;

// One row of a file, cut down to the wanted columns.
struct Record {
  uint64_t line = 0;                // where it begins, from 1
  std::vector<std::string> values;  // one per wanted column; "" where the row has none
  // Why the row cannot be believed; `values` then hold what could be read of it and may be wrong.
  absl::Status malformed;
};

// Reads a file record by record. Not thread-safe. Bounded memory: one record and the source's buffer.
class RecordReader {
 public:
  virtual ~RecordReader() = default;

  // Fills `record` and returns true; false at the end. A malformed row is a record, reading goes on behind it.
  // kDataLoss: the file is damaged; nothing follows. kInvalidArgument: not a file of this format; nothing follows.
  virtual absl::StatusOr<bool> Next(Record* record) = 0;

  // Wanted columns that the file does not have. Known from the start where the format has a header; formats
  // without one (JSON) answer an empty list.
  virtual const std::vector<std::string>& missing() const = 0;
  // All columns of the header; empty without one.
  virtual const std::vector<std::string>& header() const = 0;
};

// RFC 4180: quoted fields with doubled quotes, line breaks inside quotes, LF or CRLF; the first record names the
// columns; empty lines are skipped. kInvalidArgument: no header, or a column name twice among the wanted ones.
// `source` must outlive the reader.
absl::StatusOr<std::unique_ptr<RecordReader>> OpenCsv(ByteSource* source, std::vector<std::string> wanted,
                                                      char delimiter);

// Objects: the elements of one array, or one after another (JSON lines). Members of nested objects are named with
// dots ("location.zip"); arrays give their JSON text; numbers stay as they are written. `source` must outlive it.
std::unique_ptr<RecordReader> OpenJson(ByteSource* source, std::vector<std::string> wanted);

}  // namespace docket::import_tool

#endif  // DOCKET_TOOLS_IMPORT_RECORD_READER_H_
