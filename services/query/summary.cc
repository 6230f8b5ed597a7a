#include "services/query/summary.h"

#include "services/query/texts.h"
#include "workflow/base/check.h"

namespace docket::query {

absl::StatusOr<v1::CaseSummary> Summarise(const Reader& reader, const v1::Case& state) {
  v1::CaseSummary summary;
  summary.set_case_id(state.case_id());
  summary.set_case_no(state.case_no());
  summary.set_kind(state.kind());
  summary.set_status(state.status().status());
  summary.set_category(state.status().category());
  summary.set_priority(state.priority());
  summary.set_department(state.department());
  summary.set_queue(state.queue());
  summary.set_owner(state.owner());
  if (state.has_received_at()) *summary.mutable_received_at() = state.received_at();
  summary.set_revision(state.revision());
  summary.set_reopen_count(state.reopen_count());
  summary.set_safety(state.safety());
  if (state.has_title()) {
    v1::SealedText title = state.title();
    DOCKET_RETURN_IF_ERROR(RevealTexts(*reader.view.snapshot, &title));
    summary.set_title(std::move(*title.mutable_text()));
  }
  return summary;
}

bool OwnerMatches(const std::string& wanted, const std::string& owner) {
  if (wanted.empty()) return true;
  return wanted == "-" ? owner.empty() : owner == wanted;
}

bool DepartmentMatches(const Reader& reader, const std::string& wanted, const std::string& department) {
  return wanted.empty() || department == wanted || reader.view.policies->IsWithin(department, wanted);
}

bool Matches(const Reader& reader, const v1::CaseFilter& filter, const v1::RowFacts& facts) {
  return EmptyOrHas(filter.kinds(), facts.kind()) && EmptyOrHas(filter.categories(), facts.category()) &&
         EmptyOrHas(filter.statuses(), facts.status()) && EmptyOrHas(filter.priorities(), facts.priority()) &&
         (filter.queue().empty() || filter.queue() == facts.queue()) && OwnerMatches(filter.owner(), facts.owner()) &&
         (filter.source().empty() || filter.source() == facts.source()) &&
         (filter.category().empty() || filter.category() == facts.topic()) &&
         DepartmentMatches(reader, filter.department(), facts.department());
}

}  // namespace docket::query
