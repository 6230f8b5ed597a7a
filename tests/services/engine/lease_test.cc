// Two people do not answer the same letter.
#include <string>

#include "gtest/gtest.h"
#include "services/engine/lease_table.h"
#include "tests/support/house.h"
#include "workflow/base/refusal.h"

namespace docket::engine {
namespace {

using testing::House;

const Caller kGrace{.principal_id = "grace.lind"};
const Caller kLuis{.principal_id = "luis.romero"};
constexpr char kNote[] = "add_note { body: 'x' }";

class LeaseTest : public ::testing::Test {
 protected:
  LeaseTest() {
    const auto filed = house_.File("kind: COMPLAINT title: 'No water'");
    EXPECT_TRUE(filed.ok());
    id_ = filed->case_id();
  }
  House house_;
  std::string id_;
};

TEST_F(LeaseTest, OthersWaitUntilItIsReleasedOrOver) {
  const auto lease = house_.engine().TakeLease(id_, kGrace, absl::ZeroDuration());
  ASSERT_TRUE(lease.ok());
  EXPECT_EQ(lease->until, house_.clock().Now() + kDefaultLease);
  EXPECT_EQ(ReasonOf(house_.engine().TakeLease(id_, kLuis, absl::Minutes(1)).status()), "LEASED");
  EXPECT_EQ(ReasonOf(house_.Do(id_, "accept {}", "luis.romero").status()), "LEASED");
  EXPECT_TRUE(house_.Do(id_, "take {}", "grace.lind").ok());
  // What the world sends, notes and time go on.
  EXPECT_TRUE(house_.Do(id_, "record_inbound { body: 'Still none' }", "luis.romero").ok());
  EXPECT_TRUE(house_.Do(id_, kNote, "luis.romero").ok());
  EXPECT_FALSE(house_.engine().ReleaseLease(id_, kLuis));
  EXPECT_TRUE(house_.engine().ReleaseLease(id_, kGrace));
  EXPECT_TRUE(house_.Do(id_, "accept {}", "luis.romero").ok());
  ASSERT_TRUE(house_.engine().TakeLease(id_, kGrace, absl::Minutes(10)).ok());
  house_.clock().Advance(absl::Minutes(10));
  EXPECT_TRUE(house_.Do(id_, "set_priority { impact: 1 urgency: 1 }", "luis.romero").ok());
}

TEST_F(LeaseTest, IsForThoseWhoMayWorkOnTheCase) {
  const Caller stranger{.principal_id = "nobody.known"};
  EXPECT_EQ(ReasonOf(house_.engine().TakeLease(id_, stranger, absl::Minutes(1)).status()), "UNKNOWN_PRINCIPAL");
  ASSERT_TRUE(house_.Do(id_, "declare_conflict { nature: 'KINSHIP' }", "luis.romero").ok());
  EXPECT_EQ(ReasonOf(house_.engine().TakeLease(id_, kLuis, absl::Minutes(1)).status()), "CONDITIONS_UNMET");
}

TEST_F(LeaseTest, KeepsNobodyFromAnAlarmAConflictOrTheAnswerToATransfer) {
  const auto filed = house_.File("kind: COMPLAINT title: 'No light'");
  ASSERT_TRUE(filed.ok());
  const std::string other = filed->case_id();
  ASSERT_TRUE(house_.Do(other, "transfer { to_queue: 'billing' handoff_note: 'x' }").ok());
  ASSERT_TRUE(house_.engine().TakeLease(id_, kGrace, absl::Minutes(5)).ok());
  ASSERT_TRUE(house_.engine().TakeLease(other, kGrace, absl::Minutes(5)).ok());
  const std::string up = "escalate { kind: HIERARCHICAL reason_code: 'ANGRY' justification: 'x' }";
  EXPECT_TRUE(house_.Do(id_, up, "luis.romero").ok());
  EXPECT_TRUE(house_.Do(id_, "acknowledge_escalation {}", "helen.marsh").ok());
  EXPECT_TRUE(house_.Do(id_, "close_escalation { reason_code: 'DONE' justification: 'x' }", "helen.marsh").ok());
  EXPECT_TRUE(house_.Do(id_, "declare_conflict { nature: 'KINSHIP' }", "luis.romero").ok());
  EXPECT_TRUE(house_.Do(other, "accept_transfer {}", "sam.doyle").ok());
  EXPECT_EQ(ReasonOf(house_.Do(id_, "accept {}", "helen.marsh").status()), "LEASED");
}

TEST_F(LeaseTest, IsRenewedByItsHolderAndGoneAfterARestart) {
  ASSERT_TRUE(house_.engine().TakeLease(id_, kGrace, absl::Minutes(5)).ok());
  house_.clock().Advance(absl::Minutes(4));
  const auto renewed = house_.engine().TakeLease(id_, kGrace, absl::Minutes(5));
  ASSERT_TRUE(renewed.ok());
  EXPECT_EQ(renewed->until, house_.clock().Now() + absl::Minutes(5));
  house_.Reopen();
  EXPECT_TRUE(house_.Do(id_, "accept {}", "luis.romero").ok());
}

TEST(LeaseTableTest, IsBoundedAndMakesRoomOfWhatIsOver) {
  LeaseTable table;
  const absl::Time now = testing::Wednesday();
  for (size_t i = 0; i < kMaxLeases; ++i) {
    ASSERT_TRUE(table.Take(std::to_string(i), "a", absl::Minutes(1), now).ok());
  }
  EXPECT_EQ(ReasonOf(table.Take("one more", "a", absl::Minutes(1), now).status()), "TOO_MANY_LEASES");
  EXPECT_TRUE(table.Take("one more", "a", absl::Minutes(1), now + absl::Minutes(1)).ok());
  EXPECT_FALSE(table.Find("0", now + absl::Minutes(1)).has_value());
}

}  // namespace
}  // namespace docket::engine
