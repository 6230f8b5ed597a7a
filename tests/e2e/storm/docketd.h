#ifndef DOCKET_TESTS_E2E_STORM_DOCKETD_H_
#define DOCKET_TESTS_E2E_STORM_DOCKETD_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace docket::storm {

// A docketd of this build, on a port of this machine that stays the same however often it is started. Not thread-safe.
class Docketd {
 public:
  // `log`: the file its words go to.
  explicit Docketd(std::string log);
  ~Docketd();  // kills it if it still runs
  Docketd(const Docketd&) = delete;
  Docketd& operator=(const Docketd&) = delete;

  // Returns once it takes commands. kUnavailable: it ended instead; the message is all its words.
  absl::Status Start(const std::string& data, const std::vector<std::string>& packs = {});
  // SIGTERM, and waits. kInternal: it did not end cleanly.
  absl::Status Stop();
  // SIGKILL, and waits.
  void Kill();

  const std::string& address() const { return address_; }
  // The most memory the running one has had resident, in MiB.
  double PeakMib() const;

 private:
  int Wait();  // the status of waitpid

  const std::string log_;
  const std::string address_;
  pid_t pid_ = -1;
};

}  // namespace docket::storm

#endif  // DOCKET_TESTS_E2E_STORM_DOCKETD_H_
