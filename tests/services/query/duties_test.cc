#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "services/query/lists.h"
#include "tests/services/query/query_house.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/sla/clock_rules.h"

namespace docket::query {
namespace {

using Duty = std::pair<std::string, uint32_t>;  // case id, clock_no

v1::ListDutiesReply MustList(House& house, const v1::ListDutiesRequest& request,
                             const std::string& principal = "grace.lind") {
  const auto reply = ListDuties(ReaderOf(house, principal), request);
  EXPECT_TRUE(reply.ok()) << reply.status();
  return reply.ok() ? *reply : v1::ListDutiesReply();
}

std::vector<Duty> DutiesIn(const v1::ListDutiesReply& reply) {
  std::vector<Duty> duties;
  for (const auto& item : reply.items()) duties.emplace_back(item.case_().case_id(), item.clock_no());
  return duties;
}

v1::ListDutiesRequest Overdue(absl::Time at) {
  auto request = Text<v1::ListDutiesRequest>("preset: OVERDUE");
  *request.mutable_valid_at() = ToProto(at);
  return request;
}

// Complaints and tickets at different hours, worked on in different ways, over five days.
std::vector<std::string> LiveThroughAWeek(House& house, const std::function<void()>& each_step) {
  std::vector<std::string> ids;
  const auto step = [&](absl::Duration by) {
    each_step();
    AdvanceTo(house, house.clock().Now() + by);
  };
  for (int i = 0; i < 8; ++i) {
    ids.push_back(FileCase(house, absl::StrCat("kind: ", i % 2 == 0 ? "COMPLAINT" : "INCIDENT", " title: 'c", i,
                                               "' impact: ", 1 + i % 3, " urgency: ", 1 + i % 2)));
    step(absl::Hours(1));
  }
  MustDo(house, ids[0], "send_outbound { kind: RESPONSE body: 'we look into it' }");
  step(absl::Hours(3));
  MustDo(house, ids[0], "accept {}");
  MustDo(house, ids[0], "send_outbound { kind: INFORMATION_REQUEST body: 'which meter?' }");
  MustDo(house, ids[0], "hold { waiting_on: COMPLAINANT reason_code: 'METER' }");
  MustDo(house, ids[1], "take {}", "sam.doyle");
  step(absl::Hours(20));
  MustDo(house, ids[1], "send_outbound { kind: RESPONSE body: 'on it' }", "sam.doyle");
  MustDo(house, ids[1], "resolve { resolution_code: 'FIXED' }", "sam.doyle");
  step(absl::Hours(30));
  MustDo(house, ids[0], "record_inbound { body: '12345' }");
  MustDo(house, ids[1], "reopen { reason: NOT_RESOLVED }", "sam.doyle");
  step(absl::Hours(40));
  each_step();
  return ids;
}

// What is overdue at `at` by the definition, from the newest states.
std::set<Duty> LateNow(House& house, const std::vector<std::string>& ids, absl::Time at) {
  std::set<Duty> late;
  for (const std::string& id : ids) {
    const v1::Case state = *house.Get(id);
    for (const v1::Clock& clock : state.clocks()) {
      if (clock.nature() == v1::DUTY && sla::IsLate(clock, at)) late.emplace(id, clock.clock_no());
    }
  }
  return late;
}

TEST(ListDutiesTest, OverdueIsTheDefinitionNowAndInTheFuture) {
  House house;
  const std::vector<std::string> ids = LiveThroughAWeek(house, [] {});
  for (int hours = 0; hours < 400; hours += 13) {
    const absl::Time at = house.clock().Now() + absl::Hours(hours);
    const v1::ListDutiesReply reply = MustList(house, Overdue(at));
    const std::vector<Duty> listed = DutiesIn(reply);
    EXPECT_EQ(std::set<Duty>(listed.begin(), listed.end()), LateNow(house, ids, at)) << hours;
    EXPECT_FALSE(reply.by_replay());
    EXPECT_EQ(FromProto(reply.valid_at()), at);
    for (const auto& item : reply.items()) EXPECT_TRUE(item.late());
    EXPECT_EQ(reply.header().late_duties(), listed.size());
    EXPECT_TRUE(reply.header().complete());
  }
}

// Lists never depend on a timer having run.
TEST(ListDutiesTest, OverdueIsRightWithTheTimersStopped) {
  for (const bool run_timers : {true, false}) {
    House house(House::Options{.run_timers = run_timers});
    const std::string first = FileCase(house, kComplaint);
    FileCase(house, "kind: INCIDENT title: 'no light' impact: 1 urgency: 1");
    house.Settle();
    house.clock().AdvanceTo(Wednesday() + absl::Hours(30));
    if (run_timers) house.Settle();
    const v1::ListDutiesReply reply = MustList(house, Overdue(house.clock().Now()));
    EXPECT_EQ(reply.items_size(), 3) << run_timers;  // both first responses and the incident's resolution
    EXPECT_EQ(house.Get(first)->clocks(0).has_breached_due_at(), run_timers);
  }
}

// N1-like: the very due is not late, a microsecond after it is.
TEST(ListDutiesTest, TheDueItselfIsNotLate) {
  House house;
  const std::string id = FileCase(house, kComplaint);
  const absl::Time due = FromProto(house.Get(id)->clocks(0).due_at());
  EXPECT_EQ(MustList(house, Overdue(due)).items_size(), 0);
  EXPECT_EQ(MustList(house, Overdue(due + absl::Microseconds(1))).items_size(), 1);
}

// The list as it was answered live at some instant is the list that replay gives for it later, on both axes.
TEST(ListDutiesTest, ReplayGivesWhatWasAnsweredThen) {
  House house;
  std::vector<std::pair<absl::Time, v1::ListDutiesReply>> answered;
  LiveThroughAWeek(house, [&] {
    answered.emplace_back(house.clock().Now(), MustList(house, Overdue(house.clock().Now())));
    EXPECT_FALSE(answered.back().second.by_replay());
  });
  for (const auto& [when, live] : answered) {
    v1::ListDutiesRequest as_known = Overdue(when);
    *as_known.mutable_known_at() = ToProto(when);
    for (const uint32_t page_size : {2u, 100u}) {
      as_known.set_page_size(page_size);
      as_known.clear_page_token();
      std::vector<Duty> listed;
      bool first = true;
      do {
        const v1::ListDutiesReply reply = MustList(house, as_known);
        // The index is still true of a time after which nothing was recorded.
        EXPECT_EQ(reply.by_replay(), absl::ToUnixMicros(when) < house.log().Head().recorded_at_us);
        EXPECT_EQ(reply.has_header(), first);
        EXPECT_EQ(reply.header().late_duties(), first ? live.header().late_duties() : 0);
        first = false;
        for (const Duty& duty : DutiesIn(reply)) listed.push_back(duty);
        as_known.set_page_token(reply.next_page_token());
      } while (!as_known.page_token().empty());
      EXPECT_EQ(listed, DutiesIn(live)) << when;
    }
  }
}

// Asked as known before anything was, the answer is empty and takes no place among the questions about the past.
TEST(ListDutiesTest, NothingWasKnownBeforeTheLogBeganOrTheCaseWasFiled) {
  House house;
  const absl::Time begun = house.clock().Now();
  AdvanceTo(house, begun + absl::Hours(1));
  const std::string id = FileCase(house, kComplaint);
  AdvanceTo(house, begun + absl::Hours(48));
  MustDo(house, id, "take {}");
  ReplayGate full(0);
  const auto ask = [&](absl::Time known_at, ReplayGate* gate) {
    Reader reader = ReaderOf(house);
    reader.replays = gate;
    v1::ListDutiesRequest request = Overdue(house.clock().Now());
    *request.mutable_known_at() = ToProto(known_at);
    return ListDuties(reader, request);
  };
  const auto before = ask(Wednesday() - absl::Hours(24 * 365), &full);
  ASSERT_TRUE(before.ok()) << before.status();
  EXPECT_EQ(before->items_size(), 0);
  EXPECT_TRUE(before->header().complete());
  EXPECT_EQ(before->position(), 0u);
  EXPECT_EQ(ReasonOf(ask(begun + absl::Minutes(30), &full).status()), "REPLAY_BUSY");
  const auto unfiled = ask(begun + absl::Minutes(30), nullptr);
  ASSERT_TRUE(unfiled.ok()) << unfiled.status();
  EXPECT_EQ(unfiled->items_size(), 0);
  EXPECT_GT(unfiled->position(), 0u);
  const auto filed = ask(begun + absl::Hours(2), nullptr);
  ASSERT_TRUE(filed.ok()) << filed.status();
  EXPECT_EQ(filed->items_size(), 1) << "the first response";
  EXPECT_GT(filed->position(), unfiled->position());
  EXPECT_LT(filed->position(), ReaderOf(house).view.position);
}

// The budget of time ends pages, not the count.
TEST(ListDutiesTest, ASlowMachineCountsAsMuch) {
  House house;
  LiveThroughAWeek(house, [] {});
  const v1::ListDutiesRequest request = Overdue(house.clock().Now() + absl::Hours(24 * 30));
  const v1::ListDutiesReply quick = MustList(house, request);
  Reader reader = ReaderOf(house);
  reader.clock = std::make_shared<testing::RacingClock>();
  const auto slow = ListDuties(reader, request);
  ASSERT_TRUE(slow.ok()) << slow.status();
  EXPECT_EQ(slow->items_size(), 1);
  EXPECT_FALSE(slow->next_page_token().empty());
  EXPECT_GT(quick.header().late_duties(), 4u);
  EXPECT_EQ(slow->header().DebugString(), quick.header().DebugString());
}

TEST(ListDutiesTest, FiltersAndHeader) {
  House house;
  const std::vector<std::string> ids = LiveThroughAWeek(house, [] {});
  const absl::Time at = house.clock().Now() + absl::Hours(24 * 30);
  const v1::ListDutiesReply all = MustList(house, Overdue(at));
  ASSERT_GT(all.items_size(), 4);
  std::set<std::string> cases;
  for (const auto& item : all.items()) cases.insert(item.case_().case_id());
  EXPECT_EQ(all.header().cases(), cases.size());
  EXPECT_EQ(FromProto(all.header().oldest_due()), FromProto(all.items(0).due_at()));

  const std::vector<std::pair<std::string, std::function<bool(const v1::ListDutiesReply::Item&)>>> filters = {
      {"kinds: COMPLAINT", [](const auto& item) { return item.case_().kind() == v1::COMPLAINT; }},
      {"metric: 'RESOLUTION'", [](const auto& item) { return item.metric() == "RESOLUTION"; }},
      {"owner: 'sam.doyle'", [](const auto& item) { return item.owner() == "sam.doyle"; }},
      {"owner: '-'", [](const auto& item) { return item.owner().empty(); }},
      {"priorities: 1", [](const auto& item) { return item.case_().priority() == 1; }},
      {"queue: 'intake'", [](const auto& item) { return item.case_().queue() == "intake"; }},
      {"obligations: CUSTOMER", [](const auto&) { return true; }},
      {"obligations: REGULATOR", [](const auto&) { return false; }},
      {"department: 'company'", [](const auto&) { return true; }},
      {"department: 'it'", [](const auto& item) { return item.department() == "it"; }},
  };
  for (const auto& [filter, wanted] : filters) {
    std::vector<Duty> expected;
    for (const auto& item : all.items()) {
      if (wanted(item)) expected.emplace_back(item.case_().case_id(), item.clock_no());
    }
    auto request = Text<v1::ListDutiesRequest>(filter);
    request.MergeFrom(Overdue(at));
    const v1::ListDutiesReply reply = MustList(house, request);
    EXPECT_EQ(DutiesIn(reply), expected) << filter;
    EXPECT_EQ(reply.header().late_duties(), expected.size()) << filter;
  }
}

TEST(ListDutiesTest, ByCaseListsEachCaseOnceWithItsEarliestDuty) {
  House house;
  LiveThroughAWeek(house, [] {});
  const absl::Time at = house.clock().Now() + absl::Hours(24 * 30);
  std::vector<Duty> expected;
  std::set<std::string> seen;
  for (const Duty& duty : DutiesIn(MustList(house, Overdue(at)))) {
    if (seen.insert(duty.first).second) expected.push_back(duty);
  }
  v1::ListDutiesRequest request = Overdue(at);
  request.set_by_case(true);
  request.set_page_size(2);
  std::vector<Duty> listed;
  do {
    const v1::ListDutiesReply reply = MustList(house, request);
    for (const Duty& duty : DutiesIn(reply)) listed.push_back(duty);
    request.set_page_token(reply.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(listed, expected);
}

// R10: "within 4h" is working time unless elapsed. Filed Wednesday 09:00, first response due Wednesday 17:00 (8 h).
TEST(ListDutiesTest, AtRiskCountsWorkingTime) {
  House house;
  const std::string id = FileCase(house, kComplaint);
  ASSERT_EQ(FromProto(house.Get(id)->clocks(0).due_at()), At("2026-11-18T17:00:00Z"));
  const auto at_risk = [&](absl::string_view when, const std::string& more) {
    auto request = Text<v1::ListDutiesRequest>(absl::StrCat("preset: AT_RISK metric: 'FIRST_RESPONSE' ", more));
    *request.mutable_valid_at() = ToProto(At(when));
    return MustList(house, request).items_size();
  };
  EXPECT_EQ(at_risk("2026-11-18T12:59:59Z", ""), 0);
  EXPECT_EQ(at_risk("2026-11-18T13:00:00Z", ""), 1);
  EXPECT_EQ(at_risk("2026-11-18T17:00:00Z", ""), 1);
  EXPECT_EQ(at_risk("2026-11-18T17:00:00.000001Z", ""), 0);  // late, no longer at risk
  EXPECT_EQ(at_risk("2026-11-18T12:00:00Z", "within { seconds: 18000 }"), 1);
}

TEST(ListDutiesTest, AWeekendIsNoTimeToWork) {
  House house(House::Options{.start = At("2026-11-20T16:00:00Z")});  // Friday 16:00
  const std::string id = FileCase(house, kComplaint);                // 8 h: due Monday 16:00
  ASSERT_EQ(FromProto(house.Get(id)->clocks(0).due_at()), At("2026-11-23T16:00:00Z"));
  auto request = Text<v1::ListDutiesRequest>("preset: AT_RISK metric: 'FIRST_RESPONSE' within { seconds: 28800 }");
  EXPECT_EQ(MustList(house, request).items_size(), 1);  // 8 working hours away, 72 by the clock
  request.set_elapsed(true);
  EXPECT_EQ(MustList(house, request).items_size(), 0);
  request.mutable_within()->set_seconds(72 * 3600);
  const v1::ListDutiesReply by_clock = MustList(house, request);
  ASSERT_EQ(by_clock.items_size(), 1);
  EXPECT_EQ(by_clock.items(0).words(), "at risk");
  EXPECT_FALSE(by_clock.items(0).late());
  EXPECT_EQ(FromProto(by_clock.items(0).time_left()), absl::Hours(72));
  EXPECT_EQ(FromProto(by_clock.items(0).time_left_working()), absl::Hours(8));
  EXPECT_FALSE(by_clock.items(0).has_late_by());
  EXPECT_FALSE(by_clock.items(0).has_late_since());

  request = Text<v1::ListDutiesRequest>("preset: OVERDUE metric: 'FIRST_RESPONSE'");
  *request.mutable_valid_at() = ToProto(At("2026-11-24T10:00:00Z"));  // Tuesday
  const v1::ListDutiesReply late = MustList(house, request);
  ASSERT_EQ(late.items_size(), 1);
  EXPECT_EQ(FromProto(late.items(0).late_by()), absl::Hours(18));
  EXPECT_EQ(FromProto(late.items(0).late_by_working()), absl::Hours(2));
  EXPECT_FALSE(late.items(0).has_time_left_working());
}

TEST(ListDutiesTest, WaitingAndMine) {
  House house;
  const std::string id = FileCase(house, kComplaint);
  FileCase(house, kComplaint);
  MustDo(house, id, "accept {}");
  MustDo(house, id, "take {}");
  MustDo(house, id, "send_outbound { kind: INFORMATION_REQUEST body: 'which meter?' }");
  MustDo(house, id, "hold { waiting_on: COMPLAINANT reason_code: 'METER' }");
  const v1::ListDutiesReply waiting = MustList(house, Text<v1::ListDutiesRequest>("preset: WAITING_DUTIES"));
  ASSERT_EQ(waiting.items_size(), 1);
  EXPECT_EQ(waiting.items(0).case_().case_id(), id);
  EXPECT_EQ(waiting.items(0).metric(), "RESOLUTION");
  EXPECT_EQ(waiting.items(0).words(), "waiting");
  // The wait ends by itself after eight weeks at most.
  EXPECT_GT(FromProto(waiting.items(0).due_at()), Wednesday() + absl::Hours(8 * 7 * 24));

  const auto mine = Text<v1::ListDutiesRequest>("preset: MINE");
  const v1::ListDutiesReply of_grace = MustList(house, mine);
  for (const auto& item : of_grace.items()) EXPECT_EQ(item.owner(), "grace.lind");
  EXPECT_GE(of_grace.items_size(), 1);
  EXPECT_EQ(MustList(house, mine, "sam.doyle").items_size(), 0);
}

// R5: a pause that begins after the due changes only the label.
TEST(ListDutiesTest, LateStaysLateWhileWaiting) {
  House house;
  const std::string id = FileCase(house, "kind: INCIDENT title: 'dark' impact: 1 urgency: 1");
  AdvanceTo(house, Wednesday() + absl::Hours(30));
  MustDo(house, id, "send_outbound { kind: INFORMATION_REQUEST body: 'where?' }");
  MustDo(house, id, "hold { waiting_on: COMPLAINANT reason_code: 'PLACE' }");
  const v1::ListDutiesReply overdue = MustList(house, Overdue(house.clock().Now() + absl::Hours(1)));
  std::string words;
  for (const auto& item : overdue.items()) {
    if (item.metric() == "RESOLUTION") words = item.words();
  }
  EXPECT_EQ(words, "late, waiting");
}

// To hold what is late already is the oldest way to hide it, so whoever looks for waits must see it.
TEST(ListDutiesTest, WaitingListsWhatWasHeldWhenLateAlready) {
  House house;
  const std::string id = FileCase(house, "kind: INCIDENT title: 'dark' impact: 1 urgency: 1");
  AdvanceTo(house, Wednesday() + absl::Hours(30));
  const auto request = Text<v1::ListDutiesRequest>("preset: WAITING_DUTIES");
  EXPECT_EQ(MustList(house, request).items_size(), 0) << "late, but nobody waits";
  MustDo(house, id, "send_outbound { kind: INFORMATION_REQUEST body: 'where?' }");
  MustDo(house, id, "hold { waiting_on: COMPLAINANT reason_code: 'PLACE' }");
  const absl::Time held = house.clock().Now();
  AdvanceTo(house, held + absl::Hours(1));
  const v1::ListDutiesReply waiting = MustList(house, request);
  ASSERT_EQ(waiting.items_size(), 1);
  EXPECT_EQ(waiting.items(0).metric(), "RESOLUTION");
  EXPECT_EQ(waiting.items(0).words(), "late, waiting");
  EXPECT_EQ(FromProto(waiting.items(0).waiting_since()), held);
  EXPECT_EQ(waiting.header().late_duties(), 1u);
  auto longer = request;
  longer.mutable_waiting_longer_than()->set_seconds(3599);
  EXPECT_EQ(MustList(house, longer).items_size(), 1);
  longer.mutable_waiting_longer_than()->set_seconds(3600);
  EXPECT_EQ(MustList(house, longer).items_size(), 0);
}

TEST(ListDutiesTest, ALaterPageKeepsTheTimesOfTheFirst) {
  House house;
  LiveThroughAWeek(house, [] {});
  auto request = Text<v1::ListDutiesRequest>("preset: OVERDUE page_size: 1");
  const v1::ListDutiesReply first = MustList(house, request);
  ASSERT_FALSE(first.next_page_token().empty());
  const absl::Time asked = house.clock().Now();
  AdvanceTo(house, asked + absl::Hours(5));
  FileCase(house, kComplaint);
  request.set_page_token(first.next_page_token());
  const v1::ListDutiesReply second = MustList(house, request);
  EXPECT_EQ(FromProto(second.valid_at()), asked);
  EXPECT_FALSE(second.by_replay());
  EXPECT_FALSE(second.has_header());
}

// R7: entered after the breach, an answer is a claim until somebody else has judged it; the list does not believe it.
TEST(ListDutiesTest, WhatIsSaidToHaveBeenMetIsLateUntilASecondPersonConfirms) {
  House house;
  const std::string id = FileCase(house, kComplaint);
  const absl::Time called = house.clock().Now() + absl::Hours(2);
  AdvanceTo(house, At("2026-11-19T10:00:00Z"));
  v1::ExecuteRequest answer;
  answer.set_case_id(id);
  answer.set_evidence_ref("call-17");
  *answer.mutable_occurred_at() = ToProto(called);
  answer.mutable_command()->mutable_send_outbound()->set_kind(v1::RESPONSE);
  answer.mutable_command()->mutable_send_outbound()->set_body("called");
  ASSERT_TRUE(house.Do(std::move(answer)).ok());
  const auto overdue = Text<v1::ListDutiesRequest>("preset: OVERDUE metric: 'FIRST_RESPONSE'");
  const v1::ListDutiesReply disputed = MustList(house, overdue);
  ASSERT_EQ(disputed.items_size(), 1);
  EXPECT_EQ(disputed.items(0).words(), "late, disputed");
  EXPECT_EQ(disputed.header().late_duties(), 1u);
  MustDo(house, id, "judge_late_entry { confirmed: true }", "helen.marsh");
  EXPECT_EQ(MustList(house, overdue).items_size(), 0);
}

}  // namespace
}  // namespace docket::query
