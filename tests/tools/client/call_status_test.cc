#include "tools/client/call_status.h"

#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"
#include "tests/tools/support/fake_server.h"

namespace docket::client {
namespace {

using docket::testing::ToGrpc;
using ::testing::ElementsAre;
using ::testing::Pair;

TEST(CallStatus, ReasonAndMetadataSurviveTheWire) {
  const absl::Status refused = Refuse(absl::StatusCode::kAborted, "REVISION_MISMATCH", "expected_revision: 3, now 5",
                                      {{"expected", "3"}, {"actual", "5"}});
  const absl::Status received = FromGrpc(ToGrpc(refused));
  EXPECT_EQ(received, refused);
  const CallFailure failure = Describe(received);
  EXPECT_EQ(failure.code, absl::StatusCode::kAborted);
  EXPECT_EQ(failure.reason, "REVISION_MISMATCH");
  EXPECT_EQ(failure.message, "expected_revision: 3, now 5");
  EXPECT_THAT(failure.metadata, ElementsAre(Pair("actual", "5"), Pair("expected", "3")));
}

TEST(CallStatus, EveryUnmetConditionComesWithItsRemedy) {
  const CallFailure failure = Describe(FromGrpc(ToGrpc(
      RefuseUnmet("GUARD_UNMET", "case CMP-1",
                  {{"OWNER_REQUIRED", "the case has no owner (queue first-line)", "assign"},
                                                {"MATTER_OPEN", "matter 2 has no finding", ""}}))));
  ASSERT_EQ(failure.unmet.size(), 2);
  EXPECT_EQ(failure.unmet[0].reason, "OWNER_REQUIRED");
  EXPECT_EQ(failure.unmet[0].description, "the case has no owner (queue first-line)");
  EXPECT_EQ(failure.unmet[0].meet_by, "assign");
  EXPECT_EQ(failure.unmet[1].description, "matter 2 has no finding");
  EXPECT_EQ(failure.unmet[1].meet_by, "");
}

TEST(CallStatus, BadFieldsAndRetryInfoAreRead) {
  const absl::Status refused =
      WithRetryAfter(RefuseFields("INVALID", {{"hold.until", "in the past"}}), absl::Milliseconds(250));
  const CallFailure failure = Describe(FromGrpc(ToGrpc(refused)));
  ASSERT_EQ(failure.fields.size(), 1);
  EXPECT_EQ(failure.fields[0].field, "hold.until");
  EXPECT_EQ(failure.fields[0].description, "in the past");
  EXPECT_EQ(failure.retry_after, absl::Milliseconds(250));
}

TEST(CallStatus, DetailsThatDoNotParseLeaveCodeAndMessage) {
  const grpc::Status broken(grpc::StatusCode::NOT_FOUND, "no case", "\xff\xff\xff");
  const CallFailure failure = Describe(FromGrpc(broken));
  EXPECT_EQ(failure.code, absl::StatusCode::kNotFound);
  EXPECT_EQ(failure.message, "no case");
  EXPECT_EQ(failure.reason, "");
}

TEST(CallStatus, StatusInAStreamIsTheSameAsInATrailer) {
  const absl::Status refused = Refuse(absl::StatusCode::kNotFound, "CASE_NOT_FOUND", "case CMP-9: not known");
  google::rpc::Status rpc;
  ASSERT_TRUE(rpc.ParseFromString(SerializeRpcStatus(refused)));
  EXPECT_EQ(FromRpcStatus(rpc), refused);
  EXPECT_TRUE(FromRpcStatus(google::rpc::Status()).ok());
}

TEST(CallStatus, MarksOfTheClientAreKeptApartFromTheServersWord) {
  EXPECT_TRUE(Describe(NotConnected("h:1")).not_connected);
  EXPECT_EQ(Describe(NotConnected("h:1")).reason, "");
  const absl::Status unknown = WithUnknownOutcome(absl::UnavailableError("lost"), "id-1");
  EXPECT_EQ(Describe(unknown).unknown_outcome_of, "id-1");
  EXPECT_EQ(Describe(absl::UnavailableError("lost")).unknown_outcome_of, "");
}

}  // namespace
}  // namespace docket::client
