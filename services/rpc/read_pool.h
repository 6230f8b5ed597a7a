#ifndef DOCKET_SERVICES_RPC_READ_POOL_H_
#define DOCKET_SERVICES_RPC_READ_POOL_H_

#include <deque>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "workflow/base/mutex.h"

// Threads for reads, so that a list of 50 ms or a replay of seconds never holds one of the few threads on which gRPC
// answers commands.
namespace docket::rpc {

class ReadPool {
 public:
  static constexpr size_t kMaxQueued = 1024;  // reads; beyond: OVERLOADED

  using Task = absl::AnyInvocable<void()>;

  explicit ReadPool(int threads);
  ~ReadPool();  // finishes what is queued

  ReadPool(const ReadPool&) = delete;
  ReadPool& operator=(const ReadPool&) = delete;

  // False: kMaxQueued tasks wait already; `task` was not taken.
  [[nodiscard]] bool TryRun(Task task);
  // For the next step of a stream: at most one per open stream, so bounded by the number of streams.
  void Run(Task task);

 private:
  void Work();

  Mutex mutex_;
  CondVar wake_;
  std::deque<Task> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace docket::rpc

#endif  // DOCKET_SERVICES_RPC_READ_POOL_H_
