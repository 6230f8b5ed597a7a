#include "services/query/queue_scan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "services/query/list_scan.h"
#include "store/ordered_key.h"
#include "store/view_table.h"
#include "workflow/projection/standing.h"

namespace docket::query {
namespace {

using projection::PastQueueRow;
using projection::QueueRow;

constexpr size_t kFromBytes = 8;  // at the end of the key of a row of the past

std::string NowPrefix(const std::string& queue) {
  return store::KeyWriter().U16(QueueRow::kKeyspace).Text(queue).Take();
}

}  // namespace

QueueScan::QueueScan(const Reader& reader, const std::string& queue, absl::Time at, absl::string_view behind)
    : reader_(reader), queue_(queue), at_us_(absl::ToUnixMicros(at)), now_prefix_(NowPrefix(queue)) {
  // A key of another queue can only be forged; whatever it says, nothing else is shown.
  if (absl::StartsWith(behind, now_prefix_)) start_ = store::PrefixEnd(behind.substr(now_prefix_.size()));
  Add(now_prefix_, /*past=*/false);
  if (!NothingSince(reader, at)) AddPast();
  FindCurrent();
}

std::string QueueScan::PastPrefix(uint8_t length_class, int64_t stretch) const {
  return store::KeyWriter().U16(PastQueueRow::kKeyspace).Text(queue_).U8(length_class).I64(stretch).Take();
}

void QueueScan::Add(const std::string& prefix, bool past) {
  Source source{.prefix_size = prefix.size(), .past = past};
  source.rows = reader_.view.snapshot->Scan(reader_.view.views, prefix + start_, store::PrefixEnd(prefix));
  status_.Update(source.rows->status());
  if (source.rows->Valid()) sources_.push_back(std::move(source));
}

// Jumps from one class that holds rows to the next, so that empty ones cost nothing.
void QueueScan::AddPast() {
  const std::string prefix = store::KeyWriter().U16(PastQueueRow::kKeyspace).Text(queue_).Take();
  const auto probe = reader_.view.snapshot->Scan(reader_.view.views, prefix, store::PrefixEnd(prefix));
  for (uint8_t length_class = 1; length_class <= projection::kMaxLengthClass;) {
    // Who stood there at the instant came at most the longest of the class before it.
    const int64_t first = projection::StretchOf(length_class, at_us_ - projection::LongestOf(length_class) + 1);
    const int64_t last = projection::StretchOf(length_class, at_us_);
    probe->Seek(PastPrefix(length_class, first));
    if (!probe->Valid()) break;
    const auto row = store::ParseRow<PastQueueRow>(probe->key(), probe->value());
    if (!row.ok()) return status_.Update(row.status());
    if (row->length_class > length_class) {
      length_class = row->length_class;
      continue;
    }
    for (int64_t stretch = row->stretch; stretch <= last; ++stretch) {
      Add(PastPrefix(length_class, stretch), /*past=*/true);
    }
    ++length_class;
  }
  status_.Update(probe->status());
}

absl::string_view QueueScan::PlaceOf(const Source& source) const {
  absl::string_view place = source.rows->key().substr(source.prefix_size);
  if (source.past) place.remove_suffix(std::min(kFromBytes, place.size()));
  return place;
}

void QueueScan::Look(const Source& source) {
  if (!source.past) {
    auto row = store::ParseRow<QueueRow>(source.rows->key(), source.rows->value());
    if (!row.ok()) return status_.Update(row.status());
    if (row->value.from_us() <= at_us_) row_ = *std::move(row);
    return;
  }
  const auto past = store::ParseRow<PastQueueRow>(source.rows->key(), source.rows->value());
  if (!past.ok()) return status_.Update(past.status());
  if (past->from_us > at_us_ || past->value.to_us() <= at_us_) return;
  QueueRow& row = row_.emplace();
  static_cast<projection::QueuePlace&>(row) = *past;
  row.queue = queue_;
  row.value.set_stands_from_us(past->value.stands_from_us());
  *row.value.mutable_skills() = past->value.skills();
}

// Goes to the first place of all sources, and beyond it in each.
void QueueScan::FindCurrent() {
  valid_ = false;
  row_.reset();
  if (!status_.ok() || sources_.empty()) return;
  absl::string_view first = PlaceOf(sources_.front());
  for (const Source& source : sources_) first = std::min(first, PlaceOf(source));
  place_ = std::string(first);
  for (Source& source : sources_) {
    while (source.rows->Valid() && PlaceOf(source) == place_) {
      Look(source);
      source.rows->Next();
    }
    status_.Update(source.rows->status());
  }
  std::erase_if(sources_, [](const Source& source) { return !source.rows->Valid(); });
  valid_ = status_.ok();
}

void QueueScan::Next() { FindCurrent(); }

}  // namespace docket::query
