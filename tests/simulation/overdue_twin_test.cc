// Lists never depend on a sweeper having run: with the timers switched off, what is overdue and in which order a queue
// is worked are what straight-line code reads from the log, at any instant asked for.
#include <algorithm>
#include <future>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "services/query/lists.h"
#include "tests/support/brute_force.h"
#include "tests/support/house.h"
#include "tests/support/random_walk.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"

namespace docket::testing {
namespace {

constexpr int kWalks = 48;
constexpr int kRounds = 13;  // per walk, each with an instant of now and one ahead of it: 1,040 instants
constexpr int kStepsPerRound = 12;
constexpr int kPastInstants = 4;    // per walk, of what was shown
constexpr int kIndexInstants = 20;  // per walk, of all lists

// A duty towards a regulator, so that its band of the queue is walked too.
constexpr char kRegulatoryPolicy[] = R"(
sla: regulator-sample
obligation: REGULATOR
order: 10
when: {case.kind: [COMPLAINT], case.tier: [VIP, MAIN]}
calendar: london
metrics:
  - metric: FINAL_RESPONSE
    nature: DUTY
    start: {event: case_received}
    start_at: received_at
    stop:
      - {event: decision_issued}
    cancel:
      - {event: status_changed, where: {event.entered.closure_code: VOIDED}}
    pausable: false
    reopens: false
    answerable: ACCOUNTABLE
    targets:
      - {target: 3bd@close}
    warnings_permille: [500]
)";

// Escalations that want a second person, so that the list of approvals is walked too.
constexpr char kSecondPersons[] = R"(
ladder: second-persons
levels:
  - {level: 1, kind: CUSTOMER_ESCALATION, trigger: MANUAL, target: QUEUE_LEAD, approval: true}
  - {level: 1, kind: REGULATORY, trigger: MANUAL, target: DEPARTMENT_LEAD, approval: true}
)";

// Work that not everybody can do.
constexpr char kSkills[] = R"(
routing: skills
rules:
  - {when: {case.kind: [COMPLAINT], case.priority: [1, 2]}, queue: complaints, skills: [WATER_QUALITY]}
  - {when: {case.tier: [VIP]}, queue: intake, skills: [WATER_QUALITY]}
)";

std::string Line(const TwinDuty& duty, absl::Time at) {
  return absl::StrCat(duty.ToString(), " late by ", absl::FormatDuration(at - duty.late_from));
}

std::string Line(const v1::ListDutiesReply::Item& item, absl::Time at) {
  TwinDuty duty;
  duty.late_from = at - FromProto(item.late_by());
  duty.case_id = item.case_().case_id();
  duty.clock_no = item.clock_no();
  if (item.has_due_at()) duty.due = FromProto(item.due_at());
  duty.paused = item.paused();
  duty.department = item.department();
  EXPECT_TRUE(item.late());
  EXPECT_EQ(FromProto(item.late_since()), duty.late_from);
  EXPECT_FALSE(item.has_time_left());
  return Line(duty, at);
}

// Every page of the overdue list.
std::vector<std::string> AskOverdue(House& house, v1::ListDutiesRequest request, absl::Time at) {
  const query::Reader reader = query::OpenReader(house.engine(), {.principal_id = "nikhil.rao"});
  std::vector<std::string> lines;
  uint32_t counted = 0;
  request.set_preset(v1::OVERDUE);
  do {
    const auto reply = query::ListDuties(reader, request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    if (!reply.ok()) return lines;
    if (request.page_token().empty()) counted = reply->header().late_duties();
    for (const auto& item : reply->items()) lines.push_back(Line(item, at));
    request.set_page_token(reply->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(counted, lines.size()) << "the header counts other than the list shows";
  return lines;
}

// Every page of some other list of duties, of control or of escalations.
std::vector<std::string> AskDuties(House& house, v1::ListDutiesRequest request) {
  const query::Reader reader = query::OpenReader(house.engine(), {.principal_id = "nikhil.rao"});
  std::vector<std::string> lines;
  do {
    const auto reply = query::ListDuties(reader, request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    if (!reply.ok()) return lines;
    EXPECT_TRUE(request.has_known_at() || !reply->by_replay());
    for (const auto& item : reply->items()) {
      std::string when;
      if (request.preset() == v1::MINE) {
        if (item.late()) when = FormatUtc(FromProto(item.late_since()));
        if (item.has_time_left()) when = FormatUtc(FromProto(request.valid_at()) + FromProto(item.time_left()));
      } else {
        when = FormatUtc(FromProto(item.waiting_since()));
      }
      lines.push_back(absl::StrCat(when, " ", item.case_().case_id(), "/", item.clock_no()));
    }
    request.set_page_token(reply->next_page_token());
  } while (!request.page_token().empty());
  return lines;
}

std::vector<std::string> AskApprovals(House& house, v1::ListDutiesRequest request) {
  const query::Reader reader = query::OpenReader(house.engine(), {.principal_id = "nikhil.rao"});
  request.set_preset(v1::APPROVALS);
  std::vector<std::string> lines;
  uint32_t counted = 0;
  do {
    const auto reply = query::ListDuties(reader, request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    if (!reply.ok()) return lines;
    EXPECT_TRUE(request.has_known_at() || !reply->by_replay());
    if (request.page_token().empty()) counted = reply->header().approvals();
    for (const auto& item : reply->items()) {
      lines.push_back(absl::StrCat(
          FormatUtc(FromProto(item.since())), " ", item.case_().case_id(), "/", item.escalation_no() + item.clock_no(),
          " ", v1::Approval::Value_Name(item.approval()), " ", item.asked_by(), ", ", item.department()));
    }
    request.set_page_token(reply->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(counted, lines.size()) << "the header counts other than the list shows";
  return lines;
}

std::vector<std::string> AskControl(House& house, v1::ListControlRequest request) {
  const query::Reader reader = query::OpenReader(house.engine(), {.principal_id = "nikhil.rao"});
  std::vector<std::string> lines;
  do {
    const auto reply = query::ListControl(reader, request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    if (!reply.ok()) return lines;
    EXPECT_TRUE(request.has_known_at() || !reply->by_replay());
    for (const auto& item : reply->items()) {
      const auto& when = request.list() == v1::WAKE_UP ? item.waiting_until() : item.since();
      lines.push_back(absl::StrCat(FormatUtc(FromProto(when)), " ", item.case_().case_id()));
    }
    request.set_page_token(reply->next_page_token());
  } while (!request.page_token().empty());
  return lines;
}

std::vector<std::string> AskEscalations(House& house, v1::ListEscalationsRequest request) {
  const query::Reader reader = query::OpenReader(house.engine(), {.principal_id = "nikhil.rao"});
  std::vector<std::string> lines;
  do {
    const auto reply = query::ListEscalations(reader, request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    if (!reply.ok()) return lines;
    EXPECT_TRUE(request.has_known_at() || !reply->by_replay());
    for (const auto& item : reply->items()) {
      const v1::Escalation& one = item.escalation();
      lines.push_back(absl::StrCat(FormatUtc(FromProto(one.has_raised_at() ? one.raised_at() : one.requested_at())),
                                   " ", item.case_().case_id(), "/", one.escalation_no(),
                                   one.state() == v1::Escalation::ACKNOWLEDGED ? " acknowledged" : " raised"));
    }
    request.set_page_token(reply->next_page_token());
  } while (!request.page_token().empty());
  return lines;
}

// `waits_over`, if anybody asks, of a queue of now.
std::vector<std::string> AskQueue(House& house, v1::ListQueueRequest request, int* waits_over = nullptr) {
  const query::Reader reader = query::OpenReader(house.engine(), {.principal_id = "grace.lind"});
  std::vector<std::string> ids;
  do {
    const auto reply = query::ListQueue(reader, request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    if (!reply.ok()) return ids;
    for (const auto& item : reply->items()) {
      ids.push_back(item.case_().case_id());
      if (waits_over == nullptr) continue;
      const bool recorded_as_waiting = house.Get(ids.back())->status().category() == v1::WAITING;
      *waits_over += recorded_as_waiting && item.case_().category() != v1::WAITING ? 1 : 0;
    }
    request.set_page_token(reply->next_page_token());
  } while (!request.page_token().empty());
  return ids;
}

std::vector<std::string> Lines(const std::vector<TwinDuty>& duties, absl::Time at) {
  std::vector<std::string> lines;
  for (const TwinDuty& duty : duties) lines.push_back(Line(duty, at));
  return lines;
}

struct Tally {
  int instants = 0;
  int late = 0;
  int in_queues = 0;
  int waits_over = 0;  // places of cases whose wait is over and nobody has recorded it
  int taken = 0;
  int not_for_them = 0;  // asked for work, where there was only such as others can do
  int past = 0;
  int entered_late = 0;
  std::map<std::string, int> past_entries;  // by list
};

// What was shown at some instant, to be asked for again later.
struct Shown {
  absl::Time at;
  std::vector<std::string> overdue;
};

class Comparison {
 public:
  Comparison(uint64_t seed, Tally* tally)
      : house_({.run_timers = false, .seed = seed}), walk_(&house_, seed), dice_(seed ^ 0x5eed), tally_(*tally) {
    for (const char* pack : {kRegulatoryPolicy, kSecondPersons, kSkills}) {
      const absl::Status published = house_.Publish(pack);
      EXPECT_TRUE(published.ok()) << published;
    }
  }

  void Run() {
    for (int round = 0; round < kRounds && !::testing::Test::HasFailure(); ++round) {
      for (int i = 0; i < kStepsPerRound; ++i) walk_.Step();
      CompareNow();
      CompareTakeNext();
      CompareAhead();
    }
    for (int i = 0; i < kPastInstants && !::testing::Test::HasFailure(); ++i) ComparePast();
    const LogTwin twin = Twin();
    tally_.entered_late += twin.entered_late();
    for (int i = 0; i < kIndexInstants && !::testing::Test::HasFailure(); ++i) CompareListsAt(Behind(twin), {});
    CompareListsAt(house_.clock().Now(), {});
    const absl::Time known_at = dice_.Pick(shown_).at;
    if (!::testing::Test::HasFailure()) CompareListsAt(std::min(Behind(twin), known_at), known_at);
    if (::testing::Test::HasFailure()) ADD_FAILURE() << walk_.Story();
  }

 private:
  LogTwin Twin(absl::Time valid_at = absl::InfiniteFuture(), absl::Time known_at = absl::InfiniteFuture()) {
    policies_ = house_.engine().Read().policies;
    LogTwin twin(house_.log(), *policies_, valid_at, known_at);
    EXPECT_EQ(absl::StrJoin(twin.problems(), "\n"), "");
    return twin;
  }

  // Some instant after now; often one at which something is due, or a microsecond to either side.
  absl::Time Ahead(const LogTwin& twin) {
    const absl::Time now = house_.clock().Now();
    std::vector<absl::Time> moments = twin.Moments();
    moments.erase(std::remove_if(moments.begin(), moments.end(), [&](absl::Time at) { return at <= now; }),
                  moments.end());
    if (!moments.empty() && dice_.Chance(50)) {
      return std::max(now, dice_.Pick(moments) + absl::Microseconds(dice_.Below(3) - 1));
    }
    return now + dice_.Span(absl::Microseconds(1), dice_.Chance(60) ? absl::Hours(48) : absl::Hours(24 * 60));
  }

  v1::ListDutiesRequest Request() {
    v1::ListDutiesRequest request;
    request.set_page_size(1 + dice_.Below(dice_.Chance(50) ? 4 : 400));
    return request;
  }

  // The clock moves there, and still nothing is recorded.
  void CompareNow() {
    const absl::Time at = Ahead(Twin());
    house_.AdvanceTo(at);
    const LogTwin twin = Twin();
    const std::vector<TwinDuty> expected = twin.OverdueAt(at);
    const std::vector<std::string> shown = AskOverdue(house_, Request(), at);
    EXPECT_EQ(absl::StrJoin(shown, "\n"), absl::StrJoin(Lines(expected, at), "\n")) << "overdue at " << FormatUtc(at);
    for (const v1::Queue& queue : policies_->directory().queues()) {
      const std::vector<std::string> order = twin.QueueAt(queue.id(), at);
      v1::ListQueueRequest request;
      request.set_queue(queue.id());
      request.set_page_size(1 + dice_.Below(9));
      const std::vector<std::string> asked = AskQueue(house_, request, &tally_.waits_over);
      EXPECT_EQ(absl::StrJoin(asked, "\n"), absl::StrJoin(order, "\n")) << queue.id() << " at " << FormatUtc(at);
      tally_.in_queues += static_cast<int>(order.size());
    }
    Count(expected);
    shown_.push_back({at, shown});
    house_.clock().Advance(absl::Milliseconds(1));  // what comes next is recorded after what was shown
  }

  // Whoever asks for the next case gets the first free one that is for them.
  void CompareTakeNext() {
    const LogTwin twin = Twin();
    const std::string queue = dice_.Pick(Queues());
    const std::string taker = dice_.Chance(50) ? "grace.lind" : "luis.romero";  // who can do all of it
    const std::string expected = twin.FirstFree(queue, house_.clock().Now(), taker);
    std::promise<absl::StatusOr<v1::ExecuteReply>> answer;
    house_.engine().SubmitTakeNext(queue, house_.NewRequestId(), {.principal_id = taker},
                                   [&](absl::StatusOr<v1::ExecuteReply> reply) { answer.set_value(std::move(reply)); });
    const absl::StatusOr<v1::ExecuteReply> reply = answer.get_future().get();
    const v1::Principal* principal = policies_->Principal(taker);
    if (principal->capacity() != 0 && twin.InHand(taker, house_.clock().Now()) >= principal->capacity()) {
      EXPECT_EQ(ReasonOf(reply.status()), "CAPACITY_REACHED") << queue;
    } else if (expected.empty()) {
      const bool others = twin.AnyUnowned(queue, house_.clock().Now());
      EXPECT_EQ(ReasonOf(reply.status()), others ? "NOTHING_FOR_YOU" : "QUEUE_EMPTY") << queue;
      tally_.not_for_them += others ? 1 : 0;
    } else {
      EXPECT_TRUE(reply.ok()) << reply.status();
      EXPECT_EQ(reply.ok() ? reply->case_id() : "", expected) << queue;
      ++tally_.taken;
    }
    house_.Settle();
  }

  void CompareAhead() {
    const LogTwin twin = Twin();
    const absl::Time at = Ahead(twin);
    v1::ListDutiesRequest request = Request();
    *request.mutable_valid_at() = ToProto(at);
    const std::vector<TwinDuty> expected = twin.OverdueAt(at);
    EXPECT_EQ(absl::StrJoin(AskOverdue(house_, request, at), "\n"), absl::StrJoin(Lines(expected, at), "\n"))
        << "overdue at " << FormatUtc(at) << ", asked ahead of it";
    Count(expected);
  }

  // Any instant since before the first case, as known now; often one at which something happened, or a microsecond to
  // either side.
  absl::Time Behind(const LogTwin& twin) {
    const std::vector<absl::Time> moments = twin.Instants();
    if (!moments.empty() && dice_.Chance(60)) return dice_.Pick(moments) + absl::Microseconds(dice_.Below(3) - 1);
    return Wednesday() + dice_.Span(absl::Hours(-1), house_.clock().Now() - Wednesday());
  }

  // All lists at an instant of the past, as known now or at another time.
  void CompareListsAt(absl::Time at, std::optional<absl::Time> known_at) {
    const LogTwin twin = Twin(at, known_at.value_or(absl::InfiniteFuture()));
    const auto ask = [&](auto request) {
      *request.mutable_valid_at() = ToProto(at);
      if (known_at.has_value()) *request.mutable_known_at() = ToProto(*known_at);
      request.set_page_size(1 + dice_.Below(dice_.Chance(50) ? 4 : 400));
      return request;
    };
    const std::string when = absl::StrCat("at ", FormatUtc(at));
    const auto expect = [&](const std::vector<std::string>& shown, const std::vector<std::string>& expected,
                            const std::string& list) {
      EXPECT_EQ(absl::StrJoin(shown, "\n"), absl::StrJoin(expected, "\n")) << list << " " << when;
      tally_.past_entries[list] += static_cast<int>(expected.size());
    };
    expect(AskOverdue(house_, ask(v1::ListDutiesRequest()), at), Lines(twin.OverdueAt(at), at), "overdue");
    v1::ListDutiesRequest duties;
    duties.set_preset(v1::WAITING_DUTIES);
    expect(AskDuties(house_, ask(duties)), twin.PausedAt(at), "waiting");
    duties.set_preset(v1::MINE);
    duties.set_owner(dice_.Pick(People()));
    expect(AskDuties(house_, ask(duties)), twin.DutiesOf(duties.owner()), "mine");
    const std::vector<std::string> approvals = twin.ApprovalsAt(at);
    expect(AskApprovals(house_, ask(v1::ListDutiesRequest())), approvals, "approvals");
    for (const std::string& line : approvals) {
      ++tally_.past_entries[absl::StrContains(line, "LATE_ENTRY") ? "late entries" : "escalations asked for"];
    }
    v1::ListControlRequest control;
    control.set_list(v1::UNOWNED);
    expect(AskControl(house_, ask(control)), twin.UnownedAt(at), "unowned");
    control.set_list(v1::NO_CLOCK);
    expect(AskControl(house_, ask(control)), twin.WithoutClockAt(at), "no clock");
    control.set_list(v1::WAKE_UP);
    expect(AskControl(house_, ask(control)), twin.WakingAt(at), "wake up");
    v1::ListEscalationsRequest escalations;
    escalations.set_include_acknowledged(true);
    expect(AskEscalations(house_, ask(escalations)), twin.Escalations(), "escalations");
    v1::ListQueueRequest queue;
    queue.set_queue(dice_.Pick(Queues()));
    expect(AskQueue(house_, ask(queue)), twin.QueueAt(queue.queue(), at), "queue");
  }

  // By replay: what was true then as known now, and what the screen showed then.
  void ComparePast() {
    const Shown& then = dice_.Pick(shown_);
    v1::ListDutiesRequest request = Request();
    *request.mutable_valid_at() = ToProto(then.at);
    const LogTwin known_now = Twin(then.at);
    EXPECT_EQ(absl::StrJoin(AskOverdue(house_, request, then.at), "\n"),
              absl::StrJoin(Lines(known_now.OverdueAt(then.at), then.at), "\n"))
        << "overdue as of " << FormatUtc(then.at);
    *request.mutable_known_at() = ToProto(then.at);
    const LogTwin known_then = Twin(then.at, then.at);
    const std::vector<std::string> again = AskOverdue(house_, request, then.at);
    EXPECT_EQ(absl::StrJoin(again, "\n"), absl::StrJoin(Lines(known_then.OverdueAt(then.at), then.at), "\n"))
        << "overdue as known at " << FormatUtc(then.at);
    EXPECT_EQ(absl::StrJoin(again, "\n"), absl::StrJoin(then.overdue, "\n"))
        << "not what was shown at " << FormatUtc(then.at);
    ++tally_.past;
  }

  void Count(const std::vector<TwinDuty>& late) {
    ++tally_.instants;
    tally_.late += static_cast<int>(late.size());
  }

  House house_;
  RandomWalk walk_;
  Dice dice_;
  Tally& tally_;
  std::shared_ptr<const policy::PolicySet> policies_;
  std::vector<Shown> shown_;
};

TEST(OverdueTwinTest, ListsWithoutTimersAreThoseOfTheLogAtAThousandInstants) {
  Tally tally;
  ForEachSeed(kWalks, [&](uint64_t seed) { Comparison(seed, &tally).Run(); });
  std::printf("instants %d, late duties %d, places in queues %d, of waits that are over %d, past instants %d\n",
              tally.instants, tally.late, tally.in_queues, tally.waits_over, tally.past);
  if (tally.instants < 1000 && (std::getenv("DOCKET_SEED") != nullptr || std::getenv("DOCKET_WALKS") != nullptr))
    return;
  EXPECT_GE(tally.instants, 1000);
  EXPECT_GT(tally.late, tally.instants);
  EXPECT_GT(tally.in_queues, tally.instants);
  EXPECT_GT(tally.waits_over, 10);
  EXPECT_GT(tally.taken, 100);
  std::printf("cases taken %d, queues with work for others only %d\n", tally.taken, tally.not_for_them);
  EXPECT_GT(tally.not_for_them, 0);
  std::printf("events entered late: %d\n", tally.entered_late);
  EXPECT_GT(tally.entered_late, 25);
  for (const char* list : {"overdue", "waiting", "mine", "unowned", "no clock", "wake up", "escalations",
                           "late entries", "escalations asked for", "queue"}) {
    std::printf("entries of the past, %s: %d\n", list, tally.past_entries[list]);
    EXPECT_GT(tally.past_entries[list], 100) << list;
  }
}

}  // namespace
}  // namespace docket::testing
