#include "store/rocks_kv.h"

#include <sys/statvfs.h>

#include <atomic>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "rocksdb/db.h"
#include "rocksdb/env.h"
#include "rocksdb/file_system.h"
#include "rocksdb/sst_file_writer.h"
#include "rocksdb/write_batch.h"
#include "store/rocks_options.h"
#include "store/rocks_read.h"
#include "store/wal_repair.h"
#include "workflow/base/check.h"
#include "workflow/base/mutex.h"
#include "workflow/base/refusal.h"

namespace docket::store {
namespace {

constexpr char kIngestPrefix[] = "ingest-";

class RocksKv : public KvStore {
 public:
  RocksKv(RocksOptions options, std::unique_ptr<rocksdb::Env> env)
      : options_(std::move(options)),
        env_(std::move(env)),
        latch_(std::make_shared<ErrorLatch>(options_.notice)),
        cache_(MakeBlockCache()) {}

  ~RocksKv() override {
    if (db_ == nullptr) return;
    FlushMemtables();
    SetHandles(nullptr);  // RocksDB wants them gone before it closes
    db_->Close().PermitUncheckedError();
  }

  // Opens what `families` and the two fixed families name.
  rocksdb::Status OpenDb(const std::vector<Family>& families) {
    std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
    descriptors.emplace_back(rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions());
    for (Family family : families) descriptors.emplace_back(FamilyName(family), MakeFamilyOptions(family, cache_));
    std::vector<rocksdb::ColumnFamilyHandle*> opened;
    rocksdb::DB* db = nullptr;
    const rocksdb::Status status = rocksdb::DB::Open(rocksdb::Options(MakeDbOptions(env_.get(), latch_), {}),
                                                     options_.path, descriptors, &opened, &db);
    if (!status.ok()) return status;
    db_.reset(db);
    Own(opened[0]);  // the default family is not used
    auto handles = std::make_shared<Handles>();
    for (size_t i = 0; i < families.size(); ++i) handles->emplace(families[i], Own(opened[i + 1]));
    SetHandles(std::move(handles));
    return status;
  }

  absl::Status Write(const KvBatch& batch, bool sync) override {
    const MutexLock writing(&write_mutex_);
    DOCKET_RETURN_IF_ERROR(CheckWritable());
    const std::shared_ptr<const Handles> handles = handles_snapshot();
    rocksdb::WriteBatch rows(batch.bytes() + batch.entries().size() * kOverheadPerEntry);
    for (const KvBatch::Entry& entry : batch.entries()) {
      rocksdb::ColumnFamilyHandle* handle = Find(*handles, entry.family);
      if (handle == nullptr) return NoSuchFamily(entry.family);
      const rocksdb::Status added =
          entry.value.has_value() ? rows.Put(handle, entry.key, *entry.value) : rows.Delete(handle, entry.key);
      if (!added.ok()) return absl::InvalidArgumentError(absl::StrCat("batch: ", added.ToString()));
    }
    rocksdb::WriteOptions options;
    options.sync = sync && options_.sync;
    const rocksdb::Status status = db_->Write(options, &rows);
    return status.ok() ? absl::OkStatus() : OutcomeUnknown(status);
  }

  std::unique_ptr<KvSnapshot> Snapshot() const override {
    return SnapshotOf(db_.get(), handles_snapshot(), options_.notice);
  }

  absl::Status CreateFamily(Family family) override {
    DOCKET_RETURN_IF_ERROR(CheckOptional(family));
    const MutexLock writing(&write_mutex_);
    DOCKET_RETURN_IF_ERROR(CheckWritable());
    auto handles = std::make_shared<Handles>(*handles_snapshot());
    if (handles->contains(family)) {
      return absl::FailedPreconditionError(absl::StrCat("family ", family.id, " exists already"));
    }
    rocksdb::ColumnFamilyHandle* created = nullptr;
    const rocksdb::Status status =
        db_->CreateColumnFamily(MakeFamilyOptions(family, cache_), FamilyName(family), &created);
    if (!status.ok()) return OutcomeUnknown(status);
    handles->emplace(family, Own(created));
    SetHandles(std::move(handles));
    return absl::OkStatus();
  }

  absl::Status DropFamily(Family family) override {
    DOCKET_RETURN_IF_ERROR(CheckOptional(family));
    const MutexLock writing(&write_mutex_);
    DOCKET_RETURN_IF_ERROR(CheckWritable());
    auto handles = std::make_shared<Handles>(*handles_snapshot());
    rocksdb::ColumnFamilyHandle* handle = Find(*handles, family);
    if (handle == nullptr) {
      return absl::FailedPreconditionError(absl::StrCat("family ", family.id, " does not exist"));
    }
    const rocksdb::Status status = db_->DropColumnFamily(handle);
    if (!status.ok()) return OutcomeUnknown(status);
    handles->erase(family);
    SetHandles(std::move(handles));
    return absl::OkStatus();
  }

  std::vector<Family> Families() const override {
    std::vector<Family> families;
    for (const auto& [family, handle] : *handles_snapshot()) {
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
    const MutexLock writing(&write_mutex_);
    DOCKET_RETURN_IF_ERROR(CheckWritable());
    DOCKET_ASSIGN_OR_RETURN(
        auto last, Snapshot()->Last(family, entries.front().first, entries.back().first + std::string(1, '\0')));
    if (last.has_value()) {
      return absl::FailedPreconditionError(absl::StrCat("family ", family.id, " has keys in the range to ingest"));
    }
    const std::shared_ptr<const Handles> handles = handles_snapshot();
    const std::string file = absl::StrCat(options_.path, "/", kIngestPrefix, ++ingested_, ".sst");
    rocksdb::Status status = WriteSst(file, family, Find(*handles, family), entries);
    if (status.ok()) {
      rocksdb::IngestExternalFileOptions ingest;
      ingest.move_files = true;
      ingest.write_global_seqno = false;  // the file is complete and checksummed; nobody patches it
      ingest.verify_checksums_before_ingest = true;
      status = db_->IngestExternalFile(Find(*handles, family), {file}, ingest);
    }
    if (status.ok()) return absl::OkStatus();
    env_->DeleteFile(file).PermitUncheckedError();  // else the next opening removes it
    return OutcomeUnknown(status);
  }

  absl::Status WriteLatch() const override { return latch_->status(); }
  absl::Status WriteHealth() const override { return CheckWritable(); }

  rocksdb::Env* env() const { return env_.get(); }

 private:
  static constexpr size_t kOverheadPerEntry = 16;  // tag, family and lengths
  static constexpr uint64_t kFlushOnCloseBytes = uint64_t{8} << 20;

  static absl::Status CheckOptional(Family family) {
    if (IsOptional(family)) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("family: ", family.id, ", want ", kOutboxFamily.id, " or at least ", kFirstViewFamily));
  }

  // After a clean stop there is little WAL to replay, so the next start is quick however much was written before.
  void FlushMemtables() {
    uint64_t bytes = 0;
    if (!CheckWritable().ok() ||
        !db_->GetAggregatedIntProperty(rocksdb::DB::Properties::kCurSizeActiveMemTable, &bytes) ||
        bytes < kFlushOnCloseBytes) {
      return;
    }
    std::vector<rocksdb::ColumnFamilyHandle*> families;
    const std::shared_ptr<const Handles> handles = handles_snapshot();
    for (const auto& [family, handle] : *handles) families.push_back(handle.get());
    // Nothing is lost when it fails: the WAL has it all.
    db_->Flush(rocksdb::FlushOptions(), families).PermitUncheckedError();
  }

  Handle Own(rocksdb::ColumnFamilyHandle* handle) {
    return Handle(handle, [db = db_.get()](rocksdb::ColumnFamilyHandle* owned) {
      db->DestroyColumnFamilyHandle(owned).PermitUncheckedError();
    });
  }

  std::shared_ptr<const Handles> handles_snapshot() const {
    const MutexLock lock(&handles_mutex_);
    return handles_;
  }
  void SetHandles(std::shared_ptr<const Handles> handles) {
    const MutexLock lock(&handles_mutex_);
    handles_ = std::move(handles);
  }

  // Asked before every write: OK, WRITES_DISABLED or DISK_RESERVE.
  absl::Status CheckWritable() const {
    if (latch_->IsSet()) return latch_->status();
    const uint64_t free = options_.free_bytes();
    if (free >= options_.disk_reserve_bytes) return absl::OkStatus();
    return Refuse(absl::StatusCode::kResourceExhausted, "DISK_RESERVE",
                  absl::StrCat("the server's disk has ", free >> 20, " MiB free, writing wants ",
                               options_.disk_reserve_bytes >> 20, " MiB; nothing was written"));
  }

  absl::Status OutcomeUnknown(const rocksdb::Status& status) {
    latch_->Set(status.ToString());
    return Refuse(absl::StatusCode::kUnavailable, "OUTCOME_UNKNOWN",
                  "the write failed and may or may not have taken effect; repeat it with the same request id");
  }

  rocksdb::Status WriteSst(const std::string& file, Family family, rocksdb::ColumnFamilyHandle* handle,
                           const std::vector<std::pair<std::string, std::string>>& entries) {
    const rocksdb::Options options(MakeDbOptions(env_.get(), latch_), MakeFamilyOptions(family, cache_));
    rocksdb::SstFileWriter writer(rocksdb::EnvOptions(), options, handle);
    rocksdb::Status status = writer.Open(file);
    for (const auto& [key, value] : entries) {
      if (!status.ok()) break;
      status = writer.Put(key, value);
    }
    return status.ok() ? writer.Finish() : status;  // Finish syncs
  }

  const RocksOptions options_;
  const std::unique_ptr<rocksdb::Env> env_;
  const std::shared_ptr<ErrorLatch> latch_;
  const std::shared_ptr<rocksdb::Cache> cache_;
  std::unique_ptr<rocksdb::DB> db_;
  Mutex write_mutex_;  // held across a write; the contract asks for one writer, this makes breaking it harmless
  uint64_t ingested_ ABSL_GUARDED_BY(write_mutex_) = 0;
  mutable Mutex handles_mutex_;
  std::shared_ptr<const Handles> handles_ ABSL_GUARDED_BY(handles_mutex_);  // the map itself never changes
};

// --- opening

absl::Status DiskError(absl::string_view doing, const rocksdb::Status& status) {
  return absl::UnavailableError(absl::StrCat(doing, ": ", status.ToString()));
}

// Creates `path` and its missing parents, each synced into its own parent: RocksDB syncs only its folder's content, and
// a folder whose name is lost in a power cut takes the log along.
absl::Status CreateFolder(rocksdb::FileSystem* file_system, const std::string& path) {
  if (path.empty() || file_system->FileExists(path, {}, nullptr).ok()) return absl::OkStatus();
  const size_t slash = path.find_last_of('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash);
  if (parent != ".") DOCKET_RETURN_IF_ERROR(CreateFolder(file_system, parent));
  rocksdb::IOStatus status = file_system->CreateDirIfMissing(path, {}, nullptr);
  if (!status.ok()) return DiskError(absl::StrCat("create ", path), status);
  std::unique_ptr<rocksdb::FSDirectory> directory;
  status = file_system->NewDirectory(parent.empty() ? "/" : parent, {}, &directory, nullptr);
  if (status.ok()) status = directory->Fsync({}, nullptr);
  return status.ok() ? absl::OkStatus() : DiskError(absl::StrCat("sync the parent of ", path), status);
}

// True when the folder holds a store, false when it is empty. A folder with data but without CURRENT would be taken for
// an empty one by RocksDB and overwritten.
absl::StatusOr<bool> HoldsStore(rocksdb::FileSystem* file_system, const std::string& path) {
  std::vector<std::string> names;
  const rocksdb::IOStatus status = file_system->GetChildren(path, {}, &names, nullptr);
  if (!status.ok()) return DiskError(absl::StrCat("list ", path), status);
  bool data = false;
  for (const std::string& name : names) {
    if (name == "CURRENT") return true;
    if (absl::StartsWith(name, kIngestPrefix)) continue;
    if (absl::EndsWith(name, ".sst") || absl::EndsWith(name, ".log")) data = true;
  }
  if (!data) return false;
  return absl::DataLossError(
      absl::StrCat(path, " holds data files but no CURRENT file; restore the folder from a backup"));
}

// Half-made files of a rebuild that a crash interrupted.
void RemoveIngestLeftovers(rocksdb::FileSystem* file_system, const std::string& path) {
  std::vector<std::string> names;
  file_system->GetChildren(path, {}, &names, nullptr).PermitUncheckedError();
  for (const std::string& name : names) {
    if (!absl::StartsWith(name, kIngestPrefix)) continue;
    file_system->DeleteFile(absl::StrCat(path, "/", name), {}, nullptr).PermitUncheckedError();
  }
}

absl::Status OpenError(const std::string& path, const rocksdb::Status& status) {
  const std::string detail = status.ToString();
  if (status.IsCorruption()) {
    return absl::DataLossError(absl::StrCat("the store in ", path, " is damaged and was left as it is: ", detail,
                                            "; restore it from a backup, or copy the folder and examine the copy"));
  }
  if (absl::StrContains(detail, "/LOCK") || absl::StrContains(detail, "lock ")) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "DATA_IN_USE",
                  absl::StrCat("the store in ", path, " is in use by another server; stop that one first"));
  }
  return DiskError(absl::StrCat("open the store in ", path), status);
}

absl::StatusOr<std::vector<Family>> ExistingFamilies(rocksdb::Env* env, const std::string& path) {
  std::vector<std::string> names;
  const rocksdb::Status status =
      rocksdb::DB::ListColumnFamilies(MakeDbOptions(env, std::make_shared<ErrorLatch>(nullptr)), path, &names);
  if (!status.ok()) return OpenError(path, status);
  std::vector<Family> families;
  for (const std::string& name : names) {
    if (name == rocksdb::kDefaultColumnFamilyName) continue;
    const std::optional<Family> family = ParseFamilyName(name);
    if (!family.has_value()) {
      return absl::FailedPreconditionError(
          absl::StrCat("the store in ", path, " has a family ", name, ": it was written by a newer version"));
    }
    families.push_back(*family);
  }
  return families;
}

// Opening failed because of damage: cuts a torn tail, or returns why it is none.
absl::Status TryCutTornTail(rocksdb::FileSystem* file_system, const RocksOptions& options,
                            const rocksdb::Status& damage) {
  rocksdb::FileLock* lock = nullptr;
  const std::string lock_path = absl::StrCat(options.path, "/LOCK");
  const rocksdb::IOStatus locked = file_system->LockFile(lock_path, {}, &lock, nullptr);
  if (!locked.ok()) return OpenError(options.path, locked);
  const absl::StatusOr<TornTail> torn = CutTornTail(file_system, options.path);
  file_system->UnlockFile(lock, {}, nullptr).PermitUncheckedError();
  if (!torn.ok()) {
    const absl::Status error = OpenError(options.path, damage);
    return absl::Status(torn.status().code(), absl::StrCat(error.message(), " (", torn.status().message(), ")"));
  }
  if (options.notice) {
    options.notice(absl::StrCat("cut a torn tail of ", torn->cut_bytes,
                                " bytes off the write-ahead log; it is kept in ", torn->kept_file));
  }
  return absl::OkStatus();
}

uint64_t FreeBytesOf(const std::string& path) {
  struct statvfs disk {};
  // A disk that cannot even be asked takes no writes.
  if (statvfs(path.c_str(), &disk) != 0) return 0;
  return static_cast<uint64_t>(disk.f_bavail) * disk.f_frsize;
}

}  // namespace

absl::StatusOr<std::unique_ptr<KvStore>> OpenRocksKv(const RocksOptions& given) {
  RocksOptions options = given;
  if (options.free_bytes == nullptr) {
    options.free_bytes = [path = options.path, injected = options.file_system != nullptr] {
      return injected ? std::numeric_limits<uint64_t>::max() : FreeBytesOf(path);
    };
  }
  if (options.file_system == nullptr) options.file_system = rocksdb::FileSystem::Default();
  rocksdb::FileSystem* file_system = options.file_system.get();
  DOCKET_RETURN_IF_ERROR(CreateFolder(file_system, options.path));
  if (options.free_bytes() < options.disk_reserve_bytes / 4) {
    return Refuse(absl::StatusCode::kResourceExhausted, "DISK_RESERVE",
                  absl::StrCat("too little free space to open ", options.path, ": want at least ",
                               options.disk_reserve_bytes / 4, " bytes"));
  }
  std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(options.file_system);
  DOCKET_ASSIGN_OR_RETURN(const bool holds_store, HoldsStore(file_system, options.path));
  std::vector<Family> families;
  if (holds_store) {
    DOCKET_ASSIGN_OR_RETURN(families, ExistingFamilies(env.get(), options.path));
  }
  for (Family fixed : {kLogFamily, kPersonalFamily}) {  // missing when the first opening was interrupted
    if (std::find(families.begin(), families.end(), fixed) == families.end()) families.push_back(fixed);
  }
  auto store = std::make_unique<RocksKv>(options, std::move(env));
  rocksdb::Status status = store->OpenDb(families);
  if (status.IsCorruption()) {
    DOCKET_RETURN_IF_ERROR(TryCutTornTail(file_system, options, status));
    status = store->OpenDb(families);
  }
  if (!status.ok()) return OpenError(options.path, status);
  RemoveIngestLeftovers(file_system, options.path);
  return std::unique_ptr<KvStore>(std::move(store));
}

}  // namespace docket::store
