// From catch-up to live: readers that begin anywhere in the log while it grows get every commit once and in order.
#include "services/engine/feed.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/house.h"

namespace docket::engine {
namespace {

constexpr int kReaders = 8;
constexpr int kHandOversEach = 125;   // 1,000 in all
constexpr uint64_t kLiveCommits = 3;  // received live before a hand-over counts as done

Feed::Record MakeRecord(uint64_t commit) {
  auto record = std::make_shared<v1::CommitRecord>();
  record->set_commit(commit);
  return record;
}

// A log that a publisher lengthens whenever somebody waits for more.
class GrowingLog {
 public:
  Feed::Record Read(uint64_t commit) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return commit < records_.size() ? records_[commit] : nullptr;
  }
  uint64_t size() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return records_.size();
  }
  const Feed& feed() const { return feed_; }

  // Appends and publishes `count` commits, each counted as up to 64 KiB so that the feed forgets by bytes too.
  void Grow(size_t count, std::mt19937_64& random) {
    std::vector<Feed::Record> fresh;
    std::vector<size_t> bytes;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      for (size_t i = 0; i < count; ++i) {
        records_.push_back(MakeRecord(records_.size()));
        fresh.push_back(records_.back());
        bytes.push_back(random() % (64 << 10));
      }
    }
    feed_.Publish(std::move(fresh), bytes);
  }

  void AskForMore() {
    const std::lock_guard<std::mutex> lock(mutex_);
    asked_ = true;
    changed_.notify_all();
  }
  void ReaderEnded() {
    const std::lock_guard<std::mutex> lock(mutex_);
    --readers_;
    changed_.notify_all();
  }
  // False: no reader is left.
  bool WaitUntilAsked() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return asked_ || readers_ == 0; });
    asked_ = false;
    return readers_ > 0;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Feed::Record> records_;
  Feed feed_{0};
  bool asked_ = false;
  int readers_ = kReaders;
};

// Follows the log from `next` on as services do: from the feed while it holds the commit, else from the log, else
// waits.
class Follower {
 public:
  Follower(GrowingLog* log, uint64_t next) : log_(log), next_(next) {
    subscription_ = log_->feed().Subscribe([wake = wake_] { wake->Ring(); });
  }
  ~Follower() { log_->feed().Unsubscribe(subscription_); }

  // The next commit; `live` tells whether it had to be waited for.
  Feed::Record Next(bool* live) {
    *live = false;
    for (;;) {
      Feed::Record record = log_->feed().Get(next_);
      if (record == nullptr && next_ < log_->feed().next_commit()) record = log_->Read(next_);
      if (record != nullptr) {
        ++next_;
        return record;
      }
      *live = true;
      log_->AskForMore();
      wake_->Wait();
    }
  }

 private:
  struct Bell {
    void Ring() {
      const std::lock_guard<std::mutex> lock(mutex);
      rung = true;
      changed.notify_one();
    }
    void Wait() {
      std::unique_lock<std::mutex> lock(mutex);
      changed.wait(lock, [this] { return rung; });
      rung = false;
    }
    std::mutex mutex;
    std::condition_variable changed;
    bool rung = false;
  };

  GrowingLog* const log_;
  uint64_t next_;
  const std::shared_ptr<Bell> wake_ = std::make_shared<Bell>();
  uint64_t subscription_ = 0;
};

TEST(FeedTest, AThousandReadersComeFromCatchUpToLiveWithoutLosingOrRepeatingACommit) {
  GrowingLog log;
  std::mt19937_64 random(7);
  log.Grow(10'000, random);
  std::vector<std::thread> readers;
  std::atomic<int> hand_overs = 0;
  for (int reader = 0; reader < kReaders; ++reader) {
    readers.emplace_back([&log, &hand_overs, reader] {
      std::mt19937_64 chance(100 + reader);
      for (int i = 0; i < kHandOversEach; ++i) {
        // Sometimes at the end, mostly a little behind it, now and then before what the feed holds.
        const uint64_t lag = std::min<uint64_t>(log.size(), chance() % (uint64_t{1} << (chance() % 14)));
        uint64_t expected = log.size() - lag;
        Follower follower(&log, expected);
        for (uint64_t lived = 0; lived < kLiveCommits;) {
          bool live = false;
          const Feed::Record record = follower.Next(&live);
          ASSERT_EQ(record->commit(), expected++);
          lived += live;
        }
        ++hand_overs;
      }
      log.ReaderEnded();
    });
  }
  while (log.WaitUntilAsked()) log.Grow(1 + random() % (uint64_t{1} << (random() % 9)), random);
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(hand_overs, kReaders * kHandOversEach);
}

TEST(FeedTest, HoldsTheNewestCommitsUpToItsLimits) {
  Feed feed(5);
  EXPECT_EQ(feed.next_commit(), 5u);
  EXPECT_EQ(feed.Get(4), nullptr);
  EXPECT_EQ(feed.Get(5), nullptr);
  uint64_t commit = 5;
  for (size_t i = 0; i < Feed::kHeldCommits + 1; ++i) feed.Publish({MakeRecord(commit++)}, {1});
  EXPECT_EQ(feed.Get(5), nullptr) << "one more than it holds";
  EXPECT_EQ(feed.Get(6)->commit(), 6u);
  EXPECT_EQ(feed.Get(commit - 1)->commit(), commit - 1);
  EXPECT_EQ(feed.Get(commit), nullptr);
  feed.Publish({MakeRecord(commit++)}, {Feed::kHeldBytes});
  EXPECT_EQ(feed.Get(commit - 2), nullptr) << "together they are over the limit of bytes";
  feed.Publish({MakeRecord(commit++)}, {Feed::kHeldBytes + 1});
  EXPECT_EQ(feed.Get(commit - 1)->commit(), commit - 1) << "the newest is held whatever its size";
}

TEST(FeedTest, WhatTheFeedShowsIsReadable) {
  testing::House house;
  const auto filed = house.File("kind: REQUEST title: 'A key'");
  ASSERT_TRUE(filed.ok()) << filed.status();
  int wakes = 0;
  const uint64_t subscription = house.engine().feed().Subscribe([&] {
    ++wakes;
    const uint64_t shown = house.engine().feed().next_commit();
    EXPECT_EQ(house.engine().Read().commits, shown);
    EXPECT_TRUE(house.log().Read(shown - 1).ok());
  });
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(house.Do(filed->case_id(), "add_note { body: 'x' }").ok());
  house.Settle();
  EXPECT_EQ(wakes, 10);
  house.engine().feed().Unsubscribe(subscription);
  ASSERT_TRUE(house.Do(filed->case_id(), "add_note { body: 'x' }").ok());
  house.Settle();
  EXPECT_EQ(wakes, 10);
}

}  // namespace
}  // namespace docket::engine
