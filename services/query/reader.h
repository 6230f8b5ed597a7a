#ifndef DOCKET_SERVICES_QUERY_READER_H_
#define DOCKET_SERVICES_QUERY_READER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/engine/engine.h"
#include "services/engine/environment.h"
#include "services/query/visibility.h"
#include "store/event_log.h"

// What one question reads from. Start here to understand services/query: every query is a function of a Reader and its
// request, so all its parts are true at one position.
namespace docket::query {

inline constexpr uint32_t kDefaultPageSize = 100;
inline constexpr uint32_t kMaxPageSize = 500;

// How many questions about the past, or about every case, may be answered at once: they take time proportional to the
// log, so a handful of them must not hold every thread that answers reads. Thread-safe.
class ReplayGate {
 public:
  explicit ReplayGate(int limit) : free_(limit) {}
  // False: too many are running. Otherwise Leave() must follow.
  bool TryEnter() {
    if (free_.fetch_sub(1) > 0) return true;
    free_.fetch_add(1);
    return false;
  }
  void Leave() { free_.fetch_add(1); }

 private:
  std::atomic<int> free_;
};

// One consistent snapshot, who looks at it and when. Cheap to open, holds the snapshot open while it lives: streams
// open a new one for every message, so that a slow reader pins nothing.
struct Reader {
  engine::ReadView view;
  const store::EventLog* log = nullptr;  // commits below view.commits never change, so reading them is consistent
  std::shared_ptr<engine::Clock> clock;
  absl::Time now;  // one instant for the whole answer
  Viewer viewer;
  bool clock_suspect = false;
  ReplayGate* replays = nullptr;    // null: no limit
  std::function<bool()> abandoned;  // nobody waits for the answer any more; null: somebody does
};

Reader OpenReader(const engine::Engine& engine, Viewer viewer);

// kUnavailable POSITION_NOT_REACHED (with RetryInfo) while `min_position` is not readable yet.
absl::Status CheckPosition(const Reader& reader, uint64_t min_position);

// Takes a place at the reader's gate, for a question whose cost grows with the number of cases; LeaveReplay must follow
// an OK. kResourceExhausted REPLAY_BUSY (with RetryInfo).
absl::Status EnterReplay(const Reader& reader);
void LeaveReplay(const Reader& reader);

// 0: the default. REQUIRES: at most kMaxPageSize (request validation).
uint32_t PageSize(uint32_t requested);

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_READER_H_
