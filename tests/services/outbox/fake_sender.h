#ifndef DOCKET_TESTS_SERVICES_OUTBOX_FAKE_SENDER_H_
#define DOCKET_TESTS_SERVICES_OUTBOX_FAKE_SENDER_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "services/outbox/sender.h"
#include "workflow/base/mutex.h"

namespace docket::outbox {

// What arrived: the attributes of a CloudEvent that tests look at.
struct Arrival {
  std::string id;
  uint64_t position = 0;
  std::string case_no;
  std::string preceding_lost;
  std::string signature;
  std::string body;
};
Arrival ParseArrival(const SendRequest& request);

// The network of a test, which outlives the outboxes that send over it. Thread-safe.
class FakeNetwork {
 public:
  using Answer = std::function<SendResult(const Arrival&)>;

  // A sender whose requests get `answer`, at once, on a thread of their own.
  std::unique_ptr<Sender> NewSender();
  void SetAnswer(Answer answer);

  std::vector<Arrival> attempts() const;   // all, in order
  std::vector<Arrival> delivered() const;  // those answered with 2xx
  // Blocks until `done` is true of the attempts made so far.
  void Await(const std::function<bool(const std::vector<Arrival>&)>& done) const;
  void AwaitAttempts(size_t count) const;
  // Blocks until `count` different alerts were delivered.
  void AwaitDelivered(size_t count) const;

 private:
  friend class FakeSender;
  SendResult Take(const SendRequest& request);

  mutable Mutex mutex_;
  mutable CondVar changed_;
  Answer answer_ ABSL_GUARDED_BY(mutex_);
  std::vector<Arrival> attempts_ ABSL_GUARDED_BY(mutex_);
  std::vector<Arrival> delivered_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace docket::outbox

#endif  // DOCKET_TESTS_SERVICES_OUTBOX_FAKE_SENDER_H_
