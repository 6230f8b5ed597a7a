// The log is the truth: whatever was asked of the engine, its views, its kept states and the log agree after every
// step.
#include <set>
#include <string>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "docket/v1/command.pb.h"
#include "gtest/gtest.h"
#include "tests/simulation/log_audit.h"
#include "tests/support/house.h"
#include "tests/support/random_walk.h"
#include "workflow/base/time.h"

namespace docket::testing {
namespace {

constexpr int kWalks = 40;
constexpr int kSteps = 25;
constexpr int kDeepWalks = 24;  // few, long walks: kept states, many cycles
constexpr int kDeepSteps = 250;
constexpr int kMoreWalks = 100;  // at most, until every command was accepted once

// Views built anew from the log are the live ones, byte for byte.
void ExpectRebuildIsEqual(House& house) {
  const auto rebuilt = house.engine().Rebuild(/*keep_old=*/true, [](uint64_t, uint64_t) {});
  ASSERT_TRUE(rebuilt.ok()) << rebuilt.status();
  ASSERT_GT(rebuilt->after_size(), 0);
  ASSERT_EQ(rebuilt->before_size(), rebuilt->after_size());
  for (int i = 0; i < rebuilt->after_size(); ++i) {
    const v1::ViewDigest& live = rebuilt->before(i);
    EXPECT_EQ(live.rows(), rebuilt->after(i).rows()) << live.view();
    EXPECT_EQ(live.digest(), rebuilt->after(i).digest()) << live.view();
  }
  EXPECT_TRUE(rebuilt->digests_equal());
}

void ExpectTruth(House& house, bool timers) {
  LogAudit audit = AuditLog(house.log());
  if (timers) CheckNothingIsDue(house.clock().Now(), &audit);
  EXPECT_EQ(absl::StrJoin(audit.problems, "\n"), "");
  const engine::ReadView view = house.engine().Read();
  EXPECT_EQ(absl::StrJoin(CompareLoaded(audit, *view.snapshot, view.views, house.log()), "\n"), "");
}

void ExpectPersonalTextsStayApart(House& house) {
  EXPECT_EQ(absl::StrJoin(FindOutsidePersonal(house.kv(), kPersonalMark), "\n"), "");
  EXPECT_EQ(absl::StrJoin(FindOutsidePersonal(house.kv(), "Amara Osei"), "\n"), "");  // a name of the directory
  // Else the search would prove nothing.
  size_t marked = 0;
  const auto snapshot = house.kv().Snapshot();
  for (auto row = snapshot->Scan(store::kPersonalFamily, "", ""); row->Valid(); row->Next()) {
    if (row->value().find(kPersonalMark) != absl::string_view::npos) ++marked;
  }
  EXPECT_GT(marked, 0u);
}

struct Seen {
  RandomWalk::Counts counts;
  std::map<std::string, int> events;
};

void Add(const std::map<std::string, int>& from, std::map<std::string, int>* to) {
  for (const auto& [name, count] : from) (*to)[name] += count;
}

void Walk(uint64_t seed, int steps, int check_every, Seen* seen) {
  const bool timers = seed % 3 != 0;
  House house({.run_timers = timers, .seed = seed, .cached_cases = seed % 2 == 0 ? 100u : 2u});
  RandomWalk walk(&house, seed);
  for (int step = 1; step <= steps; ++step) {
    walk.Step();
    EXPECT_EQ(absl::StrJoin(walk.broken_promises(), "\n"), "");
    if (step % check_every == 0 || step == steps) {
      ExpectRebuildIsEqual(house);
      ExpectTruth(house, timers);
    }
    if (::testing::Test::HasFailure()) break;
  }
  ExpectPersonalTextsStayApart(house);
  if (::testing::Test::HasFailure()) ADD_FAILURE() << walk.Story();
  Add(walk.counts().accepted, &seen->counts.accepted);
  Add(walk.counts().refused, &seen->counts.refused);
  seen->counts.replayed += walk.counts().replayed;
  seen->counts.validated += walk.counts().validated;
  Add(AuditLog(house.log()).event_types, &seen->events);
}

// Every command but that of a rollout, which walks do not plan.
std::vector<std::string> CommandsOfWalks() {
  std::vector<std::string> names;
  const auto* oneof = v1::Command::descriptor()->FindOneofByName("command");
  for (int i = 0; i < oneof->field_count(); ++i) {
    if (oneof->field(i)->name() != "roll_out") names.push_back(oneof->field(i)->name());
  }
  return names;
}

bool EveryCommandWasSeen(const Seen& seen) {
  for (const std::string& name : CommandsOfWalks()) {
    if (seen.counts.accepted.count(name) == 0) return false;
  }
  return true;
}

// A walk that never gets anywhere proves nothing either.
void ExpectEveryCommandWasSeen(const Seen& seen) {
  for (const std::string& name : CommandsOfWalks()) {
    EXPECT_TRUE(seen.counts.accepted.count(name) > 0) << name << " was never accepted in any walk";
  }
  EXPECT_GT(seen.counts.replayed, 0);
  EXPECT_GT(seen.counts.validated, 0);
  for (const auto& [name, count] : seen.counts.accepted) std::printf("accepted %-24s %d\n", name.c_str(), count);
  for (const auto& [reason, count] : seen.counts.refused) std::printf("refused  %-24s %d\n", reason.c_str(), count);
  for (const auto& [type, count] : seen.events) std::printf("event    %-24s %d\n", type.c_str(), count);
}

TEST(RebuildWalkTest, ViewsKeptStatesAndLogAgreeAfterEveryStep) {
  Seen seen;
  ForEachSeed(kWalks, [&](uint64_t seed) { Walk(seed, kSteps, /*check_every=*/1, &seen); });
}

TEST(RebuildWalkTest, ViewsKeptStatesAndLogAgreeAfterLongWalks) {
  Seen seen;
  uint64_t last = 0;
  ForEachSeed(kDeepWalks, [&](uint64_t seed) {
    last = seed;
    Walk(seed, kDeepSteps, /*check_every=*/25, &seen);
  });
  if (std::getenv("DOCKET_SEED") != nullptr) return;
  // Compilers roll the dice of one expression in different orders, so where a rare command comes up differs.
  for (int more = 0; more < kMoreWalks && !EveryCommandWasSeen(seen) && !HasFailure(); ++more) {
    Walk(++last, kDeepSteps, /*check_every=*/25, &seen);
  }
  ExpectEveryCommandWasSeen(seen);
}

}  // namespace
}  // namespace docket::testing
