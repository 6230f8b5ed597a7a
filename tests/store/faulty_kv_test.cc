#include "tests/support/faulty_kv.h"

#include "tests/store/store_fixtures.h"
#include "workflow/base/refusal.h"

// The helper that others' failure tests rely on does what it says.
namespace docket::test {
namespace {

using store::kLogFamily;
using store::KvBatch;

class FaultyKvTest : public ::testing::Test {
 protected:
  absl::Status Put(const std::string& key) {
    KvBatch batch;
    batch.Put(kLogFamily, key, "value");
    return faulty_.Write(batch, true);
  }
  bool Has(const std::string& key) { return (*behind_->Snapshot()->Get(kLogFamily, key)).has_value(); }

  std::unique_ptr<store::KvStore> behind_ = store::OpenMemoryKv();
  FaultyKv faulty_{behind_.get()};
};

TEST_F(FaultyKvTest, TheNthWriteFailsWithOrWithoutEffectAndLatches) {
  for (const auto& [call, has] : {std::pair(KvCall::kWriteBefore, false), std::pair(KvCall::kWriteAfter, true)}) {
    FaultyKv faulty(behind_.get());
    faulty.FailCall(call, 2);
    const std::string run = has ? "after" : "before";
    KvBatch batch;
    batch.Put(kLogFamily, run + "1", "");
    EXPECT_TRUE(faulty.Write(batch, true).ok());
    EXPECT_FALSE(faulty.failed());
    batch.Put(kLogFamily, run + "2", "");
    EXPECT_EQ(ReasonOf(faulty.Write(batch, true)), "OUTCOME_UNKNOWN");
    EXPECT_TRUE(faulty.failed());
    EXPECT_EQ(Has(run + "2"), has);
    batch.Put(kLogFamily, run + "3", "");
    EXPECT_EQ(ReasonOf(faulty.Write(batch, true)), "WRITES_DISABLED");
    EXPECT_FALSE(Has(run + "3"));
    EXPECT_EQ(faulty.WriteLatch().code(), absl::StatusCode::kUnavailable);
    EXPECT_TRUE(faulty.Snapshot()->Get(kLogFamily, "x").ok()) << "reads go on";
  }
}

TEST_F(FaultyKvTest, AReserveRefusalDoesNotLatch) {
  faulty_.FailCall(KvCall::kWriteBefore, 1, absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(Put("a")), "DISK_RESERVE");
  EXPECT_TRUE(Put("a").ok());
}

TEST_F(FaultyKvTest, ReadsFailOnceWhereAsked) {
  for (const char* key : {"a", "b", "c"}) ASSERT_TRUE(Put(key).ok());
  auto snapshot = faulty_.Snapshot();
  faulty_.FailCall(KvCall::kGet, 2, absl::StatusCode::kDataLoss);
  EXPECT_TRUE(snapshot->Get(kLogFamily, "a").ok());
  EXPECT_EQ(snapshot->Get(kLogFamily, "a").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(snapshot->Get(kLogFamily, "a").ok());
  EXPECT_EQ(faulty_.calls(KvCall::kGet), 3);
  faulty_.FailCall(KvCall::kGet, 1);
  EXPECT_FALSE(snapshot->GetMany(kLogFamily, {"a", "b"}).ok());
  faulty_.FailCall(KvCall::kLast, 1);
  EXPECT_FALSE(snapshot->Last(kLogFamily, "", "").ok());
  EXPECT_TRUE(snapshot->Last(kLogFamily, "", "").ok());
  faulty_.FailCall(KvCall::kScan, 1);
  auto iterator = snapshot->Scan(kLogFamily, "", "");
  EXPECT_FALSE(iterator->Valid());
  EXPECT_FALSE(iterator->status().ok());
  faulty_.FailCall(KvCall::kNext, 2);
  iterator = snapshot->Scan(kLogFamily, "", "");
  int rows = 0;
  for (; iterator->Valid(); iterator->Next()) ++rows;
  EXPECT_EQ(rows, 2);
  EXPECT_FALSE(iterator->status().ok());
  faulty_.FailCall(KvCall::kNext, 1);
  iterator = snapshot->Scan(kLogFamily, "", "");
  iterator->Seek("b");
  EXPECT_FALSE(iterator->Valid());
  EXPECT_FALSE(iterator->status().ok());
  EXPECT_EQ(store::ScanAll(*snapshot, kLogFamily).size(), 3u);
}

TEST_F(FaultyKvTest, AnIngestionFailsWithoutEffect) {
  faulty_.FailCall(KvCall::kIngest, 1);
  EXPECT_EQ(faulty_.IngestSorted(kLogFamily, {{"a", "1"}}).code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(Has("a"));
}

}  // namespace
}  // namespace docket::test
