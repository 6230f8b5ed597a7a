// Deadlines that come all at once, during downtime, in a backlog, or at the end of an imported history.
#include <algorithm>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "store/memory_kv.h"
#include "store/record_format.h"
#include "tests/services/engine/log_audit.h"
#include "tests/support/faulty_kv.h"
#include "tests/support/house.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/replay.h"

namespace docket::engine {
namespace {

using test::FaultyKv;
using testing::House;

// What is done at the due itself is in time; late is the microsecond after.
constexpr absl::Duration kInstant = absl::Microseconds(1);

// An event of a case as the log has it.
struct Fact {
  uint64_t commit = 0;
  v1::ActorKind actor = v1::ACTOR_KIND_UNSPECIFIED;
  std::string case_id;
  absl::Time recorded_at;
  v1::Event event;
};

std::vector<Fact> FactsFrom(const store::EventLog& log, uint64_t from) {
  std::vector<Fact> facts;
  const auto cursor = log.ReadFrom(from);
  for (;;) {
    const auto stored = cursor->Next();
    DOCKET_CHECK(stored.ok());
    if (!stored->has_value()) return facts;
    const auto record = store::DecodeRecord(**stored);
    DOCKET_CHECK(record.ok());
    for (const v1::Slice& slice : record->slices()) {
      for (const v1::RecordedEvent& recorded : slice.events()) {
        auto event = workflow::DecodeEvent(recorded);
        DOCKET_CHECK(event.ok());
        facts.push_back({record->commit(), record->actor().kind(), slice.stream_id(),
                         absl::FromUnixMicros(record->recorded_at_us()), *std::move(event)});
      }
    }
  }
}

class TimersTest : public ::testing::Test {
 protected:
  // A house over the same disk at `now`.
  void Open(absl::Time now, bool run_timers = true) {
    const bool first = house_ == nullptr;
    house_.reset();
    auto faulty = std::make_unique<FaultyKv>(disk_.get());
    faulty_ = faulty.get();
    house_ = std::make_unique<House>(House::Options{
        .kv = std::move(faulty), .run_timers = run_timers, .start = now, .publish_packs = first, .seed = ++seed_});
  }

  v1::ExecuteReply File(const std::string& kind) {
    const auto reply = house_->File(absl::StrCat("kind: ", kind, " title: 'x'"));
    DOCKET_CHECK(reply.ok());
    return *reply;
  }

  // Breaches since `from`, in the order of the log; each of another clock.
  std::vector<Fact> BreachesFrom(uint64_t from) {
    std::vector<Fact> breaches;
    std::set<std::pair<std::string, uint32_t>> clocks;
    for (Fact& fact : FactsFrom(house_->log(), from)) {
      if (!fact.event.has_clock_breached()) continue;
      EXPECT_TRUE(clocks.emplace(fact.case_id, fact.event.clock_breached().clock_no()).second) << "breached twice";
      breaches.push_back(std::move(fact));
    }
    return breaches;
  }

  // What the last start says it missed.
  void ExpectCaughtUp(uint64_t from, absl::Time first_due, absl::Time started) {
    std::vector<v1::TimerCatchUp> told;
    for (const Fact& fact : FactsFrom(house_->log(), from)) {
      if (fact.event.has_timer_catch_up()) told.push_back(fact.event.timer_catch_up());
    }
    ASSERT_EQ(told.size(), 1u);
    EXPECT_LE(FromProto(told[0].from()), first_due);
    EXPECT_GT(FromProto(told[0].from()), testing::Wednesday());
    EXPECT_EQ(FromProto(told[0].to()), started);
    EXPECT_GE(told[0].fired(), 60u);
  }

  void ExpectWhole() {
    const auto audited = testing::AuditLog(house_->log());
    EXPECT_TRUE(audited.ok()) << audited.status();
    const absl::Status views = testing::AuditViews(house_->engine());
    EXPECT_TRUE(views.ok()) << views;
  }

  std::unique_ptr<store::KvStore> disk_ = store::OpenMemoryKv();
  std::unique_ptr<House> house_;
  FaultyKv* faulty_ = nullptr;
  uint64_t seed_ = 0;
};

TEST_F(TimersTest, FiveThousandClocksDueAtOnceAllFireInOrderWhileCommandsAreServed) {
  constexpr int kCases = 5000;
  Open(testing::Wednesday());
  std::promise<void> filed;
  int answers = 0;
  absl::Time due;
  for (int i = 0; i < kCases + 2; ++i) {
    // Two are due a minute later than the others.
    if (i == kCases) {
      filed.get_future().wait();
      filed = {};
      house_->clock().Advance(absl::Minutes(1));
    }
    v1::ExecuteRequest request;
    request.set_request_id(house_->NewRequestId());
    request.mutable_command()->mutable_file()->set_kind(v1::REQUEST);
    request.mutable_command()->mutable_file()->set_title("x");
    house_->engine().Submit(request, Caller{.principal_id = "grace.lind"},
                            i < kCases / 2 ? Lane::kBulk : Lane::kInteractive,
                            [&](absl::StatusOr<v1::ExecuteReply> reply) {
                              EXPECT_TRUE(reply.ok()) << reply.status();
                              if (answers == 0) due = FromProto(reply->next_duty().due_at());
                              if (++answers == kCases || answers == kCases + 2) filed.set_value();
                            });
  }
  filed.get_future().wait();
  house_->AdvanceTo(due);  // the warnings before
  const uint64_t before = house_->log().Head().commits;
  EXPECT_TRUE(BreachesFrom(0).empty());

  // The writer is held while the clocks fall due and handlers send commands.
  std::promise<void> release;
  std::promise<void> held;
  std::promise<void> served;
  const std::string case_id = File("COMPLAINT").case_id();
  int notes = 0;
  for (int i = 0; i < 21; ++i) {
    v1::ExecuteRequest note;
    note.set_request_id(house_->NewRequestId());
    note.set_case_id(case_id);
    note.mutable_command()->mutable_add_note()->set_body("x");
    house_->engine().Submit(note, Caller{.principal_id = "grace.lind"}, Lane::kInteractive,
                            [&, i](absl::StatusOr<v1::ExecuteReply> reply) {
                              EXPECT_TRUE(reply.ok()) << reply.status();
                              if (i == 0) {
                                held.set_value();
                                release.get_future().wait();
                              } else if (++notes == 20) {
                                served.set_value();
                              }
                            });
    if (i == 0) held.get_future().wait();
  }
  house_->clock().AdvanceTo(due + absl::Minutes(1) + kInstant);
  release.set_value();
  served.get_future().wait();
  house_->Settle();

  const std::vector<Fact> breaches = BreachesFrom(before);
  ASSERT_EQ(breaches.size(), static_cast<size_t>(kCases + 2));
  for (size_t i = 0; i < breaches.size(); ++i) {
    EXPECT_EQ(FromProto(breaches[i].event.occurred_at()), i < kCases ? due : due + absl::Minutes(1)) << i;
  }
  uint64_t last_note = 0;
  for (const Fact& fact : FactsFrom(house_->log(), before)) {
    if (fact.event.has_internal_note_added()) last_note = fact.commit;
  }
  const auto waited =
      std::count_if(breaches.begin(), breaches.end(), [&](const Fact& f) { return f.commit < last_note; });
  EXPECT_LE(waited, 2 * kTimersPerGroup) << "commands wait for a slice of the timers, not for all of them";
  EXPECT_EQ(house_->engine().Stats(false).clock_suspect(), false);
  ExpectWhole();
}

// The timers go on where they were. What becomes due before that is found all the same.
TEST_F(TimersTest, ADueBeforeAllThatAreKnownIsNotPassedOver) {
  Open(testing::Wednesday());
  const auto file_due = [&](absl::Duration in) {
    const absl::Time due = absl::FromUnixSeconds(absl::ToUnixSeconds(house_->clock().Now() + in));
    const auto filed =
        house_->File(absl::StrCat("kind: REQUEST title: 'x' due_at { seconds: ", absl::ToUnixSeconds(due), " }"));
    DOCKET_CHECK(filed.ok());
    return due;
  };
  std::vector<absl::Time> dues;
  const auto expect_breached_at = [&](absl::Time due) {
    dues.push_back(due);
    house_->AdvanceTo(due + kInstant);
    std::vector<absl::Time> breached;
    for (const Fact& fact : BreachesFrom(0)) breached.push_back(FromProto(fact.event.occurred_at()));
    EXPECT_EQ(breached, dues);
  };
  const absl::Time last = file_due(absl::Minutes(100));
  for (int i = 0; i < 3; ++i) {
    expect_breached_at(file_due(absl::Minutes(20)));
    const absl::Time second = file_due(absl::Minutes(10));
    expect_breached_at(file_due(absl::Minutes(1)));  // before the second, which was the first
    ASSERT_TRUE(house_->engine().Rebuild(false, [](uint64_t, uint64_t) {}).ok());
    expect_breached_at(second);
  }
  expect_breached_at(last);
  ExpectWhole();
}

TEST_F(TimersTest, WhatFellDueInThreeDaysOfDowntimeIsRecordedAtItsDue) {
  Open(testing::Wednesday());
  std::map<std::string, absl::Time> dues;  // of the first response
  for (int i = 0; i < 60; ++i) {
    const v1::ExecuteReply reply = File(i % 2 == 0 ? "COMPLAINT" : "INCIDENT");
    dues[reply.case_id()] = FromProto(reply.next_duty().due_at());
    house_->AdvanceTo(house_->clock().Now() + absl::Minutes(3));
  }
  const uint64_t before = house_->log().Head().commits;
  const absl::Time back = house_->clock().Now() + absl::Hours(72);
  Open(back);
  house_->Settle();
  std::map<std::string, absl::Time> breached;
  absl::Time last_seen = absl::InfinitePast();
  std::string last_case;
  for (const Fact& fact : BreachesFrom(before)) {
    EXPECT_EQ(fact.actor, v1::ACTOR_KIND_TIMER);
    EXPECT_EQ(fact.event.occurred_at().SerializeAsString(), fact.event.clock_breached().due_at().SerializeAsString());
    EXPECT_EQ(fact.recorded_at, back);
    EXPECT_TRUE(fact.case_id != last_case || FromProto(fact.event.occurred_at()) >= last_seen);
    last_seen = FromProto(fact.event.occurred_at());
    last_case = fact.case_id;
    breached.emplace(fact.case_id, last_seen);  // the first of each case
  }
  EXPECT_EQ(breached, dues);
  absl::Time first_due = absl::InfiniteFuture();
  for (const auto& [id, due] : dues) first_due = std::min(first_due, due);
  ExpectCaughtUp(before, first_due, back);
  // Each case's facts, warnings and escalations included, are in due order, and nothing more comes of it.
  std::map<std::string, absl::Time> last;
  for (const Fact& fact : FactsFrom(house_->log(), before)) {
    const absl::Time at = FromProto(fact.event.occurred_at());
    EXPECT_GE(at, last.emplace(fact.case_id, at).first->second);
    last[fact.case_id] = at;
  }
  const uint64_t after = house_->log().Head().commits;
  Open(back);
  house_->Settle();
  EXPECT_EQ(house_->log().Head().commits, after);
  ExpectWhole();
}

// A policy of sixteen promises with sixteen warnings each: 288 facts in an hour, more than one commit may hold.
std::string TalkativePolicy() {
  std::string yaml =
      "sla: talkative\nobligation: CUSTOMER\norder: 10\nwhen: {case.kind: [REQUEST]}\ncalendar: ALWAYS\nmetrics:\n";
  std::string warnings;
  for (int i = 1; i <= 16; ++i) absl::StrAppend(&warnings, i == 1 ? "" : ", ", i * 50);
  for (int i = 0; i < 16; ++i) {
    absl::StrAppend(
        &yaml, "  - metric: PROMISE_", i, "\n    nature: DUTY\n",
        "    start: {event: case_received}\n    start_at: received_at\n    stop: [{event: case_declined}]\n",
        "    pausable: false\n    reopens: false\n    answerable: ACCOUNTABLE\n",
        "    targets: [{target: 1h}]\n    warnings_permille: [", warnings, "]\n");
  }
  return yaml;
}

class BacklogTest : public TimersTest {
 protected:
  void SetUp() override {
    Open(testing::Wednesday(), /*run_timers=*/false);
    const absl::Status published = house_->Publish(TalkativePolicy());
    ASSERT_TRUE(published.ok()) << published;
    filed_ = File("REQUEST");
    before_ = house_->log().Head().commits;
    house_->AdvanceTo(testing::Wednesday() + absl::Hours(3));
    EXPECT_EQ(house_->log().Head().commits, before_) << "no timers in this house";
  }

  // All promises broken, in due order, in commits of bounded size.
  void ExpectBacklogDone() {
    EXPECT_EQ(BreachesFrom(before_).size(), 16u);
    std::map<uint64_t, size_t> per_commit;
    absl::Time last = absl::InfinitePast();
    for (const Fact& fact : FactsFrom(house_->log(), before_)) {
      if (fact.case_id != filed_.case_id()) continue;
      EXPECT_GE(FromProto(fact.event.occurred_at()), last);
      last = FromProto(fact.event.occurred_at());
      ++per_commit[fact.commit];
    }
    EXPECT_GE(per_commit.size(), 3u);
    for (const auto& [commit, facts] : per_commit) EXPECT_LE(facts, 256u) << commit;
    ExpectWhole();
  }

  v1::ExecuteReply filed_;
  uint64_t before_ = 0;
};

TEST_F(BacklogTest, ACommandFirstRecordsTheWholeBacklog) {
  v1::ExecuteRequest note;
  note.set_request_id(house_->NewRequestId());
  note.set_case_id(filed_.case_id());
  note.mutable_command()->mutable_add_note()->set_body("after three hours");
  v1::ExecuteRequest trial = note;
  trial.set_validate_only(true);
  const auto tried = house_->Do(trial);
  EXPECT_EQ(tried.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(tried.status()), "CASE_CATCHING_UP");
  EXPECT_EQ(house_->log().Head().commits, before_);

  note.set_expected_revision(filed_.revision());  // what the client knows; the facts of time are nobody's change
  const auto reply = house_->Do(note);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->commit(), house_->log().Head().commits - 1);
  EXPECT_EQ(reply->events().rbegin()->type(), "InternalNoteAdded");
  ExpectBacklogDone();
  const auto again = house_->Do(note);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->replayed());
  EXPECT_EQ(testing::FirstAnswer(*again), testing::FirstAnswer(*reply));
}

TEST_F(BacklogTest, TimersWorkItOffAfterARestart) {
  Open(testing::Wednesday() + absl::Hours(3));
  house_->Settle();
  ExpectBacklogDone();
  EXPECT_GT(FromProto(house_->engine().Stats(false).next_wake_at()), house_->clock().Now());
}

TEST_F(TimersTest, EndHistoryArmsTheTimersOfAnImportedCase) {
  Open(testing::Wednesday());
  v1::ExecuteRequest filing;
  filing.set_request_id(house_->NewRequestId());
  *filing.mutable_occurred_at() = ToProto(testing::Wednesday() - absl::Hours(48));
  v1::FileCase& file = *filing.mutable_command()->mutable_file();
  file.set_kind(v1::INCIDENT);
  file.set_title("Imported");
  file.set_workflow("servicenow-incident");
  file.set_history(true);
  file.mutable_external_ref()->set_source("servicenow-incident");
  file.mutable_external_ref()->set_key("INC1");
  *file.mutable_received_at() = filing.occurred_at();
  file.mutable_row()->set_cursor(1);
  file.mutable_row()->set_status("NEW");
  file.mutable_row()->set_priority(2);  // 24 hours, round the clock: late since yesterday
  const auto late = house_->Do(filing);
  ASSERT_TRUE(late.ok()) << late.status();
  filing.set_request_id(house_->NewRequestId());
  file.mutable_external_ref()->set_key("INC2");
  file.mutable_row()->set_priority(3);  // 120 hours: not yet
  const auto running = house_->Do(filing);
  ASSERT_TRUE(running.ok()) << running.status();

  house_->AdvanceTo(testing::Wednesday() + absl::Hours(1));
  EXPECT_TRUE(BreachesFrom(0).empty()) << "nothing happens to a case while its history is being told";
  EXPECT_FALSE(house_->engine().Stats(false).has_next_wake_at());

  const std::string end =
      "end_history { observed_until { seconds: " + absl::StrCat(absl::ToUnixSeconds(testing::Wednesday())) + " } }";
  ASSERT_TRUE(house_->Do(late->case_id(), end).ok());
  ASSERT_TRUE(house_->Do(running->case_id(), end).ok());
  std::vector<Fact> breaches = BreachesFrom(0);
  ASSERT_EQ(breaches.size(), 1u);
  EXPECT_EQ(breaches[0].case_id, late->case_id());
  EXPECT_EQ(breaches[0].event.clock_breached().cause(), "IMPORT");
  EXPECT_EQ(FromProto(breaches[0].event.clock_breached().due_at()), testing::Wednesday() - absl::Hours(24));

  const absl::Time due = testing::Wednesday() + absl::Hours(120 - 48);
  house_->AdvanceTo(due);
  EXPECT_EQ(BreachesFrom(0).size(), 1u);
  house_->AdvanceTo(due + kInstant);
  breaches = BreachesFrom(0);
  ASSERT_EQ(breaches.size(), 2u);
  EXPECT_EQ(breaches[1].case_id, running->case_id());
  EXPECT_EQ(FromProto(breaches[1].event.occurred_at()), due);
  EXPECT_NE(breaches[1].event.clock_breached().cause(), "IMPORT");
  EXPECT_EQ(breaches[1].actor, v1::ACTOR_KIND_TIMER);
  ExpectWhole();
}

TEST_F(TimersTest, AFullDiskDelaysTimersWithoutKeepingTheWriterBusy) {
  Open(testing::Wednesday());
  const v1::ExecuteReply filed = File("COMPLAINT");
  const absl::Time due = FromProto(filed.next_duty().due_at());
  house_->AdvanceTo(due);
  const uint64_t wakeups = house_->engine().Stats(false).wakeups();
  faulty_->FailCall(test::KvCall::kWriteBefore, 1, absl::StatusCode::kResourceExhausted);
  house_->AdvanceTo(due + kInstant);  // returns, for the writer sleeps
  EXPECT_TRUE(faulty_->failed());
  EXPECT_EQ(house_->engine().Stats(false).wakeups(), wakeups + 1);
  EXPECT_TRUE(BreachesFrom(0).empty());
  house_->AdvanceTo(due + kInstant + absl::Seconds(1));
  const std::vector<Fact> breaches = BreachesFrom(0);
  ASSERT_EQ(breaches.size(), 1u);
  EXPECT_EQ(FromProto(breaches[0].event.occurred_at()), due);
  ExpectWhole();
}

}  // namespace
}  // namespace docket::engine
