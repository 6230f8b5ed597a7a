#ifndef DOCKET_TOOLS_BENCH_CASE_LOAD_H_
#define DOCKET_TOOLS_BENCH_CASE_LOAD_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "docket/v1/case_service.pb.h"
#include "services/engine/engine.h"

namespace docket::bench {

// Where a load of cases goes. Those that are written to stand apart from those that lists show, so that a page shows
// cases of the same length however much was written in between.
enum class Place { kListed, kWrittenTo };

// Files `count` open cases through the bulk lane and returns their ids.
absl::StatusOr<std::vector<std::string>> FileCases(engine::Engine& engine, size_t count, Place place);

// Files `count` open tickets whose resolution is promised for `due`.
absl::Status FileCasesDueAt(engine::Engine& engine, size_t count, absl::Time due);

// Does the same to each.
absl::Status DoToEach(engine::Engine& engine, const std::vector<std::string>& case_ids, const v1::Command& command);

// Gives one case at least `events` events, by notes.
absl::Status AddNotes(engine::Engine& engine, const std::string& case_id, size_t events);

// A note of ordinary length: one event. With a new request id.
v1::ExecuteRequest NoteOn(const std::string& case_id);

}  // namespace docket::bench

#endif  // DOCKET_TOOLS_BENCH_CASE_LOAD_H_
