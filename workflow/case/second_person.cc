#include "workflow/case/second_person.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "workflow/base/time.h"
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
  if (!context.evidence_ref.empty()) return;
  absl::Time told = absl::InfinitePast();
  for (const v1::SentMessage& one : state.sent()) {
    if (one.human() && one.outcome() != v1::BOUNCED) told = std::max(told, FromProto(one.sent_at()));
  }
  if (state.has_last_inbound_at() && FromProto(state.last_inbound_at()) > told) return;
  unmet->push_back({"WORDS_OF_WITHDRAWAL_MISSING",
                    absl::StrCat("evidence_ref: missing, and the requester has written nothing",
                                 told == absl::InfinitePast() ? "" : absl::StrCat(" since ", FormatUtc(told)),
                                 "; WITHDRAWN wants their words, or the message or document that holds them"),
                    "record_inbound"});
}

void WantAnotherPerson(const v1::Case& state, absl::string_view asker, std::vector<Unmet>* unmet) {
  const auto want = [&](absl::string_view did) {
    unmet->push_back(
        {"SECOND_PERSON_MISSING", absl::StrCat(asker, " ", did, " the case, want another person to reopen it"), ""});
  };
  if (asker.empty()) return;
  const bool turned_away = state.closure_basis() == kWithdrawn || state.closure_basis() == kForwarded;
  if (state.declined_by() == asker) {
    want("declined");
  } else if (turned_away && state.closed_by() == asker) {
    want("closed");
  }
}

}  // namespace docket::workflow
