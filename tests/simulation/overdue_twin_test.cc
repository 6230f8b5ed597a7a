// Lists never depend on a sweeper having run: with the timers switched off, what is overdue and in which order a queue
// is worked are what straight-line code reads from the log, at any instant asked for.
#include <algorithm>
#include <future>
#include <string>
#include <vector>

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
constexpr int kPastInstants = 4;  // per walk

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

std::vector<std::string> AskQueue(House& house, const std::string& queue, uint32_t page_size, int* waits_over) {
  const query::Reader reader = query::OpenReader(house.engine(), {.principal_id = "grace.lind"});
  v1::ListQueueRequest request;
  request.set_queue(queue);
  request.set_page_size(page_size);
  std::vector<std::string> ids;
  do {
    const auto reply = query::ListQueue(reader, request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    if (!reply.ok()) return ids;
    for (const auto& item : reply->items()) {
      ids.push_back(item.case_().case_id());
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
  int past = 0;
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
    const absl::Status published = house_.Publish(kRegulatoryPolicy);
    EXPECT_TRUE(published.ok()) << published;
  }

  void Run() {
    for (int round = 0; round < kRounds && !::testing::Test::HasFailure(); ++round) {
      for (int i = 0; i < kStepsPerRound; ++i) walk_.Step();
      CompareNow();
      CompareTakeNext();
      CompareAhead();
    }
    for (int i = 0; i < kPastInstants && !::testing::Test::HasFailure(); ++i) ComparePast();
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
      const std::vector<std::string> asked = AskQueue(house_, queue.id(), 1 + dice_.Below(9), &tally_.waits_over);
      EXPECT_EQ(absl::StrJoin(asked, "\n"), absl::StrJoin(order, "\n")) << queue.id() << " at " << FormatUtc(at);
      tally_.in_queues += static_cast<int>(order.size());
    }
    Count(expected);
    shown_.push_back({at, shown});
    house_.clock().Advance(absl::Milliseconds(1));  // what comes next is recorded after what was shown
  }

  // Whoever asks for the next case gets the first free one.
  void CompareTakeNext() {
    const LogTwin twin = Twin();
    const std::string queue = dice_.Pick(Queues());
    const std::string expected = twin.FirstFree(queue, house_.clock().Now());
    std::promise<absl::StatusOr<v1::ExecuteReply>> answer;
    house_.engine().SubmitTakeNext(queue, house_.NewRequestId(), {.principal_id = "grace.lind"},
                                   [&](absl::StatusOr<v1::ExecuteReply> reply) { answer.set_value(std::move(reply)); });
    const absl::StatusOr<v1::ExecuteReply> reply = answer.get_future().get();
    if (expected.empty()) {
      EXPECT_EQ(ReasonOf(reply.status()), "QUEUE_EMPTY") << queue;
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
}

}  // namespace
}  // namespace docket::testing
