#ifndef DOCKET_SERVICES_ENGINE_PROJECTOR_H_
#define DOCKET_SERVICES_ENGINE_PROJECTOR_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "docket/v1/admin_service.pb.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/record.pb.h"
#include "docket/v1/view.pb.h"
#include "store/kv.h"
#include "workflow/projection/past.h"
#include "workflow/projection/project.h"

// Writes what workflow/projection says into view families. Knows tables, not cases.
namespace docket::engine {

// Where the stream of a case stands after a commit.
struct CaseHead {
  uint64_t last_commit = 0;
  std::string last_leaf;
};

// Rows of the past that a commit puts, or deletes (nullopt), by key.
struct PastChange {
  std::map<std::string, std::optional<std::string>> rows;
  bool anew = false;  // the commit entered something late: rows of earlier commits are overwritten or deleted
};

// What one commit did to a case. `before` has revision 0 when there was none.
struct CaseChange {
  const v1::Case& before;
  const v1::Case& after;
  const std::vector<v1::Event>& events;
  const v1::CaseListing& listing_before;
  const v1::CaseListing& listing_after;
  const PastChange& past;
  CaseHead head;
};
// Adds to `batch` what turns the rows of before into those of after, the rows of the past that come of it and the
// case's own row. Returns the number of rows touched; a row that moves (old key deleted, new key put) counts once.
size_t ProjectChange(const CaseChange& change, store::Family views, store::KvBatch* batch);

// All events of a case before a commit; asked for only when the commit enters something late.
using EarlierEvents = absl::FunctionRef<absl::StatusOr<std::vector<projection::PastEvent>>()>;

// Brings `listing` to where `events` of commit `commit` leave it. kDataLoss: they do not follow.
absl::StatusOr<PastChange> FollowInLists(const v1::Case& before, const v1::Case& after,
                                         const std::vector<v1::Event>& events, uint64_t commit, EarlierEvents earlier,
                                         v1::CaseListing* listing);
// The same for a fold that has no state after it yet: applies the events to `state`.
absl::StatusOr<PastChange> ApplyInLists(const std::vector<v1::Event>& events, uint64_t commit, EarlierEvents earlier,
                                        v1::Case* state, v1::CaseListing* listing);

// The kept state of a case as a row.
void KeepState(const v1::Case& state, uint64_t last_commit, store::Family views, store::KvBatch* batch);

// The rows of a commit that do not depend on states: its request id and, for streams other than cases, its number.
size_t ProjectCommit(const v1::CommitRecord& record, store::Family views, store::KvBatch* batch);

// All rows of a case but those of the past, encoded, for a rebuild.
std::vector<std::pair<std::string, std::string>> EncodeAllRows(const v1::Case& state, const v1::CaseListing& listing,
                                                               const CaseHead& head);

// Rows and SHA-256 over all of them, view by view, as of a log whose newest commit was recorded at `recorded_at`; kept
// states are a cache and left out, and so are requests too old to be asked for.
absl::StatusOr<std::vector<v1::ViewDigest>> DigestViews(const store::KvSnapshot& snapshot, store::Family views,
                                                        absl::Time recorded_at);

// The key of the first request that is still remembered at `now`.
std::string FirstRememberedRequest(absl::Time now);

}  // namespace docket::engine

#endif  // DOCKET_SERVICES_ENGINE_PROJECTOR_H_
