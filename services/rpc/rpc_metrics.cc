#include "services/rpc/rpc_metrics.h"

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "services/rpc/service_names.h"
#include "workflow/base/check.h"

namespace docket::rpc {
namespace {

// From 50 µs, about an echo, to 10 s, about a long replay.
const prometheus::Histogram::BucketBoundaries& Buckets() {
  static const auto* buckets = new prometheus::Histogram::BucketBoundaries{
      0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10};
  return *buckets;
}

const char* CodeName(int code) {
  static constexpr const char* kNames[] = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  return kNames[code];
}

}  // namespace

MethodMetrics::MethodMetrics(const std::string& method, prometheus::Family<prometheus::Counter>& requests,
                             prometheus::Family<prometheus::Histogram>& latency,
                             prometheus::Family<prometheus::Gauge>& in_flight)
    : latency_(latency.Add({{"method", method}}, Buckets())), in_flight_(in_flight.Add({{"method", method}})) {
  for (int code = 0; code < kCodes; ++code) {
    by_code_[code] = &requests.Add({{"method", method}, {"code", CodeName(code)}});
  }
}

void MethodMetrics::End(grpc::StatusCode code, std::chrono::steady_clock::duration took) {
  const int index = static_cast<int>(code) >= 0 && static_cast<int>(code) < kCodes ? static_cast<int>(code) : 2;
  by_code_[index]->Increment();
  latency_.Observe(std::chrono::duration<double>(took).count());
  in_flight_.Decrement();
}

RpcMetrics::RpcMetrics(std::shared_ptr<prometheus::Registry> registry) : registry_(std::move(registry)) {
  auto& requests = prometheus::BuildCounter()
                       .Name("docket_rpc_requests_total")
                       .Help("calls answered, by method and status code")
                       .Register(*registry_);
  auto& latency = prometheus::BuildHistogram()
                      .Name("docket_rpc_latency_seconds")
                      .Help("from the arrival of a call to its end; streams count their whole life")
                      .Register(*registry_);
  auto& in_flight = prometheus::BuildGauge()
                        .Name("docket_rpc_in_flight")
                        .Help("calls that have arrived and are not answered")
                        .Register(*registry_);
  for (const char* name : kServiceNames) {
    const auto* service = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(name);
    DOCKET_CHECK(service != nullptr);
    for (int i = 0; i < service->method_count(); ++i) {
      const std::string method = absl::StrCat(service->name(), "/", service->method(i)->name());
      methods_.emplace(method, std::make_unique<MethodMetrics>(method, requests, latency, in_flight));
    }
  }
}

MethodMetrics* RpcMetrics::Of(const std::string& method) const {
  const auto found = methods_.find(method);
  DOCKET_CHECK(found != methods_.end());
  return found->second.get();
}

}  // namespace docket::rpc
