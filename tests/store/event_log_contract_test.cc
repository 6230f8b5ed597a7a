#include "store/ordered_key.h"
#include "tests/store/store_fixtures.h"
#include "tests/support/faulty_kv.h"
#include "workflow/base/refusal.h"

// What an EventLog promises (store/event_log.h), over every store.
namespace docket::store {
namespace {

class EventLogContractTest : public ::testing::TestWithParam<Kind> {
 protected:
  EventLogContractTest() : store_(GetParam()) { OpenLog(); }

  void OpenLog() {
    auto opened = OpenLocalLog(store_.get(), {.high_water_path = mark_, .new_log_id = TestLogId()});
    ASSERT_TRUE(opened.ok()) << opened.status();
    log_ = *std::move(opened);
  }
  void Reopen() {
    log_.reset();
    store_.Reopen();
    OpenLog();
  }
  // Appends `count` commits as one group; returns their stored values.
  std::vector<std::string> AppendGroup(int count, int events = 1) {
    LogHead head = log_->Head();
    std::vector<EncodedCommit> commits;
    std::vector<std::string> stored;
    for (int i = 0; i < count; ++i) {
      commits.push_back(NextCommit(head, events));
      stored.push_back(commits.back().stored);
      head.commits += 1;
      head.next_position = commits.back().next_position;
      head.recorded_at_us = commits.back().recorded_at_us;
    }
    EXPECT_TRUE(log_->Append(commits, KvBatch()).ok());
    return stored;
  }
  std::vector<std::string> ReadAll(uint64_t from) {
    std::vector<std::string> found;
    auto cursor = log_->ReadFrom(from);
    while (true) {
      auto next = cursor->Next();
      EXPECT_TRUE(next.ok()) << next.status();
      if (!next.ok() || !next->has_value()) return found;
      found.push_back(**next);
    }
  }

  TemporaryFolder folder_;
  std::string mark_ = folder_.path("high-water");
  ReopenableStore store_;
  std::unique_ptr<EventLog> log_;
};

TEST_P(EventLogContractTest, ANewLogIsEmptyAndKeepsItsIdentity) {
  LogHead head = log_->Head();
  EXPECT_EQ(head.log_id, TestLogId());
  EXPECT_EQ(head.commits, 0u);
  EXPECT_EQ(head.next_position, 1u);
  EXPECT_EQ(head.recorded_at_us, 0);
  EXPECT_EQ(head.last_leaf, "");
  EXPECT_EQ(log_->Read(0).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(ReadAll(0), ::testing::IsEmpty());
  log_.reset();
  store_.Reopen();
  auto opened = OpenLocalLog(store_.get(), {.high_water_path = mark_, .new_log_id = "fedcba9876543210"});
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ((*opened)->Head().log_id, TestLogId()) << "the new id is for an empty store only";
}

TEST_P(EventLogContractTest, ANewLogWantsAnIdOf16Bytes) {
  auto store = OpenMemoryKv();
  EXPECT_EQ(OpenLocalLog(store.get(), {.new_log_id = "short"}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_P(EventLogContractTest, ReadsBackWhatWasAppendedAlsoAfterReopening) {
  std::vector<std::string> stored = AppendGroup(3, 2);
  for (std::string& more : AppendGroup(2)) stored.push_back(std::move(more));
  for (int round = 0; round < 2; ++round) {
    const LogHead head = log_->Head();
    EXPECT_EQ(head.commits, 5u);
    EXPECT_EQ(head.next_position, 1u + 3 * 2 + 2);
    EXPECT_EQ(head.recorded_at_us, 50);
    EXPECT_EQ(head.last_leaf, LeafHashOf(stored.back()));
    for (uint64_t commit = 0; commit < 5; ++commit) {
      EXPECT_EQ(*log_->Read(commit), stored[commit]);
      EXPECT_EQ(ReadAll(commit), std::vector<std::string>(stored.begin() + commit, stored.end()));
    }
    EXPECT_THAT(ReadAll(5), ::testing::IsEmpty());
    EXPECT_EQ(log_->Read(5).status().code(), absl::StatusCode::kNotFound);
    Reopen();
  }
}

TEST_P(EventLogContractTest, CommitsThatDoNotFollowTheHeadAreAborted) {
  AppendGroup(2);
  const LogHead head = log_->Head();
  const auto refused = [&](const std::vector<EncodedCommit>& commits) {
    KvBatch rows;
    rows.Put(kPersonalFamily, "row", "value");
    EXPECT_EQ(log_->Append(commits, rows).code(), absl::StatusCode::kAborted);
    EXPECT_EQ(log_->Head().commits, 2u);
    EXPECT_EQ(*store_->Snapshot()->Get(kPersonalFamily, "row"), std::nullopt);
  };
  EncodedCommit gap = NextCommit(head);
  gap.commit += 1;
  refused({gap});
  EncodedCommit again = NextCommit(head);
  again.commit -= 1;
  refused({again});
  EncodedCommit hole = NextCommit(head);
  hole.first_position += 1;
  hole.next_position += 1;
  refused({hole});
  EncodedCommit early = NextCommit(head);
  early.recorded_at_us = head.recorded_at_us - 1;
  refused({early});
  refused({NextCommit(head), NextCommit(head)});
  EXPECT_TRUE(log_->Append({NextCommit(head)}, KvBatch()).ok()) << "a refusal latches nothing";
}

TEST_P(EventLogContractTest, RowsAreWrittenTogetherWithTheCommits) {
  KvBatch rows;
  rows.Put(kPersonalFamily, "row", "value");
  ASSERT_TRUE(log_->Append({NextCommit(log_->Head())}, rows).ok());
  rows.Clear();
  rows.Put(kPersonalFamily, "alone", "value");
  ASSERT_TRUE(log_->Append({}, rows).ok());
  Reopen();
  EXPECT_EQ(log_->Head().commits, 1u);
  EXPECT_THAT(*store_->Snapshot()->Get(kPersonalFamily, "row"), ::testing::Optional(std::string("value")));
  EXPECT_THAT(*store_->Snapshot()->Get(kPersonalFamily, "alone"), ::testing::Optional(std::string("value")));
}

TEST_P(EventLogContractTest, ACursorEndsWhereTheLogEndedWhenItWasMade) {
  const std::vector<std::string> stored = AppendGroup(2);
  auto cursor = log_->ReadFrom(1);
  AppendGroup(1);
  EXPECT_THAT(*cursor->Next(), ::testing::Optional(stored[1]));
  EXPECT_EQ(*cursor->Next(), std::nullopt);
  EXPECT_EQ(*cursor->Next(), std::nullopt);
}

TEST_P(EventLogContractTest, DamagedAndMissingCommitsAreDataLoss) {
  AppendGroup(3);
  const std::string key_of_1 = KeyWriter().U64(1).Take();
  std::string damaged = *log_->Read(1);
  damaged.back() ^= 1;
  KvBatch batch;
  batch.Put(kLogFamily, key_of_1, damaged);
  ASSERT_TRUE(store_->Write(batch, true).ok());
  EXPECT_EQ(log_->Read(1).status().code(), absl::StatusCode::kDataLoss);
  auto cursor = log_->ReadFrom(0);
  EXPECT_TRUE(cursor->Next().ok());
  EXPECT_EQ(cursor->Next().status().code(), absl::StatusCode::kDataLoss);
  batch.Clear();
  batch.Delete(kLogFamily, key_of_1);
  ASSERT_TRUE(store_->Write(batch, true).ok());
  EXPECT_EQ(log_->Read(1).status().code(), absl::StatusCode::kDataLoss);
  cursor = log_->ReadFrom(0);
  EXPECT_TRUE(cursor->Next().ok());
  EXPECT_EQ(cursor->Next().status().code(), absl::StatusCode::kDataLoss) << "a gap is not skipped";
}

TEST_P(EventLogContractTest, AnAppendOfUnknownOutcomeLatchesTheLogUntilItIsOpenedAgain) {
  for (const test::KvCall call : {test::KvCall::kWriteBefore, test::KvCall::kWriteAfter}) {
    const uint64_t before = log_->Head().commits;
    log_.reset();
    test::FaultyKv faulty(store_.get());
    auto opened = OpenLocalLog(&faulty, {.high_water_path = mark_, .new_log_id = TestLogId()});
    ASSERT_TRUE(opened.ok()) << opened.status();
    EventLog& log = **opened;
    faulty.FailCall(call, 1);
    const EncodedCommit commit = NextCommit(log.Head());
    const absl::Status unknown = log.Append({commit}, KvBatch());
    EXPECT_EQ(unknown.code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(ReasonOf(unknown), "OUTCOME_UNKNOWN");
    EXPECT_EQ(log.Head().commits, before) << "what may not be durable is not shown";
    EXPECT_EQ(log.Read(before).status().code(), absl::StatusCode::kNotFound);
    const absl::Status later = log.Append({commit}, KvBatch());
    EXPECT_EQ(later.code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(ReasonOf(later), "WRITES_DISABLED");
    opened->reset();
    OpenLog();
    EXPECT_EQ(log_->Head().commits, before + (call == test::KvCall::kWriteAfter ? 1 : 0));
  }
}

TEST_P(EventLogContractTest, AnAppendRefusedForTheDiskReserveLatchesNothing) {
  log_.reset();
  test::FaultyKv faulty(store_.get());
  auto log = OpenLocalLog(&faulty, {.high_water_path = mark_, .new_log_id = TestLogId()});
  ASSERT_TRUE(log.ok());
  faulty.FailCall(test::KvCall::kWriteBefore, 1, absl::StatusCode::kResourceExhausted);
  const EncodedCommit commit = NextCommit((*log)->Head());
  const absl::Status refused = (*log)->Append({commit}, KvBatch());
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(refused), "DISK_RESERVE");
  EXPECT_TRUE((*log)->Append({commit}, KvBatch()).ok());
}

// The records below are well formed one by one, but are not what the log says they are.
TEST_P(EventLogContractTest, OpeningRefusesALastCommitThatDoesNotBelong) {
  AppendGroup(2);
  const LogHead head = log_->Head();
  const auto opens_with = [&](const EncodedCommit& commit, uint64_t under) {
    log_.reset();
    KvBatch batch;
    batch.Put(kLogFamily, KeyWriter().U64(under).Take(), commit.stored);
    EXPECT_TRUE(store_->Write(batch, true).ok());
    const absl::Status status =
        OpenLocalLog(store_.get(), {.high_water_path = mark_, .new_log_id = TestLogId()}).status();
    batch.Clear();
    batch.Delete(kLogFamily, KeyWriter().U64(under).Take());
    EXPECT_TRUE(store_->Write(batch, true).ok());
    return status.code();
  };
  LogHead other = head;
  other.log_id = "fedcba9876543210";
  EXPECT_EQ(opens_with(NextCommit(other), 2), absl::StatusCode::kDataLoss);
  EXPECT_EQ(opens_with(NextCommit(head), 3), absl::StatusCode::kDataLoss) << "a gap, and a number that is not its key";
  other = head;
  other.next_position += 1;
  EXPECT_EQ(opens_with(NextCommit(other), 2), absl::StatusCode::kDataLoss);
  other = head;
  other.recorded_at_us = 0;
  EXPECT_EQ(opens_with(NextCommit(other), 2), absl::StatusCode::kDataLoss);
  EncodedCommit damaged = NextCommit(head);
  damaged.stored[10] ^= 1;
  EXPECT_EQ(opens_with(damaged, 2), absl::StatusCode::kDataLoss);
  EXPECT_EQ(opens_with(NextCommit(head), 2), absl::StatusCode::kOk);
}

INSTANTIATE_TEST_SUITE_P(Stores, EventLogContractTest,
                         ::testing::Values(Kind::kMemory, Kind::kRocksInMemory, Kind::kRocksOnDisk), KindName);

}  // namespace
}  // namespace docket::store
