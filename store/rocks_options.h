#ifndef DOCKET_STORE_ROCKS_OPTIONS_H_
#define DOCKET_STORE_ROCKS_OPTIONS_H_

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rocksdb/cache.h"
#include "rocksdb/options.h"
#include "store/kv.h"

// Internal to store/: how RocksDB is set up, and the latch its errors set.
namespace docket::store {

// The first error that made writing unsafe. Set once, for the life of the store. Thread-safe.
class ErrorLatch {
 public:
  explicit ErrorLatch(std::function<void(absl::string_view)> notice) : notice_(std::move(notice)) {}
  void Set(absl::string_view cause);
  bool IsSet() const { return set_.load(std::memory_order_acquire); }
  absl::Status status() const;  // kUnavailable, reason WRITES_DISABLED; OK before Set

 private:
  std::function<void(absl::string_view)> notice_;
  std::atomic<bool> set_ = false;
};

rocksdb::DBOptions MakeDbOptions(rocksdb::Env* env, std::shared_ptr<ErrorLatch> latch);
std::shared_ptr<rocksdb::Cache> MakeBlockCache();
rocksdb::ColumnFamilyOptions MakeFamilyOptions(Family family, const std::shared_ptr<rocksdb::Cache>& cache);

// "log", "personal", "outbox", "views.g<N>"; nullopt for a name that is none of these.
std::string FamilyName(Family family);
std::optional<Family> ParseFamilyName(absl::string_view name);

}  // namespace docket::store

#endif  // DOCKET_STORE_ROCKS_OPTIONS_H_
