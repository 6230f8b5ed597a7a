#include "tests/support/unsynced_fs.h"

#include <algorithm>
#include <utility>

#include "rocksdb/env.h"
#include "workflow/base/check.h"

namespace docket::test {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

struct UnsyncedFs::Inode {
  bool folder = false;
  std::string content;
  size_t synced = 0;  // bytes of content that are durable
};

namespace {

std::string Normal(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

std::string ParentOf(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

class TrackedFile : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  TrackedFile(UnsyncedFs* disk, std::string path, std::shared_ptr<UnsyncedFs::Inode> inode,
              std::unique_ptr<rocksdb::FSWritableFile> file)
      : FSWritableFileOwnerWrapper(std::move(file)), disk_(disk), path_(std::move(path)), inode_(std::move(inode)) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = disk_->BeforeCall(FileCall::kAppend, path_);
    if (status.ok()) status = FSWritableFileOwnerWrapper::Append(data, options, debug);
    if (status.ok()) disk_->Appended(inode_.get(), data);
    return status;
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo& /*info*/,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Truncate(uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = FSWritableFileOwnerWrapper::Truncate(size, options, debug);
    if (status.ok()) disk_->Truncated(inode_.get(), size);
    return status;
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return SyncWith([&] { return FSWritableFileOwnerWrapper::Sync(options, debug); });
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return SyncWith([&] { return FSWritableFileOwnerWrapper::Fsync(options, debug); });
  }

 private:
  template <class Call>
  IOStatus SyncWith(const Call& call) {
    disk_->BeforeSync();
    IOStatus status = disk_->BeforeCall(FileCall::kSync, path_);
    if (status.ok()) status = call();
    if (status.ok()) disk_->Synced(inode_.get());
    return status;
  }

  UnsyncedFs* disk_;
  std::string path_;
  std::shared_ptr<UnsyncedFs::Inode> inode_;
};

class TrackedFolder : public rocksdb::FSDirectory {
 public:
  TrackedFolder(UnsyncedFs* disk, std::string path, std::unique_ptr<rocksdb::FSDirectory> directory)
      : disk_(disk), path_(std::move(path)), directory_(std::move(directory)) {}
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    disk_->BeforeSync();
    IOStatus status = disk_->BeforeCall(FileCall::kFolderSync, path_);
    if (status.ok()) status = directory_->Fsync(options, debug);
    if (status.ok()) disk_->FolderSynced(path_);
    return status;
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions& /*hint*/) override {
    return Fsync(options, debug);
  }
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override { return directory_->Close(options, debug); }

 private:
  UnsyncedFs* disk_;
  std::string path_;
  std::unique_ptr<rocksdb::FSDirectory> directory_;
};

void CheckOk(const IOStatus& status) { DOCKET_CHECK(status.ok()); }

std::string ReadFile(rocksdb::FileSystem* file_system, const std::string& path) {
  std::unique_ptr<rocksdb::FSSequentialFile> file;
  CheckOk(file_system->NewSequentialFile(path, {}, &file, nullptr));
  std::string content;
  std::string chunk(1 << 20, '\0');
  Slice read;
  do {
    CheckOk(file->Read(chunk.size(), {}, &read, chunk.data(), nullptr));
    content.append(read.data(), read.size());
  } while (!read.empty());
  return content;
}

}  // namespace

std::shared_ptr<rocksdb::FileSystem> MakeMemoryDisk(const DiskImage& image) {
  std::shared_ptr<rocksdb::Env> env(rocksdb::NewMemEnv(rocksdb::Env::Default()));
  std::shared_ptr<rocksdb::FileSystem> disk(env, env->GetFileSystem().get());
  WriteFiles(disk.get(), image);
  return disk;
}

DiskImage ReadFolder(rocksdb::FileSystem* file_system, const std::string& folder) {
  std::vector<std::string> names;
  DiskImage image;
  if (!file_system->GetChildren(folder, {}, &names, nullptr).ok()) return image;
  for (const std::string& name : names) {
    const std::string path = folder + "/" + name;
    bool is_folder = name == "." || name == "..";
    if (!is_folder) file_system->IsDirectory(path, {}, &is_folder, nullptr).PermitUncheckedError();
    if (!is_folder && name != "LOCK" && name.substr(0, 3) != "LOG") image[path] = ReadFile(file_system, path);
  }
  return image;
}

void WriteFiles(rocksdb::FileSystem* file_system, const DiskImage& image) {
  for (const auto& [path, content] : image) {
    CheckOk(file_system->CreateDirIfMissing(ParentOf(path), {}, nullptr));
    std::unique_ptr<rocksdb::FSWritableFile> file;
    CheckOk(file_system->NewWritableFile(path, {}, &file, nullptr));
    CheckOk(file->Append(content, {}, nullptr));
    CheckOk(file->Fsync({}, nullptr));
    CheckOk(file->Close({}, nullptr));
  }
}

UnsyncedFs::UnsyncedFs(std::shared_ptr<rocksdb::FileSystem> behind, const std::string& folder)
    : FileSystemWrapper(std::move(behind)), folder_(Normal(folder)) {
  for (auto& [path, content] : ReadFolder(target(), folder_)) {
    auto inode = std::make_shared<Inode>();
    inode->synced = content.size();
    inode->content = std::move(content);
    live_[path] = inode;
  }
  durable_ = live_;
}

UnsyncedFs::~UnsyncedFs() = default;

DiskImage UnsyncedFs::ImageLocked(double keep) const {
  DiskImage image;
  for (const auto& [path, inode] : durable_) {
    if (inode->folder) continue;
    // A folder made here and not synced into its parent takes its files along.
    const std::string parent = ParentOf(path);
    if (live_.contains(parent) && !durable_.contains(parent)) continue;
    const size_t unsynced = inode->content.size() - inode->synced;
    image[path] = inode->content.substr(0, inode->synced + static_cast<size_t>(keep * static_cast<double>(unsynced)));
  }
  return image;
}

DiskImage UnsyncedFs::AfterPowerCut(double keep) const {
  const MutexLock lock(&mutex_);
  return ImageLocked(keep);
}

void UnsyncedFs::DropUnsynced() {
  const MutexLock lock(&mutex_);
  const DiskImage image = ImageLocked(0);
  for (const auto& [path, inode] : live_) {
    if (!inode->folder && !image.contains(path)) target()->DeleteFile(path, {}, nullptr).PermitUncheckedError();
  }
  WriteFiles(target(), image);
  std::erase_if(durable_, [&](const auto& entry) { return !entry.second->folder && !image.contains(entry.first); });
  for (auto& [path, inode] : durable_) inode->content.resize(inode->synced);
  live_ = durable_;
}

void UnsyncedFs::RecordCrashPoints(std::function<uint64_t()> label) {
  const MutexLock lock(&mutex_);
  recording_ = true;
  label_ = std::move(label);
}

std::vector<CrashPoint> UnsyncedFs::TakeCrashPoints() {
  const MutexLock lock(&mutex_);
  return std::exchange(crash_points_, {});
}

void UnsyncedFs::SetFault(std::function<IOStatus(FileCall, const std::string&)> fault) {
  const MutexLock lock(&mutex_);
  fault_ = std::move(fault);
}

IOStatus UnsyncedFs::BeforeCall(FileCall call, const std::string& path) {
  std::function<IOStatus(FileCall, const std::string&)> fault;
  {
    const MutexLock lock(&mutex_);
    fault = fault_;
  }
  return fault == nullptr ? IOStatus::OK() : fault(call, path);  // without the lock, so that it may wait
}

void UnsyncedFs::Appended(Inode* inode, const Slice& data) {
  const MutexLock lock(&mutex_);
  inode->content.append(data.data(), data.size());
}

void UnsyncedFs::Truncated(Inode* inode, uint64_t size) {
  const MutexLock lock(&mutex_);
  inode->content.resize(size);
  inode->synced = std::min<size_t>(inode->synced, size);
}

void UnsyncedFs::BeforeSync() {
  const MutexLock lock(&mutex_);
  if (!recording_) return;
  crash_points_.push_back({label_ == nullptr ? 0 : label_(), ImageLocked(0), ImageLocked(0.5)});
}

void UnsyncedFs::Synced(Inode* inode) {
  const MutexLock lock(&mutex_);
  inode->synced = inode->content.size();
}

void UnsyncedFs::FolderSynced(const std::string& folder) {
  const MutexLock lock(&mutex_);
  std::erase_if(durable_, [&](const auto& entry) { return ParentOf(entry.first) == folder; });
  for (const auto& [path, inode] : live_) {
    if (ParentOf(path) == folder) durable_[path] = inode;
  }
}

IOStatus UnsyncedFs::NewWritableFile(const std::string& path, const FileOptions& options,
                                     std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext* debug) {
  IOStatus status = BeforeCall(FileCall::kCreate, path);
  std::unique_ptr<rocksdb::FSWritableFile> opened;
  if (status.ok()) status = target()->NewWritableFile(path, options, &opened, debug);
  if (!status.ok()) return status;
  auto inode = std::make_shared<Inode>();
  {
    const MutexLock lock(&mutex_);
    live_[path] = inode;
  }
  *file = std::make_unique<TrackedFile>(this, path, std::move(inode), std::move(opened));
  return status;
}

IOStatus UnsyncedFs::ReopenWritableFile(const std::string& path, const FileOptions& options,
                                        std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext* debug) {
  std::unique_ptr<rocksdb::FSWritableFile> opened;
  IOStatus status = target()->ReopenWritableFile(path, options, &opened, debug);
  if (!status.ok()) return status;
  const MutexLock lock(&mutex_);
  std::shared_ptr<Inode>& inode = live_[path];
  if (inode == nullptr) inode = std::make_shared<Inode>();
  *file = std::make_unique<TrackedFile>(this, path, inode, std::move(opened));
  return status;
}

IOStatus UnsyncedFs::ReuseWritableFile(const std::string& /*path*/, const std::string& /*old_path*/,
                                       const FileOptions& /*options*/,
                                       std::unique_ptr<rocksdb::FSWritableFile>* /*file*/, IODebugContext* /*debug*/) {
  return IOStatus::NotSupported("the store recycles no files");
}

IOStatus UnsyncedFs::NewDirectory(const std::string& path, const IOOptions& options,
                                  std::unique_ptr<rocksdb::FSDirectory>* directory, IODebugContext* debug) {
  std::unique_ptr<rocksdb::FSDirectory> opened;
  IOStatus status = target()->NewDirectory(path, options, &opened, debug);
  if (status.ok()) *directory = std::make_unique<TrackedFolder>(this, Normal(path), std::move(opened));
  return status;
}

IOStatus UnsyncedFs::CreateDir(const std::string& path, const IOOptions& options, IODebugContext* debug) {
  IOStatus status = target()->CreateDir(path, options, debug);
  if (!status.ok()) return status;
  const MutexLock lock(&mutex_);
  live_[Normal(path)] = std::make_shared<Inode>(Inode{.folder = true});
  return status;
}

IOStatus UnsyncedFs::CreateDirIfMissing(const std::string& path, const IOOptions& options, IODebugContext* debug) {
  if (target()->FileExists(path, options, debug).ok()) return IOStatus::OK();
  return CreateDir(path, options, debug);
}

IOStatus UnsyncedFs::DeleteFile(const std::string& path, const IOOptions& options, IODebugContext* debug) {
  IOStatus status = BeforeCall(FileCall::kDelete, path);
  if (status.ok()) status = target()->DeleteFile(path, options, debug);
  if (!status.ok()) return status;
  const MutexLock lock(&mutex_);
  live_.erase(path);
  return status;
}

IOStatus UnsyncedFs::RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                                IODebugContext* debug) {
  IOStatus status = BeforeCall(FileCall::kRename, from);
  if (status.ok()) status = target()->RenameFile(from, to, options, debug);
  if (!status.ok()) return status;
  const MutexLock lock(&mutex_);
  auto found = live_.find(from);
  if (found == live_.end()) return status;  // an info log
  live_[to] = found->second;
  live_.erase(from);
  return status;
}

IOStatus UnsyncedFs::LinkFile(const std::string& from, const std::string& to, const IOOptions& options,
                              IODebugContext* debug) {
  IOStatus status = target()->LinkFile(from, to, options, debug);
  if (!status.ok()) return status;
  const MutexLock lock(&mutex_);
  auto found = live_.find(from);
  if (found != live_.end()) live_[to] = found->second;
  return status;
}

}  // namespace docket::test
