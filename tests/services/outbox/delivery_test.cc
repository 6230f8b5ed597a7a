#include "services/outbox/delivery.h"

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace docket::outbox {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Verdict = Delivery::Verdict;

const absl::Time kStart = absl::FromUnixSeconds(1'795'000'000);
const SendResult kOk{.http_status = 204};
const SendResult kDown{.error = "Couldn't connect to server"};
const SendResult kRefused{.http_status = 422, .error = "HTTP 422"};

v1::OutboxLetter Letter(uint64_t position, const std::string& case_id, absl::Time not_before = absl::UnixEpoch()) {
  v1::OutboxLetter letter;
  letter.set_position(position);
  letter.set_case_id(case_id);
  letter.set_next_attempt_at_us(absl::ToUnixMicros(not_before));
  return letter;
}

std::vector<uint64_t> Take(Delivery& delivery, absl::Time now) {
  std::vector<uint64_t> positions;
  for (const v1::OutboxLetter& letter : delivery.TakeDue(now)) positions.push_back(letter.position());
  return positions;
}

Verdict Finish(Delivery& delivery, uint64_t position, const SendResult& result, absl::Time now) {
  v1::OutboxLetter letter;
  return delivery.Finish(position, result, now, /*chance=*/0, /*may_give_up=*/true, &letter);
}

TEST(AnswerTest, OnlyAVerdictOnTheMessageIsARefusal) {
  const auto answer = [](int status) { return AnswerOf({.http_status = status}); };
  for (int status : {200, 201, 202, 204, 299}) EXPECT_EQ(answer(status), Answer::kDelivered) << status;
  for (int status : {400, 413, 414, 415, 422, 431}) EXPECT_EQ(answer(status), Answer::kRefused) << status;
  for (int status : {0, 100, 199, 300, 301, 302, 308, 401, 403, 404, 405, 408, 409, 410, 425, 429, 500, 503, 599}) {
    EXPECT_EQ(answer(status), Answer::kFailed) << status;
  }
}

TEST(DelayTest, DoublesUpToTheLongestAndJitterTakesAtMostHalf) {
  const DeliveryPolicy policy;
  const auto delay = [&](uint32_t failures, double chance, absl::Duration retry_after = absl::ZeroDuration()) {
    return DelayAfter(policy, failures, chance, retry_after);
  };
  EXPECT_EQ(delay(1, 0), absl::Seconds(1));
  EXPECT_EQ(delay(2, 0), absl::Seconds(2));
  EXPECT_EQ(delay(9, 0), absl::Seconds(256));
  EXPECT_EQ(delay(10, 0), absl::Minutes(5));
  EXPECT_EQ(delay(4'000'000'000, 0), absl::Minutes(5));
  EXPECT_EQ(delay(3, 1), absl::Seconds(2));
  EXPECT_EQ(delay(3, 0.5), absl::Seconds(3));
  EXPECT_EQ(delay(1, 0, absl::Seconds(90)), absl::Seconds(90));
  EXPECT_EQ(delay(10, 0, absl::Seconds(90)), absl::Minutes(5)) << "asking for less does not shorten it";
  EXPECT_EQ(delay(1, 0, absl::Hours(100)), kMaxRetryAfter);
}

TEST(DeliveryTest, ACaseIsInOrderAndCasesOvertake) {
  Delivery delivery(DeliveryPolicy{});
  for (const auto& [position, id] : std::map<uint64_t, std::string>{{1, "a"}, {2, "a"}, {3, "b"}, {4, "a"}}) {
    EXPECT_TRUE(delivery.Add(Letter(position, id)));
  }
  EXPECT_FALSE(delivery.Add(Letter(3, "b"))) << "pending already";
  EXPECT_THAT(Take(delivery, kStart), ElementsAre(1, 3));
  EXPECT_THAT(Take(delivery, kStart), IsEmpty());
  EXPECT_EQ(Finish(delivery, 3, kOk, kStart), Verdict::kDelivered);
  EXPECT_THAT(Take(delivery, kStart), IsEmpty()) << "2 and 4 wait for 1";
  EXPECT_EQ(Finish(delivery, 1, kOk, kStart), Verdict::kDelivered);
  EXPECT_THAT(Take(delivery, kStart), ElementsAre(2));
  EXPECT_EQ(Finish(delivery, 2, kOk, kStart), Verdict::kDelivered);
  EXPECT_THAT(Take(delivery, kStart), ElementsAre(4));
  EXPECT_EQ(delivery.pending(), 1u);
  EXPECT_EQ(delivery.in_flight(), 1u);
}

TEST(DeliveryTest, QuietHoursHoldTheLetterNotThoseBehindIt) {
  Delivery delivery(DeliveryPolicy{});
  delivery.Add(Letter(1, "a", kStart + absl::Hours(8)));
  delivery.Add(Letter(2, "a"));
  delivery.Add(Letter(3, "b"));
  delivery.Add(Letter(4, "a"));
  EXPECT_THAT(Take(delivery, kStart), ElementsAre(2, 3));
  EXPECT_EQ(delivery.held(), 1u);
  EXPECT_EQ(delivery.held_until(), kStart + absl::Hours(8));
  Finish(delivery, 3, kOk, kStart);
  Finish(delivery, 2, kOk, kStart);
  EXPECT_THAT(Take(delivery, kStart), ElementsAre(4));
  Finish(delivery, 4, kOk, kStart);
  EXPECT_EQ(delivery.NextDue(), kStart + absl::Hours(8));
  EXPECT_THAT(Take(delivery, kStart + absl::Hours(8)), ElementsAre(1));
  EXPECT_EQ(delivery.held(), 0u);
  EXPECT_EQ(delivery.held_until(), absl::InfiniteFuture());
}

TEST(DeliveryTest, WhatWasTriedHoldsUpThoseBehindItAndNotWhatBecomesDueBeforeIt) {
  Delivery delivery(DeliveryPolicy{.first_delay = absl::Hours(2), .longest_delay = absl::Hours(2)});
  delivery.Add(Letter(1, "a", kStart + absl::Hours(3)));
  delivery.Add(Letter(2, "a"));
  delivery.Add(Letter(3, "a"));
  EXPECT_THAT(Take(delivery, kStart), ElementsAre(2));
  Finish(delivery, 2, kDown, kStart);
  EXPECT_EQ(delivery.NextDue(), kStart + absl::Hours(2));
  EXPECT_THAT(Take(delivery, kStart + absl::Hours(3)), ElementsAre(1)) << "both are due, in order";
  Finish(delivery, 1, kOk, kStart + absl::Hours(3));
  EXPECT_THAT(Take(delivery, kStart + absl::Hours(3)), ElementsAre(2));
  Finish(delivery, 2, kOk, kStart + absl::Hours(3));
  EXPECT_THAT(Take(delivery, kStart + absl::Hours(3)), ElementsAre(3));
}

TEST(DeliveryTest, NoMoreAreUnderWayThanAllowed) {
  Delivery delivery(DeliveryPolicy{.max_in_flight = 3});
  for (uint64_t i = 1; i <= 10; ++i) delivery.Add(Letter(i, absl::StrCat(i)));
  EXPECT_THAT(Take(delivery, kStart), ElementsAre(1, 2, 3));
  EXPECT_EQ(delivery.NextDue(), absl::InfiniteFuture());
  Finish(delivery, 2, kOk, kStart);
  EXPECT_THAT(Take(delivery, kStart), ElementsAre(4));
}

TEST(DeliveryTest, AReceiverThatIsDownIsProbedWithOneLetterAtGrowingIntervals) {
  Delivery delivery(DeliveryPolicy{.max_in_flight = 4});
  for (uint64_t i = 1; i <= 10; ++i) delivery.Add(Letter(i, absl::StrCat(i)));
  EXPECT_THAT(Take(delivery, kStart), SizeIs(4));
  for (uint64_t i = 1; i <= 4; ++i) EXPECT_EQ(Finish(delivery, i, kDown, kStart), Verdict::kRetry);
  EXPECT_EQ(delivery.failing_since(), kStart);
  EXPECT_EQ(delivery.NextDue(), kStart + absl::Seconds(1)) << "four at once are one failure";
  absl::Time now = kStart;
  for (int64_t pause : {1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300}) {
    EXPECT_THAT(Take(delivery, now + absl::Seconds(pause) - absl::Microseconds(1)), IsEmpty());
    now += absl::Seconds(pause);
    const std::vector<uint64_t> probe = Take(delivery, now);
    ASSERT_THAT(probe, SizeIs(1));
    EXPECT_EQ(Finish(delivery, probe[0], kDown, now), Verdict::kRetry);
  }
  now += absl::Seconds(300);
  const std::vector<uint64_t> probe = Take(delivery, now);
  ASSERT_THAT(probe, SizeIs(1));
  EXPECT_EQ(Finish(delivery, probe[0], kOk, now), Verdict::kDelivered);
  EXPECT_EQ(delivery.failing_since(), absl::InfiniteFuture());
  EXPECT_THAT(Take(delivery, now), SizeIs(4)) << "as before";
}

TEST(DeliveryTest, OnePoisonedLetterHoldsUpItsCaseOnly) {
  Delivery delivery(DeliveryPolicy{.give_up_after = absl::Hours(1), .max_in_flight = 4});
  for (uint64_t i = 1; i <= 20; ++i) delivery.Add(Letter(i, absl::StrCat(i % 5)));
  absl::Time now = kStart;
  std::set<uint64_t> delivered;
  std::vector<uint64_t> dead;
  while (delivery.pending() > 0 && now < kStart + absl::Hours(3)) {
    for (const uint64_t position : Take(delivery, now)) {
      const Verdict verdict = Finish(delivery, position, position == 1 ? kDown : kOk, now);
      if (verdict == Verdict::kDelivered) delivered.insert(position);
      if (verdict == Verdict::kDead) dead.push_back(position);
    }
    if (now == kStart + absl::Minutes(1)) {
      EXPECT_EQ(delivered.size(), 16u) << "all of the other cases, long before";
    }
    now += absl::Seconds(1);
  }
  EXPECT_THAT(dead, ElementsAre(1));
  EXPECT_EQ(delivered.size(), 19u);
  EXPECT_GT(now, kStart + absl::Hours(1));
}

TEST(DeliveryTest, ALetterIsGivenUpByAttemptsOrAgeOrRefusals) {
  const auto attempts_until_dead = [](const DeliveryPolicy& policy, const SendResult& result) {
    Delivery delivery(policy);
    delivery.Add(Letter(1, "a"));
    int attempts = 0;
    for (absl::Time now = kStart; delivery.pending() > 0; now = delivery.NextDue()) {
      EXPECT_THAT(Take(delivery, now), ElementsAre(1));
      Finish(delivery, 1, result, now);
      ++attempts;
    }
    return attempts;
  };
  EXPECT_EQ(attempts_until_dead({.max_attempts = 7}, kDown), 7);
  EXPECT_EQ(attempts_until_dead({.give_up_after = absl::Seconds(15)}, kDown), 5) << "at 0, 1, 3, 7 and 15 s";
  EXPECT_GT(attempts_until_dead({}, kDown), 800) << "three days at five minutes";
  EXPECT_EQ(attempts_until_dead({}, kRefused), static_cast<int>(kMaxRefusals));
  EXPECT_EQ(attempts_until_dead({.max_attempts = 1}, kRefused), 1);
}

TEST(DeliveryTest, NothingIsGivenUpWhileThereIsNoRoomForIt) {
  Delivery delivery(DeliveryPolicy{.max_attempts = 1});
  delivery.Add(Letter(1, "a"));
  EXPECT_THAT(Take(delivery, kStart), ElementsAre(1));
  v1::OutboxLetter letter;
  EXPECT_EQ(delivery.Finish(1, kDown, kStart, 0, /*may_give_up=*/false, &letter), Verdict::kRetry);
  EXPECT_EQ(delivery.pending(), 1u);
}

TEST(DeliveryTest, RetryAfterHoldsBackTheWholeReceiver) {
  Delivery delivery(DeliveryPolicy{});
  delivery.Add(Letter(1, "a"));
  delivery.Add(Letter(2, "b"));
  EXPECT_THAT(Take(delivery, kStart), ElementsAre(1, 2));
  Finish(delivery, 1, {.http_status = 429, .error = "HTTP 429", .retry_after = absl::Minutes(10)}, kStart);
  delivery.Add(Letter(3, "c"));
  Finish(delivery, 2, kOk, kStart + absl::Minutes(1));
  EXPECT_THAT(Take(delivery, kStart + absl::Minutes(9)), IsEmpty()) << "also after another success";
  EXPECT_EQ(delivery.NextDue(), kStart + absl::Minutes(10));
  EXPECT_THAT(Take(delivery, kStart + absl::Minutes(10)), ElementsAre(3, 1));
}

TEST(DeliveryTest, APauseEndsWhenSomebodySaysSo) {
  Delivery delivery(DeliveryPolicy{});
  delivery.Add(Letter(1, "a"));
  delivery.Add(Letter(2, "b"));
  EXPECT_THAT(Take(delivery, kStart), ElementsAre(1, 2));
  Finish(delivery, 1, kDown, kStart);
  Finish(delivery, 2, kDown, kStart);
  delivery.Add(Letter(3, "c"));
  EXPECT_THAT(Take(delivery, kStart), IsEmpty());
  delivery.EndPause();
  EXPECT_THAT(Take(delivery, kStart), ElementsAre(3)) << "one, to see";
}

TEST(DeliveryTest, AReplayedLetterGoesBeforeThoseBehindIt) {
  Delivery delivery(DeliveryPolicy{});
  delivery.Add(Letter(5, "a"));
  EXPECT_THAT(Take(delivery, kStart), ElementsAre(5));
  delivery.Add(Letter(7, "a"));
  delivery.Add(Letter(2, "a"));
  EXPECT_THAT(Take(delivery, kStart), IsEmpty()) << "one of the case is under way";
  Finish(delivery, 5, kOk, kStart);
  EXPECT_THAT(Take(delivery, kStart), ElementsAre(2));
  Finish(delivery, 2, kOk, kStart);
  EXPECT_THAT(Take(delivery, kStart), ElementsAre(7));
}

// Whatever receivers answer, of a case one letter at a time is tried, before it every one that was due, and each ends
// exactly once.
TEST(DeliveryTest, RandomWalk) {
  for (uint32_t seed = 1; seed <= 50; ++seed) {
    std::mt19937_64 chance(seed);
    Delivery delivery(DeliveryPolicy{.max_attempts = 4, .max_in_flight = 5});
    std::map<uint64_t, std::string> under_way;
    std::map<std::string, std::map<uint64_t, absl::Time>> open;  // of a case: position, when it may be told
    std::set<std::string> busy;
    absl::Time now = kStart;
    uint64_t added = 0, ended = 0;
    while (ended < 300) {
      if (added < 300 && chance() % 2 == 0) {
        ++added;
        const std::string id = absl::StrCat(chance() % 7);
        const absl::Time from = now + absl::Seconds(chance() % 5);
        open[id][added] = from;
        delivery.Add(Letter(added, id, from));
      }
      for (const v1::OutboxLetter& letter : delivery.TakeDue(now)) {
        ASSERT_TRUE(busy.insert(letter.case_id()).second) << "seed " << seed;
        for (const auto& [position, from] : open[letter.case_id()]) {
          ASSERT_TRUE(position >= letter.position() || from > now) << "seed " << seed;
        }
        under_way[letter.position()] = letter.case_id();
      }
      ASSERT_EQ(delivery.in_flight(), under_way.size());
      if (!under_way.empty() && chance() % 3 != 0) {
        auto one = under_way.begin();
        std::advance(one, chance() % under_way.size());
        const SendResult& result = chance() % 3 == 0 ? kOk : chance() % 5 == 0 ? kRefused : kDown;
        if (Finish(delivery, one->first, result, now) != Verdict::kRetry) {
          open[one->second].erase(one->first);
          ++ended;
        }
        busy.erase(one->second);
        under_way.erase(one);
      }
      ASSERT_EQ(delivery.pending(), added - ended);
      now += absl::Seconds(chance() % 3);
    }
    EXPECT_EQ(delivery.NextDue(), absl::InfiniteFuture());
  }
}

}  // namespace
}  // namespace docket::outbox
