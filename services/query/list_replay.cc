#include "services/query/list_replay.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "services/engine/case_loader.h"
#include "services/query/case_fold.h"
#include "store/record_format.h"
#include "store/uuid.h"
#include "store/view_table.h"
#include "workflow/base/check.h"
#include "workflow/case/advance.h"
#include "workflow/case/replay.h"
#include "workflow/projection/past.h"

namespace docket::query {
namespace {

// The events of a case that were known at `known_at`.
absl::StatusOr<std::vector<projection::PastEvent>> KnownEvents(const Reader& reader, const std::string& case_id,
                                                               absl::Time known_at) {
  const engine::CaseLoader loader(*reader.view.snapshot, reader.view.views, *reader.log);
  DOCKET_ASSIGN_OR_RETURN(const std::vector<uint64_t> commits, loader.Commits(case_id));
  std::vector<projection::PastEvent> events;
  for (const uint64_t commit : commits) {
    DOCKET_ASSIGN_OR_RETURN(const std::string stored, reader.log->Read(commit));
    DOCKET_ASSIGN_OR_RETURN(const v1::CommitRecord record, store::DecodeRecord(stored));
    if (absl::FromUnixMicros(record.recorded_at_us()) > known_at) break;
    DOCKET_RETURN_IF_ERROR(VisitCaseEvents(record, case_id, [&](const CaseEvent& one) -> absl::StatusOr<bool> {
                             DOCKET_ASSIGN_OR_RETURN(v1::Event event, workflow::DecodeEvent(one.event()));
                             events.push_back({commit, std::move(event)});
                             return true;
                           }).status());
  }
  return events;
}

// The id of a case begins with the millisecond in which it was first recorded, so that ids stand in that order.
bool FiledAfter(const std::string& case_id, absl::Time known_at) {
  const std::optional<int64_t> filed_ms = store::ParseUuidV7(case_id);
  return filed_ms.has_value() && absl::FromUnixMillis(*filed_ms) > known_at;
}

absl::Status ReplayAll(const Reader& reader, const ReplayTimes& times,
                       absl::FunctionRef<absl::Status(const v1::Case&, const v1::CaseListing&)> visit) {
  store::RowScan<projection::CaseRow> scan(*reader.view.snapshot, reader.view.views);
  for (; scan.Valid(); scan.Next()) {
    if (reader.abandoned && reader.abandoned()) return absl::CancelledError("the caller has gone");
    DOCKET_ASSIGN_OR_RETURN(const projection::CaseRow row, scan.Get());
    if (FiledAfter(row.case_id, times.known_at)) break;
    DOCKET_ASSIGN_OR_RETURN(const std::vector<projection::PastEvent> events,
                            KnownEvents(reader, row.case_id, times.known_at));
    v1::Case state;
    DOCKET_ASSIGN_OR_RETURN(
        const projection::Past past,
        projection::PastInOrderOfTime(row.case_id, events, absl::ToUnixMicros(times.valid_at), &state));
    if (state.revision() > 0) DOCKET_RETURN_IF_ERROR(visit(state, past.listing));
  }
  return scan.status();
}

struct FoundDuty {
  projection::DutyRow row;
  std::shared_ptr<const v1::Case> state;
};

// Where a duty stands in the list that is asked for.
Place PlaceOf(const DutyQuestion& question, const projection::DutyRow& row, const v1::CaseListing& listing) {
  Place place{0, row.late_from_us, row.case_id, row.clock_no};
  if (question.request.preset() != v1::WAITING_DUTIES) return place;
  for (const v1::ListEntry& entry : listing.entries()) {
    if (entry.list() == v1::LISTED_WAITING) place.anchor_us = entry.anchor_us();
  }
  return place;
}

// Adds the matching duties of one case, all or only the first.
void AddDuties(const DutyQuestion& question, const v1::Case& state, const v1::CaseListing& listing, DutyCount* count,
               FirstPlaces<FoundDuty>* page) {
  const ListedCase one = FromState(state);
  std::vector<std::pair<Place, projection::DutyRow>> matching;
  for (const v1::PeriodDuty& duty : one.duties) {
    projection::DutyRow row = DutyRowOf(one, duty);
    if (!question.filter.Matches(row, one) || question.filter.IsForbidden(row, state)) continue;
    count->Add(question.filter, row, matching.empty());
    Place place = PlaceOf(question, row, listing);
    matching.emplace_back(std::move(place), std::move(row));
  }
  if (matching.empty()) return;
  std::sort(matching.begin(), matching.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  if (question.request.by_case()) matching.resize(1);
  const auto kept = std::make_shared<const v1::Case>(state);
  for (auto& [place, row] : matching) page->Add(place, {std::move(row), kept});
}

}  // namespace

absl::StatusOr<uint64_t> PositionAt(const Reader& reader, absl::Time known_at) {
  uint64_t position = 0;
  uint64_t first = 0;                  // commit; those before it were recorded by then
  uint64_t end = reader.view.commits;  // it and those behind it were not
  while (first < end) {
    const uint64_t middle = first + (end - first) / 2;
    DOCKET_ASSIGN_OR_RETURN(const std::string stored, reader.log->Read(middle));
    DOCKET_ASSIGN_OR_RETURN(const v1::CommitRecord record, store::DecodeRecord(stored));
    if (absl::FromUnixMicros(record.recorded_at_us()) > known_at) {
      end = middle;
      continue;
    }
    first = middle + 1;
    position = record.first_position() - 1;
    for (const v1::Slice& slice : record.slices()) position += static_cast<uint64_t>(slice.events_size());
  }
  return position;
}

absl::Status ReplayCases(const Reader& reader, const ReplayTimes& times,
                         absl::FunctionRef<absl::Status(const v1::Case&, const v1::CaseListing&)> visit) {
  DOCKET_ASSIGN_OR_RETURN(const uint64_t known, PositionAt(reader, times.known_at));
  if (known == 0) return absl::OkStatus();
  DOCKET_RETURN_IF_ERROR(EnterReplay(reader));
  const absl::Status status = ReplayAll(reader, times, visit);
  LeaveReplay(reader);
  return status;
}

absl::Status DutiesByReplay(const DutyQuestion& question, absl::Time known_at, v1::ListDutiesReply* reply,
                            std::optional<Place>* next) {
  DutyCount count;
  FirstPlaces<FoundDuty> page(question.start, PageSize(question.request.page_size()));
  DOCKET_RETURN_IF_ERROR(
      ReplayCases(question.reader, {question.at, known_at}, [&](const v1::Case& state, const v1::CaseListing& listing) {
        AddDuties(question, state, listing, &count, &page);
        return absl::OkStatus();
      }));
  PageTitles titles;
  DOCKET_ASSIGN_OR_RETURN(*next, page.Visit([&](const FoundDuty& found) -> absl::Status {
    DOCKET_ASSIGN_OR_RETURN(const v1::Case then,
                            workflow::StateAt(*found.state, *question.reader.view.policies, question.at));
    const ListedCase one = FromState(then);
    v1::ListDutiesReply::Item& item = *reply->add_items();
    item = DutyItem(question.filter, found.row, one, question.at);
    DOCKET_ASSIGN_OR_RETURN(*item.mutable_case_(), Summarise(question.reader, one, question.at));
    titles.Add(one);
    return absl::OkStatus();
  }));
  if (question.first_page) *reply->mutable_header() = count.Header(/*complete=*/true);
  return titles.Reveal(question.reader, reply->mutable_items());
}

}  // namespace docket::query
