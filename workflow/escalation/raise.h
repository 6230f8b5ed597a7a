#ifndef DOCKET_WORKFLOW_ESCALATION_RAISE_H_
#define DOCKET_WORKFLOW_ESCALATION_RAISE_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/event.pb.h"
#include "workflow/escalation/targets.h"
#include "workflow/escalation/triggers.h"
#include "workflow/policy/policy_set.h"

// What is recorded when a level is raised. Pure.
namespace docket::escalation {

// Who is told: by a level up the line not the owner, who hears of it anyway, nor `by`, who asked;
// where a lapse led here, rather somebody above those told so far.
Targets TargetsOf(const v1::Case& state, const Firing& firing, v1::EscalationKind kind, const std::string& by,
                  const policy::PolicySet& policies, absl::Time at);

// The fact, without what belongs to asking by hand. People can hear of it from `noticed` on; the time to acknowledge
// runs from when they are told.
v1::EscalationRaised Raise(const v1::Case& state, const Firing& firing, v1::EscalationKind kind, const Targets& targets,
                           const policy::PolicySet& policies, absl::Time noticed);

// What waits for a second person, without what belongs to asking: the department is that of who is to decide (R11), or
// where the case stands, if nobody is left.
v1::EscalationRequested Request(const v1::Case& state, const Firing& firing, v1::EscalationKind kind,
                                const Targets& targets, const policy::PolicySet& policies);

// When people are told of what is noticed at `noticed`: by the quiet hours of the level, else of the ladder, perhaps
// later.
absl::Time ToldAt(const Firing& firing, absl::Time noticed, const policy::PolicySet& policies);

// `span` after `from`, in working time of the level's calendar if it has one; InfiniteFuture: it never opens.
absl::Time SpanAfter(const v1::Ladder::Level& level, const google::protobuf::Duration& span, absl::Time from,
                     const policy::PolicySet& policies);

// Why somebody else is told than the level is for; empty when nobody was passed over.
std::vector<v1::EscalationLevelSkipped> SkipsOf(const Firing& firing, const Targets& targets);

// "id@version"; "" without a ladder.
std::string RuleOf(const v1::PolicyPin& ladder);

}  // namespace docket::escalation

#endif  // DOCKET_WORKFLOW_ESCALATION_RAISE_H_
