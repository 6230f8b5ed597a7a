#include "services/rpc/server.h"

#include <chrono>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/resource_quota.h"
#include "services/rpc/services.h"
#include "spdlog/spdlog.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"

namespace docket::rpc {
namespace {

constexpr absl::Duration kHealthPoll = absl::Milliseconds(200);
constexpr int kSyncThreads = 8;  // for reflection, the one service that is not ours and not asynchronous

// Process-wide switches of gRPC and Abseil, thrown once before the first server is built.
void PrepareProcess(bool reflection) {
  static std::once_flag once;
  std::call_once(once, [] {
    // Abseil's deadlock detector is compiled into the packaged libraries and costs a third of the throughput.
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
    grpc::EnableDefaultHealthCheckService(true);
  });
  static std::once_flag reflect;
  if (reflection) std::call_once(reflect, [] { grpc::reflection::InitProtoReflectionServerBuilderPlugin(); });
}

absl::StatusOr<HostPort> LoopbackOnly(const std::string& text, absl::string_view flag) {
  DOCKET_ASSIGN_OR_RETURN(const HostPort address, ParseHostPort(text));
  if (!IsLoopback(address)) {
    return absl::InvalidArgumentError(
        absl::StrCat(flag, " ", text,
                     ": refused. There is no login yet: whoever reaches the port may claim to be "
                     "anybody, so only addresses of this machine are served (127.0.0.1, [::1], localhost)"));
  }
  return address;
}

void SetLimits(grpc::ServerBuilder& builder) {
  const auto ms = [](absl::Duration span) { return static_cast<int>(absl::ToInt64Milliseconds(span)); };
  builder.SetMaxReceiveMessageSize(kMaxReceiveBytes);
  // gRPC checks the size of a message only when it has all of it; the quota is what bounds memory meanwhile.
  grpc::ResourceQuota quota("docket");
  quota.Resize(kMaxBufferedBytes);
  quota.SetMaxThreads(kSyncThreads * 2);
  builder.SetResourceQuota(quota);
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MIN_POLLERS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 1);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxConcurrentStreams);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, ms(kHandshakeTimeout));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, ms(kKeepaliveTime));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, ms(kKeepaliveTimeout));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, ms(kMinClientPing));
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 2);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, ms(kMaxConnectionIdle));
}

}  // namespace

Server::Server(const ServerOptions& options, engine::Engine* engine)
    : options_(options),
      engine_(engine),
      registry_(options.registry != nullptr ? options.registry : std::make_shared<prometheus::Registry>()),
      metrics_(registry_),
      reads_(std::make_unique<ReadPool>(options.read_threads)) {}

Server::~Server() { Shutdown(); }

absl::Status Server::CheckAddresses(const ServerOptions& options) {
  DOCKET_RETURN_IF_ERROR(LoopbackOnly(options.listen, "--listen").status());
  if (options.metrics.empty() || options.metrics == "off") return absl::OkStatus();
  return LoopbackOnly(options.metrics, "--metrics").status();
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options, engine::Engine* engine) {
  PrepareProcess(options.reflection);
  std::unique_ptr<Server> server(new Server(options, engine));
  DOCKET_RETURN_IF_ERROR(server->Listen());
  DOCKET_RETURN_IF_ERROR(server->ExposeMetrics());
  DOCKET_RETURN_IF_ERROR(server->Build());
  spdlog::warn(
      "trusting loopback mode: there is no login, every caller is believed to be who the metadata \"docket-principal\" "
      "says; do not forward this port");
  return server;
}

absl::Status Server::Listen() {
  DOCKET_ASSIGN_OR_RETURN(const HostPort address, LoopbackOnly(options_.listen, "--listen"));
  DOCKET_ASSIGN_OR_RETURN(listener_, Listener::Open(address));
  return absl::OkStatus();
}

absl::Status Server::ExposeMetrics() {
  if (options_.metrics.empty() || options_.metrics == "off") return absl::OkStatus();
  DOCKET_ASSIGN_OR_RETURN(const HostPort address, LoopbackOnly(options_.metrics, "--metrics"));
  auto endpoint = MetricsEndpoint::Open(address, registry_);
  if (endpoint.ok()) {
    endpoint_ = *std::move(endpoint);
  } else if (options_.metrics_optional) {
    spdlog::warn("no metrics: {} is taken or cannot be bound", options_.metrics);
  } else {
    return endpoint.status();
  }
  return absl::OkStatus();
}

absl::Status Server::Build() {
  const Backend backend{.engine = engine_,
                        .reads = reads_.get(),
                        .metrics = &metrics_,
                        .replays = &replays_,
                        .outbox = options_.outbox,
                        .streams = &streams_};
  services_.push_back(MakeCaseService(backend));
  services_.push_back(MakeQueueService(backend));
  services_.push_back(MakeAuditService(backend));
  services_.push_back(MakePolicyService(backend));
  services_.push_back(MakeAdminService(backend));
  grpc::ServerBuilder builder;
  SetLimits(builder);
  for (const auto& service : services_) builder.RegisterService(service.get());
  auto acceptor = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, grpc::InsecureServerCredentials());
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) return absl::InternalError("gRPC could not build the server");
  server_->GetHealthCheckService()->SetServingStatus("", true);
  const bool serving = engine_->WriteHealth().ok();
  server_->GetHealthCheckService()->SetServingStatus(kHealthWrite, serving);
  // What was told, not what is by the time the thread begins: a failure in between would never be told.
  health_ = std::thread([this, serving] { WatchHealth(serving); });
  listener_->Start(std::move(acceptor));
  return absl::OkStatus();
}

void Server::WatchHealth(bool serving) {
  const MutexLock lock(&mutex_);
  bool suspect = false;
  while (!stopping_) {
    if (stop_.WaitFor(&mutex_, kHealthPoll)) continue;
    if (const bool now = engine_->ClockSuspect(); now != suspect) {
      suspect = now;
      suspect ? spdlog::error("the wall clock stepped and is not believed: timers wait (docket admin clock accept)")
              : spdlog::warn("the wall clock is believed again");
    }
    const absl::Status health = engine_->WriteHealth();
    if (health.ok() == serving) continue;
    serving = health.ok();
    server_->GetHealthCheckService()->SetServingStatus(kHealthWrite, serving);
    serving ? spdlog::info("commands are accepted again")
            : spdlog::error("commands are refused: {}", std::string(health.message()));
  }
}

std::shared_ptr<grpc::Channel> Server::InProcessChannel(const grpc::ChannelArguments& arguments) {
  return server_->InProcessChannel(arguments);
}

void Server::Shutdown() {
  {
    const MutexLock lock(&mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  stop_.NotifyAll();
  if (health_.joinable()) health_.join();
  if (server_ != nullptr) {
    server_->GetHealthCheckService()->SetServingStatus("", false);
    server_->GetHealthCheckService()->SetServingStatus(kHealthWrite, false);
  }
  if (listener_ != nullptr) listener_->Stop();
  engine_->CancelRebuilds();
  streams_.StopAll();
  if (server_ != nullptr) {
    server_->Shutdown(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(options_.drain));
    server_->Wait();
  }
  // No call is left: the last tasks of streams and reads end, then the services (and a rebuild) may go.
  reads_.reset();
  services_.clear();
  endpoint_.reset();
}

}  // namespace docket::rpc
