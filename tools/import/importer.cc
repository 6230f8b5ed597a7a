#include "tools/import/importer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"

namespace docket::import_tool {
namespace {

// A refusal is about the command; anything else is about the server and ends the import.
bool IsRefusal(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kAborted:
      return true;
    default:
      return false;
  }
}

// Whether command `i` is the last one that a row of the file became: a row of a whole case becomes two.
bool EndsRow(const CaseWork& work, size_t i) {
  if (work.commands[i].command().has_end_history()) return false;
  return work.commands[i + 1].command().has_end_history() || work.lines[i + 1] != work.lines[i];
}

std::string ReasonText(const absl::Status& status) {
  const std::string reason = ReasonOf(status);
  if (reason == "NOT_HISTORY") {
    return absl::StrCat(reason, ": ", status.message(),
                        ". An earlier import ended it, so this row and those behind it are not in the log: enter what "
                        "happened since with `docket case`, and import cases whose history is over");
  }
  return reason.empty() ? std::string(status.message()) : absl::StrCat(reason, ": ", status.message());
}

}  // namespace

Importer::Importer(CaseSource* source, ImportObserver* observer, OnProgress on_progress)
    : source_(source), observer_(observer), on_progress_(std::move(on_progress)) {}

CommandPipeline::OnResult Importer::callback() {
  return [this](const docket::v1::ExecuteRequest& request, const absl::StatusOr<docket::v1::ExecuteReply>& reply) {
    const MutexLock lock(&mutex_);
    Answer answer{request.request_id(), reply.status()};
    if (reply.ok()) {
      answer.unchanged = reply->unchanged();
      answer.case_status = reply->status();
    }
    answers_.push_back(std::move(answer));
  };
}

absl::Status Importer::Run(CommandPipeline* pipeline) {
  bool more = true;
  while (more || !ready_.empty() || !on_the_way_.empty()) {
    DOCKET_RETURN_IF_ERROR(HandleAnswers());
    if (!ready_.empty()) {
      DOCKET_RETURN_IF_ERROR(SendReady(pipeline));
    } else if (more && on_the_way_.size() < kActiveCases) {
      absl::StatusOr<bool> taken = TakeCase();
      file_status_ = taken.status();  // a damaged file still lets the cases before the damage be finished
      more = taken.ok() && *taken;
    } else if (!on_the_way_.empty()) {
      // The answers that came since the last look are among these, so this never waits without need.
      DOCKET_RETURN_IF_ERROR(pipeline->Await(on_the_way_.size() - 1));
    }
  }
  return pipeline->Finish();
}

absl::StatusOr<bool> Importer::TakeCase() {
  auto taken = std::make_unique<ActiveCase>();
  DOCKET_ASSIGN_OR_RETURN(const bool more, source_->Next(&taken->work));
  if (!more) return false;
  ++counts_.cases_sent;
  ready_.push_back(std::move(taken));
  return true;
}

absl::Status Importer::SendReady(CommandPipeline* pipeline) {
  std::unique_ptr<ActiveCase> active = std::move(ready_.front());
  ready_.pop_front();
  const docket::v1::ExecuteRequest request = active->work.commands[active->next];
  // Before sending: the answer may be here before Send returns.
  on_the_way_.emplace(request.request_id(), std::move(active));
  return pipeline->Send(request);
}

absl::Status Importer::HandleAnswers() {
  std::vector<Answer> answers;
  {
    const MutexLock lock(&mutex_);
    answers.swap(answers_);
  }
  for (const Answer& answer : answers) DOCKET_RETURN_IF_ERROR(Handle(answer));
  return absl::OkStatus();
}

absl::Status Importer::Handle(const Answer& answer) {
  const auto found = on_the_way_.find(answer.request_id);
  if (found == on_the_way_.end()) return absl::InternalError("an answer to a command that was not sent");
  std::unique_ptr<ActiveCase> active = std::move(found->second);
  on_the_way_.erase(found);
  if (!answer.status.ok()) {
    if (!IsRefusal(answer.status)) return answer.status;
    ++counts_.refused;
    observer_->OnBadRow({active->work.lines[active->next], active->work.key, ReasonText(answer.status)});
    for (size_t i = active->next + 1; i < active->work.commands.size(); ++i) {
      if (EndsRow(active->work, i)) ++counts_.rows_after_refusal;
    }
    return absl::OkStatus();
  }
  if (answer.unchanged) NoteDifference(*active, answer);
  ++(answer.unchanged ? counts_.unchanged : counts_.commits_added);
  if (EndsRow(active->work, active->next)) ++counts_.rows_done;
  if (++active->next < active->work.commands.size()) {
    ready_.push_back(std::move(active));
  } else {
    ++counts_.cases_done;
  }
  on_progress_(counts_);
  return absl::OkStatus();
}

// A row that is in the log already adds nothing, whatever it says now; the status of a case's last row tells of the
// differences that matter most.
void Importer::NoteDifference(const ActiveCase& active, const Answer& answer) {
  if (answer.case_status.empty() || active.next + 2 != active.work.commands.size()) return;
  const docket::v1::Command& command = active.work.commands[active.next].command();
  const docket::v1::SourceRow& row = command.has_file() ? command.file().row() : command.record_source_row().row();
  if (row.status() == answer.case_status) return;
  observer_->OnNote(
      {active.work.lines[active.next], active.work.key,
       absl::StrCat("in the log already with status ", answer.case_status, ", the row says ", row.status(),
                    "; nothing was changed. Either the case was worked on since, or the "
                    "file was: then enter the difference with `docket case`")});
}

}  // namespace docket::import_tool
