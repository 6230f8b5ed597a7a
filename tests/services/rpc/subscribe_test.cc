// Subscribe under load: streams that come from catch-up to live while writers are at it, and readers that stop reading.
#include <algorithm>
#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "services/query/event_writer.h"
#include "tests/services/rpc/rpc_house.h"

namespace docket::rpc {
namespace {

using engine::Feed;

constexpr int kReaders = 8;
constexpr int kHandOversEach = 125;  // 1,000 in all
constexpr int kWriters = 2;

// One stream that must give every position once, in order.
class Subscription {
 public:
  Subscription(v1::AuditService::Stub& audit, uint64_t from) : next_(from), context_(RpcHouse::As()) {
    v1::SubscribeRequest request;
    request.set_from_position(from);
    stream_ = audit.Subscribe(context_.get(), request);
  }
  ~Subscription() {
    context_->TryCancel();
    EXPECT_EQ(stream_->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }

  // Takes one message. False, and the test has failed: the stream has ended, or the message is not what comes next.
  [[nodiscard]] bool Read() {
    v1::SubscribeReply reply;
    const bool open = stream_->Read(&reply);
    EXPECT_TRUE(open) << "the stream ended before position " << next_;
    if (!open) return false;
    EXPECT_LE(reply.events_size(), query::BatchLimit::kMaxEvents);
    for (const v1::HistoryEvent& event : reply.events()) {
      EXPECT_EQ(event.position(), next_);
      if (event.position() != next_) return false;
      ++next_;
    }
    EXPECT_EQ(reply.progress(), next_ - 1);
    live_messages_ += times_caught_up_ > 0 ? 1 : 0;
    times_caught_up_ += reply.caught_up() ? 1 : 0;
    return reply.progress() == next_ - 1;
  }

  uint64_t next() const { return next_; }
  int times_caught_up() const { return times_caught_up_; }
  int live_messages() const { return live_messages_; }  // after the first that said it had caught up

 private:
  uint64_t next_;
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientReader<v1::SubscribeReply>> stream_;
  int times_caught_up_ = 0;
  int live_messages_ = 0;
};

uint64_t LastPosition(RpcHouse& rpc) { return rpc.house().engine().Read().position; }

// Commits `count` notes, acknowledged when it returns.
void CommitNotes(RpcHouse& rpc, const std::string& case_id, size_t count, const std::string& body) {
  constexpr size_t kMessage = 250;
  auto context = RpcHouse::As();
  const auto stream = rpc.cases->ExecuteStream(context.get());
  while (count > 0) {
    v1::ExecuteStreamRequest message;
    message.set_brief(true);
    for (size_t i = std::min(count, kMessage); i > 0; --i) *message.add_requests() = rpc.Note(case_id, body);
    count -= message.requests_size();
    v1::ExecuteStreamReply reply;
    ASSERT_TRUE(stream->Write(message) && stream->Read(&reply));
    for (const auto& result : reply.results()) ASSERT_TRUE(result.has_reply()) << result.status().message();
  }
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

// Commits until told to stop: filings, which are several events in one commit, and notes.
class Writers {
 public:
  explicit Writers(RpcHouse* rpc) : rpc_(rpc) {
    for (int i = 0; i < kWriters; ++i) threads_.emplace_back([this] { Work(); });
  }
  ~Writers() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  void Work() {
    const auto cases = v1::CaseService::NewStub(rpc_->NewChannel());
    v1::ExecuteReply reply;
    for (uint64_t step = 0; !stop_; ++step) {
      const v1::ExecuteRequest request = step % 8 == 0 ? rpc_->Filing() : rpc_->Note(reply.case_id());
      const grpc::Status status = cases->Execute(RpcHouse::As().get(), request, &reply);
      ASSERT_TRUE(status.ok()) << status.error_message();
    }
  }

  RpcHouse* const rpc_;
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;
};

TEST(SubscribeLoadTest, AThousandStreamsComeFromCatchUpToLiveWithEveryPositionOnceInOrder) {
  RpcHouse rpc;
  CommitNotes(rpc, rpc.File().case_id(), Feed::kHeldCommits + 1000, "called");
  std::atomic<int> hand_overs = 0;
  std::atomic<int> from_the_log = 0;
  const Writers writers(&rpc);
  std::vector<std::thread> readers;
  for (int reader = 0; reader < kReaders; ++reader) {
    readers.emplace_back([&, reader] {
      const auto audit = v1::AuditService::NewStub(rpc.NewChannel());
      std::mt19937_64 chance(100 + reader);
      for (int i = 0; i < kHandOversEach; ++i) {
        // Sometimes at the end, mostly a little behind it, now and then before what the feed holds.
        const uint64_t end = LastPosition(rpc) + 1;
        const uint64_t lag = std::min(end - 1, chance() % (uint64_t{1} << (chance() % 14)));
        const uint64_t past = end + chance() % 64;
        Subscription subscription(*audit, end - lag);
        while (subscription.next() <= past || subscription.live_messages() == 0) ASSERT_TRUE(subscription.Read());
        ++hand_overs;
        from_the_log += lag > Feed::kHeldCommits ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : readers) thread.join();
  EXPECT_EQ(hand_overs, kReaders * kHandOversEach);
  EXPECT_GT(from_the_log, 0);
}

// The server holds at most one message for a reader, and gRPC as much as the reader's window lets through. So the feed
// passes by a reader that stops: it is demoted to catch-up from the log, nothing is kept for it, and it misses nothing.
TEST(SubscribeLoadTest, AReaderThatStopsReadingIsDemotedToCatchUpAndItsBufferIsBounded) {
  constexpr size_t kSlow = 2;
  // Commits that a stopped reader may take ahead before the feed passes it by, about 1.2 MiB of its messages. One
  // message, gRPC's write buffer and a window that does not grow make less than a third of that.
  constexpr size_t kAhead = 400;
  constexpr size_t kRound = 250;
  const std::string body(3000, 'x');
  RpcHouse rpc;
  const std::string case_id = rpc.File().case_id();
  const uint64_t begin = LastPosition(rpc) + 1;
  const Feed& feed = rpc.house().engine().feed();
  grpc::ChannelArguments small_window;
  small_window.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  std::vector<std::unique_ptr<Subscription>> slow;
  for (size_t i = 0; i < kSlow; ++i) {
    const auto audit = v1::AuditService::NewStub(rpc.NewChannel(small_window));
    slow.push_back(std::make_unique<Subscription>(*audit, begin));
    ASSERT_TRUE(slow.back()->Read());
    ASSERT_EQ(slow.back()->times_caught_up(), 1);
  }
  Subscription quick(*rpc.audit, begin);
  std::vector<std::weak_ptr<const v1::CommitRecord>> records;
  while (records.size() < kAhead + Feed::kHeldCommits) {
    uint64_t commit = feed.next_commit();
    CommitNotes(rpc, case_id, kRound, body);
    for (; commit < feed.next_commit(); ++commit) records.push_back(feed.Get(commit));
    // Readers that stand still hold up nobody else.
    while (quick.next() <= LastPosition(rpc)) ASSERT_TRUE(quick.Read());
  }
  EXPECT_EQ(quick.times_caught_up(), 1);
  rpc.house().Settle();
  EXPECT_EQ(std::count_if(records.begin(), records.end(), [](const auto& record) { return !record.expired(); }),
            Feed::kHeldCommits)
      << "what the feed has let go is kept by nobody";
  for (const auto& subscription : slow) {
    while (subscription->next() < quick.next()) ASSERT_TRUE(subscription->Read());
    EXPECT_EQ(subscription->times_caught_up(), 2)
        << "it was not demoted: more than " << kAhead << " commits were sent to a reader that did not read";
  }
}

// A reader that does not read cannot be told that the server stops; it is cut off, however long the drain.
TEST(SubscribeLoadTest, AReaderThatStopsReadingDoesNotHoldUpAStoppingServer) {
  RpcHouse rpc(ServerOptions{.drain = absl::Hours(1)});
  const std::string case_id = rpc.File().case_id();
  const uint64_t begin = LastPosition(rpc) + 1;
  grpc::ChannelArguments small_window;
  small_window.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  const auto audit = v1::AuditService::NewStub(rpc.NewChannel(small_window));
  Subscription slow(*audit, begin);
  ASSERT_TRUE(slow.Read());
  Subscription quick(*rpc.audit, begin);
  CommitNotes(rpc, case_id, 800, std::string(3000, 'x'));
  while (quick.next() <= LastPosition(rpc)) ASSERT_TRUE(quick.Read());
  rpc.StopServer();
}

}  // namespace
}  // namespace docket::rpc
