#include "services/query/case_fold.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "services/engine/case_loader.h"
#include "store/record_format.h"
#include "workflow/base/check.h"
#include "workflow/case/replay.h"

namespace docket::query {

absl::StatusOr<bool> VisitCaseEvents(const v1::CommitRecord& record, absl::string_view case_id,
                                     absl::FunctionRef<absl::StatusOr<bool>(const CaseEvent&)> visit) {
  uint64_t position = record.first_position();
  for (int s = 0; s < record.slices_size(); ++s) {
    const v1::Slice& slice = record.slices(s);
    if (slice.kind() != v1::STREAM_KIND_CASE || case_id != slice.stream_id()) {
      position += slice.events_size();
      continue;
    }
    for (int i = 0; i < slice.events_size(); ++i, ++position) {
      const CaseEvent one{.record = record,
                          .slice = s,
                          .index = i,
                          .revision = static_cast<uint32_t>(slice.first_revision() + i),
                          .position = position};
      DOCKET_ASSIGN_OR_RETURN(const bool go_on, visit(one));
      if (!go_on) return false;
    }
  }
  return true;
}

bool CaseFold::Finished(const CaseEvent& next) const {
  return (as_of_.revision != 0 && next.revision > as_of_.revision) ||
         absl::FromUnixMicros(next.record.recorded_at_us()) > as_of_.known_at;
}

absl::Status CaseFold::Add(const CaseEvent& one) {
  if (Finished(one) || absl::FromUnixMicros(one.event().occurred_at_us()) > as_of_.valid_at) {
    skipped_ = true;
    return absl::OkStatus();
  }
  DOCKET_ASSIGN_OR_RETURN(const v1::Event event, workflow::DecodeEvent(one.event()));
  // Things inside a case are named by the revision that created them, so a fold with gaps keeps the real numbers.
  if (!skipped_) {
    state_.set_revision(one.revision - 1);
    return workflow::Apply(event, &state_);
  }
  if (empty() && !event.has_case_received()) return absl::OkStatus();  // of a case that did not exist yet
  // A back-dated contact may act on something that had not happened yet at `valid_at`; then it has no effect yet.
  v1::Case next = state_;
  next.set_revision(one.revision - 1);
  const absl::Status applied = workflow::Apply(event, &next);
  if (applied.ok()) state_ = std::move(next);
  return applied.code() == absl::StatusCode::kDataLoss ? absl::OkStatus() : applied;
}

absl::StatusOr<std::optional<v1::Case>> FoldCase(const Reader& reader, absl::string_view case_id, const AsOf& as_of) {
  const engine::CaseLoader loader(*reader.view.snapshot, reader.view.views, *reader.log);
  DOCKET_ASSIGN_OR_RETURN(const std::vector<uint64_t> commits, loader.Commits(case_id));
  CaseFold fold(case_id, as_of);
  bool go_on = true;
  for (size_t i = 0; go_on && i < commits.size(); ++i) {
    DOCKET_ASSIGN_OR_RETURN(const std::string stored, reader.log->Read(commits[i]));
    DOCKET_ASSIGN_OR_RETURN(const v1::CommitRecord record, store::DecodeRecord(stored));
    DOCKET_ASSIGN_OR_RETURN(go_on, VisitCaseEvents(record, case_id, [&](const CaseEvent& one) -> absl::StatusOr<bool> {
                              if (fold.Finished(one)) return false;
                              DOCKET_RETURN_IF_ERROR(fold.Add(one));
                              return true;
                            }));
  }
  if (fold.empty()) return std::optional<v1::Case>();
  return std::optional<v1::Case>(fold.Take());
}

}  // namespace docket::query
