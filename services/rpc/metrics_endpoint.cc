#include "services/rpc/metrics_endpoint.h"

#include <chrono>
#include <exception>
#include <future>

#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"

namespace docket::rpc {
namespace {

constexpr std::chrono::milliseconds kNudgeEvery{10};

}  // namespace

absl::StatusOr<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::Open(
    const HostPort& address, const std::shared_ptr<prometheus::Registry>& registry) {
  std::unique_ptr<MetricsEndpoint> endpoint(new MetricsEndpoint);
  const std::string host = address.host == "localhost" ? "127.0.0.1" : address.host == "::1" ? "[::1]" : address.host;
  try {  // the library throws when it cannot bind; nothing of ours lets an exception pass
    endpoint->exposer_ = std::make_unique<prometheus::Exposer>(absl::StrCat(host, ":", address.port), 1);
  } catch (const std::exception& error) {
    return absl::UnavailableError(absl::StrCat("metrics on ", host, ":", address.port, ": ", error.what()));
  }
  endpoint->exposer_->RegisterCollectable(registry);
  endpoint->address_ = absl::StrCat(host, ":", endpoint->exposer_->GetListeningPorts().front());
  return endpoint;
}

MetricsEndpoint::~MetricsEndpoint() {
  // The library looks at its stop flag every two seconds, or when somebody connects: so somebody does.
  std::future<void> closed = std::async(std::launch::async, [this] { exposer_.reset(); });
  const absl::StatusOr<HostPort> address = ParseHostPort(address_);
  while (closed.wait_for(kNudgeEvery) != std::future_status::ready) {
    if (address.ok()) Nudge(*address);
  }
}

}  // namespace docket::rpc
