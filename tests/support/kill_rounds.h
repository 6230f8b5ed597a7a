#ifndef DOCKET_TESTS_SUPPORT_KILL_ROUNDS_H_
#define DOCKET_TESTS_SUPPORT_KILL_ROUNDS_H_

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

// A second process of this test program that is killed in the middle of its work.
namespace docket::test {

// Runs this very program again with other arguments. The child reports through a pipe; the parent reads and kills.
class Child {
 public:
  // The child finds the number of its end of the pipe as its last argument. Aborts when no process can be started.
  explicit Child(std::vector<std::string> arguments);
  ~Child();  // kills it if it still runs
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // The next report of `size` bytes; false: the child has ended and all its reports are read, or, with a `patience`, it
  // reported nothing for so long.
  bool Read(void* report, size_t size, std::chrono::milliseconds patience = std::chrono::milliseconds::max());

  // SIGKILL, and waits for its end. Whether that was what ended it; reports already written can still be read.
  bool Kill();

 private:
  pid_t pid_ = -1;
  int pipe_ = -1;
};

// The child's side: one report, at most 4096 bytes, as a whole. False: the parent is gone.
bool Report(int pipe, const void* report, size_t size);

}  // namespace docket::test

#endif  // DOCKET_TESTS_SUPPORT_KILL_ROUNDS_H_
