// Ladders across failures and downtime: each key once wherever a write fails, order kept after days, the highest told.
#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "store/memory_kv.h"
#include "store/record_format.h"
#include "tests/services/engine/log_audit.h"
#include "tests/support/faulty_kv.h"
#include "tests/support/house.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"
#include "workflow/case/replay.h"

namespace docket::engine {
namespace {

using test::FaultyKv;
using test::KvCall;
using testing::House;
using testing::Wednesday;

constexpr absl::Duration kStep = absl::Hours(7);
constexpr int kSteps = 40;  // nearly twelve days: every level of the clock and both of silence

// A level raised: where in the log's order, and when it says it happened.
struct Raised {
  std::string case_id;
  std::string key;  // "complaints-line clock/3 2"
  absl::Time at;
  bool passed = false;
};

std::vector<Raised> RaisedIn(const store::EventLog& log) {
  std::vector<Raised> all;
  const auto cursor = log.ReadFrom(0);
  for (;;) {
    const auto stored = cursor->Next();
    DOCKET_CHECK(stored.ok());
    if (!stored->has_value()) return all;
    const auto record = store::DecodeRecord(**stored);
    DOCKET_CHECK(record.ok());
    for (const v1::Slice& slice : record->slices()) {
      for (const v1::RecordedEvent& recorded : slice.events()) {
        const auto event = workflow::DecodeEvent(recorded);
        DOCKET_CHECK(event.ok());
        if (!event->has_escalation_raised()) continue;
        const v1::EscalationRaised& raised = event->escalation_raised();
        all.push_back({slice.stream_id(),
                       absl::StrCat(raised.ladder().id(), " ", raised.trigger_key(), " ", raised.level()),
                       FromProto(event->occurred_at()), raised.passed()});
      }
    }
  }
}

class LadderRecoveryTest : public ::testing::Test {
 protected:
  void Open(absl::Time now) {
    const bool first = house_ == nullptr;
    house_.reset();
    auto faulty = std::make_unique<FaultyKv>(disk_.get());
    faulty_ = faulty.get();
    // The same seed each time a case is filed, so that two runs give the same ids.
    house_ = std::make_unique<House>(
        House::Options{.kv = std::move(faulty), .start = now, .publish_packs = first, .seed = first ? 1u : 2u});
  }

  void FileCases(int count) {
    ASSERT_TRUE(house_->Publish(testing::ReadPack("ladder-complaints.yaml")).ok());
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(house_->File("kind: COMPLAINT title: 'x' impact: 1 urgency: 1").ok());
      house_->AdvanceTo(house_->clock().Now() + absl::Minutes(7));
    }
  }

  // Days pass; whenever a write has failed the server is started again.
  void LetTimePass(int steps) {
    for (int i = 0; i < steps; ++i) {
      house_->AdvanceTo(house_->clock().Now() + kStep);
      if (faulty_->failed()) {
        Open(house_->clock().Now());
        house_->Settle();
      }
    }
  }

  std::unique_ptr<store::KvStore> disk_;
  std::unique_ptr<House> house_;
  FaultyKv* faulty_ = nullptr;
};

TEST_F(LadderRecoveryTest, EachKeyFiresOnceWhereverAWriteFails) {
  std::vector<std::tuple<std::string, std::string, absl::Time>> wanted;
  int writes = 0;
  // Run 0 fails nowhere and tells how many writes there are to fail at.
  for (int run = 0; run <= 2 * writes; ++run) {
    house_.reset();
    disk_ = store::OpenMemoryKv();
    Open(Wednesday());
    FileCases(2);
    const int before = faulty_->calls(KvCall::kWriteBefore);
    if (run > 0) faulty_->FailCall(run % 2 == 0 ? KvCall::kWriteBefore : KvCall::kWriteAfter, (run + 1) / 2);
    LetTimePass(kSteps);
    std::vector<std::tuple<std::string, std::string, absl::Time>> got;
    for (const Raised& one : RaisedIn(house_->log())) got.emplace_back(one.case_id, one.key, one.at);
    std::sort(got.begin(), got.end());
    ASSERT_EQ(std::adjacent_find(got.begin(), got.end()), got.end()) << "raised twice, run " << run;
    if (run == 0) {
      writes = faulty_->calls(KvCall::kWriteBefore) - before;
      wanted = got;
      ASSERT_GT(wanted.size(), 10u);
      ASSERT_GT(writes, 10);
    }
    ASSERT_EQ(got, wanted) << "run " << run << " of " << 2 * writes;
  }
  const absl::Status views = testing::AuditViews(house_->engine());
  EXPECT_TRUE(views.ok()) << views;
}

TEST_F(LadderRecoveryTest, AfterDaysOfDowntimeTheOrderIsKeptAndTheHighestTold) {
  disk_ = store::OpenMemoryKv();
  Open(Wednesday());
  FileCases(40);
  const size_t before = RaisedIn(house_->log()).size();
  Open(house_->clock().Now() + absl::Hours(24 * 9));
  house_->Settle();
  const std::vector<Raised> all = RaisedIn(house_->log());
  ASSERT_GT(all.size(), before + 40 * 4);
  std::map<std::string, absl::Time> last;
  std::set<std::pair<std::string, std::string>> keys;
  for (size_t i = before; i < all.size(); ++i) {
    EXPECT_GE(all[i].at, last[all[i].case_id]) << "out of order";
    last[all[i].case_id] = all[i].at;
    EXPECT_TRUE(keys.emplace(all[i].case_id, all[i].key).second) << all[i].key << " twice";
  }
  for (size_t i = before; i < all.size(); ++i) {
    const auto of_same = [&](const Raised& one) {
      return one.case_id == all[i].case_id &&
             one.key.substr(0, one.key.find(' ')) == all[i].key.substr(0, all[i].key.find(' '));
    };
    const auto level = [](const Raised& one) { return one.key.substr(one.key.rfind(' ') + 1); };
    const bool higher = std::any_of(all.begin() + static_cast<ptrdiff_t>(before), all.end(),
                                    [&](const Raised& one) { return of_same(one) && level(one) > level(all[i]); });
    EXPECT_EQ(all[i].passed, higher) << all[i].key;
  }
}

}  // namespace
}  // namespace docket::engine
