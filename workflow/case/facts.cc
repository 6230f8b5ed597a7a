#include "workflow/case/facts.h"

#include <algorithm>
#include <set>
#include <string>

namespace docket::workflow {
namespace {

const v1::MatterFinding* FindingFor(const v1::Decision& decision, uint32_t matter_no) {
  for (const v1::MatterFinding& finding : decision.findings()) {
    if (finding.matter_no() == matter_no) return &finding;
  }
  return nullptr;
}

// The decision whose findings count: the draft while there is one, else the decision issued.
const v1::Decision& CurrentDecision(const v1::Case& state) {
  return state.has_draft() ? state.draft() : state.decision();
}

void CountFindings(const v1::Case& state, v1::CaseFacts* facts) {
  uint32_t without_finding = 0;
  uint32_t without_cause = 0;
  for (const v1::Matter& matter : state.matters()) {
    const v1::MatterFinding* finding = FindingFor(CurrentDecision(state), matter.matter_no());
    if (finding == nullptr || finding->finding() == v1::FINDING_UNSPECIFIED) {
      ++without_finding;
    } else if ((finding->finding() == v1::UPHELD || finding->finding() == v1::PARTLY_UPHELD) &&
               finding->root_cause().empty()) {
      ++without_cause;
    }
  }
  facts->set_matters(state.matters_size());
  facts->set_matters_without_finding(without_finding);
  facts->set_upheld_matters_without_root_cause(without_cause);
}

void ListMet(const v1::Case& state, v1::CaseFacts* facts) {
  std::set<std::string> met;
  for (const v1::Clock& clock : state.clocks()) {
    if (clock.state() == v1::FULFILLED && clock.on_time()) met.insert(clock.metric());
  }
  facts->mutable_met()->Assign(met.begin(), met.end());
}

}  // namespace

v1::CaseFacts BuildFacts(const v1::Case& state) {
  v1::CaseFacts facts;
  facts.set_kind(state.kind());
  facts.set_status(state.status().status());
  facts.set_category(state.status().category());
  facts.set_priority(state.priority());
  facts.set_severity(state.severity());
  facts.set_impact(state.impact());
  facts.set_urgency(state.urgency());
  facts.set_complexity(state.complexity());
  facts.set_safety(state.safety());
  facts.set_legal(state.legal());
  facts.set_regulatory(state.regulatory());
  facts.set_vulnerable(state.vulnerable());
  facts.set_public_exposure(state.public_exposure());
  facts.set_triaged(state.triaged());
  facts.set_tier(state.tier());
  facts.set_language(state.language());
  facts.set_medium(state.channel().medium());
  facts.set_carrier(state.channel().carrier());
  facts.set_department(state.department());
  facts.set_owner(state.owner());
  facts.set_queue(state.queue());
  facts.set_topic(state.category());
  facts.set_in_transit(state.has_transfer());
  facts.set_unanswered_messages(state.unanswered_inbound_size());
  facts.set_information_requested(state.last_information_request() != 0);
  facts.set_reopen_count(state.reopen_count());
  facts.set_transfer_count(state.transfer_count());
  facts.set_has_draft(state.has_draft());
  facts.set_decision_issued(state.has_decision());
  facts.set_responded(state.has_first_response_at());
  facts.set_resolution_accepted(!state.accepted_resolution().empty());
  facts.set_open_escalations(static_cast<uint32_t>(
      std::count_if(state.escalations().begin(), state.escalations().end(),
                    [](const v1::Escalation& one) { return one.state() == v1::Escalation::RAISED && !one.passed(); })));
  for (const v1::Escalation& one : state.escalations()) {
    const bool open = one.state() == v1::Escalation::RAISED || one.state() == v1::Escalation::ACKNOWLEDGED;
    if (open) facts.set_escalation_level(std::max(facts.escalation_level(), one.level()));
  }
  facts.set_watchers(static_cast<uint32_t>(state.watchers_size()));
  facts.set_conflicts(static_cast<uint32_t>(state.conflicts_size()));
  facts.set_history(state.history());
  facts.set_open_items(
      static_cast<uint32_t>(std::count_if(state.items().begin(), state.items().end(), [](const v1::OwedItem& one) {
        return one.state() == v1::OwedItem::ASKED || one.state() == v1::OwedItem::TAKEN_ON ||
               one.state() == v1::OwedItem::RETURNED;
      })));
  facts.set_accepted(state.has_accepted_at());
  facts.set_external_source(state.external_ref().source());
  facts.set_all_criteria_met(!state.criteria().empty() &&
                             std::all_of(state.criteria().begin(), state.criteria().end(),
                                         [](const v1::Criterion& one) { return one.met(); }));
  facts.set_has_promised_due(state.has_promised_due_at());
  ListMet(state, &facts);
  CountFindings(state, &facts);
  return facts;
}

}  // namespace docket::workflow
