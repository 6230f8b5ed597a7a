#include "store/wal_repair.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "store/record_format.h"

namespace docket::store {
namespace {

constexpr size_t kBlock = 32 << 10;

// Writes WALs by the description in wal_repair.h.
class WalWriter {
 public:
  void Add(const std::string& record) {
    size_t done = 0;
    bool first = true;
    do {
      const size_t left = kBlock - bytes_.size() % kBlock;
      if (left < 7) {
        bytes_.append(left, '\0');
        continue;
      }
      const size_t length = std::min(record.size() - done, left - 7);
      const bool last = done + length == record.size();
      Fragment(first ? (last ? 1 : 2) : (last ? 4 : 3), record.substr(done, length));
      done += length;
      first = false;
      if (last) return;
    } while (true);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void Fragment(int type, const std::string& payload) {
    const std::string body = std::string(1, static_cast<char>(type)) + payload;
    const uint32_t crc = Crc32c(body);
    const uint32_t masked = ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
    for (int i = 0; i < 4; ++i) bytes_.push_back(static_cast<char>((masked >> (8 * i)) & 0xff));
    bytes_.push_back(static_cast<char>(payload.size() & 0xff));
    bytes_.push_back(static_cast<char>(payload.size() >> 8));
    bytes_ += body;
  }
  std::string bytes_;
};

class ScanWalTest : public ::testing::Test {
 protected:
  ScanWalTest() {
    writer_.Add("first");
    writer_.Add(std::string(100'000, 'b'));  // four fragments
    before_last_ = writer_.bytes().size();
    writer_.Add(std::string(80'000, 'c'));  // four fragments, the last record
  }
  std::string Wal() const { return writer_.bytes(); }

  WalWriter writer_;
  size_t before_last_ = 0;
};

TEST_F(ScanWalTest, AWholeWalIsNotDamaged) {
  const WalScan scan = ScanWal(Wal());
  EXPECT_FALSE(scan.damaged);
  EXPECT_EQ(scan.complete_bytes, Wal().size());
  EXPECT_FALSE(ScanWal("").damaged);
}

TEST_F(ScanWalTest, ZerosBehindTheLastRecordAreSpaceAllocatedAhead) {
  const WalScan scan = ScanWal(Wal() + std::string(100'000, '\0'));
  EXPECT_FALSE(scan.damaged);
  EXPECT_EQ(scan.complete_bytes, Wal().size());
}

TEST_F(ScanWalTest, DamageAnywhereInTheLastRecordIsATornTail) {
  for (size_t at = before_last_; at < Wal().size(); at += 997) {
    std::string damaged = Wal();
    damaged[at] ^= 0x10;
    const WalScan scan = ScanWal(damaged);
    EXPECT_TRUE(scan.damaged) << at;
    EXPECT_FALSE(scan.record_after) << at;
    EXPECT_EQ(scan.complete_bytes, before_last_) << at;
  }
}

TEST_F(ScanWalTest, DamageBeforeTheLastRecordIsSeenToHaveRecordsBehindIt) {
  for (size_t at = 0; at < before_last_; at += 499) {
    std::string damaged = Wal();
    damaged[at] ^= 0x10;
    const WalScan scan = ScanWal(damaged);
    EXPECT_TRUE(scan.damaged) << at;
    EXPECT_TRUE(scan.record_after) << at;
    EXPECT_LT(scan.complete_bytes, before_last_) << at;
  }
}

TEST_F(ScanWalTest, AZeroedStretchBeforeTheLastRecordIsSeenToHaveRecordsBehindIt) {
  std::string damaged = Wal();
  std::fill_n(damaged.begin(), before_last_, '\0');
  EXPECT_TRUE(ScanWal(damaged).record_after);
}

TEST_F(ScanWalTest, TheLastRecordHalfZeroedOrCutIsATornTail) {
  const size_t middle = before_last_ + 40'000;
  std::string zeroed = Wal();
  std::fill(zeroed.begin() + static_cast<long>(middle), zeroed.end(), '\0');
  for (const std::string& wal : {zeroed, Wal().substr(0, middle)}) {
    const WalScan scan = ScanWal(wal);
    EXPECT_TRUE(scan.damaged);
    EXPECT_FALSE(scan.record_after);
    EXPECT_EQ(scan.complete_bytes, before_last_);
  }
}

TEST_F(ScanWalTest, GarbageBehindTheLastRecordIsATornTail) {
  std::string garbage;
  uint32_t state = 12345;
  for (int i = 0; i < 50'000; ++i) {
    state = state * 1664525 + 1013904223;
    garbage.push_back(static_cast<char>(state >> 24));
  }
  const WalScan scan = ScanWal(Wal() + garbage);
  EXPECT_TRUE(scan.damaged);
  EXPECT_FALSE(scan.record_after);
  EXPECT_EQ(scan.complete_bytes, Wal().size());
}

TEST_F(ScanWalTest, ARecordBehindGarbageIsFoundAtAnyOffset) {
  WalWriter more;
  more.Add("acknowledged");
  for (size_t garbage = 1; garbage < 40; ++garbage) {
    const WalScan scan = ScanWal(Wal() + std::string(garbage, '\x55') + more.bytes());
    EXPECT_TRUE(scan.record_after) << garbage;
  }
}

}  // namespace
}  // namespace docket::store
