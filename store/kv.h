#ifndef DOCKET_STORE_KV_H_
#define DOCKET_STORE_KV_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// The little that Docket asks of an ordered key-value store. RocksKv is the one on disk, MemoryKv its twin for tests;
// both are judged by tests/store/kv_contract_test.cc.
namespace docket::store {

// A column family. Views live in generations: a rebuild fills generation N + 1 beside the live N.
struct Family {
  uint32_t id = 0;
  friend bool operator==(Family a, Family b) { return a.id == b.id; }
  friend auto operator<=>(Family a, Family b) = default;
};
inline constexpr Family kLogFamily{0};
inline constexpr Family kPersonalFamily{1};
inline constexpr Family kOutboxFamily{2};         // in a store of its own, see services/outbox
inline constexpr uint32_t kFirstViewFamily = 16;  // 3..15 are kept free for families that are not views
constexpr Family ViewFamily(uint32_t generation) { return Family{kFirstViewFamily + generation}; }
// Whether a store may have the family or not; log and personal it always has.
constexpr bool IsOptional(Family family) { return family.id == kOutboxFamily.id || family.id >= kFirstViewFamily; }

// Entries that become visible and durable together. Later entries win over earlier ones on the same key.
class KvBatch {
 public:
  struct Entry {
    Family family;
    std::string key;
    std::optional<std::string> value;  // nullopt: delete
  };

  void Put(Family family, std::string key, std::string value) {
    bytes_ += key.size() + value.size();
    entries_.push_back({family, std::move(key), std::move(value)});
  }
  void Delete(Family family, std::string key) {
    bytes_ += key.size();
    entries_.push_back({family, std::move(key), std::nullopt});
  }
  void Append(KvBatch&& other) {
    bytes_ += other.bytes_;
    for (Entry& entry : other.entries_) entries_.push_back(std::move(entry));
    other.Clear();
  }
  void Clear() {
    entries_.clear();
    bytes_ = 0;
  }
  const std::vector<Entry>& entries() const { return entries_; }
  size_t bytes() const { return bytes_; }
  bool empty() const { return entries_.empty(); }

 private:
  std::vector<Entry> entries_;
  size_t bytes_ = 0;
};

// Forward iteration over [lower, upper) of one family of a snapshot. Not thread-safe. The views returned stay valid
// until the next call of Next() or Seek().
class KvIterator {
 public:
  virtual ~KvIterator() = default;
  virtual bool Valid() const = 0;
  virtual void Next() = 0;
  // To the first key >= `key` and < upper, also before where it began. Quicker than a new iterator.
  virtual void Seek(absl::string_view key) = 0;
  virtual absl::string_view key() const = 0;
  virtual absl::string_view value() const = 0;
  virtual absl::Status status() const = 0;  // check when Valid() turns false
};

// A consistent read-only view. Thread-safe. Must not outlive its store.
class KvSnapshot {
 public:
  virtual ~KvSnapshot() = default;
  // nullopt: no such key. kDataLoss: checksum. kNotFound: no such family.
  virtual absl::StatusOr<std::optional<std::string>> Get(Family family, absl::string_view key) const = 0;
  // The same of many keys, in their order, and quicker than one by one; a key may come twice.
  virtual absl::StatusOr<std::vector<std::optional<std::string>>> GetMany(
      Family family, const std::vector<std::string>& keys) const = 0;
  // `upper` empty: to the end of the family.
  virtual std::unique_ptr<KvIterator> Scan(Family family, absl::string_view lower, absl::string_view upper) const = 0;
  // The entry with the greatest key < `upper` and >= `lower`; nullopt: none.
  virtual absl::StatusOr<std::optional<std::pair<std::string, std::string>>> Last(Family family,
                                                                                  absl::string_view lower,
                                                                                  absl::string_view upper) const = 0;
};

class KvStore {
 public:
  virtual ~KvStore() = default;

  // All or nothing. With `sync`, OK means on disk. One writer at a time. kNotFound: an entry names a family that does
  // not exist; nothing was written.
  // kUnavailable: the write failed, its outcome is unknown and every later write is refused until the store is opened
  // again. kResourceExhausted: refused before anything was written (disk reserve).
  virtual absl::Status Write(const KvBatch& batch, bool sync) = 0;

  virtual std::unique_ptr<KvSnapshot> Snapshot() const = 0;

  // Families beyond log and personal, which always exist and are not listed by Families(). Creating one that exists or
  // dropping one that does not is kFailedPrecondition; one that is neither kOutboxFamily nor a ViewFamily is
  // kInvalidArgument. Snapshots taken before a drop still read the dropped family; those taken before its creation do
  // not know it.
  virtual absl::Status CreateFamily(Family family) = 0;
  virtual absl::Status DropFamily(Family family) = 0;
  virtual std::vector<Family> Families() const = 0;

  // Loads sorted unique entries into `family`, which must hold no key in their range. For rebuilds; durable when OK.
  // kInvalidArgument: not sorted or not unique. kFailedPrecondition: there is a key in their range. kNotFound: no such
  // family. Otherwise as Write.
  virtual absl::Status IngestSorted(Family family, const std::vector<std::pair<std::string, std::string>>& entries) = 0;

  // Set once a write or background error has latched writing off; OK before.
  virtual absl::Status WriteLatch() const = 0;
  // What the next write would be refused with before anything is written: the latch, or the disk reserve; OK: nothing.
  virtual absl::Status WriteHealth() const { return WriteLatch(); }
};

}  // namespace docket::store

#endif  // DOCKET_STORE_KV_H_
