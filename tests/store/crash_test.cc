#include <atomic>
#include <fstream>
#include <sstream>

#include "store/high_water.h"
#include "tests/store/store_fixtures.h"

// A power cut at every instant at which the store asks the disk to sync: whatever was acknowledged is there, batches are
// whole, and opening never refuses an honest disk. The same with syncing switched off must lose commits, which shows
// that the test can fail.
namespace docket::store {
namespace {

constexpr char kFolder[] = "/data/db";
constexpr int kGroups = 30;
constexpr Family kView = ViewFamily(1);

// What had been acknowledged at a crash point, and the high-water file of that instant ("": none).
struct Instant {
  uint64_t commits = 0;
  bool family = false;
  bool ingested = false;
  std::string mark;
};

std::string FileContent(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

std::string PersonalRow(uint64_t commit) { return "row of " + std::to_string(commit); }

class CrashTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<KvStore>> OpenStore(std::shared_ptr<rocksdb::FileSystem> disk, bool sync) {
    RocksOptions options;
    options.path = kFolder;
    options.file_system = std::move(disk);
    options.disk_reserve_bytes = 0;
    options.sync = sync;
    return OpenRocksKv(options);
  }
  absl::StatusOr<std::unique_ptr<EventLog>> OpenLog(KvStore* store, const std::string& mark) {
    return OpenLocalLog(store, {.high_water_path = mark,
                                .new_log_id = TestLogId(),
                                .steady_now = [this] { return now_ += kHighWaterInterval; }});
  }

  // Groups of one to five commits, each with a row; now and then a reopening (which turns the WAL into SST files), and
  // once a family and an ingestion.
  void RunWorkload(bool sync) {
    disk_ = std::make_shared<test::UnsyncedFs>(test::MakeMemoryDisk(), kFolder);
    disk_->RecordCrashPoints([this] {
      // Under the disk's lock, between the writer's calls or inside one of them.
      Instant instant = acknowledged_;
      instant.mark = FileContent(mark_path_);
      instants_.push_back(std::move(instant));
      return instants_.size() - 1;
    });
    std::unique_ptr<KvStore> store;
    std::unique_ptr<EventLog> log;
    for (int group = 0; group < kGroups; ++group) {
      if (group % 10 == 0) {
        log.reset();
        store.reset();
        auto opened = OpenStore(disk_, sync);
        ASSERT_TRUE(opened.ok()) << opened.status();
        store = *std::move(opened);
        auto opened_log = OpenLog(store.get(), mark_path_);
        ASSERT_TRUE(opened_log.ok()) << opened_log.status();
        log = *std::move(opened_log);
      }
      if (group == 13) {
        ASSERT_TRUE(store->CreateFamily(kView).ok());
        acknowledged_.family = true;
      }
      if (group == 16) {
        ASSERT_TRUE(store->IngestSorted(kView, {{"a", "1"}, {"b", "2"}}).ok());
        acknowledged_.ingested = true;
      }
      AppendGroup(log.get(), group);
    }
  }

  void AppendGroup(EventLog* log, int group) {
    LogHead head = log->Head();
    std::vector<EncodedCommit> commits;
    KvBatch rows;
    for (int i = 0; i <= group % 5; ++i) {
      // Some payloads span several blocks of the WAL.
      const size_t size = group % 7 == 0 ? 50'000 : 100;
      commits.push_back(NextCommit(head, 2, std::string(size, static_cast<char>('a' + group))));
      rows.Put(kPersonalFamily, PersonalRow(head.commits), "text");
      stored_.push_back(commits.back().stored);
      head.commits += 1;
      head.next_position = commits.back().next_position;
      head.recorded_at_us = commits.back().recorded_at_us;
    }
    ASSERT_TRUE(log->Append(commits, rows).ok());
    acknowledged_.commits = head.commits;
  }

  // Opens what a power cut left. Returns whether all that was acknowledged is there; anything else wrong fails the test.
  bool Survives(const test::DiskImage& image, const Instant& instant, bool with_mark) {
    auto store = OpenStore(test::MakeMemoryDisk(image), true);
    EXPECT_TRUE(store.ok()) << store.status();
    if (!store.ok()) return false;
    const std::string mark = folder_.path("mark-after");
    std::ofstream(mark, std::ios::binary) << instant.mark;
    if (instant.mark.empty()) std::filesystem::remove(mark);
    auto log = OpenLog(store->get(), with_mark ? mark : "");
    if (with_mark) {
      EXPECT_TRUE(log.ok()) << log.status();
    }
    if (!log.ok()) return false;
    const uint64_t commits = (*log)->Head().commits;
    EXPECT_LE(commits, stored_.size());
    const auto snapshot = (*store)->Snapshot();
    for (uint64_t commit = 0; commit < commits; ++commit) {
      const auto stored = (*log)->Read(commit);
      EXPECT_TRUE(stored.ok()) << stored.status();
      EXPECT_TRUE(stored.ok() && *stored == stored_[commit]) << commit;
    }
    EXPECT_EQ(ScanAll(*snapshot, kPersonalFamily).size(), commits) << "rows come with their commits or not at all";
    const std::vector<Family> families = (*store)->Families();
    const bool family = std::count(families.begin(), families.end(), kView) > 0;
    const bool ingested = family && ScanAll(*snapshot, kView).size() == 2;
    if (family && !ingested) {
      EXPECT_TRUE(ScanAll(*snapshot, kView).empty()) << "half an ingestion";
    }
    return commits >= instant.commits && family >= instant.family && ingested >= instant.ingested;
  }

  TemporaryFolder folder_;
  const std::string mark_path_ = folder_.path("high-water");
  std::chrono::steady_clock::time_point now_{std::chrono::hours(1)};
  std::shared_ptr<test::UnsyncedFs> disk_;
  std::vector<std::string> stored_;
  Instant acknowledged_;
  std::vector<Instant> instants_;
};

TEST_F(CrashTest, EveryAcknowledgedCommitSurvivesAPowerCutAtEverySync) {
  RunWorkload(/*sync=*/true);
  const std::vector<test::CrashPoint> points = disk_->TakeCrashPoints();
  ASSERT_GT(points.size(), static_cast<size_t>(kGroups));
  for (size_t i = 0; i < points.size() && !HasFailure(); ++i) {
    SCOPED_TRACE("crash point " + std::to_string(i) + " of " + std::to_string(points.size()));
    const Instant& instant = instants_[points[i].label];
    EXPECT_TRUE(Survives(points[i].lost, instant, true)) << instant.commits << " commits were acknowledged";
    EXPECT_TRUE(Survives(points[i].torn, instant, true)) << instant.commits << " commits were acknowledged";
  }
  EXPECT_TRUE(Survives(disk_->AfterPowerCut(), acknowledged_, false)) << "at the end, before the mark of closing";
}

TEST_F(CrashTest, WithoutSyncingTheSameTestLosesCommits) {
  RunWorkload(/*sync=*/false);
  const std::vector<test::CrashPoint> points = disk_->TakeCrashPoints();
  size_t lost = 0;
  for (const test::CrashPoint& point : points) {
    if (!Survives(point.lost, instants_[point.label], false)) ++lost;
  }
  EXPECT_GT(lost, 0u);
  EXPECT_FALSE(Survives(disk_->AfterPowerCut(), acknowledged_, false));
}

// The harness itself: without the sync of the folder's name in its parent everything would be gone.
TEST_F(CrashTest, TheFoldersThemselvesAreDurableBeforeTheFirstAcknowledgement) {
  disk_ = std::make_shared<test::UnsyncedFs>(test::MakeMemoryDisk(), kFolder);
  auto store = OpenStore(disk_, true);
  ASSERT_TRUE(store.ok());
  auto log = OpenLog(store->get(), "");
  ASSERT_TRUE(log.ok());
  AppendGroup(log->get(), 1);
  EXPECT_TRUE(Survives(disk_->AfterPowerCut(), acknowledged_, false));
}

TEST_F(CrashTest, OnTheRealDiskWhatIsNotSyncedIsDropped) {
  const std::string folder = folder_.path("db");
  for (const bool sync : {true, false}) {
    std::filesystem::remove_all(folder);
    auto disk = std::make_shared<test::UnsyncedFs>(rocksdb::FileSystem::Default(), folder);
    RocksOptions options;
    options.path = folder;
    options.file_system = disk;
    options.disk_reserve_bytes = 0;
    options.sync = sync;
    {
      auto store = OpenRocksKv(options);
      ASSERT_TRUE(store.ok()) << store.status();
      KvBatch batch;
      batch.Put(kLogFamily, "acknowledged", "value");
      ASSERT_TRUE((*store)->Write(batch, true).ok());
    }
    disk->DropUnsynced();
    auto store = OpenRocksKv(options);
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_EQ((*(*store)->Snapshot()->Get(kLogFamily, "acknowledged")).has_value(), sync);
  }
}

}  // namespace
}  // namespace docket::store
