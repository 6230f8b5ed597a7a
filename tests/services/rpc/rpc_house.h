#ifndef DOCKET_TESTS_SERVICES_RPC_RPC_HOUSE_H_
#define DOCKET_TESTS_SERVICES_RPC_RPC_HOUSE_H_

#include <memory>
#include <string>

#include "docket/v1/admin_service.grpc.pb.h"
#include "docket/v1/audit_service.grpc.pb.h"
#include "docket/v1/case_service.grpc.pb.h"
#include "docket/v1/policy_service.grpc.pb.h"
#include "docket/v1/queue_service.grpc.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/grpcpp.h"
#include "services/rpc/server.h"
#include "tests/support/house.h"

namespace docket::rpc {

// A house with its server on a free port of this machine, and stubs that talk to it over a real socket.
class RpcHouse {
 public:
  explicit RpcHouse(ServerOptions options = {}, testing::House::Options house = {});
  ~RpcHouse();

  // A context that says who asks; "": nobody.
  static std::unique_ptr<grpc::ClientContext> As(const std::string& principal = "grace.lind");

  v1::ExecuteRequest Filing(const std::string& title = "Water off");
  v1::ExecuteRequest Note(const std::string& case_id, const std::string& body = "called");
  // Files a case and returns the answer. Fails the test when refused.
  v1::ExecuteReply File(const std::string& title = "Water off");

  testing::House& house() { return house_; }
  Server& server() { return *server_; }
  // Ends the server, as SIGTERM does.
  void StopServer() { server_.reset(); }
  std::shared_ptr<grpc::Channel> NewChannel(grpc::ChannelArguments arguments = {});

  std::unique_ptr<v1::CaseService::Stub> cases;
  std::unique_ptr<v1::QueueService::Stub> queues;
  std::unique_ptr<v1::AuditService::Stub> audit;
  std::unique_ptr<v1::PolicyService::Stub> policies;
  std::unique_ptr<v1::AdminService::Stub> admin;

 private:
  testing::House house_;
  std::unique_ptr<Server> server_;
};

// The ErrorInfo reason in the details of a status; "" when there is none.
std::string ReasonOf(const grpc::Status& status);
std::string ReasonOf(const google::rpc::Status& status);

// grpc.health.v1.Health/Check by hand (Debian ships no stubs): SERVING, NOT_SERVING, NOT_FOUND, or the error.
std::string Health(grpc::Channel& channel, const std::string& service);

}  // namespace docket::rpc

#endif  // DOCKET_TESTS_SERVICES_RPC_RPC_HOUSE_H_
