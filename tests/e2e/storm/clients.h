#ifndef DOCKET_TESTS_E2E_STORM_CLIENTS_H_
#define DOCKET_TESTS_E2E_STORM_CLIENTS_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tools/client/client.h"
#include "tools/client/event_streams.h"
#include "workflow/base/mutex.h"

// Who talks to the server while the storm goes on. All of them live through a server that is killed and started again.
namespace docket::storm {

// Options of a client that waits for a server that is being started again.
client::ClientOptions PatientClient(const std::string& address);

// Clients with one note outstanding each, on cases of their own.
class Writers {
 public:
  Writers(const std::string& address, const std::vector<std::string>& case_ids, size_t clients);
  ~Writers();

  // Lets each finish what it is at. Request id → commit of every note that was acknowledged; or the first refusal.
  absl::StatusOr<std::map<std::string, uint64_t>> Finish();

 private:
  void Work(const std::string& address, size_t writer);

  const std::vector<std::string> case_ids_;
  const size_t clients_;
  std::atomic<bool> stopping_ = false;
  Mutex mutex_;
  std::map<std::string, uint64_t> acknowledged_ ABSL_GUARDED_BY(mutex_);
  absl::Status refused_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

// Reads what the server tells from one position of the log on, and sees to it that nothing is left out or told twice.
class Follower {
 public:
  enum class Of { kEvents, kAlerts };
  // `rests`: takes one message and no other until it is asked to wait for something.
  Follower(const std::string& address, Of of, uint64_t from_position, bool rests = false);
  ~Follower();

  // Waits until at least so many were read. kDeadlineExceeded: not within `patience`, or what is wrong with the stream.
  struct Counts {
    size_t warnings = 0;
    size_t breaches = 0;
    size_t escalations = 0;
  };
  absl::Status Await(const Counts& wanted, absl::Duration patience);

 private:
  void Follow(const std::string& address, Of of, uint64_t from_position);
  bool Take(const v1::SubscribeReply& reply);
  bool Take(const v1::WatchAlertsReply& reply);
  // Adds to what was read, and rests if it is to. False: no more is wanted.
  bool Add(const Counts& more, const absl::Status& wrong);

  client::Cancellation ended_;
  uint64_t next_;  // position; of the reading thread
  Mutex mutex_;
  CondVar changed_;
  bool rests_ ABSL_GUARDED_BY(mutex_);
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  Counts read_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace docket::storm

#endif  // DOCKET_TESTS_E2E_STORM_CLIENTS_H_
