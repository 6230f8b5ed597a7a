#include <utility>

#include "services/query/filter_names.h"
#include "services/query/list_page.h"
#include "services/query/listed_case.h"
#include "services/query/lists.h"
#include "services/query/summary.h"
#include "workflow/base/time.h"
#include "workflow/projection/rows.h"

namespace docket::query {
namespace {

const char* BandName(uint8_t band) {
  switch (band) {
    case 0:
      return "SAFETY";
    case 1:
      return "REGULATORY";
    default:
      return "OTHER";
  }
}

KeyRange RangeOf(const std::string& queue) {
  store::KeyWriter prefix;
  prefix.U16(projection::QueueRow::kKeyspace).Text(queue);
  return {prefix.str(), store::PrefixEnd(prefix.str())};
}

}  // namespace

absl::StatusOr<v1::ListQueueReply> ListQueue(const Reader& reader, const v1::ListQueueRequest& request) {
  DOCKET_RETURN_IF_ERROR(CheckPosition(reader, request.min_position()));
  const std::string digest = QueryDigest(request, reader.viewer);
  DOCKET_ASSIGN_OR_RETURN(Cursor cursor,
                          OpenCursor(request.page_token(), digest, {.valid_at = reader.now, .known_at = reader.now}));
  v1::ListQueueReply reply;
  ScanBudget budget(*reader.clock);
  DOCKET_ASSIGN_OR_RETURN(cursor.key,
                          ScanPage<projection::QueueRow>(
                              reader, RangeOf(request.queue()), cursor, PageSize(request.page_size()), budget,
                              [&](const projection::QueueRow& row) -> absl::StatusOr<bool> {
                                if (row.value.stands_from_us() > absl::ToUnixMicros(cursor.valid_at))
                                  return false;  // still waiting
                                const v1::RowFacts& facts = row.value.facts();
                                if (!MaySee(reader.viewer, {.facts = &facts})) return false;
                                if (request.unowned_only() && !facts.owner().empty()) return false;
                                if (!EmptyOrHas(request.tiers(), facts.tier())) return false;
                                DOCKET_ASSIGN_OR_RETURN(const ListedCase one,
                                                        MustFindListed(reader, row.case_id, absl::InfiniteFuture()));
                                v1::ListQueueReply::Item item;
                                DOCKET_ASSIGN_OR_RETURN(*item.mutable_case_(), Summarise(reader, one, cursor.valid_at));
                                item.set_band(BandName(row.band));
                                item.set_escalation_level(255 - row.inverse_level);
                                if (row.effective_due_us != projection::kNever) {
                                  *item.mutable_effective_due() = ToProto(absl::FromUnixMicros(row.effective_due_us));
                                }
                                item.set_tier(row.value.tier());
                                *item.mutable_required_skills() = row.value.skills();
                                *reply.add_items() = std::move(item);
                                return true;
                              }));
  if (reply.items().empty()) {
    FilterNames names(reader);
    names.Add(policy::NameKind::kQueue, "queue", request.queue());
    DOCKET_RETURN_IF_ERROR(names.Check());
  }
  if (!cursor.key.empty()) reply.set_next_page_token(EncodePageToken(digest, cursor));
  reply.set_position(reader.view.position);
  *reply.mutable_valid_at() = ToProto(reader.now);
  *reply.mutable_known_at() = ToProto(reader.now);
  return reply;
}

}  // namespace docket::query
