#include "services/query/case_query.h"
#include "services/query/list_page.h"
#include "services/query/lists.h"
#include "services/query/summary.h"
#include "workflow/projection/rows.h"

namespace docket::query {

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
                        DOCKET_ASSIGN_OR_RETURN(const v1::Case state, LoadCase(reader, row.case_id));
                        DOCKET_ASSIGN_OR_RETURN(*reply.add_cases(), Summarise(reader, state));
                        return true;
                      }));
  if (!cursor.key.empty()) reply.set_next_page_token(EncodePageToken(digest, cursor));
  reply.set_position(reader.view.position);
  return reply;
}

}  // namespace docket::query
