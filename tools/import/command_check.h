#ifndef DOCKET_TOOLS_IMPORT_COMMAND_CHECK_H_
#define DOCKET_TOOLS_IMPORT_COMMAND_CHECK_H_

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "docket/v1/case_service.pb.h"
#include "docket/v1/policy.pb.h"

namespace docket::import_tool {

// What the server would refuse of an import's commands, known before they are sent, so that a case is loaded whole or
// not at all: the forms and sizes of texts, instants of the future, statuses that the chart lacks.
// Thread-safe.
class CommandCheck {
 public:
  // `now`: nothing may have happened later. Without a `chart` statuses are not judged.
  explicit CommandCheck(absl::Time now = absl::InfiniteFuture(), std::optional<docket::v1::Chart> chart = std::nullopt)
      : now_(now), chart_(std::move(chart)) {}

  struct Fault {
    std::string field;   // of the command: "row.queue"
    std::string reason;  // "row.queue: …"
  };
  // The first fault; nullopt: none.
  std::optional<Fault> Find(const docket::v1::ExecuteRequest& request) const;

 private:
  std::optional<Fault> Times(const docket::v1::ExecuteRequest& request) const;

  absl::Time now_;
  std::optional<docket::v1::Chart> chart_;
};

}  // namespace docket::import_tool

#endif  // DOCKET_TOOLS_IMPORT_COMMAND_CHECK_H_
