#include <map>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "services/engine/case_loader.h"
#include "store/record_format.h"
#include "tools/bench/bench.h"
#include "workflow/base/check.h"

namespace docket::bench {
namespace {

constexpr uint64_t kFoldEvents = 300'000;  // enough to be steady, few enough for their cases to fit in memory

}  // namespace

absl::Status BenchFold(Plant& plant, Report* report) {
  const Stopwatch watch;
  std::map<std::string, v1::Case> states;
  uint64_t events = 0;
  const auto cursor = plant.log().ReadFrom(0);
  while (events < kFoldEvents) {
    DOCKET_ASSIGN_OR_RETURN(const std::optional<std::string> stored, cursor->Next());
    if (!stored.has_value()) break;
    DOCKET_ASSIGN_OR_RETURN(const v1::CommitRecord record, store::DecodeRecord(*stored));
    for (const v1::Slice& slice : record.slices()) {
      if (slice.kind() != v1::STREAM_KIND_CASE) continue;
      DOCKET_RETURN_IF_ERROR(engine::FoldSlice(slice, &states[slice.stream_id()]));
      events += slice.events_size();
    }
  }
  report->Add({"fold: read, decode, apply", static_cast<double>(events) / absl::ToDoubleSeconds(watch.elapsed()),
               "events/s", Wish::kAtLeast, 300'000, absl::StrCat(events, " events of ", states.size(), " cases")});
  return absl::OkStatus();
}

absl::Status BenchRebuild(Plant& plant, Report* report) {
  const uint64_t events = plant.engine().Read().position;
  const Stopwatch watch;
  DOCKET_ASSIGN_OR_RETURN(const v1::RebuildViewsReply rebuilt,
                          plant.engine().Rebuild(/*keep_old=*/true, [](uint64_t, uint64_t) {}));
  const absl::Duration elapsed = watch.elapsed();
  if (!rebuilt.digests_equal()) return absl::DataLossError("the rebuilt views differ from the live ones");
  report->Add({"full rebuild of all views", static_cast<double>(events) / absl::ToDoubleSeconds(elapsed), "events/s",
               Wish::kAtLeast, 100'000, absl::StrCat(events, " events, comparing digests included")});
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> RecordBytes(const store::EventLog& log) {
  uint64_t bytes = 0;
  const auto cursor = log.ReadFrom(0);
  for (;;) {
    DOCKET_ASSIGN_OR_RETURN(const std::optional<std::string> stored, cursor->Next());
    if (!stored.has_value()) return bytes;
    bytes += stored->size();
  }
}

}  // namespace docket::bench
