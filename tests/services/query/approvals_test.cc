// What waits for a second person in cases.
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "services/query/lists.h"
#include "tests/services/query/query_house.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"

namespace docket::query {
namespace {

constexpr char kLadder[] = R"(
ladder: second-persons
levels:
  - {level: 1, kind: CUSTOMER_ESCALATION, trigger: MANUAL, target: QUEUE_LEAD, approval: true}
)";
constexpr char kAsk[] = "escalate { kind: CUSTOMER_ESCALATION reason_code: 'PRESS' justification: 'the news' }";

using Found = std::pair<std::string, uint32_t>;  // case id, escalation or clock

class ApprovalsTest : public ::testing::Test {
 protected:
  ApprovalsTest() {
    const absl::Status published = house_.Publish(kLadder);
    EXPECT_TRUE(published.ok()) << published;
  }

  // An incident answered within a minute, which is entered sixty hours later by grace.lind. `filed` is a morning behind
  // which two days of work come.
  std::string EnterLate(absl::string_view filed, const std::string& fields = "") {
    AdvanceTo(house_, At(filed));
    const std::string id = FileCase(house_, absl::StrCat("kind: INCIDENT title: 'dark' ", fields));
    const absl::Time called = house_.clock().Now() + absl::Minutes(1);
    AdvanceTo(house_, house_.clock().Now() + absl::Hours(60));
    v1::ExecuteRequest answer;
    answer.set_case_id(id);
    *answer.mutable_occurred_at() = ToProto(called);
    answer.set_evidence_ref("call-log-18");
    answer.mutable_command()->mutable_send_outbound()->set_kind(v1::RESPONSE);
    answer.mutable_command()->mutable_send_outbound()->set_body("we come");
    const auto sent = house_.Do(answer, "grace.lind");
    EXPECT_TRUE(sent.ok()) << sent.status();
    return id;
  }

  v1::ListDutiesReply MustList(v1::ListDutiesRequest request, const std::string& principal = "helen.marsh") {
    request.set_preset(v1::APPROVALS);
    const auto reply = ListDuties(ReaderOf(house_, principal), request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? *reply : v1::ListDutiesReply();
  }
  static std::vector<Found> In(const v1::ListDutiesReply& reply) {
    std::vector<Found> found;
    for (const auto& item : reply.items()) {
      found.emplace_back(item.case_().case_id(), item.escalation_no() + item.clock_no());
    }
    return found;
  }

  House house_;
};

TEST_F(ApprovalsTest, OfAnEscalationTheDepartmentAskedAnswers) {
  ASSERT_TRUE(
      house_
          .Publish("ladder: second-persons\nlevels:\n  - {level: 1, kind: CUSTOMER_ESCALATION, trigger: MANUAL, "
                   "target: ROLE, role: COMPLIANCE, approval: true}\n")
          .ok());
  const std::string id = FileCase(house_, "kind: COMPLAINT title: 'No water' queue: 'complaints'");
  MustDo(house_, id, kAsk);
  EXPECT_EQ(MustList({}).items(0).department(), "legal");
  EXPECT_EQ(MustList(Text<v1::ListDutiesRequest>("department: 'legal'")).items_size(), 1);
  EXPECT_EQ(MustList(Text<v1::ListDutiesRequest>("department: 'complaints'")).items_size(), 0);
}

TEST_F(ApprovalsTest, AnEscalationAskedForWaitsUntilItIsGrantedOrDeclined) {
  const std::string id = FileCase(house_, "kind: COMPLAINT title: 'No water' queue: 'complaints'");
  AdvanceTo(house_, Wednesday() + absl::Hours(1));
  MustDo(house_, id, kAsk);
  const absl::Time asked = house_.clock().Now();
  AdvanceTo(house_, asked + absl::Hours(1));
  const v1::ListDutiesReply reply = MustList({});
  ASSERT_EQ(reply.items_size(), 1);
  const v1::ListDutiesReply::Item& item = reply.items(0);
  EXPECT_EQ(item.case_().case_id(), id);
  EXPECT_EQ(item.approval(), v1::Approval::ESCALATION);
  EXPECT_EQ(item.escalation_no(), house_.Get(id)->escalations(0).escalation_no());
  EXPECT_EQ(item.escalation_kind(), v1::CUSTOMER_ESCALATION);
  EXPECT_EQ(item.reason_code(), "PRESS");
  EXPECT_EQ(item.asked_by(), "grace.lind");
  EXPECT_EQ(FromProto(item.since()), asked);
  EXPECT_EQ(item.command(), "approve_escalation");
  EXPECT_EQ(item.department(), "complaints");
  EXPECT_EQ(item.words(), "waits for approval");
  EXPECT_FALSE(item.own_request());
  EXPECT_TRUE(MustList({}, "grace.lind").items(0).own_request()) << "cannot be the second person";
  EXPECT_EQ(reply.header().approvals(), 1u);
  EXPECT_EQ(reply.header().cases(), 1u);
  EXPECT_EQ(FromProto(reply.header().oldest_since()), asked);
  EXPECT_TRUE(reply.header().complete());

  MustDo(house_, id, "approve_escalation {}", "helen.marsh");
  const absl::Time granted = house_.clock().Now();
  EXPECT_EQ(MustList({}).items_size(), 0);
  EXPECT_EQ(MustList({}).header().approvals(), 0u);
  AdvanceTo(house_, granted + absl::Hours(1));
  MustDo(house_, id, kAsk);
  EXPECT_EQ(MustList({}).items_size(), 1);
  MustDo(house_, id, "decline_escalation { reason_code: 'CALM' }", "helen.marsh");
  EXPECT_EQ(MustList({}).items_size(), 0);

  // And what became of it does not change what was.
  v1::ListDutiesRequest then;
  *then.mutable_valid_at() = ToProto(granted - absl::Microseconds(1));
  EXPECT_EQ(In(MustList(then)), In(reply));
  *then.mutable_valid_at() = ToProto(granted);
  EXPECT_EQ(MustList(then).items_size(), 0);
}

TEST_F(ApprovalsTest, ALateEntryWaitsFromWhenItWasEnteredUntilItIsJudged) {
  const std::string id = EnterLate("2026-11-18T09:00:00Z");
  const absl::Time entered = house_.clock().Now();
  AdvanceTo(house_, entered + absl::Hours(1));
  const v1::ListDutiesReply reply = MustList({});
  ASSERT_EQ(reply.items_size(), 1);
  const v1::ListDutiesReply::Item& item = reply.items(0);
  const v1::Clock clock = house_.Get(id)->clocks(0);
  ASSERT_TRUE(clock.disputed());
  EXPECT_EQ(item.case_().case_id(), id);
  EXPECT_EQ(item.approval(), v1::Approval::LATE_ENTRY);
  EXPECT_EQ(item.clock_no(), clock.clock_no());
  EXPECT_EQ(item.metric(), "FIRST_RESPONSE");
  EXPECT_EQ(item.obligation(), v1::CUSTOMER);
  EXPECT_EQ(FromProto(item.due_at()), FromProto(clock.breached_due_at()));
  EXPECT_EQ(FromProto(item.claimed_at()), FromProto(clock.stopped_at()));
  EXPECT_EQ(FromProto(item.since()), entered);
  EXPECT_EQ(item.asked_by(), "grace.lind");
  EXPECT_EQ(item.command(), "judge_late_entry");
  EXPECT_EQ(item.words(), "late, disputed");

  // It did not wait before anybody had entered it, whatever is known of that time now.
  v1::ListDutiesRequest then;
  *then.mutable_valid_at() = ToProto(entered - absl::Microseconds(1));
  EXPECT_EQ(MustList(then).items_size(), 0);
  *then.mutable_known_at() = then.valid_at();
  EXPECT_EQ(MustList(then).items_size(), 0);
  *then.mutable_valid_at() = *then.mutable_known_at() = ToProto(entered);
  const v1::ListDutiesReply replayed = MustList(then);
  EXPECT_EQ(In(replayed), In(reply));

  MustDo(house_, id, "judge_late_entry { confirmed: true }", "helen.marsh");
  EXPECT_EQ(MustList({}).items_size(), 0);
  const std::string other = EnterLate("2026-11-23T09:00:00Z");
  EXPECT_EQ(MustList({}).items_size(), 1);
  MustDo(house_, other, "judge_late_entry { confirmed: false }", "helen.marsh");
  EXPECT_EQ(MustList({}).items_size(), 0);
}

TEST_F(ApprovalsTest, FiltersPagesAndCases) {
  const std::string vip = EnterLate("2026-11-18T09:00:00Z", "tier: 'VIP' impact: 1 urgency: 1");
  MustDo(house_, vip, kAsk);
  AdvanceTo(house_, house_.clock().Now() + absl::Minutes(1));
  const std::string owned = FileCase(house_, "kind: COMPLAINT title: 'No water' queue: 'billing'");
  MustDo(house_, owned, "take {}", "sam.doyle");
  MustDo(house_, owned, kAsk, "sam.doyle");
  const std::string late = EnterLate("2026-11-23T09:00:00Z");
  const v1::ListDutiesReply all = MustList({});
  ASSERT_EQ(all.items_size(), 4);
  for (int i = 1; i < 4; ++i) EXPECT_LE(FromProto(all.items(i - 1).since()), FromProto(all.items(i).since()));
  EXPECT_EQ(all.header().approvals(), 4u);
  EXPECT_EQ(all.header().cases(), 3u);

  using Item = v1::ListDutiesReply::Item;
  const std::vector<std::pair<std::string, std::function<bool(const Item&)>>> filters = {
      {"kinds: COMPLAINT", [](const Item& item) { return item.case_().kind() == v1::COMPLAINT; }},
      {"metric: 'FIRST_RESPONSE'", [](const Item& item) { return item.metric() == "FIRST_RESPONSE"; }},
      {"obligations: CUSTOMER", [](const Item& item) { return item.approval() == v1::Approval::LATE_ENTRY; }},
      {"obligations: REGULATOR", [](const Item&) { return false; }},
      {"owner: 'sam.doyle'", [](const Item& item) { return item.owner() == "sam.doyle"; }},
      {"owner: '-'", [](const Item& item) { return item.owner().empty(); }},
      {"priorities: 1", [](const Item& item) { return item.case_().priority() == 1; }},
      {"tiers: 'VIP'", [](const Item& item) { return item.case_().tier() == "VIP"; }},
      {"queue: 'billing'", [](const Item& item) { return item.case_().queue() == "billing"; }},
      {"department: 'company'", [](const Item&) { return true; }},
      {"department: 'customer-service'", [](const Item& item) { return item.department() == "billing"; }},
  };
  for (const auto& [filter, wanted] : filters) {
    std::vector<Found> expected;
    for (const Item& item : all.items()) {
      if (wanted(item)) expected.emplace_back(item.case_().case_id(), item.escalation_no() + item.clock_no());
    }
    const v1::ListDutiesReply reply = MustList(Text<v1::ListDutiesRequest>(filter));
    EXPECT_EQ(In(reply), expected) << filter;
    EXPECT_EQ(reply.header().approvals(), expected.size()) << filter;
  }

  auto paged = Text<v1::ListDutiesRequest>("page_size: 1");
  std::vector<Found> listed;
  do {
    const v1::ListDutiesReply reply = MustList(paged);
    EXPECT_EQ(reply.header().approvals(), listed.empty() ? 4u : 0u);
    for (const Found& one : In(reply)) listed.push_back(one);
    paged.set_page_token(reply.next_page_token());
  } while (!paged.page_token().empty());
  EXPECT_EQ(listed, In(all));

  const v1::ListDutiesReply by_case = MustList(Text<v1::ListDutiesRequest>("by_case: true"));
  ASSERT_EQ(by_case.items_size(), 3);
  EXPECT_EQ(by_case.items(0).case_().case_id(), vip);
  EXPECT_EQ(by_case.items(1).case_().case_id(), owned);
  EXPECT_EQ(by_case.items(2).case_().case_id(), late);
  EXPECT_EQ(by_case.header().approvals(), 4u);

  auto misspelt = Text<v1::ListDutiesRequest>("preset: APPROVALS queue: 'biling'");
  EXPECT_EQ(ReasonOf(ListDuties(ReaderOf(house_), misspelt).status()), "UNKNOWN_QUEUE");
}

TEST_F(ApprovalsTest, TheHeaderTellsHowManyRolloutsWait) {
  FileCase(house_, "kind: COMPLAINT title: 'No water'");
  EXPECT_EQ(MustList({}).header().rollouts(), 0u);
  const std::string closed = absl::StrReplaceAll(testing::ReadPack("calendar-london.yaml"),
                                                 {{"exceptions:", "exceptions:\n  \"2026-11-19\": []"}});
  ASSERT_TRUE(house_.Publish(closed).ok());
  while (house_.engine().ListRollouts().rollouts().empty()) house_.Settle();  // the engine plans it by itself
  EXPECT_EQ(MustList({}).header().rollouts(), 1u);
  v1::ApproveRolloutRequest approve;
  approve.set_rollout_id(house_.engine().ListRollouts().rollouts(0).plan().rollout_id());
  ASSERT_TRUE(house_.engine().ApproveRollout(approve, {.principal_id = "helen.marsh"}).ok());
  EXPECT_EQ(MustList({}).header().rollouts(), 0u);
}

}  // namespace
}  // namespace docket::query
