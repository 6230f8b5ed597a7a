#include "services/engine/case_loader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "store/record_format.h"
#include "store/view_table.h"
#include "workflow/base/check.h"
#include "workflow/case/replay.h"
#include "workflow/projection/rows.h"

namespace docket::engine {

const v1::Slice* SliceOf(const v1::CommitRecord& record, absl::string_view case_id) {
  for (const v1::Slice& slice : record.slices()) {
    if (slice.kind() == v1::STREAM_KIND_CASE && slice.stream_id() == case_id) return &slice;
  }
  return nullptr;
}

absl::StatusOr<std::vector<v1::Event>> EventsOf(const v1::Slice& slice) {
  std::vector<v1::Event> events;
  events.reserve(slice.events_size());
  for (const v1::RecordedEvent& recorded : slice.events()) {
    DOCKET_ASSIGN_OR_RETURN(v1::Event event, workflow::DecodeEvent(recorded));
    events.push_back(std::move(event));
  }
  return events;
}

absl::Status CheckFollows(const v1::Slice& slice, const v1::Case& state) {
  if (slice.first_revision() == state.revision() + 1) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("case ", slice.stream_id(), ": revision ", slice.first_revision(), " follows ", state.revision()));
}

absl::Status FoldSlice(const v1::Slice& slice, v1::Case* state) {
  DOCKET_RETURN_IF_ERROR(CheckFollows(slice, *state));
  state->set_case_id(slice.stream_id());
  for (const v1::RecordedEvent& recorded : slice.events()) {
    DOCKET_ASSIGN_OR_RETURN(const v1::Event event, workflow::DecodeEvent(recorded));
    DOCKET_RETURN_IF_ERROR(workflow::Apply(event, state));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<v1::CommitRecord>> CaseLoader::RecordsBack(absl::string_view case_id, uint64_t head,
                                                                      std::optional<uint64_t> until_commit) const {
  std::vector<v1::CommitRecord> records;
  for (uint64_t commit = head; !until_commit.has_value() || commit > *until_commit;) {
    DOCKET_ASSIGN_OR_RETURN(const std::string stored, log_.Read(commit));
    DOCKET_ASSIGN_OR_RETURN(v1::CommitRecord record, store::DecodeRecord(stored));
    const v1::Slice* slice = SliceOf(record, case_id);
    if (slice == nullptr) {
      return absl::DataLossError(absl::StrCat("commit ", commit, " holds no events of case ", case_id));
    }
    const uint64_t previous = slice->prev_commit_plus_1();
    records.push_back(std::move(record));
    if (previous == 0) break;
    if (previous > commit) return absl::DataLossError(absl::StrCat("commit ", commit, " links forward"));
    commit = previous - 1;
  }
  std::reverse(records.begin(), records.end());
  return records;
}

absl::StatusOr<std::optional<LoadedCase>> CaseLoader::Kept(absl::string_view case_id) const {
  projection::SnapshotRow key;
  key.case_id = std::string(case_id);
  DOCKET_ASSIGN_OR_RETURN(const std::optional<projection::SnapshotRow> kept, store::GetRow(snapshot_, views_, key));
  if (!kept.has_value()) return std::optional<LoadedCase>();
  LoadedCase loaded;
  if (!loaded.state.ParseFromString(kept->value.state())) {
    return absl::DataLossError(absl::StrCat("kept state of case ", case_id, " does not parse"));
  }
  loaded.last_commit = kept->value.last_commit();
  loaded.kept_revision = loaded.state.revision();
  return std::optional<LoadedCase>(std::move(loaded));
}

absl::StatusOr<std::vector<projection::PastEvent>> CaseLoader::Events(absl::string_view case_id,
                                                                      uint64_t commit) const {
  DOCKET_ASSIGN_OR_RETURN(const std::vector<v1::CommitRecord> records, RecordsBack(case_id, commit, std::nullopt));
  std::vector<projection::PastEvent> all;
  for (const v1::CommitRecord& record : records) {
    DOCKET_ASSIGN_OR_RETURN(std::vector<v1::Event> events, EventsOf(*SliceOf(record, case_id)));
    for (v1::Event& event : events) all.push_back({record.commit(), std::move(event)});
  }
  return all;
}

absl::StatusOr<std::optional<LoadedCase>> CaseLoader::LoadWithHead(absl::string_view case_id) const {
  projection::CaseRow key;
  key.case_id = std::string(case_id);
  DOCKET_ASSIGN_OR_RETURN(const std::optional<projection::CaseRow> head, store::GetRow(snapshot_, views_, key));
  if (!head.has_value()) return std::optional<LoadedCase>();
  DOCKET_ASSIGN_OR_RETURN(std::optional<LoadedCase> kept, Kept(case_id));
  std::optional<uint64_t> until;
  LoadedCase loaded;
  if (kept.has_value()) {
    until = kept->last_commit;
    loaded = *std::move(kept);
  }
  loaded.last_commit = head->value.last_commit();
  loaded.last_leaf = head->value.last_leaf();
  loaded.listing = head->value.listing();
  DOCKET_ASSIGN_OR_RETURN(const std::vector<v1::CommitRecord> records, RecordsBack(case_id, loaded.last_commit, until));
  for (const v1::CommitRecord& record : records) {
    DOCKET_RETURN_IF_ERROR(FoldSlice(*SliceOf(record, case_id), &loaded.state));
  }
  if (loaded.state.revision() != head->value.revision()) {
    return absl::DataLossError(absl::StrCat("case ", case_id, " folds to revision ", loaded.state.revision(),
                                            ", its row says ", head->value.revision()));
  }
  return std::optional<LoadedCase>(std::move(loaded));
}

absl::StatusOr<std::optional<v1::Case>> CaseLoader::Load(absl::string_view case_id) const {
  DOCKET_ASSIGN_OR_RETURN(std::optional<LoadedCase> loaded, LoadWithHead(case_id));
  if (!loaded.has_value()) return std::optional<v1::Case>();
  return std::optional<v1::Case>(std::move(loaded->state));
}

absl::StatusOr<LoadedCase> CaseLoader::LoadThrough(absl::string_view case_id, uint64_t commit,
                                                   const LoadedCase* base) const {
  std::optional<LoadedCase> from;
  if (base != nullptr && base->last_commit <= commit) {
    from = *base;
  } else {
    DOCKET_ASSIGN_OR_RETURN(from, Kept(case_id));
    if (from.has_value() && from->last_commit > commit) from.reset();
  }
  std::optional<uint64_t> until;
  if (from.has_value()) until = from->last_commit;
  DOCKET_ASSIGN_OR_RETURN(const std::vector<v1::CommitRecord> records, RecordsBack(case_id, commit, until));
  LoadedCase loaded = from.has_value() ? *std::move(from) : LoadedCase();
  for (const v1::CommitRecord& record : records) {
    DOCKET_RETURN_IF_ERROR(FoldSlice(*SliceOf(record, case_id), &loaded.state));
  }
  loaded.last_commit = commit;
  return loaded;
}

absl::StatusOr<v1::Case> CaseLoader::LoadAt(absl::string_view case_id, uint32_t revision) const {
  DOCKET_ASSIGN_OR_RETURN(const std::vector<uint64_t> commits, Commits(case_id));
  v1::Case state;
  for (const uint64_t commit : commits) {
    DOCKET_ASSIGN_OR_RETURN(const std::string stored, log_.Read(commit));
    DOCKET_ASSIGN_OR_RETURN(const v1::CommitRecord record, store::DecodeRecord(stored));
    v1::Slice slice = *SliceOf(record, case_id);
    while (!slice.events().empty() && slice.first_revision() + slice.events_size() - 1 > revision) {
      slice.mutable_events()->RemoveLast();
    }
    if (slice.events().empty()) break;
    DOCKET_RETURN_IF_ERROR(FoldSlice(slice, &state));
  }
  if (state.revision() != revision) {
    return absl::OutOfRangeError(absl::StrCat("revision: ", revision, ", the case has ", state.revision()));
  }
  return state;
}

absl::StatusOr<std::vector<uint64_t>> CaseLoader::Commits(absl::string_view case_id) const {
  projection::CaseRow key;
  key.case_id = std::string(case_id);
  DOCKET_ASSIGN_OR_RETURN(const std::optional<projection::CaseRow> head, store::GetRow(snapshot_, views_, key));
  std::vector<uint64_t> commits;
  if (!head.has_value()) return commits;
  DOCKET_ASSIGN_OR_RETURN(const std::vector<v1::CommitRecord> records,
                          RecordsBack(case_id, head->value.last_commit(), std::nullopt));
  for (const v1::CommitRecord& record : records) commits.push_back(record.commit());
  return commits;
}

}  // namespace docket::engine
