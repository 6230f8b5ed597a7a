#include "tools/bench/case_load.h"

#include <algorithm>
#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tools/bench/plant.h"
#include "tools/client/request_id.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"

namespace docket::bench {
namespace {

constexpr size_t kBatch = 1024;

// Sends all and waits; the first refusal is the answer.
absl::StatusOr<std::vector<v1::ExecuteReply>> ExecuteAll(engine::Engine& engine,
                                                         std::vector<v1::ExecuteRequest> requests) {
  const size_t count = requests.size();
  std::vector<v1::ExecuteReply> replies(count);
  absl::Status status;
  size_t answers = 0;  // all of these are touched on the writer's thread only, until `done`
  std::promise<void> done;
  engine.SubmitAll(std::move(requests), engine::Caller{.principal_id = kPrincipal, .brief = true}, engine::Lane::kBulk,
                   [&](size_t i, absl::StatusOr<v1::ExecuteReply> reply) {
                     if (reply.ok())
                       replies[i] = *std::move(reply);
                     else
                       status.Update(reply.status());
                     if (++answers == count) done.set_value();
                   });
  done.get_future().wait();
  if (!status.ok()) return status;
  return replies;
}

}  // namespace

v1::ExecuteRequest NoteOn(const std::string& case_id) {
  v1::ExecuteRequest request;
  request.set_case_id(case_id);
  request.set_request_id(client::NewRequestId());
  request.mutable_command()->mutable_add_note()->set_body(
      "Called the customer back; the meter was read again on Tuesday and the reading differs by forty units.");
  return request;
}

absl::StatusOr<std::vector<std::string>> FileCases(engine::Engine& engine, size_t count, Place place) {
  std::vector<std::string> ids;
  ids.reserve(count);
  while (ids.size() < count) {
    std::vector<v1::ExecuteRequest> batch(std::min(kBatch, count - ids.size()));
    for (size_t i = 0; i < batch.size(); ++i) {
      batch[i].set_request_id(client::NewRequestId());
      v1::FileCase& file = *batch[i].mutable_command()->mutable_file();
      file.set_kind(i % 4 == 0 ? v1::COMPLAINT : v1::REQUEST);
      file.set_title(absl::StrCat("Reading of meter ", ids.size() + i, " is wrong"));
      if (place == Place::kWrittenTo) file.set_queue("billing");
      // The least of all priorities, due after the others.
      file.set_impact(place == Place::kWrittenTo ? 3 : 1 + i % 3);
      file.set_urgency(place == Place::kWrittenTo ? 3 : 1 + i / 3 % 3);
    }
    DOCKET_ASSIGN_OR_RETURN(const std::vector<v1::ExecuteReply> replies, ExecuteAll(engine, std::move(batch)));
    for (const v1::ExecuteReply& reply : replies) ids.push_back(reply.case_id());
  }
  return ids;
}

absl::Status FileCasesDueAt(engine::Engine& engine, size_t count, absl::Time due) {
  for (size_t filed = 0; filed < count; filed += kBatch) {
    std::vector<v1::ExecuteRequest> batch(std::min(kBatch, count - filed));
    for (size_t i = 0; i < batch.size(); ++i) {
      batch[i].set_request_id(client::NewRequestId());
      v1::FileCase& file = *batch[i].mutable_command()->mutable_file();
      file.set_kind(v1::REQUEST);
      file.set_title(absl::StrCat("Meter ", filed + i, " is to be read today"));
      *file.mutable_due_at() = ToProto(due);
    }
    DOCKET_RETURN_IF_ERROR(ExecuteAll(engine, std::move(batch)).status());
  }
  return absl::OkStatus();
}

absl::Status DoToEach(engine::Engine& engine, const std::vector<std::string>& case_ids, const v1::Command& command) {
  std::vector<v1::ExecuteRequest> batch(case_ids.size());
  for (size_t i = 0; i < batch.size(); ++i) {
    batch[i].set_case_id(case_ids[i]);
    batch[i].set_request_id(client::NewRequestId());
    *batch[i].mutable_command() = command;
  }
  return ExecuteAll(engine, std::move(batch)).status();
}

absl::Status AddNotes(engine::Engine& engine, const std::string& case_id, size_t events) {
  for (size_t sent = 0; sent < events; sent += kBatch) {
    std::vector<v1::ExecuteRequest> batch;
    for (size_t i = 0; i < std::min(kBatch, events - sent); ++i) batch.push_back(NoteOn(case_id));
    DOCKET_RETURN_IF_ERROR(ExecuteAll(engine, std::move(batch)).status());
  }
  return absl::OkStatus();
}

}  // namespace docket::bench
