#include "services/outbox/webhook.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace docket::outbox {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class WebhookFileTest : public ::testing::Test {
 protected:
  WebhookFileTest() {
    std::string folder = ::testing::TempDir() + "/webhooks-XXXXXX";
    folder_ = mkdtemp(folder.data());
    Write("key", "0123456789abcdef0123456789abcdef\n");
  }
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
  }
  absl::StatusOr<std::vector<WebhookOptions>> Read(const std::string& yaml) {
    Write("webhooks.yaml", yaml);
    return ReadWebhooks(folder_ + "/webhooks.yaml");
  }
  std::string ErrorOf(const std::string& yaml) {
    const auto read = Read(yaml);
    EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument) << yaml;
    return std::string(read.status().message());
  }

  std::string folder_;
};

TEST_F(WebhookFileTest, EverythingThatCanBeSaid) {
  const auto read = Read(R"(
- name: ops
  url: https://example.org/hooks/docket?x=1
  secret_file: key
  from: beginning
  timeout: 20s
  connect_timeout: 2s
  retry_first: 2s
  retry_longest: 1m
  max_attempts: 7
  give_up_after: 1d
  max_in_flight: 2
  ca_file: ca.pem
  filter:
    department: complaints
    case_kinds: [COMPLAINT]
    metrics: [RESOLUTION, FIRST_RESPONSE]
    obligations: [CUSTOMER]
    targets: [helen.marsh]
    kinds: [BREACH, ESCALATION]
- {name: second, url: "http://127.0.0.1:8080/x", secret_file: key}
)");
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), 2u);
  const WebhookOptions& ops = (*read)[0];
  EXPECT_EQ(ops.name, "ops");
  EXPECT_EQ(ops.url, "https://example.org/hooks/docket?x=1");
  EXPECT_EQ(ShownUrl(ops.url), "https://example.org/hooks/docket");
  EXPECT_EQ(ops.secret, "0123456789abcdef0123456789abcdef") << "without the line end";
  EXPECT_EQ(ops.from_position, 1u);
  EXPECT_EQ(ops.timeout, absl::Seconds(20));
  EXPECT_EQ(ops.connect_timeout, absl::Seconds(2));
  EXPECT_EQ(ops.policy.first_delay, absl::Seconds(2));
  EXPECT_EQ(ops.policy.longest_delay, absl::Minutes(1));
  EXPECT_EQ(ops.policy.max_attempts, 7u);
  EXPECT_EQ(ops.policy.give_up_after, absl::Hours(24));
  EXPECT_EQ(ops.policy.max_in_flight, 2u);
  EXPECT_EQ(ops.ca_file, folder_ + "/ca.pem");
  EXPECT_EQ(ops.filter.department(), "complaints");
  EXPECT_THAT(ops.filter.case_kinds(), ElementsAre(v1::COMPLAINT));
  EXPECT_THAT(ops.filter.metrics(), ElementsAre("RESOLUTION", "FIRST_RESPONSE"));
  EXPECT_THAT(ops.filter.obligations(), ElementsAre(v1::CUSTOMER));
  EXPECT_THAT(ops.filter.targets(), ElementsAre("helen.marsh"));
  EXPECT_THAT(ops.filter.kinds(), ElementsAre(v1::BREACH, v1::ESCALATION));
  EXPECT_EQ((*read)[1].from_position, 0u) << "the end";
  EXPECT_EQ((*read)[1].policy.give_up_after, absl::Hours(72));
}

TEST_F(WebhookFileTest, EverythingWrongIsListedWithItsLine) {
  const std::string error = ErrorOf(R"(- name: ops
  url: http://example.org/x
  secret_file: nothing
  from: yesterday
  timeout: 1h
  retries: 3
  filter: {kinds: [BREECH], departments: x}
- {name: ops, url: "ftp://127.0.0.1/", secret_file: key}
- {name: UPPER, secret_file: key}
)");
  for (const char* part :
       {":2: ", "leaves this machine in clear", ":3: ", "cannot read", ":4: ", "yesterday", ":5: ", "timeout: 1h",
        ":6: ", "retries", ":7: ", "BREECH", "departments", ":8: ", "used twice", "ftp://127.0.0.1/", ":9: ", "url"}) {
    EXPECT_THAT(error, HasSubstr(part));
  }
}

TEST_F(WebhookFileTest, FilesThatAreNoLists) {
  EXPECT_THAT(ErrorOf("name: ops\n"), HasSubstr("want a list of webhooks"));
  EXPECT_THAT(ErrorOf("- [\n"), HasSubstr("webhooks.yaml:"));
  EXPECT_THAT(ErrorOf(std::string("- {}\x01\n")), HasSubstr("no text"));
  EXPECT_THAT(ErrorOf(std::string(kMaxWebhookFileBytes + 1, '#')), HasSubstr("want at most"));
  EXPECT_EQ(ReadWebhooks(folder_ + "/none").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(WebhookFileTest, LimitsAreThoseNamed) {
  const auto file = [](size_t count) {
    std::string yaml;
    for (size_t i = 0; i < count; ++i) {
      absl::StrAppend(&yaml, "- {name: w", i, ", url: \"https://h/", i, "\", secret_file: key}\n");
    }
    return yaml;
  };
  EXPECT_TRUE(Read(file(kMaxWebhooks)).ok());
  EXPECT_THAT(ErrorOf(file(kMaxWebhooks + 1)), HasSubstr("17 webhooks, want at most 16"));
  Write("key", std::string(kMinSecretBytes, 'k'));
  EXPECT_TRUE(Read(file(1)).ok());
  Write("key", std::string(kMinSecretBytes - 1, 'k') + "\n");
  EXPECT_THAT(ErrorOf(file(1)), HasSubstr("a key of 15 bytes, want at least 16"));
  Write("key", std::string(kMaxSecretBytes, 'k'));
  EXPECT_TRUE(Read(file(1)).ok());
  Write("key", std::string(kMaxSecretBytes + 1, 'k'));
  EXPECT_THAT(ErrorOf(file(1)), HasSubstr("want at most 4096"));
}

TEST(CheckUrlTest, InClearOnlyOnThisMachine) {
  for (const char* good : {"https://example.org/x", "https://127.0.0.1:8443/", "http://127.0.0.1:8080/x",
                           "http://127.3.4.5/", "http://localhost:1/", "http://[::1]:8080/x"}) {
    EXPECT_TRUE(CheckUrl(good, false).ok()) << good;
  }
  for (const char* bad :
       {"http://example.org/", "http://10.0.0.1/", "http://127.0.0.1.example.org/", "http://localhost.example.org/",
        "http://0.0.0.0/", "http://1270.0.0.1/", "http://example.org/127.0.0.1"}) {
    EXPECT_FALSE(CheckUrl(bad, false).ok()) << bad;
    EXPECT_TRUE(CheckUrl(bad, true).ok()) << bad;
  }
  for (const char* bad : {"", "x", "example.org/x", "ftp://127.0.0.1/", "file:///etc/passwd", "https://",
                          "https://user:secret@example.org/", "https://user@example.org/"}) {
    EXPECT_FALSE(CheckUrl(bad, true).ok()) << bad;
  }
  EXPECT_THAT(std::string(CheckUrl("https://user:secret@example.org/x?y", true).message()),
              ::testing::Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace docket::outbox
