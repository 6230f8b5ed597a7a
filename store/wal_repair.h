#ifndef DOCKET_STORE_WAL_REPAIR_H_
#define DOCKET_STORE_WAL_REPAIR_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rocksdb {
class FileSystem;
}  // namespace rocksdb

// Internal to store/: tells a torn tail of the WAL, which a power cut leaves behind, from damage, which may have taken
// acknowledged data. RocksDB itself refuses both alike in the recovery mode that we use.
//
// The WAL is a row of 32 KiB blocks of fragments: masked crc32c (4) || length (2) || type (1) || payload, little endian;
// type 1 is a whole record, 2, 3 and 4 are its first, middle and last fragments. A fragment does not cross a block.
namespace docket::store {

struct WalScan {
  uint64_t complete_bytes = 0;  // up to the end of the last complete record before any damage
  bool damaged = false;         // something follows those that is neither a valid record nor zeros up to the end
  bool record_after = false;    // after the damage there is a fragment of a record other than the one damaged
};
WalScan ScanWal(absl::string_view bytes);

struct TornTail {
  std::string kept_file;  // the WAL as it was found, for the operator
  uint64_t cut_bytes = 0;
};
// Cuts the torn tail off the newest WAL of `folder`, keeping the original beside it. Because one synced group at a time
// is in flight, a tail is torn when the damage lies in the last record and no other record follows it.
// kDataLoss: there is other damage than that; nothing was changed. kUnavailable: the disk failed.
absl::StatusOr<TornTail> CutTornTail(rocksdb::FileSystem* file_system, const std::string& folder);

}  // namespace docket::store

#endif  // DOCKET_STORE_WAL_REPAIR_H_
