#ifndef DOCKET_SERVICES_RPC_RPC_METRICS_H_
#define DOCKET_SERVICES_RPC_RPC_METRICS_H_

#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "grpcpp/support/status.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

// docket_rpc_requests_total{method, code}, docket_rpc_latency_seconds{method}, docket_rpc_in_flight{method}. Methods
// are known beforehand, so labels have a bounded number of values.
namespace docket::rpc {

// Of one method. Thread-safe.
class MethodMetrics {
 public:
  MethodMetrics(const std::string& method, prometheus::Family<prometheus::Counter>& requests,
                prometheus::Family<prometheus::Histogram>& latency, prometheus::Family<prometheus::Gauge>& in_flight);
  void Begin() { in_flight_.Increment(); }
  void End(grpc::StatusCode code, std::chrono::steady_clock::duration took);

 private:
  static constexpr int kCodes = 17;
  std::array<prometheus::Counter*, kCodes> by_code_;
  prometheus::Histogram& latency_;
  prometheus::Gauge& in_flight_;
};

// One call being measured: begun when made, ended once.
class Measured {
 public:
  explicit Measured(MethodMetrics* method) : method_(method), start_(std::chrono::steady_clock::now()) {
    method_->Begin();
  }
  void End(grpc::StatusCode code) { method_->End(code, std::chrono::steady_clock::now() - start_); }

 private:
  MethodMetrics* method_;
  std::chrono::steady_clock::time_point start_;
};

class RpcMetrics {
 public:
  // Registers for every method of every docket.v1 service.
  explicit RpcMetrics(std::shared_ptr<prometheus::Registry> registry);
  // `method` is "CaseService/Execute". REQUIRES: it exists.
  MethodMetrics* Of(const std::string& method) const;

 private:
  std::shared_ptr<prometheus::Registry> registry_;
  std::map<std::string, std::unique_ptr<MethodMetrics>> methods_;
};

}  // namespace docket::rpc

#endif  // DOCKET_SERVICES_RPC_RPC_METRICS_H_
