// Which queue a case goes to by its facts.
#include <fstream>
#include <sstream>
#include <string>

#include "gtest/gtest.h"
#include "tests/workflow/case/case_desk.h"

namespace docket::workflow::testing {
namespace {

std::string ReadRouting() {
  std::ifstream file("workflow/policy/packs/routing-standard.yaml");
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

CaseDesk Desk() { return CaseDesk(With(ShippedPolicies(), ReadRouting())); }

std::string QueueOf(const std::string& file_fields) {
  CaseDesk desk = Desk();
  desk.Must("file { " + file_fields + " }");
  return desk.state().queue();
}

TEST(RoutingTest, TheFirstRuleThatHoldsDecides) {
  EXPECT_EQ(QueueOf("kind: COMPLAINT title: 'x' category: 'meter'"), "billing");
  EXPECT_EQ(QueueOf("kind: COMPLAINT title: 'x' category: 'leak' tier: 'VIP'"), "field-service");
  EXPECT_EQ(QueueOf("kind: COMPLAINT title: 'x' tier: 'VIP'"), "complaints");
  EXPECT_EQ(QueueOf("kind: INCIDENT title: 'x' channel { medium: TEXT carrier: 'portal' }"), "it-desk");
  EXPECT_EQ(QueueOf("kind: INQUIRY title: 'x' channel { medium: VOICE carrier: 'phone' }"), "service-desk");
}

TEST(RoutingTest, NoRuleLeavesItToTheWorkflowAndAQueueNamedToWhoeverNamesIt) {
  EXPECT_EQ(QueueOf("kind: COMPLAINT title: 'x'"), "intake");
  EXPECT_EQ(QueueOf("kind: COMPLAINT title: 'x' category: 'meter' queue: 'legal'"), "legal");
}

TEST(RoutingTest, SkillsTheRuleAndTheDepartmentAreOnRecord) {
  CaseDesk desk = Desk();
  desk.Must("file { kind: COMPLAINT title: 'x' language: 'cy' }");
  ASSERT_EQ(desk.state().required_skills_size(), 1);
  EXPECT_EQ(desk.state().required_skills(0), "WELSH");
  EXPECT_EQ(desk.state().department(), "complaints");
  EXPECT_EQ(desk.events().back().rule(), "standard@1");
  desk.Must("queue { queue: 'intake' }");
  EXPECT_EQ(desk.state().required_skills_size(), 0);
}

TEST(RoutingTest, RoutedAgainWhenItsFactsHaveChanged) {
  CaseDesk desk = Desk();
  desk.Must("file { kind: COMPLAINT title: 'x' }");
  EXPECT_EQ(Told(desk.Would("route {}")), "CONDITIONS_UNMET: NO_ROUTE");
  desk.Must("classify { category: 'meter' }");
  EXPECT_EQ(desk.Must("route {}"), "CaseQueued");
  EXPECT_EQ(desk.state().queue(), "billing");
  EXPECT_EQ(desk.Must("route {}"), "");
}

TEST(RoutingTest, WhatSomebodyWorksOnIsNotPushedOverToAnotherDepartment) {
  CaseDesk desk = Desk();
  desk.Must("file { kind: COMPLAINT title: 'x' }");
  desk.Must("take {}");
  desk.Must("classify { category: 'meter' }");
  EXPECT_EQ(Told(desk.Would("route {}")), "CONDITIONS_UNMET: OTHER_DEPARTMENT");
}

}  // namespace
}  // namespace docket::workflow::testing
