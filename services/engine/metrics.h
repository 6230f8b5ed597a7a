#ifndef DOCKET_SERVICES_ENGINE_METRICS_H_
#define DOCKET_SERVICES_ENGINE_METRICS_H_

#include <memory>

#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

namespace docket::engine {

// What operators watch of the writer. Thread-safe.
class EngineMetrics {
 public:
  explicit EngineMetrics(std::shared_ptr<prometheus::Registry> registry);

  prometheus::Histogram& group_commands;      // commands per group
  prometheus::Histogram& append_seconds;      // one group's write, sync included
  prometheus::Histogram& rows_per_command;    // view rows written per staged command
  prometheus::Histogram& timer_late_seconds;  // commit time minus due of timers fired
  prometheus::Gauge& queue_depth;             // commands waiting
  prometheus::Counter& commands_accepted;
  prometheus::Counter& commands_refused;
  prometheus::Counter& timer_wakeups;  // times the writer woke because something was due
  prometheus::Gauge& write_disabled;   // 1 while latched off or out of disk
  prometheus::Gauge& clock_suspect;    // 1 while the wall clock is in doubt
};

}  // namespace docket::engine

#endif  // DOCKET_SERVICES_ENGINE_METRICS_H_
