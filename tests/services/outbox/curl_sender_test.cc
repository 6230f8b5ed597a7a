#include "services/outbox/curl_sender.h"

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/services/outbox/http_receiver.h"

namespace docket::outbox {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string Answer(const std::string& status, const std::string& headers = "", const std::string& body = "") {
  return absl::StrCat("HTTP/1.1 ", status, "\r\nContent-Length: ", body.size(), "\r\nConnection: close\r\n", headers,
                      "\r\n", body);
}

SendResult SendAndWait(Sender& sender, SendRequest request) {
  std::promise<SendResult> done;
  sender.Send(std::move(request), [&](SendResult result) { done.set_value(std::move(result)); });
  return done.get_future().get();
}

class CurlSenderTest : public ::testing::Test {
 protected:
  SendResult To(const std::string& url) {
    return SendAndWait(*sender_, {.url = url, .headers = {"Docket-Signature: t=1,v1=00"}, .body = "{\"a\":1}"});
  }
  SendResult AnsweredWith(const std::string& answer) {
    HttpReceiver receiver([&](const HttpReceiver::Request&) { return answer; });
    return To(receiver.url());
  }

  std::unique_ptr<Sender> sender_ = MakeCurlSender("docketd/test");
};

TEST_F(CurlSenderTest, PostsBodyAndHeadersAsGiven) {
  HttpReceiver::Request seen;
  HttpReceiver receiver([&](const HttpReceiver::Request& request) {
    seen = request;
    return Answer("204 No Content");
  });
  const SendResult result = To(receiver.url());
  EXPECT_EQ(result.http_status, 204);
  EXPECT_EQ(result.error, "");
  EXPECT_THAT(seen.head, StartsWith("POST /hook HTTP/1.1\r\n"));
  EXPECT_THAT(seen.head, HasSubstr("Docket-Signature: t=1,v1=00\r\n"));
  EXPECT_THAT(seen.head, HasSubstr("User-Agent: docketd/test\r\n"));
  EXPECT_THAT(seen.head, Not(HasSubstr("Expect:")));
  EXPECT_EQ(seen.body, "{\"a\":1}");
}

TEST_F(CurlSenderTest, FailuresAreToldByStatusAlone) {
  const SendResult result = AnsweredWith(Answer("503 Secret words", "", "a name, an address"));
  EXPECT_EQ(result.http_status, 503);
  EXPECT_EQ(result.error, "HTTP 503");
  EXPECT_EQ(result.retry_after, absl::ZeroDuration());
}

TEST_F(CurlSenderTest, RetryAfterIsRead) {
  EXPECT_EQ(AnsweredWith(Answer("429 Too Many", "Retry-After: 120\r\n")).retry_after, absl::Seconds(120));
  EXPECT_EQ(AnsweredWith(Answer("429 Too Many", "Retry-After: soon\r\n")).retry_after, absl::ZeroDuration());
  EXPECT_EQ(AnsweredWith(Answer("429 Too Many", "Retry-After: -5\r\n")).retry_after, absl::ZeroDuration());
}

TEST_F(CurlSenderTest, RedirectsAreNotFollowed) {
  std::atomic<int> elsewhere = 0;
  HttpReceiver other([&](const HttpReceiver::Request&) {
    ++elsewhere;
    return Answer("200 OK");
  });
  for (const char* status : {"301 Moved", "302 Found", "307 Temporary", "308 Permanent"}) {
    const SendResult result = AnsweredWith(Answer(status, absl::StrCat("Location: ", other.url(), "\r\n")));
    EXPECT_EQ(result.http_status / 100, 3);
  }
  EXPECT_EQ(elsewhere, 0);
}

TEST_F(CurlSenderTest, ALongAnswerIsCutOffAndItsStatusCounts) {
  const SendResult result = AnsweredWith(Answer("200 OK", "", std::string(16 * kMaxResponseBytes, 'x')));
  EXPECT_EQ(result.http_status, 200);
}

TEST_F(CurlSenderTest, NobodyThere) {
  int port = 0;
  {
    HttpReceiver receiver([](const HttpReceiver::Request&) { return Answer("200 OK"); });
    port = receiver.port();
  }
  const SendResult result = To(absl::StrCat("http://127.0.0.1:", port, "/"));
  EXPECT_EQ(result.http_status, 0);
  EXPECT_NE(result.error, "");
}

TEST_F(CurlSenderTest, WhatIsNoHttpIsAFailure) {
  EXPECT_EQ(AnsweredWith("what?\r\n").http_status, 0);
  EXPECT_EQ(AnsweredWith("").http_status, 0);
}

TEST_F(CurlSenderTest, AReceiverThatDoesNotAnswerIsGivenUpAndHoldsUpNobody) {
  HttpReceiver slow([](const HttpReceiver::Request&) { return HttpReceiver::kHang; });
  HttpReceiver quick([](const HttpReceiver::Request&) { return Answer("200 OK"); });
  std::promise<SendResult> done;
  sender_->Send({.url = slow.url(), .headers = {}, .body = "x", .timeout = absl::Seconds(1)},
                [&](SendResult result) { done.set_value(std::move(result)); });
  EXPECT_EQ(To(quick.url()).http_status, 200);
  const SendResult result = done.get_future().get();
  EXPECT_EQ(result.http_status, 0);
  EXPECT_THAT(result.error, HasSubstr("imeout"));
}

TEST_F(CurlSenderTest, OnlyHttp) {
  EXPECT_EQ(To("file:///etc/hostname").http_status, 0);
  EXPECT_EQ(To("ftp://127.0.0.1:1/").http_status, 0);
}

TEST_F(CurlSenderTest, ManyAtOnce) {
  HttpReceiver receiver(
      [](const HttpReceiver::Request& request) { return Answer(request.body == "7" ? "500 No" : "200 OK"); });
  constexpr int kMany = 60;
  std::vector<std::promise<SendResult>> done(kMany);
  for (int i = 0; i < kMany; ++i) {
    sender_->Send({.url = receiver.url(), .headers = {}, .body = absl::StrCat(i)},
                  [&done, i](SendResult result) { done[i].set_value(std::move(result)); });
  }
  for (int i = 0; i < kMany; ++i) EXPECT_EQ(done[i].get_future().get().http_status, i == 7 ? 500 : 200) << i;
}

TEST_F(CurlSenderTest, EndsWithRequestsUnderWay) {
  std::promise<void> arrived;
  HttpReceiver slow([&](const HttpReceiver::Request&) {
    arrived.set_value();
    return HttpReceiver::kHang;
  });
  bool ran = false;
  sender_->Send({.url = slow.url(), .headers = {}, .body = "x"}, [&](SendResult) { ran = true; });
  arrived.get_future().wait();
  sender_.reset();
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace docket::outbox
