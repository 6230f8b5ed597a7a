#ifndef DOCKET_SERVICES_ENGINE_PROJECTOR_H_
#define DOCKET_SERVICES_ENGINE_PROJECTOR_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "docket/v1/admin_service.pb.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/record.pb.h"
#include "store/kv.h"
#include "workflow/projection/project.h"

// Writes what workflow/projection says into view families. Knows tables, not cases.
namespace docket::engine {

// Where the stream of a case stands after a commit.
struct CaseHead {
  uint64_t last_commit = 0;
  std::string last_leaf;
};

// Adds to `batch` what turns the rows of `before` (revision 0: none) into those of `after`, and the case's own row.
// Returns the number of rows touched; a row that moves (old key deleted, new key put) counts once.
size_t ProjectChange(const v1::Case& before, const v1::Case& after, const CaseHead& head, store::Family views,
                     store::KvBatch* batch);

// The kept state of a case as a row.
void KeepState(const v1::Case& state, uint64_t last_commit, store::Family views, store::KvBatch* batch);

// The rows of a commit that do not depend on states: its request id and, for streams other than cases, its number.
size_t ProjectCommit(const v1::CommitRecord& record, store::Family views, store::KvBatch* batch);

// All rows of a case, encoded, for a rebuild.
std::vector<std::pair<std::string, std::string>> EncodeAllRows(const v1::Case& state, const CaseHead& head);

// Rows and SHA-256 over all of them, view by view, as of a log whose newest commit was recorded at `recorded_at`; kept
// states are a cache and left out, and so are requests too old to be asked for.
absl::StatusOr<std::vector<v1::ViewDigest>> DigestViews(const store::KvSnapshot& snapshot, store::Family views,
                                                        absl::Time recorded_at);

// The key of the first request that is still remembered at `now`.
std::string FirstRememberedRequest(absl::Time now);

}  // namespace docket::engine

#endif  // DOCKET_SERVICES_ENGINE_PROJECTOR_H_
