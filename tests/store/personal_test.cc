#include "store/personal.h"

#include "store/ordered_key.h"
#include "tests/store/store_fixtures.h"

namespace docket::store {
namespace {

class PersonalTest : public ::testing::TestWithParam<Kind> {
 protected:
  PersonalTest() : store_(GetParam()) {}

  v1::SealedText Write(const std::string& subject, uint64_t commit, uint32_t n, const std::string& text) {
    KvBatch batch;
    v1::SealedText reference = Seal(&batch, subject, commit, n, text, salt_);
    EXPECT_TRUE(store_->Write(batch, true).ok());
    return reference;
  }
  absl::StatusOr<std::optional<Opened>> OpenNow(const v1::SealedText& reference) {
    return Open(*store_->Snapshot(), reference);
  }
  void Overwrite(const v1::SealedText& reference, const std::string& value) {
    KvBatch batch;
    batch.Put(kPersonalFamily, PersonalKey(reference.subject_id(), reference.commit(), reference.n()), value);
    ASSERT_TRUE(store_->Write(batch, true).ok());
  }

  const std::string salt_ = std::string(kSaltBytes - 1, 's') + '\0';
  ReopenableStore store_;
};

TEST_P(PersonalTest, ASealedTextOpensAlsoAfterReopening) {
  const std::string text("Frau M\0ller", 11);
  const v1::SealedText reference = Write("subject", 7, 2, text);
  EXPECT_EQ(reference.subject_id(), "subject");
  EXPECT_EQ(reference.commit(), 7u);
  EXPECT_EQ(reference.n(), 2u);
  EXPECT_EQ(reference.length(), 11u);
  EXPECT_EQ(reference.text(), "") << "the reference goes into the log and holds no text";
  store_.Reopen();
  const auto opened = OpenNow(reference);
  ASSERT_TRUE(opened.ok() && opened->has_value()) << opened.status();
  EXPECT_EQ((*opened)->text, text);
  EXPECT_EQ((*opened)->salt, salt_);
}

TEST_P(PersonalTest, AnEmptyTextOpens) {
  const auto opened = OpenNow(Write("subject", 0, 0, ""));
  ASSERT_TRUE(opened.ok() && opened->has_value());
  EXPECT_EQ((*opened)->text, "");
}

TEST_P(PersonalTest, TheDigestIsOverDomainAlgorithmSaltAndText) {
  EXPECT_EQ(SealedDigest(v1::SEAL_ALGORITHM_SALTED_CLEAR, salt_, "text"),
            Sha256("docket/sealed/v1" + std::string(1, '\0') + salt_ + "text"));
  EXPECT_NE(SealedDigest(v1::SEAL_ALGORITHM_SALTED_CLEAR, salt_, "text"),
            SealedDigest(v1::SEAL_ALGORITHM_AES_256_GCM, salt_, "text"));
}

TEST_P(PersonalTest, ErasingASubjectRemovesItsTextsAndNoOthers) {
  const v1::SealedText first = Write("a", 1, 0, "one");
  const v1::SealedText second = Write("a", 900, 3, "two");
  // Neighbours in key order, among them one whose id has the erased id as a prefix.
  const v1::SealedText longer = Write("ab", 1, 0, "three");
  const v1::SealedText zero = Write(std::string("a\0", 2), 1, 0, "four");
  KvBatch batch;
  const auto erased = EraseSubject(*store_->Snapshot(), "a", &batch);
  ASSERT_TRUE(erased.ok());
  EXPECT_EQ(*erased, 2u);
  ASSERT_TRUE(store_->Write(batch, true).ok());
  store_.Reopen();
  for (const auto& reference : {first, second}) {
    const auto opened = OpenNow(reference);
    ASSERT_TRUE(opened.ok());
    EXPECT_EQ(*opened == std::nullopt, true) << "erased is not an error";
  }
  for (const auto& reference : {longer, zero}) {
    const auto opened = OpenNow(reference);
    EXPECT_TRUE(opened.ok() && opened->has_value());
  }
}

TEST_P(PersonalTest, EveryFlippedBitAndTruncationIsDataLoss) {
  const v1::SealedText reference = Write("subject", 1, 0, "some text");
  const std::string good =
      **store_->Snapshot()->Get(kPersonalFamily, PersonalKey("subject", 1, 0));
  ASSERT_EQ(good.size(), 1 + kSaltBytes + 9);
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string damaged = good;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    Overwrite(reference, damaged);
    EXPECT_EQ(OpenNow(reference).status().code(), absl::StatusCode::kDataLoss) << bit;
  }
  for (size_t size = 0; size < good.size(); ++size) {
    Overwrite(reference, good.substr(0, size));
    EXPECT_EQ(OpenNow(reference).status().code(), absl::StatusCode::kDataLoss) << size;
  }
  Overwrite(reference, good + "x");
  EXPECT_EQ(OpenNow(reference).status().code(), absl::StatusCode::kDataLoss);
  Overwrite(reference, good);
  EXPECT_TRUE(OpenNow(reference).ok());
}

TEST_P(PersonalTest, AReferenceWithAnotherAlgorithmIsNotOpened) {
  v1::SealedText reference = Write("subject", 1, 0, "some text");
  reference.set_alg(v1::SEAL_ALGORITHM_AES_256_GCM);
  EXPECT_EQ(OpenNow(reference).status().code(), absl::StatusCode::kDataLoss);
}

INSTANTIATE_TEST_SUITE_P(Stores, PersonalTest, ::testing::Values(Kind::kMemory, Kind::kRocksInMemory), KindName);

}  // namespace
}  // namespace docket::store
