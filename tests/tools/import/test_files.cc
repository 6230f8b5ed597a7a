#include "tests/tools/import/test_files.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "workflow/base/check.h"

namespace docket::import_tool {
namespace {

std::string FreshPath() {
  static int number = 0;
  return absl::StrCat(testing::TempDir(), "/docket_import_", getpid(), "_", ++number);
}

}  // namespace

const char kSmallMapping[] = R"(
source: desk
workflow: desk-chart
kind: INCIDENT
format: csv
rows: snapshot of a case
none: ["?"]
time: {format: "%d/%m/%Y %H:%M", zone: UTC}
case:
  key: id
  title: "Incident {id}"
  received_at: opened
  updated_at: updated
  status: {column: state, map: {New: NEW, Done: RESOLVED}}
  queue: {column: group, slug: true}
  owner: {column: who, slug: true}
  impact: impact
)";

std::string WriteFile(const std::string& content) {
  const std::string path = FreshPath();
  std::ofstream file(path, std::ios::binary);
  file << content;
  file.close();
  DOCKET_CHECK(!file.fail());
  return path;
}

std::string WriteGzip(const std::string& content) {
  const std::string path = FreshPath();
  gzFile file = gzopen(path.c_str(), "wb");
  DOCKET_CHECK(file != nullptr);
  DOCKET_CHECK(gzwrite(file, content.data(), static_cast<unsigned>(content.size())) == static_cast<int>(content.size()));
  DOCKET_CHECK(gzclose(file) == Z_OK);
  return path;
}

std::string ReadBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::string> AllRecords(RecordReader& reader) {
  std::vector<std::string> records;
  Record record;
  while (true) {
    const absl::StatusOr<bool> more = reader.Next(&record);
    if (!more.ok()) {
      records.push_back(absl::StrCat("error: ", more.status().message()));
      return records;
    }
    if (!*more) return records;
    records.push_back(record.malformed.ok() ? absl::StrCat(record.line, ": ", absl::StrJoin(record.values, "|"))
                                            : absl::StrCat(record.line, "! ", record.malformed.message()));
  }
}

std::unique_ptr<ByteSource> MustOpen(const std::string& path) {
  absl::StatusOr<std::unique_ptr<ByteSource>> source = ByteSource::Open(path);
  DOCKET_CHECK(source.ok());
  return *std::move(source);
}

Mapping MustParse(const std::string& yaml) {
  absl::StatusOr<Mapping> mapping = ParseMapping(yaml, "map.yaml");
  if (!mapping.ok()) ADD_FAILURE() << mapping.status();
  DOCKET_CHECK(mapping.ok());
  return *std::move(mapping);
}

void RecordingObserver::OnBadRow(const RowProblem& problem) {
  bad_rows.push_back(absl::StrCat(problem.line, " ", problem.key, ": ", problem.reason));
}

void RecordingObserver::OnNote(const RowProblem& problem) {
  notes.push_back(absl::StrCat(problem.line, " ", problem.key, ": ", problem.reason));
}

}  // namespace docket::import_tool
