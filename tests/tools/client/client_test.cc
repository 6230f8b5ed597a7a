#include "tools/client/client.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/support/fake_server.h"
#include "tools/client/request_id.h"

namespace docket::client {
namespace {

using docket::testing::FakeServer;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::SizeIs;

absl::Status Busy() {
  return WithRetryAfter(Refuse(absl::StatusCode::kResourceExhausted, "OVERLOADED", "too much at once"),
                        absl::Milliseconds(5));
}
absl::Status Unknown() { return Refuse(absl::StatusCode::kUnavailable, "OUTCOME_UNKNOWN", "failed while writing"); }

v1::ExecuteRequest Accept() {
  v1::ExecuteRequest request;
  request.set_case_no("CMP-1");
  request.mutable_command()->mutable_accept();
  return request;
}

// Answers with `failures` in turn, then with a reply; keeps the request ids it saw.
class ScriptedExecute {
 public:
  ScriptedExecute(FakeServer& server, std::vector<absl::Status> failures) : failures_(std::move(failures)) {
    server.execute = [this](const v1::ExecuteRequest& request, v1::ExecuteReply* reply) {
      ids_.push_back(request.request_id());
      if (ids_.size() <= failures_.size()) return failures_[ids_.size() - 1];
      reply->set_commit(7);
      return absl::OkStatus();
    };
  }
  const std::vector<std::string>& ids() const { return ids_; }

 private:
  std::vector<absl::Status> failures_;
  std::vector<std::string> ids_;
};

TEST(Client, AWriteRefusedTwiceIsRepeatedWithTheSameRequestId) {
  FakeServer server;
  ScriptedExecute script(server, {Busy(), Unknown()});
  Client client(server.ClientOptions());
  const auto reply = client.Execute(Accept());
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->commit(), 7);
  ASSERT_THAT(script.ids(), SizeIs(3));
  EXPECT_TRUE(IsUuid(script.ids()[0]));
  EXPECT_THAT(script.ids(), Each(script.ids()[0]));
  // The server's 5 ms plus the first back-off, then the second back-off.
  EXPECT_THAT(server.sleeps(), ElementsAre(absl::Milliseconds(55), absl::Milliseconds(100)));
}

TEST(Client, TheCallersRequestIdIsKept) {
  FakeServer server;
  ScriptedExecute script(server, {Busy()});
  Client client(server.ClientOptions());
  v1::ExecuteRequest request = Accept();
  request.set_request_id("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
  ASSERT_TRUE(client.Execute(request).ok());
  EXPECT_THAT(script.ids(), ElementsAre("017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
                                        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"));
}

TEST(Client, TwoWritesHaveTwoRequestIds) {
  FakeServer server;
  ScriptedExecute script(server, {});
  Client client(server.ClientOptions());
  ASSERT_TRUE(client.Execute(Accept()).ok());
  ASSERT_TRUE(client.Execute(Accept()).ok());
  ASSERT_THAT(script.ids(), SizeIs(2));
  EXPECT_NE(script.ids()[0], script.ids()[1]);
}

TEST(Client, ARefusalIsNotRepeated) {
  FakeServer server;
  const absl::Status refused =
      RefuseUnmet("GUARD_UNMET", "case CMP-1", {{"OWNER_REQUIRED", "the case has no owner", "assign"}});
  ScriptedExecute script(server, {refused});
  Client client(server.ClientOptions());
  EXPECT_EQ(client.Execute(Accept()).status(), refused);
  EXPECT_THAT(script.ids(), SizeIs(1));
  EXPECT_THAT(server.sleeps(), SizeIs(0));
}

TEST(Client, GivesUpAfterTheLastAttemptAndNamesTheRequestToRepeat) {
  FakeServer server;
  ScriptedExecute script(server, {Unknown(), Unknown(), Unknown(), Unknown()});
  ClientOptions options = server.ClientOptions();
  options.retry.max_attempts = 3;
  Client client(options);
  const absl::Status status = client.Execute(Accept()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  ASSERT_THAT(script.ids(), SizeIs(3));
  EXPECT_EQ(Describe(status).unknown_outcome_of, script.ids()[0]);
}

TEST(Client, AnOverloadedServerWroteNothingSoTheOutcomeIsKnown) {
  FakeServer server;
  ScriptedExecute script(server, {Busy(), Busy()});
  ClientOptions options = server.ClientOptions();
  options.retry.max_attempts = 2;
  Client client(options);
  EXPECT_EQ(Describe(client.Execute(Accept()).status()).unknown_outcome_of, "");
}

TEST(Client, ARefusalAfterALostAnswerIsTheAnswer) {
  FakeServer server;
  ScriptedExecute script(server, {Unknown(), Refuse(absl::StatusCode::kNotFound, "CASE_NOT_FOUND", "no such case")});
  Client client(server.ClientOptions());
  const CallFailure failure = Describe(client.Execute(Accept()).status());
  EXPECT_EQ(failure.reason, "CASE_NOT_FOUND");
  EXPECT_EQ(failure.unknown_outcome_of, "");
}

TEST(Client, WritesThatAreDisabledAreNotRetried) {
  FakeServer server;
  ScriptedExecute script(server, {Refuse(absl::StatusCode::kUnavailable, "WRITES_DISABLED",
                                         "an earlier write failed")});
  Client client(server.ClientOptions());
  EXPECT_EQ(Describe(client.Execute(Accept()).status()).reason, "WRITES_DISABLED");
  EXPECT_THAT(script.ids(), SizeIs(1));
}

TEST(Client, ADeadlineLeavesTheOutcomeOpen) {
  FakeServer server;
  ScriptedExecute script(server, {absl::DeadlineExceededError("late")});
  Client client(server.ClientOptions());
  const absl::Status status = client.Execute(Accept()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  ASSERT_THAT(script.ids(), SizeIs(1));
  EXPECT_EQ(Describe(status).unknown_outcome_of, script.ids()[0]);
}

TEST(Client, ReadsAreRetriedToo) {
  FakeServer server;
  int calls = 0;
  server.get_case = [&](const v1::GetCaseRequest&, v1::GetCaseReply* reply) {
    if (++calls == 1) return absl::UnavailableError("starting");
    reply->set_position(3);
    return absl::OkStatus();
  };
  Client client(server.ClientOptions());
  const auto reply = client.GetCase(v1::GetCaseRequest());
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->position(), 3);
  EXPECT_EQ(calls, 2);
}

TEST(Client, NobodyListeningIsNotConnectedAndNeverAnOpenOutcome) {
  FakeServer server;
  ClientOptions options = server.ClientOptions();
  options.retry.max_attempts = 2;
  server.Stop();
  Client client(options);
  const CallFailure failure = Describe(client.Execute(Accept()).status());
  EXPECT_TRUE(failure.not_connected);
  EXPECT_EQ(failure.code, absl::StatusCode::kUnavailable);
  EXPECT_EQ(failure.unknown_outcome_of, "");
}

TEST(Client, SaysWhoCalls) {
  FakeServer server;
  server.get_stats = [](const v1::GetStatsRequest&, v1::GetStatsReply*) { return absl::OkStatus(); };
  ClientOptions options = server.ClientOptions();
  Client nobody(options);
  ASSERT_TRUE(nobody.GetStats(v1::GetStatsRequest()).ok());
  EXPECT_EQ(server.last_principal(), "");
  options.principal = "alice";
  Client alice(options);
  ASSERT_TRUE(alice.GetStats(v1::GetStatsRequest()).ok());
  EXPECT_EQ(server.last_principal(), "alice");
}

TEST(Client, TakingAndPublishingCarryRequestIds) {
  FakeServer server;
  std::string taken, published;
  server.take_next = [&](const v1::TakeNextRequest& request, v1::ExecuteReply*) {
    taken = request.request_id();
    return absl::OkStatus();
  };
  server.publish = [&](const v1::PublishPoliciesRequest& request, v1::PublishPoliciesReply*) {
    published = request.request_id();
    return absl::OkStatus();
  };
  Client client(server.ClientOptions());
  ASSERT_TRUE(client.TakeNext(v1::TakeNextRequest()).ok());
  ASSERT_TRUE(client.PublishPolicies(v1::PublishPoliciesRequest()).ok());
  EXPECT_TRUE(IsUuid(taken));
  EXPECT_TRUE(IsUuid(published));
}

}  // namespace
}  // namespace docket::client
