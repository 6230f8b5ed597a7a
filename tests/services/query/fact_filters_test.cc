// The filters that lists have alike: each finds in a list what those who read it all would pick out.
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "services/query/lists.h"
#include "tests/services/query/query_house.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"

namespace docket::query {
namespace {

template <class Request, class Reply>
std::vector<typename Reply::Item> Whole(House& house, Request request,
                                        absl::StatusOr<Reply> (*list)(const Reader&, const Request&)) {
  std::vector<typename Reply::Item> items;
  request.set_page_size(2);
  do {
    const auto reply = list(ReaderOf(house), request);
    EXPECT_TRUE(reply.ok()) << request.ShortDebugString() << ": " << reply.status();
    if (!reply.ok()) return items;
    items.insert(items.end(), reply->items().begin(), reply->items().end());
    request.set_page_token(reply->next_page_token());
  } while (!request.page_token().empty());
  return items;
}

template <class Item>
std::vector<std::string> Told(const std::vector<Item>& items) {
  std::vector<std::string> told;
  for (const Item& item : items) told.push_back(item.ShortDebugString());
  return told;
}

template <class Item>
struct Filter {
  std::string text;
  std::function<bool(const Item&)> wants;
};

// Each filter alone leaves out something and keeps something.
template <class Request, class Reply>
void ExpectPickedOut(House& house, const Request& all, absl::StatusOr<Reply> (*list)(const Reader&, const Request&),
                     const std::vector<Filter<typename Reply::Item>>& filters) {
  const auto whole = Whole(house, all, list);
  for (const auto& filter : filters) {
    Request request = all;
    request.MergeFrom(Text<Request>(filter.text));
    std::vector<typename Reply::Item> expected;
    for (const auto& item : whole) {
      if (filter.wants(item)) expected.push_back(item);
    }
    EXPECT_EQ(Told(Whole(house, request, list)), Told(expected)) << request.ShortDebugString();
    EXPECT_FALSE(expected.empty()) << filter.text;
    EXPECT_LT(expected.size(), whole.size()) << filter.text;
  }
}

TEST(FactFiltersTest, AQueueIsFilteredNowAndAsItWas) {
  using Item = v1::ListQueueReply::Item;
  House house;
  std::vector<std::string> ids;
  for (int i = 0; i < 12; ++i) {
    ids.push_back(FileCase(
        house, absl::StrCat("kind: ", i % 2 == 0 ? "COMPLAINT" : "REQUEST", " title: '", i, "' impact: ", 1 + i % 3,
                            " urgency: 2 queue: 'billing'", i % 3 == 0 ? " tier: 'VIP'" : "",
                            i % 4 == 0 ? " department: 'billing'" : " department: 'complaints'")));
    if (i % 5 == 0) MustDo(house, ids.back(), "take {}", "sam.doyle");
    AdvanceTo(house, house.clock().Now() + absl::Minutes(5));
  }
  const absl::Time then = house.clock().Now();
  AdvanceTo(house, then + absl::Minutes(5));
  MustDo(house, ids[8], "queue { queue: 'intake' }");
  MustDo(house, ids[2], "take {}");
  MustDo(house, ids[4], "set_priority { priority: 5 override_reason: 'X' }");
  MustDo(house, ids[6], "queue { queue: 'intake' }");
  const std::vector<Filter<Item>> filters = {
      {"kinds: COMPLAINT", [](const Item& item) { return item.case_().kind() == v1::COMPLAINT; }},
      {"priorities: 3", [](const Item& item) { return item.case_().priority() == 3; }},
      {"tiers: 'VIP'", [](const Item& item) { return item.case_().tier() == "VIP"; }},
      {"owner: 'sam.doyle'", [](const Item& item) { return item.case_().owner() == "sam.doyle"; }},
      {"owner: '-'", [](const Item& item) { return item.case_().owner().empty(); }},
      {"unowned_only: true", [](const Item& item) { return item.case_().owner().empty(); }},
      {"department: 'billing'", [](const Item& item) { return item.case_().department() == "billing"; }},
  };
  auto queue = Text<v1::ListQueueRequest>("queue: 'billing'");
  ExpectPickedOut(house, queue, ListQueue, filters);
  *queue.mutable_valid_at() = ToProto(then);
  ExpectPickedOut(house, queue, ListQueue, filters);
  *queue.mutable_known_at() = ToProto(then);
  ExpectPickedOut(house, queue, ListQueue, filters);
  queue.set_owner("sam.doil");
  EXPECT_EQ(ReasonOf(ListQueue(ReaderOf(house), queue).status()), "UNKNOWN_PRINCIPAL");
}

TEST(FactFiltersTest, EscalationsAreFilteredByTheDutyTheyWereRaisedFor) {
  using Item = v1::ListEscalationsReply::Item;
  House house;
  ASSERT_TRUE(house.Publish(testing::ReadPack("fca-disp.yaml")).ok());
  ASSERT_TRUE(house.Publish(testing::ReadPack("ladder-complaints.yaml")).ok());
  const std::string id = FileCase(house, kComplaint);
  FileCase(house, "kind: REQUEST title: 'Phone' impact: 1 urgency: 1");
  MustDo(house, id, "escalate { kind: FUNCTIONAL reason_code: 'SKILL' justification: 'Pipes' }");
  AdvanceTo(house, Wednesday() + absl::Hours(24 * 70));
  house.Settle();
  auto all = Text<v1::ListEscalationsRequest>("include_acknowledged: true");
  std::set<std::string> metrics;
  for (const Item& item : Whole(house, all, ListEscalations)) metrics.insert(item.metric());
  ASSERT_TRUE(metrics.count("RESOLUTION") > 0 && metrics.count("FINAL_RESPONSE") > 0);
  const auto owed_to = [&](const Item& item) {
    const auto state = house.Get(item.case_().case_id());
    for (const v1::Clock& clock : state->clocks()) {
      if (clock.clock_no() == item.escalation().clock_no()) return clock.obligation();
    }
    return v1::OBLIGATION_UNSPECIFIED;
  };
  const std::vector<Filter<Item>> filters = {
      {"metric: 'RESOLUTION'", [](const Item& item) { return item.metric() == "RESOLUTION"; }},
      {"obligations: REGULATOR", [&](const Item& item) { return owed_to(item) == v1::REGULATOR; }},
      {"obligations: CUSTOMER obligations: REGULATOR", [](const Item& item) { return !item.metric().empty(); }},
  };
  ExpectPickedOut(house, all, ListEscalations, filters);
  *all.mutable_valid_at() = ToProto(Wednesday() + absl::Hours(24 * 69));
  ExpectPickedOut(house, all, ListEscalations, filters);
}

}  // namespace
}  // namespace docket::query
