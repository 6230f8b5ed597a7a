#include "tools/policytest/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace docket::policytest {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Runs the one scenario of these lines, the shipped complaints and tickets published; one line per difference.
std::vector<std::string> Differences(absl::string_view steps) {
  const std::string text = absl::StrCat(R"(zone: Europe/London
now: 2026-11-18 09:00
as: grace.lind
packs: [directory-sample.yaml, calendar-london.yaml, complaint-iso10002.yaml, ticket-basic.yaml, priority-matrix.yaml,
        sla-standard.yaml, ladder-standard.yaml]
scenarios:
  - name: one
    steps:
)",
                                        steps);
  const Suite suite = ReadSuite("a.yaml", text, [](const std::string& name) { return ShippedPack(name); });
  for (const FileFinding& one : suite.findings) ADD_FAILURE() << one.finding.line << ": " << one.finding.message;
  std::vector<std::string> lines;
  if (!suite.findings.empty()) return lines;
  for (const Difference& one : RunScenario(suite, suite.scenarios.at(0)).differences) {
    lines.push_back(absl::StrCat(one.line, " ", one.when, " ", one.what, ": ", one.expected, " / ", one.got));
  }
  return lines;
}

constexpr char kFile[] = "      - file: {kind: COMPLAINT}\n";

TEST(Run, WhatIsAsExpectedDiffersInNothing) {
  EXPECT_THAT(Differences(absl::StrCat(kFile, R"(
        expect:
          status: RECEIVED
          clocks: [{metric: FIRST_RESPONSE, due: Wed 2026-11-18 17:00, state: RUNNING, met: false, late: false}]
          no_clocks: [{metric: FIRST_RESPONSE, cycle: 2}, {metric: RESOLUTION, obligation: REGULATOR}]
          warnings: []
          holds: {case.priority: 3}
      - advance: +8h
        expect: {breaches: [], warnings: [{at: 2026-11-18 13:00}, {permille: 750}, {metric: FIRST_RESPONSE, permille: 900}]}
      - advance: +1s
        expect:
          breaches: [{metric: FIRST_RESPONSE, due: 2026-11-18 17:00, cause: TIME, department: complaints}]
          escalations: [{level: 1, kind: HIERARCHICAL, target: helen.marsh, metric: FIRST_RESPONSE, at: 2026-11-18 17:00}]
          clocks: [{metric: FIRST_RESPONSE, late: true, met: false}]
)")),
              IsEmpty());
}

TEST(Run, EachDifferenceNamesLineInstantExpectedAndGot) {
  EXPECT_THAT(
      Differences(absl::StrCat(kFile, R"(
        expect:
          status: ASSESSMENT
          clocks: [{metric: FIRST_RESPONSE, due: Wed 2026-11-18 16:00}, {metric: NOTHING, met: true}]
          no_clocks: [{metric: RESOLUTION}]
      - advance: +9h
        expect: {breaches: [], holds: {case.priority: 1}}
)")),
      ElementsAre("13 Wed 2026-11-18 09:00 FIRST_RESPONSE.due: Wed 2026-11-18 16:00 / Wed 2026-11-18 17:00",
                  "13 Wed 2026-11-18 09:00 NOTHING: a clock / FIRST_RESPONSE CUSTOMER RUNNING due Wed 2026-11-18 "
                  "17:00; RESOLUTION CUSTOMER RUNNING due Tue 2026-12-01 17:00",
                  "14 Wed 2026-11-18 09:00 RESOLUTION: no such clock / RESOLUTION CUSTOMER RUNNING due Tue "
                  "2026-12-01 17:00",
                  "12 Wed 2026-11-18 09:00 status: ASSESSMENT / RECEIVED",
                  "16 Wed 2026-11-18 18:00 breaches: 0 / cause TIME, cycle 1, department complaints, due Wed "
                  "2026-11-18 17:00, metric FIRST_RESPONSE, obligation CUSTOMER",
                  "16 Wed 2026-11-18 18:00 holds: case.priority = 1 / that it does not"));
}

TEST(Run, ARefusalIsExpectedByItsReasonsAndChangesNothing) {
  EXPECT_THAT(Differences(absl::StrCat(kFile, R"(
      - hold: {waiting_on: COMPLAINANT, reason_code: X}
        expect: {refused: INFORMATION_REQUEST_MISSING, status: RECEIVED}
      - hold: {waiting_on: COMPLAINANT, reason_code: X}
        expect: {refused: [OTHER, ONE]}
      - send_outbound: {kind: INFORMATION_REQUEST}
        expect: {refused: NOT_SO}
)")),
              ElementsAre("14 Wed 2026-11-18 09:00 hold refused: OTHER, ONE / INFORMATION_REQUEST_MISSING",
                          "16 Wed 2026-11-18 09:00 send_outbound refused: NOT_SO / accepted"));
}

TEST(Run, ARefusalThatNobodyExpectsEndsTheScenario) {
  EXPECT_THAT(Differences(absl::StrCat(kFile, R"(
      - triage: {severity: 1, impact: 1, urgency: 1}
      - {at: +1h, expect: {status: NEVER_REACHED}}
)"))
                  .size(),
              1u);
}

TEST(Run, AStepIsNamedByItsId) {
  EXPECT_THAT(Differences(R"(      - file: {kind: REQUEST}
      - {at: +1h, id: letter, record_inbound: {body: Thanks}}
      - mark_no_reply_needed: {inbound_revision: $letter}
        expect: {holds: {case.unanswered_messages: 0}}
)"),
              IsEmpty());
}

TEST(Run, WhatIsEnteredLateTakesEffectWhenItHappened) {
  EXPECT_THAT(Differences(absl::StrCat(kFile, R"(
      - at: 2026-11-18 18:00
        send_outbound: {kind: RESPONSE}
        occurred_at: 2026-11-18 16:00
        evidence: call-17
        expect: {clocks: [{metric: FIRST_RESPONSE, state: FULFILLED, met: false, stopped: 2026-11-18 16:00}]}
)")),
              IsEmpty());
}

}  // namespace
}  // namespace docket::policytest
