#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tools/policytest/scenario.h"

namespace docket::policytest {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr char kHead[] = R"(zone: Europe/London
now: 2026-11-18 09:00
as: luis.romero
packs: [directory-sample.yaml, calendar-london.yaml, complaint-iso10002.yaml]
)";

// "line: REASON message" of everything that is wrong with a file.
std::vector<std::string> Findings(absl::string_view text) {
  std::vector<std::string> found;
  for (const FileFinding& one :
       ReadSuite("a.yaml", text, [](const std::string& name) { return ShippedPack(name); }).findings) {
    found.push_back(absl::StrCat(one.file, ":", one.finding.line, ": ", one.finding.reason, " ", one.finding.message));
  }
  return found;
}
std::vector<std::string> FindingsOfSteps(absl::string_view steps) {
  return Findings(absl::StrCat(kHead, "scenarios:\n  - name: one\n    steps:\n", steps));
}

TEST(ReadSuite, AFileThatSaysAllIsWhole) {
  EXPECT_THAT(
      FindingsOfSteps("      - {file: {kind: COMPLAINT, receivedAt: 2026-11-18 08:00}, expect: {status: RECEIVED}}\n"),
      IsEmpty());
}

TEST(ReadSuite, AnUnknownKeyIsAnError) {
  EXPECT_THAT(
      FindingsOfSteps("      - {fille: {kind: COMPLAINT}, expect: {status: RECEIVED}}\n"),
      ElementsAre(StartsWith("a.yaml:8: UNKNOWN_KEY step: found the key \"fille\", want a known one; nearest: file")));
  EXPECT_THAT(FindingsOfSteps("      - {file: {kind: COMPLAINT}, expect: {clocks: [{metric: X, duw: none}]}}\n"),
              ElementsAre(StartsWith("a.yaml:8: UNKNOWN_KEY clock: found the key \"duw\""),
                          StartsWith("a.yaml:8: NOTHING_EXPECTED clock")));
  EXPECT_THAT(FindingsOfSteps("      - {file: {kind: COMPLAINT, titel: x}, expect: {status: RECEIVED}}\n"),
              ElementsAre(StartsWith(
                  "a.yaml:8: UNKNOWN_KEY file: found the key \"titel\", want a field of FileCase; nearest: title")));
}

TEST(ReadSuite, AScenarioThatExpectsNothingIsAnError) {
  EXPECT_THAT(FindingsOfSteps("      - {file: {kind: COMPLAINT}}\n"),
              ElementsAre(StartsWith("a.yaml:6: NOTHING_EXPECTED scenario: ")));
  EXPECT_THAT(FindingsOfSteps("      - {file: {kind: COMPLAINT}, expect: {}}\n"),
              ElementsAre(StartsWith("a.yaml:8: NOTHING_EXPECTED expect: ")));
}

TEST(ReadSuite, FieldsOfCommandsAreCheckedAsTheServerDoes) {
  EXPECT_THAT(
      FindingsOfSteps(R"(      - file: {kind: COMPLAIN, impact: two}
      - hold: {waiting_on: LEGAL, until: soon}
      - close: {basis: "no spaces here"}
      - decline: {reason_code: [X]}
      - {issue_decision: {parts: REASONS}, expect: {status: X}}
)"),
      ElementsAre(StartsWith("a.yaml:8: UNKNOWN_VALUE file.kind: found the text \"COMPLAIN\""),
                  StartsWith("a.yaml:8: WRONG_TYPE file.impact"),
                  StartsWith("a.yaml:8: MISSING_KEY file: found no key \"kind\""),
                  StartsWith("a.yaml:9: BAD_TIME hold.until"),
                  StartsWith("a.yaml:9: MISSING_KEY hold: found no key \"reason_code\""),
                  StartsWith("a.yaml:10: INVALID_FIELD close.basis: \"no spaces here\", want a code"),
                  StartsWith("a.yaml:11: WRONG_TYPE decline.reason_code: found a list"),
                  StartsWith("a.yaml:11: MISSING_KEY decline"),
                  StartsWith("a.yaml:12: WRONG_TYPE issue_decision.parts: found the text \"REASONS\", want a list")));
}

TEST(ReadSuite, TimeRunsForward) {
  EXPECT_THAT(
      FindingsOfSteps("      - file: {kind: COMPLAINT}\n      - {at: 2026-11-17 09:00, expect: {status: RECEIVED}}\n"),
      ElementsAre("a.yaml:9: BACKWARDS step: found Tue 2026-11-17 09:00, want at least Wed 2026-11-18 09:00, when the "
                  "step before is"));
  EXPECT_THAT(FindingsOfSteps("      - {at: +1h, advance: +1h, expect: {status: X}}\n"),
              ElementsAre(StartsWith("a.yaml:8: TWO_TIMES")));
}

TEST(ReadSuite, NamesMustBeKnown) {
  EXPECT_THAT(FindingsOfSteps("      - {file: {kind: COMPLAINT}, as: luis.romera, expect: {status: X}}\n"),
              ElementsAre(StartsWith("a.yaml:8: UNKNOWN_PRINCIPAL \"luis.romera\"")));
  EXPECT_THAT(
      FindingsOfSteps("      - {mark_no_reply_needed: {inbound_revision: $letter}, expect: {status: X}}\n"),
      ElementsAre(StartsWith("a.yaml:8: WRONG_TYPE mark_no_reply_needed.inbound_revision: found the text \"$letter\", "
                             "want $ and the id of a step before this one"),
                  StartsWith("a.yaml:8: MISSING_KEY")));
  EXPECT_THAT(
      Findings(absl::StrReplaceAll(kHead, {{"Europe/London", "Europe/Londn"}, {"calendar-london", "calendar-lodnon"}})),
      ElementsAre(StartsWith("a.yaml:1: UNKNOWN_ZONE"),
                  StartsWith("a.yaml:1: MISSING_KEY file: found no key \"scenarios\""),
                  StartsWith("a.yaml:4: PACK_NOT_FOUND file.packs: \"calendar-lodnon.yaml\" is not shipped")));
}

TEST(ReadSuite, FindingsOfAPackNameThePack) {
  const Suite suite = ReadSuite("a.yaml", absl::StrReplaceAll(kHead, {{"[directory-sample.yaml, ", "[bad.yaml, "}}),
                                [](const std::string& name) -> absl::StatusOr<std::string> {
                                  if (name == "bad.yaml")
                                    return std::string("calendar: always\nalways: true\nwekk: {}\n");
                                  return ShippedPack(name);
                                });
  ASSERT_FALSE(suite.findings.empty());
  EXPECT_EQ(suite.findings[0].file, "bad.yaml");
  EXPECT_EQ(suite.findings[0].finding.line, 3);
}

TEST(ReadSuite, LimitsAreNamed) {
  EXPECT_THAT(Findings(std::string(kMaxFileBytes + 1, '#')), ElementsAre(StartsWith("a.yaml:1: FILE_TOO_LARGE")));
  EXPECT_THAT(Findings(std::string(kMaxFileBytes, '#')), ElementsAre(StartsWith("a.yaml:1: EMPTY_FILE")));
  EXPECT_THAT(Findings("zone: \x01"), ElementsAre(StartsWith("a.yaml:1: NOT_TEXT")));
  const auto steps = [](size_t count) {
    std::string text = "      - {file: {kind: COMPLAINT}, expect: {status: RECEIVED}}\n";
    for (size_t i = 1; i < count; ++i) text += "      - {at: +1s}\n";
    return text;
  };
  EXPECT_THAT(FindingsOfSteps(steps(kMaxSteps)), IsEmpty());
  EXPECT_THAT(FindingsOfSteps(steps(kMaxSteps + 1)),
              ElementsAre(StartsWith("a.yaml:6: NOTHING_EXPECTED"),
                          StartsWith("a.yaml:8: TOO_MANY scenario.steps: found 257")));
}

}  // namespace
}  // namespace docket::policytest
