#ifndef DOCKET_SERVICES_QUERY_SCAN_BUDGET_H_
#define DOCKET_SERVICES_QUERY_SCAN_BUDGET_H_

#include <cstdint>

#include "absl/time/time.h"
#include "services/engine/environment.h"

namespace docket::query {

// What one page may cost, so that no question, however unselective, holds a thread for long: the page is then short and
// carries a token. The first row is always granted, so every page makes progress.
class ScanBudget {
 public:
  static constexpr uint32_t kMaxRows = 10'000;
  static constexpr absl::Duration kMaxTime = absl::Milliseconds(50);

  explicit ScanBudget(const engine::Clock& clock) : clock_(clock), end_(clock.Monotonic() + kMaxTime) {}

  // Asks for one more row; false: stop here.
  bool Spend() {
    if (rows_ > 0 && (rows_ >= kMaxRows || clock_.Monotonic() >= end_)) return false;
    ++rows_;
    return true;
  }
  uint32_t rows() const { return rows_; }

 private:
  const engine::Clock& clock_;
  absl::Duration end_;
  uint32_t rows_ = 0;
};

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_SCAN_BUDGET_H_
