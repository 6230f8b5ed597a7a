#ifndef DOCKET_SERVICES_ENGINE_REBUILD_H_
#define DOCKET_SERVICES_ENGINE_REBUILD_H_

#include <cstdint>
#include <functional>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/event_log.h"
#include "store/kv.h"

// Views from the log alone.
namespace docket::engine {

// Decoded states held while folding; the rest waits in a scratch family.
inline constexpr size_t kRebuildHeldCases = 50'000;

// False: give up.
using Progress = std::function<bool(uint64_t done, uint64_t total)>;

// Fills the empty `views` with what commits [0, head) make, by sorted ingestion, with `scratch` (must not exist) as a
// place for states that do not fit in memory. Returns the number of commits folded: the head when the call began.
// kCancelled: `progress` gave up.
absl::StatusOr<uint64_t> BuildViews(store::KvStore* kv, const store::EventLog& log, store::Family views,
                                    store::Family scratch, const Progress& progress);

// Applies commits [from, head) to `views`, which hold [0, from), one batch each. Returns the new head.
absl::StatusOr<uint64_t> CatchUpViews(store::KvStore* kv, const store::EventLog& log, store::Family views,
                                      uint64_t from);

// Generations are marked complete by a row; the live one is the newest complete one of this binary's view versions.
absl::Status MarkComplete(store::KvStore* kv, uint32_t generation);
// Drops every other generation. nullopt: none is complete.
absl::StatusOr<std::optional<uint32_t>> FindLiveGeneration(store::KvStore* kv);
absl::Status DropOtherGenerations(store::KvStore* kv, uint32_t live);

}  // namespace docket::engine

#endif  // DOCKET_SERVICES_ENGINE_REBUILD_H_
