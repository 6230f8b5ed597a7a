#ifndef DOCKET_WORKFLOW_SLA_POLICY_MATCH_H_
#define DOCKET_WORKFLOW_SLA_POLICY_MATCH_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/event.pb.h"
#include "docket/v1/policy.pb.h"
#include "workflow/policy/policy_set.h"
#include "workflow/sla/clock_math.h"

// Which policy, metric rule and choice apply to a case. Pure.
namespace docket::sla {

// What an event is to the triggers of policies: its name in the oneof of Event and the message inside. Both null or
// empty when no body is set. Lives as long as the event.
struct EventBody {
  absl::string_view name;
  const google::protobuf::Message* message = nullptr;
};
EventBody BodyOf(const v1::Event& event);

bool Fires(const v1::MetricRule::Trigger& trigger, const EventBody& event, const v1::CaseFacts& facts);
bool AnyFires(const google::protobuf::RepeatedPtrField<v1::MetricRule::Trigger>& triggers, const EventBody& event,
              const v1::CaseFacts& facts);

// One policy that takes part in the choice, with the version to be used.
struct Candidate {
  v1::PolicyPin pin;
  const v1::SlaPolicy* policy = nullptr;
};

// The effective policies of one obligation in order of precedence (order, then id).
std::vector<Candidate> Candidates(const policy::PolicySet& policies, v1::Obligation obligation, absl::Time at);
// The same for an existing clock: its own policy takes part in the version that is pinned, because a new version
// concerns new clocks only. kInternal: the pin is not known.
absl::StatusOr<std::vector<Candidate>> CandidatesFor(const policy::PolicySet& policies, const v1::Clock& clock,
                                                     absl::Time at);

// The first candidate whose condition holds; null: none.
const Candidate* FirstMatch(const std::vector<Candidate>& candidates, const v1::CaseFacts& facts);

// The rule of a metric in a policy; null: it has none.
const v1::MetricRule* RuleOf(const v1::SlaPolicy& policy, absl::string_view metric);
// The first choice of target whose condition holds; null: none. A fixed target holds only for a case that has its
// instant.
const v1::MetricRule::Choice* ChoiceOf(const v1::MetricRule& rule, const v1::CaseFacts& facts);

// A calendar with the pin to record. An empty name or "ALWAYS", unless published, is round the clock in UTC.
struct NamedCalendar {
  v1::PolicyPin pin;
  std::shared_ptr<const WorkingCalendar> calendar;
};
// kFailedPrecondition: no version of it is effective at `at`.
absl::StatusOr<NamedCalendar> CalendarAt(const policy::PolicySet& policies, const std::string& id, absl::Time at);
// kInternal: the pin is not known.
absl::StatusOr<std::shared_ptr<const WorkingCalendar>> PinnedCalendar(const policy::PolicySet& policies,
                                                                      const v1::PolicyPin& pin);

// The calendar a choice asks for: its own, else its policy's.
const std::string& CalendarNameOf(const v1::SlaPolicy& policy, const v1::MetricRule::Choice& choice);

Terms TermsOf(const v1::MetricRule& rule, const v1::MetricRule::Choice& choice, const WorkingCalendar& calendar,
              absl::Time promised);

// The department that answers for a clock as the case stands (R11), by ACCOUNTABLE (also ""), HANDLER, QUEUE, RECEIVER
// of the transfer under way, or ITEM: whoever has to act on owed item `item`.
std::string AnsweringDepartment(absl::string_view rule, uint32_t item, const v1::Case& state);

}  // namespace docket::sla

#endif  // DOCKET_WORKFLOW_SLA_POLICY_MATCH_H_
