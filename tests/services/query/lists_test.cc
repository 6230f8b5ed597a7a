#include "services/query/lists.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "services/query/case_query.h"
#include "services/query/page_token.h"
#include "services/query/scan_budget.h"
#include "tests/services/query/query_house.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/sla/clock_rules.h"

namespace docket::query {
namespace {

// Twenty cases of three kinds over three hours, some owned, one held, one unsafe.
std::vector<std::string> Populate(House& house) {
  std::vector<std::string> ids;
  for (int i = 0; i < 20; ++i) {
    const char* kind = i % 3 == 0 ? "COMPLAINT" : i % 3 == 1 ? "REQUEST" : "INCIDENT";
    ids.push_back(FileCase(
        house, absl::StrCat("kind: ", kind, " title: 'case ", i, "' impact: ", 1 + i % 3, " urgency: ", 1 + i % 2,
                            i % 4 == 0 ? " queue: 'billing'" : "", i % 7 == 0 ? " tier: 'VIP'" : "")));
    if (i % 5 == 0) MustDo(house, ids.back(), "take {}", i % 10 == 0 ? "grace.lind" : "sam.doyle");
    AdvanceTo(house, house.clock().Now() + absl::Minutes(9));
  }
  return ids;
}

std::vector<std::string> IdsOf(const v1::ListCasesReply& reply) {
  std::vector<std::string> ids;
  for (const auto& one : reply.cases()) ids.push_back(one.case_id());
  return ids;
}

TEST(ListCasesTest, PagesTogetherAreTheWholeListOnce) {
  House house;
  const std::vector<std::string> ids = Populate(house);
  for (const uint32_t page_size : {1u, 3u, 7u, 20u, 21u}) {
    v1::ListCasesRequest request;
    request.set_page_size(page_size);
    std::vector<std::string> listed;
    do {
      const auto reply = ListCases(ReaderOf(house), request);
      ASSERT_TRUE(reply.ok()) << reply.status();
      EXPECT_LE(reply->cases_size(), static_cast<int>(page_size));
      for (const std::string& id : IdsOf(*reply)) listed.push_back(id);
      request.set_page_token(reply->next_page_token());
    } while (!request.page_token().empty());
    EXPECT_EQ(listed, ids) << "pages of " << page_size;
  }
}

TEST(ListCasesTest, FiltersAgreeWithTheStates) {
  House house;
  const std::vector<std::string> ids = Populate(house);
  const std::vector<std::pair<std::string, std::function<bool(const v1::Case&)>>> filters = {
      {"kinds: COMPLAINT", [](const v1::Case& c) { return c.kind() == v1::COMPLAINT; }},
      {"kinds: REQUEST kinds: INCIDENT", [](const v1::Case& c) { return c.kind() != v1::COMPLAINT; }},
      {"owner: '-'", [](const v1::Case& c) { return c.owner().empty(); }},
      {"owner: 'sam.doyle'", [](const v1::Case& c) { return c.owner() == "sam.doyle"; }},
      {"queue: 'billing'", [](const v1::Case& c) { return c.queue() == "billing"; }},
      {"priorities: 1 priorities: 2", [](const v1::Case& c) { return c.priority() <= 2; }},
      {"statuses: 'RECEIVED'", [](const v1::Case& c) { return c.status().status() == "RECEIVED"; }},
      {"categories: NEW", [](const v1::Case& c) { return c.status().category() == v1::NEW; }},
      {"department: 'company'", [](const v1::Case&) { return true; }},
      {"department: 'customer-service'",
       [](const v1::Case& c) { return c.department() == "billing" || c.department() == "customer-service"; }},
      {"source: 'nowhere'", [](const v1::Case&) { return false; }},
      {"tiers: 'VIP'", [](const v1::Case& c) { return c.tier() == "VIP"; }},
      {"tiers: 'VIP' tiers: 'SMALL'", [](const v1::Case& c) { return c.tier() == "VIP"; }},
  };
  for (const auto& [filter, wanted] : filters) {
    std::vector<std::string> expected;
    for (const std::string& id : ids) {
      if (wanted(*house.Get(id))) expected.push_back(id);
    }
    const auto reply = ListCases(ReaderOf(house), Text<v1::ListCasesRequest>(absl::StrCat("filter { ", filter, " }")));
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_EQ(IdsOf(*reply), expected) << filter;
  }
}

TEST(ListCasesTest, TokensBelongToTheirQuestionAndToTheirAsker) {
  House house;
  Populate(house);
  auto request = Text<v1::ListCasesRequest>("page_size: 2 filter { owner: '-' }");
  const std::string token = ListCases(ReaderOf(house), request)->next_page_token();
  ASSERT_FALSE(token.empty());
  request.set_page_token(token);
  request.set_page_size(5);  // the size of pages may change
  EXPECT_TRUE(ListCases(ReaderOf(house), request).ok());
  EXPECT_EQ(ReasonOf(ListCases(ReaderOf(house, "sam.doyle"), request).status()), "PAGE_TOKEN_MISMATCH");
  request.mutable_filter()->set_owner("grace.lind");
  const auto other = ListCases(ReaderOf(house), request);
  EXPECT_EQ(other.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(other.status()), "PAGE_TOKEN_MISMATCH");
  auto queue = Text<v1::ListQueueRequest>("queue: 'intake'");
  queue.set_page_token(token);
  EXPECT_EQ(ReasonOf(ListQueue(ReaderOf(house), queue).status()), "PAGE_TOKEN_MISMATCH");
  queue.set_page_token("AAAA");
  EXPECT_EQ(ReasonOf(ListQueue(ReaderOf(house), queue).status()), "PAGE_TOKEN_MISMATCH");
}

TEST(ListCasesTest, PagingIsStableWhileCasesArrive) {
  House house;
  std::vector<std::string> ids = Populate(house);
  auto request = Text<v1::ListCasesRequest>("page_size: 8");
  auto reply = ListCases(ReaderOf(house), request);
  std::vector<std::string> listed = IdsOf(*reply);
  ids.push_back(FileCase(house, kComplaint));
  while (!reply->next_page_token().empty()) {
    request.set_page_token(reply->next_page_token());
    reply = ListCases(ReaderOf(house), request);
    for (const std::string& id : IdsOf(*reply)) listed.push_back(id);
  }
  EXPECT_EQ(listed, ids);
}

TEST(ListQueueTest, TheOrderOfWorkIsTheTupleOfTheDomain) {
  House house;
  const std::vector<std::string> ids = Populate(house);
  AdvanceTo(house, Wednesday() + absl::Hours(26));  // some are escalated by now
  std::map<std::string, std::vector<std::string>> queues;
  std::vector<std::tuple<int, int, absl::Time, uint32_t, absl::Time, std::string>> expected;
  for (const std::string& id : ids) {
    const v1::Case state = *house.Get(id);
    if (state.queue() != "intake") continue;
    int level = 0;
    for (const auto& escalation : state.escalations()) {
      if (escalation.state() == v1::Escalation::RAISED) level = std::max<int>(level, escalation.level());
    }
    absl::Time due = absl::InfiniteFuture();
    for (const auto& clock : state.clocks()) due = std::min(due, sla::LateFrom(clock));
    expected.emplace_back(state.safety() ? 0 : 2, -level, due, state.priority(), FromProto(state.received_at()), id);
  }
  std::sort(expected.begin(), expected.end());
  auto request = Text<v1::ListQueueRequest>("queue: 'intake' page_size: 4");
  std::vector<std::string> listed;
  do {
    const auto reply = ListQueue(ReaderOf(house), request);
    ASSERT_TRUE(reply.ok()) << reply.status();
    for (const auto& item : reply->items()) {
      listed.push_back(item.case_().case_id());
      EXPECT_FALSE(item.case_().title().empty());
    }
    request.set_page_token(reply->next_page_token());
  } while (!request.page_token().empty());
  ASSERT_EQ(listed.size(), expected.size());
  for (size_t i = 0; i < listed.size(); ++i) EXPECT_EQ(listed[i], std::get<5>(expected[i])) << i;
}

TEST(ListQueueTest, UnownedOnlyAndUnknownQueues) {
  House house;
  Populate(house);
  const auto reply = ListQueue(ReaderOf(house), Text<v1::ListQueueRequest>("queue: 'intake' unowned_only: true"));
  ASSERT_TRUE(reply.ok());
  EXPECT_GT(reply->items_size(), 0);
  for (const auto& item : reply->items()) EXPECT_EQ(item.case_().owner(), "");
  const auto unknown = ListQueue(ReaderOf(house), Text<v1::ListQueueRequest>("queue: 'intaek'"));
  EXPECT_EQ(unknown.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(unknown.status()), "UNKNOWN_QUEUE");
  EXPECT_NE(unknown.status().message().find("intake"), absl::string_view::npos);
  EXPECT_TRUE(ListQueue(ReaderOf(house), Text<v1::ListQueueRequest>("queue: 'legal'")).ok());
}

template <class Reply, class Request>
std::vector<std::string> AllPages(House& house, Request request,
                                  absl::StatusOr<Reply> (*ask)(const Reader&, const Request&),
                                  std::string (*row_of)(const Reply&, int), int (*rows)(const Reply&),
                                  bool* by_replay) {
  std::vector<std::string> all;
  do {
    const auto reply = ask(ReaderOf(house), request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    if (!reply.ok()) break;
    for (int i = 0; i < rows(*reply); ++i) all.push_back(row_of(*reply, i));
    *by_replay = reply->by_replay();
    request.set_page_token(reply->next_page_token());
  } while (!request.page_token().empty());
  return all;
}

std::string CaseText(v1::CaseSummary row) {
  row.clear_revision();  // of the past: the one since which it looked like this
  return row.ShortDebugString();
}

std::vector<std::string> QueueThen(House& house, std::optional<absl::Time> valid_at, std::optional<absl::Time> known_at,
                                   bool* by_replay) {
  v1::ListQueueRequest request;
  request.set_queue("billing");
  request.set_page_size(2);
  if (valid_at.has_value()) *request.mutable_valid_at() = ToProto(*valid_at);
  if (known_at.has_value()) *request.mutable_known_at() = ToProto(*known_at);
  return AllPages<v1::ListQueueReply, v1::ListQueueRequest>(
      house, request, ListQueue,
      [](const v1::ListQueueReply& reply, int i) {
        const auto& item = reply.items(i);
        return absl::StrCat(item.band(), " ", item.escalation_level(), " ", item.effective_due().seconds(), " ",
                            CaseText(item.case_()));
      },
      [](const v1::ListQueueReply& reply) { return reply.items_size(); }, by_replay);
}

std::vector<std::string> CasesThen(House& house, const std::string& filter, std::optional<absl::Time> valid_at,
                                   std::optional<absl::Time> known_at, bool* by_replay) {
  auto request = Text<v1::ListCasesRequest>(absl::StrCat("page_size: 3 filter { ", filter, " }"));
  if (valid_at.has_value()) *request.mutable_valid_at() = ToProto(*valid_at);
  if (known_at.has_value()) *request.mutable_known_at() = ToProto(*known_at);
  return AllPages<v1::ListCasesReply, v1::ListCasesRequest>(
      house, request, ListCases, [](const v1::ListCasesReply& reply, int i) { return CaseText(reply.cases(i)); },
      [](const v1::ListCasesReply& reply) { return reply.cases_size(); }, by_replay);
}

TEST(ListOfThePastTest, QueuesAndCasesAreShownAsTheyWereShownThen) {
  House house;
  const std::vector<std::string> ids = Populate(house);
  struct Shown {
    absl::Time at;
    std::vector<std::string> queue, cases, unowned;
  };
  std::vector<Shown> shown;
  bool by_replay = true;
  const auto look = [&] {
    shown.push_back({house.clock().Now(), QueueThen(house, std::nullopt, std::nullopt, &by_replay),
                     CasesThen(house, "", std::nullopt, std::nullopt, &by_replay),
                     CasesThen(house, "owner: '-'", std::nullopt, std::nullopt, &by_replay)});
    EXPECT_FALSE(by_replay);
    AdvanceTo(house, house.clock().Now() + absl::Minutes(10));
  };
  look();
  MustDo(house, ids[4], "queue { queue: 'intake' }");
  look();
  MustDo(house, ids[8], "take {}", "sam.doyle");
  look();
  MustDo(house, ids[12], "set_priority { priority: 1 override_reason: 'VIP' }");
  FileCase(house, "kind: REQUEST title: 'late' impact: 1 urgency: 1 queue: 'billing'");
  look();
  std::set<std::vector<std::string>> queues;
  for (const Shown& then : shown) {
    SCOPED_TRACE(absl::FormatTime(then.at));
    queues.insert(then.queue);
    for (const std::optional<absl::Time> known_at : {std::optional<absl::Time>(), std::optional<absl::Time>(then.at)}) {
      EXPECT_EQ(QueueThen(house, then.at, known_at, &by_replay), then.queue);
      if (!known_at.has_value()) {
        EXPECT_FALSE(by_replay) << "rows tell of the past of queues";
      }
      EXPECT_EQ(CasesThen(house, "", then.at, known_at, &by_replay), then.cases);
      if (!known_at.has_value()) {
        EXPECT_FALSE(by_replay) << "rows tell of the past of cases";
      }
      EXPECT_EQ(CasesThen(house, "owner: '-'", then.at, known_at, &by_replay), then.unowned);
    }
  }
  EXPECT_EQ(queues.size(), shown.size()) << "the queue never looked the same";
}

TEST(ListOfThePastTest, AWaitThatEndsByThenStandsInTheQueueOfTheFuture) {
  House house;
  const std::string id = FileCase(house, absl::StrCat(kComplaint, " queue: 'billing'"));
  MustDo(house, id, "take {}");
  const absl::Time until = house.clock().Now() + absl::Hours(30);
  MustDo(house, id,
         absl::StrCat("hold { waiting_on: DEPARTMENT reason_code: 'PLANS' until { seconds: ",
                      absl::ToUnixSeconds(until), " } }"));
  bool by_replay = true;
  EXPECT_EQ(QueueThen(house, until - absl::Seconds(1), std::nullopt, &by_replay).size(), 0u);
  EXPECT_EQ(QueueThen(house, until, std::nullopt, &by_replay).size(), 1u);
  EXPECT_FALSE(by_replay);
  // And has the status that is shown.
  EXPECT_EQ(CasesThen(house, "categories: WAITING", until - absl::Seconds(1), std::nullopt, &by_replay).size(), 1u);
  EXPECT_EQ(CasesThen(house, "categories: WAITING", until, std::nullopt, &by_replay).size(), 0u);
  EXPECT_EQ(CasesThen(house, "categories: NEW", until, std::nullopt, &by_replay).size(), 1u);
}

TEST(ListOfThePastTest, LaterPagesOfAQueueAreOfTheInstantTheySay) {
  House house;
  const std::vector<std::string> ids = Populate(house);
  bool by_replay = false;
  const std::vector<std::string> whole = QueueThen(house, std::nullopt, std::nullopt, &by_replay);
  ASSERT_EQ(whole.size(), 5u);
  v1::ListQueueRequest of_now;
  of_now.set_queue("billing");
  of_now.set_page_size(2);
  v1::ListQueueRequest of_then = of_now;
  *of_then.mutable_valid_at() = ToProto(house.clock().Now());
  const auto first_now = ListQueue(ReaderOf(house), of_now);
  const auto first_then = ListQueue(ReaderOf(house), of_then);
  ASSERT_TRUE(first_now.ok() && first_then.ok());
  AdvanceTo(house, house.clock().Now() + absl::Minutes(10));
  MustDo(house, first_now->items(0).case_().case_id(), "queue { queue: 'intake' }");
  of_now.set_page_token(first_now->next_page_token());
  of_then.set_page_token(first_then->next_page_token());
  const auto second_now = ListQueue(ReaderOf(house), of_now);
  ASSERT_TRUE(second_now.ok()) << second_now.status();
  EXPECT_EQ(FromProto(second_now->valid_at()), house.clock().Now());
  EXPECT_FALSE(second_now->by_replay());
  std::vector<std::string> then;
  for (const auto& item : first_then->items()) then.push_back(item.case_().case_id());
  do {
    const auto page = ListQueue(ReaderOf(house), of_then);
    ASSERT_TRUE(page.ok()) << page.status();
    EXPECT_FALSE(page->by_replay());
    EXPECT_EQ(FromProto(page->valid_at()), FromProto(of_then.valid_at()));
    for (const auto& item : page->items()) then.push_back(item.case_().case_id());
    of_then.set_page_token(page->next_page_token());
  } while (!of_then.page_token().empty());
  ASSERT_EQ(then.size(), whole.size());
  EXPECT_EQ(std::set<std::string>(then.begin(), then.end()).size(), whole.size());
  for (size_t i = 0; i < then.size(); ++i) EXPECT_NE(whole[i].find(then[i]), std::string::npos) << i;
}

TEST(PageTokenTest, InstantsBeyondATimestampAreNoToken) {
  for (const absl::Time at : {absl::UniversalEpoch() - absl::Seconds(1), absl::FromUnixSeconds(253'402'300'800)}) {
    const std::string digest(16, 'd');
    EXPECT_EQ(ReasonOf(DecodePageToken(EncodePageToken(digest, {.key = "k", .valid_at = at}), digest).status()),
              "PAGE_TOKEN_MISMATCH");
  }
}

TEST(ListEscalationsTest, WhoWasCalledAndWhoAnswered) {
  House house;
  const std::string id = FileCase(house, kComplaint);
  AdvanceTo(house, Wednesday() + absl::Hours(25));  // past the first response
  const auto open = ListEscalations(ReaderOf(house), v1::ListEscalationsRequest());
  ASSERT_TRUE(open.ok()) << open.status();
  ASSERT_EQ(open->items_size(), 1);
  EXPECT_EQ(open->items(0).case_().case_id(), id);
  EXPECT_EQ(open->items(0).metric(), "FIRST_RESPONSE");
  EXPECT_EQ(open->items(0).escalation().targets(0), "helen.marsh");
  EXPECT_FALSE(open->items(0).ack_late());
  EXPECT_EQ(ListEscalations(ReaderOf(house), Text<v1::ListEscalationsRequest>("target: 'mei.tan'"))->items_size(), 0);
  EXPECT_EQ(ListEscalations(ReaderOf(house), Text<v1::ListEscalationsRequest>("target: 'helen.marsh'"))->items_size(),
            1);
  EXPECT_EQ(ListEscalations(ReaderOf(house), Text<v1::ListEscalationsRequest>("department: 'company'"))->items_size(),
            1);
  EXPECT_EQ(ListEscalations(ReaderOf(house), Text<v1::ListEscalationsRequest>("department: 'it'"))->items_size(), 0);

  AdvanceTo(house, Wednesday() + absl::Hours(60));
  EXPECT_TRUE(ListEscalations(ReaderOf(house), v1::ListEscalationsRequest())->items(0).ack_late());
  MustDo(house, id, "acknowledge_escalation {}", "helen.marsh");
  EXPECT_EQ(ListEscalations(ReaderOf(house), v1::ListEscalationsRequest())->items_size(), 0);
  const auto all = ListEscalations(ReaderOf(house), Text<v1::ListEscalationsRequest>("include_acknowledged: true"));
  ASSERT_EQ(all->items_size(), 1);
  EXPECT_EQ(all->items(0).escalation().acknowledged_by(), "helen.marsh");
  EXPECT_TRUE(all->items(0).ack_late());
}

TEST(ScanBudgetTest, EndsAtRowsOrTimeButNeverBeforeTheFirstRow) {
  testing::FakeClock clock(Wednesday());
  ScanBudget rows(clock);
  for (uint32_t i = 0; i < ScanBudget::kMaxRows; ++i) ASSERT_TRUE(rows.Spend());
  EXPECT_FALSE(rows.Spend());
  ScanBudget time(clock);
  clock.Advance(absl::Seconds(1));
  EXPECT_TRUE(time.Spend());
  EXPECT_FALSE(time.Spend());
}

// With the budget of time spent at once, every page holds one row and the list is still complete.
TEST(ScanBudgetTest, ShortPagesStillAddUp) {
  House house;
  const std::vector<std::string> ids = Populate(house);
  auto request = Text<v1::ListCasesRequest>("filter { kinds: COMPLAINT }");
  std::vector<std::string> listed;
  int pages = 0;
  do {
    Reader reader = ReaderOf(house);
    reader.clock = std::make_shared<testing::RacingClock>();
    const auto reply = ListCases(reader, request);
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_LE(reply->cases_size(), 1);
    for (const std::string& id : IdsOf(*reply)) listed.push_back(id);
    request.set_page_token(reply->next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_EQ(listed.size(), 7u);
  EXPECT_EQ(pages, static_cast<int>(ids.size()));
}

// Asked for, granted, acknowledged, closed: what came later does not change what was.
TEST(ListEscalationsTest, AnEarlierInstantIsToldAsItWas) {
  House house;
  const absl::Status published = house.Publish(
      "ladder: second-persons\nlevels:\n"
      "  - {level: 1, kind: CUSTOMER_ESCALATION, trigger: MANUAL, target: QUEUE_LEAD, approval: true}\n");
  ASSERT_TRUE(published.ok()) << published;
  const std::string id = FileCase(house, kComplaint);
  MustDo(house, id, "escalate { kind: CUSTOMER_ESCALATION reason_code: 'PRESS' justification: 'the news' }");
  const absl::Time asked = house.clock().Now();
  const auto state_at = [&](absl::Time at) {
    v1::ListEscalationsRequest request;
    request.set_include_acknowledged(true);
    *request.mutable_valid_at() = ToProto(at);
    const auto reply = ListEscalations(ReaderOf(house), request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() && reply->items_size() == 1 ? reply->items(0).escalation().state()
                                                  : v1::Escalation::STATE_UNSPECIFIED;
  };
  AdvanceTo(house, asked + absl::Minutes(10));
  MustDo(house, id, "approve_escalation {}", "helen.marsh");
  AdvanceTo(house, asked + absl::Minutes(20));
  MustDo(house, id, "acknowledge_escalation {}", "helen.marsh");
  AdvanceTo(house, asked + absl::Minutes(30));
  MustDo(house, id, "close_escalation { reason_code: 'SOLVED' justification: 'x' }", "helen.marsh");
  EXPECT_EQ(state_at(asked + absl::Minutes(5)), v1::Escalation::REQUESTED);
  EXPECT_EQ(state_at(asked + absl::Minutes(15)), v1::Escalation::RAISED);
  EXPECT_EQ(state_at(asked + absl::Minutes(25)), v1::Escalation::ACKNOWLEDGED);
  EXPECT_EQ(state_at(asked + absl::Minutes(35)), v1::Escalation::CLOSED);
}

}  // namespace
}  // namespace docket::query
