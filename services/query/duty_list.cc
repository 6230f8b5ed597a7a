#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "services/query/case_query.h"
#include "services/query/duty_filter.h"
#include "services/query/duty_replay.h"
#include "services/query/filter_names.h"
#include "services/query/list_page.h"
#include "services/query/lists.h"
#include "services/query/summary.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/advance.h"
#include "workflow/projection/project.h"

namespace docket::query {
namespace {

bool Earlier(const projection::DutyRow& a, const projection::DutyRow& b) {
  return std::tie(a.late_from_us, a.clock_no) < std::tie(b.late_from_us, b.clock_no);
}

// Whether `row` is the earliest matching duty of its case: then it stands for the case, on whatever page it falls.
bool StandsForCase(const DutyFilter& filter, const projection::DutyRow& row, const v1::Case& state) {
  const projection::Rows rows = projection::RowsOf(state);
  for (const projection::DutyRow& other : rows.duties) {
    if (Earlier(other, row) && filter.Matches(other)) return false;
  }
  return true;
}

// Nothing has been recorded since `valid_at`, so the index of now is that of then.
bool IndexIsTrueAt(const Reader& reader, absl::Time valid_at, absl::Time known_at) {
  const absl::Time newest = absl::FromUnixMicros(reader.log->Head().recorded_at_us);
  return valid_at >= std::min(newest, reader.now) && known_at >= std::min(newest, reader.now);
}

// Behind a full page the header is counted up to here and is a lower bound beyond: counting on would make the first
// page of a million late duties cost several times that of a thousand.
constexpr uint32_t kCountedRows = 2000;

// Parses the row under `scan` into the memory of the one before.
absl::Status ReadRow(const store::KvIterator& scan, projection::DutyRow* row) {
  store::KeyReader key(scan.key());
  uint16_t keyspace = 0;
  if (!key.U16(&keyspace) || keyspace != projection::DutyRow::kKeyspace || !row->ReadKey(key) || !key.AtEnd() ||
      !row->SetValue(scan.value())) {
    return absl::DataLossError("a duty row does not parse");
  }
  return absl::OkStatus();
}

// One pass: fills the page, then goes on counting for the header as far as the budget allows.
absl::Status FromIndex(const Reader& reader, const v1::ListDutiesRequest& request, const std::string& digest,
                       Cursor cursor, v1::ListDutiesReply* reply) {
  const DutyFilter filter(reader, request, cursor.valid_at);
  const KeyRange range = filter.Range();
  const std::string start = StartKey(range, cursor);
  const bool with_header = cursor.key.empty();
  const uint32_t page_size = PageSize(request.page_size());
  ScanBudget budget(*reader.clock);
  DutyCount count;
  absl::flat_hash_set<size_t> cases;  // hashes: what is counted is not worth a copy of every id
  bool page_open = true;
  bool complete = true;
  if (start < range.upper) {
    projection::DutyRow row;  // one for all, because most of the cost of a row is its memory
    const auto scan = reader.view.snapshot->Scan(reader.view.views, start, range.upper);
    for (; scan->Valid(); scan->Next()) {
      if (reply->items_size() == page_size) page_open = false;
      const bool counting = with_header && (page_open || budget.rows() < kCountedRows);
      if (!budget.Spend() || (!page_open && !counting)) {
        complete = page_open = false;
        break;
      }
      DOCKET_RETURN_IF_ERROR(ReadRow(*scan, &row));
      if (page_open) cursor.key.assign(scan->key().data(), scan->key().size());
      if (!filter.Matches(row)) continue;
      if (with_header) count.Add(filter, row, cases.insert(absl::HashOf(row.case_id)).second);
      if (!page_open) continue;
      DOCKET_ASSIGN_OR_RETURN(v1::Case state, LoadCase(reader, row.case_id));
      if (request.by_case() && !StandsForCase(filter, row, state)) continue;
      DOCKET_ASSIGN_OR_RETURN(const v1::Case then,
                              workflow::StateAt(std::move(state), *reader.view.policies, cursor.valid_at));
      v1::ListDutiesReply::Item item = DutyItem(filter, row, then, cursor.valid_at);
      DOCKET_ASSIGN_OR_RETURN(*item.mutable_case_(), Summarise(reader, then));
      *reply->add_items() = std::move(item);
    }
    DOCKET_RETURN_IF_ERROR(scan->status());
  }
  if (with_header) *reply->mutable_header() = count.Header(complete);
  if (!page_open) reply->set_next_page_token(EncodePageToken(digest, cursor));
  return absl::OkStatus();
}

absl::Status CheckNames(const Reader& reader, const v1::ListDutiesRequest& request) {
  FilterNames names(reader);
  names.Add(policy::NameKind::kDepartment, "department", request.department());
  names.Add(policy::NameKind::kQueue, "queue", request.queue());
  names.Add(policy::NameKind::kMetric, "metric", request.metric());
  names.AddOwner("owner", request.owner());
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
  Cursor first;
  first.valid_at = request.has_valid_at() ? FromProto(request.valid_at()) : reader.now;
  first.known_at = request.has_known_at() ? std::min(FromProto(request.known_at()), reader.now) : reader.now;
  first.by_replay = !IndexIsTrueAt(reader, first.valid_at, first.known_at);
  // A later page keeps the mode of the first: what happened meanwhile does not turn a live list into a replay.
  DOCKET_ASSIGN_OR_RETURN(const Cursor cursor, OpenCursor(request.page_token(), digest, first));
  v1::ListDutiesReply reply;
  if (cursor.by_replay) {
    DOCKET_RETURN_IF_ERROR(DutiesByReplay(reader, request, digest, cursor, &reply));
  } else {
    DOCKET_RETURN_IF_ERROR(FromIndex(reader, request, digest, cursor, &reply));
  }
  if (reply.items().empty()) DOCKET_RETURN_IF_ERROR(CheckNames(reader, request));
  *reply.mutable_valid_at() = ToProto(cursor.valid_at);
  *reply.mutable_known_at() = ToProto(cursor.by_replay ? cursor.known_at : reader.now);
  reply.set_position(reader.view.position);
  reply.set_by_replay(cursor.by_replay);
  reply.set_clock_suspect(reader.clock_suspect);
  return reply;
}

}  // namespace docket::query
