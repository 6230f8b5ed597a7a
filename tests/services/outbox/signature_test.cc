#include "services/outbox/signature.h"

#include <string>

#include "gtest/gtest.h"

namespace docket::outbox {
namespace {

// printf '%s' '1795000000.{"a":1}' | openssl dgst -sha256 -hmac 'a key of 24 bytes length'
TEST(SignatureTest, IsTheHmacOfTimeAndBody) {
  EXPECT_EQ(Sign("a key of 24 bytes length", absl::FromUnixSeconds(1'795'000'000), "{\"a\":1}"),
            "t=1795000000,v1=837fba22331cb4587b4550435334d46b1608e243a5bfea510345859b59749315");
}

TEST(SignatureTest, EveryPartCounts) {
  const absl::Time now = absl::FromUnixSeconds(1'795'000'000);
  const std::string good = Sign("key", now, "body");
  EXPECT_EQ(Sign("key", now + absl::Milliseconds(900), "body"), good);
  EXPECT_NE(Sign("kez", now, "body"), good);
  EXPECT_NE(Sign("key", now, "bodz"), good);
  const auto mac = [](const std::string& header) { return header.substr(header.find("v1=")); };
  EXPECT_NE(mac(Sign("key", now + absl::Seconds(1), "body")), mac(good));
}

}  // namespace
}  // namespace docket::outbox
