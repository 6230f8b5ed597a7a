// What commands feel of a wave of dues.
#include <algorithm>
#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
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

// Clients with one command outstanding each, until `until` says so.
Load RunClients(Plant& plant, const std::vector<std::string>& case_ids, const std::function<bool()>& until) {
  std::atomic<size_t> failures = 0;
  std::vector<std::vector<absl::Duration>> latencies(kClients);
  std::vector<std::thread> clients;
  const Stopwatch watch;
  for (size_t client = 0; client < kClients; ++client) {
    clients.emplace_back([&, client] {
      const auto stub = v1::CaseService::NewStub(plant.channel());
      for (size_t i = client; !until(); i += kClients) {
        grpc::ClientContext context;
        context.AddMetadata("docket-principal", kPrincipal);
        v1::ExecuteReply reply;
        const Stopwatch one;
        if (!stub->Execute(&context, NoteOn(case_ids[i % case_ids.size()]), &reply).ok()) ++failures;
        latencies[client].push_back(one.elapsed());
      }
    });
  }
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
  DOCKET_ASSIGN_OR_RETURN(const std::vector<std::string> case_ids,
                          FileCases(plant.engine(), kCasesWrittenTo, Place::kWrittenTo));
  const Stopwatch idling;  // before the filing, whose warnings come one by one
  const Load idle = RunClients(plant, case_ids, [&] { return idling.elapsed() >= kIdle; });
  const absl::Duration filing = absl::Seconds(static_cast<double>(clocks) / kFiledPerSecond);
  const absl::Time due = absl::FromUnixSeconds(absl::ToUnixSeconds(absl::Now() + filing + kSpare));
  DOCKET_RETURN_IF_ERROR(FileCasesDueAt(plant.engine(), clocks, due));
  if (absl::Now() >= due) return absl::DeadlineExceededError("filing took too long, the wave came before its measure");
  while (absl::Now() <= due) std::this_thread::yield();

  const Stopwatch watch;
  std::atomic<bool> done = false;
  const Load busy = RunClients(plant, case_ids, [&] {
    if (!done && !CatchingUp(plant.engine(), due)) done = true;
    return done.load() || watch.elapsed() > kLongestWave;
  });
  const double took = absl::ToDoubleSeconds(watch.elapsed());
  if (!done) return absl::DeadlineExceededError(absl::StrCat("still catching up after ", took, " s"));
  if (idle.failures + busy.failures > 0) return absl::InternalError("calls were refused");
  const std::string note = absl::StrCat(kClients, " clients");
  report->Add({.name = "p99 of Execute, nothing due", .value = idle.p99_us, .unit = "us", .note = note});
  report->Add({.name = "p99 of Execute in the wave",
               .value = busy.p99_us,
               .unit = "us",
               .note = absl::StrCat(busy.calls, " commands meanwhile")});
  report->Add({"p99 in the wave / nothing due", busy.p99_us / idle.p99_us, "ratio", Wish::kAtMost, kTimesIdle,
               absl::StrCat(clocks, " clocks due at one instant")});
  report->Add({.name = "clocks recorded in the wave",
               .value = static_cast<double>(clocks) / took,
               .unit = "1/s",
               .note = absl::StrCat(took, " s beside the commands")});
  return absl::OkStatus();
}

}  // namespace docket::bench
