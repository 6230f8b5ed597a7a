#include "tests/services/outbox/http_receiver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"

namespace docket::outbox {

HttpReceiver::HttpReceiver(Handler handler) : handler_(std::move(handler)) {
  listening_ = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  DOCKET_CHECK(bind(listening_, reinterpret_cast<sockaddr*>(&address), size) == 0);
  DOCKET_CHECK(listen(listening_, 16) == 0);
  DOCKET_CHECK(getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Run(); });
}

HttpReceiver::~HttpReceiver() {
  shutdown(listening_, SHUT_RDWR);
  thread_.join();
  close(listening_);
}

std::string HttpReceiver::url() const { return absl::StrCat("http://127.0.0.1:", port_, "/hook"); }

void HttpReceiver::Run() {
  std::vector<int> hanging;
  while (true) {
    const int connection = accept(listening_, nullptr, nullptr);
    if (connection < 0) break;
    if (Serve(connection)) {
      close(connection);
    } else {
      hanging.push_back(connection);
    }
  }
  for (const int connection : hanging) close(connection);
}

bool HttpReceiver::Serve(int connection) {
  std::string bytes;
  size_t want = std::string::npos;  // unknown until the head is whole
  Request request;
  while (bytes.size() < want) {
    char buffer[4096];
    const ssize_t got = recv(connection, buffer, sizeof(buffer), 0);
    if (got <= 0) return true;
    bytes.append(buffer, static_cast<size_t>(got));
    const size_t end = bytes.find("\r\n\r\n");
    if (want != std::string::npos || end == std::string::npos) continue;
    request.head = bytes.substr(0, end + 2);
    const size_t length = request.head.find("Content-Length: ");
    want = end + 4 + (length == std::string::npos ? 0 : std::strtoul(request.head.c_str() + length + 16, nullptr, 10));
  }
  request.body = bytes.substr(request.head.size() + 2);
  const std::string answer = handler_(request);
  if (answer == kHang) return false;
  for (size_t sent = 0; sent < answer.size();) {
    const ssize_t got = send(connection, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
    if (got <= 0) break;  // cut off by the sender
    sent += static_cast<size_t>(got);
  }
  return true;
}

}  // namespace docket::outbox
