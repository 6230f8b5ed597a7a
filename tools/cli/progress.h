#ifndef DOCKET_TOOLS_CLI_PROGRESS_H_
#define DOCKET_TOOLS_CLI_PROGRESS_H_

#include <cstdint>
#include <iosfwd>
#include <string>

namespace docket::cli {

// How far long work has come: one line redrawn on a terminal, elsewhere one plain line per tenth. Not thread-safe.
class Progress {
 public:
  // `what` names the work: "rebuilding views, commits".
  Progress(std::ostream& out, bool terminal, std::string what);
  // `total` 0: not known; then plain lines come per 10,000.
  void Update(uint64_t done, uint64_t total);
  // Ends the line. Call it once, after the last Update.
  void Finish();

 private:
  void Draw(uint64_t done, uint64_t total);

  std::ostream& out_;
  const bool terminal_;
  const std::string what_;
  uint64_t last_step_ = 0;
  bool drawn_ = false;
};

}  // namespace docket::cli

#endif  // DOCKET_TOOLS_CLI_PROGRESS_H_
