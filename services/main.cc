#include <pthread.h>
#include <signal.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <future>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "prometheus/registry.h"
#include "services/engine/engine.h"
#include "services/outbox/curl_sender.h"
#include "services/outbox/outbox.h"
#include "services/rpc/server.h"
#include "spdlog/sinks/stdout_color_sinks.h"
#include "spdlog/spdlog.h"
#include "store/event_log.h"
#include "store/rocks_kv.h"
#include "store/uuid.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/policy/pack.h"

// docketd: flags, wiring, signals.
namespace docket {
namespace {

struct Flags {
  std::string data;
  std::string listen = "127.0.0.1:7450";
  std::string metrics = "127.0.0.1:7451";
  bool metrics_given = false;
  std::vector<std::string> policy_packs;
  std::vector<std::string> webhooks;
  uint64_t disk_reserve = store::kDefaultDiskReserveBytes;
  bool accept_missing_high_water = false;
};

// OK when the server should run; otherwise main ends with `exit_code`.
bool ParseFlags(int argc, char** argv, Flags* flags, int* exit_code) {
  CLI::App app{"docketd serves cases, their deadlines and their history from one append-only log."};
  app.set_version_flag("--version", DOCKET_VERSION);
  app.add_option("--data", flags->data, "folder of the data; made when missing")->required();
  app.add_option("--listen", flags->listen, "HOST:PORT of this machine; port 0 takes a free one")
      ->capture_default_str();
  app.add_option("--policy-pack", flags->policy_packs,
                 "policy pack to publish at start; unchanged documents are skipped")
      ->check(CLI::ExistingFile);
  app.add_option("--webhook", flags->webhooks, "file of webhooks that are sent alerts (services/outbox/README.md)")
      ->check(CLI::ExistingFile);
  CLI::Option* metrics =
      app.add_option("--metrics", flags->metrics, "HOST:PORT for Prometheus, or off")->capture_default_str();
  app.add_option("--disk-reserve", flags->disk_reserve,
                 "free space below which commands are refused and reads go on, such as 256MiB")
      ->check(
          [](const std::string& text) { return text.rfind('-', 0) == 0 ? text + ", want 0 or more" : std::string(); })
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/false))
      ->capture_default_str();
  app.add_flag("--accept-missing-high-water", flags->accept_missing_high_water,
               "open a log whose high-water file is lost; only after comparing the log with a copy");
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.set_config("--config", "", "file with the same flags: listen = \"127.0.0.1:7450\"")->check(CLI::ExistingFile);
  try {  // the library reports by exceptions; they end here
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    *exit_code = app.exit(error, std::cerr, std::cerr) == 0 ? 0 : 1;
    return false;
  }
  flags->metrics_given = metrics->count() > 0;
  return true;
}

absl::StatusOr<std::string> ReadPack(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  if (bytes.str().size() > policy::kMaxPackBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", bytes.str().size(), " bytes, want at most ", policy::kMaxPackBytes));
  }
  return bytes.str();
}

absl::Status Publish(engine::Engine& engine, const std::string& path) {
  v1::PublishPoliciesRequest request;
  DOCKET_ASSIGN_OR_RETURN(*request.mutable_yaml(), ReadPack(path));
  const engine::Environment& environment = engine.environment();
  request.set_request_id(
      store::MakeUuidV7(absl::ToUnixMillis(environment.clock->Now()), environment.random(store::kUuidRandomBytes)));
  const engine::Caller caller{
      .principal_id = engine::kSystemPrincipal, .kind = v1::ACTOR_KIND_SYSTEM_RULE, .authentication = "local"};
  std::promise<absl::StatusOr<v1::PublishPoliciesReply>> done;
  engine.SubmitPublish(std::move(request), caller, [&done](auto reply) { done.set_value(std::move(reply)); });
  const absl::StatusOr<v1::PublishPoliciesReply> reply = done.get_future().get();
  if (!reply.ok()) {
    absl::Status named(reply.status().code(), absl::StrCat(path, ": ", reply.status().message()));
    reply.status().ForEachPayload(
        [&](absl::string_view type, const absl::Cord& payload) { named.SetPayload(type, payload); });
    return named;
  }
  for (const v1::PolicyFinding& warning : reply->warnings()) {
    spdlog::warn("{}:{}: {} {}", path, warning.line(), warning.reason(), warning.message());
  }
  if (reply->unchanged()) {
    spdlog::info("{}: nothing new to publish (what was published later stays; a directory is published by hand)", path);
  } else {
    const size_t policies = std::count_if(reply->policies().begin(), reply->policies().end(),
                                          [](const v1::PublishedPolicy& one) { return !one.unchanged(); });
    spdlog::info("{}: published {} {}{}", path, policies, policies == 1 ? "policy" : "policies",
                 reply->directory_published() ? " and the directory" : "");
  }
  return absl::OkStatus();
}

uint64_t FreeBytes(const std::string& path) {
  struct statvfs disk {};
  return statvfs(path.c_str(), &disk) == 0 ? static_cast<uint64_t>(disk.f_bavail) * disk.f_frsize : 0;
}

// Waits for the signal to end. REQUIRES: both are blocked in every thread.
void AwaitSignal(const sigset_t& signals) {
  int signal = 0;
  while (sigwait(&signals, &signal) != 0) {
  }
  spdlog::info("signal {}: draining", signal);
}

absl::StatusOr<std::vector<outbox::WebhookOptions>> ReadWebhooks(const std::vector<std::string>& paths) {
  std::vector<outbox::WebhookOptions> webhooks;
  std::set<std::string> names;
  for (const std::string& path : paths) {
    DOCKET_ASSIGN_OR_RETURN(std::vector<outbox::WebhookOptions> read, outbox::ReadWebhooks(path));
    for (outbox::WebhookOptions& webhook : read) {
      if (!names.insert(webhook.name).second) {
        return absl::InvalidArgumentError(absl::StrCat(path, ": name: \"", webhook.name, "\" is used in two files"));
      }
      webhooks.push_back(std::move(webhook));
    }
  }
  if (webhooks.size() > outbox::kMaxWebhooks) {
    return absl::InvalidArgumentError(absl::StrCat(webhooks.size(), " webhooks, want at most ", outbox::kMaxWebhooks));
  }
  return webhooks;
}

// The outbox with the store it stands on. Made only when there are webhooks; what an earlier one left stays until then.
struct OutboxParts {
  std::unique_ptr<store::KvStore> kv;
  std::unique_ptr<outbox::Outbox> outbox;  // null: no webhooks
};
absl::StatusOr<OutboxParts> OpenOutbox(const Flags& flags, std::vector<outbox::WebhookOptions> webhooks,
                                       engine::Engine* engine, std::shared_ptr<prometheus::Registry> registry) {
  OutboxParts parts;
  if (webhooks.empty()) return parts;
  store::RocksOptions rocks;
  rocks.path = absl::StrCat(flags.data, "/outbox");
  rocks.disk_reserve_bytes = flags.disk_reserve;
  rocks.notice = [](absl::string_view line) { spdlog::warn("outbox: {}", std::string(line)); };
  DOCKET_ASSIGN_OR_RETURN(parts.kv, store::OpenRocksKv(rocks));
  outbox::OutboxOptions options;
  options.webhooks = std::move(webhooks);
  options.engine = engine;
  options.kv = parts.kv.get();
  options.sender = outbox::MakeCurlSender("docketd/" DOCKET_VERSION);
  options.metrics = std::move(registry);
  DOCKET_ASSIGN_OR_RETURN(parts.outbox, outbox::Outbox::Open(std::move(options)));
  return parts;
}

absl::Status Run(const Flags& flags, const sigset_t& signals) {
  rpc::ServerOptions server_options;
  server_options.listen = flags.listen;
  server_options.metrics = flags.metrics;
  server_options.metrics_optional = !flags.metrics_given;
  server_options.registry = std::make_shared<prometheus::Registry>();
  DOCKET_RETURN_IF_ERROR(rpc::Server::CheckAddresses(server_options));
  DOCKET_ASSIGN_OR_RETURN(std::vector<outbox::WebhookOptions> webhooks, ReadWebhooks(flags.webhooks));

  std::error_code made;
  std::filesystem::create_directories(flags.data, made);
  if (made) return absl::UnavailableError(absl::StrCat("cannot make ", flags.data, ": ", made.message()));
  store::RocksOptions rocks;
  rocks.path = absl::StrCat(flags.data, "/db");
  rocks.disk_reserve_bytes = flags.disk_reserve;
  rocks.notice = [](absl::string_view line) { spdlog::warn("store: {}", std::string(line)); };
  DOCKET_ASSIGN_OR_RETURN(const std::unique_ptr<store::KvStore> kv, store::OpenRocksKv(rocks));

  engine::EngineOptions options;
  options.environment = {engine::MakeSystemClock(), engine::MakeSystemRandomness()};
  store::LocalLogOptions log_options;
  log_options.high_water_path = absl::StrCat(flags.data, "/high-water");
  log_options.new_log_id = options.environment.random(16);
  log_options.accept_missing_high_water = flags.accept_missing_high_water;
  if (flags.accept_missing_high_water && !std::filesystem::exists(log_options.high_water_path)) {
    spdlog::warn("{} is missing: what was acknowledged beyond the end of the log cannot be noticed",
                 log_options.high_water_path);
  }
  DOCKET_ASSIGN_OR_RETURN(const std::unique_ptr<store::EventLog> event_log, store::OpenLocalLog(kv.get(), log_options));
  options.kv = kv.get();
  options.log = event_log.get();
  options.version = DOCKET_VERSION;
  options.metrics = server_options.registry;
  options.free_bytes = [data = flags.data] { return FreeBytes(data); };
  DOCKET_ASSIGN_OR_RETURN(const std::unique_ptr<engine::Engine> engine, engine::Engine::Open(options));
  for (const std::string& pack : flags.policy_packs) {
    const absl::Status published = Publish(*engine, pack);
    if (ReasonOf(published) != "DISK_RESERVE") DOCKET_RETURN_IF_ERROR(published);
    // A full disk must not take the reads away as well.
    if (!published.ok()) spdlog::error("not published: {}", std::string(published.message()));
  }

  DOCKET_ASSIGN_OR_RETURN(OutboxParts outbox,
                          OpenOutbox(flags, std::move(webhooks), engine.get(), server_options.registry));
  server_options.outbox = outbox.outbox.get();
  DOCKET_ASSIGN_OR_RETURN(const std::unique_ptr<rpc::Server> server, rpc::Server::Start(server_options, engine.get()));
  if (!server->metrics_address().empty()) spdlog::info("metrics on http://{}/metrics", server->metrics_address());
  std::printf("listening on %s\n", server->address().c_str());
  std::fflush(stdout);
  AwaitSignal(signals);
  server->Shutdown();
  outbox.outbox.reset();
  engine->Stop();
  return absl::OkStatus();  // engine, log and store close in this order
}

}  // namespace
}  // namespace docket

int main(int argc, char** argv) {
  // Blocked before the first thread is made, so that only AwaitSignal sees them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  docket::Flags flags;
  int exit_code = 0;
  if (!docket::ParseFlags(argc, argv, &flags, &exit_code)) return exit_code;
  spdlog::set_default_logger(spdlog::stderr_color_mt("docketd"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  const absl::Status status = docket::Run(flags, signals);
  if (!status.ok()) {
    std::fprintf(stderr, "docketd: %s\n", std::string(status.message()).c_str());
    return 1;
  }
  return 0;
}
