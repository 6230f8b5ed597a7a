#include "absl/strings/str_cat.h"
#include "services/query/filter_names.h"
#include "services/query/list_page.h"
#include "services/query/listed_case.h"
#include "services/query/lists.h"
#include "services/query/summary.h"
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
  return names.Check();
}

}  // namespace

absl::StatusOr<v1::ListCasesReply> ListCases(const Reader& reader, const v1::ListCasesRequest& request) {
  DOCKET_RETURN_IF_ERROR(CheckPosition(reader, request.min_position()));
  const std::string digest = QueryDigest(request, reader.viewer);
  DOCKET_ASSIGN_OR_RETURN(Cursor cursor,
                          OpenCursor(request.page_token(), digest, {.valid_at = reader.now, .known_at = reader.now}));
  v1::ListCasesReply reply;
  ScanBudget budget(*reader.clock);
  DOCKET_ASSIGN_OR_RETURN(
      cursor.key, ScanPage<projection::CaseRow>(
                      reader, WholeView<projection::CaseRow>(), cursor, PageSize(request.page_size()), budget,
                      [&](const projection::CaseRow& row) -> absl::StatusOr<bool> {
                        const v1::RowFacts& facts = row.value.facts();
                        if (!MaySee(reader.viewer, {.facts = &facts}) || !Matches(reader, request.filter(), facts))
                          return false;
                        DOCKET_ASSIGN_OR_RETURN(*reply.add_cases(), Summarise(reader, FromRow(row), cursor.valid_at));
                        return true;
                      }));
  // Of several statuses one may match and another be misspelt.
  if (reply.cases().empty() || request.filter().statuses_size() > 1) {
    DOCKET_RETURN_IF_ERROR(CheckNames(reader, request.filter()));
  }
  if (!cursor.key.empty()) reply.set_next_page_token(EncodePageToken(digest, cursor));
  reply.set_position(reader.view.position);
  return reply;
}

}  // namespace docket::query
