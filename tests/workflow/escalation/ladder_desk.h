#ifndef DOCKET_TESTS_WORKFLOW_ESCALATION_LADDER_DESK_H_
#define DOCKET_TESTS_WORKFLOW_ESCALATION_LADDER_DESK_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tests/workflow/case/case_desk.h"
#include "workflow/policy/policy_set.h"

// Ladders on a desk, told in one line per event.
namespace docket::escalation::testing {

// The shipped packs with these levels in the place of those of the shipped ladder; each is one YAML map without braces.
// `ladder`: further keys of the ladder, each with its line break.
std::shared_ptr<const policy::PolicySet> Ladder(const std::vector<std::string>& levels, absl::string_view ladder = "");

// `who` is away in [from, until), London, and `deputy` stands in.
std::shared_ptr<const policy::PolicySet> Away(const std::shared_ptr<const policy::PolicySet>& policies,
                                              absl::string_view who, absl::string_view from, absl::string_view until,
                                              absl::string_view deputy);

// "1 Wed 13:48 helen.marsh" for each level raised, in order, London; "passed" behind those nobody is told of.
std::vector<std::string> Raised(const workflow::testing::CaseDesk& desk);
// The same of everything ladders did: "lapsed Wed 17:00", "skipped CONFLICT helen.marsh", "closed CLOCK_ENDED" …
std::vector<std::string> Climbed(const workflow::testing::CaseDesk& desk);

}  // namespace docket::escalation::testing

#endif  // DOCKET_TESTS_WORKFLOW_ESCALATION_LADDER_DESK_H_
