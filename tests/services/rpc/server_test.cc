#include "services/rpc/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "grpcpp/impl/client_unary_call.h"
#include "gtest/gtest.h"
#include "store/memory_kv.h"
#include "tests/services/rpc/rpc_house.h"
#include "tests/support/faulty_kv.h"
#include "workflow/base/time.h"

namespace docket::rpc {
namespace {

using grpc::StatusCode;

TEST(RpcTest, FilingAndReadingACase) {
  RpcHouse rpc;
  const v1::ExecuteReply filed = rpc.File("No water since Monday");
  EXPECT_EQ(filed.status(), "RECEIVED");
  EXPECT_EQ(filed.next_duty().metric(), "FIRST_RESPONSE");
  for (const bool by_number : {false, true}) {
    v1::GetCaseRequest request;
    by_number ? request.set_case_no(filed.case_no()) : request.set_case_id(filed.case_id());
    v1::GetCaseReply reply;
    ASSERT_TRUE(rpc.cases->GetCase(RpcHouse::As().get(), request, &reply).ok());
    EXPECT_EQ(reply.case_().case_id(), filed.case_id());
    EXPECT_EQ(reply.case_().title().text(), "No water since Monday");
    EXPECT_EQ(reply.position(), filed.last_position());
    EXPECT_EQ(FromProto(reply.valid_at()), testing::Wednesday());
  }
}

TEST(RpcTest, ReadsNeedNoNameWritesDo) {
  RpcHouse rpc;
  const v1::ExecuteReply filed = rpc.File();
  v1::GetCaseRequest get;
  get.set_case_id(filed.case_id());
  v1::GetCaseReply case_reply;
  EXPECT_TRUE(rpc.cases->GetCase(RpcHouse::As("").get(), get, &case_reply).ok());

  v1::ExecuteReply reply;
  const grpc::Status nobody = rpc.cases->Execute(RpcHouse::As("").get(), rpc.Note(filed.case_id()), &reply);
  EXPECT_EQ(nobody.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonOf(nobody), "PRINCIPAL_MISSING");
  EXPECT_TRUE(absl::StrContains(nobody.error_message(), "docket-principal"));
  const grpc::Status malformed =
      rpc.cases->Execute(RpcHouse::As("Grace Lind").get(), rpc.Note(filed.case_id()), &reply);
  EXPECT_EQ(ReasonOf(malformed), "PRINCIPAL_MALFORMED");
  const grpc::Status posing = rpc.cases->Execute(RpcHouse::As("docketd").get(), rpc.Note(filed.case_id()), &reply);
  EXPECT_EQ(ReasonOf(posing), "PRINCIPAL_RESERVED");
  EXPECT_EQ(ReasonOf(rpc.cases->GetCase(RpcHouse::As("Grace Lind").get(), get, &case_reply)), "PRINCIPAL_MALFORMED");
}

TEST(RpcTest, RefusalsCarryCodeReasonAndDetails) {
  RpcHouse rpc;
  const v1::ExecuteReply filed = rpc.File();
  v1::ExecuteReply reply;

  v1::ExecuteRequest stale = rpc.Note(filed.case_id());
  stale.set_expected_revision(1);
  const grpc::Status aborted = rpc.cases->Execute(RpcHouse::As().get(), stale, &reply);
  EXPECT_EQ(aborted.error_code(), StatusCode::ABORTED);
  EXPECT_EQ(ReasonOf(aborted), "REVISION_MISMATCH");

  v1::GetCaseRequest unknown;
  unknown.set_case_id("019a93c2-2c80-7abc-8def-0123456789ab");
  v1::GetCaseReply case_reply;
  const grpc::Status missing = rpc.cases->GetCase(RpcHouse::As().get(), unknown, &case_reply);
  EXPECT_EQ(missing.error_code(), StatusCode::NOT_FOUND);
  EXPECT_EQ(ReasonOf(missing), "CASE_NOT_FOUND");

  v1::GetCaseRequest mistyped;
  std::string number = filed.case_no();
  number[number.size() - 3] = number[number.size() - 3] == '7' ? '8' : '7';
  mistyped.set_case_no(number);
  EXPECT_EQ(ReasonOf(rpc.cases->GetCase(RpcHouse::As().get(), mistyped, &case_reply)), "CASE_NO_INVALID");

  v1::ExecuteRequest empty;
  const grpc::Status bad = rpc.cases->Execute(RpcHouse::As().get(), empty, &reply);
  EXPECT_EQ(bad.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonOf(bad), "INVALID_FIELD");
}

// One unary call with bytes that no generated stub would send.
grpc::Status CallRaw(grpc::Channel& channel, const char* path, const std::string& bytes) {
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer reply;
  auto context = RpcHouse::As();
  const grpc::internal::RpcMethod method(path, grpc::internal::RpcMethod::NORMAL_RPC);
  return grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer>(&channel, method, context.get(), request,
                                                                               &reply);
}

TEST(RpcTest, BytesThatAreNoRequestAreInvalidArgument) {
  RpcHouse rpc;
  const auto channel = rpc.NewChannel();
  // A length that runs past the end; a string field (case_id = 1) that is not UTF-8.
  for (const std::string& bytes : {std::string("\x0a\x7f"), std::string("\x0a\x02\xff\xfe")}) {
    const grpc::Status status = CallRaw(*channel, "/docket.v1.CaseService/Execute", bytes);
    EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(ReasonOf(status), "MALFORMED_REQUEST");
  }
  EXPECT_EQ(CallRaw(*channel, "/docket.v1.CaseService/Nothing", "").error_code(), StatusCode::UNIMPLEMENTED);
}

TEST(RpcTest, AMessageOverTheLimitIsRefusedAndTheServerLivesOn) {
  RpcHouse rpc;
  v1::EchoMessage big;
  big.set_payload(std::string(kMaxReceiveBytes + 1, 'x'));
  v1::EchoMessage reply;
  EXPECT_EQ(rpc.cases->Echo(RpcHouse::As().get(), big, &reply).error_code(), StatusCode::RESOURCE_EXHAUSTED);
  big.set_payload("hello");
  ASSERT_TRUE(rpc.cases->Echo(RpcHouse::As().get(), big, &reply).ok());
  EXPECT_EQ(reply.payload(), "hello");
}

TEST(RpcTest, ListsQueuesDutiesAndEscalations) {
  RpcHouse rpc;
  const v1::ExecuteReply first = rpc.File("one");
  rpc.house().Settle();
  rpc.house().AdvanceTo(testing::Wednesday() + absl::Minutes(1));  // so that the first is due first
  const v1::ExecuteReply second = rpc.File("two");

  v1::ListCasesReply cases;
  ASSERT_TRUE(rpc.cases->ListCases(RpcHouse::As().get(), v1::ListCasesRequest(), &cases).ok());
  EXPECT_EQ(cases.cases_size(), 2);

  v1::ListQueueRequest queue;
  queue.set_queue("intake");
  v1::ListQueueReply in_queue;
  ASSERT_TRUE(rpc.queues->ListQueue(RpcHouse::As().get(), queue, &in_queue).ok());
  ASSERT_EQ(in_queue.items_size(), 2);
  EXPECT_EQ(in_queue.items(0).case_().case_id(), first.case_id());

  v1::TakeNextRequest take;
  take.set_queue("intake");
  take.set_request_id(rpc.house().NewRequestId());
  v1::ExecuteReply taken;
  const grpc::Status took = rpc.queues->TakeNext(RpcHouse::As("luis.romero").get(), take, &taken);
  ASSERT_TRUE(took.ok()) << took.error_message();
  EXPECT_EQ(taken.case_id(), first.case_id());

  rpc.house().Settle();
  rpc.house().AdvanceTo(testing::Wednesday() + absl::Hours(48));
  v1::ListDutiesRequest duties;
  duties.set_preset(v1::OVERDUE);
  v1::ListDutiesReply overdue;
  ASSERT_TRUE(rpc.queues->ListDuties(RpcHouse::As().get(), duties, &overdue).ok());
  EXPECT_EQ(overdue.items_size(), 2);
  EXPECT_EQ(overdue.header().late_duties(), 2u);

  v1::ListEscalationsReply escalations;
  ASSERT_TRUE(rpc.queues->ListEscalations(RpcHouse::As().get(), v1::ListEscalationsRequest(), &escalations).ok());
  EXPECT_EQ(escalations.items_size(), 2);

  v1::GetClocksRequest clocks;
  clocks.set_case_id(second.case_id());
  v1::GetClocksReply clock_reply;
  ASSERT_TRUE(rpc.queues->GetClocks(RpcHouse::As().get(), clocks, &clock_reply).ok());
  EXPECT_EQ(clock_reply.clocks_size(), 2);

  v1::ListAllowedCommandsRequest allowed;
  allowed.set_case_id(second.case_id());
  v1::ListAllowedCommandsReply commands;
  ASSERT_TRUE(rpc.cases->ListAllowedCommands(RpcHouse::As().get(), allowed, &commands).ok());
  EXPECT_EQ(commands.status(), "RECEIVED");
  EXPECT_GT(commands.commands_size(), 5);
}

TEST(RpcTest, PoliciesAndTheDirectory) {
  RpcHouse rpc;
  v1::ListPoliciesRequest list;
  list.set_kind(v1::CALENDAR);
  v1::ListPoliciesReply listed;
  ASSERT_TRUE(rpc.policies->ListPolicies(RpcHouse::As().get(), list, &listed).ok());
  EXPECT_EQ(listed.policies_size(), 2);

  v1::GetPolicyRequest get;
  get.set_kind(v1::CALENDAR);
  get.set_id("london");
  v1::GetPolicyReply policy;
  ASSERT_TRUE(rpc.policies->GetPolicy(RpcHouse::As().get(), get, &policy).ok());
  EXPECT_TRUE(absl::StrContains(policy.yaml(), "london"));
  get.set_version(9);
  EXPECT_EQ(ReasonOf(rpc.policies->GetPolicy(RpcHouse::As().get(), get, &policy)), "POLICY_NOT_FOUND");

  v1::GetDirectoryReply directory;
  ASSERT_TRUE(rpc.policies->GetDirectory(RpcHouse::As().get(), v1::GetDirectoryRequest(), &directory).ok());
  std::set<std::string> names;
  for (const auto& principal : directory.directory().principals()) names.insert(principal.name().text());
  EXPECT_EQ(names.count("Grace Lind"), 1u);

  // N4 of the golden vectors: 8 h from Wednesday 09:00 with a pause from Wednesday 11:00 to Thursday 11:00.
  v1::ComputeDueRequest due;
  due.set_calendar_id("london");
  due.set_target("8h");
  *due.mutable_start() = ToProto(testing::Wednesday());
  *due.add_pauses()->mutable_start() = ToProto(testing::At("2026-11-18T11:00:00Z"));
  *due.mutable_pauses(0)->mutable_end() = ToProto(testing::At("2026-11-19T11:00:00Z"));
  v1::ComputeDueReply computed;
  ASSERT_TRUE(rpc.policies->ComputeDue(RpcHouse::As().get(), due, &computed).ok());
  EXPECT_EQ(FromProto(computed.due()), testing::At("2026-11-19T17:00:00Z"));
  due.set_target("fixed");  // of which case?
  EXPECT_EQ(ReasonOf(rpc.policies->ComputeDue(RpcHouse::As().get(), due, &computed)), "INVALID_FIELD");

  v1::ValidatePoliciesRequest validate;
  validate.set_yaml("calendar: x\nzone: Nowhere/Town\n");
  v1::ValidatePoliciesReply findings;
  ASSERT_TRUE(rpc.policies->ValidatePolicies(RpcHouse::As().get(), validate, &findings).ok());
  EXPECT_GT(findings.findings_size(), 0);

  v1::PublishPoliciesRequest publish;
  publish.set_yaml(validate.yaml());
  publish.set_request_id(rpc.house().NewRequestId());
  v1::PublishPoliciesReply published;
  const grpc::Status refused = rpc.policies->PublishPolicies(RpcHouse::As("mei.tan").get(), publish, &published);
  EXPECT_EQ(refused.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonOf(refused), "POLICY_INVALID");
  publish.set_yaml(testing::ReadPack("calendar-london.yaml"));
  publish.set_request_id(rpc.house().NewRequestId());
  ASSERT_TRUE(rpc.policies->PublishPolicies(RpcHouse::As("mei.tan").get(), publish, &published).ok());
  EXPECT_TRUE(published.unchanged());
}

TEST(RpcTest, StatsAndRebuild) {
  RpcHouse rpc;
  rpc.File();
  v1::GetStatsRequest with_digests;
  with_digests.set_with_digests(true);
  v1::GetStatsReply stats;
  ASSERT_TRUE(rpc.admin->GetStats(RpcHouse::As().get(), with_digests, &stats).ok());
  EXPECT_EQ(stats.cases(), 1u);
  EXPECT_FALSE(stats.views().empty());

  auto context = RpcHouse::As("mei.tan");
  const auto stream = rpc.admin->RebuildViews(context.get(), v1::RebuildViewsRequest());
  v1::RebuildViewsReply message;
  v1::RebuildViewsReply last;
  while (stream->Read(&message)) last = message;
  ASSERT_TRUE(stream->Finish().ok());
  EXPECT_TRUE(last.done());
  EXPECT_TRUE(last.digests_equal());
  auto nobody = RpcHouse::As("");
  const auto refused = rpc.admin->RebuildViews(nobody.get(), v1::RebuildViewsRequest());
  EXPECT_FALSE(refused->Read(&message));
  EXPECT_EQ(ReasonOf(refused->Finish()), "PRINCIPAL_MISSING");
}

TEST(RpcTest, HealthAndMetrics) {
  auto registry = std::make_shared<prometheus::Registry>();
  RpcHouse rpc(ServerOptions{.metrics = "127.0.0.1:0", .registry = registry});
  const auto channel = rpc.NewChannel();
  EXPECT_EQ(Health(*channel, ""), "SERVING");
  EXPECT_EQ(Health(*channel, kHealthWrite), "SERVING");
  EXPECT_EQ(Health(*channel, "nothing"), "NOT_FOUND");
  EXPECT_TRUE(absl::StartsWith(rpc.server().metrics_address(), "127.0.0.1:"));
  EXPECT_FALSE(absl::EndsWith(rpc.server().metrics_address(), ":0"));

  rpc.File();
  double executed = 0;
  for (const auto& family : registry->Collect()) {
    if (family.name != "docket_rpc_requests_total") continue;
    for (const auto& metric : family.metric) {
      std::set<std::string> labels;
      for (const auto& label : metric.label) labels.insert(label.value);
      if (labels == std::set<std::string>{"CaseService/Execute", "OK"}) executed = metric.counter.value;
    }
  }
  EXPECT_EQ(executed, 1);
}

TEST(RpcTest, AfterTheEngineStopsWritesAreUnavailableAndReadsGoOn) {
  RpcHouse rpc;
  const v1::ExecuteReply filed = rpc.File();
  rpc.house().engine().Stop();
  v1::ExecuteReply reply;
  EXPECT_EQ(rpc.cases->Execute(RpcHouse::As().get(), rpc.Note(filed.case_id()), &reply).error_code(),
            StatusCode::UNAVAILABLE);
  v1::GetCaseRequest get;
  get.set_case_id(filed.case_id());
  v1::GetCaseReply case_reply;
  EXPECT_TRUE(rpc.cases->GetCase(RpcHouse::As().get(), get, &case_reply).ok());
}

// Asks until the answer is `wanted`; the server looks at the latch five times a second.
bool HealthBecomes(grpc::Channel& channel, const std::string& service, const std::string& wanted) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (std::chrono::steady_clock::now() < end) {
    if (Health(channel, service) == wanted) return true;
  }
  return false;
}

TEST(RpcTest, AFailedWriteIsUnknownThenWritingIsOffAndReadingGoesOn) {
  const std::unique_ptr<store::KvStore> behind = store::OpenMemoryKv();
  auto faulty = std::make_unique<test::FaultyKv>(behind.get());
  test::FaultyKv& disk = *faulty;
  testing::House::Options options;
  options.kv = std::move(faulty);
  RpcHouse rpc({}, std::move(options));
  const auto channel = rpc.NewChannel();
  const v1::ExecuteReply filed = rpc.File();
  disk.FailCall(test::KvCall::kWriteBefore, 1);
  v1::ExecuteReply reply;
  const grpc::Status unknown = rpc.cases->Execute(RpcHouse::As().get(), rpc.Note(filed.case_id()), &reply);
  EXPECT_EQ(unknown.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(unknown), "OUTCOME_UNKNOWN");
  const grpc::Status off = rpc.cases->Execute(RpcHouse::As().get(), rpc.Note(filed.case_id()), &reply);
  EXPECT_EQ(off.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(off), "WRITES_DISABLED");
  EXPECT_TRUE(HealthBecomes(*channel, kHealthWrite, "NOT_SERVING"));
  EXPECT_EQ(Health(*channel, ""), "SERVING");
  v1::GetCaseRequest get;
  get.set_case_id(filed.case_id());
  v1::GetCaseReply case_reply;
  EXPECT_TRUE(rpc.cases->GetCase(RpcHouse::As().get(), get, &case_reply).ok());
}

TEST(RpcTest, TheNewStateComesWithItsTexts) {
  RpcHouse rpc;
  v1::ExecuteRequest request = rpc.Filing("No water since Monday");
  request.set_return_case(true);
  v1::ExecuteReply reply;
  ASSERT_TRUE(rpc.cases->Execute(RpcHouse::As().get(), request, &reply).ok());
  EXPECT_EQ(reply.case_().title().text(), "No water since Monday");
  EXPECT_EQ(reply.case_().revision(), reply.revision());
}

TEST(RpcTest, ConcurrentWritersAllTakeEffectOnce) {
  RpcHouse rpc;
  const v1::ExecuteReply filed = rpc.File();
  constexpr int kThreads = 8;
  constexpr int kEach = 25;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        v1::ExecuteReply reply;
        const grpc::Status status = rpc.cases->Execute(RpcHouse::As().get(), rpc.Note(filed.case_id()), &reply);
        EXPECT_TRUE(status.ok()) << status.error_message();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto state = rpc.house().Get(filed.case_id());
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state->revision(), filed.revision() + kThreads * kEach);
}

// CVE-2023-4785: gRPC's own accept loop never recovers from running out of descriptors. Ours refuses and goes on.
TEST(RpcTest, RunningOutOfDescriptorsDoesNotDeafenTheServer) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 256;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &small), 0);
  {
    RpcHouse rpc;
    const std::string port = rpc.server().address().substr(rpc.server().address().rfind(':') + 1);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(std::stoi(port)));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::vector<int> sockets;
    while (true) {  // until this process, server included, has no descriptor left
      const int fd = socket(AF_INET, SOCK_STREAM, 0);
      if (fd < 0) break;
      sockets.push_back(fd);
      if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) break;
    }
    EXPECT_GT(sockets.size(), 60u);
    for (const int fd : sockets) close(fd);
    v1::EchoMessage request;
    request.set_payload("still there?");
    v1::EchoMessage reply;
    auto context = RpcHouse::As();
    context->set_wait_for_ready(true);
    context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    const auto stub = v1::CaseService::NewStub(rpc.NewChannel());
    const grpc::Status status = stub->Echo(context.get(), request, &reply);
    EXPECT_TRUE(status.ok()) << status.error_message();
  }
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

}  // namespace
}  // namespace docket::rpc
