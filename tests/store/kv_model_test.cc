#include <map>
#include <random>

#include "tests/store/store_fixtures.h"

// Random operations beside a std::map, reopened every 100 steps. The seed is printed when a test fails; set
// DOCKET_SEED to run it again.
namespace docket::store {
namespace {

constexpr int kSteps = 2000;
constexpr int kReopenEvery = 100;

uint32_t Seed() {
  const char* given = std::getenv("DOCKET_SEED");
  return given != nullptr ? static_cast<uint32_t>(std::strtoul(given, nullptr, 10)) : 20240607;
}

using Rows = std::map<std::string, std::string>;
using Model = std::map<Family, Rows>;

class KvModelTest : public ::testing::TestWithParam<Kind> {
 protected:
  KvModelTest() : store_(GetParam()) {
    model_[kLogFamily];
    model_[kPersonalFamily];
  }

  int Below(int limit) { return static_cast<int>(random_() % static_cast<uint32_t>(limit)); }
  std::string Key() {
    std::string key(static_cast<size_t>(Below(3)), static_cast<char>(Below(3) * 127));
    return key + std::to_string(Below(40));
  }
  Family AnyFamily() {
    auto it = model_.begin();
    std::advance(it, Below(static_cast<int>(model_.size())));
    return it->first;
  }

  void WriteSome() {
    KvBatch batch;
    for (int n = Below(6); n >= 0; --n) {
      const Family family = AnyFamily();
      const std::string key = Key();
      if (Below(3) == 0) {
        batch.Delete(family, key);
        model_[family].erase(key);
      } else {
        const std::string value = std::to_string(random_());
        batch.Put(family, key, value);
        model_[family][key] = value;
      }
    }
    ASSERT_TRUE(store_->Write(batch, Below(2) == 0).ok());
  }

  void CreateOrDrop() {
    const Family family = ViewFamily(static_cast<uint32_t>(Below(3)));
    if (model_.contains(family)) {
      ASSERT_TRUE(store_->DropFamily(family).ok());
      model_.erase(family);
    } else {
      ASSERT_TRUE(store_->CreateFamily(family).ok());
      model_[family];
    }
  }

  void Ingest() {
    const Family family = AnyFamily();
    Rows& rows = model_[family];
    const std::string prefix = "~" + Key();
    if (auto next = rows.lower_bound(prefix); next != rows.end() && next->first <= prefix + "9") return;
    Entries entries;
    for (int i = Below(8); i >= 0; --i) entries.emplace_back(prefix + std::to_string(8 - i), "ingested");
    ASSERT_TRUE(store_->IngestSorted(family, entries).ok());
    rows.insert(entries.begin(), entries.end());
  }

  static Entries Expected(const Rows& rows, const std::string& lower, const std::string& upper) {
    Entries expected;
    for (const auto& row : rows) {
      if (row.first >= lower && (upper.empty() || row.first < upper)) expected.emplace_back(row);
    }
    return expected;
  }

  void Compare(const KvSnapshot& snapshot, const Model& model) {
    for (const auto& [family, rows] : model) {
      const std::string lower = Below(2) == 0 ? "" : Key();
      const std::string upper = Below(2) == 0 ? "" : Key();
      const Entries expected = Expected(rows, lower, upper);
      ASSERT_EQ(ScanAll(snapshot, family, lower, upper), expected);
      const auto last = snapshot.Last(family, lower, upper);
      ASSERT_TRUE(last.ok());
      ASSERT_EQ(last->has_value(), !expected.empty());
      if (last->has_value()) {
        ASSERT_EQ(**last, expected.back());
      }
      const std::string key = Key();
      const auto got = snapshot.Get(family, key);
      ASSERT_TRUE(got.ok());
      ASSERT_EQ(got->has_value(), rows.contains(key));
      if (got->has_value()) {
        ASSERT_EQ(**got, rows.at(key));
      }
      std::vector<std::string> keys;
      for (size_t i = Below(5); i > 0; --i) keys.push_back(Key());
      const auto many = snapshot.GetMany(family, keys);
      ASSERT_TRUE(many.ok());
      ASSERT_EQ(many->size(), keys.size());
      for (size_t i = 0; i < keys.size(); ++i) {
        ASSERT_EQ((*many)[i].has_value(), rows.contains(keys[i]));
        if ((*many)[i].has_value()) {
          ASSERT_EQ(*(*many)[i], rows.at(keys[i]));
        }
      }
    }
  }

  std::mt19937 random_{Seed()};
  Model model_;
  ReopenableStore store_;
};

TEST_P(KvModelTest, BehavesLikeAMap) {
  SCOPED_TRACE("DOCKET_SEED=" + std::to_string(Seed()));
  std::vector<std::pair<std::unique_ptr<KvSnapshot>, Model>> held;
  for (int step = 1; step <= kSteps && !HasFatalFailure(); ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    switch (Below(20)) {
      case 0:
        CreateOrDrop();
        break;
      case 1:
        Ingest();
        break;
      case 2:
        held.emplace_back(store_->Snapshot(), model_);
        break;
      case 3:
        if (!held.empty()) {
          const size_t i = static_cast<size_t>(Below(static_cast<int>(held.size())));
          Compare(*held[i].first, held[i].second);
          held.erase(held.begin() + static_cast<long>(i));
        }
        break;
      default:
        WriteSome();
    }
    if (step % kReopenEvery == 0) {
      held.clear();
      store_.Reopen();
    }
    if (step % 10 == 0) Compare(*store_->Snapshot(), model_);
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, KvModelTest,
                         ::testing::Values(Kind::kMemory, Kind::kRocksInMemory, Kind::kRocksOnDisk), KindName);

}  // namespace
}  // namespace docket::store
