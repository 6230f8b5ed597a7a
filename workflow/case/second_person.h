#ifndef DOCKET_WORKFLOW_CASE_SECOND_PERSON_H_
#define DOCKET_WORKFLOW_CASE_SECOND_PERSON_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "workflow/base/refusal.h"
#include "workflow/case/draft.h"
#include "workflow/sla/clock_rules.h"

// What one person may not do alone.
namespace docket::workflow {

// A second person was named for what would otherwise be refused: it must be somebody of the directory, somebody else
// than who asks, and in no conflict of interest with the case. Nothing is unmet when no one was named.
std::vector<Unmet> UnmetBySecondPerson(const v1::Case& state, const DecideContext& context);

// The same, and somebody must have been named, because of `why`: "the later receipt".
void WantSecondPerson(const DecideContext& context, absl::string_view why, std::vector<Unmet>* unmet);

// Something to show for it must have been named.
void WantEvidence(const DecideContext& context, absl::string_view why, std::vector<Unmet>* unmet);

using sla::kWithdrawn;
// Taking a case back wants the requester's own words (R4): a message since we last wrote, or evidence that names one or
// says what was said.
void WantWordsOfWithdrawal(const DecideContext& context, const v1::Case& state, std::vector<Unmet>* unmet);

// The basis of closing a case that was handed to somebody else to answer.
inline constexpr absl::string_view kForwarded = "FORWARDED";
// What was declined, forwarded or withdrawn is not reopened by who did that (R17). `asker` "": nobody is known to ask.
void WantAnotherPerson(const v1::Case& state, absl::string_view asker, std::vector<Unmet>* unmet);

}  // namespace docket::workflow

#endif  // DOCKET_WORKFLOW_CASE_SECOND_PERSON_H_
