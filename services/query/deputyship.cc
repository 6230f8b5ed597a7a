#include "services/query/deputyship.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "services/query/case_fold.h"
#include "services/query/case_query.h"
#include "services/query/list_scan.h"
#include "store/record_format.h"
#include "store/view_table.h"
#include "workflow/base/check.h"
#include "workflow/case/conflicted.h"
#include "workflow/case/replay.h"
#include "workflow/policy/absences.h"
#include "workflow/projection/rows.h"

namespace docket::query {
namespace {

absl::StatusOr<policy::Absences> AbsencesKnownAt(const Reader& reader, absl::Time known_at) {
  policy::Absences absences;
  store::RowScan<projection::ConfigRow> rows(*reader.view.snapshot, reader.view.views);
  for (; rows.Valid(); rows.Next()) {
    DOCKET_ASSIGN_OR_RETURN(const projection::ConfigRow row, rows.Get());
    DOCKET_ASSIGN_OR_RETURN(const std::string stored, reader.log->Read(row.commit));
    DOCKET_ASSIGN_OR_RETURN(const v1::CommitRecord record, store::DecodeRecord(stored));
    if (absl::FromUnixMicros(record.recorded_at_us()) > known_at) break;
    for (const v1::Slice& slice : record.slices()) {
      for (const v1::RecordedEvent& recorded : slice.events()) {
        if (recorded.type() != v1::Event::kAbsenceRecorded) continue;
        DOCKET_ASSIGN_OR_RETURN(const v1::Event event, workflow::DecodeEvent(recorded));
        absences.Record(event.absence_recorded().absence());
      }
    }
  }
  DOCKET_RETURN_IF_ERROR(rows.status());
  return absences;
}

}  // namespace

absl::StatusOr<Deputyship> Deputyship::Of(const Reader& reader, const std::string& deputy, const Cursor& cursor) {
  Deputyship result;
  result.deputy_ = deputy;
  result.at_ = cursor.valid_at;
  if (cursor.by_replay) {
    DOCKET_ASSIGN_OR_RETURN(const policy::Absences absences, AbsencesKnownAt(reader, cursor.known_at));
    result.away_ = absences.StoodInForBy(deputy, cursor.valid_at);
  } else {
    result.away_ = reader.view.policies->absences().StoodInForBy(deputy, cursor.valid_at);
  }
  return result;
}

bool Deputyship::Covers(const std::string& who) const {
  return !who.empty() && std::find(away_.begin(), away_.end(), who) != away_.end();
}

absl::StatusOr<bool> Deputyship::MayActIn(const Reader& reader, const std::string& case_id) const {
  if (NothingSince(reader, at_)) {
    DOCKET_ASSIGN_OR_RETURN(const v1::Case now, LoadCase(reader, case_id));
    return MayActIn(now);
  }
  DOCKET_ASSIGN_OR_RETURN(const std::optional<v1::Case> then, FoldCase(reader, case_id, {.valid_at = at_}));
  return !then.has_value() || MayActIn(*then);
}

bool Deputyship::MayActIn(const v1::Case& state) const { return workflow::ConflictOf(state, deputy_) == nullptr; }

}  // namespace docket::query
