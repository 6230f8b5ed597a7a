#include "tools/import/case_source.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "tools/import/row_order.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"

namespace docket::import_tool {

CaseSource::CaseSource(const Mapping& mapping, RecordReader* reader, std::string file_name,
                       NewRequestId new_request_id, ImportObserver* observer)
    : mapping_(mapping),
      reader_(reader),
      file_name_(std::move(file_name)),
      new_request_id_(std::move(new_request_id)),
      observer_(observer),
      converter_(mapping) {}

absl::StatusOr<bool> CaseSource::Fetch() {
  if (has_next_) return true;
  DOCKET_ASSIGN_OR_RETURN(has_next_, reader_->Next(&next_));
  if (has_next_) ++rows_read_;
  return has_next_;
}

void CaseSource::LeaveOut(const std::string& key, uint64_t line, const std::string& reason, size_t good_rows) {
  observer_->OnBadRow({line, key, reason});
  rows_left_out_ += good_rows;
  ++cases_left_out_;
}

absl::StatusOr<bool> CaseSource::ReadBlock(std::string* key, std::vector<Row>* rows) {
  *key = converter_.Key(next_);
  if (key->empty()) {
    const std::string reason = next_.malformed.ok() ? absl::StrCat("no key in ", mapping_.key.names.front())
                                                    : std::string(next_.malformed.message());
    observer_->OnBadRow({next_.line, "", reason});
    has_next_ = false;
    return false;
  }
  const uint64_t first_line = next_.line;
  size_t bad = 0, count = 0;
  bool more = true;
  do {
    ++count;
    absl::StatusOr<ConvertedRow> converted = converter_.Convert(next_);
    if (!converted.ok()) {
      ++bad;
      observer_->OnBadRow({next_.line, *key, std::string(converted.status().message())});
    } else if (count <= kMaxRowsPerCase) {
      rows->push_back({std::move(next_), *std::move(converted)});
    }
    has_next_ = false;
    DOCKET_ASSIGN_OR_RETURN(more, Fetch());
  } while (more && mapping_.rows == RowMeaning::kSnapshot && converter_.Key(next_) == *key);
  for (const std::string& note : converter_.TakeSlugNotes()) observer_->OnNote({first_line, *key, note});

  if (bad > 0) {
    rows_left_out_ += count - bad;
    ++cases_left_out_;
    return false;
  }
  if (count > kMaxRowsPerCase) {
    LeaveOut(*key, first_line, absl::StrCat(count, " rows in one case, want at most ", kMaxRowsPerCase), count - 1);
    return false;
  }
  // A second block of the same key would have cursors that are taken, and the server would drop it as known.
  if (!seen_.insert(absl::Hash<std::string>{}(*key)).second) {
    LeaveOut(*key, first_line, "the case has rows further up; the rows of a case must stand together", count - 1);
    return false;
  }
  return true;
}

absl::StatusOr<bool> CaseSource::Next(CaseWork* work) {
  while (true) {
    DOCKET_ASSIGN_OR_RETURN(const bool more, Fetch());
    if (!more) return false;
    std::string key;
    std::vector<Row> rows;
    DOCKET_ASSIGN_OR_RETURN(const bool good, ReadBlock(&key, &rows));
    if (good && Build(key, rows, work)) return true;
  }
}

// A row of a whole case tells how it ended. How it began is known from its time of receipt and the mapping.
CaseSource::Row CaseSource::Beginning(const Row& end) const {
  Row begin = end;
  begin.converted.time = *end.converted.received_at;
  begin.converted.row.set_status(mapping_.first_status);
  begin.converted.row.clear_source_status();
  begin.converted.row.clear_closure_code();
  return begin;
}

// A case's own time never goes back, its source's sometimes does.
void CaseSource::OrderTimes(const std::string& key, std::vector<Row>* rows) {
  std::vector<absl::Time> times;
  for (const Row& row : *rows) times.push_back(row.converted.time);
  const std::vector<absl::Time> ordered = InOrder(times);
  for (size_t i = 0; i < ordered.size(); ++i) {
    if (ordered[i] == times[i]) continue;
    observer_->OnNote({(*rows)[i].record.line, key,
                       absl::StrCat("its time ", FormatUtc(times[i]), " is out of order; it takes ",
                                    FormatUtc(ordered[i]), " of the row next to it")});
    (*rows)[i].converted.time = ordered[i];
  }
}

docket::v1::ExecuteRequest* CaseSource::AddCommand(CaseWork* work, uint64_t line, absl::Time occurred_at) {
  docket::v1::ExecuteRequest& request = work->commands.emplace_back();
  work->lines.push_back(line);
  request.set_request_id(new_request_id_());
  *request.mutable_occurred_at() = ToProto(occurred_at);
  return &request;
}

bool CaseSource::Build(const std::string& key, std::vector<Row>& rows, CaseWork* work) {
  *work = CaseWork();
  work->key = key;
  absl::StatusOr<docket::v1::FileCase> file = converter_.MakeFile(rows.front().record, rows.front().converted);
  if (!file.ok()) {
    LeaveOut(key, rows.front().record.line, std::string(file.status().message()), rows.size() - 1);
    return false;
  }
  const docket::v1::ExternalRef reference = file->external_ref();
  if (mapping_.rows == RowMeaning::kWholeCase) rows.insert(rows.begin(), Beginning(rows.front()));
  OrderTimes(key, &rows);
  uint64_t cursor = 0;
  for (Row& row : rows) {
    row.converted.row.set_file(file_name_);
    row.converted.row.set_cursor(++cursor);
    docket::v1::ExecuteRequest* request = AddCommand(work, row.record.line, row.converted.time);
    if (cursor == 1) {
      *request->mutable_command()->mutable_file() = *std::move(file);
      *request->mutable_command()->mutable_file()->mutable_row() = std::move(row.converted.row);
    } else {
      *request->mutable_external_ref() = reference;
      *request->mutable_command()->mutable_record_source_row()->mutable_row() = std::move(row.converted.row);
    }
  }
  const absl::Time last = rows.back().converted.time;
  const absl::Time until = std::max(last, mapping_.observed_until.value_or(last));
  docket::v1::ExecuteRequest* end = AddCommand(work, rows.back().record.line, until);
  *end->mutable_external_ref() = reference;
  *end->mutable_command()->mutable_end_history()->mutable_observed_until() = ToProto(until);
  return true;
}

}  // namespace docket::import_tool
