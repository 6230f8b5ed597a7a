#ifndef DOCKET_WORKFLOW_SLA_TARGET_H_
#define DOCKET_WORKFLOW_SLA_TARGET_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "docket/v1/event.pb.h"
#include "docket/v1/types.pb.h"
#include "workflow/sla/calendar.h"

// Promised spans and the instants they make (DOMAIN 5 and R9).
namespace docket::sla {

// "90s", "45m", "8h", "1h30m", "3bd@close", "3bd@end", "15cd@end" (also "15cd"), "15cd@same", "8w@end", "2mo@end+next".
// kInvalidArgument names the text and what was wanted.
absl::StatusOr<v1::Target> ParseTarget(absl::string_view text);
std::string FormatTarget(const v1::Target& target);

struct Due {
  absl::Time at;             // InfiniteFuture: not as things stand (open pause)
  bool provisional = false;  // lies beyond the calendar's complete_until
};
// `pauses` are ignored by civil counts; business-day counts skip a day whose close lies in a pause (R9).
Due ComputeDue(const WorkingCalendar& calendar, absl::Time start, const v1::Target& target,
               absl::Span<const TimeSpan> pauses = {});

// The instants of warnings of one clock, in the order given. Working-time targets: permille by the same walk as the due,
// `before` as the latest instant with that much working time left. Day counts: wall-clock shares of [start, due].
std::vector<v1::Warning> ComputeWarnings(const WorkingCalendar& calendar, absl::Time start, const v1::Target& target,
                                         absl::Span<const TimeSpan> pauses, absl::Time due,
                                         const std::vector<uint32_t>& permille,
                                         const std::vector<absl::Duration>& before);

}  // namespace docket::sla

#endif  // DOCKET_WORKFLOW_SLA_TARGET_H_
