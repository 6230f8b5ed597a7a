#ifndef DOCKET_TESTS_WORKFLOW_SLA_PROMISES_H_
#define DOCKET_TESTS_WORKFLOW_SLA_PROMISES_H_

#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "tests/workflow/sla/clock_twin.h"
#include "tests/workflow/sla/desk.h"

// What random lives of a case are promised, for the policies and for the twin.
namespace docket::sla::testing {

// Each twice the one before, so that shares of them are whole microseconds.
inline absl::Duration OfPriority(uint32_t priority) {
  return absl::Minutes(priority == 1 ? 60 : priority == 2 ? 120 : priority == 3 ? 240 : 480);
}
inline absl::Duration OwnOfPriority(uint32_t priority) { return absl::Minutes(priority == 1 ? 60 : 120); }
inline absl::Duration OfSeverity(uint32_t severity) { return absl::Minutes(severity == 1 ? 240 : 480); }

inline constexpr absl::Duration kFirst = absl::Hours(4);
inline constexpr absl::Duration kNext = absl::Hours(2);
inline constexpr absl::Duration kReview = absl::Hours(6);
inline constexpr absl::Duration kReferral = absl::Hours(5);

// What is promised in one life.
struct Promises {
  TwinRule first{.metric = "FIRST_RESPONSE"};
  TwinRule next{.metric = "NEXT_RESPONSE", .from_receipt = false};
  TwinRule resolution{.metric = "RESOLUTION", .pausable = true, .reopens = true};
  TwinRule final{.metric = "FINAL", .regulatory = true};
  TwinRule review{.metric = "REVIEW"};
  TwinRule own{.metric = "TIME_TO_OWN", .from_receipt = false};
  TwinRule referral{.metric = "REFERRAL", .from_receipt = false, .window = true};

  std::vector<const TwinRule*> all() const { return {&first, &next, &resolution, &final, &review, &own, &referral}; }
};
// Only inside a property.
Promises SomePromises();
void Publish(const Promises& promises, Desk* desk);

}  // namespace docket::sla::testing

#endif  // DOCKET_TESTS_WORKFLOW_SLA_PROMISES_H_
