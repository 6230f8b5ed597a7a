#include "services/query/list_scan.h"

#include <algorithm>
#include <utility>

#include "store/ordered_key.h"
#include "store/view_table.h"
#include "workflow/base/refusal.h"
#include "workflow/projection/standing.h"

namespace docket::query {
namespace {

using projection::DutyRow;
using projection::EntryRow;
using projection::EscalationRow;
using projection::PastEntryRow;

// Parses the row under `rows` into the memory of the one before.
template <class Row>
bool ReadRow(const store::KvIterator& rows, Row* row) {
  store::KeyReader key(rows.key());
  uint16_t keyspace = 0;
  return key.U16(&keyspace) && keyspace == Row::kKeyspace && row->ReadKey(key) && key.AtEnd() &&
         row->SetValue(rows.value());
}

int64_t Saturated(int64_t a, int64_t minus) { return a < INT64_MIN + minus ? INT64_MIN : a - minus; }

}  // namespace

std::string EncodePlace(const Place& place) {
  return store::KeyWriter().U8(place.part).I64(place.anchor_us).Text(place.case_id).U32(place.item).Take();
}

absl::StatusOr<Place> DecodePlace(absl::string_view key) {
  Place place;
  store::KeyReader reader(key);
  if (reader.U8(&place.part) && reader.I64(&place.anchor_us) && reader.Text(&place.case_id) &&
      reader.U32(&place.item) && reader.AtEnd()) {
    return place;
  }
  return RefuseFields("PAGE_TOKEN_MISMATCH",
                      {{"page_token", "not a token of this list; want a next_page_token as it was given"}});
}

bool NothingSince(const Reader& reader, absl::Time valid_at) {
  const absl::Time newest = absl::FromUnixMicros(reader.log->Head().recorded_at_us);
  return valid_at >= std::min(newest, reader.now);
}

ListScan::ListScan(const Reader& reader, Range range, absl::Time at, const Place& start)
    : reader_(reader),
      range_(std::move(range)),
      at_us_(absl::ToUnixMicros(at)),
      is_duty_(range_.list == v1::LISTED_DUTY),
      is_escalation_(range_.list == v1::LISTED_ESCALATION) {
  Place from = start;
  if (from.anchor_us < range_.first_us) from = {.anchor_us = range_.first_us, .case_id = "", .item = 0};
  if (from.anchor_us > range_.last_us) return;
  AddNow(from);
  if (!NothingSince(reader, at)) AddPast(from);
  FindCurrent();
}

void ListScan::AddNow(const Place& start) {
  store::KeyWriter prefix;
  if (is_duty_) {
    prefix.U16(DutyRow::kKeyspace);
  } else if (is_escalation_) {
    prefix.U16(EscalationRow::kKeyspace).U8(range_.group == projection::kAcknowledged ? 1 : 0);
  } else {
    prefix.U16(EntryRow::kKeyspace).U8(static_cast<uint8_t>(range_.list)).Text(range_.group);
  }
  store::KeyWriter lower = prefix;
  lower.I64(start.anchor_us).Text(start.case_id).U32(start.item);
  now_ = Source{.rows = reader_.view.snapshot->Scan(reader_.view.views, lower.str(), store::PrefixEnd(prefix.str()))};
  if (!LoadNow()) now_.reset();
}

std::string ListScan::PastKey(uint8_t length_class, const Place& from) const {
  return store::KeyWriter()
      .U16(PastEntryRow::kKeyspace)
      .U8(static_cast<uint8_t>(range_.list))
      .Text(range_.group)
      .U8(length_class)
      .I64(from.anchor_us)
      .Text(from.case_id)
      .U32(from.item)
      .Take();
}

// Jumps from one class that holds rows to the next, so that empty ones cost nothing.
void ListScan::AddPast(const Place& start) {
  const std::string upper = store::PrefixEnd(
      store::KeyWriter().U16(PastEntryRow::kKeyspace).U8(static_cast<uint8_t>(range_.list)).Text(range_.group).str());
  for (int length_class = 0; length_class <= projection::kMaxLengthClass;) {
    const auto here = static_cast<uint8_t>(length_class);
    // Whoever was gone by the anchor stands at `at` only if the anchor comes later; whoever stood for less than the
    // longest of its class has its anchor less than that before `at`.
    const int64_t first_us = here == 0 ? at_us_ + 1 : Saturated(at_us_, projection::LongestOf(here) - 1);
    const Place from = start.anchor_us < first_us ? Place{.anchor_us = first_us, .case_id = "", .item = 0} : start;
    Source source;
    source.length_class = here;
    source.rows = reader_.view.snapshot->Scan(reader_.view.views, PastKey(here, from), upper);
    if (!source.rows->Valid()) {
      status_.Update(source.rows->status());
      return;
    }
    PastEntryRow row;
    if (!ReadRow(*source.rows, &row)) {
      status_.Update(absl::DataLossError("a row of the past does not parse"));
      return;
    }
    if (row.length_class != here) {
      length_class = row.length_class;
      continue;
    }
    if (LoadPast(&source)) past_.push_back(std::move(source));
    ++length_class;
  }
}

bool ListScan::AtRow(const Source& source) {
  if (source.rows->Valid()) return true;
  status_.Update(source.rows->status());
  return false;
}

bool ListScan::LoadNow() {
  Source& source = *now_;
  if (!AtRow(source)) return false;
  bool read = false;
  if (is_duty_) {
    read = ReadRow(*source.rows, &duty_);
    source.place = {0, duty_.late_from_us, duty_.case_id, duty_.clock_no};
    source.from_us = duty_.value.from_us();
    source.regulatory = duty_.value.obligation() == v1::REGULATOR;
  } else if (is_escalation_) {
    read = ReadRow(*source.rows, &escalation_);
    source.place = {0, escalation_.raised_at_us, escalation_.case_id, escalation_.escalation_no};
    source.from_us = escalation_.value.from_us();
  } else {
    EntryRow row;
    read = ReadRow(*source.rows, &row);
    source.place = {0, row.anchor_us, row.case_id, row.item};
    source.from_us = row.value.from_us();
  }
  if (!read) status_.Update(absl::DataLossError("a row of a list does not parse"));
  return read && source.place.anchor_us <= range_.last_us;
}

bool ListScan::LoadPast(Source* source) {
  if (!AtRow(*source)) return false;
  PastEntryRow row;
  if (!ReadRow(*source->rows, &row)) {
    status_.Update(absl::DataLossError("a row of the past does not parse"));
    return false;
  }
  source->place = {0, row.anchor_us, row.case_id, row.item};
  source->from_us = row.from_us;
  source->to_us = row.value.to_us();
  source->regulatory = row.value.regulatory();
  return row.length_class == source->length_class && row.anchor_us <= range_.last_us;
}

void ListScan::Look(const Source& source) {
  const bool stood = source.from_us <= at_us_ && at_us_ < source.to_us;
  if (!stood) return;
  stood_ = true;
  regulatory_ = source.regulatory;
}

// Goes to the first place of all sources. There are few, about two per octave of the time that things stand in the
// list.
void ListScan::FindCurrent() {
  valid_ = stood_ = stood_now_ = false;
  if (!status_.ok()) return;
  const Place* first = now_.has_value() ? &now_->place : nullptr;
  for (const Source& source : past_) {
    if (first == nullptr || source.place < *first) first = &source.place;
  }
  if (first == nullptr) return;
  valid_ = true;
  place_ = *first;
  if (now_.has_value() && now_->place == place_) Look(*now_);
  stood_now_ = stood_;
  for (size_t i = 0; i < past_.size();) {
    bool more = true;
    while (more && past_[i].place == place_) {
      Look(past_[i]);
      past_[i].rows->Next();
      more = LoadPast(&past_[i]);
    }
    more ? void(++i) : void(past_.erase(past_.begin() + i));
  }
  if (!status_.ok()) valid_ = false;
}

void ListScan::Next() {
  if (now_.has_value() && now_->place == place_) {
    now_->rows->Next();
    if (!LoadNow()) now_.reset();
  }
  FindCurrent();
}

}  // namespace docket::query
