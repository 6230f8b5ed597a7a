#ifndef DOCKET_TESTS_SERVICES_ENGINE_WRITERS_H_
#define DOCKET_TESTS_SERVICES_ENGINE_WRITERS_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "docket/v1/case_service.pb.h"
#include "services/engine/engine.h"

// Writers for tests that stop the machine in the middle of the work.
namespace docket::testing {

// What writer number `writer` asks for as its step number `step`, from 0: a function of its arguments, so that whoever
// knows them can send the same request again, also from another process. Every 16 steps a writer files a new case and
// works it. `made_at_ms` goes into the ids; it must not be older than the 30 days for which ids are remembered.
v1::ExecuteRequest RequestOf(int64_t made_at_ms, uint32_t writer, uint64_t step);

// Writers with one command outstanding each. Thread-safe.
class Writers {
 public:
  // Told each answer, on the engine's thread; returns whether that writer goes on.
  using OnAnswer = std::function<bool(uint32_t writer, uint64_t step, const absl::StatusOr<v1::ExecuteReply>& reply)>;

  // Starts one writer per entry of `first_steps`. `engine` must outlive Wait().
  Writers(engine::Engine* engine, int64_t made_at_ms, const std::vector<uint64_t>& first_steps, OnAnswer on_answer);
  // Blocks until all writers have ended.
  void Wait();

 private:
  void Send(uint32_t writer, uint64_t step);

  engine::Engine* const engine_;
  const int64_t made_at_ms_;
  const OnAnswer on_answer_;
  std::mutex mutex_;
  std::condition_variable ended_;
  size_t at_work_;
};

}  // namespace docket::testing

#endif  // DOCKET_TESTS_SERVICES_ENGINE_WRITERS_H_
