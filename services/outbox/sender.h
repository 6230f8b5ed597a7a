#ifndef DOCKET_SERVICES_OUTBOX_SENDER_H_
#define DOCKET_SERVICES_OUTBOX_SENDER_H_

#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"

namespace docket::outbox {

// One POST.
struct SendRequest {
  std::string url;
  std::vector<std::string> headers;  // "Name: value"
  std::string body;
  absl::Duration connect_timeout = absl::Seconds(5);
  absl::Duration timeout = absl::Seconds(10);  // of the whole exchange
  std::string ca_file;                         // trusted instead of the system's authorities; empty: those
};

struct SendResult {
  int http_status = 0;                                // 0: no answer
  std::string error;                                  // in a few words, without anything the receiver said; "" when 2xx
  absl::Duration retry_after = absl::ZeroDuration();  // asked for by the receiver
};

// Sends over the network. The twin of the real one (curl_sender.h) is in the tests.
class Sender {
 public:
  virtual ~Sender() = default;  // gives up what is under way; no `done` runs afterwards
  // Thread-safe, does not wait. `done` runs once, on another thread, and must not block.
  virtual void Send(SendRequest request, absl::AnyInvocable<void(SendResult)> done) = 0;
};

}  // namespace docket::outbox

#endif  // DOCKET_SERVICES_OUTBOX_SENDER_H_
