// Another version of a calendar for clocks that run already (R10): planned, approved by a second person, applied once.
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "store/record_format.h"
#include "tests/support/house.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/replay.h"

namespace docket::engine {
namespace {

using testing::House;
using testing::ReadPack;

constexpr char kPolicy[] = R"(
sla: vectors
obligation: INTERNAL
order: 1
calendar: london
metrics:
  - {metric: HOURS, start: {event: case_received}, stop: [{event: case_voided}], targets: [{target: 12h}]}
---
sla: statutory
obligation: REGULATOR
order: 1
calendar: london
metrics:
  - {metric: DAYS, start: {event: case_received}, stop: [{event: case_voided}], targets: [{target: 15bd@close}]}
)";

std::string LondonClosedOn(const std::string& day) {
  return absl::StrReplaceAll(ReadPack("calendar-london.yaml"),
                             {{"exceptions:", absl::StrCat("exceptions:\n  \"", day, "\": []")}});
}

absl::Time DueOf(House& house, const std::string& id, const std::string& metric) {
  const auto state = house.Get(id);
  DOCKET_CHECK(state.ok());
  for (const v1::Clock& clock : state->clocks()) {
    if (clock.metric() == metric) return FromProto(clock.due_at());
  }
  return absl::InfinitePast();
}

v1::PlanRolloutRequest OfLondon(bool dry_run = false) {
  v1::PlanRolloutRequest request;
  request.set_kind(v1::CALENDAR);
  request.set_id("london");
  request.set_dry_run(dry_run);
  return request;
}

bool Go(uint64_t, uint64_t) { return true; }

// Until the job has ended; it runs on a thread of its own.
v1::ListRolloutsReply::Item WaitApplied(House& house) {
  for (;;) {
    const v1::ListRolloutsReply rollouts = house.engine().ListRollouts();
    for (const auto& item : rollouts.rollouts()) {
      if (item.has_applied()) return item;
    }
    house.Settle();
  }
}

// Until the calendar's plan, made by the engine itself, is on record.
std::string WaitPlanned(House& house) {
  for (;;) {
    const v1::ListRolloutsReply rollouts = house.engine().ListRollouts();
    if (!rollouts.rollouts().empty()) return rollouts.rollouts(0).plan().rollout_id();
    house.Settle();
  }
}

TEST(RolloutTest, N6ADayClosedLaterIsPlannedByItselfApprovedByTwoAndAppliedOnce) {
  House house;
  ASSERT_TRUE(house.Publish(kPolicy).ok());
  const auto filed = house.File("kind: COMPLAINT title: 'No water'");
  ASSERT_TRUE(filed.ok()) << filed.status();
  const auto finished = house.File("kind: COMPLAINT title: 'By mistake'");
  ASSERT_TRUE(house.Do(finished->case_id(), "void { reason_code: 'X' approver: 'helen.marsh' }").ok());
  EXPECT_EQ(DueOf(house, filed->case_id(), "HOURS"), testing::At("2026-11-19T13:00:00Z"));
  house.AdvanceTo(testing::At("2026-11-19T08:00:00Z"));
  ASSERT_TRUE(house.Publish(LondonClosedOn("2026-11-19")).ok());
  const std::string id = WaitPlanned(house);
  EXPECT_EQ(id, "calendar.london.2");
  // Pinned until somebody approves.
  EXPECT_EQ(DueOf(house, filed->case_id(), "HOURS"), testing::At("2026-11-19T13:00:00Z"));
  const auto preview = house.engine().PlanRollout(OfLondon(/*dry_run=*/true), {.principal_id = "mei.tan"}, Go);
  ASSERT_TRUE(preview.ok()) << preview.status();
  EXPECT_EQ(preview->plan().clocks(), 4u);  // FIRST_RESPONSE and RESOLUTION beside the two
  EXPECT_EQ(preview->plan().later(), 3u);   // the first response was due before that day
  EXPECT_EQ(preview->cases_total(), 2u);
  v1::ApproveRolloutRequest approve;
  approve.set_rollout_id(id);
  EXPECT_EQ(ReasonOf(house.engine().ApproveRollout(approve, {.principal_id = "docketd"}).status()),
            "SECOND_PERSON_MISSING");
  EXPECT_EQ(ReasonOf(house.engine().ApproveRollout(approve, {.principal_id = "nobody"}).status()), "UNKNOWN_PRINCIPAL");
  EXPECT_EQ(ReasonOf(house.engine().ApproveRollout(approve, {.principal_id = "mei.tan"}).status()),
            "SECOND_PERSON_MISSING");
  ASSERT_TRUE(house.engine().ApproveRollout(approve, {.principal_id = "helen.marsh"}).ok());
  const auto applied = WaitApplied(house);
  EXPECT_EQ(applied.applied().cases(), 1u);
  EXPECT_EQ(applied.applied().clocks(), 4u);
  EXPECT_EQ(applied.applied().failed(), 0u);
  EXPECT_EQ(DueOf(house, filed->case_id(), "HOURS"), testing::At("2026-11-20T13:00:00Z"));
  EXPECT_EQ(DueOf(house, filed->case_id(), "DAYS"), testing::At("2026-12-10T17:00:00Z"));
  // Again, and after a restart, there is nothing left to do.
  const uint64_t commits = house.log().Head().commits;
  const auto again = house.engine().ApproveRollout(approve, {.principal_id = "amara.osei"});
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->unchanged());
  house.Reopen();
  house.Settle();
  EXPECT_EQ(house.log().Head().commits, commits);
  EXPECT_TRUE(house.engine().ListRollouts().rollouts(0).has_applied());
  const auto none = house.engine().PlanRollout(OfLondon(/*dry_run=*/true), {.principal_id = "mei.tan"}, Go);
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(none->plan().clocks(), 0u);
}

// One retarget event per clock, whoever asks how often; a case that stands still waits with its new remaining time.
TEST(RolloutTest, ManyCasesEachOnceAlsoWhenInterrupted) {
  House house;
  std::vector<std::string> ids;
  for (int i = 0; i < 40; ++i) {
    const auto filed = house.File("kind: COMPLAINT title: 'No water' impact: 2 urgency: 2");
    ASSERT_TRUE(filed.ok());
    ids.push_back(filed->case_id());
  }
  ASSERT_TRUE(house.Publish(LondonClosedOn("2026-11-20")).ok());
  const std::string id = WaitPlanned(house);
  v1::ApproveRolloutRequest approve;
  approve.set_rollout_id(id);
  ASSERT_TRUE(house.engine().ApproveRollout(approve, {.principal_id = "helen.marsh"}).ok());
  house.Reopen();  // wherever the job was
  WaitApplied(house);
  std::map<std::string, int> retargets;
  const auto cursor = house.log().ReadFrom(0);
  for (auto stored = cursor->Next(); stored.ok() && stored->has_value(); stored = cursor->Next()) {
    const auto record = store::DecodeRecord(**stored);
    ASSERT_TRUE(record.ok());
    for (const v1::Slice& slice : record->slices()) {
      for (const v1::RecordedEvent& recorded : slice.events()) {
        if (recorded.type() == v1::Event::kClockRetargeted) ++retargets[slice.stream_id()];
      }
    }
  }
  for (const std::string& one : ids) {
    EXPECT_EQ(retargets[one], 2) << one;
    EXPECT_EQ(DueOf(house, one, "RESOLUTION"), testing::At("2026-12-02T17:00:00Z"));
  }
}

TEST(RolloutTest, OnlyCalendarsAndSlaPoliciesThatExist) {
  House house;
  v1::PlanRolloutRequest request;
  request.set_kind(v1::LADDER);
  request.set_id("standard");
  EXPECT_EQ(ReasonOf(house.engine().PlanRollout(request, {.principal_id = "mei.tan"}, Go).status()), "ROLLOUT_KIND");
  request.set_kind(v1::SLA);
  request.set_id("standrad");
  EXPECT_EQ(ReasonOf(house.engine().PlanRollout(request, {.principal_id = "mei.tan"}, Go).status()),
            "POLICY_NOT_FOUND");
  v1::ApproveRolloutRequest approve;
  approve.set_rollout_id("sla.none.2");
  EXPECT_EQ(ReasonOf(house.engine().ApproveRollout(approve, {.principal_id = "mei.tan"}).status()), "UNKNOWN_ROLLOUT");
}

}  // namespace
}  // namespace docket::engine
