#include <fstream>

#include "absl/strings/match.h"
#include "store/high_water.h"
#include "tests/store/store_fixtures.h"

// Damage to the write-ahead log, as findings 1 and 2 on RocksDB's recovery describe it: a torn tail is cut off, anything
// else is refused, and nothing below the high-water mark is ever lost in silence.
namespace docket::store {
namespace {

using ::testing::HasSubstr;

constexpr char kFolder[] = "/data/db";
constexpr uint64_t kCommits = 40;

class TornTailTest : public ::testing::Test {
 protected:
  void SetUp() override {
    disk_ = test::MakeMemoryDisk();
    auto store = OpenStore();
    ASSERT_TRUE(store.ok()) << store.status();
    auto log = OpenLocalLog(store->get(), {.new_log_id = TestLogId()});
    ASSERT_TRUE(log.ok());
    for (uint64_t i = 0; i < kCommits; ++i) {
      const EncodedCommit commit = NextCommit((*log)->Head(), 1, std::string(i % 10 == 9 ? 40'000 : 200, 'p'));
      leaves_.push_back(commit.leaf);
      ASSERT_TRUE((*log)->Append({commit}, KvBatch()).ok());
    }
    log->reset();
    store->reset();
    image_ = test::ReadFolder(disk_.get(), kFolder);
    for (const auto& [path, content] : image_) {
      if (absl::EndsWith(path, ".log")) wal_path_ = path, wal_ = content;
    }
    ASSERT_GT(wal_.size(), 160'000u);
  }

  absl::StatusOr<std::unique_ptr<KvStore>> OpenStore() {
    RocksOptions options;
    options.path = kFolder;
    options.file_system = disk_;
    options.disk_reserve_bytes = 0;
    options.notice = [this](absl::string_view text) { notices_.emplace_back(text); };
    return OpenRocksKv(options);
  }
  // From now on the disk is the one of the set-up with `wal` for its WAL.
  void SetWal(const std::string& wal) {
    test::DiskImage image = image_;
    image[wal_path_] = wal;
    disk_ = test::MakeMemoryDisk(image);
    notices_.clear();
  }
  // Commits found when the mark says `marked`; an error of either opening is returned.
  absl::StatusOr<uint64_t> CommitsAfterOpening(uint64_t marked) {
    auto store = OpenStore();
    if (!store.ok()) return store.status();
    const std::string path = folder_.path("high-water");
    EXPECT_TRUE(WriteHighWater(path, {TestLogId(), marked, marked == 0 ? "" : leaves_[marked - 1]}).ok());
    auto log = OpenLocalLog(store->get(), {.high_water_path = path, .new_log_id = TestLogId()});
    if (!log.ok()) return log.status();
    return (*log)->Head().commits;
  }
  static std::string Garbage(size_t size) {
    std::string garbage;
    uint32_t state = 4711;
    while (garbage.size() < size) {
      state = state * 1664525 + 1013904223;
      garbage.push_back(static_cast<char>(state >> 24));
    }
    return garbage;
  }

  TemporaryFolder folder_;
  std::shared_ptr<rocksdb::FileSystem> disk_;
  test::DiskImage image_;
  std::string wal_path_;
  std::string wal_;
  std::vector<std::string> leaves_;
  std::vector<std::string> notices_;
};

TEST_F(TornTailTest, AWholeWalOpensWithEverything) {
  EXPECT_EQ(*CommitsAfterOpening(kCommits), kCommits);
  EXPECT_TRUE(notices_.empty());
}

TEST_F(TornTailTest, ACutAnywhereOpensOnlyWhenTheMarkIsReached) {
  constexpr uint64_t kMarked = 20;
  int opened = 0, refused = 0;
  const auto try_cut = [&](size_t size) {
    SetWal(wal_.substr(0, size));
    const auto commits = CommitsAfterOpening(kMarked);
    if (commits.ok()) {
      EXPECT_GE(*commits, kMarked) << size;
      ++opened;
    } else {
      EXPECT_EQ(commits.status().code(), absl::StatusCode::kDataLoss) << commits.status();
      ++refused;
    }
  };
  for (size_t size = 0; size < wal_.size(); size += 1499) try_cut(size);
  for (size_t back = 1; back <= 40; ++back) try_cut(wal_.size() - back);
  EXPECT_GT(opened, 20);
  EXPECT_GT(refused, 20);
}

TEST_F(TornTailTest, ALostLastCommitIsRefusedWhenTheMarkKnowsIt) {
  SetWal(wal_.substr(0, wal_.size() - 1));
  const auto commits = CommitsAfterOpening(kCommits);
  ASSERT_EQ(commits.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(commits.status().message()), HasSubstr("acknowledged commits are missing"));
}

TEST_F(TornTailTest, WithoutItsWalTheLogIsRefusedThoughRocksDbSeesNothingWrong) {
  image_.erase(wal_path_);
  disk_ = test::MakeMemoryDisk(image_);
  ASSERT_TRUE(OpenStore().ok());
  EXPECT_EQ(CommitsAfterOpening(kCommits).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(TornTailTest, GarbageBehindTheLastRecordCostsNothing) {
  for (const size_t size : {1u, 300u, 50'000u}) {
    SetWal(wal_ + Garbage(size));
    const auto commits = CommitsAfterOpening(kCommits);
    ASSERT_TRUE(commits.ok()) << commits.status();
    EXPECT_EQ(*commits, kCommits) << size;
  }
}

TEST_F(TornTailTest, ZerosBehindTheLastRecordCostNothing) {
  for (const size_t size : {4096u, 100'000u}) {
    SetWal(wal_ + std::string(size, '\0'));
    const auto commits = CommitsAfterOpening(kCommits);
    ASSERT_TRUE(commits.ok()) << commits.status();
    EXPECT_EQ(*commits, kCommits);
  }
}

TEST_F(TornTailTest, AHalfZeroedLastRecordIsCutOffAndTheOldWalKept) {
  std::string torn = wal_;
  std::fill(torn.end() - 20'000, torn.end(), '\0');  // of the 40,000 bytes of the last record
  SetWal(torn);
  const auto commits = CommitsAfterOpening(kCommits - 1);
  ASSERT_TRUE(commits.ok()) << commits.status();
  EXPECT_EQ(*commits, kCommits - 1);
  ASSERT_EQ(notices_.size(), 1u);
  EXPECT_THAT(notices_[0], HasSubstr(wal_path_ + ".torn"));
  EXPECT_EQ(test::ReadFolder(disk_.get(), kFolder)[wal_path_ + ".torn"], torn);
  EXPECT_EQ(*CommitsAfterOpening(kCommits - 1), kCommits - 1) << "it stays open-able";
}

TEST_F(TornTailTest, ATornTailBelowTheMarkIsRefusedAndTheOldWalKept) {
  std::string torn = wal_;
  std::fill(torn.end() - 20'000, torn.end(), '\0');
  SetWal(torn);
  EXPECT_EQ(CommitsAfterOpening(kCommits).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(test::ReadFolder(disk_.get(), kFolder)[wal_path_ + ".torn"], torn);
}

TEST_F(TornTailTest, DamageWithRecordsBehindItIsRefusedAndNothingIsChanged) {
  for (const size_t at : {wal_.size() / 4, wal_.size() / 2, wal_.size() - 45'000}) {
    std::string damaged = wal_;
    damaged[at] ^= 1;
    SetWal(damaged);
    const auto store = OpenStore();
    ASSERT_EQ(store.status().code(), absl::StatusCode::kDataLoss) << at << " " << store.status();
    EXPECT_THAT(std::string(store.status().message()), HasSubstr("restore it from a backup"));
    test::DiskImage after = test::ReadFolder(disk_.get(), kFolder);
    EXPECT_EQ(after[wal_path_], damaged);
    EXPECT_FALSE(after.contains(wal_path_ + ".torn"));
  }
}

TEST_F(TornTailTest, AZeroedPageInTheMiddleIsRefused) {
  std::string damaged = wal_;
  std::fill_n(damaged.begin() + 65'536, 4096, '\0');
  SetWal(damaged);
  EXPECT_EQ(OpenStore().status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(TornTailTest, APowerCutDuringTheRepairIsRepairedNextTime) {
  std::string torn = wal_;
  std::fill(torn.end() - 20'000, torn.end(), '\0');
  SetWal(torn);
  auto disk = std::make_shared<test::UnsyncedFs>(disk_, kFolder);
  disk_ = disk;
  disk->RecordCrashPoints(nullptr);
  ASSERT_TRUE(OpenStore().ok());
  const std::vector<test::CrashPoint> points = disk->TakeCrashPoints();
  ASSERT_GE(points.size(), 4u);
  for (const test::CrashPoint& point : points) {
    for (const test::DiskImage& image : {point.lost, point.torn}) {
      disk_ = test::MakeMemoryDisk(image);
      const auto commits = CommitsAfterOpening(kCommits - 1);
      ASSERT_TRUE(commits.ok()) << commits.status();
      EXPECT_EQ(*commits, kCommits - 1);
    }
  }
}

}  // namespace
}  // namespace docket::store
