#include <thread>

#include "tests/store/store_fixtures.h"

// What every KvStore promises (store/kv.h), judged on all of them alike.
namespace docket::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::Pair;

class KvContractTest : public ::testing::TestWithParam<Kind> {
 protected:
  KvContractTest() : store_(GetParam()) {}

  void Put(Family family, const std::string& key, const std::string& value) {
    KvBatch batch;
    batch.Put(family, key, value);
    ASSERT_TRUE(store_->Write(batch, true).ok());
  }
  void Delete(Family family, const std::string& key) {
    KvBatch batch;
    batch.Delete(family, key);
    ASSERT_TRUE(store_->Write(batch, true).ok());
  }
  std::optional<std::string> Get(Family family, const std::string& key) {
    auto value = store_->Snapshot()->Get(family, key);
    EXPECT_TRUE(value.ok()) << value.status();
    return value.ok() ? *value : std::nullopt;
  }

  ReopenableStore store_;
};

TEST_P(KvContractTest, ANewStoreIsEmptyAndHasTheTwoFixedFamilies) {
  EXPECT_THAT(store_->Families(), IsEmpty());
  EXPECT_THAT(ScanAll(*store_->Snapshot(), kLogFamily), IsEmpty());
  EXPECT_THAT(ScanAll(*store_->Snapshot(), kPersonalFamily), IsEmpty());
  EXPECT_TRUE(store_->WriteLatch().ok());
}

TEST_P(KvContractTest, ReadsBackWhatWasWrittenAlsoAfterReopening) {
  const std::string zeros("\0\xff\0", 3);
  Put(kLogFamily, zeros, zeros);
  Put(kLogFamily, "empty", "");
  EXPECT_THAT(Get(kLogFamily, zeros), Optional(zeros));
  store_.Reopen();
  EXPECT_THAT(Get(kLogFamily, zeros), Optional(zeros));
  EXPECT_THAT(Get(kLogFamily, "empty"), Optional(std::string()));
  EXPECT_EQ(Get(kLogFamily, "other"), std::nullopt);
  EXPECT_EQ(Get(kPersonalFamily, zeros), std::nullopt) << "families are apart";
}

TEST_P(KvContractTest, TheOutboxHasAFamilyWhereItIsAskedFor) {
  ASSERT_TRUE(store_->CreateFamily(kOutboxFamily).ok());
  Put(kOutboxFamily, "a", "1");
  store_.Reopen();
  EXPECT_THAT(store_->Families(), ElementsAre(kOutboxFamily));
  EXPECT_THAT(Get(kOutboxFamily, "a"), Optional(std::string("1")));
}

TEST_P(KvContractTest, LaterEntriesOfABatchWin) {
  KvBatch batch;
  batch.Put(kLogFamily, "a", "1");
  batch.Delete(kLogFamily, "a");
  batch.Put(kLogFamily, "b", "1");
  batch.Put(kLogFamily, "b", "2");
  batch.Delete(kLogFamily, "c");
  batch.Put(kLogFamily, "c", "3");
  ASSERT_TRUE(store_->Write(batch, true).ok());
  EXPECT_THAT(ScanAll(*store_->Snapshot(), kLogFamily), ElementsAre(Pair("b", "2"), Pair("c", "3")));
}

TEST_P(KvContractTest, ABatchOverSeveralFamiliesIsAllOrNothing) {
  ASSERT_TRUE(store_->CreateFamily(ViewFamily(1)).ok());
  KvBatch batch;
  batch.Put(kLogFamily, "a", "1");
  batch.Put(kPersonalFamily, "a", "2");
  batch.Put(ViewFamily(1), "a", "3");
  batch.Put(ViewFamily(2), "a", "4");
  EXPECT_EQ(store_->Write(batch, true).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Get(kLogFamily, "a"), std::nullopt);
  EXPECT_EQ(Get(ViewFamily(1), "a"), std::nullopt);
  ASSERT_TRUE(store_->CreateFamily(ViewFamily(2)).ok());
  ASSERT_TRUE(store_->Write(batch, true).ok()) << "a batch refused before it was written latches nothing";
  store_.Reopen();
  EXPECT_THAT(Get(kLogFamily, "a"), Optional(std::string("1")));
  EXPECT_THAT(Get(kPersonalFamily, "a"), Optional(std::string("2")));
  EXPECT_THAT(Get(ViewFamily(1), "a"), Optional(std::string("3")));
  EXPECT_THAT(Get(ViewFamily(2), "a"), Optional(std::string("4")));
}

TEST_P(KvContractTest, AnEmptyBatchIsWritten) { EXPECT_TRUE(store_->Write(KvBatch(), true).ok()); }

TEST_P(KvContractTest, SnapshotsSeeNothingOfLaterWrites) {
  Put(kLogFamily, "kept", "1");
  Put(kLogFamily, "changed", "1");
  Put(kLogFamily, "deleted", "1");
  auto before = store_->Snapshot();
  auto iterator = before->Scan(kLogFamily, "", "");
  Put(kLogFamily, "changed", "2");
  Delete(kLogFamily, "deleted");
  Put(kLogFamily, "added", "2");
  const auto old_rows = ElementsAre(Pair("changed", "1"), Pair("deleted", "1"), Pair("kept", "1"));
  EXPECT_THAT(ScanAll(*before, kLogFamily), old_rows);
  EXPECT_THAT(*before->Get(kLogFamily, "deleted"), Optional(std::string("1")));
  EXPECT_EQ(*before->Get(kLogFamily, "added"), std::nullopt);
  Entries by_iterator;
  for (; iterator->Valid(); iterator->Next()) by_iterator.emplace_back(iterator->key(), iterator->value());
  EXPECT_THAT(by_iterator, old_rows);
  EXPECT_THAT(ScanAll(*store_->Snapshot(), kLogFamily),
              ElementsAre(Pair("added", "2"), Pair("changed", "2"), Pair("kept", "1")));
}

TEST_P(KvContractTest, AnIteratorOutlivesItsSnapshotObject) {
  Put(kLogFamily, "a", "1");
  Put(kLogFamily, "b", "1");
  auto iterator = store_->Snapshot()->Scan(kLogFamily, "", "");
  Delete(kLogFamily, "b");
  Put(kLogFamily, "c", "1");
  ASSERT_TRUE(iterator->Valid());
  EXPECT_EQ(iterator->key(), "a");
  iterator->Next();
  ASSERT_TRUE(iterator->Valid());
  EXPECT_EQ(iterator->key(), "b");
  iterator->Next();
  EXPECT_FALSE(iterator->Valid());
  EXPECT_TRUE(iterator->status().ok());
}

TEST_P(KvContractTest, ScansFromLowerInclusiveToUpperExclusive) {
  for (const char* key : {"a", "b", "bb", "c", "\xff\xff"}) Put(kLogFamily, key, key);
  auto snapshot = store_->Snapshot();
  const auto keys = [&](absl::string_view lower, absl::string_view upper) {
    std::vector<std::string> found;
    for (const auto& [key, value] : ScanAll(*snapshot, kLogFamily, lower, upper)) found.push_back(key);
    return found;
  };
  EXPECT_THAT(keys("", ""), ElementsAre("a", "b", "bb", "c", "\xff\xff"));
  EXPECT_THAT(keys("b", "c"), ElementsAre("b", "bb"));
  EXPECT_THAT(keys("ba", "bb"), IsEmpty());
  EXPECT_THAT(keys("bb", ""), ElementsAre("bb", "c", "\xff\xff"));
  EXPECT_THAT(keys("", "b"), ElementsAre("a"));
  EXPECT_THAT(keys("b", "b"), IsEmpty());
  EXPECT_THAT(keys("c", "b"), IsEmpty());
}

TEST_P(KvContractTest, AnIteratorSeeksAheadAndBehindBelowItsUpperBound) {
  for (const char* key : {"a", "b", "d", "f"}) Put(kLogFamily, key, key);
  auto iterator = store_->Snapshot()->Scan(kLogFamily, "b", "f");
  Put(kLogFamily, "c", "later");
  const auto at = [&](absl::string_view key) {
    iterator->Seek(key);
    return iterator->Valid() ? std::string(iterator->key()) : "none";
  };
  EXPECT_EQ(at("c"), "d");
  EXPECT_EQ(at("f"), "none");
  EXPECT_EQ(at("a"), "a");
  EXPECT_EQ(at("b"), "b");
  iterator->Next();
  EXPECT_EQ(iterator->key(), "d");
  EXPECT_TRUE(iterator->status().ok());
}

TEST_P(KvContractTest, ManyKeysAreFoundInTheOrderAskedFor) {
  for (const char* key : {"a", "b", "c"}) Put(kLogFamily, key, std::string("value of ") + key);
  Delete(kLogFamily, "b");
  const auto snapshot = store_->Snapshot();
  EXPECT_THAT(*snapshot->GetMany(kLogFamily, {"c", "b", "a", "c", "0"}),
              ElementsAre(Optional(std::string("value of c")), std::nullopt, Optional(std::string("value of a")),
                          Optional(std::string("value of c")), std::nullopt));
  EXPECT_THAT(*snapshot->GetMany(kLogFamily, {}), IsEmpty());
}

TEST_P(KvContractTest, LastFindsTheGreatestKeyInBounds) {
  auto snapshot = store_->Snapshot();
  EXPECT_EQ(*snapshot->Last(kLogFamily, "", ""), std::nullopt);
  for (const char* key : {"a", "b", "c"}) Put(kLogFamily, key, std::string("value of ") + key);
  Put(kLogFamily, "d", "deleted");
  Delete(kLogFamily, "d");
  EXPECT_EQ(*snapshot->Last(kLogFamily, "", ""), std::nullopt) << "of the old snapshot";
  snapshot = store_->Snapshot();
  const auto last = [&](absl::string_view lower, absl::string_view upper) {
    auto entry = *snapshot->Last(kLogFamily, lower, upper);
    return entry.has_value() ? entry->first : "none";
  };
  EXPECT_THAT(*snapshot->Last(kLogFamily, "", ""), Optional(Pair("c", "value of c")));
  EXPECT_EQ(last("", "c"), "b");
  EXPECT_EQ(last("b", "c"), "b");
  EXPECT_EQ(last("bb", "c"), "none");
  EXPECT_EQ(last("", "a"), "none");
  EXPECT_EQ(last("d", ""), "none");
}

TEST_P(KvContractTest, FamiliesAreCreatedListedAndDroppedAlsoAcrossReopening) {
  const Family one = ViewFamily(1);
  const Family two = ViewFamily(22);
  ASSERT_TRUE(store_->CreateFamily(one).ok());
  ASSERT_TRUE(store_->CreateFamily(two).ok());
  EXPECT_EQ(store_->CreateFamily(one).code(), absl::StatusCode::kFailedPrecondition);
  store_.Reopen();
  EXPECT_THAT(store_->Families(), ElementsAre(one, two));
  EXPECT_EQ(store_->CreateFamily(two).code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(store_->DropFamily(one).ok());
  EXPECT_EQ(store_->DropFamily(one).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(store_->Families(), ElementsAre(two));
  store_.Reopen();
  EXPECT_THAT(store_->Families(), ElementsAre(two));
}

TEST_P(KvContractTest, TheFixedFamiliesAreNeitherCreatedNorDropped) {
  for (Family family : {kLogFamily, kPersonalFamily, Family{kFirstViewFamily - 1}}) {
    EXPECT_EQ(store_->CreateFamily(family).code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(store_->DropFamily(family).code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST_P(KvContractTest, AFamilyThatDoesNotExistIsNotFound) {
  const Family none = ViewFamily(7);
  auto snapshot = store_->Snapshot();
  EXPECT_EQ(snapshot->Get(none, "a").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(snapshot->GetMany(none, {"a"}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(snapshot->Last(none, "", "").status().code(), absl::StatusCode::kNotFound);
  auto iterator = snapshot->Scan(none, "", "");
  EXPECT_FALSE(iterator->Valid());
  iterator->Seek("a");
  EXPECT_FALSE(iterator->Valid());
  EXPECT_EQ(iterator->status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store_->IngestSorted(none, {{"a", "1"}}).code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(store_->WriteLatch().ok());
}

TEST_P(KvContractTest, ADropDisturbsNoOlderSnapshotAndAFamilyMadeAgainIsEmpty) {
  const Family view = ViewFamily(3);
  auto without = store_->Snapshot();
  ASSERT_TRUE(store_->CreateFamily(view).ok());
  Put(view, "a", "1");
  auto with = store_->Snapshot();
  ASSERT_TRUE(store_->DropFamily(view).ok());
  EXPECT_EQ(without->Get(view, "a").status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(*with->Get(view, "a"), Optional(std::string("1")));
  EXPECT_THAT(ScanAll(*with, view), ElementsAre(Pair("a", "1")));
  ASSERT_TRUE(store_->CreateFamily(view).ok());
  EXPECT_EQ(Get(view, "a"), std::nullopt);
  EXPECT_THAT(ScanAll(*with, view), ElementsAre(Pair("a", "1")));
}

TEST_P(KvContractTest, IngestsSortedEntriesBesideOthers) {
  const Family view = ViewFamily(1);
  ASSERT_TRUE(store_->CreateFamily(view).ok());
  Put(view, "a", "before");
  Put(view, "z", "behind");
  auto before = store_->Snapshot();
  ASSERT_TRUE(store_->IngestSorted(view, {{"b", "1"}, {"c", "2"}}).ok());
  ASSERT_TRUE(store_->IngestSorted(view, {{"d", "3"}}).ok());
  ASSERT_TRUE(store_->IngestSorted(view, {}).ok());
  const auto all =
      ElementsAre(Pair("a", "before"), Pair("b", "1"), Pair("c", "2"), Pair("d", "3"), Pair("z", "behind"));
  EXPECT_THAT(ScanAll(*before, view), ElementsAre(Pair("a", "before"), Pair("z", "behind")));
  EXPECT_THAT(ScanAll(*store_->Snapshot(), view), all);
  before.reset();
  store_.Reopen();
  EXPECT_THAT(ScanAll(*store_->Snapshot(), view), all);
  Put(view, "c", "later");
  EXPECT_THAT(Get(view, "c"), Optional(std::string("later"))) << "a write after the ingestion wins";
}

TEST_P(KvContractTest, IngestingRefusesDisorderAndOccupiedRanges) {
  const Family view = ViewFamily(1);
  ASSERT_TRUE(store_->CreateFamily(view).ok());
  EXPECT_EQ(store_->IngestSorted(view, {{"b", "1"}, {"a", "2"}}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store_->IngestSorted(view, {{"b", "1"}, {"b", "2"}}).code(), absl::StatusCode::kInvalidArgument);
  Put(view, "c", "1");
  EXPECT_EQ(store_->IngestSorted(view, {{"b", "1"}, {"d", "2"}}).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(store_->IngestSorted(view, {{"b", "1"}, {"c", "2"}}).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(ScanAll(*store_->Snapshot(), view), ElementsAre(Pair("c", "1")));
  EXPECT_TRUE(store_->IngestSorted(view, {{"b", "1"}}).ok());
}

// Each write moves both keys together, so a reader that ever sees them differ has seen half a batch.
TEST_P(KvContractTest, ReadersBesideTheWriterSeeWholeBatchesOnly) {
  constexpr int kWrites = 300;
  std::thread writer([&] {
    for (int i = 1; i <= kWrites; ++i) {
      KvBatch batch;
      batch.Put(kLogFamily, "x", std::to_string(i));
      batch.Put(kPersonalFamily, "y", std::to_string(i));
      EXPECT_TRUE(store_->Write(batch, false).ok());
    }
  });
  std::string seen;
  while (seen != std::to_string(kWrites)) {
    auto snapshot = store_->Snapshot();
    auto x = snapshot->Get(kLogFamily, "x");
    auto y = ScanAll(*snapshot, kPersonalFamily);
    ASSERT_TRUE(x.ok());
    EXPECT_EQ(x->value_or(""), y.empty() ? "" : y.front().second);
    seen = x->value_or("");
    std::this_thread::yield();
  }
  writer.join();
}

INSTANTIATE_TEST_SUITE_P(Stores, KvContractTest,
                         ::testing::Values(Kind::kMemory, Kind::kRocksInMemory, Kind::kRocksOnDisk), KindName);

}  // namespace
}  // namespace docket::store
