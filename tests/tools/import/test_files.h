#ifndef DOCKET_TESTS_TOOLS_IMPORT_TEST_FILES_H_
#define DOCKET_TESTS_TOOLS_IMPORT_TEST_FILES_H_

#include <memory>
#include <string>
#include <vector>

#include "tools/import/byte_source.h"
#include "tools/import/case_source.h"
#include "tools/import/mapping.h"
#include "tools/import/record_reader.h"

// Small files in the test's temporary folder and what the importer's tests share.
namespace docket::import_tool {

// Writes `content` to a fresh file and returns its path.
std::string WriteFile(const std::string& content);
// The same, gzipped.
std::string WriteGzip(const std::string& content);
// The bytes of a file.
std::string ReadBytes(const std::string& path);

// Every record of `reader` as "line: value|value", malformed ones as "line! reason", an error as "error: message".
std::vector<std::string> AllRecords(RecordReader& reader);

// Opens a source that must exist.
std::unique_ptr<ByteSource> MustOpen(const std::string& path);
// Parses a mapping that must be right.
Mapping MustParse(const std::string& yaml);

// Keeps what it is told as "line key: reason".
class RecordingObserver : public ImportObserver {
 public:
  void OnBadRow(const RowProblem& problem) override;
  void OnNote(const RowProblem& problem) override;

  std::vector<std::string> bad_rows;
  std::vector<std::string> notes;
};

// A mapping of a small help desk: columns id, state, opened, updated, group, who, impact.
extern const char kSmallMapping[];

}  // namespace docket::import_tool

#endif  // DOCKET_TESTS_TOOLS_IMPORT_TEST_FILES_H_
