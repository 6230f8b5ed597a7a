#include "store/memory_kv.h"

#include <deque>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"
#include "workflow/base/mutex.h"

namespace docket::store {
namespace {

// What a key held from write number `sequence` on; nullopt: deleted.
struct Version {
  uint64_t sequence = 0;
  std::optional<std::string> value;
};
using Row = std::vector<Version>;  // in order of sequence, never empty

struct Table {
  mutable Mutex mutex;  // taken after that of State
  std::map<std::string, Row, std::less<>> rows ABSL_GUARDED_BY(mutex);
};
using Tables = std::map<Family, std::shared_ptr<Table>>;

// A deletion that could not remove its row because a snapshot still saw an older version.
struct Tombstone {
  uint64_t sequence = 0;
  std::shared_ptr<Table> table;
  std::string key;
};

struct State {
  mutable Mutex mutex;
  uint64_t sequence ABSL_GUARDED_BY(mutex) = 0;         // of the last write
  std::multiset<uint64_t> pins ABSL_GUARDED_BY(mutex);  // sequences that snapshots read at
  Tables tables ABSL_GUARDED_BY(mutex);
  std::deque<Tombstone> tombstones ABSL_GUARDED_BY(mutex);  // oldest first

  uint64_t OldestVisible() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    return pins.empty() ? sequence : *pins.begin();
  }
};

// Value of `row` at `sequence`; null: none.
const std::string* ValueAt(const Row& row, uint64_t sequence) {
  for (auto version = row.rbegin(); version != row.rend(); ++version) {
    if (version->sequence <= sequence) return version->value.has_value() ? &*version->value : nullptr;
  }
  return nullptr;
}

// Forgets the versions of `row` that nobody at or after `oldest` can see.
void Prune(Row* row, uint64_t oldest) {
  size_t keep_from = 0;
  for (size_t i = 0; i < row->size() && (*row)[i].sequence <= oldest; ++i) keep_from = i;
  row->erase(row->begin(), row->begin() + keep_from);
}

// A sequence kept readable, shared by a snapshot and its iterators.
class Pin {
 public:
  explicit Pin(std::shared_ptr<State> state) : state_(std::move(state)) {
    const MutexLock lock(&state_->mutex);
    sequence_ = state_->sequence;
    tables_ = state_->tables;
    state_->pins.insert(sequence_);
  }
  ~Pin() {
    const MutexLock lock(&state_->mutex);
    state_->pins.erase(state_->pins.find(sequence_));
  }
  Pin(const Pin&) = delete;
  Pin& operator=(const Pin&) = delete;

  uint64_t sequence() const { return sequence_; }
  // Null: the family did not exist.
  const Table* Find(Family family) const {
    auto found = tables_.find(family);
    return found == tables_.end() ? nullptr : found->second.get();
  }

 private:
  std::shared_ptr<State> state_;
  uint64_t sequence_ = 0;
  Tables tables_;
};

absl::Status NoSuchFamily(Family family) { return absl::NotFoundError(absl::StrCat("no family ", family.id)); }

// Walks the nodes of the map. The current node cannot vanish: a row visible at a pinned sequence is never erased.
class MemoryIterator : public KvIterator {
 public:
  MemoryIterator(std::shared_ptr<const Pin> pin, Family family, absl::string_view lower, absl::string_view upper)
      : pin_(std::move(pin)), table_(pin_->Find(family)), upper_(upper) {
    if (table_ == nullptr) {
      status_ = NoSuchFamily(family);
      return;
    }
    Seek(lower);
  }

  bool Valid() const override { return valid_; }
  void Next() override {
    DOCKET_CHECK(valid_);
    const MutexLock lock(&table_->mutex);
    ++position_;
    SkipInvisible();
  }
  void Seek(absl::string_view key) override {
    if (table_ == nullptr) return;
    const MutexLock lock(&table_->mutex);
    position_ = table_->rows.lower_bound(key);
    SkipInvisible();
  }
  absl::string_view key() const override { return key_; }
  absl::string_view value() const override { return value_; }
  absl::Status status() const override { return status_; }

 private:
  void SkipInvisible() ABSL_EXCLUSIVE_LOCKS_REQUIRED(table_->mutex) {
    valid_ = false;
    for (; position_ != table_->rows.end(); ++position_) {
      if (!upper_.empty() && position_->first >= upper_) return;
      const std::string* value = ValueAt(position_->second, pin_->sequence());
      if (value == nullptr) continue;
      key_ = position_->first;
      value_ = *value;
      valid_ = true;
      return;
    }
  }

  std::shared_ptr<const Pin> pin_;
  const Table* table_;
  std::string upper_;
  std::map<std::string, Row, std::less<>>::const_iterator position_;
  bool valid_ = false;
  std::string key_;
  std::string value_;
  absl::Status status_;
};

class MemorySnapshot : public KvSnapshot {
 public:
  explicit MemorySnapshot(std::shared_ptr<State> state) : pin_(std::make_shared<const Pin>(std::move(state))) {}

  absl::StatusOr<std::optional<std::string>> Get(Family family, absl::string_view key) const override {
    const Table* table = pin_->Find(family);
    if (table == nullptr) return NoSuchFamily(family);
    const MutexLock lock(&table->mutex);
    auto row = table->rows.find(key);
    if (row == table->rows.end()) return std::optional<std::string>();
    const std::string* value = ValueAt(row->second, pin_->sequence());
    return value == nullptr ? std::nullopt : std::optional<std::string>(*value);
  }

  absl::StatusOr<std::vector<std::optional<std::string>>> GetMany(Family family,
                                                                  const std::vector<std::string>& keys) const override {
    std::vector<std::optional<std::string>> values(keys.size());
    for (size_t i = 0; i < keys.size(); ++i) {
      DOCKET_ASSIGN_OR_RETURN(values[i], Get(family, keys[i]));
    }
    return values;
  }

  std::unique_ptr<KvIterator> Scan(Family family, absl::string_view lower, absl::string_view upper) const override {
    return std::make_unique<MemoryIterator>(pin_, family, lower, upper);
  }

  absl::StatusOr<std::optional<std::pair<std::string, std::string>>> Last(Family family, absl::string_view lower,
                                                                          absl::string_view upper) const override {
    using Entry = std::optional<std::pair<std::string, std::string>>;
    const Table* table = pin_->Find(family);
    if (table == nullptr) return NoSuchFamily(family);
    const MutexLock lock(&table->mutex);
    auto row = upper.empty() ? table->rows.end() : table->rows.lower_bound(upper);
    while (row != table->rows.begin()) {
      --row;
      if (row->first < lower) break;
      const std::string* value = ValueAt(row->second, pin_->sequence());
      if (value != nullptr) return Entry(std::make_pair(row->first, *value));
    }
    return Entry();
  }

 private:
  std::shared_ptr<const Pin> pin_;
};

class MemoryKv : public KvStore {
 public:
  MemoryKv() {
    state_->tables[kLogFamily] = std::make_shared<Table>();
    state_->tables[kPersonalFamily] = std::make_shared<Table>();
  }

  absl::Status Write(const KvBatch& batch, bool /*sync*/) override {
    const MutexLock lock(&state_->mutex);
    for (const KvBatch::Entry& entry : batch.entries()) {
      if (!state_->tables.contains(entry.family)) return NoSuchFamily(entry.family);
    }
    ++state_->sequence;
    for (const KvBatch::Entry& entry : batch.entries()) Set(state_->tables[entry.family], entry.key, entry.value);
    SweepTombstones();
    return absl::OkStatus();
  }

  std::unique_ptr<KvSnapshot> Snapshot() const override { return std::make_unique<MemorySnapshot>(state_); }

  absl::Status CreateFamily(Family family) override {
    DOCKET_RETURN_IF_ERROR(CheckOptional(family));
    const MutexLock lock(&state_->mutex);
    if (!state_->tables.try_emplace(family, std::make_shared<Table>()).second) {
      return absl::FailedPreconditionError(absl::StrCat("family ", family.id, " exists already"));
    }
    return absl::OkStatus();
  }

  absl::Status DropFamily(Family family) override {
    DOCKET_RETURN_IF_ERROR(CheckOptional(family));
    const MutexLock lock(&state_->mutex);
    if (state_->tables.erase(family) == 0) {
      return absl::FailedPreconditionError(absl::StrCat("family ", family.id, " does not exist"));
    }
    return absl::OkStatus();
  }

  std::vector<Family> Families() const override {
    const MutexLock lock(&state_->mutex);
    std::vector<Family> families;
    for (const auto& [family, table] : state_->tables) {
      if (IsOptional(family)) families.push_back(family);
    }
    return families;
  }

  absl::Status IngestSorted(Family family, const std::vector<std::pair<std::string, std::string>>& entries) override {
    if (entries.empty()) return absl::OkStatus();
    for (size_t i = 1; i < entries.size(); ++i) {
      if (entries[i - 1].first >= entries[i].first) {
        return absl::InvalidArgumentError(absl::StrCat("entry ", i, " to ingest is not greater than the one before"));
      }
    }
    DOCKET_ASSIGN_OR_RETURN(
        auto last, Snapshot()->Last(family, entries.front().first, entries.back().first + std::string(1, '\0')));
    if (last.has_value()) {
      return absl::FailedPreconditionError(absl::StrCat("family ", family.id, " has keys in the range to ingest"));
    }
    KvBatch batch;
    for (const auto& [key, value] : entries) batch.Put(family, key, value);
    return Write(batch, /*sync=*/true);
  }

  absl::Status WriteLatch() const override { return absl::OkStatus(); }

 private:
  static absl::Status CheckOptional(Family family) {
    if (IsOptional(family)) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("family: ", family.id, ", want ", kOutboxFamily.id, " or at least ", kFirstViewFamily));
  }

  void Set(const std::shared_ptr<Table>& table, const std::string& key, const std::optional<std::string>& value)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_->mutex) {
    const MutexLock lock(&table->mutex);
    Row& row = table->rows[key];
    if (!row.empty() && row.back().sequence == state_->sequence) {
      row.back().value = value;
    } else {
      row.push_back({state_->sequence, value});
    }
    Prune(&row, state_->OldestVisible());
    // Even when no snapshot is left to see an older version, a later entry of the same batch may set the key again, so
    // the row goes only in the sweep.
    if (!value.has_value()) state_->tombstones.push_back({state_->sequence, table, key});
  }

  void SweepTombstones() ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_->mutex) {
    const uint64_t oldest = state_->OldestVisible();
    while (!state_->tombstones.empty() && state_->tombstones.front().sequence <= oldest) {
      const Tombstone tombstone = std::move(state_->tombstones.front());
      state_->tombstones.pop_front();
      const MutexLock lock(&tombstone.table->mutex);
      auto row = tombstone.table->rows.find(tombstone.key);
      if (row == tombstone.table->rows.end()) continue;
      Prune(&row->second, oldest);
      if (row->second.size() == 1 && !row->second.front().value.has_value()) tombstone.table->rows.erase(row);
    }
  }

  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace

std::unique_ptr<KvStore> OpenMemoryKv() { return std::make_unique<MemoryKv>(); }

}  // namespace docket::store
