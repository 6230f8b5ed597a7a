#ifndef DOCKET_TOOLS_IMPORT_IMPORTER_H_
#define DOCKET_TOOLS_IMPORT_IMPORTER_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "docket/v1/case_service.pb.h"
#include "tools/import/case_source.h"
#include "workflow/base/mutex.h"

namespace docket::import_tool {

// Where commands go; client::ExecutePipeline in earnest. Answers come through the callback given when it was made, once
// for every command sent, from any thread, in any order.
class CommandPipeline {
 public:
  using OnResult =
      std::function<void(const docket::v1::ExecuteRequest&, const absl::StatusOr<docket::v1::ExecuteReply>&)>;

  virtual ~CommandPipeline() = default;
  // May block while too many are on the way. An error: the server cannot be reached any more; all commands without an
  // answer have been answered with it.
  virtual absl::Status Send(const docket::v1::ExecuteRequest& request) = 0;
  // Puts everything taken on the way and waits until at most `unanswered` commands have no answer. An error as of Send.
  virtual absl::Status Await(size_t unanswered) = 0;
  virtual absl::Status Finish() = 0;
};

struct ImportCounts {
  uint64_t cases_sent = 0;       // handed to the server in whole or in part
  uint64_t cases_done = 0;       // all of their commands acknowledged
  uint64_t rows_done = 0;        // acknowledged
  uint64_t commits_added = 0;    // commands that wrote
  uint64_t unchanged = 0;        // commands that found their effect in the log already
  uint64_t refused = 0;          // commands the server refused; each ends its case
  uint64_t rows_after_refusal = 0;  // rows not sent because an earlier one of their case was refused
};

// Sends cases: many at a time, the commands of one case strictly one after another, each after the answer to the one
// before. So a command that has to be repeated is never overtaken by its successor, and memory is bounded by
// kActiveCases.
class Importer {
 public:
  static constexpr size_t kActiveCases = 512;

  // Called after each answered command, on the thread of Run.
  using OnProgress = std::function<void(const ImportCounts&)>;

  // `source` and `observer` must outlive the importer.
  Importer(CaseSource* source, ImportObserver* observer, OnProgress on_progress);

  // What the pipeline must be given as its callback. Valid until the importer dies.
  CommandPipeline::OnResult callback();

  // Imports everything. An error is the server's and ends the import where it is; running it again goes on from there.
  absl::Status Run(CommandPipeline* pipeline);

  // After Run: why the file ended early (CaseSource::Next). The cases before that are imported.
  const absl::Status& file_status() const { return file_status_; }

  const ImportCounts& counts() const { return counts_; }

 private:
  struct ActiveCase {
    CaseWork work;
    size_t next = 0;  // command to send, or on the way
  };
  struct Answer {
    std::string request_id;
    absl::Status status;
    bool unchanged = false;
    std::string case_status;  // the case's after the command
  };

  // Takes cases from the source while there is room; false when it is at its end.
  absl::StatusOr<bool> TakeCase();
  absl::Status SendReady(CommandPipeline* pipeline);
  // Handles the answers that are there.
  absl::Status HandleAnswers();
  absl::Status Handle(const Answer& answer);
  void NoteDifference(const ActiveCase& active, const Answer& answer);

  CaseSource* source_;
  ImportObserver* observer_;
  OnProgress on_progress_;
  ImportCounts counts_;
  absl::Status file_status_;
  std::deque<std::unique_ptr<ActiveCase>> ready_;
  absl::flat_hash_map<std::string, std::unique_ptr<ActiveCase>> on_the_way_;  // by request id

  Mutex mutex_;
  std::vector<Answer> answers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace docket::import_tool

#endif  // DOCKET_TOOLS_IMPORT_IMPORTER_H_
