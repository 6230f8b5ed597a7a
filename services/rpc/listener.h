#ifndef DOCKET_SERVICES_RPC_LISTENER_H_
#define DOCKET_SERVICES_RPC_LISTENER_H_

#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "grpcpp/server_builder.h"

// Our own accept loop. gRPC 1.51 stops accepting for ever once accept() has failed for want of file descriptors
// (CVE-2023-4785); here descriptors run short before they run out, and connections beyond that are closed at once.
namespace docket::rpc {

struct HostPort {
  std::string host;
  uint16_t port = 0;
};
// "127.0.0.1:7450", "localhost:0", "[::1]:7450". kInvalidArgument: not of this form.
absl::StatusOr<HostPort> ParseHostPort(absl::string_view text);

// An address of this machine only: 127.0.0.0/8, ::1, localhost.
bool IsLoopback(const HostPort& address);

// Connects and closes, to wake whoever waits for connections there. Failures do not matter.
void Nudge(const HostPort& address);

class Listener {
 public:
  static constexpr int kReservedDescriptors = 64;  // kept for the store, logs and metrics

  // Binds and listens. kUnavailable: the address is taken or cannot be bound.
  static absl::StatusOr<std::unique_ptr<Listener>> Open(const HostPort& address);
  ~Listener();  // stops

  // "127.0.0.1:43127", with the real port.
  const std::string& address() const { return address_; }

  // Accepts until Stop; `acceptor` belongs to a started server and outlives the loop.
  void Start(std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor);
  // No connection is accepted any more when it returns. Idempotent.
  void Stop();

 private:
  Listener() = default;
  void Accept();
  void AcceptOne();

  int listen_fd_ = -1;
  int wake_fd_ = -1;    // eventfd that ends the loop
  int spare_fd_ = -1;   // given up for a moment when there is none left, to be able to refuse
  int highest_fd_ = 0;  // descriptors above are refused
  std::string address_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor_;
  std::thread thread_;
};

}  // namespace docket::rpc

#endif  // DOCKET_SERVICES_RPC_LISTENER_H_
