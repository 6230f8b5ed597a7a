#ifndef DOCKET_SERVICES_OUTBOX_METRICS_H_
#define DOCKET_SERVICES_OUTBOX_METRICS_H_

#include <memory>
#include <string>

#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"

namespace docket::outbox {

// What operators watch of one webhook. Thread-safe.
class WebhookMetrics {
 public:
  WebhookMetrics(const std::shared_ptr<prometheus::Registry>& registry, const std::string& webhook);

  prometheus::Counter& delivered;
  prometheus::Counter& failed;  // attempts
  prometheus::Counter& dead;    // letters given up
  prometheus::Gauge& pending;
  prometheus::Gauge& lag;      // positions of the log not looked at yet
  prometheus::Gauge& failing;  // 1 while no attempt succeeds
};

}  // namespace docket::outbox

#endif  // DOCKET_SERVICES_OUTBOX_METRICS_H_
