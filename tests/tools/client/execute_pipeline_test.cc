#include "tools/client/execute_pipeline.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "tests/tools/support/fake_server.h"

namespace docket::client {
namespace {

using docket::testing::FakeServer;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::Le;
using ::testing::SizeIs;

v1::ExecuteRequest Numbered(int number) {
  v1::ExecuteRequest request;
  request.set_case_no(absl::StrCat("C", number));
  request.set_request_id(absl::StrCat("id", number));
  return request;
}

// A server that executes each request id once and counts how often it saw it.
class Executor {
 public:
  explicit Executor(FakeServer& server) {
    server.execute_stream = [this](const v1::ExecuteStreamRequest& message, v1::ExecuteStreamReply* reply) {
      ++messages_;
      largest_ = std::max(largest_, message.requests_size());
      if (messages_ == break_at_) return absl::UnavailableError("connection lost");
      for (const auto& request : message.requests()) Execute(request, reply->add_results());
      return absl::OkStatus();
    };
  }

  void Execute(const v1::ExecuteRequest& request, v1::ExecuteStreamReply::Result* result) {
    ++seen_[request.request_id()];
    if (busy_for_[request.request_id()]-- > 0) {
      const absl::Status busy = WithRetryAfter(Refuse(absl::StatusCode::kResourceExhausted, "OVERLOADED", "busy"),
                                               absl::Milliseconds(1));
      result->mutable_status()->ParseFromString(SerializeRpcStatus(busy));
      return;
    }
    if (request.case_no() == refuse_) {
      const absl::Status refused = Refuse(absl::StatusCode::kNotFound, "CASE_NOT_FOUND", "no such case");
      result->mutable_status()->ParseFromString(SerializeRpcStatus(refused));
      return;
    }
    result->mutable_reply()->set_case_no(request.case_no());
  }

  int messages_ = 0;
  int largest_ = 0;
  int break_at_ = 0;
  std::string refuse_;
  std::map<std::string, int> seen_;
  std::map<std::string, int> busy_for_;
};

// Collects results in order: "C1", or "C1 REASON".
struct Results {
  ExecutePipeline::OnResult Callback() {
    return [this](const v1::ExecuteRequest& request, const absl::StatusOr<v1::ExecuteReply>& reply) {
      lines.push_back(reply.ok() ? reply->case_no() : absl::StrCat(request.case_no(), " ", ReasonOf(reply.status())));
      if (!reply.ok()) last_failure = reply.status();
    };
  }
  std::vector<std::string> lines;
  absl::Status last_failure;
};

std::vector<std::string> Names(int first, int last) {
  std::vector<std::string> names;
  for (int i = first; i <= last; ++i) names.push_back(absl::StrCat("C", i));
  return names;
}

TEST(ExecutePipeline, AnswersComeInOrderAndMessagesAreFull) {
  FakeServer server;
  Executor executor(server);
  Client client(server.ClientOptions());
  Results results;
  ExecutePipeline pipeline(client, {.requests_per_message = 4, .max_in_flight = 10}, results.Callback());
  for (int i = 1; i <= 30; ++i) ASSERT_TRUE(pipeline.Send(Numbered(i)).ok());
  ASSERT_TRUE(pipeline.Finish().ok());
  EXPECT_THAT(results.lines, ElementsAreArray(Names(1, 30)));
  EXPECT_EQ(executor.largest_, 4);
  EXPECT_EQ(executor.messages_, 8);
}

TEST(ExecutePipeline, TheWindowBoundsWhatIsOnTheWay) {
  FakeServer server;
  Executor executor(server);
  Client client(server.ClientOptions());
  std::atomic<int> sent{0}, answered{0};
  std::atomic<int> most{0};
  ExecutePipeline pipeline(client, {.requests_per_message = 2, .max_in_flight = 6},
                           [&](const v1::ExecuteRequest&, const absl::StatusOr<v1::ExecuteReply>&) { ++answered; });
  for (int i = 1; i <= 100; ++i) {
    ASSERT_TRUE(pipeline.Send(Numbered(i)).ok());
    ++sent;
    most = std::max(most.load(), sent - answered);
  }
  ASSERT_TRUE(pipeline.Finish().ok());
  EXPECT_EQ(answered, 100);
  EXPECT_THAT(most.load(), Le(6));
}

TEST(ExecutePipeline, ARefusalStopsNothing) {
  FakeServer server;
  Executor executor(server);
  executor.refuse_ = "C2";
  Client client(server.ClientOptions());
  Results results;
  ExecutePipeline pipeline(client, {.requests_per_message = 3, .max_in_flight = 3}, results.Callback());
  for (int i = 1; i <= 4; ++i) ASSERT_TRUE(pipeline.Send(Numbered(i)).ok());
  ASSERT_TRUE(pipeline.Finish().ok());
  EXPECT_THAT(results.lines, ElementsAre("C1", "C2 CASE_NOT_FOUND", "C3", "C4"));
}

TEST(ExecutePipeline, ALostStreamIsTakenUpWithTheSameRequestIds) {
  FakeServer server;
  Executor executor(server);
  executor.break_at_ = 3;
  Client client(server.ClientOptions());
  Results results;
  ExecutePipeline pipeline(client, {.requests_per_message = 2, .max_in_flight = 8}, results.Callback());
  for (int i = 1; i <= 20; ++i) ASSERT_TRUE(pipeline.Send(Numbered(i)).ok());
  ASSERT_TRUE(pipeline.Finish().ok());
  EXPECT_THAT(results.lines, ElementsAreArray(Names(1, 20)));
  EXPECT_EQ(executor.seen_.size(), 20);
}

TEST(ExecutePipeline, ABusyRequestIsSentAgainBeforeAnyNewOne) {
  FakeServer server;
  Executor executor(server);
  executor.busy_for_["id1"] = 2;
  Client client(server.ClientOptions());
  Results results;
  ExecutePipeline pipeline(client, {.requests_per_message = 1, .max_in_flight = 1}, results.Callback());
  for (int i = 1; i <= 3; ++i) ASSERT_TRUE(pipeline.Send(Numbered(i)).ok());
  ASSERT_TRUE(pipeline.Finish().ok());
  EXPECT_THAT(results.lines, ElementsAre("C1", "C2", "C3"));
  EXPECT_EQ(executor.seen_["id1"], 3);
  EXPECT_THAT(server.sleeps(), SizeIs(2));
}

TEST(ExecutePipeline, ARequestThatStaysBusyIsAnsweredSoAfterTheLastAttempt) {
  FakeServer server;
  Executor executor(server);
  executor.busy_for_["id1"] = 100;
  ClientOptions options = server.ClientOptions();
  options.retry.max_attempts = 3;
  Client client(options);
  Results results;
  ExecutePipeline pipeline(client, {.requests_per_message = 2, .max_in_flight = 2}, results.Callback());
  for (int i = 1; i <= 2; ++i) ASSERT_TRUE(pipeline.Send(Numbered(i)).ok());
  ASSERT_TRUE(pipeline.Finish().ok());
  EXPECT_THAT(results.lines, ElementsAre("C2", "C1 OVERLOADED"));
  EXPECT_EQ(executor.seen_["id1"], 3);
}

TEST(ExecutePipeline, WhenTheServerStaysAwayEveryRequestIsAnsweredOnce) {
  FakeServer server;
  ClientOptions options = server.ClientOptions();
  options.retry.max_attempts = 2;
  server.Stop();
  Client client(options);
  Results results;
  ExecutePipeline pipeline(client, {.requests_per_message = 2, .max_in_flight = 4}, results.Callback());
  ASSERT_TRUE(pipeline.Send(Numbered(1)).ok());
  const absl::Status status = pipeline.Send(Numbered(2));
  EXPECT_TRUE(Describe(status).not_connected) << status;
  EXPECT_THAT(results.lines, SizeIs(2));
  EXPECT_EQ(pipeline.Send(Numbered(3)), status);
  EXPECT_THAT(results.lines, SizeIs(2));
}

TEST(ExecutePipeline, RequestsLostForGoodNameTheIdToRepeat) {
  FakeServer server;
  server.execute_stream = [](const v1::ExecuteStreamRequest&, v1::ExecuteStreamReply*) {
    return absl::UnavailableError("connection lost");
  };
  ClientOptions options = server.ClientOptions();
  options.retry.max_attempts = 2;
  Client client(options);
  Results results;
  ExecutePipeline pipeline(client, {.requests_per_message = 1, .max_in_flight = 1}, results.Callback());
  EXPECT_FALSE((pipeline.Send(Numbered(1)).ok() && pipeline.Finish().ok()));
  ASSERT_THAT(results.lines, SizeIs(1));
  EXPECT_EQ(Describe(results.last_failure).unknown_outcome_of, "id1");
}

TEST(ExecutePipeline, AwaitSendsASmallerMessage) {
  FakeServer server;
  Executor executor(server);
  Client client(server.ClientOptions());
  Results results;
  ExecutePipeline pipeline(client, {.requests_per_message = 64, .max_in_flight = 64}, results.Callback());
  ASSERT_TRUE(pipeline.Send(Numbered(1)).ok());
  ASSERT_TRUE(pipeline.Await(0).ok());
  EXPECT_THAT(results.lines, ElementsAre("C1"));
  ASSERT_TRUE(pipeline.Send(Numbered(2)).ok());
  ASSERT_TRUE(pipeline.Finish().ok());
  EXPECT_EQ(executor.messages_, 2);
  EXPECT_THAT(results.lines, ElementsAre("C1", "C2"));
}

TEST(ExecutePipeline, WhoAwaitsResultsRepairsALostStream) {
  FakeServer server;
  Executor executor(server);
  executor.break_at_ = 2;
  Client client(server.ClientOptions());
  Results results;
  std::vector<absl::Status> lost;
  ExecutePipeline pipeline(client,
                           {.requests_per_message = 1,
                            .max_in_flight = 4,
                            .on_lost = [&](const absl::Status& status, absl::Duration) { lost.push_back(status); }},
                           results.Callback());
  for (int i = 1; i <= 3; ++i) ASSERT_TRUE(pipeline.Send(Numbered(i)).ok());
  ASSERT_TRUE(pipeline.Await(0).ok());
  EXPECT_THAT(results.lines, ElementsAre("C1", "C2", "C3"));
  EXPECT_EQ(executor.seen_.size(), 3);
  EXPECT_THAT(lost, ElementsAre(absl::UnavailableError("connection lost")));
}

TEST(ExecutePipeline, AStreamRefusedAtOpenEndsTheWait) {
  FakeServer server;
  server.execute_stream = [](const v1::ExecuteStreamRequest&, v1::ExecuteStreamReply*) {
    return Refuse(absl::StatusCode::kInvalidArgument, "PRINCIPAL_MISSING", "a write must say who does it");
  };
  Client client(server.ClientOptions());
  Results results;
  ExecutePipeline pipeline(client, {.requests_per_message = 4, .max_in_flight = 4}, results.Callback());
  ASSERT_TRUE(pipeline.Send(Numbered(1)).ok());
  EXPECT_EQ(ReasonOf(pipeline.Await(0)), "PRINCIPAL_MISSING");
  EXPECT_THAT(results.lines, ElementsAre("C1 PRINCIPAL_MISSING"));
}

TEST(ExecutePipeline, AServerStartedAgainIsFoundAgain) {
  FakeServer server;
  Executor executor(server);
  executor.break_at_ = 2;
  ClientOptions options = server.ClientOptions();
  // The channel needs real time to connect again, so the client's own back-off is left as it is.
  options.retry.max_attempts = 40;
  int waits = 0;
  options.sleep = [&, wait = Client(ClientOptions()).options().sleep](absl::Duration delay) {
    if (++waits == 1) server.Stop();
    if (waits == 3) server.Restart();
    wait(delay);
  };
  Client client(options);
  Results results;
  ExecutePipeline pipeline(client, {.requests_per_message = 2, .max_in_flight = 8}, results.Callback());
  for (int i = 1; i <= 8; ++i) ASSERT_TRUE(pipeline.Send(Numbered(i)).ok());
  ASSERT_TRUE(pipeline.Await(0).ok());
  EXPECT_THAT(results.lines, ElementsAreArray(Names(1, 8)));
  EXPECT_EQ(executor.seen_.size(), 8);
  EXPECT_GE(waits, 3);
}

}  // namespace
}  // namespace docket::client
