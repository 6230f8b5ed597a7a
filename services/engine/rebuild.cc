#include "services/engine/rebuild.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/engine/case_loader.h"
#include "services/engine/projector.h"
#include "store/record_format.h"
#include "store/requests.h"
#include "store/view_table.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/projection/rows.h"

namespace docket::engine {
namespace {

using store::Family;
using Entries = std::vector<std::pair<std::string, std::string>>;

constexpr uint16_t kMarkerKeyspace = 0;
constexpr char kViewVersions[] = "docket views 7";  // changes with any view's version or row meaning
constexpr size_t kIngestRows = 500'000;
constexpr size_t kWriteRows = 10'000;  // of one batch
constexpr size_t kKeyspaceBytes = 2;   // a view's prefix of its keys
constexpr uint64_t kProgressEvery = 4096;
constexpr uint32_t kKeepStateFrom = 32;  // revisions; shorter cases are quick to fold from the beginning

// Folds a slice of `record` into a case and its listing.
absl::StatusOr<PastChange> FoldInLists(store::KvStore* kv, const store::EventLog& log, const v1::CommitRecord& record,
                                       const v1::Slice& slice, LoadedCase* loaded) {
  DOCKET_RETURN_IF_ERROR(CheckFollows(slice, loaded->state));
  loaded->state.set_case_id(slice.stream_id());
  DOCKET_ASSIGN_OR_RETURN(const std::vector<v1::Event> events, EventsOf(slice));
  const auto earlier = [&]() -> absl::StatusOr<std::vector<projection::PastEvent>> {
    if (slice.prev_commit_plus_1() == 0) return std::vector<projection::PastEvent>();
    const auto snapshot = kv->Snapshot();
    return CaseLoader(*snapshot, Family{}, log).Events(slice.stream_id(), slice.prev_commit_plus_1() - 1);
  };
  return ApplyInLists(events, record.commit(), earlier, &loaded->state, &loaded->listing);
}

// Folds commits to states of bounded number, and gives away the rows of the past that they leave.
class Folder {
 public:
  Folder(store::KvStore* kv, const store::EventLog& log, Family scratch) : kv_(kv), log_(log), scratch_(scratch) {}

  absl::Status Fold(const v1::CommitRecord& record, const std::string& leaf) {
    for (const v1::Slice& slice : record.slices()) {
      if (slice.kind() != v1::STREAM_KIND_CASE) continue;
      DOCKET_ASSIGN_OR_RETURN(LoadedCase * loaded, Find(slice.stream_id()));
      DOCKET_ASSIGN_OR_RETURN(PastChange past, FoldInLists(kv_, log_, record, slice, loaded));
      AddPast(slice.stream_id(), std::move(past));
      loaded->last_commit = record.commit();
      loaded->last_leaf = leaf;
    }
    return held_.size() > kRebuildHeldCases ? Spill() : absl::OkStatus();
  }

  // Rows of the past that stay, to be taken away by the caller.
  Entries& past() { return past_; }
  // Those of cases whose past was made anew, to be written after all others.
  store::KvBatch TakeRewritten(Family views) {
    store::KvBatch batch;
    for (auto& [key, value] : rewritten_) {
      value.has_value() ? batch.Put(views, key, *std::move(value)) : batch.Delete(views, key);
    }
    rewritten_.clear();
    return batch;
  }

  absl::Status Spill() {
    store::KvBatch batch;
    for (const auto& [id, loaded] : held_) {
      projection::SnapshotRow row;
      row.value.set_last_commit(loaded.last_commit);
      row.value.set_state(absl::StrCat(loaded.last_leaf, loaded.state.SerializeAsString()));
      *row.value.mutable_listing() = loaded.listing;
      batch.Put(scratch_, id, row.Value());
    }
    held_.clear();
    return kv_->Write(batch, false);
  }

  static absl::StatusOr<LoadedCase> Parse(absl::string_view value) {
    projection::SnapshotRow row;
    LoadedCase loaded;
    if (!row.SetValue(value) || row.value.state().size() < 32) return absl::DataLossError("scratch row does not parse");
    loaded.last_leaf = row.value.state().substr(0, 32);
    loaded.last_commit = row.value.last_commit();
    loaded.listing = row.value.listing();
    if (!loaded.state.ParseFromString(row.value.state().substr(32)))
      return absl::DataLossError("scratch state does not parse");
    return loaded;
  }

 private:
  absl::StatusOr<LoadedCase*> Find(const std::string& id) {
    const auto [found, inserted] = held_.try_emplace(id);
    if (!inserted) return &found->second;
    auto snapshot = kv_->Snapshot();
    DOCKET_ASSIGN_OR_RETURN(const std::optional<std::string> value, snapshot->Get(scratch_, id));
    if (value.has_value()) {
      DOCKET_ASSIGN_OR_RETURN(found->second, Parse(*value));
    }
    return &found->second;
  }

  void AddPast(const std::string& case_id, PastChange past) {
    if (past.anew) made_anew_.insert(case_id);
    const bool rewritten = made_anew_.contains(case_id);
    for (auto& [key, value] : past.rows) {
      if (rewritten)
        rewritten_[key] = std::move(value);
      else
        past_.emplace_back(key, *std::move(value));
    }
  }

  store::KvStore* const kv_;
  const store::EventLog& log_;
  const Family scratch_;
  std::unordered_map<std::string, LoadedCase> held_;
  Entries past_;
  std::unordered_set<std::string> made_anew_;                    // cases
  std::map<std::string, std::optional<std::string>> rewritten_;  // their rows
};

// Adds sorted rows of one view. The ranges of a view's slices may meet (duties come in the order of cases, not of
// dues), and only a range that is still empty can be ingested; the others are written like any row.
absl::Status AddSlice(store::KvStore* kv, Family views, Entries rows) {
  const absl::Status ingested = kv->IngestSorted(views, rows);
  if (ingested.code() != absl::StatusCode::kFailedPrecondition) return ingested;
  store::KvBatch batch;
  for (auto& [key, value] : rows) {
    batch.Put(views, std::move(key), std::move(value));
    if (batch.entries().size() < kWriteRows) continue;
    DOCKET_RETURN_IF_ERROR(kv->Write(batch, false));
    batch.Clear();
  }
  return batch.empty() ? absl::OkStatus() : kv->Write(batch, false);
}

// View by view: the kept states lie between the views of cases and those of commits, which come at another time.
absl::Status Ingest(store::KvStore* kv, Family views, Entries* entries) {
  std::sort(entries->begin(), entries->end());
  for (auto begin = entries->begin(); begin != entries->end();) {
    const std::string keyspace = begin->first.substr(0, kKeyspaceBytes);
    const auto end = std::find_if(begin, entries->end(), [&](const Entries::value_type& row) {
      return row.first.compare(0, kKeyspaceBytes, keyspace) != 0;
    });
    DOCKET_RETURN_IF_ERROR(AddSlice(kv, views, {std::make_move_iterator(begin), std::make_move_iterator(end)}));
    begin = end;
  }
  entries->clear();
  return absl::OkStatus();
}

// Rows of all folded states, by keyspace so that ingested ranges seldom overlap.
absl::Status EmitStates(store::KvStore* kv, Family scratch, Family views) {
  auto snapshot = kv->Snapshot();
  Entries entries;
  auto states = snapshot->Scan(scratch, "", "");
  for (; states->Valid(); states->Next()) {
    DOCKET_ASSIGN_OR_RETURN(const LoadedCase loaded, Folder::Parse(states->value()));
    for (auto& row : EncodeAllRows(loaded.state, loaded.listing, {loaded.last_commit, loaded.last_leaf}))
      entries.push_back(std::move(row));
    if (loaded.state.revision() >= kKeepStateFrom) {
      projection::SnapshotRow kept;
      kept.case_id = loaded.state.case_id();
      kept.value.set_last_commit(loaded.last_commit);
      kept.value.set_state(loaded.state.SerializeAsString());
      entries.emplace_back(store::RowKey(kept), kept.Value());
    }
    if (entries.size() >= kIngestRows) DOCKET_RETURN_IF_ERROR(Ingest(kv, views, &entries));
  }
  DOCKET_RETURN_IF_ERROR(states->status());
  return Ingest(kv, views, &entries);
}

absl::Status GivenUp(uint64_t done, uint64_t total) {
  return Refuse(absl::StatusCode::kCancelled, "REBUILD_CANCELLED",
                absl::StrCat("the server stops; the rebuild was given up at commit ", done, " of ", total));
}

std::string MarkerKey() { return store::KeyspacePrefix(kMarkerKeyspace); }

}  // namespace

absl::StatusOr<uint64_t> BuildViews(store::KvStore* kv, const store::EventLog& log, Family views, Family scratch,
                                    const Progress& progress) {
  DOCKET_RETURN_IF_ERROR(kv->CreateFamily(scratch));
  const store::LogHead head = log.Head();
  const uint64_t total = head.commits;
  const std::string requests = store::KeyspacePrefix(store::RequestRow::kKeyspace);
  const std::string remembered = FirstRememberedRequest(absl::FromUnixMicros(head.recorded_at_us));
  Folder folder(kv, log, scratch);
  Entries commit_rows;
  auto cursor = log.ReadFrom(0);
  uint64_t done = 0;
  while (done < total) {
    DOCKET_ASSIGN_OR_RETURN(const std::optional<std::string> stored, cursor->Next());
    if (!stored.has_value()) return absl::DataLossError(absl::StrCat("the log ends at commit ", done, " of ", total));
    DOCKET_ASSIGN_OR_RETURN(const v1::CommitRecord record, store::DecodeRecord(*stored));
    DOCKET_RETURN_IF_ERROR(folder.Fold(record, store::LeafHashOf(*stored)));
    store::KvBatch rows;
    ProjectCommit(record, views, &rows);
    for (const store::KvBatch::Entry& entry : rows.entries()) {
      const bool forgotten = entry.key >= requests && entry.key < remembered;
      if (!forgotten) commit_rows.emplace_back(entry.key, *entry.value);
    }
    if (commit_rows.size() >= kIngestRows) DOCKET_RETURN_IF_ERROR(Ingest(kv, views, &commit_rows));
    if (folder.past().size() >= kIngestRows) DOCKET_RETURN_IF_ERROR(Ingest(kv, views, &folder.past()));
    if (++done % kProgressEvery == 0 && !progress(done, total)) return GivenUp(done, total);
  }
  DOCKET_RETURN_IF_ERROR(Ingest(kv, views, &commit_rows));
  DOCKET_RETURN_IF_ERROR(Ingest(kv, views, &folder.past()));
  DOCKET_RETURN_IF_ERROR(kv->Write(folder.TakeRewritten(views), false));
  DOCKET_RETURN_IF_ERROR(folder.Spill());
  DOCKET_RETURN_IF_ERROR(EmitStates(kv, scratch, views));
  DOCKET_RETURN_IF_ERROR(kv->DropFamily(scratch));
  if (!progress(total, total)) return GivenUp(total, total);
  return total;
}

absl::StatusOr<uint64_t> CatchUpViews(store::KvStore* kv, const store::EventLog& log, Family views, uint64_t from) {
  auto cursor = log.ReadFrom(from);
  for (;;) {
    DOCKET_ASSIGN_OR_RETURN(const std::optional<std::string> stored, cursor->Next());
    if (!stored.has_value()) return from;
    DOCKET_ASSIGN_OR_RETURN(const v1::CommitRecord record, store::DecodeRecord(*stored));
    const std::string leaf = store::LeafHashOf(*stored);
    const auto snapshot = kv->Snapshot();
    const CaseLoader loader(*snapshot, views, log);
    store::KvBatch batch;
    for (const v1::Slice& slice : record.slices()) {
      if (slice.kind() != v1::STREAM_KIND_CASE) continue;
      DOCKET_ASSIGN_OR_RETURN(std::optional<LoadedCase> before, loader.LoadWithHead(slice.stream_id()));
      if (!before.has_value()) before.emplace();
      LoadedCase after = *before;
      DOCKET_ASSIGN_OR_RETURN(const PastChange past, FoldInLists(kv, log, record, slice, &after));
      DOCKET_ASSIGN_OR_RETURN(const std::vector<v1::Event> events, EventsOf(slice));
      ProjectChange({before->state, after.state, events, before->listing, after.listing, past, {record.commit(), leaf}},
                    views, &batch);
    }
    ProjectCommit(record, views, &batch);
    DOCKET_RETURN_IF_ERROR(kv->Write(batch, false));
    from = record.commit() + 1;
  }
}

absl::Status MarkComplete(store::KvStore* kv, uint32_t generation) {
  store::KvBatch batch;
  batch.Put(store::ViewFamily(generation), MarkerKey(), kViewVersions);
  return kv->Write(batch, true);
}

absl::StatusOr<std::optional<uint32_t>> FindLiveGeneration(store::KvStore* kv) {
  const auto snapshot = kv->Snapshot();
  std::optional<uint32_t> live;
  for (const Family family : kv->Families()) {
    if (family.id < store::ViewFamily(0).id) continue;
    DOCKET_ASSIGN_OR_RETURN(const std::optional<std::string> marker, snapshot->Get(family, MarkerKey()));
    const uint32_t generation = family.id - store::ViewFamily(0).id;
    if (marker == kViewVersions && (!live.has_value() || generation > *live)) live = generation;
  }
  return live;
}

absl::Status DropOtherGenerations(store::KvStore* kv, uint32_t live) {
  for (const Family family : kv->Families()) {
    if (family.id < store::ViewFamily(0).id || family == store::ViewFamily(live)) continue;
    DOCKET_RETURN_IF_ERROR(kv->DropFamily(family));
  }
  return absl::OkStatus();
}

}  // namespace docket::engine
