#include "tools/client/request_id.h"

#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace docket::client {
namespace {

TEST(RequestId, HasTheTimeTheVersionAndTheVariant) {
  // The example of RFC 9562, appendix A.6: 2022-02-22T19:22:22Z.
  const absl::Time time = absl::FromUnixMillis(0x017F22E279B0);
  EXPECT_EQ(FormatUuidV7(time, 0xCC3, 0x18C4DC0C0C07398F), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

TEST(RequestId, BitsBesideTheRandomOnesAreFixed) {
  const std::string id = FormatUuidV7(absl::UnixEpoch(), ~uint64_t{0}, ~uint64_t{0});
  EXPECT_EQ(id, "00000000-0000-7fff-bfff-ffffffffffff");
}

TEST(RequestId, FreshOnesDifferAndAreUuids) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = NewRequestId();
    EXPECT_TRUE(IsUuid(id)) << id;
    EXPECT_EQ(id[14], '7');
    seen.insert(id);
  }
  EXPECT_EQ(seen.size(), 1000);
}

TEST(RequestId, OnlyTheShapeOfAUuidIsOne) {
  EXPECT_TRUE(IsUuid("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"));
  EXPECT_FALSE(IsUuid(""));
  EXPECT_FALSE(IsUuid("017f22e279b07cc398c4dc0c0c07398f"));
  EXPECT_FALSE(IsUuid("017f22e2-79b0-7cc3-98c4-dc0c0c07398g"));
  EXPECT_FALSE(IsUuid("017f22e2-79b0-7cc3-98c4-dc0c0c07398f0"));
  EXPECT_FALSE(IsUuid("017f22e2079b0-7cc3-98c4-dc0c0c07398f"));
}

}  // namespace
}  // namespace docket::client
