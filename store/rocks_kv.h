#ifndef DOCKET_STORE_ROCKS_KV_H_
#define DOCKET_STORE_ROCKS_KV_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "store/kv.h"

namespace rocksdb {
class FileSystem;
}  // namespace rocksdb

namespace docket::store {

inline constexpr uint64_t kDefaultDiskReserveBytes = uint64_t{256} << 20;

struct RocksOptions {
  std::string path;  // folder, created (with its parents) when missing
  // Null: the operating system's. Injected by tests to own the disk.
  std::shared_ptr<rocksdb::FileSystem> file_system;
  // Writes are refused while fewer bytes than this are free, because this RocksDB aborts the process when the disk fills
  // up in the middle of a write. Opening is refused below a quarter of it, since recovery writes too.
  uint64_t disk_reserve_bytes = kDefaultDiskReserveBytes;
  // Free bytes of the disk. Null: statvfs of `path`; with an injected file system: no limit.
  std::function<uint64_t()> free_bytes;
  // False only in tests, to show that the crash tests fail without syncing. Never in production.
  bool sync = true;
  // Told in one line what an operator should know: a repaired torn tail, the error that disabled writing, an unreadable
  // block. May name paths. Called from any thread; must not block or call the store. Null: nobody.
  std::function<void(absl::string_view)> notice;
};

// Opens, or creates, the store on disk. No default of RocksDB that gives up acknowledged data in silence is left on;
// rocks_options.cc says which and why.
//
// kFailedPrecondition: the folder is in use by this or another process (reason DATA_IN_USE), or was written by a newer
// version. kDataLoss: damaged; the message says what to do, and nothing was changed. A torn tail of the newest WAL (an
// unfinished last group and nothing after it) is no damage: it is cut off and the old file kept beside it.
// kResourceExhausted (reason DISK_RESERVE): too little free space to open. kUnavailable: the disk failed.
absl::StatusOr<std::unique_ptr<KvStore>> OpenRocksKv(const RocksOptions& options);

}  // namespace docket::store

#endif  // DOCKET_STORE_ROCKS_KV_H_
