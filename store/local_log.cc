#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "store/event_log.h"
#include "store/high_water.h"
#include "store/ordered_key.h"
#include "store/record_format.h"
#include "workflow/base/check.h"
#include "workflow/base/mutex.h"
#include "workflow/base/refusal.h"

// Rows of the log family: kMetaKey, written once, then U64(commit) -> stored value. The head is not stored: it is read
// off the last commit, so there is nothing that could disagree with it, and no second row per append.
namespace docket::store {
namespace {

constexpr uint8_t kMetaVersion = 1;
constexpr size_t kLogIdBytes = 16;

// One zero byte sorts before every commit. It must not sort after them: then the file that holds it would overlap every
// later file of the family, and compaction would rewrite the log instead of only moving files.
std::string MetaKey() { return std::string(1, '\0'); }
std::string CommitKey(uint64_t commit) { return KeyWriter().U64(commit).Take(); }

std::string MetaValue(absl::string_view log_id) {
  return absl::StrCat(std::string(1, static_cast<char>(kMetaVersion)), log_id);
}

std::string Describe(absl::string_view log_id, uint64_t commits) {
  return absl::StrCat("log ", absl::BytesToHexString(log_id), " with ", commits, " commits");
}

class Cursor : public LogCursor {
 public:
  Cursor(std::unique_ptr<KvSnapshot> snapshot, uint64_t from, uint64_t end)
      : snapshot_(std::move(snapshot)),
        next_(from),
        end_(end),
        iterator_(snapshot_->Scan(kLogFamily, CommitKey(from), CommitKey(end))) {}

  absl::StatusOr<std::optional<std::string>> Next() override {
    if (next_ >= end_) return std::optional<std::string>();
    if (!iterator_->Valid()) {
      DOCKET_RETURN_IF_ERROR(iterator_->status());
      return absl::DataLossError(absl::StrCat("commit ", next_, " is missing from the log"));
    }
    if (iterator_->key() != CommitKey(next_)) {
      return absl::DataLossError(absl::StrCat("commit ", next_, " is missing from the log"));
    }
    if (absl::Status checked = CheckStored(iterator_->value()); !checked.ok()) {
      return absl::DataLossError(absl::StrCat("commit ", next_, ": ", checked.message()));
    }
    std::optional<std::string> stored(std::string(iterator_->value()));
    iterator_->Next();
    ++next_;
    return stored;
  }

 private:
  std::unique_ptr<KvSnapshot> snapshot_;
  uint64_t next_;
  uint64_t end_;
  std::unique_ptr<KvIterator> iterator_;
};

class LocalLog : public EventLog {
 public:
  LocalLog(KvStore* store, LocalLogOptions options, LogHead head)
      : store_(store), options_(std::move(options)), head_(std::move(head)) {
    if (options_.steady_now == nullptr) options_.steady_now = [] { return std::chrono::steady_clock::now(); };
  }

  ~LocalLog() override {
    // Nobody is left to tell; the next opening then checks from the older mark on.
    if (marked_commits_ != Head().commits) Mark().IgnoreError();
  }

  // Writes the high-water mark of the head.
  absl::Status Mark() {
    if (options_.high_water_path.empty()) return absl::OkStatus();
    const LogHead head = Head();
    DOCKET_RETURN_IF_ERROR(WriteHighWater(options_.high_water_path, {head.log_id, head.commits, head.last_leaf}));
    marked_commits_ = head.commits;
    marked_at_ = options_.steady_now();
    return absl::OkStatus();
  }

  LogHead Head() const override {
    const MutexLock lock(&mutex_);
    return head_;
  }

  absl::Status Append(const std::vector<EncodedCommit>& commits, KvBatch rows) override {
    if (latched_) {
      return Refuse(absl::StatusCode::kUnavailable, "WRITES_DISABLED",
                    "an earlier append failed, so the log takes no more until it is opened again; nothing was written");
    }
    LogHead after = Head();
    KvBatch batch;
    for (const EncodedCommit& commit : commits) {
      DOCKET_RETURN_IF_ERROR(Follow(commit, &after));
      batch.Put(kLogFamily, CommitKey(commit.commit), commit.stored);
    }
    for (const KvBatch::Entry& row : rows.entries()) DOCKET_CHECK(row.family != kLogFamily);
    batch.Append(std::move(rows));
    const absl::Status written = store_->Write(batch, /*sync=*/true);
    if (absl::IsUnavailable(written)) latched_ = true;
    if (!written.ok()) return written;
    {
      const MutexLock lock(&mutex_);
      head_ = std::move(after);
    }
    // The commits are durable whatever becomes of the mark. A folder that does not take it is a disk that fails, so the
    // next append is refused rather than widening what a loss could hide.
    if (options_.steady_now() - marked_at_ >= kHighWaterInterval && !Mark().ok()) latched_ = true;
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Read(uint64_t commit) const override {
    if (const uint64_t commits = Head().commits; commit >= commits) {
      return absl::NotFoundError(absl::StrCat("commit: ", commit, ", want less than ", commits));
    }
    DOCKET_ASSIGN_OR_RETURN(std::optional<std::string> stored,
                            store_->Snapshot()->Get(kLogFamily, CommitKey(commit)));
    if (!stored.has_value()) return absl::DataLossError(absl::StrCat("commit ", commit, " is missing from the log"));
    if (absl::Status checked = CheckStored(*stored); !checked.ok()) {
      return absl::DataLossError(absl::StrCat("commit ", commit, ": ", checked.message()));
    }
    return *std::move(stored);
  }

  std::unique_ptr<LogCursor> ReadFrom(uint64_t commit) const override {
    const uint64_t end = Head().commits;  // before the snapshot, which therefore holds all of them
    return std::make_unique<Cursor>(store_->Snapshot(), commit, end);
  }

 private:
  // Checks that `commit` continues `head` and moves it on.
  static absl::Status Follow(const EncodedCommit& commit, LogHead* head) {
    if (commit.commit != head->commits || commit.first_position != head->next_position) {
      return absl::AbortedError(absl::StrCat("commit ", commit.commit, " at position ", commit.first_position,
                                             " does not follow the head, want commit ", head->commits,
                                             " at position ", head->next_position));
    }
    if (commit.recorded_at_us < head->recorded_at_us) {
      return absl::AbortedError(absl::StrCat("recorded_at_us: ", commit.recorded_at_us, " of commit ", commit.commit,
                                             " is before that of its predecessor, ", head->recorded_at_us));
    }
    DOCKET_CHECK(commit.next_position >= commit.first_position);
    DOCKET_CHECK(commit.leaf.size() == 32);
    DOCKET_CHECK(CheckStored(commit.stored).ok());
    head->commits = commit.commit + 1;
    head->next_position = commit.next_position;
    head->recorded_at_us = commit.recorded_at_us;
    head->last_leaf = commit.leaf;
    return absl::OkStatus();
  }

  KvStore* const store_;
  LocalLogOptions options_;
  mutable Mutex mutex_;
  LogHead head_ ABSL_GUARDED_BY(mutex_);
  bool latched_ = false;  // writer only, as is what follows
  uint64_t marked_commits_ = UINT64_MAX;
  std::chrono::steady_clock::time_point marked_at_;
};

// --- opening

// The log id of the store; "" when the log family is empty.
absl::StatusOr<std::string> StoredLogId(const KvSnapshot& snapshot) {
  DOCKET_ASSIGN_OR_RETURN(const auto meta, snapshot.Get(kLogFamily, MetaKey()));
  if (!meta.has_value()) {
    DOCKET_ASSIGN_OR_RETURN(const auto last, snapshot.Last(kLogFamily, CommitKey(0), ""));
    if (last.has_value()) return absl::DataLossError("the log has commits but no identity");
    return std::string();
  }
  if (meta->size() != 1 + kLogIdBytes) return absl::DataLossError("the identity of the log is malformed");
  if (static_cast<uint8_t>(meta->front()) != kMetaVersion) {
    return absl::FailedPreconditionError("the log was written by a newer version");
  }
  return meta->substr(1);
}

// Moves `head` on over commit number `number`, stored as `stored`. `known`: head describes the commit before.
absl::Status Verify(uint64_t number, absl::string_view stored, bool known, LogHead* head) {
  DOCKET_ASSIGN_OR_RETURN(const v1::CommitRecord record, DecodeRecord(stored));
  const auto wrong = [number](absl::string_view what) {
    return absl::DataLossError(absl::StrCat("commit ", number, ": ", what));
  };
  if (record.commit() != number) return wrong(absl::StrCat("the record says it is commit ", record.commit()));
  if (record.log_id() != head->log_id) {
    return wrong(absl::StrCat("the record is of log ", absl::BytesToHexString(record.log_id()), ", want ",
                              absl::BytesToHexString(head->log_id)));
  }
  if (known && record.first_position() != head->next_position) {
    return wrong(absl::StrCat("first_position is ", record.first_position(), ", want ", head->next_position));
  }
  if (known && record.recorded_at_us() < head->recorded_at_us) return wrong("recorded_at_us goes back");
  uint64_t events = 0;
  for (const v1::Slice& slice : record.slices()) events += slice.events_size();
  head->commits = number + 1;
  head->next_position = record.first_position() + events;
  head->recorded_at_us = record.recorded_at_us();
  head->last_leaf = LeafHashOf(stored);
  return absl::OkStatus();
}

// Reads the head off the last commit, verifying every commit from number `from` on.
absl::Status VerifyTail(std::unique_ptr<KvSnapshot> snapshot, uint64_t from, uint64_t commits,
                        const std::optional<HighWater>& mark, LogHead* head) {
  Cursor cursor(std::move(snapshot), from, commits);
  for (uint64_t number = from; number < commits; ++number) {
    DOCKET_ASSIGN_OR_RETURN(const std::optional<std::string> stored, cursor.Next());
    DOCKET_CHECK(stored.has_value());
    DOCKET_RETURN_IF_ERROR(Verify(number, *stored, /*known=*/number > from || number == 0, head));
    if (mark.has_value() && mark->commits == number + 1 && mark->last_leaf != head->last_leaf) {
      return absl::DataLossError(absl::StrCat(
          "commit ", number, " has leaf ", absl::BytesToHexString(head->last_leaf), " but the high-water mark says ",
          absl::BytesToHexString(mark->last_leaf), ": this is not the log that was marked; restore it from a backup"));
    }
  }
  return absl::OkStatus();
}

// Compares what the store holds (log_id "": nothing) with the mark.
absl::Status CheckMark(const LocalLogOptions& options, absl::string_view log_id, uint64_t commits,
                       const std::optional<HighWater>& mark) {
  if (options.high_water_path.empty()) return absl::OkStatus();
  if (!mark.has_value()) {
    // The mark is written before the first commit, so only an empty log may be without.
    if (commits == 0 || options.accept_missing_high_water) return absl::OkStatus();
    return absl::DataLossError(absl::StrCat(
        Describe(log_id, commits), " has lost its high-water mark ", options.high_water_path,
        ", so nothing tells whether it is complete; restore the file, or compare the log with a copy and start with --accept-missing-high-water"));
  }
  if (mark->log_id != log_id) {
    return absl::DataLossError(absl::StrCat(
        "the store holds ", log_id.empty() ? "no log" : Describe(log_id, commits), " but the high-water mark is of ",
        Describe(mark->log_id, mark->commits), "; restore the folder from a backup"));
  }
  if (commits < mark->commits) {
    return absl::DataLossError(absl::StrCat("the store holds ", Describe(log_id, commits),
                                            " but the high-water mark says ", mark->commits,
                                            " commits: acknowledged commits are missing; restore a backup that has them"));
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> CountCommits(const KvSnapshot& snapshot) {
  DOCKET_ASSIGN_OR_RETURN(const auto last, snapshot.Last(kLogFamily, CommitKey(0), ""));
  if (!last.has_value()) return 0;
  KeyReader reader(last->first);
  uint64_t number = 0;
  if (!reader.U64(&number) || !reader.AtEnd()) return absl::DataLossError("the log has a malformed key");
  return number + 1;
}

}  // namespace

absl::StatusOr<std::unique_ptr<EventLog>> OpenLocalLog(KvStore* store, const LocalLogOptions& options) {
  LogHead head;
  std::unique_ptr<KvSnapshot> snapshot = store->Snapshot();
  DOCKET_ASSIGN_OR_RETURN(head.log_id, StoredLogId(*snapshot));
  DOCKET_ASSIGN_OR_RETURN(const uint64_t commits, CountCommits(*snapshot));
  std::optional<HighWater> mark;
  if (!options.high_water_path.empty()) {
    DOCKET_ASSIGN_OR_RETURN(mark, ReadHighWater(options.high_water_path));
  }
  DOCKET_RETURN_IF_ERROR(CheckMark(options, head.log_id, commits, mark));
  if (head.log_id.empty()) {
    if (options.new_log_id.size() != kLogIdBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("new_log_id: ", options.new_log_id.size(), " bytes, want ", kLogIdBytes));
    }
    head.log_id = options.new_log_id;
    KvBatch batch;
    batch.Put(kLogFamily, MetaKey(), MetaValue(head.log_id));
    DOCKET_RETURN_IF_ERROR(store->Write(batch, /*sync=*/true));
  }
  if (commits > 0) {
    const uint64_t from = !mark.has_value() ? commits - 1 : mark->commits == 0 ? 0 : mark->commits - 1;
    DOCKET_RETURN_IF_ERROR(VerifyTail(std::move(snapshot), from, commits, mark, &head));
  }
  auto log = std::make_unique<LocalLog>(store, options, std::move(head));
  DOCKET_RETURN_IF_ERROR(log->Mark());
  return std::unique_ptr<EventLog>(std::move(log));
}

}  // namespace docket::store
