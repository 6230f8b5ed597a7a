#include "store/high_water.h"

#include <fstream>
#include <sstream>

#include "absl/strings/escaping.h"
#include "store/ordered_key.h"
#include "tests/store/store_fixtures.h"
#include "workflow/base/refusal.h"

namespace docket::store {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

HighWater Sample() { return {TestLogId(), 12, std::string(32, 'L')}; }

TEST(HighWaterTest, ReadsBackWhatWasWritten) {
  TemporaryFolder folder;
  const std::string path = folder.path("high-water");
  EXPECT_EQ(*ReadHighWater(path) == std::nullopt, true);
  for (uint64_t commits : {12u, 13u}) {
    HighWater mark = Sample();
    mark.commits = commits;
    ASSERT_TRUE(WriteHighWater(path, mark).ok());
    const auto read = ReadHighWater(path);
    ASSERT_TRUE(read.ok() && read->has_value()) << read.status();
    EXPECT_EQ((*read)->log_id, mark.log_id);
    EXPECT_EQ((*read)->commits, commits);
    EXPECT_EQ((*read)->last_leaf, mark.last_leaf);
  }
  EXPECT_FALSE(std::filesystem::exists(path + ".tmp"));
}

TEST(HighWaterTest, IsTextThatAnOperatorCanRead) {
  const std::string text = FormatHighWater(Sample());
  EXPECT_THAT(text, testing::StartsWith("docket-high-water 1\nlog_id 30313233343536373839616263646566\ncommits 12\nleaf "
                                        "4c4c"));
  EXPECT_TRUE(ParseHighWater(text).ok());
}

TEST(HighWaterTest, EveryFlippedBitAndTruncationIsDetected) {
  const std::string text = FormatHighWater(Sample());
  for (size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string damaged = text;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(ParseHighWater(damaged).status().code(), absl::StatusCode::kDataLoss) << bit;
  }
  for (size_t size = 0; size < text.size(); ++size) {
    EXPECT_EQ(ParseHighWater(text.substr(0, size)).status().code(), absl::StatusCode::kDataLoss) << size;
  }
  EXPECT_EQ(ParseHighWater(text + "\n").status().code(), absl::StatusCode::kDataLoss);
}

TEST(HighWaterTest, AFolderThatCannotBeWrittenIsUnavailable) {
  TemporaryFolder folder;
  EXPECT_EQ(WriteHighWater(folder.path("missing/high-water"), Sample()).code(), absl::StatusCode::kUnavailable);
}

// A log over a store in memory, whose clock is in the test's hands.
class MarkedLogTest : public ::testing::Test {
 protected:
  absl::Status TryOpen(bool accept_missing = false) {
    log_.reset();
    auto opened = OpenLocalLog(store_.get(), {.high_water_path = path_,
                                              .new_log_id = TestLogId(),
                                              .accept_missing_high_water = accept_missing,
                                              .steady_now = [this] { return now_; }});
    if (!opened.ok()) return opened.status();
    log_ = *std::move(opened);
    return absl::OkStatus();
  }
  absl::Status Append() { return log_->Append({NextCommit(log_->Head())}, KvBatch()); }
  uint64_t MarkedCommits() {
    auto mark = ReadHighWater(path_);
    EXPECT_TRUE(mark.ok() && mark->has_value()) << mark.status();
    return (*mark)->commits;
  }
  void DeleteCommit(uint64_t commit) {
    KvBatch batch;
    batch.Delete(kLogFamily, KeyWriter().U64(commit).Take());
    ASSERT_TRUE(store_->Write(batch, true).ok());
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.path("high-water");
  std::chrono::steady_clock::time_point now_{std::chrono::hours(1)};
  std::unique_ptr<KvStore> store_ = OpenMemoryKv();
  std::unique_ptr<EventLog> log_;
};

TEST_F(MarkedLogTest, IsMarkedAtOpeningAtMostOnceASecondAndOnClosing) {
  ASSERT_TRUE(TryOpen().ok());
  EXPECT_EQ(MarkedCommits(), 0u);
  ASSERT_TRUE(Append().ok());
  now_ += std::chrono::milliseconds(999);
  ASSERT_TRUE(Append().ok());
  EXPECT_EQ(MarkedCommits(), 0u);
  now_ += std::chrono::milliseconds(1);
  ASSERT_TRUE(Append().ok());
  EXPECT_EQ(MarkedCommits(), 3u);
  ASSERT_TRUE(Append().ok());
  EXPECT_EQ(MarkedCommits(), 3u);
  const LogHead head = log_->Head();
  log_.reset();
  EXPECT_EQ(MarkedCommits(), 4u);
  EXPECT_EQ((*ReadHighWater(path_))->last_leaf, head.last_leaf);
}

TEST_F(MarkedLogTest, AShorterLogIsRefusedAndBothLengthsAreNamed) {
  ASSERT_TRUE(TryOpen().ok());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Append().ok());
  log_.reset();
  DeleteCommit(2);
  const absl::Status status = TryOpen();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("with 2 commits"), HasSubstr("says 3 commits"), HasSubstr(absl::BytesToHexString(TestLogId()))));
  DeleteCommit(0);
  DeleteCommit(1);
  EXPECT_EQ(TryOpen().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(MarkedCommits(), 3u) << "a refused opening leaves the mark alone";
}

TEST_F(MarkedLogTest, AnEmptyStoreIsRefusedWhenALogWasThere) {
  ASSERT_TRUE(TryOpen().ok());
  ASSERT_TRUE(Append().ok());
  log_.reset();
  store_ = OpenMemoryKv();
  const absl::Status status = TryOpen();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("no log"), HasSubstr("with 1 commits")));
}

TEST_F(MarkedLogTest, AnotherLogIsRefusedAndBothAreNamed) {
  ASSERT_TRUE(TryOpen().ok());
  ASSERT_TRUE(Append().ok());
  log_.reset();
  HighWater mark = **ReadHighWater(path_);
  mark.log_id = "fedcba9876543210";
  ASSERT_TRUE(WriteHighWater(path_, mark).ok());
  const absl::Status status = TryOpen();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr(absl::BytesToHexString(TestLogId())),
                                                   HasSubstr(absl::BytesToHexString("fedcba9876543210"))));
}

// The same length and id, but the history was written anew.
TEST_F(MarkedLogTest, ALogWithAnotherCommitUnderTheMarkIsRefused) {
  ASSERT_TRUE(TryOpen().ok());
  const LogHead start = log_->Head();
  ASSERT_TRUE(Append().ok());
  log_.reset();
  KvBatch batch;
  batch.Put(kLogFamily, KeyWriter().U64(0).Take(), NextCommit(start, 1, "another payload").stored);
  ASSERT_TRUE(store_->Write(batch, true).ok());
  const absl::Status status = TryOpen();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("leaf"));
}

TEST_F(MarkedLogTest, CommitsBeyondTheMarkAreVerifiedOneByOne) {
  ASSERT_TRUE(TryOpen().ok());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Append().ok());
  const std::string good = *log_->Read(2);
  const std::string mark_at_1 = FormatHighWater({TestLogId(), 1, LeafHashOf(*log_->Read(0))});
  log_.reset();
  std::ofstream(path_) << mark_at_1;
  DeleteCommit(2);
  EXPECT_EQ(TryOpen().code(), absl::StatusCode::kDataLoss) << "a gap behind the mark";
  KvBatch batch;
  batch.Put(kLogFamily, KeyWriter().U64(2).Take(), good);
  ASSERT_TRUE(store_->Write(batch, true).ok());
  std::ofstream(path_) << mark_at_1;
  EXPECT_TRUE(TryOpen().ok());
  EXPECT_EQ(log_->Head().commits, 5u);
}

TEST_F(MarkedLogTest, ALostMarkIsRefusedUnlessAccepted) {
  ASSERT_TRUE(TryOpen().ok());
  log_.reset();
  std::filesystem::remove(path_);
  ASSERT_TRUE(TryOpen().ok()) << "an empty log has nothing to lose";
  ASSERT_TRUE(Append().ok());
  log_.reset();
  std::filesystem::remove(path_);
  EXPECT_EQ(TryOpen().code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(TryOpen(/*accept_missing=*/true).ok());
  EXPECT_EQ(MarkedCommits(), 1u);
  EXPECT_TRUE(TryOpen().ok());
}

TEST_F(MarkedLogTest, ADamagedMarkIsRefused) {
  ASSERT_TRUE(TryOpen().ok());
  ASSERT_TRUE(Append().ok());
  log_.reset();
  std::string text = FormatHighWater(**ReadHighWater(path_));
  text[text.size() / 2] ^= 1;
  std::ofstream(path_) << text;
  EXPECT_EQ(TryOpen().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(TryOpen(/*accept_missing=*/true).code(), absl::StatusCode::kDataLoss);
}

TEST_F(MarkedLogTest, AMarkThatCannotBeWrittenStopsTheNextAppend) {
  ASSERT_TRUE(TryOpen().ok());
  std::filesystem::create_directory(path_ + ".tmp");  // the temporary file cannot be created
  now_ += kHighWaterInterval;
  EXPECT_TRUE(Append().ok()) << "this commit is durable";
  const absl::Status status = Append();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(status), "WRITES_DISABLED");
  EXPECT_EQ(log_->Head().commits, 1u);
  log_.reset();
  std::filesystem::remove(path_ + ".tmp");
  ASSERT_TRUE(TryOpen().ok());
  EXPECT_EQ(log_->Head().commits, 1u);
  EXPECT_TRUE(Append().ok());
}

}  // namespace
}  // namespace docket::store
