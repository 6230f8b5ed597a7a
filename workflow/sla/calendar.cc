#include "workflow/sla/calendar.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"
#include "workflow/sla/zone_table.h"

namespace docket::sla {
namespace {

constexpr int64_t kMicros = 1'000'000;
constexpr int64_t kDay = 86'400;
constexpr int64_t kWeek = 7 * kDay * kMicros;
constexpr int64_t kMondayShift = 3 * kDay * kMicros;  // from Monday 1969-12-29 to 1970-01-01
// Stands for "for ever" (36,000 years), far enough from the limits of int64 for sums of two.
constexpr int64_t kForever = int64_t{1} << 60;

int64_t ToUs(absl::Time t) { return std::clamp(absl::ToUnixMicros(t), -kForever, kForever); }
int64_t ToUs(absl::Duration d) { return std::clamp(absl::ToInt64Microseconds(d), -kForever, kForever); }

absl::Time FromUs(int64_t us) {
  if (us >= kForever) return absl::InfiniteFuture();
  if (us <= -kForever) return absl::InfinitePast();
  return absl::FromUnixMicros(us);
}

int64_t FloorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

absl::CivilDay CivilEpoch() { return absl::CivilDay(1970, 1, 1); }
int64_t DayNumber(absl::CivilDay day) { return day - CivilEpoch(); }

// Half-open, microseconds.
struct Piece {
  int64_t start;
  int64_t end;
};

// A set of windows that knows how much working time lies before each: counting and its two inverses are one binary
// search. Windows ascend and are apart.
class WindowSet {
 public:
  void Add(int64_t start, int64_t end) {
    if (!windows_.empty() && windows_.back().end == start) {
      windows_.back().end = end;
    } else {
      windows_.push_back({start, end, total_});
    }
    total_ += end - start;
  }
  int64_t total() const { return total_; }
  size_t size() const { return windows_.size(); }
  Piece operator[](size_t i) const { return {windows_[i].start, windows_[i].end}; }

  // Working time before t.
  int64_t Count(int64_t t) const {
    auto after = std::upper_bound(windows_.begin(), windows_.end(), t,
                                  [](int64_t value, const Window& window) { return value < window.start; });
    if (after == windows_.begin()) return 0;
    const Window& window = *std::prev(after);
    return window.before + std::min(t, window.end) - window.start;
  }
  // The first t with Count(t) >= value. REQUIRES: 0 < value <= total().
  int64_t First(int64_t value) const {
    auto after = std::lower_bound(windows_.begin(), windows_.end(), value,
                                  [](const Window& window, int64_t v) { return window.before < v; });
    const Window& window = *std::prev(after);
    return window.start + (value - window.before);
  }
  // The last t with Count(t) <= value. REQUIRES: 0 <= value < total().
  int64_t Last(int64_t value) const {
    auto after = std::upper_bound(windows_.begin(), windows_.end(), value,
                                  [](int64_t v, const Window& window) { return v < window.before; });
    const Window& window = *std::prev(after);
    return window.start + (value - window.before);
  }
  // Index of the first window that ends after t.
  size_t IndexAfter(int64_t t) const {
    return std::upper_bound(windows_.begin(), windows_.end(), t,
                            [](int64_t value, const Window& window) { return value < window.end; }) -
           windows_.begin();
  }

 private:
  struct Window {
    int64_t start;
    int64_t end;
    int64_t before;  // working time in the windows before this one
  };
  std::vector<Window> windows_;
  int64_t total_ = 0;
};

// The bare week, repeated for ever at one offset: what is assumed outside the compiled span.
class RepeatedWeek {
 public:
  RepeatedWeek() = default;
  RepeatedWeek(const v1::Calendar& calendar, int32_t offset_s) : shift_(offset_s * kMicros + kMondayShift) {
    for (int day = 0; day < calendar.week_size(); ++day) {
      for (const auto& window : calendar.week(day).windows()) {
        windows_.Add((day * kDay + window.start_s()) * kMicros, (day * kDay + window.end_s()) * kMicros);
      }
    }
  }
  bool empty() const { return windows_.total() == 0; }

  int64_t Count(int64_t t) const {
    const int64_t local = t + shift_;
    const int64_t week = FloorDiv(local, kWeek);
    return week * windows_.total() + windows_.Count(local - week * kWeek);
  }
  // The first t with Count(t) >= value. REQUIRES: !empty().
  int64_t First(int64_t value) const {
    const int64_t week = FloorDiv(value - 1, windows_.total());
    return At(week, windows_.First(value - week * windows_.total()));
  }
  // The last t with Count(t) <= value. REQUIRES: !empty().
  int64_t Last(int64_t value) const {
    const int64_t week = FloorDiv(value, windows_.total());
    return At(week, windows_.Last(value - week * windows_.total()));
  }
  // Calls visit(Piece) for the windows that meet [a, b), clipped.
  template <class Visit>
  void ForEach(int64_t a, int64_t b, Visit visit) const {
    if (empty()) return;
    for (int64_t week = FloorDiv(a + shift_, kWeek); At(week, 0) < b; ++week) {
      for (size_t i = 0; i < windows_.size(); ++i) {
        const int64_t start = std::max(a, At(week, windows_[i].start));
        const int64_t end = std::min(b, At(week, windows_[i].end));
        if (start < end) visit(Piece{start, end});
      }
    }
  }

 private:
  int64_t At(int64_t week, int64_t in_week) const {
    const __int128 at = static_cast<__int128>(week) * kWeek + in_week - shift_;  // a short week reaches very far
    return static_cast<int64_t>(std::clamp<__int128>(at, -kForever, kForever));
  }
  int64_t shift_ = 0;  // from UTC to microseconds since a local Monday midnight
  WindowSet windows_;
};

std::vector<Piece> Merge(absl::Span<const TimeSpan> spans) {
  std::vector<Piece> pieces;
  pieces.reserve(spans.size());
  for (const TimeSpan& span : spans) {
    const Piece piece{ToUs(span.start), ToUs(span.end)};
    if (piece.start < piece.end) pieces.push_back(piece);
  }
  std::sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) { return a.start < b.start; });
  size_t kept = 0;
  for (const Piece& piece : pieces) {
    if (kept > 0 && piece.start <= pieces[kept - 1].end) {
      pieces[kept - 1].end = std::max(pieces[kept - 1].end, piece.end);
    } else {
      pieces[kept++] = piece;
    }
  }
  pieces.resize(kept);
  return pieces;
}

absl::Status CheckCompiled(const v1::Calendar& compiled) {
  auto bad = [&](auto... text) {
    return absl::InvalidArgumentError(absl::StrCat("calendar ", compiled.id(), ": ", text...));
  };
  for (int i = 1; i < compiled.offsets_size(); ++i) {
    if (compiled.offsets(i).at_s() <= compiled.offsets(i - 1).at_s()) return bad("offsets[", i, "]: want ascending");
  }
  if (compiled.always()) return absl::OkStatus();
  if (compiled.week_size() != 7) return bad("week: ", compiled.week_size(), " days, want 7");
  if (compiled.offsets().empty()) return bad("offsets: none, want at least one; was it compiled?");
  if (compiled.offsets(0).at_s() > compiled.compiled_from_s())
    return bad("offsets[0]: want at or before compiled_from_s");
  if (compiled.complete_until_s() <= compiled.compiled_from_s())
    return bad("complete_until_s: want after compiled_from_s");
  auto check_windows = [&](const google::protobuf::RepeatedPtrField<v1::Calendar::LocalWindow>& windows) {
    uint32_t at = 0;
    for (const auto& window : windows) {
      if (window.start_s() < at || window.end_s() <= window.start_s() || window.end_s() > kDay) return false;
      at = window.end_s();
    }
    return true;
  };
  for (int i = 0; i < compiled.week_size(); ++i) {
    if (!check_windows(compiled.week(i).windows())) return bad("week[", i, "]: want ascending windows inside a day");
  }
  for (int i = 0; i < compiled.exceptions_size(); ++i) {
    if (i > 0 && compiled.exceptions(i).civil_day() <= compiled.exceptions(i - 1).civil_day()) {
      return bad("exceptions[", i, "]: want ascending");
    }
    if (!check_windows(compiled.exceptions(i).windows())) {
      return bad("exceptions[", i, "]: want ascending windows inside a day");
    }
  }
  if (compiled.windows_delta_s_size() % 2 != 0) return bad("windows_delta_s: want pairs of gap and length");
  int64_t at = compiled.compiled_from_s();
  for (int i = 0; i < compiled.windows_delta_s_size(); ++i) {
    if (compiled.windows_delta_s(i) == 0 && i > 0) return bad("windows_delta_s[", i, "]: 0, want merged windows");
    at += compiled.windows_delta_s(i);
  }
  if (at > compiled.complete_until_s()) return bad("windows_delta_s: reaches past complete_until_s");
  return absl::OkStatus();
}

}  // namespace

std::vector<TimeSpan> MergeSpans(absl::Span<const TimeSpan> spans) {
  std::vector<TimeSpan> merged;
  for (const Piece& piece : Merge(spans)) merged.push_back({FromUs(piece.start), FromUs(piece.end)});
  return merged;
}

// Working time is counted from compiled_from (negative before it): Count is one monotone function over all time, and
// Elapsed, Advance and Retreat are differences and inverses of it.
struct WorkingCalendar::Data {
  v1::Calendar compiled;
  ZoneTable zone;
  bool always = false;
  int64_t from = 0;
  int64_t until = 0;
  WindowSet windows;
  RepeatedWeek head;  // before `from`
  RepeatedWeek tail;  // from `until` on

  int64_t Count(int64_t t) const {
    if (always) return t;
    if (t < from) return head.Count(t) - head.Count(from);
    if (t <= until) return windows.Count(t);
    return windows.total() + tail.Count(t) - tail.Count(until);
  }
  // The first t with Count(t) >= value; kForever: never.
  int64_t First(int64_t value) const {
    if (always) return std::min(value, kForever);
    if (value <= 0) return head.empty() ? -kForever : head.First(value + head.Count(from));
    if (value <= windows.total()) return windows.First(value);
    return tail.empty() ? kForever : tail.First(value - windows.total() + tail.Count(until));
  }
  // The last t with Count(t) <= value; -kForever: never.
  int64_t Last(int64_t value) const {
    if (always) return std::max(value, -kForever);
    if (value < 0) return head.empty() ? -kForever : head.Last(value + head.Count(from));
    if (value < windows.total()) return windows.Last(value);
    return tail.empty() ? kForever : tail.Last(value - windows.total() + tail.Count(until));
  }

  int64_t LocalStart(absl::CivilDay day) const { return DayNumber(day) * kDay; }

  std::vector<SecondSpan> DayWindows(absl::CivilDay day) const {
    if (always) return {{zone.First(LocalStart(day)), zone.Last(LocalStart(day + 1))}};
    const int64_t number = DayNumber(day);
    // Outside the compiled span exceptions have no effect on working time either.
    const int64_t noon = zone.First(number * kDay + kDay / 2) * kMicros;
    const bool known = noon >= from && noon < until;
    return ResolveWindows(zone, number,
                          known ? WindowsOfDay(compiled, number) : compiled.week(Weekday(number)).windows());
  }
};

WorkingCalendar::WorkingCalendar(std::unique_ptr<Data> data) : data_(std::move(data)) {}
WorkingCalendar::~WorkingCalendar() = default;

absl::StatusOr<std::shared_ptr<const WorkingCalendar>> WorkingCalendar::FromCompiled(const v1::Calendar& compiled) {
  DOCKET_RETURN_IF_ERROR(CheckCompiled(compiled));
  auto data = std::make_unique<Data>();
  data->compiled = compiled;
  data->always = compiled.always();
  if (!compiled.offsets().empty()) data->zone = ZoneTable(compiled.offsets());
  data->from = compiled.compiled_from_s() * kMicros;
  data->until = compiled.complete_until_s() * kMicros;
  if (compiled.always()) {
    if (compiled.complete_until_s() == 0) data->until = kForever;
  } else {
    int64_t at = compiled.compiled_from_s();
    for (int i = 0; i + 1 < compiled.windows_delta_s_size(); i += 2) {
      const int64_t start = at + compiled.windows_delta_s(i);
      at = start + compiled.windows_delta_s(i + 1);
      data->windows.Add(start * kMicros, at * kMicros);
    }
    data->head = RepeatedWeek(compiled, data->zone.OffsetAt(compiled.compiled_from_s()));
    data->tail = RepeatedWeek(compiled, data->zone.OffsetAt(compiled.complete_until_s()));
  }
  return std::shared_ptr<const WorkingCalendar>(new WorkingCalendar(std::move(data)));
}

std::shared_ptr<const WorkingCalendar> WorkingCalendar::Always() {
  v1::Calendar calendar;
  calendar.set_zone("UTC");
  calendar.set_always(true);
  return *FromCompiled(calendar);
}

absl::Duration WorkingCalendar::Elapsed(absl::Time a, absl::Time b, absl::Span<const TimeSpan> pauses) const {
  const int64_t end = ToUs(b);
  int64_t at = ToUs(a);
  int64_t total = 0;
  auto count = [&](int64_t until) {
    if (at >= until) return true;
    if (until >= kForever && (data_->always || !data_->tail.empty())) return false;
    total += data_->Count(until) - data_->Count(at);
    return true;
  };
  for (const Piece& pause : Merge(pauses)) {
    if (pause.start >= end) break;
    if (!count(pause.start)) return absl::InfiniteDuration();
    at = std::max(at, pause.end);
  }
  if (!count(end)) return absl::InfiniteDuration();
  return absl::Microseconds(total);
}

absl::Time WorkingCalendar::Advance(absl::Time start, absl::Duration target, absl::Span<const TimeSpan> pauses) const {
  int64_t left = ToUs(target);
  if (left <= 0) return start;
  int64_t at = ToUs(start);
  for (const Piece& pause : Merge(pauses)) {
    if (pause.end <= at) continue;
    if (pause.start > at) {
      const int64_t here = data_->Count(at);
      const int64_t available = data_->Count(pause.start) - here;
      if (left <= available) return FromUs(data_->First(here + left));
      left -= available;
    }
    at = pause.end;
  }
  if (at >= kForever) return absl::InfiniteFuture();
  return FromUs(data_->First(data_->Count(at) + left));
}

absl::Time WorkingCalendar::Retreat(absl::Time end, absl::Duration span, absl::Span<const TimeSpan> pauses) const {
  int64_t left = ToUs(span);
  if (left <= 0 || end == absl::InfinitePast()) return end;
  int64_t at = ToUs(end);
  const std::vector<Piece> merged = Merge(pauses);
  for (auto pause = merged.rbegin(); pause != merged.rend(); ++pause) {
    if (pause->start >= at) continue;
    if (pause->end < at) {
      const int64_t here = data_->Count(at);
      const int64_t available = here - data_->Count(pause->end);
      if (left <= available) return FromUs(data_->Last(here - left));
      left -= available;
    }
    at = pause->start;
  }
  if (at <= -kForever) return absl::InfinitePast();
  return FromUs(data_->Last(data_->Count(at) - left));
}

absl::CivilSecond WorkingCalendar::ToCivil(absl::Time t) const {
  const int64_t instant = FloorDiv(ToUs(t), kMicros);
  return absl::CivilSecond(CivilEpoch()) + (instant + data_->zone.OffsetAt(instant));
}

absl::Time WorkingCalendar::FromCivil(absl::CivilSecond civil, Edge edge) const {
  const int64_t local = civil - absl::CivilSecond(CivilEpoch());
  return absl::FromUnixSeconds(edge == Edge::kStart ? data_->zone.First(local) : data_->zone.Last(local));
}

bool WorkingCalendar::IsWorkingDay(absl::CivilDay day) const { return !data_->DayWindows(day).empty(); }

absl::Time WorkingCalendar::CloseOf(absl::CivilDay day) const {
  const std::vector<SecondSpan> windows = data_->DayWindows(day);
  return windows.empty() ? absl::InfinitePast() : absl::FromUnixSeconds(windows.back().end_s);
}

std::string WorkingCalendar::LabelOf(absl::CivilDay day) const {
  const v1::Calendar::Exception* exception = ExceptionOf(data_->compiled, DayNumber(day));
  return exception != nullptr ? exception->label() : std::string();
}

absl::Time WorkingCalendar::complete_until() const { return FromUs(data_->until); }

const v1::Calendar& WorkingCalendar::compiled() const { return data_->compiled; }

std::vector<TimeSpan> WorkingCalendar::Windows(absl::Time a, absl::Time b) const {
  const int64_t start = a == absl::InfinitePast() ? data_->from : ToUs(a);
  const int64_t end = b == absl::InfiniteFuture() ? data_->until : ToUs(b);
  std::vector<TimeSpan> result;
  if (start >= end) return result;
  auto add = [&](const Piece& piece) {
    const TimeSpan span{FromUs(piece.start), FromUs(piece.end)};
    if (!result.empty() && result.back().end == span.start) {
      result.back().end = span.end;
    } else {
      result.push_back(span);
    }
  };
  if (data_->always) {
    add({start, end});
    return result;
  }
  data_->head.ForEach(start, std::min(end, data_->from), add);
  for (size_t i = data_->windows.IndexAfter(start); i < data_->windows.size(); ++i) {
    const Piece piece{std::max(start, data_->windows[i].start), std::min(end, data_->windows[i].end)};
    if (piece.start >= piece.end) break;
    add(piece);
  }
  data_->tail.ForEach(std::max(start, data_->until), end, add);
  return result;
}

}  // namespace docket::sla
