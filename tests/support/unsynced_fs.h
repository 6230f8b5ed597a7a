#ifndef DOCKET_TESTS_SUPPORT_UNSYNCED_FS_H_
#define DOCKET_TESTS_SUPPORT_UNSYNCED_FS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "rocksdb/file_system.h"
#include "workflow/base/mutex.h"

// Power cuts for tests of the store. Give an UnsyncedFs to RocksOptions::file_system, run something, then look at what
// a power cut would have left: bytes of files that were synced, under names whose folder was synced, and nothing else.
namespace docket::test {

// Content by path.
using DiskImage = std::map<std::string, std::string>;

// A file system in memory that holds `image`.
std::shared_ptr<rocksdb::FileSystem> MakeMemoryDisk(const DiskImage& image = {});

// Everything in `folder` (not below it) of `file_system`.
DiskImage ReadFolder(rocksdb::FileSystem* file_system, const std::string& folder);
void WriteFiles(rocksdb::FileSystem* file_system, const DiskImage& image);

enum class FileCall { kCreate, kAppend, kSync, kFolderSync, kRename, kDelete };

// The disk at one instant just before a file or a folder is synced.
struct CrashPoint {
  uint64_t label = 0;  // of set_label, at that instant
  DiskImage lost;      // all that was not synced is gone
  DiskImage torn;      // half of each file's unsynced end survived
};

// Passes everything on to another file system and remembers what of it is durable. Thread-safe. Info logs are not
// tracked. Files that are there at the start in `folder` count as durable.
class UnsyncedFs : public rocksdb::FileSystemWrapper {
 public:
  UnsyncedFs(std::shared_ptr<rocksdb::FileSystem> behind, const std::string& folder);
  ~UnsyncedFs() override;

  // The disk if the power went now; `keep` in 0..1 is the share of each unsynced end that survives.
  DiskImage AfterPowerCut(double keep = 0) const;
  // Makes it so on the file system behind. REQUIRES: no file is open.
  void DropUnsynced();

  // From now on, the disk before every sync is kept; `label` (may be null) is asked for a number to keep with it.
  void RecordCrashPoints(std::function<uint64_t()> label);
  std::vector<CrashPoint> TakeCrashPoints();

  // `fault` is asked before each call; what is not OK is returned without any effect. Null: none. It may block, and is
  // called from several threads.
  void SetFault(std::function<rocksdb::IOStatus(FileCall call, const std::string& path)> fault);

  const char* Name() const override { return "UnsyncedFs"; }
  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                       std::unique_ptr<rocksdb::FSWritableFile>* file,
                                       rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus ReuseWritableFile(const std::string& path, const std::string& old_path,
                                      const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* file,
                                      rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewDirectory(const std::string& path, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* directory,
                                 rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus CreateDir(const std::string& path, const rocksdb::IOOptions& options,
                              rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus CreateDirIfMissing(const std::string& path, const rocksdb::IOOptions& options,
                                       rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus LinkFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override;

  // Called by the files and folders handed out.
  struct Inode;
  rocksdb::IOStatus BeforeCall(FileCall call, const std::string& path);
  void Appended(Inode* inode, const rocksdb::Slice& data);
  void Truncated(Inode* inode, uint64_t size);
  void BeforeSync();
  void Synced(Inode* inode);
  void FolderSynced(const std::string& folder);

 private:
  using Names = std::map<std::string, std::shared_ptr<Inode>>;
  DiskImage ImageLocked(double keep) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string folder_;
  mutable Mutex mutex_;                    // guards the inodes too
  Names live_ ABSL_GUARDED_BY(mutex_);     // what programs see
  Names durable_ ABSL_GUARDED_BY(mutex_);  // what a power cut leaves
  std::function<rocksdb::IOStatus(FileCall, const std::string&)> fault_ ABSL_GUARDED_BY(mutex_);
  bool recording_ ABSL_GUARDED_BY(mutex_) = false;
  std::function<uint64_t()> label_ ABSL_GUARDED_BY(mutex_);
  std::vector<CrashPoint> crash_points_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace docket::test

#endif  // DOCKET_TESTS_SUPPORT_UNSYNCED_FS_H_
