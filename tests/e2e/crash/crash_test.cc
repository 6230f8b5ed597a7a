// A process with 32 commands outstanding is killed at a random moment, and again, and again. After each time everything
// it had answered is in the log, once; the numbers have no gap; and the same request gets the same answer, however long
// ago it was. SIGKILL leaves the page cache alone: what a lost cache would take is judged by engine_power_cut_test.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gtest/gtest.h"
#include "tests/e2e/crash/crash_child.h"
#include "tests/services/engine/log_audit.h"
#include "tests/services/engine/writers.h"
#include "tests/support/kill_rounds.h"
#include "workflow/base/check.h"

namespace docket::crash {
namespace {

int rounds = 10;          // --rounds
uint64_t seed = 0;        // --seed; by default another each time
constexpr uint64_t kLongAgo = 100'000;  // commands

class CrashTest : public ::testing::Test {
 protected:
  CrashTest() {
    std::string pattern = ::testing::TempDir() + "docket_crash_XXXXXX";
    DOCKET_CHECK(mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
  }
  ~CrashTest() override { std::filesystem::remove_all(folder_); }

  // Lets a child work and kills it: mostly after some answers, sometimes before the first, while it opens its folder.
  void Round(bool lazy, size_t answers) {
    ChildArguments arguments{.folder = folder_, .made_at_ms = made_at_ms_, .lazy = lazy, .first_steps = next_steps_};
    test::Child child(ToArguments(arguments));
    Report report;
    const std::chrono::milliseconds while_opening(Random(0, 80));
    for (size_t read = 0; read < answers || answers == 0; ++read) {
      const bool got = answers == 0 ? child.Read(&report, sizeof report, while_opening) : child.Read(&report, sizeof report);
      if (!got) break;
      Note(report);
      if (answers == 0) break;
    }
    ASSERT_TRUE(child.Kill()) << "the child ended by itself";
    while (child.Read(&report, sizeof report)) Note(report);  // what it said before it died, it said
  }

  void Note(const Report& report) {
    ASSERT_LT(report.writer, kWriters);
    ASSERT_EQ(report.step, next_steps_[report.writer]) << "of writer " << report.writer;
    next_steps_[report.writer] = report.step + 1;
    acknowledged_.push_back(report);
  }

  v1::ExecuteRequest RequestFor(const Report& report) const {
    return testing::RequestOf(made_at_ms_, report.writer, report.step);
  }

  // What is wrong after a kill; "": nothing. Reads what the log has got since the last time.
  std::string JudgeAfterKill() {
    const size_t acknowledged_before = judged_;
    absl::StatusOr<Plant> plant = OpenPlant(folder_, false);
    if (!plant.ok()) return absl::StrCat("does not open: ", plant.status().ToString());
    const uint64_t from = commits_ == 0 ? 0 : commits_ - 1;
    const auto audited = testing::AuditLog(*plant->log, from);
    if (!audited.ok()) return audited.status().ToString();
    if (plant->log->Head().commits < commits_) return "the log became shorter";
    commits_ = plant->log->Head().commits;
    for (const auto& [request_id, commit] : audited->requests) {
      if (requests_.emplace(request_id, commit).first->second != commit) return absl::StrCat(request_id, " twice");
    }
    for (; judged_ < acknowledged_.size(); ++judged_) {
      const Report& report = acknowledged_[judged_];
      const auto found = requests_.find(RequestFor(report).request_id());
      if (found == requests_.end() || found->second != report.commit) {
        return absl::StrCat("commit ", report.commit, " was acknowledged and is gone");
      }
    }
    return JudgeAnswers(*plant->engine, acknowledged_before);
  }

  // The newest answers and some of all times, asked for again.
  std::string JudgeAnswers(engine::Engine& engine, size_t newest_from) {
    std::vector<size_t> chosen;
    for (size_t i = std::max(newest_from, acknowledged_.size() - std::min<size_t>(acknowledged_.size(), 64));
         i < acknowledged_.size(); ++i) {
      chosen.push_back(i);
    }
    for (int i = 0; i < 32 && !acknowledged_.empty(); ++i) chosen.push_back(Random(0, acknowledged_.size() - 1));
    for (const size_t i : chosen) {
      const Report& before = acknowledged_[i];
      const auto reply = testing::Execute(engine, RequestFor(before));
      if (!reply.ok()) return absl::StrCat("commit ", before.commit, " again: ", reply.status().ToString());
      const Report again = ReportOf(before.writer, before.step, *reply);
      if (!reply->replayed() || std::memcmp(&again, &before, sizeof again) != 0) {
        return absl::StrCat("commit ", before.commit, " got another answer: ", reply->ShortDebugString());
      }
      if (acknowledged_.size() - i > kLongAgo) ++answered_long_ago_;
    }
    return "";
  }

  // Everything from the beginning.
  void JudgeAll() {
    absl::StatusOr<Plant> plant = OpenPlant(folder_, false);
    ASSERT_TRUE(plant.ok()) << plant.status();
    const auto audited = testing::AuditLog(*plant->log);
    ASSERT_TRUE(audited.ok()) << audited.status();
    for (const Report& report : acknowledged_) {
      const auto found = audited->requests.find(RequestFor(report).request_id());
      ASSERT_TRUE(found != audited->requests.end() && found->second == report.commit) << report.commit;
    }
    const absl::Status views = testing::AuditViews(*plant->engine);
    EXPECT_TRUE(views.ok()) << views;
  }

  uint64_t Random(uint64_t low, uint64_t high) {
    return std::uniform_int_distribution<uint64_t>(low, high)(random_);
  }

  std::string folder_;
  std::mt19937_64 random_{seed};
  const int64_t made_at_ms_ = absl::ToUnixMillis(engine::MakeSystemClock()->Now());
  std::vector<uint64_t> next_steps_ = std::vector<uint64_t>(kWriters, 0);
  std::vector<Report> acknowledged_;
  std::map<std::string, uint64_t> requests_;  // of the log as far as it was read
  uint64_t commits_ = 0;
  size_t judged_ = 0;  // acknowledged_ that were looked for
  size_t answered_long_ago_ = 0;
};

TEST_F(CrashTest, NothingAnsweredIsLostOrDoneTwiceHoweverOftenTheProcessIsKilled) {
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  for (int round = 0; round < rounds && !HasFatalFailure(); ++round) {
    SCOPED_TRACE(absl::StrCat("round ", round, " of ", rounds, ", seed ", seed));
    Round(/*lazy=*/false, round % 5 == 4 ? 0 : Random(1, 2400));
    ASSERT_EQ(JudgeAfterKill(), "");
  }
  JudgeAll();
  EXPECT_GT(acknowledged_.size(), 0u);
  if (rounds >= 200) {
    EXPECT_GT(answered_long_ago_, 0u) << "no request was older than " << kLongAgo << " commands";
  }
  std::printf("%d kills, %zu answers, %llu commits, %zu answers repeated after more than %llu commands\n", rounds,
              acknowledged_.size(), static_cast<unsigned long long>(commits_), answered_long_ago_,
              static_cast<unsigned long long>(kLongAgo));
}

// The test above can fail: a store that answers one write before it writes is found out.
TEST_F(CrashTest, AStoreThatAnswersBeforeItWritesIsFoundOut) {
  std::string complaint;
  for (int round = 0; round < 20 && complaint.empty(); ++round) {
    Round(/*lazy=*/true, Random(100, 400));
    complaint = JudgeAfterKill();
  }
  EXPECT_NE(complaint, "");
  std::printf("found out: %s\n", complaint.c_str());
}

}  // namespace
}  // namespace docket::crash

int main(int argc, char** argv) {
  int code = 0;
  if (docket::crash::RunAsChild(argc, argv, &code)) return code;
  ::testing::InitGoogleTest(&argc, argv);
  const std::string chance = docket::engine::MakeSystemRandomness()(sizeof docket::crash::seed);
  std::memcpy(&docket::crash::seed, chance.data(), sizeof docket::crash::seed);
  for (int i = 1; i < argc; ++i) {
    absl::string_view argument = argv[i];
    if (absl::ConsumePrefix(&argument, "--rounds=")) DOCKET_CHECK(absl::SimpleAtoi(argument, &docket::crash::rounds));
    if (absl::ConsumePrefix(&argument, "--seed=")) DOCKET_CHECK(absl::SimpleAtoi(argument, &docket::crash::seed));
  }
  return RUN_ALL_TESTS();
}
