#ifndef DOCKET_WORKFLOW_SLA_CALENDAR_H_
#define DOCKET_WORKFLOW_SLA_CALENDAR_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "docket/v1/policy.pb.h"

// A published calendar, ready for arithmetic. Immutable, thread-safe, free of the machine's time-zone data and of the
// process's TZ: windows and offsets are those compiled when the calendar was published. Arithmetic is in whole
// microseconds; anything finer is cut off. Outside the compiled span the week repeats, without exceptions and with the
// nearest offset, so that every question has an answer; such answers are provisional.
namespace docket::sla {

// Half-open [start, end); end may be absl::InfiniteFuture().
struct TimeSpan {
  absl::Time start;
  absl::Time end;
  friend bool operator==(const TimeSpan&, const TimeSpan&) = default;
};

// Ascending, non-empty, apart: the union of `spans`, which may come in any order and overlap.
std::vector<TimeSpan> MergeSpans(absl::Span<const TimeSpan> spans);

class WorkingCalendar {
 public:
  // kInvalidArgument names what is wrong with the compiled form. Cost: linear in the number of windows; afterwards
  // every question costs a binary search and the number of pauses.
  static absl::StatusOr<std::shared_ptr<const WorkingCalendar>> FromCompiled(const v1::Calendar& compiled);
  static std::shared_ptr<const WorkingCalendar> Always();  // 24 x 7, UTC

  // Working time inside [a, b) outside `pauses` (any order, may overlap). 0 when b <= a; infinite when b is and working
  // time never ends.
  absl::Duration Elapsed(absl::Time a, absl::Time b, absl::Span<const TimeSpan> pauses = {}) const;

  // min { t >= start : Elapsed(start, t) >= target }; InfiniteFuture when the windows or an open pause never allow it.
  absl::Time Advance(absl::Time start, absl::Duration target, absl::Span<const TimeSpan> pauses = {}) const;

  // The latest t <= end with Elapsed(t, end) >= span; InfinitePast if there is none.
  absl::Time Retreat(absl::Time end, absl::Duration span, absl::Span<const TimeSpan> pauses = {}) const;

  absl::CivilSecond ToCivil(absl::Time t) const;
  // Skipped local time: the transition instant. Repeated: the first instant for a start, the last for an end.
  enum class Edge { kStart, kEnd };
  absl::Time FromCivil(absl::CivilSecond civil, Edge edge) const;

  bool IsWorkingDay(absl::CivilDay day) const;
  // End of the last window that begins on `day`; InfinitePast if it has none. Windows that touch at midnight count as
  // two here, so a 24-hour day closes at its own end.
  absl::Time CloseOf(absl::CivilDay day) const;
  // What the calendar calls a day that departs from the week: "Christmas Day"; "" for an ordinary day.
  std::string LabelOf(absl::CivilDay day) const;

  // Up to here windows and offsets are known; InfiniteFuture for Always().
  absl::Time complete_until() const;
  const v1::Calendar& compiled() const;
  // Working windows that meet [a, b), clipped to it, merged, ascending; for explaining. A bound that is infinite is
  // taken as the end of the compiled span.
  std::vector<TimeSpan> Windows(absl::Time a, absl::Time b) const;

  ~WorkingCalendar();

 private:
  struct Data;
  explicit WorkingCalendar(std::unique_ptr<Data> data);
  std::unique_ptr<Data> data_;
};

}  // namespace docket::sla

#endif  // DOCKET_WORKFLOW_SLA_CALENDAR_H_
