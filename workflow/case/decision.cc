#include "workflow/case/decision.h"

#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/status.h"

namespace docket::workflow {
namespace {

// C9: a finding for every matter, a root cause for those upheld.
std::vector<Unmet> UnmetForDraft(const v1::Case& state, const v1::DraftDecision& draft) {
  std::vector<Unmet> unmet;
  for (const v1::Matter& matter : state.matters()) {
    const auto found = absl::c_find_if(draft.findings(), [&](const v1::MatterFinding& finding) {
      return finding.matter_no() == matter.matter_no() && finding.finding() != v1::FINDING_UNSPECIFIED;
    });
    if (found == draft.findings().end()) {
      unmet.push_back(
          {"FINDING_MISSING", absl::StrCat("matter ", matter.matter_no(), " has no finding"), "draft_decision"});
    } else if ((found->finding() == v1::UPHELD || found->finding() == v1::PARTLY_UPHELD) &&
               found->root_cause().empty()) {
      unmet.push_back({"ROOT_CAUSE_MISSING",
                       absl::StrCat("matter ", matter.matter_no(), " is upheld without a root cause"),
                       "draft_decision"});
    }
  }
  for (const v1::MatterFinding& finding : draft.findings()) {
    if (finding.matter_no() == 0 || finding.matter_no() > static_cast<uint32_t>(state.matters_size())) {
      unmet.push_back({"UNKNOWN_MATTER",
                       absl::StrCat("draft_decision.findings: matter ", finding.matter_no(),
                                    " does not exist, want 1..", state.matters_size()),
                       ""});
    }
  }
  return unmet;
}

}  // namespace

absl::Status DecideDraftDecision(Draft& draft, const v1::Command& command) {
  const v1::DraftDecision& request = command.draft_decision();
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition,
                          RequireTransition(draft, command, UnmetForDraft(draft.state(), request)));
  v1::Event event;
  v1::DecisionDrafted* drafted = event.mutable_decision_drafted();
  drafted->set_kind(request.kind() == v1::DECISION_KIND_UNSPECIFIED ? v1::FINAL : request.kind());
  *drafted->mutable_findings() = request.findings();
  *drafted->mutable_text() = draft.Seal(request.text());
  *drafted->mutable_remedies() = request.remedies();
  drafted->set_drafted_by(draft.context().actor->principal_id());
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Follow(draft, transition);
}

absl::Status DecideIssueDecision(Draft& draft, const v1::Command& command) {
  const v1::IssueDecision& request = command.issue_decision();
  std::vector<Unmet> unmet;
  if (!draft.state().has_draft()) unmet.push_back({"NO_DRAFT", "no decision is drafted", "draft_decision"});
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command, unmet));
  v1::Event event;
  event.set_visibility(v1::VISIBILITY_PUBLIC);
  v1::DecisionIssued* issued = event.mutable_decision_issued();
  issued->set_kind(draft.state().draft().kind());
  issued->set_draft_revision(draft.state().draft().draft_revision());
  *issued->mutable_parts() = request.parts();
  if (request.has_reply_until()) *issued->mutable_reply_until() = request.reply_until();
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Follow(draft, transition);
}

absl::Status DecideResolveOnTheSpot(Draft& draft, const v1::Command& command) {
  DOCKET_ASSIGN_OR_RETURN(const v1::Transition* transition, RequireTransition(draft, command));
  v1::Event event;
  event.set_visibility(v1::VISIBILITY_PUBLIC);
  event.mutable_resolution_accepted()->set_how(command.resolve_on_the_spot().accepted_how());
  event.mutable_resolution_accepted()->set_remedy(command.resolve_on_the_spot().remedy());
  DOCKET_RETURN_IF_ERROR(draft.Emit(std::move(event)));
  return Follow(draft, transition);
}

absl::Status ApplyDecisionDrafted(const v1::Event& event, uint32_t revision, v1::Case* state) {
  const v1::DecisionDrafted& drafted = event.decision_drafted();
  v1::Decision* draft = state->mutable_draft();
  draft->Clear();
  draft->set_kind(drafted.kind());
  draft->set_draft_revision(revision);
  *draft->mutable_findings() = drafted.findings();
  *draft->mutable_text() = drafted.text();
  *draft->mutable_drafted_at() = event.occurred_at();
  draft->set_drafted_by(drafted.drafted_by());
  for (v1::Matter& matter : *state->mutable_matters()) {
    for (const v1::MatterFinding& finding : drafted.findings()) {
      if (finding.matter_no() != matter.matter_no()) continue;
      matter.set_finding(finding.finding());
      matter.set_root_cause(finding.root_cause());
    }
  }
  return absl::OkStatus();
}

absl::Status ApplyDecisionIssued(const v1::Event& event, v1::Case* state) {
  const v1::DecisionIssued& issued = event.decision_issued();
  if (!state->has_draft() || state->draft().draft_revision() != issued.draft_revision()) {
    return absl::DataLossError(
        absl::StrCat("DecisionIssued of draft ", issued.draft_revision(), " which is not current"));
  }
  *state->mutable_decision() = state->draft();
  state->clear_draft();
  *state->mutable_decision()->mutable_issued_at() = event.occurred_at();
  *state->mutable_decision()->mutable_parts() = issued.parts();
  if (issued.has_reply_until()) *state->mutable_decision()->mutable_reply_until() = issued.reply_until();
  return absl::OkStatus();
}

absl::Status ApplyResolutionAccepted(const v1::ResolutionAccepted& event, v1::Case* state) {
  state->set_accepted_resolution(event.how());
  state->set_resolution_code(event.remedy());
  return absl::OkStatus();
}

}  // namespace docket::workflow
