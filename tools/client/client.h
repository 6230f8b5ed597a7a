#ifndef DOCKET_TOOLS_CLIENT_CLIENT_H_
#define DOCKET_TOOLS_CLIENT_CLIENT_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "docket/v1/admin_service.grpc.pb.h"
#include "docket/v1/audit_service.grpc.pb.h"
#include "docket/v1/case_service.grpc.pb.h"
#include "docket/v1/policy_service.grpc.pb.h"
#include "docket/v1/queue_service.grpc.pb.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "tools/client/call_status.h"
#include "tools/client/retry.h"

// Start here: a connection to one Docket server. Reading streams: event_streams.h. Many writes: execute_pipeline.h.
namespace docket::client {

struct ClientOptions {
  std::string server = "127.0.0.1:7450";              // host:port
  std::string principal;                              // who calls, while there is no login; empty: nobody
  absl::Duration call_timeout = absl::Seconds(30);    // deadline of each attempt of a unary call
  absl::Duration connect_timeout = absl::Seconds(5);  // longest wait for a connection, per attempt
  RetryPolicy retry;
  // Replaced by tests; by default the system's sleep, randomness in [0, 1), and NewRequestId.
  std::function<void(absl::Duration)> sleep;
  std::function<double()> random;
  std::function<std::string()> new_request_id;
};

// Unary calls with retries. A failure is an absl::Status with the server's details (call_status.h). Every write carries
// a request_id (made here when the caller left it empty), kept over all attempts, so it takes effect at most once; when
// the last attempt leaves the outcome open, Describe(status).unknown_outcome_of names the request_id to repeat it with.
// Thread-safe; blocks.
class Client {
 public:
  explicit Client(ClientOptions options);
  // Over an existing channel (an in-process one in tests).
  Client(ClientOptions options, std::shared_ptr<grpc::Channel> channel);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  absl::StatusOr<v1::ExecuteReply> Execute(v1::ExecuteRequest request);
  absl::StatusOr<v1::ListAllowedCommandsReply> ListAllowedCommands(const v1::ListAllowedCommandsRequest& request);
  absl::StatusOr<v1::GetCaseReply> GetCase(const v1::GetCaseRequest& request);
  absl::StatusOr<v1::ListCasesReply> ListCases(const v1::ListCasesRequest& request);

  absl::StatusOr<v1::TakeLeaseReply> TakeLease(const v1::TakeLeaseRequest& request);
  absl::StatusOr<v1::ReleaseLeaseReply> ReleaseLease(const v1::ReleaseLeaseRequest& request);

  absl::StatusOr<v1::ListQueueReply> ListQueue(const v1::ListQueueRequest& request);
  absl::StatusOr<v1::ExecuteReply> TakeNext(v1::TakeNextRequest request);
  absl::StatusOr<v1::ListDutiesReply> ListDuties(const v1::ListDutiesRequest& request);
  absl::StatusOr<v1::ListControlReply> ListControl(const v1::ListControlRequest& request);
  absl::StatusOr<v1::ListEscalationsReply> ListEscalations(const v1::ListEscalationsRequest& request);
  absl::StatusOr<v1::GetClocksReply> GetClocks(const v1::GetClocksRequest& request);
  absl::StatusOr<v1::ExplainDueReply> ExplainDue(const v1::ExplainDueRequest& request);

  absl::StatusOr<v1::PublishPoliciesReply> PublishPolicies(v1::PublishPoliciesRequest request);
  absl::StatusOr<v1::ValidatePoliciesReply> ValidatePolicies(const v1::ValidatePoliciesRequest& request);
  absl::StatusOr<v1::GetPolicyReply> GetPolicy(const v1::GetPolicyRequest& request);
  absl::StatusOr<v1::ListPoliciesReply> ListPolicies(const v1::ListPoliciesRequest& request);
  absl::StatusOr<v1::GetDirectoryReply> GetDirectory(const v1::GetDirectoryRequest& request);
  absl::StatusOr<v1::ApproveRolloutReply> ApproveRollout(const v1::ApproveRolloutRequest& request);
  absl::StatusOr<v1::ListRolloutsReply> ListRollouts(const v1::ListRolloutsRequest& request);
  absl::StatusOr<v1::AbsenceReply> RecordAbsence(v1::RecordAbsenceRequest request);
  absl::StatusOr<v1::AbsenceReply> EndAbsence(v1::EndAbsenceRequest request);

  absl::StatusOr<v1::GetStatsReply> GetStats(const v1::GetStatsRequest& request);
  absl::StatusOr<v1::AcceptClockReply> AcceptClock(const v1::AcceptClockRequest& request);
  absl::StatusOr<v1::ListWebhooksReply> ListWebhooks(const v1::ListWebhooksRequest& request);
  absl::StatusOr<v1::ListDeadLettersReply> ListDeadLetters(const v1::ListDeadLettersRequest& request);
  // Repeated with `all` it replays only what was given up again meanwhile; repeated with ids it may say that they are
  // no dead letters any more.
  absl::StatusOr<v1::ReplayDeadLettersReply> ReplayDeadLetters(const v1::ReplayDeadLettersRequest& request);

  // For callers that run their own streams or asynchronous calls. Prepare() sets the identity and, with a finite
  // `timeout`, the deadline.
  v1::CaseService::StubInterface& cases() { return *cases_; }
  v1::QueueService::StubInterface& queues() { return *queues_; }
  v1::AuditService::StubInterface& audit() { return *audit_; }
  v1::AdminService::StubInterface& admin() { return *admin_; }
  v1::PolicyService::StubInterface& policies() { return *policies_; }
  void Prepare(grpc::ClientContext* context, absl::Duration timeout = absl::InfiniteDuration()) const;
  // OK when connected; NotConnected() as soon as an attempt to connect has failed.
  absl::Status EnsureConnected();
  const ClientOptions& options() const { return options_; }

 private:
  using Attempt = absl::FunctionRef<grpc::Status(grpc::ClientContext*)>;
  // `request_id` empty: a read.
  absl::Status CallWithRetries(absl::string_view request_id, Attempt attempt);

  template <class Service, class Request, class Reply>
  absl::StatusOr<Reply> Call(Service& service,
                             grpc::Status (Service::*method)(grpc::ClientContext*, const Request&, Reply*),
                             const Request& request, absl::string_view request_id = "");

  ClientOptions options_;
  bool own_channel_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::CaseService::StubInterface> cases_;
  std::unique_ptr<v1::QueueService::StubInterface> queues_;
  std::unique_ptr<v1::AuditService::StubInterface> audit_;
  std::unique_ptr<v1::PolicyService::StubInterface> policies_;
  std::unique_ptr<v1::AdminService::StubInterface> admin_;
};

}  // namespace docket::client

#endif  // DOCKET_TOOLS_CLIENT_CLIENT_H_
