#ifndef DOCKET_WORKFLOW_SLA_TARGET_H_
#define DOCKET_WORKFLOW_SLA_TARGET_H_

#include <cstdint>
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

// Limits of what may be promised.
inline constexpr absl::Duration kMaxWorkingTime = absl::Hours(87'600);  // ten years of hours
inline constexpr uint32_t kMaxDayCount = 3'660;                         // "bd" and "cd"
inline constexpr uint32_t kMaxWeekCount = 520;
inline constexpr uint32_t kMaxMonthCount = 120;
// The furthest instant that may be promised for a case, after its receipt. Ten years too.
inline constexpr absl::Duration kMaxPromise = absl::Hours(87'600);

// What is wrong with promising `due` for a case received at `received`; "" when nothing is. A live case wants it later
// than the receipt. Another system may have promised for the same instant, but not for one before.
std::string PromiseFault(absl::Time due, absl::Time received, bool live);

// "0s", "90s", "45m", "8h", "1h30m", "3bd@close", "3bd@end", "3bd@same", "15cd@end" (also "15cd"), "15cd@same",
// "8w@end", "2mo@end+next", "15cd@close+next". Business days must say where in the day they end, the other counts end
// at @end when they do not say; @close of these needs a roll, for only a business day has a close. "fixed" is the
// instant promised for the case itself, "fixed@end" the end of its local day, "fixed+next" its time of day on a
// business day. "until:2026-12-24T12:00:00Z" is that instant. kInvalidArgument names the text and what was wanted.
absl::StatusOr<v1::Target> ParseTarget(absl::string_view text);
// The same for a question that is about no case: kInvalidArgument also for "fixed".
absl::StatusOr<v1::Target> ParseTargetOfNoCase(absl::string_view text);
// The canonical text: ParseTarget(FormatTarget(t)) equals t for every t that ParseTarget makes.
std::string FormatTarget(const v1::Target& target);

// True for targets that a pause can move: working time and business days.
bool CanPause(const v1::Target& target);

struct Due {
  absl::Time at;             // InfiniteFuture: not as things stand (open pause)
  bool provisional = false;  // lies beyond the calendar's complete_until
  friend bool operator==(const Due&, const Due&) = default;
};
// Working time: the first instant at which it is used up, so a target that fills a window is due at its end and a
// target of 0 at `start`. Day counts: in the calendar's zone, counted from the civil day of `start`, which is day 0.
// `pauses` are ignored by civil counts; business-day counts skip a day whose close lies inside a pause (R9): a pause
// that begins at the close, or ends at it, does not take the day away. FIXED: counted from `promised`, the case's own
// instant, whatever the pauses; InfiniteFuture without one. Never before `start`, but for UNTIL, which is what it says.
// `used`: how much of a working-time target is used up at `start` already (less than nothing: granted on top).
Due ComputeDue(const WorkingCalendar& calendar, absl::Time start, const v1::Target& target,
               absl::Span<const TimeSpan> pauses = {}, absl::Time promised = absl::InfiniteFuture(),
               absl::Duration used = absl::ZeroDuration());

// The part of `whole` that `part` is of `of`, rounded down to microseconds; all of it when `of` is nothing.
absl::Duration ShareOf(absl::Duration whole, absl::Duration part, absl::Duration of);

// The one of `merged` (as MergeSpans makes them) whose inside holds `t`, both ends left out; null: none. Decides
// whether the close of a business day was waited through.
const TimeSpan* SpanAround(absl::Time t, absl::Span<const TimeSpan> merged);

// What becomes of the time already used when a running clock gets another target at `now` (R8).
enum class Carry {
  kAll,    // as if the new target had held from the start
  kShare,  // the same fraction of the new target is used up
  kTime,   // the time used is used up of the new target
  kNone,   // the new target begins at `now`
};
struct CarryOver {
  Carry carry = Carry::kAll;
  absl::Time start;  // of the clock
  absl::Time now;
  const v1::Target* old_target = nullptr;  // REQUIRES: set for kShare and kTime, as is `old_calendar`
  const WorkingCalendar* old_calendar = nullptr;
  absl::Time promised = absl::InfiniteFuture();  // as for ComputeDue
};
// kAll works for every target; the others for working time only: day counts are counted from `start` (kNone: `now`).
Due ComputeRetargetedDue(const WorkingCalendar& calendar, const v1::Target& target, const CarryOver& from,
                         absl::Span<const TimeSpan> pauses = {});

// The instants of warnings of one clock, in the order given. Working-time targets: permille by the same walk as the
// due, `before` as the latest instant with that much working time left. Day counts: wall-clock shares of [start, due].
// Never before `start` nor after `due`. `at` unset: not as things stand (open pause).
std::vector<v1::Warning> ComputeWarnings(const WorkingCalendar& calendar, absl::Time start, const v1::Target& target,
                                         absl::Span<const TimeSpan> pauses, absl::Time due,
                                         const std::vector<uint32_t>& permille,
                                         const std::vector<absl::Duration>& before,
                                         absl::Duration used = absl::ZeroDuration());

}  // namespace docket::sla

#endif  // DOCKET_WORKFLOW_SLA_TARGET_H_
