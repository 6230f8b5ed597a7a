#include "workflow/sla/zone_table.h"

#include <algorithm>

#include "workflow/base/check.h"

namespace docket::sla {
namespace {

// No zone is, or ever was, further from UTC than this.
constexpr int64_t kMaxOffset = 26 * 3600;
constexpr int64_t kDay = 86'400;

}  // namespace

ZoneTable::ZoneTable(const google::protobuf::RepeatedPtrField<v1::Calendar::Offset>& offsets) {
  DOCKET_CHECK(!offsets.empty());
  entries_.reserve(offsets.size());
  for (const v1::Calendar::Offset& offset : offsets) entries_.push_back({offset.at_s(), offset.offset_s()});
}

size_t ZoneTable::IndexAt(int64_t instant_s) const {
  auto after = std::upper_bound(entries_.begin(), entries_.end(), instant_s,
                                [](int64_t value, const Entry& entry) { return value < entry.at_s; });
  return after == entries_.begin() ? 0 : after - entries_.begin() - 1;
}

int32_t ZoneTable::OffsetAt(int64_t instant_s) const { return entries_[IndexAt(instant_s)].offset_s; }

int64_t ZoneTable::FromLocal(int64_t local_s, bool last) const {
  const size_t low = IndexAt(local_s - kMaxOffset);
  const size_t high = IndexAt(local_s + kMaxOffset);
  bool found = false;
  int64_t result = 0;
  for (size_t i = low; i <= high; ++i) {
    const int64_t instant = local_s - entries_[i].offset_s;
    const bool begun = i == 0 || instant >= entries_[i].at_s;
    const bool over = i + 1 < entries_.size() && instant >= entries_[i + 1].at_s;
    if (!begun || over) continue;
    if (found && !last) break;
    result = instant;
    found = true;
  }
  if (found) return result;
  // Skipped: the offset before a transition puts the instant after it, the offset after it puts the instant before.
  for (size_t i = low; i < high; ++i) {
    const int64_t at = entries_[i + 1].at_s;
    if (local_s - entries_[i].offset_s >= at && local_s - entries_[i + 1].offset_s < at) return at;
  }
  DOCKET_CHECK(false);  // every local time is unique, repeated or skipped
  return 0;
}

std::vector<SecondSpan> ResolveWindows(const ZoneTable& zone, int64_t civil_day,
                                       const google::protobuf::RepeatedPtrField<v1::Calendar::LocalWindow>& windows) {
  std::vector<SecondSpan> spans;
  for (const v1::Calendar::LocalWindow& window : windows) {
    const int64_t start = zone.First(civil_day * kDay + window.start_s());
    const int64_t end = zone.Last(civil_day * kDay + window.end_s());
    if (start < end) spans.push_back({start, end});
  }
  // A repeated hour can make windows that are apart on the wall overlap as instants.
  std::sort(spans.begin(), spans.end(), [](const SecondSpan& a, const SecondSpan& b) { return a.start_s < b.start_s; });
  std::vector<SecondSpan> merged;
  for (const SecondSpan& span : spans) {
    if (!merged.empty() && span.start_s <= merged.back().end_s) {
      merged.back().end_s = std::max(merged.back().end_s, span.end_s);
    } else {
      merged.push_back(span);
    }
  }
  return merged;
}

const v1::Calendar::Exception* ExceptionOf(const v1::Calendar& calendar, int64_t civil_day) {
  const auto& exceptions = calendar.exceptions();
  auto it = std::lower_bound(
      exceptions.begin(), exceptions.end(), civil_day,
      [](const v1::Calendar::Exception& exception, int64_t day) { return exception.civil_day() < day; });
  return it != exceptions.end() && it->civil_day() == civil_day ? &*it : nullptr;
}

const google::protobuf::RepeatedPtrField<v1::Calendar::LocalWindow>& WindowsOfDay(const v1::Calendar& calendar,
                                                                                  int64_t civil_day) {
  const v1::Calendar::Exception* exception = ExceptionOf(calendar, civil_day);
  return exception != nullptr ? exception->windows() : calendar.week(Weekday(civil_day)).windows();
}

int Weekday(int64_t civil_day) {
  const int64_t since_monday = (civil_day + 3) % 7;  // 1970-01-01 was a Thursday
  return static_cast<int>(since_monday < 0 ? since_monday + 7 : since_monday);
}

}  // namespace docket::sla
