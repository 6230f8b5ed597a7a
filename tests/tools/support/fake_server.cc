#include "tests/tools/support/fake_server.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"

namespace docket::testing {

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()),
                      SerializeRpcStatus(status));
}

template <class Request, class Reply>
grpc::Status FakeServer::Run(grpc::ServerContext* context, const Answer<Request, Reply>& answer, const Request& request,
                             Reply* reply) {
  const MutexLock lock(&mutex_);
  const auto found = context->client_metadata().find("docket-principal");
  last_principal_ =
      found == context->client_metadata().end() ? "" : std::string(found->second.data(), found->second.size());
  if (!answer) return grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "the test has no answer for this call");
  return ToGrpc(answer(request, reply));
}

template <class Request, class Reply>
grpc::Status FakeServer::RunStream(const StreamAnswer<Request, Reply>& answer, const Request& request,
                                   grpc::ServerWriter<Reply>* writer) {
  if (!answer) return grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "the test has no answer for this call");
  return ToGrpc(answer(request, [writer](const Reply& reply) { return writer->Write(reply); }));
}

#define DOCKET_FAKE_UNARY(Method, Request, Reply, answer)                                                    \
  grpc::Status Method(grpc::ServerContext* context, const v1::Request* request, v1::Reply* reply) override { \
    return fake_.Run(context, fake_.answer, *request, reply);                                                \
  }
#define DOCKET_FAKE_STREAM(Method, Request, Reply, answer)                                                     \
  grpc::Status Method(grpc::ServerContext*, const v1::Request* request, grpc::ServerWriter<v1::Reply>* writer) \
      override {                                                                                               \
    return fake_.RunStream(fake_.answer, *request, writer);                                                    \
  }

class FakeServer::Cases final : public v1::CaseService::Service {
 public:
  explicit Cases(FakeServer& fake) : fake_(fake) {}
  DOCKET_FAKE_UNARY(Execute, ExecuteRequest, ExecuteReply, execute)
  DOCKET_FAKE_UNARY(ListAllowedCommands, ListAllowedCommandsRequest, ListAllowedCommandsReply, list_allowed)
  DOCKET_FAKE_UNARY(GetCase, GetCaseRequest, GetCaseReply, get_case)
  DOCKET_FAKE_UNARY(ListCases, ListCasesRequest, ListCasesReply, list_cases)
  DOCKET_FAKE_STREAM(ReassignCases, ReassignCasesRequest, ReassignCasesReply, reassign)

  grpc::Status ExecuteStream(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<v1::ExecuteStreamReply, v1::ExecuteStreamRequest>* stream) override {
    v1::ExecuteStreamRequest request;
    while (stream->Read(&request)) {
      v1::ExecuteStreamReply reply;
      const grpc::Status status = fake_.Run(context, fake_.execute_stream, request, &reply);
      if (!status.ok()) return status;
      stream->Write(reply);
    }
    return grpc::Status::OK;
  }

 private:
  FakeServer& fake_;
};

class FakeServer::Queues final : public v1::QueueService::Service {
 public:
  explicit Queues(FakeServer& fake) : fake_(fake) {}
  DOCKET_FAKE_UNARY(ListQueue, ListQueueRequest, ListQueueReply, list_queue)
  DOCKET_FAKE_UNARY(TakeNext, TakeNextRequest, ExecuteReply, take_next)
  DOCKET_FAKE_UNARY(ListDuties, ListDutiesRequest, ListDutiesReply, list_duties)
  DOCKET_FAKE_UNARY(ListControl, ListControlRequest, ListControlReply, list_control)
  DOCKET_FAKE_UNARY(ListEscalations, ListEscalationsRequest, ListEscalationsReply, list_escalations)
  DOCKET_FAKE_UNARY(GetClocks, GetClocksRequest, GetClocksReply, get_clocks)
  DOCKET_FAKE_UNARY(ExplainDue, ExplainDueRequest, ExplainDueReply, explain_due)
  DOCKET_FAKE_STREAM(WatchAlerts, WatchAlertsRequest, WatchAlertsReply, watch_alerts)

 private:
  FakeServer& fake_;
};

class FakeServer::Audit final : public v1::AuditService::Service {
 public:
  explicit Audit(FakeServer& fake) : fake_(fake) {}
  DOCKET_FAKE_STREAM(ReadHistory, ReadHistoryRequest, ReadHistoryReply, read_history)
  DOCKET_FAKE_STREAM(ReadLog, ReadLogRequest, ReadLogReply, read_log)
  DOCKET_FAKE_STREAM(Subscribe, SubscribeRequest, SubscribeReply, subscribe)

 private:
  FakeServer& fake_;
};

class FakeServer::Policies final : public v1::PolicyService::Service {
 public:
  explicit Policies(FakeServer& fake) : fake_(fake) {}
  DOCKET_FAKE_UNARY(PublishPolicies, PublishPoliciesRequest, PublishPoliciesReply, publish)
  DOCKET_FAKE_UNARY(ValidatePolicies, ValidatePoliciesRequest, ValidatePoliciesReply, validate)
  DOCKET_FAKE_UNARY(GetPolicy, GetPolicyRequest, GetPolicyReply, get_policy)

 private:
  FakeServer& fake_;
};

class FakeServer::Admin final : public v1::AdminService::Service {
 public:
  explicit Admin(FakeServer& fake) : fake_(fake) {}
  DOCKET_FAKE_UNARY(GetStats, GetStatsRequest, GetStatsReply, get_stats)
  DOCKET_FAKE_UNARY(ListWebhooks, ListWebhooksRequest, ListWebhooksReply, list_webhooks)
  DOCKET_FAKE_UNARY(ListDeadLetters, ListDeadLettersRequest, ListDeadLettersReply, list_dead_letters)
  DOCKET_FAKE_UNARY(ReplayDeadLetters, ReplayDeadLettersRequest, ReplayDeadLettersReply, replay_dead_letters)
  DOCKET_FAKE_STREAM(RebuildViews, RebuildViewsRequest, RebuildViewsReply, rebuild)

 private:
  FakeServer& fake_;
};

FakeServer::FakeServer() {
  Start(0);
  address_ = absl::StrCat("127.0.0.1:", port_);
}

void FakeServer::Start(int port) {
  services_.clear();  // a service belongs to one server for its life
  services_.push_back(std::make_unique<Cases>(*this));
  services_.push_back(std::make_unique<Queues>(*this));
  services_.push_back(std::make_unique<Audit>(*this));
  services_.push_back(std::make_unique<Policies>(*this));
  services_.push_back(std::make_unique<Admin>(*this));
  grpc::ServerBuilder builder;
  builder.AddListeningPort(absl::StrCat("127.0.0.1:", port), grpc::InsecureServerCredentials(), &port_);
  for (const auto& service : services_) builder.RegisterService(service.get());
  server_ = builder.BuildAndStart();
  DOCKET_CHECK(server_ != nullptr && port_ != 0);
}

FakeServer::~FakeServer() { Stop(); }

void FakeServer::Stop() {
  if (server_ == nullptr) return;
  // Calls still running are cut off at once: a test that ends has nothing more to wait for.
  server_->Shutdown(absl::ToChronoTime(absl::Now()));
  server_->Wait();
  server_.reset();
}

void FakeServer::Restart() {
  DOCKET_CHECK(server_ == nullptr);
  Start(port_);
}

client::ClientOptions FakeServer::ClientOptions() {
  client::ClientOptions options;
  options.server = address_;
  options.call_timeout = absl::Seconds(60);
  options.sleep = [this](absl::Duration delay) {
    const MutexLock lock(&mutex_);
    sleeps_.push_back(delay);
  };
  options.random = [] { return 1.0; };
  return options;
}

std::vector<absl::Duration> FakeServer::sleeps() const {
  const MutexLock lock(&mutex_);
  return sleeps_;
}

std::string FakeServer::last_principal() const {
  const MutexLock lock(&mutex_);
  return last_principal_;
}

}  // namespace docket::testing
