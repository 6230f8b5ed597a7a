#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "store/record_format.h"
#include "tests/services/rpc/rpc_house.h"

namespace docket::rpc {
namespace {

using grpc::StatusCode;

// Positions as a stream gave them: each once, in order, without a gap.
class Positions {
 public:
  explicit Positions(uint64_t next) : next_(next) {}
  template <class Reply>
  void Take(const Reply& reply) {
    for (const v1::HistoryEvent& event : reply.events()) EXPECT_EQ(event.position(), next_++);
  }
  uint64_t next() const { return next_; }

 private:
  uint64_t next_;
};

TEST(ExecuteStreamTest, ManyCommandsAreAnsweredInOrder) {
  RpcHouse rpc;
  const v1::ExecuteReply filed = rpc.File();
  auto context = RpcHouse::As();
  const auto stream = rpc.cases->ExecuteStream(context.get());
  constexpr int kMessages = 12;
  constexpr int kEach = 20;
  std::thread writer([&] {
    for (int m = 0; m < kMessages; ++m) {
      v1::ExecuteStreamRequest message;
      for (int i = 0; i < kEach; ++i) *message.add_requests() = rpc.Note(filed.case_id(), absl::StrCat(m, "/", i));
      message.set_brief(m % 2 == 1);
      EXPECT_TRUE(stream->Write(message));
    }
    stream->WritesDone();
  });
  v1::ExecuteStreamReply reply;
  uint32_t revision = filed.revision();
  int messages = 0;
  while (stream->Read(&reply)) {
    ASSERT_EQ(reply.results_size(), kEach);
    for (const auto& result : reply.results()) {
      ASSERT_FALSE(result.has_status()) << result.status().message();
      EXPECT_EQ(result.reply().revision(), ++revision);
      EXPECT_EQ(result.reply().events().empty(), messages % 2 == 1);
    }
    ++messages;
  }
  writer.join();
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(messages, kMessages);
}

TEST(ReassignCasesTest, IsForThoseWhomTheDirectoryKnows) {
  RpcHouse rpc;
  rpc.File();
  v1::ReassignCasesRequest request;
  request.set_from("grace.lind");
  request.set_to("luis.romero");
  request.set_request_id(rpc.house().NewRequestId());
  auto context = RpcHouse::As("nobody.known");
  const auto stream = rpc.cases->ReassignCases(context.get(), request);
  v1::ReassignCasesReply reply;
  EXPECT_FALSE(stream->Read(&reply));
  EXPECT_EQ(ReasonOf(stream->Finish()), "UNKNOWN_PRINCIPAL");
}

TEST(ReassignCasesTest, WarnsOfWhoIsAwayAsASingleAssignmentDoes) {
  RpcHouse rpc;
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(rpc.house().Do(rpc.File().case_id(), "take {}", "grace.lind").ok());
  const absl::Time now = rpc.house().clock().Now();
  ASSERT_TRUE(rpc.house().Away("luis.romero", now, now + absl::Hours(48), "sam.doyle").ok());
  v1::ReassignCasesRequest request;
  request.set_from("grace.lind");
  request.set_to("luis.romero");
  for (const bool dry_run : {true, false}) {
    request.set_dry_run(dry_run);
    request.set_request_id(rpc.house().NewRequestId());
    auto context = RpcHouse::As("helen.marsh");
    const auto stream = rpc.cases->ReassignCases(context.get(), request);
    v1::ReassignCasesReply reply;
    ASSERT_TRUE(stream->Read(&reply));
    ASSERT_EQ(reply.results_size(), 2);
    for (const auto& result : reply.results()) {
      ASSERT_FALSE(result.has_status()) << result.status().message();
      ASSERT_EQ(result.warnings_size(), 1) << dry_run;
      EXPECT_EQ(result.warnings(0).reason(), "OWNER_ABSENT");
      EXPECT_NE(result.warnings(0).description().find("sam.doyle stands in"), std::string::npos);
    }
    EXPECT_FALSE(stream->Read(&reply));
    EXPECT_TRUE(stream->Finish().ok());
  }
}

TEST(ExecuteStreamTest, ARefusalStopsNothingUnlessAsked) {
  RpcHouse rpc;
  const v1::ExecuteReply filed = rpc.File();
  v1::ExecuteStreamRequest message;
  *message.add_requests() = rpc.Note(filed.case_id(), "first");
  message.add_requests()->set_case_id("not-an-id");                                    // refused by validation
  *message.add_requests() = rpc.Note("019a93c2-2c80-7abc-8def-0123456789ab", "lost");  // refused by the engine
  *message.add_requests() = rpc.Note(filed.case_id(), "last");
  {
    auto context = RpcHouse::As();
    const auto stream = rpc.cases->ExecuteStream(context.get());
    ASSERT_TRUE(stream->Write(message));
    v1::ExecuteStreamReply reply;
    ASSERT_TRUE(stream->Read(&reply));
    ASSERT_EQ(reply.results_size(), 4);
    EXPECT_TRUE(reply.results(0).has_reply());
    EXPECT_EQ(ReasonOf(reply.results(1).status()), "INVALID_FIELD");
    EXPECT_EQ(ReasonOf(reply.results(2).status()), "CASE_NOT_FOUND");
    EXPECT_TRUE(reply.results(3).has_reply());
    stream->WritesDone();
    EXPECT_FALSE(stream->Read(&reply));
    EXPECT_TRUE(stream->Finish().ok());
  }
  for (int i : {0, 3}) message.mutable_requests(i)->set_request_id(rpc.house().NewRequestId());
  message.set_stop_on_refusal(true);
  const uint32_t before = rpc.house().Get(filed.case_id())->revision();
  auto context = RpcHouse::As();
  const auto stream = rpc.cases->ExecuteStream(context.get());
  ASSERT_TRUE(stream->Write(message));
  v1::ExecuteStreamReply reply;
  ASSERT_TRUE(stream->Read(&reply));
  EXPECT_TRUE(reply.results(0).has_reply());
  EXPECT_EQ(ReasonOf(reply.results(1).status()), "INVALID_FIELD");
  EXPECT_EQ(ReasonOf(reply.results(2).status()), "STREAM_STOPPED");
  EXPECT_EQ(ReasonOf(reply.results(3).status()), "STREAM_STOPPED");
  EXPECT_FALSE(stream->Read(&reply));
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::ABORTED);
  EXPECT_EQ(rpc.house().Get(filed.case_id())->revision(), before + 1);
}

TEST(ExecuteStreamTest, WithoutANameNothingIsRead) {
  RpcHouse rpc;
  auto context = RpcHouse::As("");
  const auto stream = rpc.cases->ExecuteStream(context.get());
  v1::ExecuteStreamReply reply;
  EXPECT_FALSE(stream->Read(&reply));
  EXPECT_EQ(ReasonOf(stream->Finish()), "PRINCIPAL_MISSING");
}

TEST(ExecuteStreamTest, ACallerWhoGoesAwayLeavesNothingBehind) {
  RpcHouse rpc;
  const v1::ExecuteReply filed = rpc.File();
  for (int round = 0; round < 20; ++round) {
    auto context = RpcHouse::As();
    const auto stream = rpc.cases->ExecuteStream(context.get());
    v1::ExecuteStreamRequest message;
    for (int i = 0; i < 50; ++i) *message.add_requests() = rpc.Note(filed.case_id());
    stream->Write(message);
    stream->Write(message);
    context->TryCancel();
    EXPECT_EQ(stream->Finish().error_code(), StatusCode::CANCELLED);
  }
  v1::ExecuteReply reply;
  EXPECT_TRUE(rpc.cases->Execute(RpcHouse::As().get(), rpc.Note(filed.case_id()), &reply).ok());
}

TEST(HistoryTest, EventsWithTextsAndStates) {
  RpcHouse rpc;
  const v1::ExecuteReply filed = rpc.File("Water off");
  v1::ExecuteReply noted;
  ASSERT_TRUE(rpc.cases->Execute(RpcHouse::As().get(), rpc.Note(filed.case_id(), "called back"), &noted).ok());
  v1::ReadHistoryRequest request;
  request.set_case_no(filed.case_no());
  request.set_with_state(true);
  auto context = RpcHouse::As();
  const auto stream = rpc.audit->ReadHistory(context.get(), request);
  v1::ReadHistoryReply reply;
  uint32_t revision = 0;
  std::string note;
  while (stream->Read(&reply)) {
    for (const auto& entry : reply.entries()) {
      EXPECT_EQ(entry.event().revision(), ++revision);
      EXPECT_EQ(entry.state().revision(), revision);
      EXPECT_EQ(entry.state().title().text(), "Water off");
      if (entry.event().event().has_internal_note_added())
        note = entry.event().event().internal_note_added().body().text();
    }
  }
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(revision, noted.revision());
  EXPECT_EQ(note, "called back");
}

TEST(ReadLogTest, EverythingOnceAndRawRecordsVerify) {
  RpcHouse rpc;
  for (int i = 0; i < 300; ++i) rpc.File();
  for (const bool raw : {false, true}) {
    v1::ReadLogRequest request;
    request.set_raw(raw);
    auto context = RpcHouse::As();
    const auto stream = rpc.audit->ReadLog(context.get(), request);
    v1::ReadLogReply reply;
    Positions positions(1);
    uint64_t commit = 0;
    uint64_t scanned = 0;
    while (stream->Read(&reply)) {
      positions.Take(reply);
      scanned = reply.scanned_position();
      for (const std::string& stored : reply.raw_records()) {
        const auto record = store::DecodeRecord(stored);
        ASSERT_TRUE(record.ok()) << record.status();
        EXPECT_EQ(record->commit(), commit++);
      }
    }
    EXPECT_TRUE(stream->Finish().ok());
    EXPECT_EQ(scanned, rpc.house().engine().Read().position);
    if (raw) {
      EXPECT_EQ(commit, rpc.house().engine().Read().commits);
    } else {
      EXPECT_EQ(positions.next(), scanned + 1);
    }
  }
}

TEST(SubscribeTest, CatchUpThenLiveWithoutGapOrRepeat) {
  RpcHouse rpc;
  for (int i = 0; i < 50; ++i) rpc.File();
  v1::SubscribeRequest request;
  request.set_from_position(1);
  auto context = RpcHouse::As();
  const auto stream = rpc.audit->Subscribe(context.get(), request);
  Positions positions(1);
  v1::SubscribeReply reply;
  bool caught_up = false;
  while (!caught_up && stream->Read(&reply)) {
    positions.Take(reply);
    caught_up = reply.caught_up();
  }
  EXPECT_EQ(positions.next(), rpc.house().engine().Read().position + 1);
  // Live, while writers are at it.
  std::thread writer([&] {
    for (int i = 0; i < 200; ++i) rpc.File();
  });
  writer.join();
  const uint64_t end = rpc.house().engine().Read().position;
  while (positions.next() <= end && stream->Read(&reply)) positions.Take(reply);
  EXPECT_EQ(positions.next(), end + 1);
  context->TryCancel();
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::CANCELLED);
}

TEST(SubscribeTest, FiltersStillReportProgress) {
  RpcHouse rpc;
  const v1::ExecuteReply filed = rpc.File();
  v1::SubscribeRequest request;
  request.set_from_position(1);
  request.mutable_filter()->add_types("InternalNoteAdded");
  auto context = RpcHouse::As();
  const auto stream = rpc.audit->Subscribe(context.get(), request);
  v1::SubscribeReply reply;
  ASSERT_TRUE(stream->Read(&reply));
  EXPECT_TRUE(reply.events().empty());
  EXPECT_TRUE(reply.caught_up());
  EXPECT_EQ(reply.progress(), filed.last_position());
  const v1::ExecuteReply second = rpc.File();
  ASSERT_TRUE(stream->Read(&reply));
  EXPECT_TRUE(reply.events().empty());
  EXPECT_EQ(reply.progress(), second.last_position());
  v1::ExecuteReply noted;
  ASSERT_TRUE(rpc.cases->Execute(RpcHouse::As().get(), rpc.Note(filed.case_id(), "hello"), &noted).ok());
  ASSERT_TRUE(stream->Read(&reply));
  ASSERT_EQ(reply.events_size(), 1);
  EXPECT_EQ(reply.events(0).event().internal_note_added().body().text(), "hello");
  context->TryCancel();
}

TEST(SubscribeTest, DepartmentsAreThoseOfTheTime) {
  RpcHouse rpc;
  const v1::ExecuteReply filed = rpc.File();  // complaints
  v1::SubscribeRequest request;
  request.set_from_position(filed.first_position());
  for (const auto& [department, events] :
       {std::pair{"company", true}, std::pair{"complaints", true}, std::pair{"billing", false}}) {
    request.mutable_filter()->set_department(department);
    auto context = RpcHouse::As();
    const auto stream = rpc.audit->Subscribe(context.get(), request);
    v1::SubscribeReply reply;
    ASSERT_TRUE(stream->Read(&reply));
    EXPECT_EQ(!reply.events().empty(), events) << department;
    context->TryCancel();
  }
}

TEST(SubscribeTest, APositionBeyondTheEndIsRefused) {
  RpcHouse rpc;
  v1::SubscribeRequest request;
  request.set_from_position(rpc.house().engine().Read().position + 2);
  auto context = RpcHouse::As();
  const auto stream = rpc.audit->Subscribe(context.get(), request);
  v1::SubscribeReply reply;
  EXPECT_FALSE(stream->Read(&reply));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), StatusCode::OUT_OF_RANGE);
  EXPECT_EQ(ReasonOf(status), "POSITION_BEYOND_END");
}

TEST(WatchAlertsTest, AlertsComeLiveAndProgressWithoutThem) {
  RpcHouse rpc;
  auto context = RpcHouse::As();
  const auto stream = rpc.queues->WatchAlerts(context.get(), v1::WatchAlertsRequest());
  v1::WatchAlertsReply reply;
  ASSERT_TRUE(stream->Read(&reply));
  EXPECT_TRUE(reply.caught_up());
  const v1::ExecuteReply filed = rpc.File();
  ASSERT_TRUE(stream->Read(&reply));
  EXPECT_TRUE(reply.alerts().empty());
  EXPECT_EQ(reply.progress(), filed.last_position());
  rpc.house().Settle();
  rpc.house().AdvanceTo(testing::Wednesday() + absl::Hours(24 * 7));
  bool breached = false;
  while (!breached && stream->Read(&reply)) {
    for (const v1::Alert& alert : reply.alerts()) breached = breached || alert.kind() == v1::BREACH;
  }
  EXPECT_TRUE(breached);
  context->TryCancel();
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::CANCELLED);
}

TEST(WatchAlertsTest, AMisspeltNameIsRefused) {
  RpcHouse rpc;
  v1::WatchAlertsRequest request;
  request.mutable_filter()->add_metrics("RESOLUTIONS");
  auto context = RpcHouse::As();
  const auto stream = rpc.queues->WatchAlerts(context.get(), request);
  v1::WatchAlertsReply reply;
  EXPECT_FALSE(stream->Read(&reply));
  EXPECT_EQ(ReasonOf(stream->Finish()), "UNKNOWN_METRIC");
}

TEST(SubscribeTest, AStoppingServerEndsEndlessStreamsAtOnce) {
  RpcHouse rpc(ServerOptions{.drain = absl::Hours(1)});
  auto context = RpcHouse::As();
  const auto stream = rpc.audit->Subscribe(context.get(), v1::SubscribeRequest());
  v1::SubscribeReply reply;
  ASSERT_TRUE(stream->Read(&reply));
  std::thread stopping([&] { rpc.StopServer(); });
  EXPECT_FALSE(stream->Read(&reply));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(status), "STOPPING");
  stopping.join();
}

TEST(SubscribeTest, ManyIdleSubscribersDoNotStopCommands) {
  RpcHouse rpc;
  const auto channel = rpc.NewChannel();
  const auto stub = v1::AuditService::NewStub(channel);
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::ClientReader<v1::SubscribeReply>>> streams;
  v1::SubscribeReply reply;
  for (int i = 0; i < 90; ++i) {
    contexts.push_back(RpcHouse::As());
    streams.push_back(stub->Subscribe(contexts.back().get(), v1::SubscribeRequest()));
    ASSERT_TRUE(streams.back()->Read(&reply));
  }
  const v1::ExecuteReply filed = rpc.File();
  for (const auto& stream : streams) {
    ASSERT_TRUE(stream->Read(&reply));
    EXPECT_EQ(reply.progress(), filed.last_position());
  }
  for (const auto& context : contexts) context->TryCancel();
}

}  // namespace
}  // namespace docket::rpc
