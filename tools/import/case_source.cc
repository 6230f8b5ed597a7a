#include "tools/import/case_source.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "tools/import/row_order.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"

namespace docket::import_tool {

CaseSource::CaseSource(const Mapping& mapping, RecordReader* reader, std::string file_name, NewRequestId new_request_id,
                       ImportObserver* observer, CommandCheck check)
    : mapping_(mapping),
      reader_(reader),
      file_name_(std::move(file_name)),
      new_request_id_(std::move(new_request_id)),
      observer_(observer),
      converter_(mapping),
      check_(std::move(check)) {}

absl::StatusOr<bool> CaseSource::Fetch() {
  if (has_next_) return true;
  DOCKET_ASSIGN_OR_RETURN(has_next_, reader_->Next(&next_));
  if (has_next_) ++rows_read_;
  return has_next_;
}

bool CaseSource::LeaveOut(const std::string& key, uint64_t line, const absl::Status& fault, size_t good_rows) {
  observer_->OnBadRow(ProblemOf(line, key, fault));
  rows_left_out_ += good_rows;
  ++cases_left_out_;
  return false;
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
  std::set<std::string> told;
  bool more = true;
  do {
    ++count;
    const uint64_t line = next_.line;
    absl::StatusOr<ConvertedRow> converted = converter_.Convert(next_);
    if (!converted.ok()) {
      ++bad;
      observer_->OnBadRow(ProblemOf(next_.line, *key, converted.status()));
    } else if (count <= kMaxRowsPerCase) {
      rows->push_back({std::move(next_), *std::move(converted)});
    }
    for (RowProblem& note : converter_.TakeNotes()) {
      if (!told.insert(note.reason).second) continue;  // what every row of the case repeats is told once
      note.line = line;
      note.key = *key;
      observer_->OnNote(note);
    }
    has_next_ = false;
    DOCKET_ASSIGN_OR_RETURN(more, Fetch());
  } while (more && mapping_.rows != RowMeaning::kWholeCase && converter_.Key(next_) == *key);

  if (bad > 0) {
    rows_left_out_ += count - bad;
    ++cases_left_out_;
    return false;
  }
  if (count > kMaxRowsPerCase) {
    return LeaveOut(*key, first_line,
                    RowFault("", "", absl::StrCat(count, " rows in one case, want at most ", kMaxRowsPerCase)),
                    count - 1);
  }
  // A second block of the same key would have cursors that are taken, and the server would drop it as known.
  if (!seen_.insert(absl::Hash<std::string>{}(*key)).second) {
    return LeaveOut(*key, first_line,
                    RowFault("", "", "the case has rows further up; the rows of a case must stand together"),
                    count - 1);
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

// How a case began is known from its time of receipt and the mapping. What a step says of itself says nothing of that.
CaseSource::Row CaseSource::Beginning(const Row& of) const {
  Row begin = of;
  begin.converted.time = *of.converted.received_at;
  begin.converted.row.set_status(mapping_.first_status);
  begin.converted.row.clear_source_status();
  begin.converted.row.clear_closure_code();
  if (mapping_.rows == RowMeaning::kStep) {
    begin.converted.row.clear_queue();
    begin.converted.row.clear_owner();
    begin.converted.row.clear_updated_by_ref();
  }
  return begin;
}

// Puts the closing among the steps, which are in order. Steps done after it do not open the case again.
void CaseSource::Close(const std::string& key, std::vector<Row>* rows) {
  const std::optional<absl::Time> closed_at = rows->back().converted.closed_at;
  if (!closed_at.has_value()) return;
  const auto after = std::upper_bound(rows->begin() + 1, rows->end(), *closed_at,
                                      [](absl::Time time, const Row& row) { return time < row.converted.time; });
  if (after != rows->end()) {
    const auto late = rows->end() - after;
    observer_->OnNote(
        {after->record.line, key,
         absl::StrCat(late, late == 1 ? " row" : " rows", " from here on done after the case was closed, ",
                      FormatUtc(*closed_at), "; it stays closed")});
  }
  for (auto row = after; row != rows->end(); ++row) row->converted.row.set_status(mapping_.closing.status);
  Row closing = *(after - 1);
  closing.converted.time = std::max(*closed_at, closing.converted.time);
  closing.converted.row.set_status(mapping_.closing.status);
  closing.converted.row.clear_source_status();
  closing.converted.row.clear_updated_by_ref();
  rows->insert(after, std::move(closing));
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

bool CaseSource::CheckRows(const std::string& key, const std::vector<Row>& rows) {
  const ConvertedRow& first = rows.front().converted;
  for (const Row& row : rows) {
    const absl::Status due = converter_.CheckDue(row.record, row.converted, first.received_at.value_or(first.time));
    if (!due.ok()) return LeaveOut(key, row.record.line, due, rows.size() - 1);
    if (mapping_.rows != RowMeaning::kStep) continue;
    if (row.converted.closed_at != first.closed_at || row.converted.received_at != first.received_at) {
      return LeaveOut(key, row.record.line,
                      RowFault("", "", "received_at or closed_at: other than on the first row of the case"),
                      rows.size() - 1);
    }
  }
  return true;
}

bool CaseSource::CheckCommands(const std::string& key, size_t rows, const CaseWork& work) {
  for (size_t i = 0; i < work.commands.size(); ++i) {
    const std::optional<CommandCheck::Fault> fault = check_.Find(work.commands[i]);
    if (!fault.has_value()) continue;
    return LeaveOut(key, work.lines[i], RowFault("", "", fault->reason), rows - 1);
  }
  return true;
}

bool CaseSource::Build(const std::string& key, std::vector<Row>& rows, CaseWork* work) {
  *work = CaseWork();
  work->key = key;
  const size_t rows_of_file = rows.size();
  if (!CheckRows(key, rows)) return false;
  absl::StatusOr<docket::v1::FileCase> file = converter_.MakeFile(rows.front().record, rows.front().converted);
  if (!file.ok()) return LeaveOut(key, rows.front().record.line, file.status(), rows_of_file - 1);
  const docket::v1::ExternalRef reference = file->external_ref();
  if (mapping_.rows != RowMeaning::kSnapshot) rows.insert(rows.begin(), Beginning(rows.front()));
  OrderTimes(key, &rows);
  if (mapping_.rows == RowMeaning::kStep) Close(key, &rows);
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
  return CheckCommands(key, rows_of_file, *work);
}

}  // namespace docket::import_tool
