#include "tests/support/kill_rounds.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "workflow/base/check.h"

extern char** environ;

namespace docket::test {

Child::Child(std::vector<std::string> arguments) {
  int ends[2];
  DOCKET_CHECK(pipe(ends) == 0);
  pipe_ = ends[0];
  // Only the writing end goes along; it keeps its number.
  DOCKET_CHECK(fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0);
  arguments.insert(arguments.begin(), "/proc/self/exe");
  arguments.push_back(std::to_string(ends[1]));
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const int error = posix_spawn(&pid_, "/proc/self/exe", nullptr, nullptr, argv.data(), environ);
  DOCKET_CHECK(error == 0);
  close(ends[1]);
}

Child::~Child() {
  Kill();
  close(pipe_);
}

bool Child::Read(void* report, size_t size, std::chrono::milliseconds patience) {
  const int timeout = patience == std::chrono::milliseconds::max()
                          ? -1
                          : static_cast<int>(std::min<int64_t>(patience.count(), INT_MAX));
  size_t got = 0;
  while (got < size) {
    pollfd ready{.fd = pipe_, .events = POLLIN, .revents = 0};
    const int polled = poll(&ready, 1, timeout);
    if (polled < 0 && errno == EINTR) continue;
    if (polled <= 0) return false;
    const ssize_t n = read(pipe_, static_cast<char*>(report) + got, size - got);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    got += static_cast<size_t>(n);
  }
  return true;
}

bool Child::Kill() {
  if (pid_ < 0) return false;
  kill(pid_, SIGKILL);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0) DOCKET_CHECK(errno == EINTR);
  pid_ = -1;
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

bool Report(int pipe, const void* report, size_t size) {
  DOCKET_CHECK(size <= PIPE_BUF);  // up to here a write is never torn
  ssize_t written = 0;
  do {
    written = write(pipe, report, size);
  } while (written < 0 && errno == EINTR);
  return written == static_cast<ssize_t>(size);
}

}  // namespace docket::test
