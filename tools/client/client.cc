#include "tools/client/client.h"

#include <algorithm>
#include <utility>

#include "absl/random/random.h"
#include "absl/time/clock.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"
#include "tools/client/request_id.h"
#include "workflow/base/check.h"

namespace docket::client {
namespace {

constexpr char kPrincipalKey[] = "docket-principal";
// Larger than the largest page or stream message the server makes.
constexpr int kMaxReplyBytes = 64 * 1024 * 1024;

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& server) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxReplyBytes);
  // A proxy of the environment is for the web; a server named by address is meant.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // The client has its own back-off; the channel's default of seconds would outlast all its attempts.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  return grpc::CreateCustomChannel(server, grpc::InsecureChannelCredentials(), arguments);
}

ClientOptions WithDefaults(ClientOptions options) {
  if (!options.sleep) options.sleep = [](absl::Duration delay) { absl::SleepFor(delay); };
  if (!options.random) {
    options.random = [] {
      thread_local absl::BitGen random;
      return absl::Uniform<double>(random, 0, 1);
    };
  }
  if (!options.new_request_id) options.new_request_id = [] { return NewRequestId(); };
  return options;
}

}  // namespace

Client::Client(ClientOptions options) : Client(std::move(options), nullptr) {}

Client::Client(ClientOptions options, std::shared_ptr<grpc::Channel> channel)
    : options_(WithDefaults(std::move(options))),
      own_channel_(channel == nullptr),
      channel_(own_channel_ ? MakeChannel(options_.server) : std::move(channel)),
      cases_(v1::CaseService::NewStub(channel_)),
      queues_(v1::QueueService::NewStub(channel_)),
      audit_(v1::AuditService::NewStub(channel_)),
      policies_(v1::PolicyService::NewStub(channel_)),
      admin_(v1::AdminService::NewStub(channel_)) {}

Client::~Client() = default;

void Client::Prepare(grpc::ClientContext* context, absl::Duration timeout) const {
  if (!options_.principal.empty()) context->AddMetadata(kPrincipalKey, options_.principal);
  if (timeout != absl::InfiniteDuration()) context->set_deadline(absl::ToChronoTime(absl::Now() + timeout));
}

// Connecting apart from calling tells "nothing was sent" from "the answer was lost", which decides whether a write may
// have taken effect.
absl::Status Client::EnsureConnected() {
  if (!own_channel_) return absl::OkStatus();  // an in-process channel has no connection to watch
  const auto deadline = absl::ToChronoTime(absl::Now() + options_.connect_timeout);
  // After a failure the channel keeps that state, and tries again on its own, until an attempt succeeds; so the failure
  // is reported at once and it is the caller's back-off that gives the channel time.
  for (auto state = channel_->GetState(true); state != GRPC_CHANNEL_READY; state = channel_->GetState(true)) {
    const bool failed = state == GRPC_CHANNEL_TRANSIENT_FAILURE || state == GRPC_CHANNEL_SHUTDOWN;
    if (failed || !channel_->WaitForStateChange(state, deadline)) return NotConnected(options_.server);
  }
  return absl::OkStatus();
}

absl::Status Client::CallWithRetries(absl::string_view request_id, Attempt attempt) {
  bool may_have_taken_effect = false;
  for (int number = 1;; ++number) {
    absl::Status status = EnsureConnected();
    if (status.ok()) {
      grpc::ClientContext context;
      Prepare(&context, options_.call_timeout);
      status = FromGrpc(attempt(&context));
      if (status.ok()) return status;
      may_have_taken_effect |= MayHaveTakenEffect(status);
    }
    const auto delay = NextDelay(options_.retry, number, status, options_.random());
    if (delay.has_value()) {
      options_.sleep(*delay);
      continue;
    }
    // A refusal that will not change is the answer; any other end leaves an earlier attempt's effect open.
    const bool undecided = IsRetryable(status) || MayHaveTakenEffect(status);
    if (request_id.empty() || !may_have_taken_effect || !undecided) return status;
    return WithUnknownOutcome(std::move(status), request_id);
  }
}

template <class Service, class Request, class Reply>
absl::StatusOr<Reply> Client::Call(Service& service,
                                   grpc::Status (Service::*method)(grpc::ClientContext*, const Request&, Reply*),
                                   const Request& request, absl::string_view request_id) {
  Reply reply;
  DOCKET_RETURN_IF_ERROR(CallWithRetries(request_id, [&](grpc::ClientContext* context) {
    reply.Clear();
    return (service.*method)(context, request, &reply);
  }));
  return reply;
}

absl::StatusOr<v1::ExecuteReply> Client::Execute(v1::ExecuteRequest request) {
  if (request.request_id().empty()) request.set_request_id(options_.new_request_id());
  return Call(*cases_, &v1::CaseService::StubInterface::Execute, request,
              request.validate_only() ? "" : absl::string_view(request.request_id()));
}
absl::StatusOr<v1::ListAllowedCommandsReply> Client::ListAllowedCommands(
    const v1::ListAllowedCommandsRequest& request) {
  return Call(*cases_, &v1::CaseService::StubInterface::ListAllowedCommands, request);
}
absl::StatusOr<v1::GetCaseReply> Client::GetCase(const v1::GetCaseRequest& request) {
  return Call(*cases_, &v1::CaseService::StubInterface::GetCase, request);
}
absl::StatusOr<v1::ListCasesReply> Client::ListCases(const v1::ListCasesRequest& request) {
  return Call(*cases_, &v1::CaseService::StubInterface::ListCases, request);
}

absl::StatusOr<v1::TakeLeaseReply> Client::TakeLease(const v1::TakeLeaseRequest& request) {
  return Call(*cases_, &v1::CaseService::StubInterface::TakeLease, request);
}
absl::StatusOr<v1::ReleaseLeaseReply> Client::ReleaseLease(const v1::ReleaseLeaseRequest& request) {
  return Call(*cases_, &v1::CaseService::StubInterface::ReleaseLease, request);
}

absl::StatusOr<v1::ListQueueReply> Client::ListQueue(const v1::ListQueueRequest& request) {
  return Call(*queues_, &v1::QueueService::StubInterface::ListQueue, request);
}
absl::StatusOr<v1::ExecuteReply> Client::TakeNext(v1::TakeNextRequest request) {
  if (request.request_id().empty()) request.set_request_id(options_.new_request_id());
  return Call(*queues_, &v1::QueueService::StubInterface::TakeNext, request, request.request_id());
}
absl::StatusOr<v1::ListDutiesReply> Client::ListDuties(const v1::ListDutiesRequest& request) {
  return Call(*queues_, &v1::QueueService::StubInterface::ListDuties, request);
}
absl::StatusOr<v1::ListControlReply> Client::ListControl(const v1::ListControlRequest& request) {
  return Call(*queues_, &v1::QueueService::StubInterface::ListControl, request);
}
absl::StatusOr<v1::ListEscalationsReply> Client::ListEscalations(const v1::ListEscalationsRequest& request) {
  return Call(*queues_, &v1::QueueService::StubInterface::ListEscalations, request);
}
absl::StatusOr<v1::ExplainDueReply> Client::ExplainDue(const v1::ExplainDueRequest& request) {
  return Call(*queues_, &v1::QueueService::StubInterface::ExplainDue, request);
}

absl::StatusOr<v1::GetClocksReply> Client::GetClocks(const v1::GetClocksRequest& request) {
  return Call(*queues_, &v1::QueueService::StubInterface::GetClocks, request);
}

absl::StatusOr<v1::PublishPoliciesReply> Client::PublishPolicies(v1::PublishPoliciesRequest request) {
  if (request.request_id().empty()) request.set_request_id(options_.new_request_id());
  return Call(*policies_, &v1::PolicyService::StubInterface::PublishPolicies, request, request.request_id());
}
absl::StatusOr<v1::ValidatePoliciesReply> Client::ValidatePolicies(const v1::ValidatePoliciesRequest& request) {
  return Call(*policies_, &v1::PolicyService::StubInterface::ValidatePolicies, request);
}
absl::StatusOr<v1::GetPolicyReply> Client::GetPolicy(const v1::GetPolicyRequest& request) {
  return Call(*policies_, &v1::PolicyService::StubInterface::GetPolicy, request);
}
absl::StatusOr<v1::ListPoliciesReply> Client::ListPolicies(const v1::ListPoliciesRequest& request) {
  return Call(*policies_, &v1::PolicyService::StubInterface::ListPolicies, request);
}
absl::StatusOr<v1::AbsenceReply> Client::RecordAbsence(v1::RecordAbsenceRequest request) {
  if (request.request_id().empty()) request.set_request_id(options_.new_request_id());
  return Call(*policies_, &v1::PolicyService::StubInterface::RecordAbsence, request, request.request_id());
}
absl::StatusOr<v1::AbsenceReply> Client::EndAbsence(v1::EndAbsenceRequest request) {
  if (request.request_id().empty()) request.set_request_id(options_.new_request_id());
  return Call(*policies_, &v1::PolicyService::StubInterface::EndAbsence, request, request.request_id());
}
absl::StatusOr<v1::GetDirectoryReply> Client::GetDirectory(const v1::GetDirectoryRequest& request) {
  return Call(*policies_, &v1::PolicyService::StubInterface::GetDirectory, request);
}

absl::StatusOr<v1::ApproveRolloutReply> Client::ApproveRollout(const v1::ApproveRolloutRequest& request) {
  return Call(*policies_, &v1::PolicyService::StubInterface::ApproveRollout, request);
}
absl::StatusOr<v1::ListRolloutsReply> Client::ListRollouts(const v1::ListRolloutsRequest& request) {
  return Call(*policies_, &v1::PolicyService::StubInterface::ListRollouts, request);
}

absl::StatusOr<v1::GetStatsReply> Client::GetStats(const v1::GetStatsRequest& request) {
  return Call(*admin_, &v1::AdminService::StubInterface::GetStats, request);
}
absl::StatusOr<v1::AcceptClockReply> Client::AcceptClock(const v1::AcceptClockRequest& request) {
  return Call(*admin_, &v1::AdminService::StubInterface::AcceptClock, request);
}
absl::StatusOr<v1::ListWebhooksReply> Client::ListWebhooks(const v1::ListWebhooksRequest& request) {
  return Call(*admin_, &v1::AdminService::StubInterface::ListWebhooks, request);
}
absl::StatusOr<v1::ListDeadLettersReply> Client::ListDeadLetters(const v1::ListDeadLettersRequest& request) {
  return Call(*admin_, &v1::AdminService::StubInterface::ListDeadLetters, request);
}
absl::StatusOr<v1::ReplayDeadLettersReply> Client::ReplayDeadLetters(const v1::ReplayDeadLettersRequest& request) {
  return Call(*admin_, &v1::AdminService::StubInterface::ReplayDeadLetters, request);
}

}  // namespace docket::client
