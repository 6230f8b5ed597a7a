// Requests sent again: the first answer, for as long as ids are remembered.
#include "store/requests.h"

#include <string>

#include "gtest/gtest.h"
#include "services/engine/engine.h"
#include "store/ordered_key.h"
#include "store/view_table.h"
#include "tests/support/house.h"
#include "workflow/base/refusal.h"

namespace docket::engine {
namespace {

using testing::House;

TEST(RequestsTest, TheSameRequestGetsTheFirstAnswerAgainAndOtherContentIsRefused) {
  House house;
  v1::ExecuteRequest request;
  request.set_request_id(house.NewRequestId());
  request.mutable_command()->mutable_file()->set_kind(v1::COMPLAINT);
  request.mutable_command()->mutable_file()->set_title("Noise");
  const auto first = house.Do(request);
  ASSERT_TRUE(first.ok()) << first.status();
  for (int i = 0; i < 2; ++i) {
    auto again = house.Do(request);
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_TRUE(again->replayed());
    again->clear_replayed();
    EXPECT_EQ(again->SerializeAsString(), first->SerializeAsString());
    house.Reopen();
  }
  request.mutable_command()->mutable_file()->set_title("Smell");
  const auto other = house.Do(request);
  EXPECT_EQ(other.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ReasonOf(other.status()), "REQUEST_ID_REUSED");
}

TEST(RequestsTest, AnOldUnknownRequestIdIsRefused) {
  House house;
  v1::ExecuteRequest request;
  request.set_request_id("01900000-0000-7000-8000-000000000001");  // made in 2024
  request.mutable_command()->mutable_file()->set_kind(v1::COMPLAINT);
  request.mutable_command()->mutable_file()->set_title("Noise");
  EXPECT_EQ(ReasonOf(house.Do(request).status()), "REQUEST_ID_TOO_OLD");
}

v1::PublishPoliciesRequest Publication(House& house, const std::string& yaml) {
  v1::PublishPoliciesRequest request;
  request.set_yaml(yaml);
  request.set_request_id(house.NewRequestId());
  return request;
}

TEST(RequestsTest, APublicationSentAgainGetsTheFirstAnswer) {
  House house;
  // Of two documents one is changed.
  const std::string pack =
      testing::ReadPack("calendar-always.yaml") + "---\n" + testing::ReadPack("calendar-london.yaml");
  const auto request = Publication(house, pack + "# edited\n");
  const auto first = house.Publish(request);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_FALSE(first->unchanged());
  ASSERT_TRUE(
      house.Publish(Publication(house, pack + "# edited again\n")).ok());  // version 3 says nothing of version 2
  for (int i = 0; i < 2; ++i) {
    auto again = house.Publish(request);
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_TRUE(again->replayed());
    again->clear_replayed();
    EXPECT_EQ(again->DebugString(), first->DebugString());
    house.Reopen();
  }
  auto other = request;
  other.mutable_effective_from()->set_seconds(1'800'000'000);
  EXPECT_EQ(ReasonOf(house.Publish(other).status()), "REQUEST_ID_REUSED");
}

TEST(RequestsTest, OnceThereIsADirectoryOnlyItsPeoplePublish) {
  House house;
  auto request = Publication(house, testing::ReadPack("calendar-always.yaml") + "# edited\n");
  EXPECT_EQ(ReasonOf(house.Publish(request, "nobody.known").status()), "UNKNOWN_PRINCIPAL");
  EXPECT_TRUE(house.Publish(request, "mei.tan").ok());
}

size_t RequestRows(House& house) {
  const ReadView view = house.engine().Read();
  store::RowScan<store::RequestRow> rows(*view.snapshot, view.views);
  size_t count = 0;
  for (; rows.Valid(); rows.Next()) ++count;
  EXPECT_TRUE(rows.status().ok());
  return count;
}

TEST(RequestsTest, OldOnesAreForgottenByAndByAndARebuildAgreesAtEveryStep) {
  House house;
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(house.File("kind: COMPLAINT title: 'x' impact: 2 urgency: 2").ok());
  const size_t before = RequestRows(house);
  ASSERT_GT(before, 40u);
  house.AdvanceTo(house.clock().Now() + absl::Hours(31 * 24));
  size_t left = RequestRows(house);
  for (int i = 0; i < 60; ++i) {
    ASSERT_TRUE(house.File("kind: REQUEST title: 'y' impact: 2 urgency: 2").ok());
    const size_t now = RequestRows(house);
    EXPECT_LE(now, left + 1);
    left = now;
    if (i % 10 != 0) continue;
    const auto rebuilt = house.engine().Rebuild(i % 20 == 0, [](uint64_t, uint64_t) {});
    ASSERT_TRUE(rebuilt.ok()) << rebuilt.status();
    EXPECT_TRUE(rebuilt->digests_equal()) << i << ": " << rebuilt->DebugString();
  }
  EXPECT_EQ(left, 60u);
  house.AdvanceTo(house.clock().Now() + absl::Hours(1));
  const auto stats = house.engine().Stats(true);
  house.Reopen();
  EXPECT_EQ(house.engine().Stats(true).views(7).DebugString(), stats.views(7).DebugString());
}

}  // namespace
}  // namespace docket::engine
