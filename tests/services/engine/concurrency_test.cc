// Many clients at once: races on one case, two lanes, limits, groups that take effect whole or not at all.
#include <algorithm>
#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"
#include "store/memory_kv.h"
#include "tests/services/engine/log_audit.h"
#include "tests/support/faulty_kv.h"
#include "tests/support/house.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"

namespace docket::engine {
namespace {

using test::FaultyKv;
using test::KvCall;
using testing::House;
using Answer = absl::StatusOr<v1::ExecuteReply>;

template <class Detail>
Detail DetailOf(const absl::Status& status) {
  Detail detail;
  const auto payload = status.GetPayload(absl::StrCat("type.googleapis.com/", Detail::descriptor()->full_name()));
  EXPECT_TRUE(payload.has_value() && detail.ParseFromString(std::string(*payload))) << status;
  return detail;
}

class ConcurrencyTest : public ::testing::Test {
 protected:
  ConcurrencyTest() { Open(true); }

  // A house over the same disk with a store that may fail.
  void Open(bool publish_packs) {
    const absl::Time now = house_ == nullptr ? testing::Wednesday() : house_->clock().Now();
    house_.reset();
    auto faulty = std::make_unique<FaultyKv>(disk_.get());
    faulty_ = faulty.get();
    house_ = std::make_unique<House>(
        House::Options{.kv = std::move(faulty), .start = now, .publish_packs = publish_packs, .seed = ++seed_});
  }

  std::string FileOne() {
    const auto reply = house_->File("kind: REQUEST title: 'A key'");
    DOCKET_CHECK(reply.ok());
    return reply->case_id();
  }
  v1::ExecuteRequest NoteOn(const std::string& case_id, const std::string& body = "x") {
    v1::ExecuteRequest request;
    request.set_case_id(case_id);
    request.set_request_id(house_->NewRequestId());
    request.mutable_command()->mutable_add_note()->set_body(body);
    return request;
  }
  void Submit(v1::ExecuteRequest request, Lane lane, ExecuteDone done) {
    house_->engine().Submit(std::move(request), Caller{.principal_id = "grace.lind"}, lane, std::move(done));
  }

  // Keeps the writer busy with one command until the promise is set, so that what is sent meanwhile waits in the queues
  // and is taken as one group.
  std::promise<void> HoldWriter(const std::string& case_id) {
    std::promise<void> release;
    std::promise<void> held;
    Submit(NoteOn(case_id), Lane::kInteractive, [&held, wait = release.get_future().share()](Answer reply) {
      EXPECT_TRUE(reply.ok()) << reply.status();
      held.set_value();
      wait.wait();
    });
    held.get_future().wait();
    return release;
  }

  std::unique_ptr<store::KvStore> disk_ = store::OpenMemoryKv();
  std::unique_ptr<House> house_;
  FaultyKv* faulty_ = nullptr;
  uint64_t seed_ = 0;
};

TEST_F(ConcurrencyTest, OfTwoClientsWithTheSameExpectedRevisionOneWins) {
  const std::string case_id = FileOne();
  for (int round = 0; round < 100; ++round) {
    const uint32_t before = house_->Get(case_id)->revision();
    std::vector<Answer> answers(2, absl::UnknownError("none"));
    std::atomic<int> ready = 0;
    std::vector<std::thread> clients;
    for (int client = 0; client < 2; ++client) {
      v1::ExecuteRequest request = NoteOn(case_id, absl::StrCat("of client ", client));
      request.set_expected_revision(before);
      clients.emplace_back([&, client, request] {
        for (++ready; ready < 2;) std::this_thread::yield();
        answers[client] = testing::Execute(house_->engine(), request);
      });
    }
    for (std::thread& client : clients) client.join();
    const int winner = answers[0].ok() ? 0 : 1;
    ASSERT_TRUE(answers[winner].ok()) << answers[winner].status();
    EXPECT_EQ(answers[winner]->revision(), before + 1);
    const absl::Status lost = answers[1 - winner].status();
    EXPECT_EQ(lost.code(), absl::StatusCode::kAborted);
    EXPECT_EQ(ReasonOf(lost), "REVISION_MISMATCH");
    const auto info = DetailOf<google::rpc::ErrorInfo>(lost);
    EXPECT_EQ(info.metadata().at("expected"), absl::StrCat(before));
    EXPECT_EQ(info.metadata().at("actual"), absl::StrCat(before + 1));
    EXPECT_EQ(house_->Get(case_id)->revision(), before + 1);
  }
}

TEST_F(ConcurrencyTest, AnImporterFloodDoesNotKeepHandlersWaiting) {
  const std::string bulk_case = FileOne();
  const std::string handled = FileOne();
  // An importer that keeps the bulk lane full: each answer sends the next command.
  std::atomic<uint64_t> bulk_answers = 0;
  std::atomic<bool> importing = true;
  std::atomic<int> outstanding = 0;
  std::vector<std::string> bulk_cases = {bulk_case};
  while (bulk_cases.size() < 64) bulk_cases.push_back(FileOne());
  std::function<void(size_t)> import = [&](size_t i) {
    Submit(NoteOn(bulk_cases[i % bulk_cases.size()]), Lane::kBulk, [&, i](Answer reply) {
      EXPECT_TRUE(reply.ok()) << reply.status();
      ++bulk_answers;
      if (importing) return import(i);
      --outstanding;
    });
  };
  for (int i = 0; i < 2000; ++i) {
    ++outstanding;
    import(i);
  }
  // Whatever is queued behind the group being written, a handler's command goes with the next group.
  uint64_t most = 0;
  for (int i = 0; i < 50; ++i) {
    uint64_t when_answered = 0;
    const uint64_t when_asked = bulk_answers;
    std::promise<void> answered;
    Submit(NoteOn(handled), Lane::kInteractive, [&](Answer reply) {
      EXPECT_TRUE(reply.ok()) << reply.status();
      when_answered = bulk_answers;
      answered.set_value();
    });
    answered.get_future().wait();
    most = std::max(most, when_answered - when_asked);
  }
  EXPECT_LE(most, 2 * kMaxGroupCommands);
  EXPECT_GE(bulk_answers, 50 * kMinBulkPerGroup / 2) << "the importer goes on too";
  importing = false;
  while (outstanding > 0) std::this_thread::yield();
}

TEST_F(ConcurrencyTest, EveryGroupTakesSomeBulkCommandsHoweverManyHandlersWait) {
  const std::string case_id = FileOne();
  std::promise<void> release = HoldWriter(case_id);
  std::vector<Lane> order;  // of answers; written by the writer only
  std::promise<void> all;
  constexpr size_t kInteractive = 2000;
  constexpr size_t kBulk = 64;
  const auto note = [&](Lane lane) {
    Submit(NoteOn(case_id), lane, [&, lane](Answer reply) {
      EXPECT_TRUE(reply.ok()) << reply.status();
      order.push_back(lane);
      if (order.size() == kInteractive + kBulk) all.set_value();
    });
  };
  for (size_t i = 0; i < kInteractive; ++i) note(Lane::kInteractive);
  for (size_t i = 0; i < kBulk; ++i) note(Lane::kBulk);
  release.set_value();
  all.get_future().wait();
  const auto first_bulk = std::find(order.begin(), order.end(), Lane::kBulk) - order.begin();
  EXPECT_EQ(first_bulk, kMaxGroupCommands - kMinBulkPerGroup) << "handlers go first";
  const auto last_bulk = order.rend() - std::find(order.rbegin(), order.rend(), Lane::kBulk);
  EXPECT_EQ(last_bulk, kBulk / kMinBulkPerGroup * kMaxGroupCommands);
}

// What a full group of large texts gives back to its queue stays in its lane and in its order.
TEST_F(ConcurrencyTest, BulkCommandsGivenBackByAFullGroupDoNotOvertakeHandlers) {
  const std::string case_id = FileOne();
  std::promise<void> release = HoldWriter(case_id);
  std::vector<std::string> order;
  std::promise<void> all;
  const auto submit = [&](const std::string& name, Lane lane, const std::string& body) {
    Submit(NoteOn(case_id, body), lane, [&, name](Answer reply) {
      EXPECT_TRUE(reply.ok()) << reply.status();
      order.push_back(name);
      if (name == "bulk 0") {  // the first group is on disk, the others wait in their lane
        for (int i = 0; i < 3; ++i) {
          Submit(NoteOn(case_id), Lane::kInteractive, [&, i](Answer) { order.push_back(absl::StrCat("late ", i)); });
        }
      }
      if (name == "bulk 199") all.set_value();
    });
  };
  const std::string large(60'000, 'x');
  for (int i = 0; i < 200; ++i) submit(absl::StrCat("bulk ", i), Lane::kBulk, large);
  release.set_value();
  all.get_future().wait();
  ASSERT_EQ(order.size(), 203u);
  const auto place = [&](const std::string& name) {
    return std::find(order.begin(), order.end(), name) - order.begin();
  };
  for (int i = 1; i < 200; ++i) EXPECT_LT(place(absl::StrCat("bulk ", i - 1)), place(absl::StrCat("bulk ", i)));
  EXPECT_LT(place("late 2"), place("bulk 100")) << "about 70 such commands fill a group";
}

TEST_F(ConcurrencyTest, BeyondTheLimitOfALaneNothingIsWrittenAndTheClientIsToldWhen) {
  const std::string case_id = FileOne();
  for (const auto& [lane, limit] :
       {std::pair(Lane::kInteractive, kMaxQueuedInteractive), std::pair(Lane::kBulk, kMaxQueuedBulk)}) {
    std::promise<void> release = HoldWriter(case_id);
    const uint64_t commits = house_->log().Head().commits;
    std::atomic<size_t> accepted = 0;
    std::promise<void> all;
    for (size_t i = 0; i < limit; ++i) {
      Submit(NoteOn(case_id), lane, [&, limit = limit](Answer reply) {
        EXPECT_TRUE(reply.ok()) << reply.status();
        if (++accepted == limit) all.set_value();
      });
    }
    absl::Status refused;
    Submit(NoteOn(case_id), lane, [&](Answer reply) { refused = reply.status(); });  // answers at once
    EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(ReasonOf(refused), "OVERLOADED");
    EXPECT_GT(FromProto(DetailOf<google::rpc::RetryInfo>(refused).retry_delay()), absl::ZeroDuration());
    size_t refusals = 0;
    house_->engine().SubmitAll({NoteOn(case_id), NoteOn(case_id)}, Caller{.principal_id = "grace.lind"}, lane,
                               [&](size_t i, Answer reply) {
                                 EXPECT_EQ(i, refusals++);
                                 EXPECT_EQ(ReasonOf(reply.status()), "OVERLOADED");
                               });
    EXPECT_EQ(refusals, 2u);
    EXPECT_TRUE(house_->engine().WriteHealth().ok());
    release.set_value();
    all.get_future().wait();
    EXPECT_EQ(house_->log().Head().commits, commits + limit);
  }
}

TEST_F(ConcurrencyTest, ARetryInTheSameGroupGetsTheFirstAnswerThoughTheCaseHasMovedOn) {
  const std::string case_id = FileOne();
  std::promise<void> release = HoldWriter(case_id);
  v1::ExecuteRequest first = NoteOn(case_id, "first");
  first.set_return_case(true);
  v1::ExecuteRequest filing;
  filing.set_request_id(house_->NewRequestId());
  filing.set_case_id(house_->NewRequestId());
  filing.mutable_command()->mutable_file()->set_kind(v1::COMPLAINT);
  filing.mutable_command()->mutable_file()->set_title("Noise");
  const std::vector<v1::ExecuteRequest> requests = {first,  filing, NoteOn(case_id, "second"), NoteOn(filing.case_id()),
                                                    filing, first};
  std::vector<Answer> answers;
  std::promise<void> all;
  house_->engine().SubmitAll(requests, Caller{.principal_id = "grace.lind"}, Lane::kInteractive,
                             [&](size_t, Answer reply) {
                               answers.push_back(std::move(reply));
                               if (answers.size() == requests.size()) all.set_value();
                             });
  release.set_value();
  all.get_future().wait();
  for (const Answer& answer : answers) ASSERT_TRUE(answer.ok()) << answer.status();
  for (const auto& [original, retry] : {std::pair(0, 5), std::pair(1, 4)}) {
    EXPECT_FALSE(answers[original]->replayed());
    EXPECT_TRUE(answers[retry]->replayed());
    EXPECT_EQ(testing::FirstAnswer(*answers[retry]), testing::FirstAnswer(*answers[original]));
  }
  const Answer later = testing::Execute(house_->engine(), first);
  ASSERT_TRUE(later.ok()) << later.status();
  EXPECT_EQ(testing::FirstAnswer(*later), testing::FirstAnswer(*answers[0]));
}

// Fifty commands that rest on each other, sent while the writer is busy: one write, and what becomes of it becomes of
// all.
class GroupTest : public ConcurrencyTest {
 protected:
  std::vector<Answer> SendGroup() {
    const std::string other = FileOne();
    std::promise<void> release = HoldWriter(other);
    commits_before_ = house_->log().Head().commits;
    writes_before_ = faulty_->calls(KvCall::kWriteBefore);
    if (fail_.has_value()) faulty_->FailCall(*fail_, 1);
    std::vector<Answer> answers;
    std::promise<void> all;
    house_->engine().SubmitAll(requests_, Caller{.principal_id = "grace.lind"}, Lane::kInteractive,
                               [&](size_t, Answer reply) {
                                 answers.push_back(std::move(reply));
                                 if (answers.size() == requests_.size()) all.set_value();
                               });
    release.set_value();
    all.get_future().wait();
    return answers;
  }

  void SetUp() override {
    v1::ExecuteRequest filing;
    filing.set_request_id(house_->NewRequestId());
    filing.set_case_id(house_->NewRequestId());
    filing.mutable_command()->mutable_file()->set_kind(v1::COMPLAINT);
    filing.mutable_command()->mutable_file()->set_title("Noise");
    requests_.push_back(filing);
    while (requests_.size() < 49) requests_.push_back(NoteOn(filing.case_id()));
    requests_.push_back(NoteOn(filing.case_id()));
    requests_.back().set_expected_revision(1);  // stale, if the others before it took place
  }

  void ExpectAllAfterRetry() {
    for (size_t i = 0; i < requests_.size(); ++i) {
      const Answer answer = testing::Execute(house_->engine(), requests_[i]);
      if (i + 1 < requests_.size()) {
        EXPECT_TRUE(answer.ok()) << answer.status();
      } else {
        EXPECT_EQ(answer.status().code(), absl::StatusCode::kAborted);
      }
    }
    const auto audited = testing::AuditLog(house_->log());
    ASSERT_TRUE(audited.ok()) << audited.status();
    for (size_t i = 0; i + 1 < requests_.size(); ++i)
      EXPECT_TRUE(audited->requests.contains(requests_[i].request_id()));
    EXPECT_EQ(house_->log().Head().commits, commits_before_ + requests_.size() - 1);
    EXPECT_TRUE(testing::AuditViews(house_->engine()).ok());
  }

  std::vector<v1::ExecuteRequest> requests_;
  std::optional<KvCall> fail_;
  uint64_t commits_before_ = 0;
  int writes_before_ = 0;
};

TEST_F(GroupTest, AGroupIsOneWriteAndBecomesVisibleAtOnce) {
  std::vector<uint64_t> seen;  // by a reader that is woken after each publication
  const uint64_t subscription =
      house_->engine().feed().Subscribe([&] { seen.push_back(house_->engine().Read().commits); });
  const std::vector<Answer> answers = SendGroup();
  house_->engine().feed().Unsubscribe(subscription);
  EXPECT_EQ(faulty_->calls(KvCall::kWriteBefore), writes_before_ + 1);
  ASSERT_FALSE(seen.empty());
  EXPECT_EQ(seen.back(), commits_before_ + requests_.size() - 1);
  for (const uint64_t commits : seen) EXPECT_TRUE(commits <= commits_before_ || commits == seen.back()) << commits;
  for (size_t i = 0; i + 1 < answers.size(); ++i) EXPECT_TRUE(answers[i].ok()) << answers[i].status();
  EXPECT_EQ(answers.back().status().code(), absl::StatusCode::kAborted);
  ExpectAllAfterRetry();
}

TEST_F(GroupTest, AGroupThatFailsLeavesNothingBehindNotEvenItsRefusals) {
  fail_ = KvCall::kWriteBefore;
  for (const Answer& answer : SendGroup()) EXPECT_EQ(ReasonOf(answer.status()), "OUTCOME_UNKNOWN") << answer.status();
  EXPECT_EQ(house_->log().Head().commits, commits_before_);
  EXPECT_EQ(house_->Get(requests_[0].case_id()).status().code(), absl::StatusCode::kNotFound);
  Open(false);
  EXPECT_EQ(house_->log().Head().commits, commits_before_);
  ExpectAllAfterRetry();
}

TEST_F(GroupTest, AGroupWhoseOutcomeIsUnknownIsThereAsAWholeAfterTheRestart) {
  fail_ = KvCall::kWriteAfter;
  for (const Answer& answer : SendGroup()) EXPECT_EQ(ReasonOf(answer.status()), "OUTCOME_UNKNOWN") << answer.status();
  EXPECT_EQ(house_->engine().Read().commits, commits_before_) << "not shown before it is known to be durable";
  EXPECT_EQ(house_->Get(requests_[0].case_id()).status().code(), absl::StatusCode::kNotFound);
  Open(false);
  EXPECT_EQ(house_->log().Head().commits, commits_before_ + requests_.size() - 1);
  ExpectAllAfterRetry();
}

}  // namespace
}  // namespace docket::engine
