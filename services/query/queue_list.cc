#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "services/query/case_fold.h"
#include "services/query/filter_names.h"
#include "services/query/list_page.h"
#include "services/query/list_replay.h"
#include "services/query/list_scan.h"
#include "services/query/listed_case.h"
#include "services/query/lists.h"
#include "services/query/summary.h"
#include "workflow/base/time.h"
#include "workflow/case/advance.h"
#include "workflow/projection/project.h"
#include "workflow/projection/rows.h"

namespace docket::query {
namespace {

using projection::QueueRow;

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
  prefix.U16(QueueRow::kKeyspace).Text(queue);
  return {prefix.str(), store::PrefixEnd(prefix.str())};
}

bool Matches(const Reader& reader, const v1::ListQueueRequest& request, const QueueRow& row, absl::Time at) {
  if (row.value.stands_from_us() > absl::ToUnixMicros(at)) return false;  // still waiting
  const v1::RowFacts& facts = row.value.facts();
  return MaySee(reader.viewer, {.facts = &facts}) && (!request.unowned_only() || facts.owner().empty()) &&
         EmptyOrHas(request.tiers(), facts.tier());
}

// A case that stands in the queue, with where.
struct Queued {
  QueueRow row;
  ListedCase one;
};

absl::Status AddItems(const Reader& reader, const std::vector<Queued>& page, absl::Time at, v1::ListQueueReply* reply) {
  PageTitles titles;
  for (const auto& [row, one] : page) {
    v1::ListQueueReply::Item& item = *reply->add_items();
    DOCKET_ASSIGN_OR_RETURN(*item.mutable_case_(), Summarise(reader, one, at));
    titles.Add(one);
    item.set_band(BandName(row.band));
    item.set_escalation_level(255 - row.inverse_level);
    if (row.effective_due_us != projection::kNever) {
      *item.mutable_effective_due() = ToProto(absl::FromUnixMicros(row.effective_due_us));
    }
    item.set_tier(row.value.tier());
    *item.mutable_required_skills() = row.value.skills();
  }
  return titles.Reveal(reader, reply->mutable_items());
}

// Returns the key to continue behind, "" at the end of the queue.
absl::StatusOr<std::string> FromIndex(const Reader& reader, const v1::ListQueueRequest& request, const Cursor& cursor,
                                      v1::ListQueueReply* reply) {
  std::vector<QueueRow> rows;
  std::vector<std::string> ids;
  const auto take = [&](const QueueRow& row) -> absl::StatusOr<bool> {
    if (!Matches(reader, request, row, cursor.valid_at)) return false;
    rows.push_back(row);
    ids.push_back(row.case_id);
    return true;
  };
  ScanBudget budget(*reader.clock);
  DOCKET_ASSIGN_OR_RETURN(std::string key, ScanPage<QueueRow>(reader, RangeOf(request.queue()), cursor,
                                                              PageSize(request.page_size()), budget, take));
  DOCKET_ASSIGN_OR_RETURN(std::vector<ListedCase> cases, MustFindAllListed(reader, ids, absl::InfiniteFuture()));
  std::vector<Queued> page;
  for (size_t i = 0; i < rows.size(); ++i) page.push_back({std::move(rows[i]), std::move(cases[i])});
  DOCKET_RETURN_IF_ERROR(AddItems(reader, page, cursor.valid_at, reply));
  return key;
}

// Visits the cases that stood in `queue` at `at`, by all that is known now: rows of the past tell which, their events
// where.
absl::Status VisitQueue(const Reader& reader, const std::string& queue, absl::Time at,
                        absl::FunctionRef<absl::Status(const v1::Case&)> visit) {
  CasePeriods periods(reader);
  store::RowScan<projection::CaseRow> scan(*reader.view.snapshot, reader.view.views);
  for (; scan.Valid(); scan.Next()) {
    if (reader.abandoned && reader.abandoned()) return absl::CancelledError("the caller has gone");
    DOCKET_ASSIGN_OR_RETURN(projection::CaseRow row, scan.Get());
    DOCKET_ASSIGN_OR_RETURN(const std::optional<ListedCase> one, FindListed(periods, std::move(row), at));
    if (!one.has_value() || one->facts.queue() != queue) continue;
    DOCKET_ASSIGN_OR_RETURN(const std::optional<v1::Case> then, FoldCase(reader, one->case_id, {.valid_at = at}));
    if (then.has_value()) DOCKET_RETURN_IF_ERROR(visit(*then));
  }
  return scan.status();
}

absl::Status Replay(const Reader& reader, const v1::ListQueueRequest& request, const Cursor& cursor,
                    absl::FunctionRef<absl::Status(const v1::Case&)> visit) {
  if (!NothingSince(reader, cursor.known_at)) {
    return ReplayCases(reader, {cursor.valid_at, cursor.known_at},
                       [&](const v1::Case& state, const v1::CaseListing&) { return visit(state); });
  }
  DOCKET_RETURN_IF_ERROR(EnterReplay(reader));
  const absl::Status status = VisitQueue(reader, request.queue(), cursor.valid_at, visit);
  LeaveReplay(reader);
  return status;
}

// Returns the key that the next page begins at, "" at the end of the queue.
absl::StatusOr<std::string> ByReplay(const Reader& reader, const v1::ListQueueRequest& request, const Cursor& cursor,
                                     v1::ListQueueReply* reply) {
  using Found = std::pair<QueueRow, v1::Case>;
  FirstPlaces<Found, std::string> first(cursor.key, PageSize(request.page_size()));
  const auto visit = [&](const v1::Case& state) {
    std::optional<QueueRow> row = projection::RowsOf(state).queue;
    if (!row.has_value() || row->queue != request.queue() || !Matches(reader, request, *row, cursor.valid_at)) {
      return absl::OkStatus();
    }
    std::string key = store::RowKey(*row);
    first.Add(std::move(key), {*std::move(row), state});
    return absl::OkStatus();
  };
  DOCKET_RETURN_IF_ERROR(Replay(reader, request, cursor, visit));
  std::vector<Queued> page;
  DOCKET_ASSIGN_OR_RETURN(const std::optional<std::string> next, first.Visit([&](const Found& found) -> absl::Status {
    DOCKET_ASSIGN_OR_RETURN(const v1::Case then,
                            workflow::StateAt(found.second, *reader.view.policies, cursor.valid_at));
    page.push_back({found.first, FromState(then)});
    return absl::OkStatus();
  }));
  DOCKET_RETURN_IF_ERROR(AddItems(reader, page, cursor.valid_at, reply));
  return next.value_or("");
}

// Rows tell the order of now only. A queue of now is read on as it is by then, and says so; asked for as of an instant,
// it is that of the instant on every page.
absl::StatusOr<Cursor> CursorOf(const Reader& reader, const v1::ListQueueRequest& request, const std::string& digest) {
  DOCKET_ASSIGN_OR_RETURN(Cursor cursor, OpenCursor(request.page_token(), digest, FirstCursor(reader, request)));
  if (!request.has_valid_at() && !request.has_known_at()) cursor.valid_at = cursor.known_at = reader.now;
  const bool was_replayed = cursor.by_replay;
  cursor.by_replay = !NothingSince(reader, cursor.known_at) || !NothingSince(reader, cursor.valid_at);
  // An index goes on behind its key, a replay begins at it.
  if (cursor.by_replay && !was_replayed && !cursor.key.empty()) cursor.key += '\0';
  return cursor;
}

}  // namespace

absl::StatusOr<v1::ListQueueReply> ListQueue(const Reader& reader, const v1::ListQueueRequest& request) {
  DOCKET_RETURN_IF_ERROR(CheckPosition(reader, request.min_position()));
  const std::string digest = QueryDigest(request, reader.viewer);
  DOCKET_ASSIGN_OR_RETURN(Cursor cursor, CursorOf(reader, request, digest));
  v1::ListQueueReply reply;
  DOCKET_ASSIGN_OR_RETURN(cursor.key, cursor.by_replay ? ByReplay(reader, request, cursor, &reply)
                                                       : FromIndex(reader, request, cursor, &reply));
  if (reply.items().empty()) {
    FilterNames names(reader);
    names.Add(policy::NameKind::kQueue, "queue", request.queue());
    DOCKET_RETURN_IF_ERROR(names.Check());
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
