#include "services/query/filter_names.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "services/query/lists.h"
#include "services/query/log_follower.h"
#include "tests/services/query/query_house.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"

namespace docket::query {
namespace {

struct Misspelt {
  std::string filter;
  std::string reason;
  std::string told;  // in the message
};

void ExpectRefused(const absl::Status& status, const Misspelt& expected) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << expected.filter << ": " << status;
  EXPECT_EQ(ReasonOf(status), expected.reason) << expected.filter;
  EXPECT_TRUE(absl::StrContains(status.message(), expected.told)) << expected.filter << ": " << status;
}

TEST(FilterNamesTest, DutiesUnderANameThatNeverWasAreRefused) {
  House house;
  FileCase(house, kComplaint);
  AdvanceTo(house, Wednesday() + absl::Hours(48));
  const std::vector<Misspelt> misspelt = {
      {"department: 'biling'", "UNKNOWN_DEPARTMENT",
       "department: \"biling\" is not in the directory, nearest is \"billing\""},
      {"queue: 'intaek'", "UNKNOWN_QUEUE", "nearest is \"intake\""},
      {"owner: 'grace.lindt'", "UNKNOWN_PRINCIPAL", "nearest is \"grace.lind\""},
      {"metric: 'RESOLUTON'", "UNKNOWN_METRIC", "nearest is \"RESOLUTION\""},
      {"department: 'company' metric: 'nope'", "UNKNOWN_METRIC", "\"nope\" is no metric"},
  };
  for (const Misspelt& one : misspelt) {
    for (const char* preset : {"OVERDUE", "AT_RISK", "WAITING_DUTIES", "MINE"}) {
      auto request = Text<v1::ListDutiesRequest>(absl::StrCat("preset: ", preset, " ", one.filter));
      ExpectRefused(ListDuties(ReaderOf(house), request).status(), one);
      *request.mutable_valid_at() = ToProto(Wednesday());  // by replay
      ExpectRefused(ListDuties(ReaderOf(house), request).status(), one);
    }
  }
  const auto nope = ListDuties(ReaderOf(house), Text<v1::ListDutiesRequest>("preset: OVERDUE department: 'qqqq'"));
  EXPECT_FALSE(absl::StrContains(nope.status().message(), "nearest")) << nope.status();
  EXPECT_TRUE(
      ListDuties(ReaderOf(house), Text<v1::ListDutiesRequest>("preset: OVERDUE owner: '-' queue: 'legal'")).ok());
}

TEST(FilterNamesTest, TiersThatThereAreNotAreRefused) {
  House house;
  FileCase(house, kComplaint);
  const Reader reader = ReaderOf(house);
  const Misspelt gold = {"tiers: 'VIP' tiers: 'GOLD'", "UNKNOWN_TIER",
                         "tiers[1]: \"GOLD\", want VIP, MAIN, ORDINARY or SMALL"};
  ExpectRefused(ListDuties(reader, Text<v1::ListDutiesRequest>(gold.filter)).status(), gold);
  ExpectRefused(ListEscalations(reader, Text<v1::ListEscalationsRequest>(gold.filter)).status(), gold);
  ExpectRefused(ListControl(reader, Text<v1::ListControlRequest>(gold.filter)).status(), gold);
  ExpectRefused(ListQueue(reader, Text<v1::ListQueueRequest>(absl::StrCat("queue: 'intake' ", gold.filter))).status(),
                gold);
  ExpectRefused(ListCases(reader, Text<v1::ListCasesRequest>(absl::StrCat("filter { ", gold.filter, " }"))).status(),
                gold);
  EXPECT_TRUE(ListQueue(reader, Text<v1::ListQueueRequest>("queue: 'intake' tiers: 'SMALL'")).ok());
}

TEST(FilterNamesTest, MineAsksWhoIsAsking) {
  House house;
  const auto mine = Text<v1::ListDutiesRequest>("preset: MINE");
  EXPECT_EQ(ReasonOf(ListDuties(ReaderOf(house, kAnonymous), mine).status()), "PRINCIPAL_MISSING");
  EXPECT_EQ(ReasonOf(ListDuties(ReaderOf(house, "grace.lindt"), mine).status()), "UNKNOWN_PRINCIPAL");
  EXPECT_TRUE(ListDuties(ReaderOf(house), mine).ok());
  EXPECT_TRUE(
      ListDuties(ReaderOf(house, kAnonymous), Text<v1::ListDutiesRequest>("preset: MINE owner: 'mei.tan'")).ok());
}

TEST(FilterNamesTest, CasesAndEscalationsUnderANameThatNeverWasAreRefused) {
  House house;
  FileCase(house, kComplaint);
  const std::vector<Misspelt> of_cases = {
      {"statuses: 'RECIEVED'", "UNKNOWN_STATUS", "filter.statuses[0]: \"RECIEVED\""},
      {"statuses: 'RECEIVED' statuses: 'NOPE'", "UNKNOWN_STATUS", "filter.statuses[1]"},
      {"department: 'biling'", "UNKNOWN_DEPARTMENT", "filter.department"},
      {"queue: 'intaek'", "UNKNOWN_QUEUE", "filter.queue"},
      {"owner: 'grace.lindt'", "UNKNOWN_PRINCIPAL", "filter.owner"},
  };
  for (const Misspelt& one : of_cases) {
    const auto request = Text<v1::ListCasesRequest>(absl::StrCat("filter { ", one.filter, " }"));
    ExpectRefused(ListCases(ReaderOf(house), request).status(), one);
  }
  const std::vector<Misspelt> of_escalations = {
      {"department: 'biling'", "UNKNOWN_DEPARTMENT", "department"},
      {"target: 'helen.march'", "UNKNOWN_PRINCIPAL", "target: \"helen.march\""},
  };
  for (const Misspelt& one : of_escalations) {
    ExpectRefused(ListEscalations(ReaderOf(house), Text<v1::ListEscalationsRequest>(one.filter)).status(), one);
  }
}

TEST(FilterNamesTest, ASubscriptionToADepartmentThatNeverWasIsRefused) {
  House house;
  const auto open = [&](const char* department) {
    v1::SubscribeRequest request;
    request.mutable_filter()->set_department(department);
    return LogFollower::Open(house.engine(), request, Viewer{.principal_id = "grace.lind"}).status();
  };
  EXPECT_EQ(ReasonOf(open("biling")), "UNKNOWN_DEPARTMENT");
  EXPECT_TRUE(open("billing").ok());
}

// Imports name people and queues that no directory ever had.
TEST(FilterNamesTest, WhatACaseCarriesMayBeAskedFor) {
  House house;
  ASSERT_TRUE(house
                  .File("kind: INCIDENT title: 'old' workflow: 'servicenow-incident' history: true "
                        "row { cursor: 1 status: 'ACTIVE' owner: 'resolver-17' queue: 'group-70' }")
                  .ok());
  for (const char* filter : {"owner: 'resolver-17'", "queue: 'group-70'"}) {
    EXPECT_TRUE(ListDuties(ReaderOf(house), Text<v1::ListDutiesRequest>(absl::StrCat("preset: OVERDUE ", filter))).ok())
        << filter;
    EXPECT_EQ(
        ListCases(ReaderOf(house), Text<v1::ListCasesRequest>(absl::StrCat("filter { ", filter, " }")))->cases_size(),
        1)
        << filter;
  }
  EXPECT_TRUE(ListQueue(ReaderOf(house), Text<v1::ListQueueRequest>("queue: 'group-70'")).ok());
  EXPECT_EQ(ReasonOf(ListQueue(ReaderOf(house), Text<v1::ListQueueRequest>("queue: 'group-71'")).status()),
            "UNKNOWN_QUEUE");
}

TEST(FilterNamesTest, LookingThroughAllCasesTakesAPlaceAtTheGate) {
  House house;
  ReplayGate none(0);
  ReplayGate one(1);
  Reader reader = ReaderOf(house);
  const auto unknown = Text<v1::ListQueueRequest>("queue: 'nope'");
  reader.replays = &none;
  EXPECT_EQ(ReasonOf(ListQueue(reader, unknown).status()), "REPLAY_BUSY");
  reader.replays = &one;
  EXPECT_EQ(ReasonOf(ListQueue(reader, unknown).status()), "UNKNOWN_QUEUE");
  EXPECT_EQ(ReasonOf(ListQueue(reader, unknown).status()), "UNKNOWN_QUEUE") << "the place was given back";
}

}  // namespace
}  // namespace docket::query
