#ifndef DOCKET_TESTS_SERVICES_ENGINE_LOG_AUDIT_H_
#define DOCKET_TESTS_SERVICES_ENGINE_LOG_AUDIT_H_

#include <cstdint>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "docket/v1/case_service.pb.h"
#include "services/engine/engine.h"
#include "store/event_log.h"

// What tests of failure ask of a log and of an engine, whatever happened to them.
namespace docket::testing {

// A whole log, read and checked.
struct AuditedLog {
  std::map<std::string, uint64_t> requests;  // request id → the commit it made
  std::vector<std::string> stories;          // one line per commit: request, streams, revisions, events, occurred_at
  uint64_t last_position = 0;
};

// Reads `log` from commit `from` (0: all of it) and checks that commits and positions have no gap, that recorded_at never
// goes back, that no request id comes twice and, for the whole log, that every stream has gapless revisions each linked
// to the commit before it. kInternal: the first rule broken.
absl::StatusOr<AuditedLog> AuditLog(const store::EventLog& log, uint64_t from = 0);

// OK when a rebuild beside the live views gives the same digests.
absl::Status AuditViews(engine::Engine& engine);

// A completion and where to wait for what it is told.
template <class Reply>
class Pending {
 public:
  auto Completion() {
    return [promise = promise_](absl::StatusOr<Reply> reply) { promise->set_value(std::move(reply)); };
  }
  absl::StatusOr<Reply> Wait() { return promise_->get_future().get(); }

 private:
  std::shared_ptr<std::promise<absl::StatusOr<Reply>>> promise_ =
      std::make_shared<std::promise<absl::StatusOr<Reply>>>();
};

// Sends and waits, whatever the engine.
absl::StatusOr<v1::ExecuteReply> Execute(engine::Engine& engine, const v1::ExecuteRequest& request,
                                         const std::string& principal = "grace.lind");

// The bytes of an answer without the mark that it is a repeated one.
std::string FirstAnswer(v1::ExecuteReply reply);

}  // namespace docket::testing

#endif  // DOCKET_TESTS_SERVICES_ENGINE_LOG_AUDIT_H_
