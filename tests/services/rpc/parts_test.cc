#include <sys/socket.h>

#include <atomic>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"
#include "services/rpc/identity.h"
#include "services/rpc/listener.h"
#include "services/rpc/read_pool.h"
#include "services/rpc/server.h"
#include "services/rpc/status_translation.h"
#include "workflow/base/field_rules.h"
#include "workflow/base/refusal.h"

namespace docket::rpc {
namespace {

template <class Detail>
Detail DetailOf(const google::rpc::Status& status) {
  Detail detail;
  for (const auto& any : status.details()) {
    if (any.Is<Detail>()) any.UnpackTo(&detail);
  }
  return detail;
}

TEST(StatusTranslationTest, CodeMessageAndDetailsTravel) {
  const absl::Status refusal = WithRetryAfter(
      Refuse(absl::StatusCode::kAborted, "REVISION_MISMATCH", "expected 3", {{"actual", "4"}}), absl::Milliseconds(50));
  const grpc::Status status = ToGrpcStatus(refusal);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(status.error_message(), "expected 3");
  google::rpc::Status rpc;
  ASSERT_TRUE(rpc.ParseFromString(status.error_details()));
  EXPECT_EQ(rpc.code(), 10);
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(rpc).reason(), "REVISION_MISMATCH");
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(rpc).domain(), "docket.v1");
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(rpc).metadata().at("actual"), "4");
  EXPECT_EQ(DetailOf<google::rpc::RetryInfo>(rpc).retry_delay().nanos(), 50'000'000);
}

TEST(StatusTranslationTest, OkIsOk) { EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok()); }

TEST(StatusTranslationTest, WhatTheDiskSaidStaysInside) {
  const google::rpc::Status rpc = ToRpcStatus(absl::DataLossError("/srv/docket/db/000012.sst: checksum"));
  EXPECT_EQ(rpc.code(), static_cast<int>(grpc::StatusCode::DATA_LOSS));
  EXPECT_FALSE(absl::StrContains(rpc.message(), "/srv"));
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(rpc).reason(), "DATA_LOSS");
}

TEST(StatusTranslationTest, LongListsAreCutToFitATrailerAndSaySo) {
  std::vector<BadField> bad;
  for (int i = 0; i < 500; ++i) bad.push_back({absl::StrCat("line ", i), std::string(100, 'x')});
  const google::rpc::Status rpc = ToRpcStatus(RefuseFields("POLICY_INVALID", bad));
  EXPECT_LE(rpc.ByteSizeLong(), kMaxMessageBytes + kMaxDetailsBytes);
  const auto request = DetailOf<google::rpc::BadRequest>(rpc);
  ASSERT_GT(request.field_violations_size(), 2);
  EXPECT_EQ(request.field_violations(0).field(), "line 0");
  const int listed = request.field_violations_size() - 1;
  EXPECT_EQ(request.field_violations(listed).description(), absl::StrCat(500 - listed, " more are not listed"));
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(rpc).reason(), "POLICY_INVALID");
}

TEST(StatusTranslationTest, CuttingAMessageSplitsNoCharacter) {
  std::string message(kMaxMessageBytes - 1, 'a');
  message += "é and more";
  const google::rpc::Status rpc = ToRpcStatus(Refuse(absl::StatusCode::kNotFound, "X", message));
  EXPECT_TRUE(IsUtf8(rpc.message()));
  EXPECT_LT(rpc.message().size(), message.size());
}

TEST(IdentityTest, PrincipalsHaveANarrowSyntax) {
  EXPECT_TRUE(IsPrincipalId("grace.lind"));
  EXPECT_TRUE(IsPrincipalId("a_b-c.9"));
  EXPECT_TRUE(IsPrincipalId(std::string(64, 'a')));
  EXPECT_FALSE(IsPrincipalId(std::string(65, 'a')));
  EXPECT_FALSE(IsPrincipalId(""));
  EXPECT_FALSE(IsPrincipalId("Grace"));
  EXPECT_FALSE(IsPrincipalId("a b"));
  EXPECT_FALSE(IsPrincipalId("a\n"));
}

TEST(IdentityTest, TraceparentIsTakenOnlyInItsForm) {
  EXPECT_TRUE(IsTraceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
  EXPECT_FALSE(IsTraceparent("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"));
  EXPECT_FALSE(IsTraceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1"));
  EXPECT_FALSE(IsTraceparent(""));
}

TEST(FieldRulesTest, Utf8IsJudgedByTheBook) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8("Zieliński 投诉 🙂"));
  EXPECT_FALSE(IsUtf8("\xc0\xaf"));          // overlong
  EXPECT_FALSE(IsUtf8("\xe0\x80\xaf"));      // overlong
  EXPECT_FALSE(IsUtf8("\xed\xa0\x80"));      // surrogate
  EXPECT_FALSE(IsUtf8("\xf4\x90\x80\x80"));  // beyond U+10FFFF
  EXPECT_FALSE(IsUtf8("a\xe2\x82"));         // cut short
  EXPECT_FALSE(IsUtf8("\x80"));
}

TEST(ListenerTest, AddressesAreReadStrictly) {
  EXPECT_EQ(ParseHostPort("127.0.0.1:7450")->port, 7450);
  EXPECT_EQ(ParseHostPort("[::1]:0")->host, "::1");
  EXPECT_EQ(ParseHostPort("localhost:1")->host, "localhost");
  for (const char* bad : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "example.org:80", ":80"}) {
    EXPECT_EQ(ParseHostPort(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
}

TEST(ListenerTest, OnlyThisMachineIsLoopback) {
  EXPECT_TRUE(IsLoopback(*ParseHostPort("127.0.0.1:0")));
  EXPECT_TRUE(IsLoopback(*ParseHostPort("127.9.9.9:0")));
  EXPECT_TRUE(IsLoopback(*ParseHostPort("[::1]:0")));
  EXPECT_FALSE(IsLoopback(*ParseHostPort("0.0.0.0:0")));
  EXPECT_FALSE(IsLoopback(*ParseHostPort("[::]:0")));
  EXPECT_FALSE(IsLoopback(*ParseHostPort("192.168.1.1:0")));
}

TEST(ListenerTest, APortTakenIsRefused) {
  const auto first = Listener::Open(*ParseHostPort("127.0.0.1:0"));
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = Listener::Open(*ParseHostPort((*first)->address()));
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
}

TEST(ServerTest, AnAddressOfTheWorldIsRefusedWithTheReason) {
  for (const char* open : {"0.0.0.0:7450", "192.168.0.7:7450", "[::]:7450"}) {
    const absl::Status status = Server::CheckAddresses({.listen = open});
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << open;
    EXPECT_TRUE(absl::StrContains(status.message(), "no login")) << status;
  }
  EXPECT_FALSE(Server::CheckAddresses({.metrics = "0.0.0.0:1"}).ok());
  EXPECT_TRUE(Server::CheckAddresses({.listen = "127.0.0.1:0", .metrics = "off"}).ok());
}

TEST(ReadPoolTest, RefusesBeyondItsLimitAndFinishesWhatItTook) {
  std::atomic<int> ran = 0;
  absl::Notification started;
  absl::Notification go;
  {
    ReadPool pool(1);
    ASSERT_TRUE(pool.TryRun([&] {
      started.Notify();
      go.WaitForNotification();
      ++ran;
    }));
    started.WaitForNotification();
    for (size_t i = 0; i < ReadPool::kMaxQueued; ++i) ASSERT_TRUE(pool.TryRun([&] { ++ran; }));
    EXPECT_FALSE(pool.TryRun([&] { ran += 1000; }));
    go.Notify();
  }
  EXPECT_EQ(ran, static_cast<int>(ReadPool::kMaxQueued) + 1);
}

}  // namespace
}  // namespace docket::rpc
