#ifndef DOCKET_WORKFLOW_POLICY_LOCAL_TIME_H_
#define DOCKET_WORKFLOW_POLICY_LOCAL_TIME_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"

// How policies write local time. Pure.
namespace docket::policy {

inline constexpr std::array<absl::string_view, 7> kDayNames = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

// Seconds after midnight of "HH:MM", with 24:00 as the end of the day; nullopt: anything else.
std::optional<uint32_t> ParseClock(absl::string_view text);
// "2026-12-25".
std::optional<absl::CivilDay> ParseDay(absl::string_view text);

// Indexes into kDayNames, both included.
struct DayRange {
  size_t first = 0;
  size_t last = 0;
};
// "mon" or "mon..fri".
std::optional<DayRange> ParseDays(absl::string_view text);

}  // namespace docket::policy

#endif  // DOCKET_WORKFLOW_POLICY_LOCAL_TIME_H_
