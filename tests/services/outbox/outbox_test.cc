#include "services/outbox/outbox.h"

#include <future>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "services/outbox/signature.h"
#include "services/query/alert_follower.h"
#include "store/memory_kv.h"
#include "tests/services/outbox/fake_sender.h"
#include "tests/support/faulty_kv.h"
#include "tests/support/house.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"

namespace docket::outbox {
namespace {

using ::testing::ElementsAre;
using testing::House;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kSecret[] = "0123456789abcdef";

WebhookOptions Hook(const std::string& name = "ops", uint64_t from = 0) {
  WebhookOptions hook;
  hook.name = name;
  hook.url = "https://example.org/hook?token=secret";
  hook.secret = kSecret;
  hook.from_position = from;
  return hook;
}

class OutboxTest : public ::testing::Test {
 protected:
  void Open(std::vector<WebhookOptions> hooks = {Hook()}) {
    auto outbox = TryOpen(std::move(hooks));
    DOCKET_CHECK(outbox.ok());
    outbox_ = *std::move(outbox);
  }
  absl::StatusOr<std::unique_ptr<Outbox>> TryOpen(std::vector<WebhookOptions> hooks) {
    outbox_.reset();
    OutboxOptions options;
    options.webhooks = std::move(hooks);
    options.engine = &house_.engine();
    options.kv = kv_;
    options.sender = network_.NewSender();
    return Outbox::Open(std::move(options));
  }

  std::string File(const std::string& fields = "kind: COMPLAINT title: 'x' impact: 2 urgency: 2") {
    const auto reply = house_.File(fields);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? reply->case_id() : "";
  }
  void Advance(absl::Duration by) {
    house_.Settle();
    house_.AdvanceTo(house_.clock().Now() + by);
    if (outbox_ != nullptr) outbox_->Wake();
  }
  // Moves time on, second by second, until `done`; what is due meanwhile is tried.
  void AdvanceUntil(const std::function<bool()>& done) {
    while (!done()) {
      house_.clock().Advance(absl::Seconds(1));
      outbox_->Wake();
      std::this_thread::yield();
    }
  }
  // Every alert of the log so far.
  std::vector<v1::Alert> Alerts() {
    v1::WatchAlertsRequest request;
    request.set_from_position(1);
    auto follower = query::AlertFollower::Open(house_.engine(), request, {});
    std::vector<v1::Alert> alerts;
    while (true) {
      const auto reply = follower->Next(house_.engine());
      if (!reply.ok() || !reply->has_value()) return alerts;
      alerts.insert(alerts.end(), (*reply)->alerts().begin(), (*reply)->alerts().end());
    }
  }
  v1::Webhook Describe(size_t i = 0) { return outbox_->ListWebhooks().webhooks(static_cast<int>(i)); }
  // Until the outbox says so of itself.
  v1::Webhook DescribeWhen(const std::function<bool(const v1::Webhook&)>& wanted) {
    while (true) {
      v1::Webhook webhook = Describe();
      if (wanted(webhook)) return webhook;
      std::this_thread::yield();
    }
  }
  std::vector<v1::DeadLetter> DeadLetters(const std::string& text = "") {
    v1::ListDeadLettersRequest request;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &request));
    const auto reply = outbox_->ListDeadLetters(query::OpenReader(house_.engine(), {}), request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return {reply->dead_letters().begin(), reply->dead_letters().end()};
  }
  absl::StatusOr<uint64_t> Replay(const std::string& text) {
    v1::ReplayDeadLettersRequest request;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &request));
    std::promise<absl::StatusOr<v1::ReplayDeadLettersReply>> done;
    outbox_->Replay(request, [&](auto reply) { done.set_value(std::move(reply)); });
    const auto reply = done.get_future().get();
    if (!reply.ok()) return reply.status();
    return reply->replayed();
  }
  // Alerts arrived for the first time in the order of the log within their case, none is missing.
  void ExpectAllInOrder(const std::vector<Arrival>& arrivals) {
    std::map<std::string, uint64_t> last;
    std::set<uint64_t> seen;
    for (const Arrival& arrival : arrivals) {
      if (!seen.insert(arrival.position).second) continue;
      EXPECT_GT(arrival.position, last[arrival.case_no]);
      last[arrival.case_no] = arrival.position;
    }
    std::set<uint64_t> expected;
    for (const v1::Alert& alert : Alerts()) expected.insert(alert.position());
    EXPECT_EQ(seen, expected);
  }

  House house_;
  std::unique_ptr<store::KvStore> disk_ = store::OpenMemoryKv();
  store::KvStore* kv_ = disk_.get();
  FakeNetwork network_;
  std::unique_ptr<Outbox> outbox_;
};

TEST_F(OutboxTest, EveryAlertIsDeliveredSignedAndInOrderWithinItsCase) {
  Open();
  for (int i = 0; i < 5; ++i) File();
  for (int i = 0; i < 6; ++i) Advance(absl::Hours(11));
  const size_t count = Alerts().size();
  ASSERT_GT(count, 20u);
  network_.AwaitDelivered(count);
  const std::vector<Arrival> arrivals = network_.delivered();
  EXPECT_THAT(arrivals, SizeIs(count)) << "each once, as nothing failed";
  ExpectAllInOrder(arrivals);
  for (const Arrival& arrival : arrivals) {
    int64_t seconds = 0;
    ASSERT_EQ(std::sscanf(arrival.signature.c_str(), "t=%ld,", &seconds), 1);
    EXPECT_EQ(arrival.signature, Sign(kSecret, absl::FromUnixSeconds(seconds), arrival.body));
  }
  const v1::Webhook webhook = DescribeWhen([&](const v1::Webhook& one) { return one.delivered() == count; });
  EXPECT_EQ(webhook.lag(), 0u);
  EXPECT_EQ(webhook.pending(), 0u);
  EXPECT_FALSE(webhook.has_failing_since());
  EXPECT_EQ(webhook.url(), "https://example.org/hook");
}

TEST_F(OutboxTest, ARolloutThatWaitsIsDeliveredAlthoughItIsOfNoCase) {
  File();
  ASSERT_TRUE(house_
                  .Publish(absl::StrReplaceAll(testing::ReadPack("calendar-london.yaml"),
                                               {{"exceptions:", "exceptions:\n  \"2026-11-19\": []"}}))
                  .ok());
  while (house_.engine().ListRollouts().rollouts().empty()) house_.Settle();  // the engine plans it by itself
  ASSERT_THAT(Alerts(), SizeIs(1));
  Open({Hook("ops", 1)});
  network_.AwaitDelivered(1);
  EXPECT_NE(network_.delivered()[0].body.find("\"subject\":\"calendar.london.2\""), std::string::npos);
  EXPECT_EQ(DescribeWhen([](const v1::Webhook& one) { return one.delivered() == 1; }).pending(), 0u);
}

TEST_F(OutboxTest, ANewWebhookBeginsAtTheEndUnlessToldOtherwise) {
  File();
  Advance(absl::Hours(24));
  const size_t before = Alerts().size();
  ASSERT_GT(before, 0u);
  Open({Hook("new"), Hook("old", 1)});
  network_.AwaitDelivered(before);
  EXPECT_EQ(Describe(0).position(), house_.engine().Read().position);
  EXPECT_EQ(Describe(0).delivered(), 0u);
  // It has begun, also if it was never told of anything.
  outbox_.reset();
  Advance(absl::Hours(24 * 14));
  ASSERT_GT(Alerts().size(), before);
  Open({Hook("new")});
  network_.AwaitDelivered(Alerts().size());
  EXPECT_EQ(TryOpen({Hook("ahead", house_.engine().Read().position + 2)}).status().code(),
            absl::StatusCode::kOutOfRange);
}

TEST_F(OutboxTest, OnlyWhatTheFilterLetsThrough) {
  WebhookOptions hook = Hook();
  hook.filter.add_kinds(v1::ESCALATION);
  Open({hook});
  File();
  Advance(absl::Hours(24 * 4));
  std::set<uint64_t> expected;
  for (const v1::Alert& alert : Alerts()) {
    if (alert.kind() == v1::ESCALATION) expected.insert(alert.position());
  }
  ASSERT_THAT(expected, ::testing::Not(IsEmpty()));
  network_.AwaitDelivered(expected.size());
  DescribeWhen([](const v1::Webhook& one) { return one.lag() == 0 && one.pending() == 0; });
  for (const Arrival& arrival : network_.attempts()) EXPECT_EQ(expected.count(arrival.position), 1u);
  hook.filter.set_department("complaint");
  EXPECT_EQ(TryOpen({hook}).status().code(), absl::StatusCode::kInvalidArgument) << "a misspelt name";
}

TEST_F(OutboxTest, AReceiverThatIsDownGetsEverythingWhenItIsBack) {
  network_.SetAnswer([](const Arrival&) { return SendResult{.error = "Couldn't connect to server"}; });
  Open();
  for (int i = 0; i < 3; ++i) File();
  Advance(absl::Hours(24));
  const size_t count = Alerts().size();
  AdvanceUntil([&] { return network_.attempts().size() >= 6; });
  const v1::Webhook down = DescribeWhen([&](const v1::Webhook& one) { return one.failed() >= 6; });
  EXPECT_EQ(down.pending(), count);
  EXPECT_TRUE(down.has_failing_since());
  EXPECT_EQ(down.last_error(), "Couldn't connect to server");
  Open();  // also over a restart of the server
  EXPECT_EQ(Describe().pending(), count);
  network_.SetAnswer(nullptr);
  AdvanceUntil([&] { return network_.delivered().size() >= count; });
  ExpectAllInOrder(network_.delivered());
}

TEST_F(OutboxTest, AfterALetterIsGivenUpTheLaterOnesOfItsCaseSaySo) {
  const std::string poisoned = File();
  const std::string other = File();
  Advance(absl::Hours(24));
  const std::vector<v1::Alert> alerts = Alerts();
  const auto first =
      std::find_if(alerts.begin(), alerts.end(), [&](const v1::Alert& alert) { return alert.case_id() == poisoned; });
  ASSERT_NE(first, alerts.end());
  const uint64_t lost = first->position();
  network_.SetAnswer([lost](const Arrival& arrival) {
    return arrival.position == lost ? SendResult{.http_status = 422, .error = "HTTP 422"}
                                    : SendResult{.http_status = 200};
  });
  Open({Hook("ops", 1)});
  AdvanceUntil([&] { return network_.delivered().size() >= alerts.size() - 1; });
  std::string lost_id;
  for (const Arrival& arrival : network_.attempts()) {
    if (arrival.position == lost) lost_id = arrival.id;
  }
  for (const Arrival& arrival : network_.delivered()) {
    EXPECT_EQ(arrival.preceding_lost, arrival.case_no == first->case_no() ? lost_id : "");
  }
  const std::vector<v1::DeadLetter> dead = DeadLetters();
  ASSERT_THAT(dead, SizeIs(1));
  EXPECT_EQ(dead[0].id(), lost_id);
  EXPECT_EQ(dead[0].webhook(), "ops");
  EXPECT_EQ(dead[0].case_no(), first->case_no());
  EXPECT_EQ(dead[0].attempts(), kMaxRefusals);
  EXPECT_EQ(dead[0].last_error(), "HTTP 422");
  EXPECT_EQ(DescribeWhen([](const v1::Webhook& one) { return one.pending() == 0; }).dead_letters(), 1u);
  EXPECT_THAT(DeadLetters("webhook: 'ops'"), SizeIs(1));

  // It stays known over a restart, and goes out when asked for.
  Open();
  EXPECT_EQ(Describe().dead_letters(), 1u);
  network_.SetAnswer(nullptr);
  const auto replayed = Replay(absl::StrCat("webhook: 'ops' ids: '", lost_id, "'"));
  ASSERT_TRUE(replayed.ok()) << replayed.status();
  EXPECT_EQ(*replayed, 1u);
  network_.AwaitDelivered(alerts.size());
  EXPECT_THAT(DeadLetters(), IsEmpty());
  // Nothing is said any more.
  Advance(absl::Hours(24 * 3));
  network_.AwaitDelivered(Alerts().size());
  EXPECT_EQ(network_.delivered().back().preceding_lost, "");
}

TEST_F(OutboxTest, ReplaysAreOfWhatThereIs) {
  network_.SetAnswer([](const Arrival&) { return SendResult{.http_status = 400, .error = "HTTP 400"}; });
  File();
  File();
  Advance(absl::Hours(8) + absl::Seconds(1));
  const size_t count = Alerts().size();
  ASSERT_GT(count, 5u);
  Open({Hook("a", 1), Hook("b", 1)});
  AdvanceUntil([&] { return Describe(0).dead_letters() == count && Describe(1).dead_letters() == count; });
  EXPECT_THAT(DeadLetters("webhook: 'a'"), SizeIs(count));
  // In pages.
  std::set<std::string> seen;
  v1::ListDeadLettersRequest request;
  request.set_page_size(4);
  do {
    const auto reply = outbox_->ListDeadLetters(query::OpenReader(house_.engine(), {}), request);
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_LE(reply->dead_letters_size(), 4);
    for (const v1::DeadLetter& one : reply->dead_letters()) {
      EXPECT_TRUE(seen.insert(absl::StrCat(one.webhook(), one.id())).second);
    }
    request.set_page_token(reply->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(seen.size(), 2 * count);

  const auto reason = [&](const std::string& text) { return ReasonOf(Replay(text).status()); };
  EXPECT_EQ(reason("webhook: 'a'"), "INVALID_FIELD");
  EXPECT_EQ(reason("ids: '1' all: true"), "INVALID_FIELD");
  EXPECT_EQ(reason("ids: 'x'"), "INVALID_FIELD");
  EXPECT_EQ(reason("webhook: 'c' all: true"), "UNKNOWN_WEBHOOK");
  const std::string there = absl::StrCat(Alerts()[0].position());
  EXPECT_EQ(reason(absl::StrCat("ids: '", there, "' ids: '1'")), "DEAD_LETTER_NOT_FOUND");
  EXPECT_EQ(Describe(0).dead_letters(), count) << "then nothing is replayed";
  network_.SetAnswer(nullptr);
  EXPECT_EQ(*Replay(absl::StrCat("webhook: 'a' ids: '", there, "'")), 1u);
  EXPECT_EQ(*Replay(absl::StrCat("ids: '", there, "'")), 1u) << "of b, which still has it";
  EXPECT_EQ(*Replay("all: true"), 2 * count - 2);
  EXPECT_EQ(*Replay("all: true"), 0u);
  network_.AwaitDelivered(count);
}

TEST_F(OutboxTest, AnotherLogIsNotToldTheLettersOfThisOne) {
  network_.SetAnswer([](const Arrival&) { return SendResult{.http_status = 500, .error = "HTTP 500"}; });
  File();
  Advance(absl::Hours(24));
  Open({Hook("ops", 1)});
  network_.AwaitAttempts(1);
  DescribeWhen([](const v1::Webhook& one) { return one.pending() > 0 && one.failed() > 0; });
  outbox_.reset();
  House other(House::Options{.seed = 2});
  OutboxOptions options;
  options.webhooks = {Hook("ops", 1)};
  options.engine = &other.engine();
  options.kv = kv_;
  options.sender = network_.NewSender();
  const auto outbox = Outbox::Open(std::move(options));
  ASSERT_TRUE(outbox.ok()) << outbox.status();
  const v1::Webhook webhook = (*outbox)->ListWebhooks().webhooks(0);
  EXPECT_EQ(webhook.pending(), 0u);
  EXPECT_EQ(webhook.position(), other.engine().Read().position);
}

TEST_F(OutboxTest, AFullDiskIsWaitedForAndNothingIsSentUnrecorded) {
  test::FaultyKv faulty(disk_.get());
  kv_ = &faulty;
  Open();
  faulty.FailCall(test::KvCall::kWriteBefore, 1, absl::StatusCode::kResourceExhausted);
  File();
  Advance(absl::Hours(24));
  DescribeWhen([&](const v1::Webhook& one) { return !one.trouble().empty() || one.delivered() > 0; });
  EXPECT_TRUE(faulty.failed());
  network_.AwaitDelivered(Alerts().size());
  EXPECT_EQ(DescribeWhen([](const v1::Webhook& one) { return one.pending() == 0; }).trouble(), "");
  outbox_.reset();
}

TEST_F(OutboxTest, AFullDiskDoesNotKeepItFromStarting) {
  test::FaultyKv faulty(disk_.get());
  ASSERT_TRUE(faulty.CreateFamily(store::kOutboxFamily).ok());
  faulty.FailCall(test::KvCall::kWriteBefore, 1, absl::StatusCode::kResourceExhausted);
  kv_ = &faulty;
  Open();
  EXPECT_TRUE(faulty.failed());
  File();
  Advance(absl::Hours(24));
  network_.AwaitDelivered(Alerts().size());
  outbox_.reset();
}

// The store fails at each of its writes in turn, before or after it took effect, and takes no more; that is where the
// server dies. Whatever it had sent, the next one delivers everything, in order.
TEST_F(OutboxTest, DyingAtAnyWriteLosesNothing) {
  for (int i = 0; i < 3; ++i) File();
  Advance(absl::Hours(30));
  const std::vector<v1::Alert> alerts = Alerts();
  const uint64_t poisoned = alerts[1].position();
  int deaths = 0;
  for (const test::KvCall call : {test::KvCall::kWriteBefore, test::KvCall::kWriteAfter}) {
    for (int nth = 1;; ++nth) {
      network_.SetAnswer([poisoned](const Arrival& arrival) {
        return arrival.position == poisoned ? SendResult{.http_status = 400, .error = "HTTP 400"}
                                            : SendResult{.http_status = 200};
      });
      disk_ = store::OpenMemoryKv();
      FakeNetwork& network = network_;
      const size_t before = network.delivered().size();
      const auto delivered_now = [&] {
        std::vector<Arrival> all = network.delivered();
        all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(before));
        return all;
      };
      const auto distinct = [&] {
        std::set<uint64_t> positions;
        for (const Arrival& arrival : delivered_now()) positions.insert(arrival.position);
        return positions.size();
      };
      bool died = false;
      {
        test::FaultyKv faulty(disk_.get());
        faulty.FailCall(call, nth);
        kv_ = &faulty;
        auto outbox = TryOpen({Hook("ops", 1)});
        if (outbox.ok()) {
          outbox_ = *std::move(outbox);
          AdvanceUntil(
              [&] { return faulty.failed() || (Describe().pending() == 0 && Describe().dead_letters() == 1); });
          outbox_.reset();
        }
        died = faulty.failed();
      }
      kv_ = disk_.get();
      Open({Hook("ops", 1)});
      AdvanceUntil([&] { return Describe().dead_letters() == 1 && distinct() == alerts.size() - 1; });
      network_.SetAnswer(nullptr);
      ASSERT_TRUE(Replay("all: true").ok());
      AdvanceUntil([&] { return distinct() == alerts.size(); });
      std::map<std::string, uint64_t> last;
      std::set<uint64_t> seen;
      for (const Arrival& arrival : delivered_now()) {
        if (!seen.insert(arrival.position).second || arrival.position == poisoned) continue;
        EXPECT_GT(arrival.position, last[arrival.case_no]) << nth;
        last[arrival.case_no] = arrival.position;
        const bool behind = arrival.case_no == alerts[1].case_no() && arrival.position > poisoned;
        EXPECT_EQ(arrival.preceding_lost.empty(), !behind) << nth;
      }
      outbox_.reset();
      if (!died) break;
      ++deaths;
    }
  }
  EXPECT_GT(deaths, 10);
}

}  // namespace
}  // namespace docket::outbox
