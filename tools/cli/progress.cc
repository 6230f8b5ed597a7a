#include "tools/cli/progress.h"

#include <algorithm>
#include <ostream>

#include "absl/strings/str_cat.h"

namespace docket::cli {
namespace {

constexpr uint64_t kBarColumns = 30;
constexpr uint64_t kUnknownStep = 10'000;

// In tenths (plain) or thousandths (bar) of the work, without overflow for large totals.
uint64_t Share(uint64_t done, uint64_t total, uint64_t parts) {
  return static_cast<uint64_t>(static_cast<double>(std::min(done, total)) / static_cast<double>(total) *
                               static_cast<double>(parts));
}

}  // namespace

Progress::Progress(std::ostream& out, bool terminal, std::string what)
    : out_(out), terminal_(terminal), what_(std::move(what)) {}

void Progress::Update(uint64_t done, uint64_t total) {
  // Steps are counted from 1 so that the first call shows that work has begun.
  const uint64_t step = 1 + (total == 0 ? done / kUnknownStep : Share(done, total, terminal_ ? 1000 : 10));
  if (step == last_step_) return;
  last_step_ = step;
  Draw(done, total);
}

void Progress::Draw(uint64_t done, uint64_t total) {
  if (!terminal_) {
    out_ << what_ << ": " << done << (total == 0 ? "" : absl::StrCat(" of ", total)) << std::endl;
    return;
  }
  drawn_ = true;
  out_ << "\r" << what_ << " ";
  if (total > 0) {
    const uint64_t filled = Share(done, total, kBarColumns);
    out_ << "[" << std::string(filled, '#') << std::string(kBarColumns - filled, '.') << "] "
         << Share(done, total, 100) << "% ";
  }
  out_ << done << (total == 0 ? "" : absl::StrCat(" of ", total)) << std::flush;
}

void Progress::Finish() {
  if (drawn_) out_ << std::endl;
}

}  // namespace docket::cli
