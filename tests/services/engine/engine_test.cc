#include "services/engine/engine.h"

#include <condition_variable>
#include <mutex>
#include <set>
#include <string>

#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "store/memory_kv.h"
#include "tests/support/faulty_kv.h"
#include "tests/support/house.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"

namespace docket::engine {
namespace {

using testing::At;
using testing::House;

constexpr char kComplaint[] = "kind: COMPLAINT title: 'Water off for two days' impact: 2 urgency: 2";

// Names of the events of an answer, for expectations that read like the story.
std::string Story(const v1::ExecuteReply& reply) {
  std::string out;
  for (const v1::HistoryEvent& event : reply.events()) out += (out.empty() ? "" : " ") + event.type();
  return out;
}

TEST(EngineTest, FilingGivesANumberAndAttachesTheClocks) {
  House house;
  const auto reply = house.File(kComplaint);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->status(), "RECEIVED");
  EXPECT_EQ(reply->case_no().substr(0, 15), "CMP-2026-000001");
  EXPECT_EQ(Story(*reply), "CaseReceived ClockAttached ClockAttached CaseQueued");
  EXPECT_EQ(reply->next_duty().metric(), "FIRST_RESPONSE");
  const auto state = house.Get(reply->case_id());
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->priority(), 3u);
  EXPECT_EQ(state->department(), "complaints");
  EXPECT_EQ(state->revision(), reply->revision());
}

TEST(EngineTest, AStaleRevisionIsAbortedWithExpectedAndActual) {
  House house;
  const auto filed = house.File(kComplaint);
  ASSERT_TRUE(filed.ok());
  v1::ExecuteRequest request;
  request.set_case_id(filed->case_id());
  request.set_expected_revision(filed->revision());
  request.mutable_command()->mutable_add_note()->set_body("first");
  ASSERT_TRUE(house.Do(request).ok());
  const auto second = house.Do(request);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ReasonOf(second.status()), "REVISION_MISMATCH");
}

TEST(EngineTest, ValidateOnlyAnswersTheEventsAndWritesNothing) {
  House house;
  const auto filed = house.File(kComplaint);
  ASSERT_TRUE(filed.ok());
  const uint64_t commits = house.log().Head().commits;
  v1::ExecuteRequest request;
  request.set_case_id(filed->case_id());
  request.set_validate_only(true);
  request.mutable_command()->mutable_accept();
  const auto reply = house.Do(request);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(Story(*reply), "CaseAccepted StatusChanged");
  EXPECT_EQ(house.log().Head().commits, commits);
}

TEST(EngineTest, ABreachIsRecordedAtItsDueAndEscalatedToTheQueuesLead) {
  House house;
  const auto filed = house.File(kComplaint);
  ASSERT_TRUE(filed.ok());
  const absl::Time due = FromProto(filed->next_duty().due_at());
  house.AdvanceTo(due + absl::Seconds(5));
  const auto state = house.Get(filed->case_id());
  ASSERT_TRUE(state.ok());
  ASSERT_EQ(state->escalations_size(), 1) << state->DebugString();
  EXPECT_EQ(FromProto(state->escalations(0).raised_at()), due);
  EXPECT_EQ(state->escalations(0).targets(0), "helen.marsh");
  bool breached = false;
  for (const v1::Clock& clock : state->clocks()) {
    if (clock.has_breached_due_at()) {
      breached = true;
      EXPECT_EQ(FromProto(clock.breached_due_at()), due);
    }
  }
  EXPECT_TRUE(breached);
  const auto acknowledged = house.Do(filed->case_id(), "acknowledge_escalation {}", "helen.marsh");
  ASSERT_TRUE(acknowledged.ok()) << acknowledged.status();
  EXPECT_EQ(Story(*acknowledged), "EscalationAcknowledged");
}

TEST(EngineTest, NothingWakesTheWriterWhileNothingIsDue) {
  House house;
  const auto filed = house.File(kComplaint);
  ASSERT_TRUE(filed.ok());
  const auto stats = house.engine().Stats(false);
  const absl::Time next = FromProto(stats.next_wake_at());
  house.AdvanceTo(next - absl::Microseconds(1));
  EXPECT_EQ(house.engine().Stats(false).wakeups(), 0u);
  house.AdvanceTo(next);
  EXPECT_EQ(house.engine().Stats(false).wakeups(), 1u);
}

TEST(EngineTest, ASteppedWallClockBreachesNothingUntilItIsAccepted) {
  House house;
  const auto filed = house.File(kComplaint);
  ASSERT_TRUE(filed.ok());
  house.Settle();
  house.clock().Step(absl::Hours(24 * 30));
  house.Settle();
  EXPECT_TRUE(house.engine().ClockSuspect());
  auto state = house.Get(filed->case_id());
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state->revision(), filed->revision());
  ASSERT_TRUE(house.Do(filed->case_id(), "add_note { body: 'works on' }").ok());  // commands go on, in trusted time
  state = house.Get(filed->case_id());
  for (const v1::Clock& clock : state->clocks()) EXPECT_FALSE(clock.has_breached_due_at());
  const auto deviation = house.engine().AcceptClock(Caller{.principal_id = "mei.tan"});
  ASSERT_TRUE(deviation.ok()) << deviation.status();
  EXPECT_EQ(*deviation, absl::Hours(24 * 30));
  house.Settle();
  state = house.Get(filed->case_id());
  EXPECT_GT(state->escalations_size(), 0);
}

TEST(EngineTest, ADirectoryMayLeaveOutOnlyWhatHasNoOpenWork) {
  House house;
  const auto filed = house.File(kComplaint);
  ASSERT_TRUE(filed.ok());
  ASSERT_TRUE(house.Do(filed->case_id(), "take {}").ok());
  const std::string without_grace = absl::StrReplaceAll(
      testing::ReadPack("directory-sample.yaml"),
      {{"  - {id: grace.lind, name: Grace Lind, department: complaints, manager: helen.marsh, roles: [HANDLER]}\n",
        ""}});
  const absl::Status refused = house.Publish(without_grace);
  EXPECT_EQ(ReasonOf(refused), "DIRECTORY_STILL_USED") << refused;
  EXPECT_THAT(refused.message(), ::testing::HasSubstr("grace.lind is left out and works on 1 open cases"));
  ASSERT_TRUE(house.Do(filed->case_id(), "release {}").ok());
  EXPECT_TRUE(house.Publish(without_grace).ok());
  const std::string without_queue = absl::StrReplaceAll(
      without_grace, {{"  - {id: it-desk, name: IT desk, department: it, lead: mei.tan, default_due: 3d}\n", ""}});
  ASSERT_TRUE(house.Do(filed->case_id(), "queue { queue: 'it-desk' }").ok());
  EXPECT_EQ(ReasonOf(house.Publish(without_queue)), "DIRECTORY_STILL_USED");
  ASSERT_TRUE(house.Do(filed->case_id(), "queue { queue: 'intake' }").ok());
  // The queue stays, its department is another; the case's own department is "complaints" still.
  const std::string other_department = absl::StrReplaceAll(
      without_grace, {{"department: complaints", "department: legal"},
                      {"  - {id: complaints, name: Complaints, parent: company, lead: helen.marsh}\n", ""}});
  const absl::Status orphaned = house.Publish(other_department);
  EXPECT_THAT(orphaned.message(),
              ::testing::HasSubstr("department complaints is left out and answers for 1 open cases"));
}

TEST(EngineTest, AClockIsNotAcceptedUntilThatIsOnDisk) {
  House::Options options;
  const std::unique_ptr<store::KvStore> store = store::OpenMemoryKv();
  auto faulty = std::make_unique<test::FaultyKv>(store.get());
  test::FaultyKv* const faults = faulty.get();
  options.kv = std::move(faulty);
  House house(std::move(options));
  house.Settle();
  house.clock().Step(absl::Hours(24));
  house.Settle();
  ASSERT_TRUE(house.engine().ClockSuspect());
  faults->FailCall(test::KvCall::kWriteBefore, 1, absl::StatusCode::kResourceExhausted);
  const auto refused = house.engine().AcceptClock(Caller{.principal_id = "mei.tan"});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(house.engine().ClockSuspect());
  const auto accepted = house.engine().AcceptClock(Caller{.principal_id = "mei.tan"});
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  EXPECT_EQ(*accepted, absl::Hours(24));
  EXPECT_FALSE(house.engine().ClockSuspect());
}

TEST(EngineTest, RebuildGivesTheSameDigests) {
  House house;
  const auto filed = house.File(kComplaint);
  ASSERT_TRUE(filed.ok());
  ASSERT_TRUE(house.Do(filed->case_id(), "accept {}").ok());
  ASSERT_TRUE(house.Do(filed->case_id(), "take {}").ok());
  const auto rebuilt = house.engine().Rebuild(false, [](uint64_t, uint64_t) {});
  ASSERT_TRUE(rebuilt.ok()) << rebuilt.status();
  EXPECT_TRUE(rebuilt->digests_equal()) << rebuilt->DebugString();
  ASSERT_TRUE(house.Do(filed->case_id(), "release {}").ok());
  house.Reopen();
  const auto again = house.engine().Rebuild(true, [](uint64_t, uint64_t) {});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->digests_equal());
}

TEST(EngineTest, ACancelledRebuildLeavesTheViewsInUse) {
  House house;
  const auto filed = house.File(kComplaint);
  ASSERT_TRUE(filed.ok());
  const auto cancelled = house.engine().Rebuild(false, [&](uint64_t, uint64_t) { house.engine().CancelRebuilds(); });
  EXPECT_EQ(cancelled.status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(ReasonOf(cancelled.status()), "REBUILD_CANCELLED");
  EXPECT_TRUE(house.Do(filed->case_id(), "accept {}").ok());
  EXPECT_EQ(house.engine().Rebuild(false, [](uint64_t, uint64_t) {}).status().code(), absl::StatusCode::kCancelled);
  house.Reopen();
  const auto again = house.engine().Rebuild(false, [](uint64_t, uint64_t) {});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->digests_equal());
  EXPECT_EQ(house.Get(filed->case_id())->status().status(), "ASSESSMENT");
}

TEST(EngineTest, TakeNextGivesEachCaseOnce) {
  House house;
  std::set<std::string> filed;
  for (int i = 0; i < 5; ++i) {
    const auto reply = house.File(kComplaint);
    ASSERT_TRUE(reply.ok());
    filed.insert(reply->case_id());
  }
  std::set<std::string> taken;
  std::mutex mutex;
  std::condition_variable changed;
  int answers = 0;
  for (int i = 0; i < 8; ++i) {
    house.engine().SubmitTakeNext("intake", house.NewRequestId(), Caller{.principal_id = "grace.lind"},
                                  [&](absl::StatusOr<v1::ExecuteReply> reply) {
                                    const std::lock_guard<std::mutex> lock(mutex);
                                    if (reply.ok())
                                      EXPECT_TRUE(taken.insert(reply->case_id()).second);
                                    else
                                      EXPECT_EQ(ReasonOf(reply.status()), "QUEUE_EMPTY");
                                    ++answers;
                                    changed.notify_one();
                                  });
  }
  std::unique_lock<std::mutex> lock(mutex);
  changed.wait(lock, [&] { return answers == 8; });
  EXPECT_EQ(taken, filed);
}

}  // namespace
}  // namespace docket::engine
