#ifndef DOCKET_TOOLS_BENCH_PLANT_H_
#define DOCKET_TOOLS_BENCH_PLANT_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/engine/engine.h"
#include "services/rpc/server.h"
#include "store/event_log.h"
#include "store/kv.h"
#include "tools/client/client.h"

namespace docket::bench {

inline constexpr char kPrincipal[] = "grace.lind";  // of the sample directory

// Publishes the shipped packs in `folder`, those that are not published yet.
absl::Status PublishPacks(engine::Engine& engine, const std::string& folder);

absl::Status PublishPolicy(engine::Engine& engine, const std::string& yaml);

// A server as docketd wires it, over RocksDB in a folder, and a client connected to it over loopback.
class Plant {
 public:
  // `packs`: folder of the shipped policy packs; published when they are not yet.
  static absl::StatusOr<std::unique_ptr<Plant>> Open(const std::string& folder, const std::string& packs);

  engine::Engine& engine() { return *engine_; }
  store::KvStore& kv() { return *kv_; }
  store::EventLog& log() { return *log_; }
  client::Client& client() { return *client_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  // Of opening store, log and engine, until commands are taken; packs and server left out.
  absl::Duration opening() const { return opening_; }

 private:
  absl::Status OpenEngine(const std::string& folder);
  absl::Status Serve();

  // In the order of making; unmade in the other one.
  std::unique_ptr<store::KvStore> kv_;
  std::unique_ptr<store::EventLog> log_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<rpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<client::Client> client_;
  absl::Duration opening_;
};

}  // namespace docket::bench

#endif  // DOCKET_TOOLS_BENCH_PLANT_H_
