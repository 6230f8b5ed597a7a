#include "tools/bench/plant.h"

#include <fstream>
#include <future>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "store/rocks_kv.h"
#include "tools/bench/measure.h"
#include "tools/client/request_id.h"
#include "workflow/base/check.h"

namespace docket::bench {
namespace {

// In an order in which each finds what it refers to.
constexpr const char* kPacks[] = {"directory-sample.yaml", "calendar-always.yaml", "calendar-london.yaml",
                                  "priority-matrix.yaml",  "sla-standard.yaml",    "complaint-iso10002.yaml",
                                  "ticket-basic.yaml",     "ladder-standard.yaml"};

}  // namespace

absl::StatusOr<std::unique_ptr<Plant>> Plant::Open(const std::string& folder, const std::string& packs) {
  auto plant = std::make_unique<Plant>();
  const Stopwatch watch;
  DOCKET_RETURN_IF_ERROR(plant->OpenEngine(folder));
  plant->opening_ = watch.elapsed();
  DOCKET_RETURN_IF_ERROR(PublishPacks(*plant->engine_, packs));
  DOCKET_RETURN_IF_ERROR(plant->Serve());
  return plant;
}

absl::Status Plant::OpenEngine(const std::string& folder) {
  store::RocksOptions rocks;
  rocks.path = absl::StrCat(folder, "/db");
  DOCKET_ASSIGN_OR_RETURN(kv_, store::OpenRocksKv(rocks));
  engine::EngineOptions options;
  options.environment = {engine::MakeSystemClock(), engine::MakeSystemRandomness()};
  DOCKET_ASSIGN_OR_RETURN(log_, store::OpenLocalLog(kv_.get(), {.high_water_path = absl::StrCat(folder, "/high-water"),
                                                                .new_log_id = options.environment.random(16)}));
  options.kv = kv_.get();
  options.log = log_.get();
  DOCKET_ASSIGN_OR_RETURN(engine_, engine::Engine::Open(options));
  return absl::OkStatus();
}

absl::Status PublishPolicy(engine::Engine& engine, const std::string& yaml) {
  v1::PublishPoliciesRequest request;
  request.set_yaml(yaml);
  request.set_request_id(client::NewRequestId());
  std::promise<absl::Status> done;
  engine.SubmitPublish(request, engine::Caller{.principal_id = "mei.tan"},
                       [&done](auto reply) { done.set_value(reply.status()); });
  return done.get_future().get();
}

absl::Status PublishPacks(engine::Engine& engine, const std::string& folder) {
  for (const char* name : kPacks) {
    std::ifstream file(absl::StrCat(folder, "/", name));
    if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", folder, "/", name));
    std::ostringstream yaml;
    yaml << file.rdbuf();
    DOCKET_RETURN_IF_ERROR(PublishPolicy(engine, yaml.str()));
  }
  return absl::OkStatus();
}

absl::Status Plant::Serve() {
  rpc::ServerOptions options;
  options.listen = "127.0.0.1:0";
  DOCKET_ASSIGN_OR_RETURN(server_, rpc::Server::Start(options, engine_.get()));
  channel_ = grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials());
  client::ClientOptions client_options;
  client_options.server = server_->address();
  client_options.principal = kPrincipal;
  client_ = std::make_unique<client::Client>(client_options, channel_);
  return client_->EnsureConnected();
}

}  // namespace docket::bench
