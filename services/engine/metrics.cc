#include "services/engine/metrics.h"

namespace docket::engine {
namespace {

using prometheus::Histogram;

Histogram& MakeHistogram(prometheus::Registry& registry, const char* name, const char* help,
                         Histogram::BucketBoundaries buckets) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add({}, buckets);
}
prometheus::Gauge& MakeGauge(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}
prometheus::Counter& MakeCounter(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

}  // namespace

EngineMetrics::EngineMetrics(std::shared_ptr<prometheus::Registry> registry)
    : group_commands(MakeHistogram(*registry, "docket_group_commands", "Commands committed by one synced write.",
                                   {1, 2, 4, 8, 16, 32, 64, 128, 256})),
      append_seconds(MakeHistogram(*registry, "docket_append_seconds", "Time of one group's write, sync included.",
                                   {0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.2, 1})),
      rows_per_command(MakeHistogram(*registry, "docket_rows_per_command", "View rows written per accepted command.",
                                     {1, 2, 3, 4, 5, 6, 8, 12, 16})),
      timer_late_seconds(MakeHistogram(*registry, "docket_timer_late_seconds", "Commit time minus due of fired timers.",
                                       {0.001, 0.01, 0.1, 1, 10, 60, 600, 3600, 86400})),
      queue_depth(MakeGauge(*registry, "docket_queue_depth", "Commands waiting for the writer.")),
      commands_accepted(MakeCounter(*registry, "docket_commands_accepted_total", "Commands committed.")),
      commands_refused(MakeCounter(*registry, "docket_commands_refused_total", "Commands refused.")),
      timer_wakeups(
          MakeCounter(*registry, "docket_timer_wakeups_total", "Times the writer woke because a timer was due.")),
      write_disabled(MakeGauge(*registry, "docket_write_disabled",
                               "1 while commands are refused: a write failed, or the disk is full up to its reserve.")),
      clock_suspect(MakeGauge(*registry, "docket_clock_suspect", "1 while the wall clock is in doubt.")) {}

}  // namespace docket::engine
