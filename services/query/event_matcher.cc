#include "services/query/event_matcher.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "services/query/case_fold.h"
#include "services/query/summary.h"
#include "store/view_table.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/case/replay.h"
#include "workflow/projection/rows.h"

namespace docket::query {

absl::StatusOr<EventMatcher> EventMatcher::Make(const v1::EventFilter& filter, Viewer viewer, bool live) {
  EventMatcher matcher;
  std::vector<BadField> bad;
  for (int i = 0; i < filter.types_size(); ++i) {
    const uint32_t type = workflow::EventTypeOf(filter.types(i));
    if (type == 0) {
      bad.push_back(
          {absl::StrCat("filter.types[", i, "]"),
           absl::StrCat("\"", filter.types(i), "\" is no event type; want a name such as \"OwnerAssigned\"")});
    }
    matcher.types_.push_back(type);
  }
  if (!filter.department().empty() && !live) {
    bad.push_back({"filter.department", "only Subscribe follows departments; want it empty here"});
  }
  if (!bad.empty()) return RefuseFields("INVALID_FIELD", bad);
  matcher.viewer_ = std::move(viewer);
  matcher.case_ids_.insert(filter.case_ids().begin(), filter.case_ids().end());
  matcher.kinds_.assign(filter.stream_kinds().begin(), filter.stream_kinds().end());
  matcher.department_ = filter.department();
  return matcher;
}

bool EventMatcher::MatchesSlice(const v1::Slice& slice) const {
  if (!EmptyOrHas(kinds_, slice.kind())) return false;
  if (case_ids_.empty()) return true;
  return slice.kind() == v1::STREAM_KIND_CASE && case_ids_.count(slice.stream_id()) > 0;
}

bool EventMatcher::MatchesEvent(const v1::RecordedEvent& event) const {
  return EmptyOrHas(types_, event.type()) && MaySee(viewer_, Subject{.visibility = event.visibility()});
}

absl::StatusOr<bool> EventMatcher::MatchesDepartment(const Reader& reader, const v1::CommitRecord& record,
                                                     const v1::Slice& slice) const {
  if (department_.empty()) return true;
  if (slice.kind() != v1::STREAM_KIND_CASE) return false;
  projection::CaseRow key;
  key.case_id = slice.stream_id();
  DOCKET_ASSIGN_OR_RETURN(const auto row, store::GetRow(*reader.view.snapshot, reader.view.views, key));
  // The row is of this very commit unless the case has moved on since; then its state of that time is folded again.
  if (row.has_value() && row->value.last_commit() == record.commit()) {
    return DepartmentMatches(reader, department_, row->value.facts().department());
  }
  const AsOf as_of{.revision = static_cast<uint32_t>(slice.first_revision() + slice.events_size() - 1)};
  DOCKET_ASSIGN_OR_RETURN(const std::optional<v1::Case> state, FoldCase(reader, slice.stream_id(), as_of));
  return state.has_value() && DepartmentMatches(reader, department_, state->department());
}

}  // namespace docket::query
