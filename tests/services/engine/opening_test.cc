// Opening on a store that fails, and a log that can no longer remember how far it reached.
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "store/memory_kv.h"
#include "store/uuid.h"
#include "tests/services/engine/log_audit.h"
#include "tests/support/faulty_kv.h"
#include "tests/support/house.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"

namespace docket::engine {
namespace {

using test::FaultyKv;
using test::KvCall;
using testing::House;

struct Plant {
  std::unique_ptr<store::EventLog> log;
  std::unique_ptr<Engine> engine;
};

absl::StatusOr<Plant> OpenPlant(store::KvStore* kv, const store::LocalLogOptions& log_options) {
  Plant plant;
  DOCKET_ASSIGN_OR_RETURN(plant.log, store::OpenLocalLog(kv, log_options));
  EngineOptions options;
  options.kv = kv;
  options.log = plant.log.get();
  options.environment = {std::make_shared<testing::FakeClock>(testing::Wednesday()), testing::SeededRandomness(3)};
  options.run_timers = false;
  DOCKET_ASSIGN_OR_RETURN(plant.engine, Engine::Open(options));
  return plant;
}

absl::StatusOr<Plant> OpenPlant(store::KvStore* kv) { return OpenPlant(kv, {.new_log_id = std::string(16, 'l')}); }

v1::ExecuteRequest Filing(uint64_t n) {
  v1::ExecuteRequest request;
  request.set_request_id(
      store::MakeUuidV7(absl::ToUnixMillis(testing::Wednesday()), absl::StrCat("id", absl::Dec(n, absl::kZeroPad8))));
  request.mutable_command()->mutable_file()->set_kind(v1::REQUEST);
  request.mutable_command()->mutable_file()->set_title("A key");
  return request;
}

class OpeningTest : public ::testing::TestWithParam<KvCall> {
 protected:
  // Fails the k-th call of opening, for every k; `prepare` fills a new disk. Then opens again and looks at everything.
  template <class Prepare>
  void FailEveryCall(const Prepare& prepare, bool commits_expected) {
    int k = 1;
    for (;; ++k) {
      SCOPED_TRACE(absl::StrCat("call ", k));
      const auto disk = store::OpenMemoryKv();
      prepare(disk.get());
      FaultyKv faulty(disk.get());
      const bool latches = GetParam() == KvCall::kWriteBefore || GetParam() == KvCall::kWriteAfter;
      faulty.FailCall(GetParam(), k, latches ? absl::StatusCode::kUnavailable : absl::StatusCode::kDataLoss);
      {
        const auto plant = OpenPlant(&faulty);
        EXPECT_TRUE(plant.ok() || faulty.failed()) << plant.status();
      }
      if (!faulty.failed()) break;
      const auto plant = OpenPlant(disk.get());
      ASSERT_TRUE(plant.ok()) << plant.status();
      const auto filed = testing::Execute(*plant->engine, Filing(1));
      EXPECT_EQ(filed.ok(), commits_expected) << filed.status();  // policies are there or not
      const auto audited = testing::AuditLog(*plant->log);
      ASSERT_TRUE(audited.ok()) << audited.status();
      EXPECT_EQ(audited->stories[0].find(" 5/system@1 SchemaRecorded"), 0u)
          << "what the log says of itself comes first";
      EXPECT_EQ(audited->stories.size() > 1, commits_expected);
      EXPECT_TRUE(testing::AuditViews(*plant->engine).ok());
    }
    // Opening does not make every kind of call on every disk.
    RecordProperty(commits_expected ? "calls_on_a_full_disk" : "calls_on_an_empty_disk", k - 1);
  }
};

TEST_P(OpeningTest, EveryCallOfTheFirstOpeningMayFail) {
  FailEveryCall([](store::KvStore*) {}, false);
}

TEST_P(OpeningTest, EveryCallOfALaterOpeningMayFail) {
  FailEveryCall(
      [](store::KvStore* disk) {
        House house({.kv = std::make_unique<FaultyKv>(disk)});
        DOCKET_CHECK(house.File("kind: COMPLAINT title: 'Water off'").ok());
      },
      true);
}

INSTANTIATE_TEST_SUITE_P(Calls, OpeningTest,
                         ::testing::Values(KvCall::kWriteBefore, KvCall::kWriteAfter, KvCall::kGet, KvCall::kScan,
                                           KvCall::kNext, KvCall::kLast));

// The mark is written beside the store; once it cannot be, the log takes no more, and everybody can see that.
TEST(HighWaterTest, AMarkThatCannotBeWrittenLatchesWritingAndHealthSaysSo) {
  std::string folder = ::testing::TempDir() + "docket_opening_XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const auto disk = store::OpenMemoryKv();
  std::chrono::steady_clock::time_point now;
  auto plant = OpenPlant(disk.get(), {.high_water_path = folder + "/high-water",
                                      .new_log_id = std::string(16, 'l'),
                                      .steady_now = [&] { return now += store::kHighWaterInterval; }});
  ASSERT_TRUE(plant.ok()) << plant.status();
  EXPECT_TRUE(plant->engine->WriteHealth().ok());
  const auto publish = [&](const std::string& yaml, uint64_t n) {
    v1::PublishPoliciesRequest request;
    request.set_request_id(Filing(n).request_id());
    request.set_yaml(yaml);
    testing::Pending<v1::PublishPoliciesReply> pending;
    plant->engine->SubmitPublish(request, Caller{.principal_id = "mei.tan"}, pending.Completion());
    return pending.Wait().status();
  };
  const std::string calendar = "calendar: always\nalways: true\neffective_from: ";
  EXPECT_TRUE(publish(calendar + "2000-01-01T00:00:00Z\n", 1).ok());
  std::filesystem::remove_all(folder);
  EXPECT_TRUE(publish(calendar + "1999-01-01T00:00:00Z\n", 2).ok()) << "durable, though the mark is not";
  const absl::Status refused = publish(calendar + "1998-01-01T00:00:00Z\n", 3);
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(refused), "WRITES_DISABLED");
  EXPECT_EQ(ReasonOf(plant->engine->WriteHealth()), "WRITES_DISABLED");
  EXPECT_TRUE(plant->engine->Stats(false).write_disabled());
  EXPECT_TRUE(testing::AuditLog(*plant->log).ok()) << "reads go on";
}

}  // namespace
}  // namespace docket::engine
