#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "absl/strings/match.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/command.pb.h"
#include "docket/v1/event.pb.h"
#include "tests/workflow/policy/pack_support.h"
#include "workflow/base/time.h"
#include "workflow/policy/condition.h"
#include "workflow/sla/target.h"

namespace docket::policy {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// What works together from the start, each after what it needs.
const std::vector<std::string>& InOrder() {
  static const auto* const names = new std::vector<std::string>{"directory-sample.yaml",
                                                                "calendar-always.yaml",
                                                                "calendar-london.yaml",
                                                                "priority-matrix.yaml",
                                                                "sla-standard.yaml",
                                                                "ticket-basic.yaml",
                                                                "complaint-iso10002.yaml",
                                                                "ladder-standard.yaml",
                                                                "servicenow-incident.yaml",
                                                                "internal-ola.yaml",
                                                                "fca-disp-psd.yaml",
                                                                "routing-standard.yaml",
                                                                "nyc311.yaml",
                                                                "permits-wabo.yaml",
                                                                "ladder-complaints.yaml"};
  return *names;
}

// Packs that stand alone, each for the history of one other system.
const std::set<std::string>& ForImports() {
  static const auto* const names =
      new std::set<std::string>{"servicenow-incident.yaml", "nyc311.yaml", "permits-wabo.yaml"};
  return *names;
}

// To choose from: each is a whole policy for some cases, or what such a policy needs.
const std::vector<std::string>& ToChooseFrom() {
  static const auto* const names = new std::vector<std::string>{
      "calendar-new-york.yaml", "calendar-shanghai.yaml", "generic-iso10002.yaml",  "fca-disp.yaml", "cfpb.yaml",
      "cn-2020.yaml",           "vendor-uc.yaml",         "channel-standards.yaml", "tiers.yaml"};
  return *names;
}

PolicySetPtr AllShipped() {
  PolicySetPtr set = std::make_shared<PolicySet>();
  for (const std::string& name : InOrder()) set = Publish(set, ShippedPack(name));
  return set;
}

TEST(ShippedPacks, EveryFileIsTested) {
  std::vector<std::string> all = InOrder();
  all.insert(all.end(), ToChooseFrom().begin(), ToChooseFrom().end());
  EXPECT_THAT(ShippedPackNames(), ::testing::UnorderedElementsAreArray(all));
}

TEST(ShippedPacks, PublishOneAfterTheOther) {
  const PolicySetPtr set = AllShipped();
  EXPECT_EQ(set->List(v1::POLICY_KIND_UNSPECIFIED).size(), 19);
  EXPECT_EQ(set->directory_version(), 1);
}

TEST(ShippedPacks, TheOnesToChooseFromPublishOnTop) {
  PolicySetPtr set = AllShipped();
  for (const std::string& name : ToChooseFrom()) set = Publish(set, ShippedPack(name));
  EXPECT_EQ(set->List(v1::POLICY_KIND_UNSPECIFIED).size(), 29);
}

TEST(ShippedPacks, PublishTogetherInOneFileInAnyOrder) {
  std::string together, backwards;
  for (const std::string& name : InOrder()) {
    if (ForImports().count(name) > 0) continue;  // all files at once are more documents than a pack may have
    together += ShippedPack(name) + "---\n";
    backwards = ShippedPack(name) + "---\n" + backwards;
  }
  for (const std::string& yaml : {together, backwards}) {
    const Pack pack = ParsePack(yaml, PolicySet(), TestNow());
    EXPECT_THAT(pack.findings, IsEmpty()) << Explain(pack.findings);
    EXPECT_EQ(pack.documents.size(), 12);
    EXPECT_TRUE(pack.directory.has_value());
  }
}

// What each needs, and nothing else.
TEST(ShippedPacks, EachPublishesWithItsDependenciesAlone) {
  const std::map<std::string, std::vector<std::string>> needs = {
      {"calendar-always.yaml", {}},
      {"calendar-london.yaml", {}},
      {"priority-matrix.yaml", {}},
      {"directory-sample.yaml", {}},
      {"servicenow-incident.yaml", {}},
      {"internal-ola.yaml", {"calendar-london.yaml"}},
      {"calendar-new-york.yaml", {}},
      {"calendar-shanghai.yaml", {}},
      {"generic-iso10002.yaml", {"calendar-london.yaml"}},
      {"fca-disp.yaml", {"calendar-london.yaml"}},
      {"cfpb.yaml", {"calendar-new-york.yaml"}},
      {"cn-2020.yaml", {"calendar-shanghai.yaml"}},
      {"vendor-uc.yaml", {"calendar-london.yaml"}},
      {"channel-standards.yaml", {"calendar-london.yaml"}},
      {"tiers.yaml", {"calendar-london.yaml"}},
      {"fca-disp-psd.yaml", {"calendar-london.yaml"}},
      {"routing-standard.yaml", {"directory-sample.yaml"}},
      {"nyc311.yaml", {}},
      {"permits-wabo.yaml", {}},
      {"sla-standard.yaml", {"calendar-london.yaml"}},
      {"ladder-standard.yaml", {"calendar-london.yaml"}},
      {"ladder-complaints.yaml", {"calendar-london.yaml", "directory-sample.yaml"}},
      {"ticket-basic.yaml", {"directory-sample.yaml"}},
      {"complaint-iso10002.yaml", {"directory-sample.yaml"}},
  };
  ASSERT_EQ(needs.size(), ShippedPackNames().size());
  for (const auto& [name, dependencies] : needs) {
    PolicySetPtr set = std::make_shared<PolicySet>();
    for (const std::string& dependency : dependencies) set = Publish(set, ShippedPack(dependency));
    const Pack pack = ParsePack(ShippedPack(name), *set, TestNow());
    EXPECT_THAT(pack.findings, IsEmpty()) << name << "\n" << Explain(pack.findings);
    const bool stands_alone = dependencies.empty();
    EXPECT_EQ(ParsePack(ShippedPack(name), PolicySet(), TestNow()).findings.empty(), stands_alone) << name;
  }
}

TEST(ShippedPacks, EveryKindHasItsWorkflow) {
  const PolicySetPtr set = AllShipped();
  const auto id = [&](v1::CaseKind kind) {
    const auto* chart = set->ChartFor(kind, TestNow());
    return chart == nullptr ? "" : chart->pin.id();
  };
  EXPECT_EQ(id(v1::COMPLAINT), "complaint-iso10002");
  EXPECT_EQ(id(v1::INTERNAL_COMPLAINT), "complaint-iso10002");
  EXPECT_EQ(id(v1::REQUEST), "ticket-basic");
  EXPECT_EQ(id(v1::INCIDENT), "ticket-basic") << "the chart for imports was published later but is chosen by name only";
  EXPECT_EQ(id(v1::INQUIRY), "ticket-basic");
  EXPECT_EQ(id(v1::PROBLEM), "");
}

// Imports lie before anything was published, and are judged by the policies in force then.
TEST(ShippedPacks, TheImportedHistoryFindsItsPolicies) {
  PolicySetPtr set = std::make_shared<PolicySet>();
  for (const std::string& name : InOrder()) set = Publish(set, ShippedPack(name), TestNow());
  const absl::Time then = absl::FromCivil(absl::CivilDay(2016, 2, 29), absl::UTCTimeZone());
  EXPECT_EQ(set->ChartNamed("ticket-basic", then), nullptr);
  std::vector<std::string> policies;
  for (const auto* policy : set->SlaPolicies(then)) policies.push_back(policy->pin.id());
  EXPECT_THAT(policies, UnorderedElementsAre("servicenow-incident", "nyc311", "permits-wabo"));
  for (const std::string& id : policies) EXPECT_NE(set->ChartNamed(id, then), nullptr) << id;
  EXPECT_NE(set->CalendarNamed("always", then), nullptr);
  EXPECT_NE(set->CalendarNamed("netherlands-days", then), nullptr);
}

TEST(ShippedPacks, ExactlyOnePolicyServesACase) {
  const PolicySetPtr set = AllShipped();
  const auto first_match = [&](const v1::CaseFacts& facts) -> std::string {
    for (const auto* policy : set->SlaPolicies(TestNow())) {
      if (Evaluate(policy->value->when(), {.case_facts = &facts})) return policy->pin.id();
    }
    return "";
  };
  v1::CaseFacts facts;
  facts.set_kind(v1::INCIDENT);
  EXPECT_EQ(first_match(facts), "standard-tickets");
  facts.set_external_source("crm");
  EXPECT_EQ(first_match(facts), "standard-tickets");
  facts.set_external_source("servicenow-incident");
  EXPECT_EQ(first_match(facts), "servicenow-incident");
  facts.set_kind(v1::REQUEST);
  facts.set_external_source("nyc311");
  EXPECT_EQ(first_match(facts), "nyc311");
  facts.set_kind(v1::COMPLAINT);
  facts.clear_external_source();
  EXPECT_EQ(first_match(facts), "standard-complaints");
}

// By hand from the statistics of the ServiceNow log: 11 to 33.
TEST(ShippedPacks, ThePriorityMatrixIsServiceNows) {
  const PolicySetPtr set = AllShipped();
  const auto* matrix = set->MatrixFor(v1::COMPLAINT, TestNow());
  ASSERT_NE(matrix, nullptr);
  const std::map<std::pair<int, int>, uint32_t> expected = {{{1, 1}, 1}, {{1, 2}, 2}, {{2, 1}, 2},
                                                            {{2, 2}, 3}, {{3, 1}, 3}, {{1, 3}, 3},
                                                            {{2, 3}, 4}, {{3, 2}, 4}, {{3, 3}, 4}};
  for (const auto& [pair, priority] : expected) {
    EXPECT_EQ(matrix->value->impact(pair.first - 1).priority(pair.second - 1), priority) << pair.first << pair.second;
  }
}

const v1::MetricRule& Metric(const PolicySet& set, absl::string_view policy, absl::string_view metric) {
  for (const auto* published : set.SlaPolicies(TestNow())) {
    for (const v1::MetricRule& rule : published->value->metrics()) {
      if (published->pin.id() == policy && rule.metric() == metric) return rule;
    }
  }
  ADD_FAILURE() << policy << " has no " << metric;
  return v1::MetricRule::default_instance();
}

bool Stops(const v1::MetricRule& rule, absl::string_view event, const google::protobuf::Message& body) {
  for (const v1::MetricRule::Trigger& trigger : rule.stop()) {
    if (trigger.event() == event && Evaluate(trigger.where(), {.event = &body})) return true;
  }
  return false;
}

bool Cancels(const v1::MetricRule& rule, absl::string_view event, const google::protobuf::Message& body) {
  for (const v1::MetricRule::Trigger& trigger : rule.cancel()) {
    if (trigger.event() == event && Evaluate(trigger.where(), {.event = &body})) return true;
  }
  return false;
}

TEST(ShippedPacks, OnlyAPublicHumanMessageIsAFirstResponse) {
  const PolicySetPtr set = AllShipped();
  for (const char* policy : {"standard-complaints", "standard-tickets"}) {
    const v1::MetricRule& rule = Metric(*set, policy, "FIRST_RESPONSE");
    v1::OutboundSent sent;
    sent.set_human(true);
    EXPECT_FALSE(Stops(rule, "outbound_sent", sent)) << "internal";
    sent.set_public_message(true);
    EXPECT_TRUE(Stops(rule, "outbound_sent", sent));
    sent.set_human(false);
    EXPECT_FALSE(Stops(rule, "outbound_sent", sent)) << "automatic";
    EXPECT_FALSE(rule.pausable());
    EXPECT_FALSE(rule.reopens());
    EXPECT_EQ(rule.start_at(), "received_at");
  }
}

TEST(ShippedPacks, ResolvingOrClosingStopsResolutionAndVoidingCancelsIt) {
  const PolicySetPtr set = AllShipped();
  for (const char* policy : {"standard-complaints", "standard-tickets", "servicenow-incident"}) {
    const v1::MetricRule& rule = Metric(*set, policy, "RESOLUTION");
    v1::StatusChanged changed;
    const auto enter = [&](v1::StatusCategory category, const char* code) {
      changed.mutable_entered()->set_category(category);
      changed.mutable_entered()->set_closure_code(code);
      return std::make_pair(Stops(rule, "status_changed", changed), Cancels(rule, "status_changed", changed));
    };
    EXPECT_EQ(enter(v1::OPEN, ""), std::make_pair(false, false)) << policy;
    EXPECT_EQ(enter(v1::WAITING, ""), std::make_pair(false, false)) << policy;
    EXPECT_EQ(enter(v1::RESOLVED, ""), std::make_pair(true, false)) << policy;
    EXPECT_EQ(enter(v1::CLOSED, ""), std::make_pair(true, false)) << policy;
    EXPECT_EQ(enter(v1::CLOSED, "DECLINED"), std::make_pair(true, false)) << policy;
    EXPECT_EQ(enter(v1::CLOSED, "VOIDED"), std::make_pair(false, true)) << policy;
  }
}

TEST(ShippedPacks, APromiseOfTheCaseItselfIsADutyWhereverThereIsOne) {
  const PolicySetPtr set = AllShipped();
  for (const auto& [policy, metric] : std::map<std::string, std::string>{{"standard-complaints", "PROMISED"},
                                                                         {"standard-tickets", "PROMISED"},
                                                                         {"servicenow-incident", "PROMISED"},
                                                                         {"nyc311", "PROMISED"},
                                                                         {"permits-wabo", "DEADLINE"}}) {
    const v1::MetricRule& rule = Metric(*set, policy, metric);
    EXPECT_EQ(rule.nature(), v1::DUTY) << policy;
    EXPECT_EQ(rule.start_at(), "received_at") << policy;
    ASSERT_EQ(rule.targets_size(), 1) << policy;
    EXPECT_EQ(rule.targets(0).target().unit(), v1::Target::FIXED) << policy;
  }
}

const v1::Chart& ChartOf(const PolicySet& set, absl::string_view id) { return *set.ChartNamed(id, TestNow())->value; }

std::set<std::string> Sources(const v1::Chart& chart, absl::string_view transition_id) {
  for (const v1::Transition& transition : chart.transitions()) {
    if (transition.id() == transition_id) return {transition.from().begin(), transition.from().end()};
  }
  ADD_FAILURE() << chart.id() << " has no " << transition_id;
  return {};
}

TEST(ShippedPacks, AHoldIsPossibleFromEveryStatusAtWorkOrWaiting) {
  const PolicySetPtr set = AllShipped();
  for (const auto& [id, hold] : std::map<std::string, std::string>{{"ticket-basic", "hold-requester"},
                                                                   {"complaint-iso10002", "hold-complainant"},
                                                                   {"servicenow-incident", "hold-user-info"}}) {
    std::set<std::string> expected;
    for (const v1::Status& status : ChartOf(*set, id).statuses()) {
      if (status.category() != v1::RESOLVED && status.category() != v1::CLOSED) expected.insert(status.id());
    }
    EXPECT_EQ(Sources(ChartOf(*set, id), hold), expected) << id;
  }
}

TEST(ShippedPacks, EverythingButTheVoidedMayBeVoided) {
  const PolicySetPtr set = AllShipped();
  for (const char* id : {"ticket-basic", "complaint-iso10002", "servicenow-incident", "nyc311", "permits-wabo"}) {
    std::set<std::string> expected;
    for (const v1::Status& status : ChartOf(*set, id).statuses()) expected.insert(status.id());
    expected.erase("VOIDED");
    EXPECT_EQ(Sources(ChartOf(*set, id), "void"), expected) << id;
  }
}

TEST(ShippedPacks, OnlyWaitingForWhoAskedPausesResolution) {
  const PolicySetPtr set = AllShipped();
  for (const auto& [id, paused] : std::map<std::string, std::string>{{"ticket-basic", "PENDING_REQUESTER"},
                                                                     {"complaint-iso10002", "WAITING_COMPLAINANT"},
                                                                     {"servicenow-incident", "AWAITING_USER_INFO"}}) {
    for (const v1::Status& status : ChartOf(*set, id).statuses()) {
      EXPECT_EQ(status.pauses_size() > 0, status.id() == paused) << id << " " << status.id();
    }
  }
}

// The first unmet reason of the transition a command would take; "taken" when nothing is unmet.
std::string Try(const v1::Chart& chart, absl::string_view command, const v1::CaseFacts& facts,
                const google::protobuf::Message& body) {
  const Facts all{.case_facts = &facts, .command = &body, .event = nullptr};
  for (const v1::Transition& transition : chart.transitions()) {
    if (transition.command() != command || transition.by_timer()) continue;
    if (std::find(transition.from().begin(), transition.from().end(), facts.status()) == transition.from().end())
      continue;
    if (!Evaluate(transition.when(), all)) continue;
    for (const v1::Guard& guard : transition.guards()) {
      if (!Evaluate(guard.require(), all)) return guard.reason();
    }
    return "taken";
  }
  return "no transition";
}

TEST(ShippedPacks, ResolvingWithAnUnansweredMessageIsRefused) {
  const PolicySetPtr set = AllShipped();
  v1::CaseFacts facts;
  facts.set_status("OPEN");
  facts.set_unanswered_messages(1);
  EXPECT_EQ(Try(ChartOf(*set, "ticket-basic"), "resolve", facts, v1::ResolveCase()), "UNANSWERED_MESSAGES");
  facts.set_unanswered_messages(0);
  EXPECT_EQ(Try(ChartOf(*set, "ticket-basic"), "resolve", facts, v1::ResolveCase()), "taken");
}

TEST(ShippedPacks, WaitingForTheComplainantWantsAnInformationRequest) {
  const PolicySetPtr set = AllShipped();
  for (const auto& [id, status] :
       std::map<std::string, std::string>{{"ticket-basic", "OPEN"}, {"complaint-iso10002", "ASSESSMENT"}}) {
    v1::CaseFacts facts;
    facts.set_status(status);
    v1::HoldCase hold;
    hold.set_waiting_on(v1::COMPLAINANT);
    EXPECT_EQ(Try(ChartOf(*set, id), "hold", facts, hold), "INFORMATION_REQUEST_MISSING");
    facts.set_information_requested(true);
    EXPECT_EQ(Try(ChartOf(*set, id), "hold", facts, hold), "taken");
    facts.set_information_requested(false);
    hold.set_waiting_on(v1::DEPARTMENT);
    EXPECT_EQ(Try(ChartOf(*set, id), "hold", facts, hold), "taken") << "others wait without asking the complainant";
  }
}

TEST(ShippedPacks, AMessageReopensAResolvedTicketUnlessItAsksForNothing) {
  const PolicySetPtr set = AllShipped();
  v1::CaseFacts facts;
  facts.set_status("RESOLVED");
  v1::RecordInbound inbound;
  EXPECT_EQ(Try(ChartOf(*set, "ticket-basic"), "record_inbound", facts, inbound), "taken");
  inbound.set_no_reply_needed(true);
  EXPECT_EQ(Try(ChartOf(*set, "ticket-basic"), "record_inbound", facts, inbound), "no transition");
  inbound.set_no_reply_needed(false);
  inbound.set_internal(true);
  EXPECT_EQ(Try(ChartOf(*set, "ticket-basic"), "record_inbound", facts, inbound), "no transition");
}

TEST(ShippedPacks, ADecisionNamesItsReasonsAndTheFurtherRoutes) {
  const PolicySetPtr set = AllShipped();
  const v1::Chart& chart = ChartOf(*set, "complaint-iso10002");
  v1::CaseFacts facts;
  facts.set_status("DECISION_DRAFT");
  v1::IssueDecision issue;
  EXPECT_EQ(Try(chart, "issue_decision", facts, issue), "REASONS_MISSING");
  issue.add_parts("REASONS");
  EXPECT_EQ(Try(chart, "issue_decision", facts, issue), "FURTHER_ROUTES_MISSING");
  issue.add_parts("FURTHER_ROUTES");
  EXPECT_EQ(Try(chart, "issue_decision", facts, issue), "taken");
  facts.set_matters_without_finding(1);
  EXPECT_EQ(Try(chart, "issue_decision", facts, issue), "FINDING_MISSING");
}

TEST(ShippedPacks, NobodyClaimsSilenceByHand) {
  const PolicySetPtr set = AllShipped();
  for (const auto& [id, status] :
       std::map<std::string, std::string>{{"ticket-basic", "RESOLVED"}, {"complaint-iso10002", "DECISION_ISSUED"}}) {
    v1::CaseFacts facts;
    facts.set_status(status);
    v1::CloseCase close;
    close.set_basis("NO_REPLY");
    EXPECT_EQ(Try(ChartOf(*set, id), "close", facts, close), "NO_REPLY_NOT_ELAPSED");
    close.set_basis("ACCEPTED");
    EXPECT_EQ(Try(ChartOf(*set, id), "close", facts, close), "taken");
  }
}

TEST(ShippedPacks, SilenceClosesATicketAfterFiveDaysAndADecisionAfterEightWeeks) {
  const PolicySetPtr set = AllShipped();
  const auto timer = [&](absl::string_view id) {
    std::vector<std::string> found;
    for (const v1::Transition& transition : ChartOf(*set, id).transitions()) {
      if (!transition.by_timer()) continue;
      found.push_back(transition.from(0) + " " + absl::FormatDuration(FromProto(transition.after())) + " " +
                      transition.basis());
    }
    return found;
  };
  EXPECT_THAT(timer("ticket-basic"), ElementsAre("RESOLVED 120h NO_REPLY"));
  EXPECT_THAT(timer("complaint-iso10002"), ElementsAre("DECISION_ISSUED 1344h NO_REPLY"));
  EXPECT_THAT(timer("servicenow-incident"), ElementsAre("RESOLVED 120h NO_REPLY"));
}

// Vector V6 of the domain's golden ones, on the shipped calendar.
TEST(ShippedPacks, LondonIsClosedOnItsBankHolidays) {
  const PolicySetPtr set = AllShipped();
  const auto* london = set->CalendarNamed("london", TestNow());
  ASSERT_NE(london, nullptr);
  absl::TimeZone zone;
  ASSERT_TRUE(absl::LoadTimeZone("Europe/London", &zone));
  const absl::Time start = absl::FromCivil(absl::CivilSecond(2026, 12, 24, 16, 0, 0), zone);
  EXPECT_EQ(london->value->Advance(start, absl::Hours(4)),
            absl::FromCivil(absl::CivilSecond(2026, 12, 29, 12, 0, 0), zone));
}

TEST(ShippedPacks, NoNameOfAPersonIsInTheCompiledDirectory) {
  const Pack pack = ParsePack(ShippedPack("directory-sample.yaml"), PolicySet(), TestNow());
  ASSERT_TRUE(pack.directory.has_value());
  EXPECT_EQ(pack.directory->directory.principals_size(), 12);
  EXPECT_EQ(pack.directory->names.size(), 12);
  EXPECT_THAT(pack.directory->names,
              Contains(std::make_pair(std::string("tomasz.zielinski"), std::string("Tomasz Zieliński"))));
  const std::string bytes = pack.directory->directory.SerializeAsString();
  for (const auto& [id, name] : pack.directory->names) EXPECT_FALSE(absl::StrContains(bytes, name)) << id;
}

}  // namespace
}  // namespace docket::policy
