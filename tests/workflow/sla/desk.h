#ifndef DOCKET_TESTS_WORKFLOW_SLA_DESK_H_
#define DOCKET_TESTS_WORKFLOW_SLA_DESK_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/event.pb.h"
#include "docket/v1/policy.pb.h"
#include "tests/workflow/sla/calendars.h"
#include "workflow/policy/policy_set.h"

// One case and its policies, driven by events: what the tests of the clock rules work on. It asks no chart and tells in
// one line each what happened to the clocks.
namespace docket::sla::testing {

v1::Condition Fact(const std::string& fact, v1::Condition::Operator op, const std::vector<std::string>& values);
v1::Condition Is(const std::string& fact, const std::string& value);
v1::Condition All(const std::vector<v1::Condition>& conditions);
v1::MetricRule::Trigger On(const std::string& event, const std::vector<v1::Condition>& where = {});

// A duty counted from receipt.
v1::MetricRule Metric(const std::string& name, v1::MetricRule::Trigger start, v1::MetricRule::Trigger stop,
                      const std::string& target);
void AddChoice(v1::MetricRule* rule, const v1::Condition& when, const std::string& target,
               const std::string& calendar = "");
v1::SlaPolicy Policy(const std::string& id, v1::Obligation obligation, int order, const std::string& calendar,
                     const std::vector<v1::MetricRule>& metrics);

// FIRST_RESPONSE 4h, NEXT_RESPONSE 2h, and RESOLUTION by priority (1: 4h, 2: 8h, else 24h; pausable, reopens, warnings
// 50, 75, 90, 100 %), all in calendar "london".
v1::SlaPolicy StandardPolicy();

// Statuses by name: OPEN; WAITING (pauses RESOLUTION), WAITING_INSIDE (pauses nothing), RESOLVED, CLOSED, VOIDED.
v1::StatusEntered Entered(const std::string& status);

class Desk {
 public:
  Desk();

  // Effective from long ago unless said; later versions of one id count up.
  void Publish(const v1::SlaPolicy& policy, absl::Time effective_from = absl::UnixEpoch());
  void Publish(const std::string& id, const CalendarSpec& spec, absl::Time effective_from = absl::UnixEpoch());

  // Lets time pass, then folds `event` as of `at` ("2026-11-18 09:00", London) with all that follows from it. Returns
  // the clock events of both, one line each.
  std::vector<std::string> Do(const std::string& at, v1::Event event);
  std::vector<std::string> Advance(const std::string& at);
  // The same at an instant. An event that has an occurred_at of its own is one entered late.
  std::vector<std::string> Do(absl::Time at, v1::Event event);
  std::vector<std::string> Advance(absl::Time at);
  // More time for clock number `clock_no`; the refusal when it would not be more.
  std::vector<std::string> Extend(absl::Time at, uint32_t clock_no, const v1::Target& target);

  std::vector<std::string> Exempt(absl::Time at, uint32_t clock_no);

  std::vector<std::string> Receive(const std::string& at, v1::CaseReceived received = {});
  std::vector<std::string> Move(const std::string& at, const std::string& status, const v1::Wait& wait = {});
  std::vector<std::string> Wait(const std::string& at, const std::string& status, const std::string& until = "");
  std::vector<std::string> Reopen(const std::string& at, v1::ReopenReason reason);
  std::vector<std::string> Prioritise(const std::string& at, uint32_t priority);
  // Another instant promised for the case; "": none any more.
  std::vector<std::string> Promise(const std::string& at, const std::string& due);
  std::vector<std::string> Send(const std::string& at, bool human, bool public_message,
                                v1::OutboundKind kind = v1::RESPONSE);
  std::vector<std::string> Hear(const std::string& at);

  v1::Case& state() { return state_; }
  const v1::Case& state() const { return state_; }
  // The clock events so far, each with its revision.
  const std::vector<std::pair<uint32_t, v1::Event>>& log() const { return log_; }
  const policy::PolicySet& policies() const { return *policies_; }
  // The newest clock of a metric; aborts when there is none.
  const v1::Clock& Clock(absl::string_view metric) const;
  // "RUNNING due Mon 23 09:30", "PAUSED no due", "FULFILLED on time", "LATE …" in front when late at `at`.
  std::string Standing(absl::string_view metric, const std::string& at) const;

 private:
  void Fold(const v1::Event& event);
  uint32_t Draft(const google::protobuf::Timestamp& at);
  void Complete(v1::Event* event) const;
  void CompleteOutbound(v1::Event* event) const;
  void FoldClock(const v1::Event& event, std::vector<std::string>* lines);
  std::vector<std::string> FoldAll(const absl::StatusOr<std::vector<v1::Event>>& events,
                                   std::vector<std::string> lines);
  void CheckInvariants() const;
  void AdvanceTo(absl::Time at, std::vector<std::string>* lines);
  void Publish(v1::PolicyKind kind, const std::string& id, const v1::CompiledPolicy& compiled,
               absl::Time effective_from);

  std::shared_ptr<const policy::PolicySet> policies_;
  uint64_t position_ = 0;
  v1::Case state_;
  std::vector<std::pair<uint32_t, v1::Event>> log_;
};

}  // namespace docket::sla::testing

#endif  // DOCKET_TESTS_WORKFLOW_SLA_DESK_H_
