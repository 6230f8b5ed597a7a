#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "services/query/fact_filter.h"
#include "services/query/list_page.h"
#include "services/query/list_replay.h"
#include "services/query/list_scan.h"
#include "services/query/listed_case.h"
#include "services/query/lists.h"
#include "services/query/queue_scan.h"
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

bool Matches(const Reader& reader, const v1::ListQueueRequest& request, const v1::RowFacts& facts) {
  return FactsMatch(reader, request, facts) && (!request.unowned_only() || facts.owner().empty()) &&
         DepartmentMatches(reader, request.department(), facts.department());
}

// Its wait may be over by then.
bool Stands(const QueueRow& row, absl::Time at) { return row.value.stands_from_us() <= absl::ToUnixMicros(at); }

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
    item.set_tier(one.facts.tier());
    *item.mutable_required_skills() = row.value.skills();
  }
  return titles.Reveal(reader, reply->mutable_items());
}

// One page of an index.
class IndexPage {
 public:
  IndexPage(const Reader& reader, const v1::ListQueueRequest& request, absl::Time at)
      : reader_(reader), request_(request), at_(at), of_now_(NothingSince(reader, at)) {}

  absl::Status Take(QueueRow row) {
    if (!Stands(row, at_)) return absl::OkStatus();
    if (of_now_) {
      if (Matches(reader_, request_, row.value.facts())) rows_.push_back(std::move(row));
      return absl::OkStatus();
    }
    // The row tells the place; the facts are those of then.
    DOCKET_ASSIGN_OR_RETURN(ListedCase one, MustFindListed(reader_, row.case_id, at_));
    if (!Matches(reader_, request_, one.facts)) return absl::OkStatus();
    rows_.push_back(std::move(row));
    cases_.push_back(std::move(one));
    return absl::OkStatus();
  }
  size_t size() const { return rows_.size(); }

  absl::StatusOr<std::vector<Queued>> Finish() {
    if (of_now_) {
      std::vector<std::string> ids;
      for (const QueueRow& row : rows_) ids.push_back(row.case_id);
      DOCKET_ASSIGN_OR_RETURN(cases_, MustFindAllListed(reader_, ids, absl::InfiniteFuture()));
    }
    std::vector<Queued> page;
    for (size_t i = 0; i < rows_.size(); ++i) page.push_back({std::move(rows_[i]), std::move(cases_[i])});
    return page;
  }

 private:
  const Reader& reader_;
  const v1::ListQueueRequest& request_;
  const absl::Time at_;
  const bool of_now_;
  std::vector<QueueRow> rows_;
  std::vector<ListedCase> cases_;
};

// Returns the key to continue behind, "" at the end of the queue.
absl::StatusOr<std::string> FromIndex(const Reader& reader, const v1::ListQueueRequest& request, const Cursor& cursor,
                                      v1::ListQueueReply* reply) {
  IndexPage page(reader, request, cursor.valid_at);
  ScanBudget budget(*reader.clock);
  QueueScan scan(reader, request.queue(), cursor.valid_at, cursor.key);
  std::string next;
  for (std::string last; scan.Valid(); scan.Next()) {
    if (page.size() == PageSize(request.page_size()) || !budget.Spend()) {
      next = last;
      break;
    }
    last = scan.key();
    if (scan.row().has_value()) DOCKET_RETURN_IF_ERROR(page.Take(*scan.row()));
  }
  DOCKET_RETURN_IF_ERROR(scan.status());
  DOCKET_ASSIGN_OR_RETURN(const std::vector<Queued> queued, page.Finish());
  DOCKET_RETURN_IF_ERROR(AddItems(reader, queued, cursor.valid_at, reply));
  return next;
}

// Returns the key that the next page begins at, "" at the end of the queue.
absl::StatusOr<std::string> ByReplay(const Reader& reader, const v1::ListQueueRequest& request, const Cursor& cursor,
                                     v1::ListQueueReply* reply) {
  using Found = std::pair<QueueRow, v1::Case>;
  FirstPlaces<Found, std::string> first(cursor.key, PageSize(request.page_size()));
  const auto visit = [&](const v1::Case& state, const v1::CaseListing&) {
    std::optional<QueueRow> row = projection::RowsOf(state).queue;
    if (!row.has_value() || row->queue != request.queue() || !Stands(*row, cursor.valid_at) ||
        !Matches(reader, request, row->value.facts())) {
      return absl::OkStatus();
    }
    std::string key = store::RowKey(*row);
    first.Add(std::move(key), {*std::move(row), state});
    return absl::OkStatus();
  };
  DOCKET_RETURN_IF_ERROR(ReplayCases(reader, {cursor.valid_at, cursor.known_at}, visit));
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

// A queue of now is read on as it is by then, and says so; asked for as of an instant, it is that of the instant on
// every page, and as known at an instant, what was known then.
absl::StatusOr<Cursor> CursorOf(const Reader& reader, const v1::ListQueueRequest& request, const std::string& digest) {
  DOCKET_ASSIGN_OR_RETURN(Cursor cursor, OpenCursor(request.page_token(), digest, FirstCursor(reader, request)));
  if (!request.has_valid_at() && !request.has_known_at()) cursor.valid_at = cursor.known_at = reader.now;
  const bool was_replayed = cursor.by_replay;
  cursor.by_replay = request.has_known_at() && !NothingSince(reader, cursor.known_at);
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
  if (reply.items().empty()) DOCKET_RETURN_IF_ERROR(NamesOfFacts(reader, request).Check());
  if (!cursor.key.empty()) reply.set_next_page_token(EncodePageToken(digest, cursor));
  DOCKET_RETURN_IF_ERROR(SayWhen(reader, cursor, &reply));
  return reply;
}

}  // namespace docket::query
