#include "services/rpc/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "spdlog/spdlog.h"
#include "workflow/base/check.h"

namespace docket::rpc {
namespace {

constexpr int kBacklog = 512;
constexpr int kPollMsWithoutDescriptors = 50;  // between attempts when even the spare one is gone

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

// nullopt-like: length 0 when `host` is no numeric address.
SocketAddress Resolve(const HostPort& address) {
  SocketAddress result;
  const std::string host = address.host == "localhost" ? "127.0.0.1" : address.host;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&result.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&result.storage);
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address.port);
    result.length = sizeof(sockaddr_in);
  } else if (inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(address.port);
    result.length = sizeof(sockaddr_in6);
  }
  return result;
}

absl::Status Failed(absl::string_view what, const HostPort& address) {
  const int error = errno;
  return absl::UnavailableError(absl::StrCat(what, " ", address.host, ":", address.port, ": ", std::strerror(error)));
}

uint16_t PortOf(int fd) {
  SocketAddress bound;
  bound.length = sizeof(bound.storage);
  DOCKET_CHECK(getsockname(fd, reinterpret_cast<sockaddr*>(&bound.storage), &bound.length) == 0);
  return ntohs(bound.storage.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&bound.storage)->sin6_port
                                                   : reinterpret_cast<sockaddr_in*>(&bound.storage)->sin_port);
}

int OpenSpare() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

}  // namespace

absl::StatusOr<HostPort> ParseHostPort(absl::string_view text) {
  const size_t colon = text.rfind(':');
  HostPort result;
  int port = -1;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(text.substr(colon + 1), &port) || port < 0 ||
      port > 65535) {
    return absl::InvalidArgumentError(absl::StrCat("\"", text, "\", want HOST:PORT such as 127.0.0.1:7450"));
  }
  absl::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  result.host = std::string(host);
  result.port = static_cast<uint16_t>(port);
  if (Resolve(result).length == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\": the host is neither a numeric address nor localhost"));
  }
  return result;
}

bool IsLoopback(const HostPort& address) {
  return address.host == "localhost" || address.host == "::1" || absl::StartsWith(address.host, "127.");
}

void Nudge(const HostPort& address) {
  const SocketAddress target = Resolve(address);
  const int fd = socket(target.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return;
  (void)connect(fd, reinterpret_cast<const sockaddr*>(&target.storage), target.length);
  close(fd);
}

absl::StatusOr<std::unique_ptr<Listener>> Listener::Open(const HostPort& address) {
  std::unique_ptr<Listener> listener(new Listener);
  const SocketAddress socket_address = Resolve(address);
  listener->listen_fd_ = socket(socket_address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener->listen_fd_ < 0) return Failed("socket for", address);
  // A restarted server may take its port back while old connections linger; two servers still may not share it.
  const int on = 1;
  setsockopt(listener->listen_fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (bind(listener->listen_fd_, reinterpret_cast<const sockaddr*>(&socket_address.storage), socket_address.length) !=
      0) {
    return Failed("bind", address);
  }
  if (listen(listener->listen_fd_, kBacklog) != 0) return Failed("listen on", address);
  listener->wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  listener->spare_fd_ = OpenSpare();
  if (listener->wake_fd_ < 0 || listener->spare_fd_ < 0) return Failed("descriptors for", address);
  rlimit limit{};
  DOCKET_CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const rlim_t capped = std::min<rlim_t>(limit.rlim_cur, 1 << 20);
  listener->highest_fd_ = std::max<int>(static_cast<int>(capped) - kReservedDescriptors, static_cast<int>(capped) / 2);
  const bool v6 = socket_address.storage.ss_family == AF_INET6;
  listener->address_ = absl::StrCat(v6 ? "[" : "", address.host == "localhost" ? "127.0.0.1" : address.host,
                                    v6 ? "]" : "", ":", PortOf(listener->listen_fd_));
  return listener;
}

Listener::~Listener() {
  Stop();
  for (const int fd : {listen_fd_, wake_fd_, spare_fd_}) {
    if (fd >= 0) close(fd);
  }
}

void Listener::Start(std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor) {
  acceptor_ = std::move(acceptor);
  thread_ = std::thread([this] { Accept(); });
}

void Listener::Stop() {
  if (!thread_.joinable()) return;
  const uint64_t one = 1;
  DOCKET_CHECK(write(wake_fd_, &one, sizeof(one)) == sizeof(one));
  thread_.join();
  close(listen_fd_);  // waiting connections are refused from here on instead of hanging
  listen_fd_ = -1;
  acceptor_.reset();
}

void Listener::Accept() {
  pollfd waited[2] = {{listen_fd_, POLLIN, 0}, {wake_fd_, POLLIN, 0}};
  while (true) {
    if (poll(waited, 2, -1) < 0) continue;  // interrupted
    if (waited[1].revents != 0) return;
    AcceptOne();
  }
}

void Listener::AcceptOne() {
  const int fd = accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) {
    if (errno != EMFILE && errno != ENFILE) return;  // gone before it was accepted, interrupted
    // The waiting connection would keep poll() returning for ever: take it with the spare descriptor and refuse it.
    if (spare_fd_ >= 0) close(spare_fd_);
    const int refused = accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (refused >= 0) close(refused);
    spare_fd_ = OpenSpare();
    if (refused < 0) {
      pollfd stop{wake_fd_, POLLIN, 0};
      poll(&stop, 1, kPollMsWithoutDescriptors);
    }
    return;
  }
  if (fd > highest_fd_) {  // numbers are given out lowest first, so a high one means that few are left
    close(fd);
    return;
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
  connection.listener_fd = listen_fd_;
  connection.fd = fd;
  acceptor_->HandleNewConnection(&connection);
}

}  // namespace docket::rpc
