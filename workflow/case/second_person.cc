#include "workflow/case/second_person.h"

#include "absl/strings/str_cat.h"
#include "workflow/case/conflict.h"

namespace docket::workflow {

std::vector<Unmet> UnmetBySecondPerson(const v1::Case& state, const DecideContext& context) {
  if (context.approver.empty()) return {};
  if (context.actor != nullptr && context.approver == context.actor->principal_id()) {
    return {{"SECOND_PERSON_MISSING",
             absl::StrCat("approver: ", context.approver, " asks for it, want a second person"), ""}};
  }
  if (context.policies->Principal(context.approver) == nullptr) {
    return {
        {"UNKNOWN_PRINCIPAL",
         absl::StrCat("approver: ", context.policies->DescribeUnknown(policy::NameKind::kPrincipal, context.approver)),
         ""}};
  }
  std::vector<Unmet> unmet;
  CheckNoConflict(state, "approver", context.approver, &unmet);
  return unmet;
}

void WantSecondPerson(const DecideContext& context, absl::string_view why, std::vector<Unmet>* unmet) {
  if (!context.approver.empty()) return;  // who it is was looked at before anything was decided
  unmet->push_back({"SECOND_PERSON_MISSING", absl::StrCat("approver: missing, ", why, " wants a second person"), ""});
}

void WantEvidence(const DecideContext& context, absl::string_view why, std::vector<Unmet>* unmet) {
  if (!context.evidence_ref.empty()) return;
  unmet->push_back({"EVIDENCE_MISSING", absl::StrCat("evidence_ref: missing, wanted for ", why), ""});
}

void WantWordsOfWithdrawal(const DecideContext& context, const v1::Case& state, std::vector<Unmet>* unmet) {
  if (state.has_last_inbound_at() || !context.evidence_ref.empty()) return;
  unmet->push_back({"WORDS_OF_WITHDRAWAL_MISSING",
                    "evidence_ref: missing, and the requester has written nothing; WITHDRAWN wants their words",
                    "record_inbound"});
}

}  // namespace docket::workflow
