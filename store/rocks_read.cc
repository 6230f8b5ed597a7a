#include "store/rocks_read.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"

namespace docket::store {
namespace {

absl::string_view ToView(const rocksdb::Slice& slice) { return absl::string_view(slice.data(), slice.size()); }

// The status of a failed read. The detail, which may name files, goes to the operator only.
absl::Status ReadError(const Notice& notice, const rocksdb::Status& status) {
  if (notice) notice(absl::StrCat("a read failed: ", status.ToString()));
  if (status.IsCorruption()) return absl::DataLossError("the store holds a damaged block");
  return absl::UnavailableError("the store could not be read");
}

class RocksIterator : public KvIterator {
 public:
  // `handle` null: the family does not exist.
  RocksIterator(rocksdb::DB* db, const rocksdb::Snapshot* snapshot, Family family, Handle handle, Notice notice,
                absl::string_view lower, absl::string_view upper)
      : handle_(std::move(handle)), notice_(std::move(notice)), upper_(upper), upper_slice_(upper_) {
    if (handle_ == nullptr) {
      no_family_ = NoSuchFamily(family);
      return;
    }
    rocksdb::ReadOptions options;
    options.snapshot = snapshot;
    options.verify_checksums = true;
    if (!upper_.empty()) options.iterate_upper_bound = &upper_slice_;
    iterator_.reset(db->NewIterator(options, handle_.get()));
    iterator_->Seek(ToSlice(lower));
  }

  bool Valid() const override { return iterator_ != nullptr && iterator_->Valid(); }
  void Next() override {
    DOCKET_CHECK(Valid());
    iterator_->Next();
  }
  void Seek(absl::string_view key) override {
    if (iterator_ != nullptr) iterator_->Seek(ToSlice(key));
  }
  absl::string_view key() const override { return ToView(iterator_->key()); }
  absl::string_view value() const override { return ToView(iterator_->value()); }
  absl::Status status() const override {
    if (iterator_ == nullptr) return no_family_;
    const rocksdb::Status status = iterator_->status();
    return status.ok() ? absl::OkStatus() : ReadError(notice_, status);
  }

 private:
  Handle handle_;  // outlives iterator_
  Notice notice_;
  std::string upper_;
  rocksdb::Slice upper_slice_;  // of upper_, which RocksDB reads as long as the iterator lives
  absl::Status no_family_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

class RocksSnapshot : public KvSnapshot {
 public:
  RocksSnapshot(rocksdb::DB* db, std::shared_ptr<const Handles> handles, Notice notice)
      : db_(db), handles_(std::move(handles)), notice_(std::move(notice)), snapshot_(db->GetSnapshot()) {}
  ~RocksSnapshot() override { db_->ReleaseSnapshot(snapshot_); }

  absl::StatusOr<std::optional<std::string>> Get(Family family, absl::string_view key) const override {
    rocksdb::ColumnFamilyHandle* handle = Find(*handles_, family);
    if (handle == nullptr) return NoSuchFamily(family);
    std::string value;
    const rocksdb::Status status = db_->Get(Options(), handle, ToSlice(key), &value);
    if (status.IsNotFound()) return std::optional<std::string>();
    if (!status.ok()) return ReadError(notice_, status);
    return std::optional<std::string>(std::move(value));
  }

  absl::StatusOr<std::vector<std::optional<std::string>>> GetMany(Family family,
                                                                  const std::vector<std::string>& keys) const override {
    rocksdb::ColumnFamilyHandle* handle = Find(*handles_, family);
    if (handle == nullptr) return NoSuchFamily(family);
    std::vector<rocksdb::Slice> wanted;
    wanted.reserve(keys.size());
    for (const std::string& key : keys) wanted.push_back(ToSlice(key));
    std::vector<rocksdb::PinnableSlice> found(keys.size());
    std::vector<rocksdb::Status> statuses(keys.size());
    db_->MultiGet(Options(), handle, keys.size(), wanted.data(), found.data(), statuses.data());
    std::vector<std::optional<std::string>> values(keys.size());
    for (size_t i = 0; i < keys.size(); ++i) {
      if (statuses[i].IsNotFound()) continue;
      if (!statuses[i].ok()) return ReadError(notice_, statuses[i]);
      values[i].emplace(found[i].data(), found[i].size());
    }
    return values;
  }

  std::unique_ptr<KvIterator> Scan(Family family, absl::string_view lower, absl::string_view upper) const override {
    auto found = handles_->find(family);
    return std::make_unique<RocksIterator>(db_, snapshot_, family, found == handles_->end() ? nullptr : found->second,
                                           notice_, lower, upper);
  }

  absl::StatusOr<std::optional<std::pair<std::string, std::string>>> Last(Family family, absl::string_view lower,
                                                                          absl::string_view upper) const override {
    using Entry = std::optional<std::pair<std::string, std::string>>;
    rocksdb::ColumnFamilyHandle* handle = Find(*handles_, family);
    if (handle == nullptr) return NoSuchFamily(family);
    const rocksdb::Slice lower_slice = ToSlice(lower);
    const rocksdb::Slice upper_slice = ToSlice(upper);
    rocksdb::ReadOptions options = Options();
    options.iterate_lower_bound = &lower_slice;
    if (!upper.empty()) options.iterate_upper_bound = &upper_slice;
    std::unique_ptr<rocksdb::Iterator> iterator(db_->NewIterator(options, handle));
    iterator->SeekToLast();
    if (iterator->Valid()) return Entry(std::make_pair(iterator->key().ToString(), iterator->value().ToString()));
    if (!iterator->status().ok()) return ReadError(notice_, iterator->status());
    return Entry();
  }

 private:
  rocksdb::ReadOptions Options() const {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot_;
    options.verify_checksums = true;
    return options;
  }

  rocksdb::DB* db_;
  std::shared_ptr<const Handles> handles_;
  Notice notice_;
  const rocksdb::Snapshot* snapshot_;
};

}  // namespace

absl::Status NoSuchFamily(Family family) { return absl::NotFoundError(absl::StrCat("no family ", family.id)); }

rocksdb::ColumnFamilyHandle* Find(const Handles& handles, Family family) {
  auto found = handles.find(family);
  return found == handles.end() ? nullptr : found->second.get();
}

std::unique_ptr<KvSnapshot> SnapshotOf(rocksdb::DB* db, std::shared_ptr<const Handles> handles, Notice notice) {
  return std::make_unique<RocksSnapshot>(db, std::move(handles), std::move(notice));
}

}  // namespace docket::store
