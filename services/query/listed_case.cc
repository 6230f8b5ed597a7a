#include "services/query/listed_case.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/query/case_fold.h"
#include "services/query/case_query.h"
#include "store/personal.h"
#include "store/view_table.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"
#include "workflow/case/advance.h"
#include "workflow/projection/rows.h"

namespace docket::query {
namespace {

using projection::CasePeriodRow;
using projection::CaseRow;

absl::Status NoSuchCase(const std::string& case_id, absl::Time at) {
  return absl::DataLossError(absl::StrCat("a row names case ", case_id, ", of which there is none at ", FormatUtc(at)));
}

// Nobody has recorded yet that the wait is over, but the rest of what follows from it (the status) is decided by the
// chart, not by rows.
absl::Status ShowAfterWait(const Reader& reader, const ListedCase& one, absl::Time at, v1::CaseSummary* summary) {
  v1::Case state;
  if (one.of_now) {
    DOCKET_ASSIGN_OR_RETURN(state, LoadCase(reader, one.case_id));
  } else {
    DOCKET_ASSIGN_OR_RETURN(std::optional<v1::Case> then, FoldCase(reader, one.case_id, {.valid_at = at}));
    if (!then.has_value()) return absl::OkStatus();
    state = *std::move(then);
  }
  DOCKET_ASSIGN_OR_RETURN(const v1::Case then, workflow::StateAt(std::move(state), *reader.view.policies, at));
  summary->set_status(then.status().status());
  summary->set_category(then.status().category());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::optional<CasePeriodRow>> CasePeriods::Find(const std::string& case_id, int64_t at_us) {
  CasePeriodRow from;
  from.case_id = case_id;
  from.since_us = at_us;
  const std::string key = store::RowKey(from);
  if (scan_.has_value()) {
    scan_->Seek(key);
  } else {
    scan_.emplace(*reader_.view.snapshot, reader_.view.views, key);
  }
  DOCKET_RETURN_IF_ERROR(scan_->status());
  if (!scan_->Valid()) return std::optional<CasePeriodRow>();
  DOCKET_ASSIGN_OR_RETURN(CasePeriodRow row, scan_->Get());
  if (row.case_id != case_id) return std::optional<CasePeriodRow>();
  return std::optional<CasePeriodRow>(std::move(row));
}

ListedCase FromRow(CaseRow row) {
  ListedCase one;
  one.case_id = std::move(row.case_id);
  one.case_no = std::move(*row.value.mutable_case_no());
  one.facts = std::move(*row.value.mutable_facts());
  one.shown = std::move(*row.value.mutable_shown());
  one.revision = row.value.revision();
  one.title = std::move(*row.value.mutable_title());
  one.of_now = true;
  for (v1::ListEntry& entry : *row.value.mutable_listing()->mutable_entries()) one.entries.push_back(std::move(entry));
  return one;
}

ListedCase FromState(const v1::Case& state) {
  projection::Standing standing = projection::StandingOf(state);
  ListedCase one;
  one.case_id = state.case_id();
  one.case_no = state.case_no();
  one.facts = std::move(*standing.shown.mutable_facts());
  one.shown = std::move(*standing.shown.mutable_shown());
  one.revision = state.revision();
  one.title = state.title();
  one.duties = {standing.shown.duties().begin(), standing.shown.duties().end()};
  return one;
}

absl::StatusOr<std::optional<ListedCase>> FindListed(const Reader& reader, const std::string& case_id, absl::Time at) {
  CaseRow key;
  key.case_id = case_id;
  DOCKET_ASSIGN_OR_RETURN(std::optional<CaseRow> row, store::GetRow(*reader.view.snapshot, reader.view.views, key));
  if (!row.has_value()) return std::optional<ListedCase>();
  CasePeriods periods(reader);
  return FindListed(periods, *std::move(row), at);
}

absl::StatusOr<std::optional<ListedCase>> FindListed(CasePeriods& periods, CaseRow row, absl::Time at) {
  const int64_t at_us = absl::ToUnixMicros(at);
  const int64_t since_us = row.value.listing().since_us();
  const uint32_t since_revision = row.value.listing().since_revision();
  const bool changed_since = row.value.listing().newest_us() > at_us;
  ListedCase one = FromRow(std::move(row));
  if (since_us <= at_us) {
    if (changed_since) one.revision = since_revision;  // what came behind changed nothing that is shown
    return std::optional<ListedCase>(std::move(one));
  }
  DOCKET_ASSIGN_OR_RETURN(std::optional<CasePeriodRow> period, periods.Find(one.case_id, at_us));
  if (!period.has_value()) return std::optional<ListedCase>();
  one.of_now = false;
  one.entries.clear();
  one.facts = std::move(*period->value.mutable_facts());
  one.shown = std::move(*period->value.mutable_shown());
  one.revision = period->value.revision();
  for (v1::PeriodDuty& duty : *period->value.mutable_duties()) one.duties.push_back(std::move(duty));
  return std::optional<ListedCase>(std::move(one));
}

absl::StatusOr<ListedCase> MustFindListed(const Reader& reader, const std::string& case_id, absl::Time at) {
  DOCKET_ASSIGN_OR_RETURN(std::optional<ListedCase> found, FindListed(reader, case_id, at));
  if (found.has_value()) return *std::move(found);
  return NoSuchCase(case_id, at);
}

absl::StatusOr<std::vector<ListedCase>> MustFindAllListed(const Reader& reader,
                                                          const std::vector<std::string>& case_ids, absl::Time at) {
  std::vector<CaseRow> keys(case_ids.size());
  for (size_t i = 0; i < keys.size(); ++i) keys[i].case_id = case_ids[i];
  DOCKET_ASSIGN_OR_RETURN(auto rows, store::GetRows(*reader.view.snapshot, reader.view.views, keys));
  CasePeriods periods(reader);
  std::vector<ListedCase> cases;
  cases.reserve(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i].has_value()) return NoSuchCase(case_ids[i], at);
    DOCKET_ASSIGN_OR_RETURN(std::optional<ListedCase> one, FindListed(periods, *std::move(rows[i]), at));
    if (!one.has_value()) return NoSuchCase(case_ids[i], at);
    cases.push_back(*std::move(one));
  }
  return cases;
}

projection::DutyRow DutyRowOf(const ListedCase& one, const v1::PeriodDuty& duty) {
  projection::DutyRow row;
  row.late_from_us = duty.late_from_us();
  row.case_id = one.case_id;
  row.clock_no = duty.clock_no();
  row.value = duty.duty();
  row.value.set_escalation_level(one.shown.escalation_level());
  *row.value.mutable_facts() = one.facts;
  return row;
}

absl::StatusOr<std::vector<projection::DutyRow>> DutiesOf(const Reader& reader, const ListedCase& one) {
  std::vector<projection::DutyRow> rows;
  for (const v1::PeriodDuty& duty : one.duties) rows.push_back(DutyRowOf(one, duty));
  for (const v1::ListEntry& entry : one.entries) {
    if (entry.list() != v1::LISTED_DUTY) continue;
    projection::DutyRow key;
    key.late_from_us = entry.anchor_us();
    key.case_id = one.case_id;
    key.clock_no = entry.item();
    DOCKET_ASSIGN_OR_RETURN(std::optional<projection::DutyRow> row,
                            store::GetRow(*reader.view.snapshot, reader.view.views, key));
    if (!row.has_value()) {
      return absl::DataLossError(absl::StrCat("case ", one.case_id, " has no duty ", entry.item(), ", but its row"));
    }
    rows.push_back(*std::move(row));
  }
  return rows;
}

bool WaitsAt(const ListedCase& one, absl::Time at) {
  if (!one.shown.has_wait()) return false;
  const int64_t until_us = one.shown.wait().until_us();
  return until_us == 0 || one.shown.history() || until_us > absl::ToUnixMicros(at);
}

absl::StatusOr<v1::CaseSummary> Summarise(const Reader& reader, const ListedCase& one, absl::Time at) {
  v1::CaseSummary summary;
  summary.set_case_id(one.case_id);
  summary.set_case_no(one.case_no);
  summary.set_kind(one.facts.kind());
  summary.set_status(one.facts.status());
  summary.set_category(one.facts.category());
  summary.set_priority(one.facts.priority());
  summary.set_department(one.facts.department());
  summary.set_queue(one.facts.queue());
  summary.set_owner(one.facts.owner());
  summary.set_tier(one.facts.tier());
  if (one.shown.received_at_us() != 0) {
    *summary.mutable_received_at() = ToProto(absl::FromUnixMicros(one.shown.received_at_us()));
  }
  summary.set_revision(one.revision);
  summary.set_reopen_count(one.shown.reopen_count());
  summary.set_safety(one.shown.safety());
  if (one.shown.has_wait() && !WaitsAt(one, at)) DOCKET_RETURN_IF_ERROR(ShowAfterWait(reader, one, at, &summary));
  return summary;
}

absl::Status PageTitles::Reveal(const Reader& reader, absl::FunctionRef<v1::CaseSummary*(int)> summary_of) const {
  std::vector<const v1::SealedText*> references;
  std::vector<v1::CaseSummary*> summaries;
  for (size_t i = 0; i < titles_.size(); ++i) {
    if (titles_[i].subject_id().empty()) continue;
    references.push_back(&titles_[i]);
    summaries.push_back(summary_of(static_cast<int>(i)));
  }
  DOCKET_ASSIGN_OR_RETURN(auto opened, store::OpenMany(*reader.view.snapshot, references));
  for (size_t i = 0; i < opened.size(); ++i) {
    if (opened[i].has_value()) summaries[i]->set_title(std::move(opened[i]->text));
  }
  return absl::OkStatus();
}

}  // namespace docket::query
