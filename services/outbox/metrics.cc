#include "services/outbox/metrics.h"

namespace docket::outbox {
namespace {

prometheus::Counter& MakeCounter(prometheus::Registry& registry, const std::string& webhook, const char* name,
                                 const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({{"webhook", webhook}});
}
prometheus::Gauge& MakeGauge(prometheus::Registry& registry, const std::string& webhook, const char* name,
                             const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({{"webhook", webhook}});
}

}  // namespace

WebhookMetrics::WebhookMetrics(const std::shared_ptr<prometheus::Registry>& registry, const std::string& webhook)
    : delivered(MakeCounter(*registry, webhook, "docket_outbox_delivered_total", "Alerts delivered.")),
      failed(MakeCounter(*registry, webhook, "docket_outbox_failed_total", "Attempts to deliver that failed.")),
      dead(MakeCounter(*registry, webhook, "docket_outbox_dead_total", "Alerts given up.")),
      pending(MakeGauge(*registry, webhook, "docket_outbox_pending", "Alerts waiting to be delivered.")),
      lag(MakeGauge(*registry, webhook, "docket_outbox_lag", "Positions of the log not looked at yet.")),
      failing(MakeGauge(*registry, webhook, "docket_outbox_failing", "1 while no attempt succeeds.")) {}

}  // namespace docket::outbox
