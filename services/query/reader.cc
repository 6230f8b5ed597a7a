#include "services/query/reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "workflow/base/refusal.h"

namespace docket::query {

Reader OpenReader(const engine::Engine& engine, Viewer viewer) {
  Reader reader;
  // The clock is read before the snapshot: everything recorded up to `now` is then in the snapshot or still unanswered.
  reader.clock = engine.environment().clock;
  reader.now = reader.clock->Now();
  reader.clock_suspect = engine.ClockSuspect();
  reader.log = &engine.log();
  reader.view = engine.Read();
  reader.viewer = std::move(viewer);
  return reader;
}

absl::Status CheckPosition(const Reader& reader, uint64_t min_position) {
  if (reader.view.position >= min_position) return absl::OkStatus();
  return WithRetryAfter(
      Refuse(absl::StatusCode::kUnavailable, "POSITION_NOT_REACHED",
             absl::StrCat("min_position: ", min_position, ", readable are ", reader.view.position),
             {{"min_position", absl::StrCat(min_position)}, {"position", absl::StrCat(reader.view.position)}}),
      absl::Milliseconds(100));
}

absl::Status EnterReplay(const Reader& reader) {
  if (reader.replays == nullptr || reader.replays->TryEnter()) return absl::OkStatus();
  return WithRetryAfter(Refuse(absl::StatusCode::kResourceExhausted, "REPLAY_BUSY",
                               "as many questions about the past are being answered as this server answers at once"),
                        absl::Seconds(2));
}

void LeaveReplay(const Reader& reader) {
  if (reader.replays != nullptr) reader.replays->Leave();
}

uint32_t PageSize(uint32_t requested) { return requested == 0 ? kDefaultPageSize : std::min(requested, kMaxPageSize); }

}  // namespace docket::query
