#ifndef DOCKET_STORE_ROCKS_READ_H_
#define DOCKET_STORE_ROCKS_READ_H_

#include <functional>
#include <map>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rocksdb/db.h"
#include "store/kv.h"

// Reading of rocks_kv.h: snapshots and their iterators. Every block read is checked.
namespace docket::store {

using Notice = std::function<void(absl::string_view)>;

// Handles live until the last snapshot or iterator that knows the family is gone, so a drop disturbs no reader.
using Handle = std::shared_ptr<rocksdb::ColumnFamilyHandle>;
using Handles = std::map<Family, Handle>;

inline rocksdb::Slice ToSlice(absl::string_view text) { return rocksdb::Slice(text.data(), text.size()); }

// Null: there is no such family.
rocksdb::ColumnFamilyHandle* Find(const Handles& handles, Family family);
absl::Status NoSuchFamily(Family family);

// Of now. `db` outlives it.
std::unique_ptr<KvSnapshot> SnapshotOf(rocksdb::DB* db, std::shared_ptr<const Handles> handles, Notice notice);

}  // namespace docket::store

#endif  // DOCKET_STORE_ROCKS_READ_H_
