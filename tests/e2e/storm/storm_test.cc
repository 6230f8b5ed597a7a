// Very many clocks fall due at one instant, at a docketd that has other work: while it runs, while it is down, and
// while it is killed again and again as it catches up. Each is recorded once and in order, nothing that clients were
// told is lost, and whoever follows the log is told everything once.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "services/engine/environment.h"
#include "tests/e2e/storm/clients.h"
#include "tests/e2e/storm/docketd.h"
#include "tests/e2e/storm/judge.h"
#include "tools/client/event_streams.h"
#include "tools/client/execute_pipeline.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"

namespace docket::storm {
namespace {

size_t clocks = 3000;  // --clocks
size_t kills = 3;      // --kills
uint64_t seed = 0;     // --seed; by default another each time

constexpr size_t kClients = 16;
constexpr size_t kCasesWrittenTo = 1000;
// How much slower than a first thousand the filing of the others may be until they fall due before the storm is ready,
// and the time to stop, copy and start.
constexpr int kTimesSlower = 4;
constexpr absl::Duration kSpare = absl::Seconds(8);
// A small storm may be over before it can be killed often.
constexpr int kKilledStorms = 4;
constexpr absl::Duration kPatience = absl::Minutes(10);  // until what does not come is a failure

constexpr char kPolicies[] = R"(sla: storm
obligation: CUSTOMER
order: 1
when: {case.kind: [REQUEST]}
calendar: always
metrics:
  - metric: PROMISED
    nature: DUTY
    start: {event: case_received}
    start_at: received_at
    stop:
      - event: status_changed
        where: {event.entered.category: [RESOLVED, CLOSED]}
    pausable: false
    reopens: true
    answerable: ACCOUNTABLE
    targets:
      - {when: {case.has_promised_due: true}, target: fixed}
    warnings_permille: [100]
---
ladder: storm
levels:
  - {level: 1, kind: HIERARCHICAL, trigger: BREACH, target: QUEUE_LEAD, ack_within: 30d, calendar: always}
)";

class StormTest : public ::testing::Test {
 protected:
  StormTest() {
    std::string pattern = ::testing::TempDir() + "docket_storm_XXXXXX";
    DOCKET_CHECK(mkdtemp(pattern.data()) != nullptr);
    work_ = pattern;
    docketd_ = std::make_unique<Docketd>(work_ + "/docketd.err");
  }
  ~StormTest() override {
    docketd_.reset();
    std::filesystem::remove_all(work_);
  }

  std::string Folder(const std::string& name) const { return absl::StrCat(work_, "/", name); }

  // Leaves a stopped server's folder, "prepared", with all clocks running, all warnings recorded and nothing due yet.
  void Prepare() {
    std::ofstream(work_ + "/storm.yaml") << kPolicies;
    std::vector<std::string> packs;
    for (const char* pack :
         {"directory-sample", "calendar-always", "calendar-london", "priority-matrix", "ticket-basic"}) {
      packs.push_back(absl::StrCat("workflow/policy/packs/", pack, ".yaml"));
    }
    packs.push_back(work_ + "/storm.yaml");
    const absl::Status started = docketd_->Start(Folder("prepared"), packs);
    ASSERT_TRUE(started.ok()) << started;
    client::Client client(PatientClient(docketd_->address()));
    const absl::Time began = absl::Now();
    ASSERT_NO_FATAL_FAILURE(File(client, kCasesWrittenTo, v1::INQUIRY, &case_ids_));
    const absl::Duration each = (absl::Now() - began) / kCasesWrittenTo;
    due_ = absl::FromUnixSeconds(absl::ToUnixSeconds(absl::Now() + kTimesSlower * clocks * each + kSpare));
    Follower warnings(docketd_->address(), Follower::Of::kAlerts, 1);
    ASSERT_NO_FATAL_FAILURE(File(client, clocks, v1::REQUEST, nullptr));
    const absl::Status warned = warnings.Await({.warnings = clocks}, kPatience);
    ASSERT_TRUE(warned.ok()) << warned;
    const auto stats = client.GetStats({});
    ASSERT_TRUE(stats.ok()) << stats.status();
    before_ = stats->last_position();
    const absl::Status stopped = docketd_->Stop();
    ASSERT_TRUE(stopped.ok()) << stopped;
  }

  void File(client::Client& client, size_t count, v1::CaseKind kind, std::vector<std::string>* case_ids) {
    absl::Status refused;
    client::ExecutePipeline pipeline(client, {.brief = true},
                                     [&](const v1::ExecuteRequest&, const absl::StatusOr<v1::ExecuteReply>& reply) {
                                       refused.Update(reply.status());
                                       if (reply.ok() && case_ids != nullptr) case_ids->push_back(reply->case_id());
                                     });
    for (size_t i = 0; i < count; ++i) {
      v1::ExecuteRequest request;
      v1::FileCase& file = *request.mutable_command()->mutable_file();
      file.set_kind(kind);
      file.set_title(absl::StrCat("Meter ", i, " is to be read today"));
      if (kind == v1::REQUEST) *file.mutable_due_at() = ToProto(due_);
      const absl::Status sent = pipeline.Send(std::move(request));
      ASSERT_TRUE(sent.ok()) << sent;
    }
    const absl::Status finished = pipeline.Finish();
    ASSERT_TRUE(finished.ok()) << finished;
    ASSERT_TRUE(refused.ok()) << refused;
  }

  void StartOverCopy(const std::string& name) {
    std::filesystem::copy(Folder("prepared"), Folder(name), std::filesystem::copy_options::recursive);
    ASSERT_NO_FATAL_FAILURE(Start(name));
  }

  // One storm at a server just started over the folder `name`, `kills` times cut off at a moment chosen by chance.
  void Storm(const std::string& name, size_t kills) {
    SCOPED_TRACE(absl::StrCat(name, ", seed ", seed));
    // From where the folder ends: a server that was down has begun to catch up before anybody can ask it.
    Follower follower(docketd_->address(), Follower::Of::kEvents, before_ + 1);
    Follower resting(docketd_->address(), Follower::Of::kEvents, before_ + 1, /*rests=*/true);
    Follower alerts(docketd_->address(), Follower::Of::kAlerts, before_ + 1);
    Writers writers(docketd_->address(), case_ids_, kClients);

    std::vector<absl::Time> killed;
    for (size_t i = 0; i < kills; ++i) {
      ASSERT_NO_FATAL_FAILURE(AwaitSomePosition());
      docketd_->Kill();
      killed.push_back(absl::Now());
      ASSERT_NO_FATAL_FAILURE(Start(name));
    }
    for (Follower* one : {&follower, &alerts, &resting}) {
      const absl::Status told = one->Await({.breaches = clocks, .escalations = clocks}, kPatience);
      ASSERT_TRUE(told.ok()) << told;
    }
    auto acknowledged = writers.Finish();
    ASSERT_TRUE(acknowledged.ok()) << acknowledged.status();
    const size_t notes = acknowledged->size();
    EXPECT_GT(notes, 0u);
    Judge judge(due_, clocks, *std::move(acknowledged));
    const double peak_mib = docketd_->PeakMib();
    ASSERT_NO_FATAL_FAILURE(ReadLog(&judge));
    const std::vector<absl::Time>& breaches = judge.breaches_recorded_at();
    std::printf("%s: %zu breaches in %.1f s, %zu notes meanwhile, server's peak memory %.0f MiB\n", name.c_str(),
                breaches.size(), absl::ToDoubleSeconds(breaches.back() - breaches.front()), notes, peak_mib);
    CountKilledInTheMiddle(breaches, killed);
    const absl::Status stopped = docketd_->Stop();
    EXPECT_TRUE(stopped.ok()) << stopped;
  }

  void Start(const std::string& name) {
    const absl::Status started = docketd_->Start(Folder(name));
    ASSERT_TRUE(started.ok()) << started;
  }

  // Returns when the log has come some of the way that is left of the storm.
  void AwaitSomePosition() {
    client::Client client(PatientClient(docketd_->address()));  // an old one would wait before it tries again
    for (uint64_t wanted = 0, last = 0; last == 0 || last < wanted;) {
      const auto stats = client.GetStats({});
      ASSERT_TRUE(stats.ok()) << stats.status();
      last = stats->last_position();
      if (wanted > 0) continue;
      const uint64_t end = std::max(last, before_ + 2 * clocks);  // a breach and an escalation each
      wanted = last + std::uniform_int_distribution<uint64_t>(0, (end - last) / 2)(random_);
    }
  }

  void ReadLog(Judge* judge) {
    client::Client client(PatientClient(docketd_->address()));
    absl::Status judged;
    const absl::Status read = client::ReadLog(client, {}, [&](const v1::ReadLogReply& reply) {
      for (const v1::HistoryEvent& event : reply.events()) {
        if (judged.ok()) judged = judge->Take(event);
      }
      return judged.ok();
    });
    ASSERT_TRUE(judged.ok()) << judged;
    ASSERT_TRUE(read.ok()) << read;
    const absl::Status finished = judge->Finish();
    ASSERT_TRUE(finished.ok()) << finished;
  }

  // A server that starts begins to catch up before it answers, and may then be done already.
  void CountKilledInTheMiddle(const std::vector<absl::Time>& breaches, const std::vector<absl::Time>& killed) {
    for (const absl::Time at : killed) {
      const size_t before = std::upper_bound(breaches.begin(), breaches.end(), at) - breaches.begin();
      std::printf("  killed after %zu breaches\n", before);
      killed_in_the_middle_ += before > 0 && before < breaches.size() ? 1 : 0;
    }
  }

  std::string work_;
  std::unique_ptr<Docketd> docketd_;
  std::mt19937_64 random_{seed};
  std::vector<std::string> case_ids_;  // of the cases written to
  absl::Time due_;
  uint64_t before_ = 0;  // last position before the storm
  size_t killed_in_the_middle_ = 0;
};

TEST_F(StormTest, EveryClockDueAtOneInstantIsRecordedOnceAndInOrderRunningDownOrKilled) {
  ASSERT_NO_FATAL_FAILURE(Prepare());
  ASSERT_NO_FATAL_FAILURE(StartOverCopy("running"));
  ASSERT_LT(absl::Now(), due_) << "the machine became too slow to be ready before the storm";
  ASSERT_NO_FATAL_FAILURE(Storm("running", 0));
  ASSERT_GT(absl::Now(), due_);
  ASSERT_NO_FATAL_FAILURE(StartOverCopy("down"));
  ASSERT_NO_FATAL_FAILURE(Storm("down", 0));
  for (int i = 0; i < kKilledStorms && killed_in_the_middle_ < kills; ++i) {
    const std::string name = absl::StrCat("killed", i);
    ASSERT_NO_FATAL_FAILURE(StartOverCopy(name));
    ASSERT_NO_FATAL_FAILURE(Storm(name, kills - killed_in_the_middle_));
  }
  EXPECT_GT(killed_in_the_middle_, 0u);
}

}  // namespace
}  // namespace docket::storm

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const std::string chance = docket::engine::MakeSystemRandomness()(sizeof docket::storm::seed);
  std::memcpy(&docket::storm::seed, chance.data(), sizeof docket::storm::seed);
  for (int i = 1; i < argc; ++i) {
    absl::string_view argument = argv[i];
    if (absl::ConsumePrefix(&argument, "--clocks=")) DOCKET_CHECK(absl::SimpleAtoi(argument, &docket::storm::clocks));
    if (absl::ConsumePrefix(&argument, "--kills=")) DOCKET_CHECK(absl::SimpleAtoi(argument, &docket::storm::kills));
    if (absl::ConsumePrefix(&argument, "--seed=")) DOCKET_CHECK(absl::SimpleAtoi(argument, &docket::storm::seed));
  }
  std::printf("seed %llu\n", static_cast<unsigned long long>(docket::storm::seed));
  return RUN_ALL_TESTS();
}
