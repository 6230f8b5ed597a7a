#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "services/query/filter_names.h"
#include "services/query/list_page.h"
#include "services/query/list_replay.h"
#include "services/query/list_scan.h"
#include "services/query/listed_case.h"
#include "services/query/lists.h"
#include "services/query/summary.h"
#include "workflow/base/time.h"
#include "workflow/case/advance.h"
#include "workflow/projection/rows.h"

namespace docket::query {

namespace {

absl::Status CheckNames(const Reader& reader, const v1::CaseFilter& filter) {
  FilterNames names(reader);
  for (int i = 0; i < filter.statuses_size(); ++i) {
    names.Add(policy::NameKind::kStatus, absl::StrCat("filter.statuses[", i, "]"), filter.statuses(i));
  }
  names.Add(policy::NameKind::kDepartment, "filter.department", filter.department());
  names.Add(policy::NameKind::kQueue, "filter.queue", filter.queue());
  names.AddOwner("filter.owner", filter.owner());
  names.AddTiers("filter.tiers", filter.tiers());
  return names.Check();
}

// The filter asks for the status that is shown: at `at`, a wait may be over.
absl::StatusOr<bool> Shows(const Reader& reader, const v1::ListCasesRequest& request, const ListedCase& one,
                           absl::Time at) {
  if (!MaySee(reader.viewer, {.facts = &one.facts})) return false;
  if (!one.shown.has_wait() || WaitsAt(one, at)) return Matches(reader, request.filter(), one.facts);
  DOCKET_ASSIGN_OR_RETURN(const v1::CaseSummary shown, Summarise(reader, one, at));
  v1::RowFacts facts = one.facts;
  facts.set_status(shown.status());
  facts.set_category(shown.category());
  return Matches(reader, request.filter(), facts);
}

// Items of the list, with their titles.
class CasePage {
 public:
  CasePage(const Reader& reader, absl::Time at, v1::ListCasesReply* reply) : reader_(reader), at_(at), reply_(reply) {}
  absl::Status Add(const ListedCase& one) {
    DOCKET_ASSIGN_OR_RETURN(*reply_->add_cases(), Summarise(reader_, one, at_));
    titles_.Add(one);
    return absl::OkStatus();
  }
  absl::Status Finish() {
    return titles_.Reveal(reader_, [&](int i) { return reply_->mutable_cases(i); });
  }

 private:
  const Reader& reader_;
  const absl::Time at_;
  v1::ListCasesReply* reply_;
  PageTitles titles_;
};

// Returns the key to continue behind, "" at the end of the list.
absl::StatusOr<std::string> FromIndex(const Reader& reader, const v1::ListCasesRequest& request, const Cursor& cursor,
                                      v1::ListCasesReply* reply) {
  CasePage page(reader, cursor.valid_at, reply);
  CasePeriods periods(reader);
  const auto take = [&](const projection::CaseRow& row) -> absl::StatusOr<bool> {
    DOCKET_ASSIGN_OR_RETURN(const std::optional<ListedCase> one, FindListed(periods, row, cursor.valid_at));
    if (!one.has_value()) return false;
    DOCKET_ASSIGN_OR_RETURN(const bool shows, Shows(reader, request, *one, cursor.valid_at));
    if (!shows) return false;
    DOCKET_RETURN_IF_ERROR(page.Add(*one));
    return true;
  };
  ScanBudget budget(*reader.clock);
  DOCKET_ASSIGN_OR_RETURN(std::string key,
                          ScanPage<projection::CaseRow>(reader, WholeView<projection::CaseRow>(), cursor,
                                                        PageSize(request.page_size()), budget, take));
  DOCKET_RETURN_IF_ERROR(page.Finish());
  return key;
}

// Returns the case that the next page begins with, "" at the end of the list.
absl::StatusOr<std::string> ByReplay(const Reader& reader, const v1::ListCasesRequest& request, const Cursor& cursor,
                                     v1::ListCasesReply* reply) {
  FirstPlaces<v1::Case, std::string> first(cursor.key, PageSize(request.page_size()));
  const auto visit = [&](const v1::Case& state, const v1::CaseListing&) -> absl::Status {
    DOCKET_ASSIGN_OR_RETURN(const v1::Case then, workflow::StateAt(state, *reader.view.policies, cursor.valid_at));
    DOCKET_ASSIGN_OR_RETURN(const bool shows, Shows(reader, request, FromState(then), cursor.valid_at));
    if (shows) first.Add(state.case_id(), then);
    return absl::OkStatus();
  };
  DOCKET_RETURN_IF_ERROR(ReplayCases(reader, {cursor.valid_at, cursor.known_at}, visit));
  CasePage page(reader, cursor.valid_at, reply);
  DOCKET_ASSIGN_OR_RETURN(
      const std::optional<std::string> next, first.Visit([&](const v1::Case& state) -> absl::Status {
        DOCKET_ASSIGN_OR_RETURN(const v1::Case then, workflow::StateAt(state, *reader.view.policies, cursor.valid_at));
        return page.Add(FromState(then));
      }));
  DOCKET_RETURN_IF_ERROR(page.Finish());
  return next.value_or("");
}

}  // namespace

absl::StatusOr<v1::ListCasesReply> ListCases(const Reader& reader, const v1::ListCasesRequest& request) {
  DOCKET_RETURN_IF_ERROR(CheckPosition(reader, request.min_position()));
  const std::string digest = QueryDigest(request, reader.viewer);
  DOCKET_ASSIGN_OR_RETURN(Cursor cursor, OpenCursor(request.page_token(), digest, FirstCursor(reader, request)));
  v1::ListCasesReply reply;
  DOCKET_ASSIGN_OR_RETURN(cursor.key, cursor.by_replay ? ByReplay(reader, request, cursor, &reply)
                                                       : FromIndex(reader, request, cursor, &reply));
  // Of several statuses one may match and another be misspelt.
  if (reply.cases().empty() || request.filter().statuses_size() > 1) {
    DOCKET_RETURN_IF_ERROR(CheckNames(reader, request.filter()));
  }
  if (!cursor.key.empty()) reply.set_next_page_token(EncodePageToken(digest, cursor));
  DOCKET_ASSIGN_OR_RETURN(const uint64_t position, AnsweredPosition(reader, cursor));
  reply.set_position(position);
  *reply.mutable_valid_at() = ToProto(cursor.valid_at);
  *reply.mutable_known_at() = ToProto(cursor.by_replay ? cursor.known_at : reader.now);
  reply.set_by_replay(cursor.by_replay);
  return reply;
}

}  // namespace docket::query
