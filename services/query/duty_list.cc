#include <optional>
#include <utility>

#include "services/query/approvals.h"
#include "services/query/duty_filter.h"
#include "services/query/duty_page.h"
#include "services/query/fact_filter.h"
#include "services/query/list_page.h"
#include "services/query/list_replay.h"
#include "services/query/lists.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"

namespace docket::query {
namespace {

absl::Status FromIndex(const DutyQuestion& question, v1::ListDutiesReply* reply, std::optional<Place>* next) {
  if (question.request.preset() == v1::APPROVALS) return ApprovalsFromIndex(question, reply, next);
  DutyPage page(question);
  switch (question.request.preset()) {
    case v1::MINE:
      DOCKET_RETURN_IF_ERROR(DutiesOfOwner(question, &page));
      break;
    case v1::WAITING_DUTIES:
      DOCKET_RETURN_IF_ERROR(DutiesByWait(question, &page));
      break;
    default:
      DOCKET_RETURN_IF_ERROR(DutiesByDue(question, &page));
      break;
  }
  *next = page.next();
  return page.Finish(reply);
}

absl::Status ByReplay(const DutyQuestion& question, absl::Time known_at, v1::ListDutiesReply* reply,
                      std::optional<Place>* next) {
  if (question.request.preset() == v1::APPROVALS) return ApprovalsByReplay(question, known_at, reply, next);
  return DutiesByReplay(question, known_at, reply, next);
}

absl::Status CheckNames(const Reader& reader, const v1::ListDutiesRequest& request) {
  FilterNames names = NamesOfFacts(reader, request);
  names.Add(policy::NameKind::kMetric, "metric", request.metric());
  if (request.preset() == v1::MINE && request.owner().empty()) names.AddOwner("owner", reader.viewer.principal_id);
  return names.Check();
}

}  // namespace

absl::StatusOr<v1::ListDutiesReply> ListDuties(const Reader& reader, const v1::ListDutiesRequest& request) {
  DOCKET_RETURN_IF_ERROR(CheckPosition(reader, request.min_position()));
  if (request.preset() == v1::MINE && request.owner().empty() && reader.viewer.principal_id == kAnonymous) {
    return RefuseFields("PRINCIPAL_MISSING",
                        {{"owner", "missing, and the caller gave no name; want one or the other"}});
  }
  const std::string digest = QueryDigest(request, reader.viewer);
  // A later page keeps the mode of the first: what happened meanwhile does not turn an indexed list into a replay.
  DOCKET_ASSIGN_OR_RETURN(Cursor cursor, OpenCursor(request.page_token(), digest, FirstCursor(reader, request)));
  Deputyship deputyship;
  if (request.preset() == v1::MINE) {
    DOCKET_ASSIGN_OR_RETURN(deputyship, Deputyship::Of(reader, DutyFilter::OwnerAskedAbout(reader, request), cursor));
  }
  const DutyFilter filter(reader, request, cursor.valid_at, std::move(deputyship));
  DutyQuestion question{.reader = reader, .request = request, .filter = filter, .at = cursor.valid_at, .start = {}};
  if (!cursor.key.empty()) {
    DOCKET_ASSIGN_OR_RETURN(question.start, DecodePlace(cursor.key));
    question.first_page = false;
  }
  v1::ListDutiesReply reply;
  std::optional<Place> next;
  DOCKET_RETURN_IF_ERROR(cursor.by_replay ? ByReplay(question, cursor.known_at, &reply, &next)
                                          : FromIndex(question, &reply, &next));
  if (next.has_value()) {
    cursor.key = EncodePlace(*next);
    reply.set_next_page_token(EncodePageToken(digest, cursor));
  }
  if (reply.items().empty()) DOCKET_RETURN_IF_ERROR(CheckNames(reader, request));
  DOCKET_RETURN_IF_ERROR(SayWhen(reader, cursor, &reply));
  reply.set_clock_suspect(reader.clock_suspect);
  return reply;
}

}  // namespace docket::query
