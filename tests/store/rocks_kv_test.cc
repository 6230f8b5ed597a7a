#include "store/rocks_kv.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>

#include "absl/strings/match.h"
#include "rocksdb/db.h"
#include "tests/store/store_fixtures.h"
#include "workflow/base/refusal.h"

// What the contract suite cannot see: the disk, its errors, and what is done about them.
namespace docket::store {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;
using test::FileCall;

constexpr char kFolder[] = "/data/db";

class RocksKvTest : public ::testing::Test {
 protected:
  void OpenDisk(const test::DiskImage& image = {}) {
    disk_ = std::make_shared<test::UnsyncedFs>(test::MakeMemoryDisk(image), kFolder);
  }
  absl::Status TryOpen() {
    store_.reset();
    RocksOptions options;
    options.path = kFolder;
    options.file_system = disk_;
    options.disk_reserve_bytes = 1000;
    options.free_bytes = [this] { return free_bytes_.load(); };
    options.notice = [this](absl::string_view text) {
      std::lock_guard lock(notices_mutex_);
      notices_.emplace_back(text);
      noticed_.notify_all();
    };
    auto opened = OpenRocksKv(options);
    if (!opened.ok()) return opened.status();
    store_ = *std::move(opened);
    return absl::OkStatus();
  }
  absl::Status Put(const std::string& key, const std::string& value = "value") {
    KvBatch batch;
    batch.Put(kLogFamily, key, value);
    return store_->Write(batch, true);
  }
  std::optional<std::string> Get(const std::string& key) {
    auto value = store_->Snapshot()->Get(kLogFamily, key);
    EXPECT_TRUE(value.ok()) << value.status();
    return value.ok() ? *value : std::nullopt;
  }
  std::vector<std::string> Notices() {
    std::lock_guard lock(notices_mutex_);
    return notices_;
  }
  void FailCallsOf(FileCall failing, const std::string& suffix) {
    disk_->SetFault([failing, suffix](FileCall call, const std::string& path) {
      return call == failing && absl::EndsWith(path, suffix) ? rocksdb::IOStatus::IOError("injected")
                                                             : rocksdb::IOStatus::OK();
    });
  }

  std::shared_ptr<test::UnsyncedFs> disk_;
  std::atomic<uint64_t> free_bytes_{1'000'000};
  std::mutex notices_mutex_;
  std::condition_variable noticed_;
  std::vector<std::string> notices_;
  std::unique_ptr<KvStore> store_;
};

class WriteErrorTest : public RocksKvTest, public ::testing::WithParamInterface<FileCall> {};

TEST_P(WriteErrorTest, AFailedWriteLatchesWritingWhileReadsGoOnAndReopeningHeals) {
  OpenDisk();
  ASSERT_TRUE(TryOpen().ok());
  ASSERT_TRUE(Put("before").ok());
  FailCallsOf(GetParam(), ".log");
  const absl::Status unknown = Put("unknown");
  EXPECT_EQ(unknown.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(unknown), "OUTCOME_UNKNOWN");
  EXPECT_THAT(std::string(unknown.message()), testing::Not(HasSubstr("injected"))) << "no detail of the disk for clients";
  disk_->SetFault(nullptr);  // the disk says it is well again; it is not believed
  const KvBatch batch;
  for (const absl::Status& later : {Put("later"), store_->Write(batch, false), store_->CreateFamily(ViewFamily(1)),
                                    store_->IngestSorted(kLogFamily, {{"x", "y"}}), store_->WriteLatch()}) {
    EXPECT_EQ(later.code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(ReasonOf(later), "WRITES_DISABLED");
  }
  EXPECT_THAT(Get("before"), Optional(std::string("value")));
  EXPECT_EQ(Get("later"), std::nullopt);
  ASSERT_FALSE(Notices().empty());
  EXPECT_THAT(Notices().front(), HasSubstr("injected")) << "the operator is told the cause";

  ASSERT_TRUE(TryOpen().ok());
  EXPECT_TRUE(store_->WriteLatch().ok());
  EXPECT_THAT(Get("before"), Optional(std::string("value")));
  EXPECT_EQ(Get("later"), std::nullopt);
  EXPECT_TRUE(Put("after").ok());
  EXPECT_THAT(Get("after"), Optional(std::string("value")));
}

INSTANTIATE_TEST_SUITE_P(Faults, WriteErrorTest, ::testing::Values(FileCall::kSync, FileCall::kAppend),
                         [](const auto& info) { return info.param == FileCall::kSync ? "Sync" : "Append"; });

TEST_F(RocksKvTest, AFailedFlushInTheBackgroundLatchesWriting) {
  OpenDisk();
  ASSERT_TRUE(TryOpen().ok());
  std::promise<void> writes_done;
  disk_->SetFault([done = writes_done.get_future().share()](FileCall call, const std::string& path) {
    if (call != FileCall::kCreate || !absl::EndsWith(path, ".sst")) return rocksdb::IOStatus::OK();
    done.wait();  // else the failure could come in the middle of the writes below
    return rocksdb::IOStatus::IOError("injected");
  });
  constexpr int kMiB = 36;  // more than one memtable, so that one is flushed, and less than two
  for (int i = 0; i < kMiB; ++i) ASSERT_TRUE(Put(std::to_string(i), std::string(1 << 20, 'x')).ok());
  EXPECT_TRUE(store_->WriteLatch().ok());
  writes_done.set_value();
  {
    std::unique_lock lock(notices_mutex_);
    ASSERT_TRUE(noticed_.wait_for(lock, std::chrono::seconds(60), [this] { return !notices_.empty(); }));
    EXPECT_THAT(notices_.front(), HasSubstr("injected"));
  }
  EXPECT_EQ(ReasonOf(store_->WriteLatch()), "WRITES_DISABLED");
  disk_->SetFault(nullptr);  // no recovery in the background either
  EXPECT_EQ(ReasonOf(Put("later")), "WRITES_DISABLED");
  EXPECT_TRUE(Get("0").has_value());
  ASSERT_TRUE(TryOpen().ok());
  for (int i = 0; i < kMiB; ++i) ASSERT_TRUE(Get(std::to_string(i)).has_value()) << i;
  EXPECT_EQ(Get("later"), std::nullopt);
}

TEST_F(RocksKvTest, BelowTheDiskReserveWritesAreRefusedWithoutEffectUntilThereIsSpace) {
  OpenDisk();
  ASSERT_TRUE(TryOpen().ok());
  free_bytes_ = 1000;
  EXPECT_TRUE(Put("at the reserve").ok());
  free_bytes_ = 999;
  for (const absl::Status& refused : {Put("below"), store_->CreateFamily(ViewFamily(1)),
                                      store_->IngestSorted(kLogFamily, {{"x", "y"}})}) {
    EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(ReasonOf(refused), "DISK_RESERVE");
  }
  EXPECT_TRUE(store_->WriteLatch().ok());
  EXPECT_EQ(ReasonOf(store_->WriteHealth()), "DISK_RESERVE");
  EXPECT_EQ(Get("below"), std::nullopt);
  EXPECT_TRUE(store_->Families().empty());
  free_bytes_ = 1000;
  EXPECT_TRUE(Put("below").ok());
}

TEST_F(RocksKvTest, OpeningIsRefusedBelowAQuarterOfTheReserve) {
  OpenDisk();
  free_bytes_ = 249;
  const absl::Status refused = TryOpen();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(refused), "DISK_RESERVE");
  free_bytes_ = 250;
  EXPECT_TRUE(TryOpen().ok());
}

TEST(RocksKvOnDiskTest, TheFreeSpaceOfTheRealDiskIsAsked) {
  TemporaryFolder folder;
  RocksOptions options;
  options.path = folder.path("a/b/db");
  options.disk_reserve_bytes = 0;
  ASSERT_TRUE(OpenRocksKv(options).ok());
  options.disk_reserve_bytes = UINT64_MAX;
  EXPECT_EQ(OpenRocksKv(options).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(RocksKvOnDiskTest, TheSameFolderIsNotOpenedTwiceInOneProcess) {
  TemporaryFolder folder;
  RocksOptions options;
  options.path = folder.path("db");
  options.disk_reserve_bytes = 0;
  auto first = OpenRocksKv(options);
  ASSERT_TRUE(first.ok());
  const absl::Status second = OpenRocksKv(options).status();
  EXPECT_EQ(second.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(second), "DATA_IN_USE");
  EXPECT_THAT(std::string(second.message()), HasSubstr("in use by another server"));
  first->reset();
  EXPECT_TRUE(OpenRocksKv(options).ok());
}

// The other process is a child that holds the lock on the LOCK file as RocksDB would.
TEST(RocksKvOnDiskTest, AFolderInUseByAnotherProcessIsRefused) {
  TemporaryFolder folder;
  RocksOptions options;
  options.path = folder.path("db");
  options.disk_reserve_bytes = 0;
  ASSERT_TRUE(OpenRocksKv(options).ok());
  int locked[2], done[2];
  ASSERT_EQ(pipe(locked), 0);
  ASSERT_EQ(pipe(done), 0);
  const pid_t child = fork();
  if (child == 0) {
    const int file = open((options.path + "/LOCK").c_str(), O_RDWR);
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    char byte = fcntl(file, F_SETLK, &lock) == 0 ? 'y' : 'n';
    close(done[1]);
    if (write(locked[1], &byte, 1) == 1) (void)!read(done[0], &byte, 1);
    _exit(0);
  }
  char byte = 0;
  ASSERT_EQ(read(locked[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  const absl::Status refused = OpenRocksKv(options).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(refused), "DATA_IN_USE");
  close(done[1]);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(OpenRocksKv(options).ok());
  for (int fd : {locked[0], locked[1], done[0]}) close(fd);
}

TEST(RocksKvOnDiskTest, AStoreOfANewerVersionIsRefused) {
  TemporaryFolder folder;
  RocksOptions options;
  options.path = folder.path("db");
  options.disk_reserve_bytes = 0;
  rocksdb::Options raw;
  raw.create_if_missing = true;
  rocksdb::DB* db = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open(raw, options.path, &db).ok());
  rocksdb::ColumnFamilyHandle* family = nullptr;
  ASSERT_TRUE(db->CreateColumnFamily(raw, "attic", &family).ok());
  ASSERT_TRUE(db->DestroyColumnFamilyHandle(family).ok());
  delete db;
  const absl::Status refused = OpenRocksKv(options).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("attic"));
}

// RocksDB would take such a folder for an empty one.
TEST_F(RocksKvTest, DataWithoutCurrentIsRefused) {
  OpenDisk();
  ASSERT_TRUE(TryOpen().ok());
  ASSERT_TRUE(Put("a").ok());
  store_.reset();
  test::DiskImage image = test::ReadFolder(disk_.get(), kFolder);
  ASSERT_EQ(image.erase(std::string(kFolder) + "/CURRENT"), 1u);
  OpenDisk(image);
  const absl::Status refused = TryOpen();
  EXPECT_EQ(refused.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("no CURRENT"));
}

TEST_F(RocksKvTest, ADamagedBlockIsDataLossForItsReadersOnly) {
  OpenDisk();
  ASSERT_TRUE(TryOpen().ok());
  for (int i = 100; i < 200; ++i) ASSERT_TRUE(Put(std::to_string(i), std::string(2000, static_cast<char>(i))).ok());
  ASSERT_TRUE(TryOpen().ok());  // recovery turns the WAL into an SST file
  store_.reset();
  test::DiskImage image = test::ReadFolder(disk_.get(), kFolder);
  bool damaged = false;
  for (auto& [path, content] : image) {
    if (!absl::EndsWith(path, ".sst") || content.size() < 2000) continue;
    content[10] = static_cast<char>(content[10] ^ 1);  // in the first block
    damaged = true;
  }
  ASSERT_TRUE(damaged);
  OpenDisk(image);
  ASSERT_TRUE(TryOpen().ok());
  EXPECT_EQ(store_->Snapshot()->Get(kLogFamily, "100").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_FALSE(Notices().empty());
  auto snapshot = store_->Snapshot();
  auto iterator = snapshot->Scan(kLogFamily, "", "");
  while (iterator->Valid()) iterator->Next();
  EXPECT_EQ(iterator->status().code(), absl::StatusCode::kDataLoss) << "an end by damage is not an end";
}

TEST_F(RocksKvTest, ACleanStopLeavesLittleToReplay) {
  OpenDisk();
  ASSERT_TRUE(TryOpen().ok());
  constexpr int kMiB = 10;
  for (int i = 0; i < kMiB; ++i) ASSERT_TRUE(Put(std::to_string(i), std::string(1 << 20, 'x')).ok());
  store_.reset();
  size_t wal_bytes = 0;
  for (const auto& [path, content] : test::ReadFolder(disk_.get(), kFolder)) {
    if (absl::EndsWith(path, ".log")) wal_bytes += content.size();
  }
  EXPECT_LT(wal_bytes, size_t{1} << 20);
  ASSERT_TRUE(TryOpen().ok());
  for (int i = 0; i < kMiB; ++i) EXPECT_TRUE(Get(std::to_string(i)).has_value());
}

TEST_F(RocksKvTest, LeftoversOfAnInterruptedIngestionAreRemoved) {
  OpenDisk();
  ASSERT_TRUE(TryOpen().ok());
  store_.reset();
  const std::string leftover = std::string(kFolder) + "/ingest-1.sst";
  test::WriteFiles(disk_.get(), {{leftover, "half a file"}});
  ASSERT_TRUE(TryOpen().ok());
  EXPECT_FALSE(disk_->FileExists(leftover, {}, nullptr).ok());
  EXPECT_TRUE(store_->IngestSorted(kLogFamily, {{"a", "1"}}).ok());
}

}  // namespace
}  // namespace docket::store
