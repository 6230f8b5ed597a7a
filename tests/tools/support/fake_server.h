#ifndef DOCKET_TESTS_TOOLS_SUPPORT_FAKE_SERVER_H_
#define DOCKET_TESTS_TOOLS_SUPPORT_FAKE_SERVER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "docket/v1/admin_service.grpc.pb.h"
#include "docket/v1/audit_service.grpc.pb.h"
#include "docket/v1/case_service.grpc.pb.h"
#include "docket/v1/policy_service.grpc.pb.h"
#include "docket/v1/queue_service.grpc.pb.h"
#include "grpcpp/server.h"
#include "tools/client/client.h"
#include "workflow/base/mutex.h"

// A real gRPC server on a free loopback port whose answers a test writes: each call runs the function of its name, and
// a call without one is UNIMPLEMENTED. Functions of unary calls run one at a time.
namespace docket::testing {

// A gRPC status with the details of a refusal, as docketd answers it.
grpc::Status ToGrpc(const absl::Status& status);

class FakeServer {
 public:
  template <class Request, class Reply>
  using Answer = std::function<absl::Status(const Request&, Reply*)>;
  // One reply at a time; the status ends the stream.
  template <class Request, class Reply>
  using StreamAnswer = std::function<absl::Status(const Request&, const std::function<bool(const Reply&)>& write)>;

  FakeServer();
  ~FakeServer();

  std::string address() const { return address_; }
  // Options for a client of this server that waits for nothing: sleeps are recorded, jitter is the largest.
  client::ClientOptions ClientOptions();
  std::vector<absl::Duration> sleeps() const;
  // The value of docket-principal of the last unary call; "" none.
  std::string last_principal() const;
  // Ends the server and whatever still runs on it. The port refuses connections afterwards.
  void Stop();
  // Begins again at the same port. REQUIRES: stopped.
  void Restart();

  Answer<v1::ExecuteRequest, v1::ExecuteReply> execute;
  Answer<v1::ListAllowedCommandsRequest, v1::ListAllowedCommandsReply> list_allowed;
  Answer<v1::GetCaseRequest, v1::GetCaseReply> get_case;
  Answer<v1::ListCasesRequest, v1::ListCasesReply> list_cases;
  Answer<v1::ListQueueRequest, v1::ListQueueReply> list_queue;
  Answer<v1::TakeNextRequest, v1::ExecuteReply> take_next;
  Answer<v1::ListDutiesRequest, v1::ListDutiesReply> list_duties;
  Answer<v1::ListControlRequest, v1::ListControlReply> list_control;
  Answer<v1::ListEscalationsRequest, v1::ListEscalationsReply> list_escalations;
  Answer<v1::GetClocksRequest, v1::GetClocksReply> get_clocks;
  Answer<v1::ExplainDueRequest, v1::ExplainDueReply> explain_due;
  Answer<v1::PublishPoliciesRequest, v1::PublishPoliciesReply> publish;
  Answer<v1::ValidatePoliciesRequest, v1::ValidatePoliciesReply> validate;
  Answer<v1::GetPolicyRequest, v1::GetPolicyReply> get_policy;
  Answer<v1::GetStatsRequest, v1::GetStatsReply> get_stats;
  Answer<v1::ListWebhooksRequest, v1::ListWebhooksReply> list_webhooks;
  Answer<v1::ListDeadLettersRequest, v1::ListDeadLettersReply> list_dead_letters;
  Answer<v1::ReplayDeadLettersRequest, v1::ReplayDeadLettersReply> replay_dead_letters;
  // One message of requests; the status ends the stream when it is not OK.
  Answer<v1::ExecuteStreamRequest, v1::ExecuteStreamReply> execute_stream;
  StreamAnswer<v1::ReadHistoryRequest, v1::ReadHistoryReply> read_history;
  StreamAnswer<v1::ReadLogRequest, v1::ReadLogReply> read_log;
  StreamAnswer<v1::SubscribeRequest, v1::SubscribeReply> subscribe;
  StreamAnswer<v1::WatchAlertsRequest, v1::WatchAlertsReply> watch_alerts;
  StreamAnswer<v1::ReassignCasesRequest, v1::ReassignCasesReply> reassign;
  StreamAnswer<v1::RebuildViewsRequest, v1::RebuildViewsReply> rebuild;

 private:
  class Cases;
  class Queues;
  class Audit;
  class Policies;
  class Admin;

  // port 0: a free one.
  void Start(int port);
  template <class Request, class Reply>
  grpc::Status Run(grpc::ServerContext* context, const Answer<Request, Reply>& answer, const Request& request,
                   Reply* reply);
  template <class Request, class Reply>
  grpc::Status RunStream(const StreamAnswer<Request, Reply>& answer, const Request& request,
                         grpc::ServerWriter<Reply>* writer);

  mutable Mutex mutex_;
  std::vector<absl::Duration> sleeps_ ABSL_GUARDED_BY(mutex_);
  std::string last_principal_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<grpc::Service>> services_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
  std::string address_;
};

}  // namespace docket::testing

#endif  // DOCKET_TESTS_TOOLS_SUPPORT_FAKE_SERVER_H_
