#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/tools/import/test_files.h"
#include "tools/import/mapping.h"

namespace docket::import_tool {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// The message of parsing the small mapping with one text replaced by another.
std::string ErrorWith(const std::string& from, const std::string& to) {
  const std::string yaml = absl::StrReplaceAll(kSmallMapping, {{from, to}});
  EXPECT_NE(yaml, kSmallMapping) << from;
  return std::string(ParseMapping(yaml, "map.yaml").status().message());
}

TEST(MappingTest, TheShippedServiceNowMappingParses) {
  const absl::StatusOr<Mapping> mapping = LoadMapping("tools/import/mappings/servicenow-incident.yaml");
  ASSERT_TRUE(mapping.ok()) << mapping.status();
  EXPECT_EQ(mapping->source, "servicenow-incident");
  EXPECT_EQ(mapping->workflow, "servicenow-incident");
  EXPECT_EQ(mapping->kind, docket::v1::INCIDENT);
  EXPECT_EQ(mapping->status.map.at("-100"), "UNMAPPED_100");
  EXPECT_EQ(mapping->none.count("?"), 1);
  // Final values copied to every row must not leak into earlier events.
  EXPECT_THAT(mapping->Columns(), testing::Not(testing::Contains("resolved_at")));
  EXPECT_THAT(mapping->Columns(), testing::Not(testing::Contains("closed_at")));
}

TEST(MappingTest, ColumnsAreListedOnce) {
  EXPECT_THAT(MustParse(kSmallMapping).Columns(),
              ElementsAre("id", "opened", "updated", "state", "group", "who", "impact"));
}

TEST(MappingTest, AnUnknownKeyIsNamedWithItsLine) {
  EXPECT_THAT(ErrorWith("  owner:", "  oner:"), StartsWith("map.yaml:16: unknown key \"oner\", want one of key,"));
  EXPECT_THAT(ErrorWith("kind: INCIDENT", "kind: INCIDENT\nx: 1"), StartsWith("map.yaml:5: unknown key \"x\""));
}

TEST(MappingTest, AKeyTwiceIsRefused) {
  EXPECT_THAT(ErrorWith("kind: INCIDENT", "kind: INCIDENT\nkind: REQUEST"), "map.yaml:5: key \"kind\" twice");
}

TEST(MappingTest, AMissingKeyIsNamed) {
  EXPECT_THAT(ErrorWith("  updated_at: updated\n", ""), HasSubstr("want the key \"updated_at\""));
  EXPECT_THAT(ErrorWith("source: desk\n", ""), HasSubstr("want the key \"source\""));
}

TEST(MappingTest, ValuesOutOfRangeAreNamedWithTheirLine) {
  EXPECT_THAT(ErrorWith("zone: UTC", "zone: Mars/Olympus"), StartsWith("map.yaml:8: zone \"Mars/Olympus\""));
  EXPECT_THAT(ErrorWith("kind: INCIDENT", "kind: GRUMBLE"), StartsWith("map.yaml:4: kind \"GRUMBLE\""));
  EXPECT_EQ(ErrorWith("format: csv", "format: xml"), "map.yaml:5: \"xml\", want csv or json or csv or json");
  EXPECT_EQ(ErrorWith("Incident {id}", "Incident {id"), "map.yaml:11: unpaired brace in \"Incident {id\"");
  EXPECT_EQ(ErrorWith("slug: true", "slug: yes"), "map.yaml:15: \"yes\", want true or false");
  EXPECT_THAT(ErrorWith("kind: INCIDENT", "kind: INCIDENT\ndelimiter: ab"), StartsWith("map.yaml:5: delimiter"));
  EXPECT_THAT(ErrorWith("kind: INCIDENT", "kind: INCIDENT\nobserved_until: soon"),
              StartsWith("map.yaml:5: observed_until \"soon\""));
}

TEST(MappingTest, MalformedYamlIsNamedWithItsLine) {
  EXPECT_THAT(std::string(ParseMapping("a: [1\nb: 2\n", "map.yaml").status().message()), StartsWith("map.yaml:2: "));
  EXPECT_THAT(std::string(ParseMapping("- a\n", "map.yaml").status().message()), StartsWith("map.yaml:1: "));
  EXPECT_FALSE(ParseMapping("", "map.yaml").ok());
}

TEST(MappingTest, AWholeCaseNeedsItsFirstStatusAndASnapshotHasNone) {
  EXPECT_THAT(ErrorWith("snapshot of a case", "whole case"), HasSubstr("want the key \"first_status\""));
  EXPECT_THAT(ErrorWith("  queue:", "  first_status: NEW\n  queue:"), HasSubstr("want it with whole cases or steps only"));
}

TEST(MappingTest, TheOtherShippedMappingsParse) {
  const absl::StatusOr<Mapping> city = LoadMapping("tools/import/mappings/nyc311.yaml");
  ASSERT_TRUE(city.ok()) << city.status();
  EXPECT_EQ(city->rows, RowMeaning::kWholeCase);
  EXPECT_EQ(city->format, FileFormat::kEither);
  EXPECT_THAT(city->SpellingsOf("closed"), ElementsAre("Closed Date", "closed_date"));
  EXPECT_THAT(city->SpellingsOf("no alias"), ElementsAre("no alias"));
  const absl::StatusOr<Mapping> permits = LoadMapping("tools/import/mappings/permits-wabo.yaml");
  ASSERT_TRUE(permits.ok()) << permits.status();
  EXPECT_EQ(permits->rows, RowMeaning::kStep);
  EXPECT_TRUE(permits->closing.day_precision);
}

TEST(MappingTest, AFileHasOneSpellingOfEachColumnUnlessItIsOptional) {
  const Mapping mapping = MustParse(absl::StrCat(
      "aliases: {g: [Group, group], w: [Who, who]}\noptional: [w]",
      absl::StrReplaceAll(kSmallMapping, {{"column: group", "column: g"}, {"column: who", "column: w"}})));
  EXPECT_THAT(mapping.Columns(),
              ElementsAre("id", "opened", "updated", "state", "Group", "group", "Who", "who", "impact"));
  EXPECT_TRUE(mapping.CheckColumns({"Group", "Who", "who"}, {}).ok());
  EXPECT_THAT(std::string(mapping.CheckColumns({"Group", "group"}, {"id"}).message()),
              HasSubstr("the file has no column \"Group\" or \"group\""));
}

TEST(MappingTest, ObservationEndsAtAnInstantOrWithTheImport) {
  const auto with = [](const std::string& until) { return absl::StrCat("observed_until: ", until, kSmallMapping); };
  EXPECT_TRUE(MustParse(with("2016-02-01T12:00:00Z")).observed_until.has_value());
  EXPECT_FALSE(MustParse(with("2016-02-01T12:00:00Z")).observed_until_import);
  EXPECT_FALSE(MustParse(with("import")).observed_until.has_value());
  EXPECT_TRUE(MustParse(with("import")).observed_until_import);
}

TEST(MappingTest, AClosingColumnIsForWholeCasesAndSteps) {
  EXPECT_THAT(ErrorWith("  queue:", "  closed_at: {column: x, status: CLOSED}\n  queue:"),
              HasSubstr("closed_at: want it with whole cases or steps only"));
  EXPECT_THAT(ErrorWith("  queue:", "  closed_at: {column: x}\n  queue:"), HasSubstr("closed_at"));
}

TEST(MappingTest, AColumnTheFileLacksIsNamedWithTheMappingsLine) {
  const Mapping mapping = MustParse(absl::StrReplaceAll(kSmallMapping, {{"impact: impact", "impact: [Impact, impact]"}}));
  EXPECT_TRUE(mapping.CheckColumns({"Impact"}, {"id", "impact"}).ok());
  EXPECT_EQ(mapping.CheckColumns({"Impact", "impact"}, {"id", "state"}).message(),
            "map.yaml:17: the file has no column \"Impact\" or \"impact\", it has id, state");
}

}  // namespace
}  // namespace docket::import_tool
