#ifndef DOCKET_TESTS_WORKFLOW_CASE_CASE_DESK_H_
#define DOCKET_TESTS_WORKFLOW_CASE_CASE_DESK_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/command.pb.h"
#include "docket/v1/event.pb.h"
#include "workflow/case/draft.h"
#include "workflow/policy/policy_set.h"

// One case on a desk: commands in, events out, by the shipped packs and with neither store nor threads.
namespace docket::workflow::testing {

// "2026-11-18 09:00" or "2026-11-18 09:00:30.000001", London.
absl::Time At(absl::string_view london);

// The shipped packs, in force since ever.
std::shared_ptr<const policy::PolicySet> ShippedPolicies();
std::shared_ptr<const policy::PolicySet> With(const std::shared_ptr<const policy::PolicySet>& policies,
                                              absl::string_view yaml);

class CaseDesk {
 public:
  // When and by whom a command is given; `occurred_at` InfinitePast: now.
  struct Given {
    std::string principal = "grace.lind";
    absl::Time occurred_at = absl::InfinitePast();
    bool evidence = false;
    std::string approver = {};
  };

  // The clock shows Wednesday 2026-11-18 09:00.
  CaseDesk();
  explicit CaseDesk(std::shared_ptr<const policy::PolicySet> policies);

  // Time passes. What it makes true is decided by the next command, or here, at its instant, when `timers` run.
  void MoveTo(absl::Time now, bool timers = true);
  void MoveTo(absl::string_view london) { MoveTo(At(london)); }
  void MoveBy(absl::Duration span) { MoveTo(now_ + span); }

  // Decides `command` (protobuf text: "hold { waiting_on: LEGAL reason_code: 'X' }") and applies what happens.
  absl::StatusOr<std::vector<v1::Event>> Do(absl::string_view command, const Given& given);
  absl::StatusOr<std::vector<v1::Event>> Do(absl::string_view command) { return Do(command, Given()); }
  // Decides only.
  absl::StatusOr<std::vector<v1::Event>> Would(absl::string_view command, const Given& given, v1::Case* after) const;
  absl::StatusOr<std::vector<v1::Event>> Would(absl::string_view command) const { return Would(command, {}, nullptr); }

  // Do, which must be accepted; returns the story.
  std::string Must(absl::string_view command, const Given& given);
  std::string Must(absl::string_view command) { return Must(command, Given()); }

  // As if that many events had happened; what they were is not looked at.
  void PretendRevision(uint32_t revision) { state_.set_revision(revision); }

  const v1::Case& state() const { return state_; }
  const std::string& status() const { return state_.status().status(); }
  absl::Time now() const { return now_; }
  const policy::PolicySet& policies() const { return *policies_; }
  const std::vector<v1::Event>& events() const { return events_; }  // all of the case
  const v1::Clock& clock(absl::string_view metric) const;           // the newest of that metric

 private:
  std::shared_ptr<const policy::PolicySet> policies_;
  absl::Time now_;
  v1::Case state_;
  std::vector<v1::Event> events_;
};

// "CaseAccepted StatusChanged": names of events in order, for expectations that read like the story.
std::string Story(const std::vector<v1::Event>& events);
// "ok: …story…", or "REASON", or "REASON: UNMET UNMET" of a refusal.
std::string Told(const absl::StatusOr<std::vector<v1::Event>>& outcome);
// Reasons of the unmet conditions of a refusal, in order.
std::vector<std::string> UnmetOf(const absl::Status& refusal);
// Commands that would meet them, as the refusal names them; "" where it names none.
std::vector<std::string> MetBy(const absl::Status& refusal);

// Texts of commands that are long and often needed.
inline constexpr char kFileComplaint[] = "file { kind: COMPLAINT title: 'No water' impact: 2 urgency: 2 }";
inline constexpr char kFileTicket[] = "file { kind: REQUEST title: 'New phone' impact: 2 urgency: 2 }";
inline constexpr char kTriage[] = "triage { severity: 2 impact: 2 urgency: 2 complexity: 1 }";
inline constexpr char kDraft[] =
    "draft_decision { text: 'We are sorry' findings { matter_no: 1 finding: UPHELD root_cause: 'PIPE' } }";
inline constexpr char kIssue[] = "issue_decision { parts: 'REASONS' parts: 'FURTHER_ROUTES' }";
inline constexpr char kAsk[] = "send_outbound { kind: INFORMATION_REQUEST body: 'Which street?' }";
inline constexpr char kAnswer[] = "send_outbound { kind: RESPONSE body: 'On its way' }";
inline constexpr char kInbound[] = "record_inbound { body: 'Still no water' }";

}  // namespace docket::workflow::testing

#endif  // DOCKET_TESTS_WORKFLOW_CASE_CASE_DESK_H_
