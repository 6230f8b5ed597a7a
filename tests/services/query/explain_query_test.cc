#include "services/query/explain_query.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/services/query/query_house.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"

namespace docket::query {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kRequest[] = "kind: REQUEST title: 'New phone' impact: 2 urgency: 2";

std::string FileRequest(House& house) {
  const auto filed = house.File(kRequest);
  EXPECT_TRUE(filed.ok()) << filed.status();
  return filed->case_id();
}

v1::ExplainDueReply Explain(House& house, const std::string& id, const std::string& more) {
  auto request = Text<v1::ExplainDueRequest>(more);
  request.set_case_id(id);
  const auto reply = ExplainDue(ReaderOf(house), request);
  EXPECT_TRUE(reply.ok()) << reply.status();
  return *reply;
}

std::vector<std::string> StepsOf(const v1::ExplainDueReply& reply) {
  std::vector<std::string> types;
  for (const v1::DueStep& step : reply.steps()) types.push_back(step.type());
  return types;
}

absl::Duration Spent(const v1::ExplainDueReply& reply, v1::DueInterval::Why why) {
  absl::Duration sum;
  for (const v1::DueInterval& one : reply.intervals()) {
    if (one.why() == why) sum += FromProto(one.end()) - FromProto(one.start());
  }
  return sum;
}

void ExpectGaplessUpTo(const v1::ExplainDueReply& reply, absl::Time end) {
  ASSERT_GT(reply.intervals_size(), 0);
  absl::Time at = FromProto(reply.clock().start_at());
  for (const v1::DueInterval& one : reply.intervals()) {
    EXPECT_EQ(FromProto(one.start()), at);
    at = FromProto(one.end());
  }
  EXPECT_EQ(at, end);
}

TEST(ExplainQueryTest, ACleanClockCountsItsTargetInTheWindows) {
  House house;
  const std::string id = FileRequest(house);
  const v1::ExplainDueReply reply = Explain(house, id, "metric: 'RESOLUTION'");
  EXPECT_THAT(StepsOf(reply), ElementsAre("ClockAttached"));
  EXPECT_EQ(reply.zone(), "Europe/London");
  EXPECT_EQ(FromProto(reply.counted()), FromProto(reply.clock().target().duration()));
  ExpectGaplessUpTo(reply, FromProto(reply.clock().due_at()));
}

TEST(ExplainQueryTest, WaitingAndRetargetingAreToldWithWhatTheyDid) {
  House house;
  const std::string id = FileRequest(house);
  house.AdvanceTo(Wednesday() + absl::Hours(1));
  ASSERT_TRUE(house.Do(id, "send_outbound { kind: INFORMATION_REQUEST body: 'Which one?' }").ok());
  ASSERT_TRUE(house.Do(id, "hold { waiting_on: COMPLAINANT reason_code: 'WHICH_ONE' }").ok());
  house.AdvanceTo(Wednesday() + absl::Hours(3));
  const v1::ExplainDueReply waiting = Explain(house, id, "metric: 'RESOLUTION'");
  EXPECT_EQ(Spent(waiting, v1::DueInterval::PAUSED), absl::Hours(30 * 24)) << "the cap, if nobody ends it before";
  ExpectGaplessUpTo(waiting, FromProto(waiting.clock().due_at()));
  ASSERT_TRUE(house.Do(id, "resume {}").ok());
  house.AdvanceTo(Wednesday() + absl::Hours(4));
  ASSERT_TRUE(house.Do(id, "set_priority { impact: 1 urgency: 1 }").ok());
  const v1::ExplainDueReply reply = Explain(house, id, "metric: 'RESOLUTION'");
  EXPECT_EQ(StepsOf(reply).back(), "ClockRetargeted");
  EXPECT_NE(reply.steps(reply.steps_size() - 1).rule(), "");
  EXPECT_EQ(Spent(reply, v1::DueInterval::PAUSED), absl::Hours(2));
  EXPECT_EQ(FromProto(reply.counted()), FromProto(reply.clock().target().duration()));
  EXPECT_EQ(reply.steps(reply.steps_size() - 1).due_at().seconds(), reply.clock().due_at().seconds());
  // As it was before it waited.
  v1::ExplainDueRequest then;
  *then.mutable_valid_at() = ToProto(Wednesday() + absl::Minutes(30));
  const v1::ExplainDueReply before = Explain(house, id, "metric: 'RESOLUTION' " + then.ShortDebugString());
  EXPECT_EQ(before.steps_size(), waiting.steps_size() - 1);
  EXPECT_EQ(FromProto(before.clock().due_at()), FromProto(before.clock().first_due_at()));
}

TEST(ExplainQueryTest, OfAFinishedClockTheTimeUpToItsEnd) {
  House house;
  const std::string id = FileRequest(house);
  house.AdvanceTo(Wednesday() + absl::Hours(2));
  ASSERT_TRUE(house.Do(id, "send_outbound { kind: RESPONSE body: 'On its way' }").ok());
  house.AdvanceTo(Wednesday() + absl::Hours(200));
  const v1::ExplainDueReply reply = Explain(house, id, "metric: 'FIRST_RESPONSE'");
  EXPECT_EQ(FromProto(reply.counted()), absl::Hours(2));
  EXPECT_EQ(StepsOf(reply).back(), "ClockFulfilled");
  ExpectGaplessUpTo(reply, FromProto(reply.clock().stopped_at()));
  // Without a name the running one is meant.
  EXPECT_EQ(Explain(house, id, "").clock().metric(), "RESOLUTION");
  EXPECT_EQ(Explain(house, id, "clock_no: 2").clock().clock_no(), 2u);
}

TEST(ExplainQueryTest, OfOneObligationOnly) {
  House house;
  const std::string id = FileRequest(house);
  EXPECT_EQ(Explain(house, id, "obligation: CUSTOMER").clock().obligation(), v1::CUSTOMER);
  auto request = Text<v1::ExplainDueRequest>("metric: 'RESOLUTION' obligation: REGULATOR");
  request.set_case_id(id);
  EXPECT_EQ(ReasonOf(ExplainDue(ReaderOf(house), request).status()), "CLOCK_NOT_FOUND");
}

TEST(ExplainQueryTest, AClockThatIsNotThereIsRefusedWithThoseThatAre) {
  House house;
  const std::string id = FileRequest(house);
  auto request = Text<v1::ExplainDueRequest>("metric: 'RESOLUTIN'");
  request.set_case_id(id);
  const auto reply = ExplainDue(ReaderOf(house), request);
  EXPECT_EQ(ReasonOf(reply.status()), "CLOCK_NOT_FOUND");
  EXPECT_THAT(reply.status().message(), HasSubstr("RESOLUTION"));
}

}  // namespace
}  // namespace docket::query
