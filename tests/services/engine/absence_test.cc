// Absences: recorded at once, kept across restarts and new directories, heeded when a level is raised.
#include <future>
#include <memory>
#include <string>

#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "store/memory_kv.h"
#include "tests/support/faulty_kv.h"
#include "tests/support/house.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"

namespace docket::engine {
namespace {

using testing::House;
using testing::Wednesday;

class AbsenceTest : public ::testing::Test {
 protected:
  AbsenceChange Away(const std::string& who, absl::Duration from, absl::Duration until, const std::string& deputy) {
    AbsenceChange change;
    change.absence.set_principal(who);
    *change.absence.mutable_from() = ToProto(Wednesday() + from);
    *change.absence.mutable_until() = ToProto(Wednesday() + until);
    change.absence.set_deputy(deputy);
    change.request_id = house_.NewRequestId();
    return change;
  }
  AbsenceChange Back(const std::string& who) {
    AbsenceChange change;
    change.absence.set_principal(who);
    change.end = true;
    change.request_id = house_.NewRequestId();
    return change;
  }
  absl::StatusOr<v1::AbsenceReply> Do(const AbsenceChange& change, const std::string& by = "mei.tan") {
    return house_.Do(change, by);
  }
  std::string Acting(const std::string& who) {
    return house_.engine().Read().policies->absences().ActingFor(who, house_.clock().Now());
  }

  House house_;
};

TEST_F(AbsenceTest, HoldsAcrossRestartsAndNewDirectories) {
  const auto recorded = Do(Away("helen.marsh", absl::ZeroDuration(), absl::Hours(48), "tomasz.zielinski"));
  ASSERT_TRUE(recorded.ok()) << recorded.status();
  EXPECT_EQ(Acting("helen.marsh"), "tomasz.zielinski");
  house_.Reopen();
  EXPECT_EQ(Acting("helen.marsh"), "tomasz.zielinski");
  const std::string other =
      absl::StrReplaceAll(testing::ReadPack("directory-sample.yaml"), {{"name: Billing", "name: Bills"}});
  ASSERT_TRUE(house_.Publish(other).ok());
  EXPECT_EQ(house_.engine().Read().policies->directory_version(), 2u);
  EXPECT_EQ(Acting("helen.marsh"), "tomasz.zielinski");
  ASSERT_TRUE(Do(Back("helen.marsh")).ok());
  EXPECT_EQ(Acting("helen.marsh"), "helen.marsh");
}

TEST_F(AbsenceTest, ARepeatedRequestGetsTheFirstAnswer) {
  const AbsenceChange change = Away("helen.marsh", absl::Hours(1), absl::Hours(48), "tomasz.zielinski");
  const auto first = Do(change);
  ASSERT_TRUE(first.ok()) << first.status();
  const auto again = Do(change);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->replayed());
  EXPECT_EQ(again->commit(), first->commit());
  EXPECT_EQ(again->absence().DebugString(), first->absence().DebugString());
  AbsenceChange other = change;
  other.absence.set_deputy("amara.osei");
  EXPECT_EQ(ReasonOf(Do(other).status()), "REQUEST_ID_REUSED");
}

TEST_F(AbsenceTest, OneThatHasNotBegunIsWithdrawn) {
  ASSERT_TRUE(Do(Away("helen.marsh", absl::Hours(24), absl::Hours(48), "tomasz.zielinski")).ok());
  const auto ended = Do(Back("helen.marsh"));
  ASSERT_TRUE(ended.ok()) << ended.status();
  EXPECT_TRUE(house_.engine().Read().policies->absences().all().empty());
  EXPECT_EQ(ReasonOf(Do(Back("helen.marsh")).status()), "NO_ABSENCE");
}

TEST_F(AbsenceTest, RefusesWhomNobodyKnowsAndWhatIsOver) {
  EXPECT_EQ(ReasonOf(Do(Away("helen.march", absl::ZeroDuration(), absl::Hours(1), "amara.osei")).status()),
            "UNKNOWN_PRINCIPAL");
  EXPECT_EQ(ReasonOf(Do(Away("helen.marsh", absl::ZeroDuration(), absl::Hours(1), "amara.oseh")).status()),
            "UNKNOWN_PRINCIPAL");
  EXPECT_EQ(ReasonOf(Do(Away("helen.marsh", absl::ZeroDuration(), absl::Hours(1), "amara.osei"), "who").status()),
            "UNKNOWN_PRINCIPAL");
  EXPECT_EQ(ReasonOf(Do(Away("helen.marsh", -absl::Hours(2), -absl::Hours(1), "amara.osei")).status()), "ABSENCE_OVER");
  ASSERT_TRUE(Do(Away("helen.marsh", absl::ZeroDuration(), absl::Hours(9), "amara.osei")).ok());
  EXPECT_EQ(ReasonOf(Do(Away("amara.osei", absl::Hours(1), absl::Hours(2), "helen.marsh")).status()), "DEPUTY_CIRCLE");
}

TEST_F(AbsenceTest, IsNotBackDated) {
  EXPECT_EQ(ReasonOf(Do(Away("helen.marsh", -absl::Minutes(3), absl::Hours(1), "amara.osei")).status()),
            "ABSENCE_BACK_DATED");
  EXPECT_TRUE(Do(Away("helen.marsh", -absl::Minutes(1), absl::Hours(1), "amara.osei")).ok());
}

TEST_F(AbsenceTest, NobodyMakesHimselfTheDeputyOfWhomHeDoesNotManage) {
  const AbsenceChange own = Away("helen.marsh", absl::ZeroDuration(), absl::Hours(1), "grace.lind");
  EXPECT_EQ(ReasonOf(Do(own, "grace.lind").status()), "DEPUTY_BY_HIMSELF");
  EXPECT_TRUE(Do(own, "helen.marsh").ok());
  const AbsenceChange managed = Away("grace.lind", absl::ZeroDuration(), absl::Hours(1), "amara.osei");
  EXPECT_TRUE(Do(managed, "amara.osei").ok());  // two levels up
}

TEST_F(AbsenceTest, WhatCouldNotBeWrittenIsNotAnsweredAsRecorded) {
  const auto disk = store::OpenMemoryKv();
  auto faulty = std::make_unique<test::FaultyKv>(disk.get());
  test::FaultyKv& store = *faulty;
  House house(House::Options{.kv = std::move(faulty)});
  store.FailCall(test::KvCall::kWriteBefore, 1, absl::StatusCode::kResourceExhausted);
  const AbsenceChange change = Away("helen.marsh", absl::ZeroDuration(), absl::Hours(1), "amara.osei");
  EXPECT_EQ(ReasonOf(house.Do(change).status()), "DISK_RESERVE");
  EXPECT_TRUE(house.engine().Read().policies->absences().all().empty());
}

TEST_F(AbsenceTest, TheDeputyHearsOfABreach) {
  ASSERT_TRUE(Do(Away("helen.marsh", absl::ZeroDuration(), absl::Hours(48), "tomasz.zielinski")).ok());
  const auto filed = house_.File("kind: COMPLAINT title: 'x' impact: 2 urgency: 2");
  ASSERT_TRUE(filed.ok());
  house_.AdvanceTo(Wednesday() + absl::Hours(9));
  const auto state = house_.Get(filed->case_id());
  ASSERT_TRUE(state.ok());
  ASSERT_EQ(state->escalations_size(), 1);
  EXPECT_EQ(state->escalations(0).targets(0), "tomasz.zielinski");
  EXPECT_EQ(state->escalations(0).absent(0), "helen.marsh");
}

TEST_F(AbsenceTest, WhoGivesACaseToSomebodyAwayIsToldWhoStandsIn) {
  const auto filed = house_.File("kind: COMPLAINT title: 'x' impact: 2 urgency: 2");
  ASSERT_TRUE(filed.ok());
  constexpr char kGive[] = "assign { owner: 'luis.romero' }";
  v1::ExecuteRequest give;
  give.set_case_id(filed->case_id());
  give.mutable_command()->mutable_assign()->set_owner("luis.romero");
  give.set_validate_only(true);
  EXPECT_EQ(house_.Do(give)->warnings_size(), 0);
  ASSERT_TRUE(house_.Away("luis.romero", Wednesday(), Wednesday() + absl::Hours(48), "sam.doyle").ok());
  EXPECT_EQ(house_.Do(give)->warnings_size(), 1);
  give.set_validate_only(false);
  give.set_request_id(house_.NewRequestId());
  for (const bool again : {false, true}) {
    const auto given = house_.Do(give);
    ASSERT_TRUE(given.ok()) << given.status();
    EXPECT_EQ(given->replayed(), again);
    ASSERT_EQ(given->warnings_size(), 1);
    EXPECT_EQ(given->warnings(0).reason(), "OWNER_ABSENT");
    EXPECT_EQ(given->warnings(0).description(), "luis.romero is away until 2026-11-20T09:00:00Z, sam.doyle stands in");
  }
  EXPECT_EQ(house_.Get(filed->case_id())->owner(), "luis.romero");
  ASSERT_TRUE(house_.Do(filed->case_id(), "release {}", "luis.romero").ok());
  ASSERT_TRUE(house_.Do(filed->case_id(), "declare_conflict { principal: 'sam.doyle' nature: 'KINSHIP' }").ok());
  const auto given = house_.Do(filed->case_id(), kGive);
  ASSERT_TRUE(given.ok()) << given.status();
  EXPECT_NE(given->warnings(0).description().find("sam.doyle stands in, who has a conflict of interest"),
            std::string::npos);
  EXPECT_EQ(house_.Do(filed->case_id(), "take {}", "luis.romero")->warnings_size(), 0);  // who is there knows
}

}  // namespace
}  // namespace docket::engine
