#include "tests/services/rpc/rpc_house.h"

#include "google/rpc/error_details.pb.h"
#include "grpcpp/impl/client_unary_call.h"
#include "gtest/gtest.h"
#include "services/rpc/identity.h"
#include "workflow/base/check.h"

namespace docket::rpc {

RpcHouse::RpcHouse(ServerOptions options, testing::House::Options house) : house_(std::move(house)) {
  options.listen = "127.0.0.1:0";
  auto server = Server::Start(options, &house_.engine());
  if (!server.ok()) std::fprintf(stderr, "%s\n", std::string(server.status().message()).c_str());
  DOCKET_CHECK(server.ok());
  server_ = *std::move(server);
  const std::shared_ptr<grpc::Channel> channel = NewChannel();
  cases = v1::CaseService::NewStub(channel);
  queues = v1::QueueService::NewStub(channel);
  audit = v1::AuditService::NewStub(channel);
  policies = v1::PolicyService::NewStub(channel);
  admin = v1::AdminService::NewStub(channel);
}

RpcHouse::~RpcHouse() { server_.reset(); }

std::shared_ptr<grpc::Channel> RpcHouse::NewChannel(grpc::ChannelArguments arguments) {
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own
  return grpc::CreateCustomChannel(server_->address(), grpc::InsecureChannelCredentials(), arguments);
}

std::unique_ptr<grpc::ClientContext> RpcHouse::As(const std::string& principal) {
  auto context = std::make_unique<grpc::ClientContext>();
  if (!principal.empty()) context->AddMetadata(kPrincipalKey, principal);
  return context;
}

v1::ExecuteRequest RpcHouse::Filing(const std::string& title) {
  v1::ExecuteRequest request;
  request.set_request_id(house_.NewRequestId());
  request.mutable_command()->mutable_file()->set_kind(v1::COMPLAINT);
  request.mutable_command()->mutable_file()->set_title(title);
  return request;
}

v1::ExecuteRequest RpcHouse::Note(const std::string& case_id, const std::string& body) {
  v1::ExecuteRequest request;
  request.set_case_id(case_id);
  request.set_request_id(house_.NewRequestId());
  request.mutable_command()->mutable_add_note()->set_body(body);
  return request;
}

v1::ExecuteReply RpcHouse::File(const std::string& title) {
  v1::ExecuteReply reply;
  const grpc::Status status = cases->Execute(As().get(), Filing(title), &reply);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return reply;
}

std::string ReasonOf(const google::rpc::Status& status) {
  for (const auto& detail : status.details()) {
    google::rpc::ErrorInfo info;
    if (detail.Is<google::rpc::ErrorInfo>() && detail.UnpackTo(&info)) return info.reason();
  }
  return "";
}

std::string ReasonOf(const grpc::Status& status) {
  google::rpc::Status rpc;
  return rpc.ParseFromString(status.error_details()) ? ReasonOf(rpc) : "";
}

std::string Health(grpc::Channel& channel, const std::string& service) {
  // HealthCheckRequest{string service = 1}, HealthCheckResponse{enum status = 1}.
  std::string bytes;
  if (!service.empty()) bytes = std::string("\x0a") + static_cast<char>(service.size()) + service;
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer reply;
  grpc::ClientContext context;
  const grpc::internal::RpcMethod method("/grpc.health.v1.Health/Check", grpc::internal::RpcMethod::NORMAL_RPC);
  const grpc::Status status = grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer>(
      &channel, method, &context, request, &reply);
  if (status.error_code() == grpc::StatusCode::NOT_FOUND) return "NOT_FOUND";
  if (!status.ok()) return status.error_message();
  grpc::Slice answer;
  if (!reply.DumpToSingleSlice(&answer).ok() || answer.size() != 2) return "malformed";
  return answer.begin()[1] == 1 ? "SERVING" : "NOT_SERVING";
}

}  // namespace docket::rpc
