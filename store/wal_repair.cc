#include "store/wal_repair.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "rocksdb/file_system.h"
#include "store/record_format.h"
#include "workflow/base/check.h"

namespace docket::store {
namespace {

constexpr size_t kBlockBytes = 32 << 10;
constexpr size_t kHeaderBytes = 7;
enum FragmentType : uint8_t { kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

struct Fragment {
  FragmentType type = kFull;
  size_t bytes = 0;  // header included
};

uint32_t LittleEndian(absl::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = (value << 8) | static_cast<uint8_t>(bytes[i]);
  return value;
}

// LevelDB's mask keeps a crc of data that holds crcs from being weak.
uint32_t Unmask(uint32_t masked) {
  const uint32_t rotated = masked - 0xa282ead8u;
  return (rotated >> 17) | (rotated << 15);
}

// The valid fragment at `offset`; nullopt: none. REQUIRES: offset <= bytes.size().
std::optional<Fragment> FragmentAt(absl::string_view bytes, size_t offset) {
  const size_t block_end = std::min(bytes.size(), (offset / kBlockBytes + 1) * kBlockBytes);
  if (block_end - offset < kHeaderBytes) return std::nullopt;
  const uint32_t length = LittleEndian(bytes.substr(offset + 4, 2));
  const auto type = static_cast<uint8_t>(bytes[offset + 6]);
  if (type < kFull || type > kLast || length > block_end - offset - kHeaderBytes) return std::nullopt;
  if (Unmask(LittleEndian(bytes.substr(offset, 4))) != Crc32c(bytes.substr(offset + 6, 1 + length))) return std::nullopt;
  return Fragment{static_cast<FragmentType>(type), kHeaderBytes + length};
}

bool OnlyZeros(absl::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char byte) { return byte == '\0'; });
}

// Whether a valid fragment from `offset` on belongs to another record than the damaged one, whose own middle and last
// fragments may have reached the disk. Every byte is tried, for the damage may have taken the lengths.
bool OtherRecordFollows(absl::string_view bytes, size_t offset) {
  bool damaged_record_over = false;
  while (offset < bytes.size()) {
    const std::optional<Fragment> fragment = FragmentAt(bytes, offset);
    if (!fragment.has_value()) {
      ++offset;
      continue;
    }
    if (damaged_record_over || fragment->type == kFull || fragment->type == kFirst) return true;
    if (fragment->type == kLast) damaged_record_over = true;
    offset += fragment->bytes;
  }
  return false;
}

absl::Status DiskError(absl::string_view doing, const rocksdb::IOStatus& status) {
  return absl::UnavailableError(absl::StrCat(doing, ": ", status.ToString()));
}

absl::StatusOr<std::string> ReadWhole(rocksdb::FileSystem* file_system, const std::string& path) {
  std::unique_ptr<rocksdb::FSSequentialFile> file;
  rocksdb::IOStatus status = file_system->NewSequentialFile(path, {}, &file, nullptr);
  std::string bytes;
  std::string chunk(1 << 20, '\0');
  while (status.ok()) {
    rocksdb::Slice read;
    status = file->Read(chunk.size(), {}, &read, chunk.data(), nullptr);
    if (status.ok() && read.empty()) return bytes;
    bytes.append(read.data(), read.size());
  }
  return DiskError(absl::StrCat("read ", path), status);
}

absl::Status WriteWhole(rocksdb::FileSystem* file_system, const std::string& path, absl::string_view bytes) {
  std::unique_ptr<rocksdb::FSWritableFile> file;
  rocksdb::IOStatus status = file_system->NewWritableFile(path, {}, &file, nullptr);
  if (status.ok()) status = file->Append(rocksdb::Slice(bytes.data(), bytes.size()), {}, nullptr);
  if (status.ok()) status = file->Fsync({}, nullptr);
  if (status.ok()) status = file->Close({}, nullptr);
  return status.ok() ? absl::OkStatus() : DiskError(absl::StrCat("write ", path), status);
}

absl::Status SyncFolder(rocksdb::FileSystem* file_system, const std::string& folder) {
  std::unique_ptr<rocksdb::FSDirectory> directory;
  rocksdb::IOStatus status = file_system->NewDirectory(folder, {}, &directory, nullptr);
  if (status.ok()) status = directory->Fsync({}, nullptr);
  return status.ok() ? absl::OkStatus() : DiskError(absl::StrCat("sync ", folder), status);
}

// Path of the WAL with the highest number; "" when there is none.
absl::StatusOr<std::string> NewestWal(rocksdb::FileSystem* file_system, const std::string& folder) {
  std::vector<std::string> names;
  const rocksdb::IOStatus status = file_system->GetChildren(folder, {}, &names, nullptr);
  if (!status.ok()) return DiskError(absl::StrCat("list ", folder), status);
  std::string newest;
  uint64_t newest_number = 0;
  for (const std::string& name : names) {
    absl::string_view stem(name);
    uint64_t number = 0;
    if (!absl::ConsumeSuffix(&stem, ".log") || !absl::SimpleAtoi(stem, &number) || number < newest_number) continue;
    newest = absl::StrCat(folder, "/", name);
    newest_number = number;
  }
  return newest;
}

}  // namespace

WalScan ScanWal(absl::string_view bytes) {
  WalScan scan;
  size_t offset = 0;
  bool inside_record = false;
  while (offset < bytes.size()) {
    const size_t left_in_block = kBlockBytes - offset % kBlockBytes;
    if (left_in_block < kHeaderBytes) {  // too short for a header: padding
      offset += left_in_block;
      continue;
    }
    const std::optional<Fragment> fragment = FragmentAt(bytes, offset);
    const bool continues = fragment.has_value() && (fragment->type == kMiddle || fragment->type == kLast);
    if (!fragment.has_value() || continues != inside_record) {
      if (!inside_record && OnlyZeros(bytes.substr(offset))) return scan;  // space allocated ahead
      scan.damaged = true;
      scan.record_after = OtherRecordFollows(bytes, offset);
      return scan;
    }
    offset += fragment->bytes;
    inside_record = fragment->type == kFirst || fragment->type == kMiddle;
    if (!inside_record) scan.complete_bytes = offset;
  }
  return scan;
}

absl::StatusOr<TornTail> CutTornTail(rocksdb::FileSystem* file_system, const std::string& folder) {
  DOCKET_ASSIGN_OR_RETURN(const std::string wal, NewestWal(file_system, folder));
  if (wal.empty()) return absl::DataLossError("there is no WAL");
  DOCKET_ASSIGN_OR_RETURN(const std::string bytes, ReadWhole(file_system, wal));
  const WalScan scan = ScanWal(bytes);
  if (!scan.damaged) return absl::DataLossError("the newest WAL is whole, so the damage is elsewhere");
  if (scan.record_after) {
    return absl::DataLossError(absl::StrCat("records follow the damage at byte ", scan.complete_bytes, " of ", wal));
  }
  // The original is copied and synced before the shorter file takes its name: at no instant is there no WAL, which
  // RocksDB would take for an empty one.
  TornTail torn;
  torn.kept_file = absl::StrCat(wal, ".torn");
  torn.cut_bytes = bytes.size() - scan.complete_bytes;
  const std::string shorter = absl::StrCat(wal, ".cut");
  DOCKET_RETURN_IF_ERROR(WriteWhole(file_system, torn.kept_file, bytes));
  DOCKET_RETURN_IF_ERROR(WriteWhole(file_system, shorter, absl::string_view(bytes).substr(0, scan.complete_bytes)));
  DOCKET_RETURN_IF_ERROR(SyncFolder(file_system, folder));
  const rocksdb::IOStatus renamed = file_system->RenameFile(shorter, wal, {}, nullptr);
  if (!renamed.ok()) return DiskError(absl::StrCat("rename ", shorter), renamed);
  DOCKET_RETURN_IF_ERROR(SyncFolder(file_system, folder));
  return torn;
}

}  // namespace docket::store
