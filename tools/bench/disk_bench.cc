#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "absl/strings/str_cat.h"
#include "rocksdb/db.h"
#include "store/rocks_options.h"
#include "tools/bench/bench.h"
#include "workflow/base/check.h"

namespace docket::bench {
namespace {

constexpr size_t kAppendBytes = 400;  // about one record

absl::Status Failed(absl::string_view what, const rocksdb::Status& status) {
  return absl::UnavailableError(absl::StrCat(what, ": ", status.ToString()));
}

// Opens every family of `path` as the store does and compacts each as a whole.
absl::Status CompactAll(const std::string& path) {
  const auto latch = std::make_shared<store::ErrorLatch>(nullptr);
  const rocksdb::DBOptions options = store::MakeDbOptions(rocksdb::Env::Default(), latch);
  std::vector<std::string> names;
  rocksdb::Status status = rocksdb::DB::ListColumnFamilies(options, path, &names);
  if (!status.ok()) return Failed("list families", status);
  const auto cache = store::MakeBlockCache();
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const std::string& name : names) {
    const auto family = store::ParseFamilyName(name);
    descriptors.emplace_back(name, family.has_value() ? store::MakeFamilyOptions(*family, cache)
                                                      : rocksdb::ColumnFamilyOptions());
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  status = rocksdb::DB::Open(rocksdb::Options(options, {}), path, descriptors, &handles, &opened);
  if (!status.ok()) return Failed("open", status);
  const std::unique_ptr<rocksdb::DB> db(opened);
  rocksdb::CompactRangeOptions compact;
  compact.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  for (rocksdb::ColumnFamilyHandle* handle : handles) {
    if (status.ok()) status = db->Flush(rocksdb::FlushOptions(), handle);
    if (status.ok()) status = db->CompactRange(compact, handle, nullptr, nullptr);
    db->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  }
  db->Close().PermitUncheckedError();
  return status.ok() ? absl::OkStatus() : Failed("compact", status);
}

uint64_t BytesIn(const std::string& folder) {
  uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return bytes;
}

}  // namespace

absl::StatusOr<Load> RunFdatasync(const Options& options) {
  const std::string path = absl::StrCat(options.folder, "/fdatasync");
  const int file = open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
  if (file < 0) return absl::UnavailableError(absl::StrCat("cannot make ", path));
  // Allocated ahead, as RocksDB does with its WAL, so that a sync writes data and size but searches no blocks.
  if (fallocate(file, FALLOC_FL_KEEP_SIZE, 0, 64 << 20) != 0) return absl::UnavailableError("fallocate failed");
  const std::string record(kAppendBytes, 'x');
  const Load load = RunSerially(options.each, [&] {
    return write(file, record.data(), record.size()) == static_cast<ssize_t>(record.size()) && fdatasync(file) == 0;
  });
  close(file);
  std::filesystem::remove(path);
  if (load.failures > 0) return absl::UnavailableError("fdatasync failed");
  return load;
}

absl::Status BenchDiskUse(const Options& options, uint64_t record_bytes, Report* report) {
  const std::string path = absl::StrCat(options.folder, "/data/db");
  DOCKET_RETURN_IF_ERROR(CompactAll(path));
  const uint64_t bytes = BytesIn(path);
  report->Add({.name = "bytes of the records", .value = static_cast<double>(record_bytes) / 1e6, .unit = "MB"});
  report->Add({.name = "bytes on disk after compaction", .value = static_cast<double>(bytes) / 1e6, .unit = "MB",
               .note = "log, personal texts and views"});
  report->AddRatio("disk / records", static_cast<double>(bytes), static_cast<double>(record_bytes), Wish::kAtMost, 1.5,
                   "the target is of the ServiceNow import; these are made-up cases");
  return absl::OkStatus();
}

}  // namespace docket::bench
