#ifndef DOCKET_WORKFLOW_CASE_DRAFT_H_
#define DOCKET_WORKFLOW_CASE_DRAFT_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/event.pb.h"
#include "docket/v1/record.pb.h"
#include "workflow/policy/policy_set.h"
#include "workflow/sla/clock_rules.h"

// What a decision is made in, and made of.
namespace docket::workflow {

// Turns personal text into a reference; the text itself goes wherever the implementation keeps it.
class Sealer {
 public:
  virtual ~Sealer() = default;
  virtual v1::SealedText Seal(absl::string_view subject_id, absl::string_view text) = 0;
};

// Everything a decision may look at besides state and command. Values only: the same context gives the same decision.
struct DecideContext {
  absl::Time now;        // the server's clock
  absl::Time effective;  // when the command took effect: now, or the instant the caller gave
  const v1::Actor* actor = nullptr;
  const policy::PolicySet* policies = nullptr;
  Sealer* sealer = nullptr;
  std::string approver;      // a second person who agrees, "": none
  std::string evidence_ref;  // what the caller can show for it
  bool facts_only = false;   // no ladder climbs and no timer of the chart acts: what time makes true, not what is done
  std::string new_case_id;   // filing: the id of the new case
  std::function<std::string(absl::string_view prefix, int year)> next_case_no;  // filing: the number it would get
};

// A case while a command is decided: each event emitted is applied, and what follows from it by policy (clocks,
// ladders) is emitted right behind it.
class Draft {
 public:
  // Both outlive the draft.
  Draft(const v1::Case& state, const DecideContext& context) : initial_(state), state_(state), context_(context) {}

  const v1::Case& state() const { return state_; }
  const DecideContext& context() const { return context_; }
  uint32_t next_revision() const { return state_.revision() + 1; }

  // From now on policies and calendars are those in force at `at`; before, those in force when each event occurred.
  void UsePoliciesOf(absl::Time at) { in_force_ = at; }
  absl::Time InForce(absl::Time occurred_at) const { return in_force_.value_or(occurred_at); }
  // Who does what is emitted now, and by which policies.
  sla::Occasion OccasionAt(absl::Time occurred_at) const;

  // occurred_at defaults to the effective time (never before the last workflow event), visibility to INTERNAL.
  // The consequences carry the event's own occurred_at.
  absl::Status Emit(v1::Event event);
  absl::Status EmitAll(std::vector<v1::Event> events);

  v1::SealedText Seal(absl::string_view text) const { return context_.sealer->Seal(state_.case_id(), text); }
  // Tells the same events with other words: `events` take the place of those emitted so far and are applied anew.
  absl::Status Retell(std::vector<v1::Event> events);

  std::vector<v1::Event> TakeEvents() { return std::move(events_); }
  const std::vector<v1::Event>& events() const { return events_; }

 private:
  absl::Status EmitOne(v1::Event event);

  const v1::Case& initial_;
  v1::Case state_;
  const DecideContext& context_;
  std::optional<absl::Time> in_force_;
  std::vector<v1::Event> events_;
};

}  // namespace docket::workflow

#endif  // DOCKET_WORKFLOW_CASE_DRAFT_H_
