#ifndef DOCKET_SERVICES_RPC_SERVER_H_
#define DOCKET_SERVICES_RPC_SERVER_H_

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/grpcpp.h"
#include "prometheus/registry.h"
#include "services/engine/engine.h"
#include "services/rpc/backend.h"
#include "services/rpc/listener.h"
#include "services/rpc/metrics_endpoint.h"
#include "services/rpc/pull_stream.h"
#include "services/rpc/read_pool.h"
#include "services/rpc/rpc_metrics.h"
#include "workflow/base/mutex.h"

// The gRPC server around an engine. Start here to understand services/rpc.
namespace docket::rpc {

// Limits of what one client can make the server hold (RELIABILITY: transport).
inline constexpr int kMaxReceiveBytes = 1 << 20;
inline constexpr int kMaxMetadataBytes = 8 << 10;
inline constexpr int kMaxConcurrentStreams = 100;       // per connection
inline constexpr size_t kMaxBufferedBytes = 256 << 20;  // of all connections together
inline constexpr absl::Duration kHandshakeTimeout = absl::Seconds(5);
inline constexpr absl::Duration kKeepaliveTime = absl::Seconds(60);
inline constexpr absl::Duration kKeepaliveTimeout = absl::Seconds(20);
inline constexpr absl::Duration kMinClientPing = absl::Seconds(30);
inline constexpr absl::Duration kMaxConnectionIdle = absl::Minutes(5);

inline constexpr int kMaxReplays = 2;  // questions about the past answered at once; of the threads below

inline constexpr char kHealthWrite[] = "docket.write";  // besides "": whether commands are accepted

struct ServerOptions {
  std::string listen = "127.0.0.1:7450";           // loopback only, while there is no login; port 0: a free one
  std::string metrics = "off";                     // HOST:PORT for Prometheus, "off": none; port 0: a free one
  bool metrics_optional = false;                   // serve without them, and say so, when their address is taken
  std::shared_ptr<prometheus::Registry> registry;  // null: one of its own
  outbox::Outbox* outbox = nullptr;                // outlives the server; null: no webhooks
  bool reflection = true;
  int read_threads = 4;
  absl::Duration drain = absl::Seconds(5);  // for calls in flight when stopping
};

// Thread-safe.
class Server {
 public:
  // Whether the addresses could be served at all; before anything is opened. kInvalidArgument as Start.
  static absl::Status CheckAddresses(const ServerOptions& options);

  // Serves when it returns. `engine` outlives the server. kInvalidArgument: an address that is not of this machine only
  // (it says why), or malformed; kUnavailable: it cannot be bound.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ServerOptions& options, engine::Engine* engine);
  ~Server();  // Shutdown

  const std::string& address() const { return listener_->address(); }
  std::string metrics_address() const { return endpoint_ == nullptr ? "" : endpoint_->address(); }  // "" when off
  // A channel that needs no socket, for tests.
  std::shared_ptr<grpc::Channel> InProcessChannel(const grpc::ChannelArguments& arguments);

  // Health says NOT_SERVING, no connection is accepted, endless streams and rebuilds are ended, calls in flight get
  // `drain` to end, then are cancelled. Everything handed to the engine has been answered when it returns, so the
  // engine must still be running. Idempotent.
  void Shutdown();

 private:
  Server(const ServerOptions& options, engine::Engine* engine);
  absl::Status Listen();
  absl::Status ExposeMetrics();
  absl::Status Build();
  void WatchHealth(bool serving);  // `serving`: what health says so far

  const ServerOptions options_;
  engine::Engine* const engine_;
  std::shared_ptr<prometheus::Registry> registry_;
  RpcMetrics metrics_;
  StreamRegistry streams_;
  query::ReplayGate replays_{kMaxReplays};
  std::unique_ptr<ReadPool> reads_;
  std::unique_ptr<MetricsEndpoint> endpoint_;
  std::unique_ptr<Listener> listener_;
  std::vector<std::unique_ptr<grpc::Service>> services_;
  std::unique_ptr<grpc::Server> server_;

  Mutex mutex_;
  CondVar stop_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread health_;
};

}  // namespace docket::rpc

#endif  // DOCKET_SERVICES_RPC_SERVER_H_
