#include "tests/e2e/storm/docketd.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "workflow/base/check.h"

extern char** environ;

namespace docket::storm {
namespace {

// A port that was free a moment ago. One given by the system each time would change with every start.
std::string FreeAddress() {
  const int probe = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  DOCKET_CHECK(probe >= 0 && bind(probe, generic, size) == 0 && getsockname(probe, generic, &size) == 0);
  close(probe);
  return absl::StrCat("127.0.0.1:", ntohs(address.sin_port));
}

// The first line that can be read from `pipe`; what there is of it when the other side has gone.
std::string ReadLine(int pipe) {
  std::string line;
  for (char c = 0; c != '\n';) {
    const ssize_t got = read(pipe, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    line += c;
  }
  return line;
}

}  // namespace

Docketd::Docketd(std::string log) : log_(std::move(log)), address_(FreeAddress()) {}

Docketd::~Docketd() { Kill(); }

absl::Status Docketd::Start(const std::string& data, const std::vector<std::string>& packs) {
  DOCKET_CHECK(pid_ < 0);
  std::vector<std::string> arguments = {DOCKETD_BINARY, "--data", data, "--listen", address_, "--metrics", "off"};
  for (const std::string& pack : packs) arguments.insert(arguments.end(), {"--policy-pack", pack});
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  int ends[2];
  DOCKET_CHECK(pipe2(ends, O_CLOEXEC) == 0);
  posix_spawn_file_actions_t actions;
  DOCKET_CHECK(posix_spawn_file_actions_init(&actions) == 0 &&
               posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO) == 0 &&
               posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log_.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                                0600) == 0);
  DOCKET_CHECK(posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ) == 0);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  const std::string line = ReadLine(ends[0]);
  close(ends[0]);  // it prints nothing more
  if (absl::StartsWith(line, "listening on ")) return absl::OkStatus();
  Kill();
  std::ostringstream said;
  said << std::ifstream(log_).rdbuf();
  return absl::UnavailableError(absl::StrCat("docketd did not start:\n", said.str()));
}

int Docketd::Wait() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0) DOCKET_CHECK(errno == EINTR);
  pid_ = -1;
  return status;
}

absl::Status Docketd::Stop() {
  DOCKET_CHECK(pid_ > 0 && kill(pid_, SIGTERM) == 0);
  const int status = Wait();
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("docketd did not end cleanly: status ", status));
}

void Docketd::Kill() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  Wait();
}

double Docketd::PeakMib() const {
  std::ifstream status(absl::StrCat("/proc/", pid_, "/status"));
  for (std::string line; std::getline(status, line);) {
    absl::string_view rest(line);
    double kib = 0;
    if (absl::ConsumePrefix(&rest, "VmHWM:") && absl::SimpleAtod(absl::StripSuffix(rest, " kB"), &kib)) {
      return kib / 1024;
    }
  }
  return 0;
}

}  // namespace docket::storm
