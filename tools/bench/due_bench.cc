// What commands feel of a wave of dues.
#include <atomic>
#include <cmath>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tools/bench/bench.h"
#include "tools/bench/case_load.h"
#include "workflow/base/check.h"

namespace docket::bench {
namespace {

constexpr size_t kClients = 16;
constexpr size_t kCasesWrittenTo = 1000;
constexpr double kTimesIdle = 5;
// Filing goes at several thousand cases a second; the dues must lie after its end.
constexpr size_t kFiledPerSecond = 1500;
constexpr absl::Duration kIdle = absl::Seconds(5);
constexpr absl::Duration kSpare = absl::Seconds(10);
constexpr absl::Duration kLongestWave = absl::Minutes(10);
constexpr absl::Duration kLook = absl::Milliseconds(20);  // between two looks at what is still due

// One clock a case and nothing that falls due before it: with warnings the wave would begin long before its instant.
constexpr char kPolicy[] = R"(sla: due-at-once
obligation: CUSTOMER
order: 1
when: {case.kind: [REQUEST], case.has_promised_due: true}
calendar: always
metrics:
  - metric: PROMISED
    nature: DUTY
    start: {event: case_received}
    start_at: received_at
    stop:
      - event: status_changed
        where: {event.entered.category: [RESOLVED, CLOSED]}
    pausable: false
    reopens: true
    answerable: ACCOUNTABLE
    targets: [{target: fixed}]
)";

// Clients with one command outstanding each, until `until`, asked now and then by one thread, says so.
Load RunClients(Plant& plant, const std::vector<std::string>& case_ids, const std::function<bool()>& until) {
  std::atomic<bool> done = false;
  std::atomic<size_t> failures = 0;
  std::vector<std::vector<absl::Duration>> latencies(kClients);
  std::vector<std::thread> clients;
  const Stopwatch watch;
  for (size_t client = 0; client < kClients; ++client) {
    clients.emplace_back([&, client] {
      const auto stub = v1::CaseService::NewStub(plant.channel());
      for (size_t i = client; !done; i += kClients) {
        grpc::ClientContext context;
        context.AddMetadata("docket-principal", kPrincipal);
        v1::ExecuteReply reply;
        const Stopwatch one;
        if (!stub->Execute(&context, NoteOn(case_ids[i % case_ids.size()]), &reply).ok()) ++failures;
        latencies[client].push_back(one.elapsed());
      }
    });
  }
  while (!until()) absl::SleepFor(kLook);
  done = true;
  for (std::thread& client : clients) client.join();
  std::vector<absl::Duration> all;
  for (const auto& some : latencies) all.insert(all.end(), some.begin(), some.end());
  Load load = Summarise(std::move(all), watch.elapsed());
  load.failures = failures;
  return load;
}

// Whether something that was due at `due` or before is still to be recorded.
bool CatchingUp(const engine::Engine& engine, absl::Time due) {
  const v1::GetStatsReply stats = engine.Stats(/*with_digests=*/false);
  return stats.has_next_wake_at() && absl::FromUnixSeconds(stats.next_wake_at().seconds()) <= due;
}

}  // namespace

absl::Status BenchDueAtOnce(Plant& plant, size_t clocks, Report* report) {
  DOCKET_RETURN_IF_ERROR(PublishPolicy(plant.engine(), kPolicy));
  DOCKET_ASSIGN_OR_RETURN(const std::vector<std::string> case_ids,
                          FileCases(plant.engine(), kCasesWrittenTo, Place::kWrittenTo));
  const absl::Duration filing = absl::Seconds(static_cast<double>(clocks) / kFiledPerSecond);
  const absl::Time due = absl::FromUnixSeconds(absl::ToUnixSeconds(absl::Now() + filing + kIdle + kSpare));
  DOCKET_RETURN_IF_ERROR(FileCasesDueAt(plant.engine(), clocks, due));
  const absl::Time idling = due - kIdle - absl::Seconds(1);  // the disk has settled by then
  if (absl::Now() >= idling)
    return absl::DeadlineExceededError("filing took too long, the wave came before its measure");
  absl::SleepFor(idling - absl::Now());
  const Load idle = RunClients(plant, case_ids, [&] { return absl::Now() >= due - absl::Seconds(1); });
  absl::SleepFor(due - absl::Now());

  const Stopwatch watch;
  bool done = false;
  const Load busy = RunClients(plant, case_ids, [&] {
    done = absl::Now() > due && !CatchingUp(plant.engine(), due);
    return done || watch.elapsed() > kLongestWave;
  });
  const double took = absl::ToDoubleSeconds(watch.elapsed());
  if (!done) return absl::DeadlineExceededError(absl::StrCat("still catching up after ", took, " s"));
  if (idle.failures + busy.failures > 0) return absl::InternalError("calls were refused");
  const auto note = [](const Load& load) {
    return absl::StrCat(kClients, " clients, ", load.calls, " commands, p50 ", std::lround(load.p50_us), " us");
  };
  report->Add({.name = "p99 of Execute, nothing due", .value = idle.p99_us, .unit = "us", .note = note(idle)});
  report->Add({.name = "p99 of Execute in the wave", .value = busy.p99_us, .unit = "us", .note = note(busy)});
  report->Add({"p99 in the wave / nothing due", busy.p99_us / idle.p99_us, "ratio", Wish::kAtMost, kTimesIdle,
               absl::StrCat(clocks, " clocks due at one instant")});
  report->Add({.name = "clocks recorded in the wave",
               .value = static_cast<double>(clocks) / took,
               .unit = "1/s",
               .note = absl::StrCat(took, " s beside the commands")});
  return absl::OkStatus();
}

}  // namespace docket::bench
