// The engine with 32 commands outstanding on a disk that forgets what was not synced: at every instant at which the
// store asks for a sync the power goes, and whatever had been answered is there, once, and is answered again.
#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "store/rocks_kv.h"
#include "tests/services/engine/log_audit.h"
#include "tests/services/engine/writers.h"
#include "tests/support/house.h"
#include "tests/support/unsynced_fs.h"
#include "workflow/base/check.h"

namespace docket::engine {
namespace {

using testing::House;

constexpr char kFolder[] = "/data/db";
constexpr uint32_t kWriters = 32;
constexpr uint64_t kStepsPerSitting = 24;  // of each writer, and there are two sittings

struct Acknowledgement {
  uint32_t writer = 0;
  uint64_t step = 0;
  uint64_t commit = 0;
  std::string answer;
};

int64_t MadeAt() { return absl::ToUnixMillis(testing::Wednesday()); }

absl::StatusOr<std::unique_ptr<store::KvStore>> OpenStore(std::shared_ptr<rocksdb::FileSystem> disk, bool sync) {
  store::RocksOptions options;
  options.path = kFolder;
  options.file_system = std::move(disk);
  options.disk_reserve_bytes = 0;
  options.sync = sync;
  return store::OpenRocksKv(options);
}

class PowerCutTest : public ::testing::Test {
 protected:
  // Two sittings with a reopening between them, which turns the WAL into files; timers fire in the second one, and a
  // rebuild runs beside it.
  void Work(bool sync) {
    disk_ = std::make_shared<test::UnsyncedFs>(test::MakeMemoryDisk(), kFolder);
    for (int sitting = 0; sitting < 2; ++sitting) {
      auto store = OpenStore(disk_, sync);
      ASSERT_TRUE(store.ok()) << store.status();
      House house({.kv = *std::move(store),
                   .start = sitting == 0 ? testing::Wednesday() : End() - absl::Minutes(1),
                   .publish_packs = sitting == 0,
                   .seed = NextSeed()});
      if (sitting == 0) {
        disk_->RecordCrashPoints([this] {
          const std::lock_guard<std::mutex> lock(mutex_);
          return acknowledged_.size();
        });
      }
      testing::Writers writers(&house.engine(), MadeAt(), NextSteps(acknowledged_),
                               [&](uint32_t writer, uint64_t step, const absl::StatusOr<v1::ExecuteReply>& reply) {
                                 return Acknowledge(writer, step, reply) && step + 1 < (sitting + 1) * kStepsPerSitting;
                               });
      if (sitting == 1) {
        house.clock().AdvanceTo(End());
        EXPECT_TRUE(house.engine().Rebuild(false, [](uint64_t, uint64_t) {}).ok());
      }
      writers.Wait();
    }
  }

  // Three working days on: every first response is overdue.
  static absl::Time End() { return testing::At("2026-11-23T12:00:00Z"); }

  bool Acknowledge(uint32_t writer, uint64_t step, const absl::StatusOr<v1::ExecuteReply>& reply) {
    EXPECT_TRUE(reply.ok()) << writer << "/" << step << ": " << reply.status();
    if (!reply.ok()) return false;
    const std::lock_guard<std::mutex> lock(mutex_);
    acknowledged_.push_back({writer, step, reply->commit(), testing::FirstAnswer(*reply)});
    return true;
  }

  static std::vector<uint64_t> NextSteps(const std::vector<Acknowledgement>& acknowledged) {
    std::vector<uint64_t> next(kWriters, 0);
    for (const Acknowledgement& one : acknowledged) next[one.writer] = one.step + 1;
    return next;
  }

  // Sends every `stride`-th of `acknowledged` again and the 64 last ones.
  static void Resend(House& house, const std::vector<Acknowledgement>& acknowledged, size_t stride) {
    std::vector<std::pair<const Acknowledgement*, testing::Pending<v1::ExecuteReply>>> sent;
    for (size_t i = 0; i < acknowledged.size(); ++i) {
      if (i % stride != 0 && i + 64 < acknowledged.size()) continue;
      auto& [one, pending] = sent.emplace_back(&acknowledged[i], testing::Pending<v1::ExecuteReply>());
      house.engine().Submit(testing::RequestOf(MadeAt(), one->writer, one->step), Caller{.principal_id = "grace.lind"},
                            Lane::kInteractive, pending.Completion());
    }
    for (auto& [one, pending] : sent) {
      const auto reply = pending.Wait();
      ASSERT_TRUE(reply.ok()) << one->writer << "/" << one->step << ": " << reply.status();
      EXPECT_TRUE(reply->replayed());
      EXPECT_EQ(testing::FirstAnswer(*reply), one->answer);
    }
  }

  // How many of `acknowledged` are not what the log holds. The log itself must be whole even then.
  static size_t CountLost(House& house, const std::vector<Acknowledgement>& acknowledged) {
    const auto audited = testing::AuditLog(house.log());
    EXPECT_TRUE(audited.ok()) << audited.status();
    if (!audited.ok()) return acknowledged.size();
    return std::count_if(acknowledged.begin(), acknowledged.end(), [&](const Acknowledgement& one) {
      const auto found = audited->requests.find(testing::RequestOf(MadeAt(), one.writer, one.step).request_id());
      return found == audited->requests.end() || found->second != one.commit;
    });
  }

  std::unique_ptr<House> OpenAfter(const test::DiskImage& image) {
    auto store = OpenStore(test::MakeMemoryDisk(image), true);
    EXPECT_TRUE(store.ok()) << store.status();
    if (!store.ok()) return nullptr;
    return std::make_unique<House>(
        House::Options{.kv = *std::move(store), .start = End(), .publish_packs = false, .seed = NextSeed()});
  }

  // Opens what the power cut left, looks for what had been acknowledged, asks for some of it again, and goes on
  // working: the commands that were under way are repeated first. `more` is the number of steps of each writer.
  void ExpectSurvived(const test::DiskImage& image, size_t acknowledged_count, uint64_t more) {
    const auto house = OpenAfter(image);
    ASSERT_NE(house, nullptr);
    std::vector<Acknowledgement> acknowledged(acknowledged_.begin(), acknowledged_.begin() + acknowledged_count);
    ASSERT_EQ(CountLost(*house, acknowledged), 0u) << "of " << acknowledged_count << " acknowledged commits";
    Resend(*house, acknowledged, 37);
    const std::vector<uint64_t> next = NextSteps(acknowledged);
    std::mutex mutex;
    testing::Writers writers(&house->engine(), MadeAt(), next,
                             [&](uint32_t writer, uint64_t step, const absl::StatusOr<v1::ExecuteReply>& reply) {
                               EXPECT_TRUE(reply.ok()) << writer << "/" << step << ": " << reply.status();
                               if (!reply.ok()) return false;
                               const std::lock_guard<std::mutex> lock(mutex);
                               acknowledged.push_back({writer, step, reply->commit(), testing::FirstAnswer(*reply)});
                               return step + 1 < next[writer] + more;
                             });
    writers.Wait();
    EXPECT_EQ(CountLost(*house, acknowledged), 0u);
    if (more > 2) Resend(*house, acknowledged, 1);
    EXPECT_TRUE(testing::AuditViews(house->engine()).ok()) << testing::AuditViews(house->engine());
  }

  uint64_t NextSeed() { return ++seed_; }

  std::shared_ptr<test::UnsyncedFs> disk_;
  std::mutex mutex_;
  std::vector<Acknowledgement> acknowledged_;  // in the order of answering
  uint64_t seed_ = 0;
};

TEST_F(PowerCutTest, WhatWasAcknowledgedSurvivesAPowerCutAtEverySync) {
  Work(/*sync=*/true);
  const std::vector<test::CrashPoint> points = disk_->TakeCrashPoints();
  ASSERT_GE(points.size(), 2 * kStepsPerSitting) << "at least one sync per group";
  for (size_t i = 0; i < points.size() && !HasFailure(); ++i) {
    SCOPED_TRACE(absl::StrCat("sync ", i, " of ", points.size(), ", ", points[i].label, " acknowledged"));
    ExpectSurvived(points[i].lost, points[i].label, 2);
    if (i % 4 == 0) ExpectSurvived(points[i].torn, points[i].label, 2);
  }
  RecordProperty("syncs", static_cast<int>(points.size()));
}

TEST_F(PowerCutTest, TheFirstAnswerIsGivenAfterManyOtherCommandsToo) {
  Work(/*sync=*/true);
  ExpectSurvived(disk_->AfterPowerCut(), acknowledged_.size(), 40);
}

// The same power cuts with RocksDB's syncing switched off: if nothing were lost then, the test above would prove
// nothing.
TEST_F(PowerCutTest, WithoutSyncingTheSameCutsLoseAcknowledgedCommits) {
  Work(/*sync=*/false);
  std::vector<test::CrashPoint> points = disk_->TakeCrashPoints();
  points.push_back({acknowledged_.size(), disk_->AfterPowerCut(), {}});
  size_t with_loss = 0;
  size_t most_lost = 0;
  for (const test::CrashPoint& point : points) {
    const auto house = OpenAfter(point.lost);
    ASSERT_NE(house, nullptr);
    const size_t lost = CountLost(*house, {acknowledged_.begin(), acknowledged_.begin() + point.label});
    with_loss += lost > 0;
    most_lost = std::max(most_lost, lost);
  }
  EXPECT_GT(with_loss, 0u);
  std::printf("without syncing %zu of %zu power cuts lost acknowledged commits, up to %zu of them\n", with_loss,
              points.size(), most_lost);
}

}  // namespace
}  // namespace docket::engine
