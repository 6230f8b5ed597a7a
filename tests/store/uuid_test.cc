#include "store/uuid.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "store/requests.h"
#include "store/record_format.h"

namespace docket::store {
namespace {

// The example of RFC 9562 appendix A.6.
constexpr char kExample[] = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
constexpr int64_t kExampleMs = 0x017F22E279B0;

TEST(UuidTest, ReadsAndWritesTheExampleOfTheRfc) {
  EXPECT_EQ(ParseUuidV7(kExample), kExampleMs);
  const std::string random("\x0c\xc3\x18\xc4\xdc\x0c\x0c\x07\x39\x8f", 10);
  EXPECT_EQ(MakeUuidV7(kExampleMs, random), kExample);
}

TEST(UuidTest, VersionAndVariantAreSetWhateverTheRandomBytes) {
  EXPECT_EQ(MakeUuidV7(0, std::string(10, '\0')), "00000000-0000-7000-8000-000000000000");
  EXPECT_EQ(MakeUuidV7(kMaxUuidMs, std::string(10, '\xff')), "ffffffff-ffff-7fff-bfff-ffffffffffff");
  EXPECT_EQ(ParseUuidV7("ffffffff-ffff-7fff-bfff-ffffffffffff"), kMaxUuidMs);
}

TEST(UuidTest, TextOrderIsTimeOrder) {
  std::vector<std::string> ids;
  for (int64_t ms : {int64_t{0}, int64_t{1}, int64_t{255}, int64_t{256}, int64_t{1} << 32, kMaxUuidMs}) {
    ids.push_back(MakeUuidV7(ms, std::string(10, ms % 2 == 0 ? '\xff' : '\0')));
  }
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
}

TEST(UuidTest, RefusesAnythingElse) {
  const std::string good = kExample;
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = 'g';
    EXPECT_EQ(ParseUuidV7(bad), std::nullopt) << i;
    bad[i] = good[i] == '-' ? '0' : '-';
    EXPECT_EQ(ParseUuidV7(bad), std::nullopt) << i;
    EXPECT_EQ(ParseUuidV7(good.substr(0, i)), std::nullopt) << i;
  }
  EXPECT_EQ(ParseUuidV7(good + "0"), std::nullopt);
  EXPECT_EQ(ParseUuidV7("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"), std::nullopt) << "one id has one spelling";
  EXPECT_EQ(ParseUuidV7("017f22e2-79b0-4cc3-98c4-dc0c0c07398f"), std::nullopt) << "version 4";
  for (char variant : {'0', '7', 'c', 'f'}) {
    std::string bad = good;
    bad[19] = variant;
    EXPECT_EQ(ParseUuidV7(bad), std::nullopt) << variant;
  }
  EXPECT_EQ(ParseUuidV7(""), std::nullopt);
}

TEST(RequestDigestTest, DependsOnSaltAndContent) {
  EXPECT_EQ(RequestDigest("salt", "content"), Sha256("docket/request/v1saltcontent"));
  EXPECT_NE(RequestDigest("salt", "content"), RequestDigest("salT", "content"));
  EXPECT_NE(RequestDigest("salt", "content"), RequestDigest("salt", "contenT"));
}

}  // namespace
}  // namespace docket::store
