#ifndef DOCKET_TESTS_E2E_STORM_JUDGE_H_
#define DOCKET_TESTS_E2E_STORM_JUDGE_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "docket/v1/case_service.pb.h"

namespace docket::storm {

// What the whole log must say after a storm, asked event by event.
class Judge {
 public:
  // `clocks` cases, each with one clock due at `due`, one warning before it and one escalation after it.
  // `acknowledged`: request id → commit of every note.
  Judge(absl::Time due, size_t clocks, std::map<std::string, uint64_t> acknowledged)
      : due_(due), clocks_(clocks), acknowledged_(std::move(acknowledged)) {}

  // The next event of the log. Not OK: the first rule broken.
  absl::Status Take(const v1::HistoryEvent& event);
  // After the last one.
  absl::Status Finish() const;

  // When the breaches were recorded, in the order of the log.
  const std::vector<absl::Time>& breaches_recorded_at() const { return breaches_recorded_at_; }

 private:
  absl::Status TakeBreach(const v1::HistoryEvent& event);
  absl::Status TakeNote(const v1::HistoryEvent& event);

  const absl::Time due_;
  const size_t clocks_;
  std::map<std::string, uint64_t> acknowledged_;  // those not met yet
  uint64_t position_ = 0;
  absl::Time recorded_at_ = absl::InfinitePast();
  std::unordered_map<std::string, uint32_t> revisions_;  // stream → its last
  std::set<std::string> warned_;                         // case ids
  std::string last_breached_;                            // case id
  std::set<std::string> escalated_;
  std::vector<absl::Time> breaches_recorded_at_;
};

}  // namespace docket::storm

#endif  // DOCKET_TESTS_E2E_STORM_JUDGE_H_
