#include "store/ordered_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <tuple>
#include <vector>

#include "rapidcheck.h"

namespace docket::store {
namespace {

std::string Bytes(std::initializer_list<int> bytes) { return std::string(bytes.begin(), bytes.end()); }

TEST(OrderedKeyTest, WritesTheBytesThatTheReadmeDescribes) {
  EXPECT_EQ(KeyWriter().U8(0x12).Take(), Bytes({0x12}));
  EXPECT_EQ(KeyWriter().U16(0x1234).Take(), Bytes({0x12, 0x34}));
  EXPECT_EQ(KeyWriter().U32(0x12345678).Take(), Bytes({0x12, 0x34, 0x56, 0x78}));
  EXPECT_EQ(KeyWriter().U64(0x123456789abcdef0).Take(), Bytes({0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0}));
  EXPECT_EQ(KeyWriter().I64(0).Take(), Bytes({0x80, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(KeyWriter().I64(-1).Take(), Bytes({0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}));
  EXPECT_EQ(KeyWriter().Text(absl::string_view("a\0b", 3)).Take(), Bytes({'a', 0, 0xff, 'b', 0, 1}));
  EXPECT_EQ(KeyWriter().Text("").Take(), Bytes({0, 1}));
}

// Every pair of texts of up to three bytes out of those that the escaping could trip over, with and without more behind.
TEST(OrderedKeyTest, TextOrderIsKeyOrderForEveryPairOfShortTexts) {
  std::vector<std::string> texts = {""};
  for (size_t begin = 0, length = 0; length < 3; ++length) {
    const size_t end = texts.size();
    for (size_t i = begin; i < end; ++i) {
      for (char byte : {'\x00', '\x01', '\x02', 'a', '\xfe', '\xff'}) texts.push_back(texts[i] + byte);
    }
    begin = end;
  }
  ASSERT_EQ(texts.size(), 1u + 6 + 36 + 216);
  for (const std::string& a : texts) {
    for (const std::string& b : texts) {
      const bool key_less = KeyWriter().Text(a).Take() < KeyWriter().Text(b).Take();
      ASSERT_EQ(key_less, a < b) << testing::PrintToString(a) << " " << testing::PrintToString(b);
      // What follows a text matters only between equal texts.
      const bool followed = KeyWriter().Text(a).U8(0xff).Take() < KeyWriter().Text(b).U8(0).Take();
      ASSERT_EQ(followed, a < b) << testing::PrintToString(a) << " " << testing::PrintToString(b);
    }
  }
}

using Parts = std::tuple<std::string, int64_t, uint32_t, std::string, uint64_t, uint8_t, uint16_t>;

std::string KeyOf(const Parts& parts) {
  const auto& [text, i64, u32, more, u64, u8, u16] = parts;
  return KeyWriter().Text(text).I64(i64).U32(u32).Text(more).U64(u64).U8(u8).U16(u16).Take();
}

TEST(OrderedKeyTest, KeyOrderIsTheOrderOfTheParts) {
  EXPECT_TRUE(rc::check([](const Parts& a, const Parts& b) { RC_ASSERT((KeyOf(a) < KeyOf(b)) == (a < b)); }));
  // Random parts seldom agree, so the later parts are also compared behind equal earlier ones.
  EXPECT_TRUE(rc::check([](const Parts& a, int64_t i64, uint64_t u64) {
    Parts b = a;
    std::get<1>(b) = i64;
    RC_ASSERT((KeyOf(a) < KeyOf(b)) == (a < b));
    b = a;
    std::get<4>(b) = u64;
    RC_ASSERT((KeyOf(a) < KeyOf(b)) == (a < b));
  }));
}

TEST(OrderedKeyTest, ReadsBackWhatWasWritten) {
  EXPECT_TRUE(rc::check([](const Parts& parts) {
    const std::string key = KeyOf(parts);
    KeyReader reader(key);
    Parts read;
    auto& [text, i64, u32, more, u64, u8, u16] = read;
    RC_ASSERT(reader.Text(&text) && reader.I64(&i64) && reader.U32(&u32) && reader.Text(&more) && reader.U64(&u64) &&
              reader.U8(&u8) && reader.U16(&u16));
    RC_ASSERT(reader.AtEnd());
    RC_ASSERT(read == parts);
  }));
}

TEST(OrderedKeyTest, SignedExtremesKeepTheirOrder) {
  const std::vector<int64_t> values = {std::numeric_limits<int64_t>::min(), -1, 0, 1,
                                       std::numeric_limits<int64_t>::max()};
  for (size_t i = 1; i < values.size(); ++i) {
    EXPECT_LT(KeyWriter().I64(values[i - 1]).Take(), KeyWriter().I64(values[i]).Take());
  }
}

TEST(OrderedKeyTest, EveryTruncationOfAKeyIsRefusedAndLeavesTheValueAlone) {
  const std::string u64 = KeyWriter().U64(7).Take();
  const std::string text = KeyWriter().Text(absl::string_view("a\0b", 3)).Take();
  for (size_t size = 0; size < u64.size(); ++size) {
    uint64_t value = 42;
    EXPECT_FALSE(KeyReader(absl::string_view(u64).substr(0, size)).U64(&value));
    int64_t i64 = 42;
    EXPECT_FALSE(KeyReader(absl::string_view(u64).substr(0, size)).I64(&i64));
    EXPECT_EQ(value, 42u);
    EXPECT_EQ(i64, 42);
  }
  for (size_t size = 0; size < text.size(); ++size) {
    std::string value = "before";
    EXPECT_FALSE(KeyReader(absl::string_view(text).substr(0, size)).Text(&value)) << size;
    EXPECT_EQ(value, "before");
  }
}

TEST(OrderedKeyTest, AnUnknownEscapeIsRefused) {
  std::string value = "before";
  EXPECT_FALSE(KeyReader(Bytes({'a', 0, 2, 0, 1})).Text(&value));
  EXPECT_EQ(value, "before");
}

TEST(OrderedKeyTest, PrefixEndIsTheFirstKeyBehindAllThatHaveThePrefix) {
  EXPECT_EQ(PrefixEnd("a"), "b");
  EXPECT_EQ(PrefixEnd(Bytes({1, 0xff, 0xff})), Bytes({2}));
  EXPECT_EQ(PrefixEnd(Bytes({0x7f})), Bytes({0x80}));
  EXPECT_EQ(PrefixEnd(Bytes({0xff, 0xff})), "") << "no key is greater";
  EXPECT_EQ(PrefixEnd(""), "");
  EXPECT_TRUE(rc::check([](const std::string& prefix, const std::string& rest, const std::string& other) {
    const std::string end = PrefixEnd(prefix);
    RC_PRE(!end.empty());
    RC_ASSERT(prefix + rest < end);
    if (other > prefix && other < end) RC_ASSERT(other.substr(0, prefix.size()) == prefix);
  }));
}

}  // namespace
}  // namespace docket::store
