#ifndef DOCKET_TESTS_SERVICES_OUTBOX_HTTP_RECEIVER_H_
#define DOCKET_TESTS_SERVICES_OUTBOX_HTTP_RECEIVER_H_

#include <functional>
#include <string>
#include <thread>

#include "workflow/base/mutex.h"

namespace docket::outbox {

// A little HTTP server on a free port of this machine: one request per connection, one connection at a time.
class HttpReceiver {
 public:
  struct Request {
    std::string head;  // request line and headers, as they came
    std::string body;
  };
  // The bytes of the answer; kHang: none, and the connection stays open until the receiver ends.
  using Handler = std::function<std::string(const Request&)>;
  static constexpr char kHang[] = "hang";

  explicit HttpReceiver(Handler handler);
  ~HttpReceiver();

  int port() const { return port_; }
  std::string url() const;

 private:
  void Run();
  bool Serve(int connection);  // false: it stays open

  const Handler handler_;
  int listening_ = -1;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace docket::outbox

#endif  // DOCKET_TESTS_SERVICES_OUTBOX_HTTP_RECEIVER_H_
