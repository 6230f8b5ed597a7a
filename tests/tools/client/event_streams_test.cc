#include "tools/client/event_streams.h"

#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/support/fake_server.h"

namespace docket::client {
namespace {

using docket::testing::FakeServer;
using ::testing::ElementsAre;

v1::ReadLogReply LogReply(uint64_t first, uint64_t last) {
  v1::ReadLogReply reply;
  for (uint64_t position = first; position <= last; ++position) reply.add_events()->set_position(position);
  reply.set_scanned_position(last);
  return reply;
}

TEST(EventStreams, ALogCutOffIsTakenUpAfterTheLastMessage) {
  FakeServer server;
  std::vector<uint64_t> starts;
  server.read_log = [&](const v1::ReadLogRequest& request, const std::function<bool(const v1::ReadLogReply&)>& write) {
    starts.push_back(request.from_position());
    if (starts.size() == 1) {
      write(LogReply(1, 3));
      return absl::UnavailableError("connection lost");
    }
    write(LogReply(4, 5));
    return absl::OkStatus();
  };
  Client client(server.ClientOptions());
  std::vector<uint64_t> seen;
  v1::ReadLogRequest request;
  request.set_from_position(1);
  const absl::Status status = ReadLog(client, request, [&](const v1::ReadLogReply& reply) {
    for (const auto& event : reply.events()) seen.push_back(event.position());
    return true;
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(starts, ElementsAre(1, 4));
  EXPECT_THAT(seen, ElementsAre(1, 2, 3, 4, 5));
}

TEST(EventStreams, ALimitIsNotCountedTwiceWhenTakenUp) {
  FakeServer server;
  std::vector<uint64_t> limits;
  server.read_log = [&](const v1::ReadLogRequest& request, const std::function<bool(const v1::ReadLogReply&)>& write) {
    limits.push_back(request.limit());
    write(LogReply(request.from_position(), request.from_position() + 1));
    return limits.size() == 1 ? absl::UnavailableError("connection lost") : absl::OkStatus();
  };
  Client client(server.ClientOptions());
  v1::ReadLogRequest request;
  request.set_from_position(1);
  request.set_limit(4);
  int events = 0;
  const absl::Status status = ReadLog(client, request, [&](const v1::ReadLogReply& reply) {
    events += reply.events_size();
    return true;
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(limits, ElementsAre(4, 2));
  EXPECT_EQ(events, 4);
}

TEST(EventStreams, ASubscriptionGoesOnAfterTheServerRestarts) {
  FakeServer server;
  std::vector<uint64_t> starts;
  server.subscribe = [&](const v1::SubscribeRequest& request,
                         const std::function<bool(const v1::SubscribeReply&)>& write) {
    starts.push_back(request.from_position());
    v1::SubscribeReply reply;
    reply.set_progress(10 * starts.size());
    write(reply);
    return absl::OkStatus();  // what a server shutting down does
  };
  Client client(server.ClientOptions());
  v1::SubscribeRequest request;
  request.set_from_position(5);
  const absl::Status status =
      Subscribe(client, request, [&](const v1::SubscribeReply& reply) { return reply.progress() < 30; });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(starts, ElementsAre(5, 11, 21));
}

TEST(EventStreams, AServerThatNeverSendsAnythingIsGivenUp) {
  FakeServer server;
  int calls = 0;
  server.subscribe = [&](const v1::SubscribeRequest&, const std::function<bool(const v1::SubscribeReply&)>&) {
    ++calls;
    return absl::UnavailableError("starting");
  };
  ClientOptions options = server.ClientOptions();
  options.retry.max_attempts = 3;
  Client client(options);
  const absl::Status status = Subscribe(client, v1::SubscribeRequest(), [](const v1::SubscribeReply&) { return true; });
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(calls, 3);
}

TEST(EventStreams, AnotherThreadCanEndASubscription) {
  FakeServer server;
  Cancellation cancellation;
  server.subscribe = [&](const v1::SubscribeRequest&, const std::function<bool(const v1::SubscribeReply&)>& write) {
    v1::SubscribeReply reply;
    while (write(reply)) reply.set_progress(reply.progress() + 1);  // for ever, until the client hangs up
    return absl::OkStatus();
  };
  Client client(server.ClientOptions());
  std::thread canceller;
  const absl::Status status = Subscribe(
      client, v1::SubscribeRequest(),
      [&](const v1::SubscribeReply&) {
        if (!canceller.joinable()) canceller = std::thread([&] { cancellation.Cancel(); });
        return true;
      },
      &cancellation);
  canceller.join();
  EXPECT_TRUE(status.ok()) << status;
}

TEST(EventStreams, ARefusalEndsTheStream) {
  FakeServer server;
  const absl::Status refused = Refuse(absl::StatusCode::kNotFound, "CASE_NOT_FOUND", "no such case");
  server.read_history = [&](const v1::ReadHistoryRequest&, const std::function<bool(const v1::ReadHistoryReply&)>&) {
    return refused;
  };
  Client client(server.ClientOptions());
  EXPECT_EQ(ReadHistory(client, v1::ReadHistoryRequest(), [](const v1::ReadHistoryReply&) { return true; }), refused);
}

TEST(EventStreams, AHistoryIsTakenUpAfterTheLastRevision) {
  FakeServer server;
  std::vector<uint32_t> starts;
  server.read_history = [&](const v1::ReadHistoryRequest& request,
                            const std::function<bool(const v1::ReadHistoryReply&)>& write) {
    starts.push_back(request.from_revision());
    v1::ReadHistoryReply reply;
    reply.add_entries()->mutable_event()->set_revision(starts.size() == 1 ? 1 : 2);
    write(reply);
    return starts.size() == 1 ? absl::UnavailableError("connection lost") : absl::OkStatus();
  };
  Client client(server.ClientOptions());
  int events = 0;
  const absl::Status status = ReadHistory(client, v1::ReadHistoryRequest(), [&](const v1::ReadHistoryReply& reply) {
    events += reply.entries_size();
    return true;
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(starts, ElementsAre(0, 2));
  EXPECT_EQ(events, 2);
}

TEST(EventStreams, AReaderThatHasEnoughEndsTheStreamWithoutFailure) {
  FakeServer server;
  server.rebuild = [](const v1::RebuildViewsRequest&, const std::function<bool(const v1::RebuildViewsReply&)>& write) {
    v1::RebuildViewsReply reply;
    while (write(reply)) reply.set_commits_done(reply.commits_done() + 1);
    return absl::OkStatus();
  };
  Client client(server.ClientOptions());
  const absl::Status status = RebuildViews(client, v1::RebuildViewsRequest(),
                                           [](const v1::RebuildViewsReply& reply) { return reply.commits_done() < 3; });
  EXPECT_TRUE(status.ok()) << status;
}

}  // namespace
}  // namespace docket::client
