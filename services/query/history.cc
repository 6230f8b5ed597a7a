#include "services/query/history.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/engine/case_loader.h"
#include "services/query/case_query.h"
#include "services/query/texts.h"
#include "store/record_format.h"
#include "store/view_table.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/projection/rows.h"

namespace docket::query {
namespace {

absl::StatusOr<v1::CommitRecord> ReadRecord(const Reader& reader, uint64_t commit) {
  DOCKET_ASSIGN_OR_RETURN(const std::string stored, reader.log->Read(commit));
  return store::DecodeRecord(stored);
}

}  // namespace

absl::StatusOr<HistoryReader> HistoryReader::Open(const Reader& reader, const v1::ReadHistoryRequest& request) {
  DOCKET_ASSIGN_OR_RETURN(const std::string case_id, ResolveCase(reader, {request.case_id(), request.case_no()}));
  HistoryReader history(case_id);
  projection::CaseRow key;
  key.case_id = case_id;
  DOCKET_ASSIGN_OR_RETURN(const auto row, store::GetRow(*reader.view.snapshot, reader.view.views, key));
  history.last_revision_ = row.has_value() ? row->value.revision() : 0;
  history.next_revision_ = std::max<uint32_t>(1, request.from_revision());
  if (history.next_revision_ > history.last_revision_) {
    return Refuse(absl::StatusCode::kOutOfRange, "REVISION_BEYOND_END",
                  absl::StrCat("from_revision: ", request.from_revision(), ", the last is ", history.last_revision_),
                  {{"revision", absl::StrCat(history.last_revision_)}});
  }
  if (request.to_revision() != 0) history.last_revision_ = std::min(history.last_revision_, request.to_revision());
  history.with_state_ = request.with_state();
  const engine::CaseLoader loader(*reader.view.snapshot, reader.view.views, *reader.log);
  DOCKET_ASSIGN_OR_RETURN(history.commits_, loader.Commits(case_id));
  if (!history.with_state_ && history.next_revision_ > 1) DOCKET_RETURN_IF_ERROR(history.SkipToFirst(reader));
  return history;
}

absl::Status HistoryReader::SkipToFirst(const Reader& reader) {
  size_t low = 0;
  size_t high = commits_.size();
  // Invariant: commits before `low` begin at or before the revision wanted, those from `high` on after it.
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    DOCKET_ASSIGN_OR_RETURN(const v1::CommitRecord record, ReadRecord(reader, commits_[middle]));
    uint32_t first = 0;
    DOCKET_RETURN_IF_ERROR(VisitCaseEvents(record, case_id_, [&](const CaseEvent& one) -> absl::StatusOr<bool> {
                             first = one.revision;
                             return false;
                           }).status());
    if (first <= next_revision_) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  next_commit_ = low == 0 ? 0 : low - 1;
  return absl::OkStatus();
}

absl::Status HistoryReader::AppendEntry(const Reader& reader, const CaseEvent& one, EventWriter* writer,
                                        BatchLimit* limit, std::string* out) {
  using Entry = v1::ReadHistoryReply::Entry;
  if (with_state_) DOCKET_RETURN_IF_ERROR(fold_.Add(one));
  if (one.revision < next_revision_) return absl::OkStatus();
  next_revision_ = one.revision + 1;
  if (!MaySee(reader.viewer, Subject{.visibility = one.event().visibility()})) return absl::OkStatus();
  DOCKET_ASSIGN_OR_RETURN(const absl::string_view event, writer->Write(one.record, one.slice, one.index, one.position));
  std::string entry;
  AppendBytes(Entry::kEventFieldNumber, event, &entry);
  if (with_state_) {
    v1::Case state = fold_.state();
    DOCKET_RETURN_IF_ERROR(RevealTexts(*reader.view.snapshot, &state));
    AppendBytes(Entry::kStateFieldNumber, state.SerializeAsString(), &entry);
  }
  AppendBytes(v1::ReadHistoryReply::kEntriesFieldNumber, entry, out);
  limit->Add(entry.size());
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> HistoryReader::Next(const Reader& reader) {
  std::string reply;
  BatchLimit limit;
  EventWriter writer(*reader.view.snapshot);
  // A commit is answered whole or resumed: fold and revisions remember how far it was answered.
  while (next_commit_ < commits_.size() && next_revision_ <= last_revision_ && !limit.Full()) {
    DOCKET_ASSIGN_OR_RETURN(const std::string stored, reader.log->Read(commits_[next_commit_]));
    DOCKET_RETURN_IF_ERROR(ParseStored(stored, &record_));
    writer.BeginRecord(record_);
    DOCKET_ASSIGN_OR_RETURN(
        const bool finished, VisitCaseEvents(record_, case_id_, [&](const CaseEvent& one) -> absl::StatusOr<bool> {
          if (limit.Full()) return false;
          if (one.revision > last_revision_) return true;
          // Folded or answered already in an earlier message.
          if (one.revision <= fold_.state().revision() || (!with_state_ && one.revision < next_revision_)) return true;
          DOCKET_RETURN_IF_ERROR(AppendEntry(reader, one, &writer, &limit, &reply));
          return true;
        }));
    if (finished) ++next_commit_;
  }
  if (reply.empty()) return std::optional<std::string>();
  AppendUint(v1::ReadHistoryReply::kPositionFieldNumber, reader.view.position, &reply);
  return std::optional<std::string>(std::move(reply));
}

}  // namespace docket::query
