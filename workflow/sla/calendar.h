#ifndef DOCKET_WORKFLOW_SLA_CALENDAR_H_
#define DOCKET_WORKFLOW_SLA_CALENDAR_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "docket/v1/policy.pb.h"

// A published calendar, ready for arithmetic. Immutable, thread-safe, free of the machine's time-zone data and of the
// process's TZ: windows and offsets are those compiled when the calendar was published.
namespace docket::sla {

// Half-open [start, end); end may be absl::InfiniteFuture().
struct TimeSpan {
  absl::Time start;
  absl::Time end;
  friend bool operator==(const TimeSpan&, const TimeSpan&) = default;
};

class WorkingCalendar {
 public:
  // kInvalidArgument names what is wrong with the compiled form.
  static absl::StatusOr<std::shared_ptr<const WorkingCalendar>> FromCompiled(const v1::Calendar& compiled);
  static std::shared_ptr<const WorkingCalendar> Always();  // 24 x 7, UTC

  // Working time inside [a, b) outside `pauses` (any order, may overlap). 0 when b <= a.
  absl::Duration Elapsed(absl::Time a, absl::Time b, absl::Span<const TimeSpan> pauses = {}) const;

  // min { t >= start : Elapsed(start, t) >= target }; InfiniteFuture when the windows or an open pause never allow it.
  absl::Time Advance(absl::Time start, absl::Duration target, absl::Span<const TimeSpan> pauses = {}) const;

  // The latest t <= end with Elapsed(t, end) >= span; InfinitePast if there is none.
  absl::Time Retreat(absl::Time end, absl::Duration span, absl::Span<const TimeSpan> pauses = {}) const;

  absl::CivilSecond ToCivil(absl::Time t) const;
  // Skipped local time: the transition instant. Repeated: the first for `start_of`, else the last (DOMAIN 5.2).
  enum class Edge { kStart, kEnd };
  absl::Time FromCivil(absl::CivilSecond civil, Edge edge) const;

  bool IsWorkingDay(absl::CivilDay day) const;
  // End of the last window that begins on `day`; InfinitePast if it has none.
  absl::Time CloseOf(absl::CivilDay day) const;

  absl::Time complete_until() const;
  const v1::Calendar& compiled() const;
  // Working windows that meet [a, b), clipped to it; for explaining.
  std::vector<TimeSpan> Windows(absl::Time a, absl::Time b) const;

  ~WorkingCalendar();

 private:
  struct Data;
  explicit WorkingCalendar(std::unique_ptr<Data> data);
  std::unique_ptr<Data> data_;
};

}  // namespace docket::sla

#endif  // DOCKET_WORKFLOW_SLA_CALENDAR_H_
