#ifndef DOCKET_SERVICES_RPC_METRICS_ENDPOINT_H_
#define DOCKET_SERVICES_RPC_METRICS_ENDPOINT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "prometheus/exposer.h"
#include "prometheus/registry.h"
#include "services/rpc/listener.h"

namespace docket::rpc {

// Serves a registry over HTTP at /metrics.
class MetricsEndpoint {
 public:
  // kUnavailable: the address is taken or cannot be bound.
  static absl::StatusOr<std::unique_ptr<MetricsEndpoint>> Open(const HostPort& address,
                                                               const std::shared_ptr<prometheus::Registry>& registry);
  ~MetricsEndpoint();  // stops at once

  const std::string& address() const { return address_; }  // with the real port

 private:
  MetricsEndpoint() = default;

  std::string address_;
  std::unique_ptr<prometheus::Exposer> exposer_;
};

}  // namespace docket::rpc

#endif  // DOCKET_SERVICES_RPC_METRICS_ENDPOINT_H_
