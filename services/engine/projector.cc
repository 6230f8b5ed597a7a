#include "services/engine/projector.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "openssl/evp.h"
#include "store/requests.h"
#include "store/view_table.h"
#include "workflow/base/check.h"
#include "workflow/case/replay.h"
#include "workflow/projection/rows.h"

namespace docket::engine {
namespace {

using store::Family;
using store::KvBatch;
using Encoded = std::map<std::string, std::string>;

template <class Row>
void Add(const Row& row, Encoded* out) {
  (*out)[store::RowKey(row)] = row.Value();
}

template <class Row>
void Add(const std::optional<Row>& row, Encoded* out) {
  if (row.has_value()) Add(*row, out);
}

template <class Row>
void Add(const std::vector<Row>& rows, Encoded* out) {
  for (const Row& row : rows) Add(row, out);
}

// Encoded rows of one view before and after; returns rows touched.
size_t Difference(const Encoded& before, const Encoded& after, Family views, KvBatch* batch) {
  size_t deleted = 0;
  size_t put = 0;
  for (const auto& [key, value] : before) {
    if (after.find(key) != after.end()) continue;
    batch->Delete(views, key);
    ++deleted;
  }
  size_t changed = 0;
  for (const auto& [key, value] : after) {
    const auto old = before.find(key);
    if (old != before.end() && old->second == value) continue;
    batch->Put(views, key, value);
    old == before.end() ? ++put : ++changed;
  }
  return std::max(deleted, put) + changed;
}

template <class Rows>
size_t DifferenceOf(const Rows& before, const Rows& after, Family views, KvBatch* batch) {
  Encoded old_rows;
  Encoded new_rows;
  Add(before, &old_rows);
  Add(after, &new_rows);
  return Difference(old_rows, new_rows, views, batch);
}

projection::CaseRow HeadRow(const v1::Case& state, const v1::CaseListing& listing, const CaseHead& head) {
  projection::CaseRow row = projection::CaseRowOf(state, listing);
  row.value.set_last_commit(head.last_commit);
  row.value.set_last_leaf(head.last_leaf);
  return row;
}

size_t RowsDifference(const projection::Rows& before, const projection::Rows& after, Family views, KvBatch* batch) {
  return DifferenceOf(before.number, after.number, views, batch) +
         DifferenceOf(before.external, after.external, views, batch) +
         DifferenceOf(before.duties, after.duties, views, batch) +
         DifferenceOf(before.queue, after.queue, views, batch) + DifferenceOf(before.wake, after.wake, views, batch) +
         DifferenceOf(before.escalations, after.escalations, views, batch) +
         DifferenceOf(before.entries, after.entries, views, batch);
}

PastChange Encode(const projection::PastRows& rows) {
  PastChange out;
  for (const projection::CasePeriodRow& row : rows.periods) out.rows[store::RowKey(row)] = row.Value();
  for (const projection::PastEntryRow& row : rows.entries) out.rows[store::RowKey(row)] = row.Value();
  for (const projection::PastQueueRow& row : rows.queues) out.rows[store::RowKey(row)] = row.Value();
  return out;
}

// Of a commit that goes back.
absl::StatusOr<PastChange> MakePastAnew(const std::string& case_id, EarlierEvents earlier, uint64_t commit,
                                        const std::vector<v1::Event>& events, v1::CaseListing* listing) {
  DOCKET_ASSIGN_OR_RETURN(std::vector<projection::PastEvent> all, earlier());
  DOCKET_ASSIGN_OR_RETURN(const projection::Past old, projection::PastOf(case_id, all));
  for (const v1::Event& event : events) all.push_back({commit, event});
  DOCKET_ASSIGN_OR_RETURN(projection::Past anew, projection::PastOf(case_id, all));
  *listing = std::move(anew.listing);
  PastChange change = Encode(anew.rows);
  change.anew = true;
  for (const auto& [key, value] : Encode(old.rows).rows) {
    const auto [found, gone] = change.rows.try_emplace(key, std::nullopt);
    if (!gone && found->second == value) change.rows.erase(found);
  }
  return change;
}

struct View {
  const char* name;
  uint16_t keyspace;
  uint32_t version;
};
template <class Row>
constexpr View ViewOf(const char* name) {
  return {name, Row::kKeyspace, Row::kVersion};
}
constexpr View kViews[] = {
    ViewOf<projection::CaseRow>("case"),
    ViewOf<projection::CaseNumberRow>("case_number"),
    ViewOf<projection::ExternalRow>("external"),
    ViewOf<projection::DutyRow>("duty"),
    ViewOf<projection::QueueRow>("queue"),
    ViewOf<projection::WakeRow>("wake"),
    ViewOf<projection::EscalationRow>("escalation"),
    ViewOf<store::RequestRow>("request"),
    ViewOf<projection::ConfigRow>("config"),
    ViewOf<projection::CasePeriodRow>("case_period"),
    ViewOf<projection::EntryRow>("entry"),
    ViewOf<projection::PastEntryRow>("past_entry"),
    ViewOf<projection::PastQueueRow>("past_queue"),
};

class Digester {
 public:
  Digester() : context_(EVP_MD_CTX_new()) { DOCKET_CHECK(EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) == 1); }
  ~Digester() { EVP_MD_CTX_free(context_); }
  Digester(const Digester&) = delete;
  Digester& operator=(const Digester&) = delete;

  // Length before content, so that no two sequences of rows look alike.
  void Add(absl::string_view text) {
    const uint64_t size = text.size();
    DOCKET_CHECK(EVP_DigestUpdate(context_, &size, sizeof size) == 1);
    DOCKET_CHECK(EVP_DigestUpdate(context_, text.data(), text.size()) == 1);
  }
  std::string Finish() {
    std::string digest(32, '\0');
    DOCKET_CHECK(EVP_DigestFinal_ex(context_, reinterpret_cast<unsigned char*>(digest.data()), nullptr) == 1);
    return digest;
  }

 private:
  EVP_MD_CTX* context_;
};

}  // namespace

absl::StatusOr<PastChange> FollowInLists(const v1::Case& before, const v1::Case& after,
                                         const std::vector<v1::Event>& events, uint64_t commit, EarlierEvents earlier,
                                         v1::CaseListing* listing) {
  if (projection::GoesBack(*listing, events)) {
    return MakePastAnew(after.case_id(), earlier, commit, events, listing);
  }
  projection::PastRows closed;
  DOCKET_RETURN_IF_ERROR(projection::FollowCommit(before, after, events, listing, &closed));
  return Encode(closed);
}

absl::StatusOr<PastChange> ApplyInLists(const std::vector<v1::Event>& events, uint64_t commit, EarlierEvents earlier,
                                        v1::Case* state, v1::CaseListing* listing) {
  if (projection::GoesBack(*listing, events)) {
    DOCKET_ASSIGN_OR_RETURN(PastChange change, MakePastAnew(state->case_id(), earlier, commit, events, listing));
    for (const v1::Event& event : events) DOCKET_RETURN_IF_ERROR(workflow::Apply(event, state));
    return change;
  }
  projection::PastRows closed;
  DOCKET_RETURN_IF_ERROR(projection::ApplyAndFollow(events, state, listing, &closed));
  return Encode(closed);
}

size_t ProjectChange(const CaseChange& change, Family views, KvBatch* batch) {
  const projection::CaseRow row = HeadRow(change.after, change.listing_after, change.head);
  batch->Put(views, store::RowKey(row), row.Value());
  for (const auto& [key, value] : change.past.rows) {
    value.has_value() ? batch->Put(views, key, *value) : batch->Delete(views, key);
  }
  const size_t rows = 1 + change.past.rows.size();
  const bool moves = std::any_of(change.events.begin(), change.events.end(),
                                 [](const v1::Event& event) { return projection::MovesRows(event.body_case()); });
  if (!moves && !change.past.anew) return rows;
  const projection::Rows before =
      change.before.revision() == 0
          ? projection::Rows{}
          : projection::RowsOf(change.before, projection::StandingOf(change.before), change.listing_before);
  const projection::Rows after =
      projection::RowsOf(change.after, projection::StandingOf(change.after), change.listing_after);
  return rows + RowsDifference(before, after, views, batch);
}

void KeepState(const v1::Case& state, uint64_t last_commit, Family views, KvBatch* batch) {
  projection::SnapshotRow row;
  row.case_id = state.case_id();
  row.value.set_last_commit(last_commit);
  row.value.set_state(state.SerializeAsString());
  batch->Put(views, store::RowKey(row), row.Value());
}

size_t ProjectCommit(const v1::CommitRecord& record, Family views, KvBatch* batch) {
  size_t rows = 0;
  if (!record.request_id().empty()) {
    store::RequestRow row;
    row.request_id = record.request_id();
    row.commit = record.commit();
    batch->Put(views, store::RowKey(row), row.Value());
    ++rows;
  }
  const bool config = std::any_of(record.slices().begin(), record.slices().end(),
                                  [](const v1::Slice& slice) { return slice.kind() != v1::STREAM_KIND_CASE; });
  if (config) {
    projection::ConfigRow row;
    row.commit = record.commit();
    batch->Put(views, store::RowKey(row), row.Value());
    ++rows;
  }
  return rows;
}

std::vector<std::pair<std::string, std::string>> EncodeAllRows(const v1::Case& state, const v1::CaseListing& listing,
                                                               const CaseHead& head) {
  Encoded out;
  const projection::Rows rows = projection::RowsOf(state, projection::StandingOf(state), listing);
  Add(HeadRow(state, listing, head), &out);
  Add(rows.number, &out);
  Add(rows.external, &out);
  Add(rows.duties, &out);
  Add(rows.queue, &out);
  Add(rows.wake, &out);
  Add(rows.escalations, &out);
  Add(rows.entries, &out);
  return {out.begin(), out.end()};
}

std::string FirstRememberedRequest(absl::Time now) {
  return store::RequestKeyFrom(absl::ToUnixMillis(now - absl::FromChrono(store::kRequestHorizon)));
}

absl::StatusOr<std::vector<v1::ViewDigest>> DigestViews(const store::KvSnapshot& snapshot, Family views,
                                                        absl::Time recorded_at) {
  std::vector<v1::ViewDigest> out;
  for (const View& view : kViews) {
    const std::string prefix = store::KeyspacePrefix(view.keyspace);
    const bool requests = view.keyspace == store::RequestRow::kKeyspace;
    auto rows = snapshot.Scan(views, requests ? FirstRememberedRequest(recorded_at) : prefix, store::PrefixEnd(prefix));
    Digester digester;
    uint64_t count = 0;
    for (; rows->Valid(); rows->Next()) {
      digester.Add(rows->key());
      digester.Add(rows->value());
      ++count;
    }
    DOCKET_RETURN_IF_ERROR(rows->status());
    v1::ViewDigest digest;
    digest.set_view(view.name);
    digest.set_version(view.version);
    digest.set_rows(count);
    digest.set_digest(digester.Finish());
    out.push_back(std::move(digest));
  }
  return out;
}

}  // namespace docket::engine
