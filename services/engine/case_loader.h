#ifndef DOCKET_SERVICES_ENGINE_CASE_LOADER_H_
#define DOCKET_SERVICES_ENGINE_CASE_LOADER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/record.pb.h"
#include "store/event_log.h"
#include "store/kv.h"
#include "workflow/projection/past.h"

// Cases from the store: the newest kept state plus the events since, found by following each slice's link to the commit
// before it. Reads one snapshot; not thread-safe by itself, cheap to make.
namespace docket::engine {

// A case with what the next commit of its stream needs to know.
struct LoadedCase {
  v1::Case state;
  uint64_t last_commit = 0;
  std::string last_leaf;
  uint32_t kept_revision = 0;  // revision of the kept state it was folded from; 0: from the beginning
  v1::CaseListing listing;
};

class CaseLoader {
 public:
  CaseLoader(const store::KvSnapshot& snapshot, store::Family views, const store::EventLog& log)
      : snapshot_(snapshot), views_(views), log_(log) {}

  // nullopt: no such case. kDataLoss: the chain of commits is broken.
  absl::StatusOr<std::optional<v1::Case>> Load(absl::string_view case_id) const;
  absl::StatusOr<std::optional<LoadedCase>> LoadWithHead(absl::string_view case_id) const;
  // The case as `commit` left it, which must hold events of it: from `base` when that is no later, else from the kept
  // state when that is no later, else from its beginning. Without `last_leaf`.
  absl::StatusOr<LoadedCase> LoadThrough(absl::string_view case_id, uint64_t commit, const LoadedCase* base) const;
  // The state after `revision`, which must exist.
  absl::StatusOr<v1::Case> LoadAt(absl::string_view case_id, uint32_t revision) const;

  // All events of the case up to those of `commit`, its newest one that counts.
  absl::StatusOr<std::vector<projection::PastEvent>> Events(absl::string_view case_id, uint64_t commit) const;

  // All commits with events of the case, ascending; empty: no such case.
  absl::StatusOr<std::vector<uint64_t>> Commits(absl::string_view case_id) const;

 private:
  // Records with events of the case from its head back to (not including) `until_commit`, ascending.
  absl::StatusOr<std::vector<v1::CommitRecord>> RecordsBack(absl::string_view case_id, uint64_t head,
                                                            std::optional<uint64_t> until_commit) const;
  // The newest kept state; nullopt: none is kept.
  absl::StatusOr<std::optional<LoadedCase>> Kept(absl::string_view case_id) const;

  const store::KvSnapshot& snapshot_;
  const store::Family views_;
  const store::EventLog& log_;
};

// The slice of `record` that belongs to a case; null: none.
const v1::Slice* SliceOf(const v1::CommitRecord& record, absl::string_view case_id);

// The events of a slice. kDataLoss: one that this binary does not know.
absl::StatusOr<std::vector<v1::Event>> EventsOf(const v1::Slice& slice);

// kDataLoss: a revision gap.
absl::Status CheckFollows(const v1::Slice& slice, const v1::Case& state);

// Folds the events of a slice into `state`. kDataLoss: a revision gap or an event that does not follow.
absl::Status FoldSlice(const v1::Slice& slice, v1::Case* state);

}  // namespace docket::engine

#endif  // DOCKET_SERVICES_ENGINE_CASE_LOADER_H_
