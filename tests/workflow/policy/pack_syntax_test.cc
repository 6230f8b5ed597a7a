#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/workflow/policy/pack_support.h"

namespace docket::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kMatrix[] = R"(priority_matrix: mini
kinds: [REQUEST]
impact:
  - [1, 2, 3]
  - [2, 3, 4]
  - [3, 4, 5]
)";

TEST(PackSyntax, TheExampleIsValid) {
  const Pack pack = ParsePack(kMatrix, PolicySet(), TestNow());
  ASSERT_THAT(pack.findings, IsEmpty()) << Explain(pack.findings);
  const v1::PriorityMatrix& matrix = pack.documents[0].compiled.matrix();
  EXPECT_EQ(matrix.impact(2).priority(1), 4);
}

class BrokenSyntax : public ::testing::TestWithParam<Broken> {};

TEST_P(BrokenSyntax, IsFoundAtItsLine) {
  const Pack pack = ParsePack(Break(kMatrix, GetParam()), PolicySet(), TestNow());
  EXPECT_THAT(Brief(pack.findings), ElementsAreArray(GetParam().findings)) << Explain(pack.findings);
  EXPECT_THAT(pack.documents, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Table, BrokenSyntax,
    ::testing::Values(Broken{"unknown kind of document", "priority_matrix:", "priority_matrx:", {"1 UNKNOWN_DOCUMENT"}},
                      Broken{"kind not first",
                             "priority_matrix: mini\nkinds: [REQUEST]",
                             "kinds: [REQUEST]\npriority_matrix: mini",
                             {"1 UNKNOWN_DOCUMENT"}},
                      Broken{
                          "no map", "priority_matrix: mini\nkinds: [REQUEST]\nimpact:\n", "", {"1 UNKNOWN_DOCUMENT"}},
                      Broken{"id", "matrix: mini", "matrix: Mini", {"1 BAD_NAME"}},
                      Broken{"id with blank", "matrix: mini", "matrix: mi ni", {"1 BAD_NAME"}},
                      Broken{"no id", "matrix: mini", "matrix:", {"1 WRONG_TYPE"}},
                      Broken{"id a list", "matrix: mini", "matrix: [mini]", {"1 WRONG_TYPE"}},
                      Broken{"long id",
                             "matrix: mini",
                             "matrix: a0123456789012345678901234567890123456789012345678901234567890123",
                             {"1 TOO_LONG"}},
                      Broken{"key twice", "kinds: [REQUEST]", "kinds: [REQUEST]\nkinds: [TASK]", {"3 DUPLICATE_KEY"}},
                      Broken{"unknown key", "kinds: [REQUEST]", "kind: [REQUEST]", {"2 UNKNOWN_KEY"}},
                      Broken{"key a list", "kinds: [REQUEST]", "[kinds]: [REQUEST]", {"2 YAML_SYNTAX"}},
                      Broken{"open bracket", "kinds: [REQUEST]", "kinds: [REQUEST", {"3 YAML_SYNTAX"}},
                      Broken{"tab", "  - [2, 3, 4]", "\t- [2, 3, 4]", {"5 YAML_SYNTAX"}},
                      Broken{"anchor", "kinds: [REQUEST]", "kinds: &kinds [REQUEST]", {"2 YAML_ALIAS"}},
                      Broken{"alias", "kinds: [REQUEST]", "kinds: *kinds", {"2 YAML_SYNTAX"}},
                      Broken{"tag", "kinds: [REQUEST]", "kinds: !!set [REQUEST]", {"2 YAML_TAG"}},
                      Broken{"content beside separator",
                             "kinds: [REQUEST]",
                             "--- kinds: [REQUEST]",
                             {"1 MISSING_KEY", "2 YAML_SYNTAX", "3 UNKNOWN_DOCUMENT"}},
                      Broken{"document end", "kinds: [REQUEST]", "...\nkinds: [REQUEST]", {"1 YAML_SYNTAX"}},
                      Broken{"not UTF-8", "mini", "mi\xff", {"1 NOT_TEXT"}},
                      Broken{"overlong UTF-8", "[1, 2, 3]", "[1, \xc0\xaf, 3]", {"4 NOT_TEXT"}},
                      Broken{"control character", "[1, 2, 3]", "[1, \x01, 3]", {"4 NOT_TEXT"}},
                      Broken{"two rows", "  - [3, 4, 5]\n", "", {"4 NOT_3_BY_3"}},
                      Broken{"two columns", "[3, 4, 5]", "[3, 4]", {"6 NOT_3_BY_3"}},
                      Broken{"priority 0", "[1, 2, 3]", "[0, 2, 3]", {"4 OUT_OF_RANGE"}},
                      Broken{"priority 6", "[3, 4, 5]", "[3, 4, 6]", {"6 OUT_OF_RANGE"}},
                      Broken{"no number", "[3, 4, 5]", "[3, 4, low]", {"6 WRONG_TYPE"}},
                      Broken{"no impact", "impact:", "kind:", {"1 MISSING_KEY", "3 UNKNOWN_KEY"}},
                      Broken{"effective_from", "kinds: [REQUEST]", "effective_from: tomorrow", {"2 BAD_TIME"}},
                      Broken{"effective never", "kinds: [REQUEST]", "effective_from: infinite-future", {"2 BAD_TIME"}}),
    [](const auto& info) { return std::to_string(info.index); });

TEST(PackSyntax, NothingIsNoPack) {
  for (const char* yaml : {"", "\n", "# nothing here\n", "---\n---\n"}) {
    EXPECT_THAT(Brief(ParsePack(yaml, PolicySet(), TestNow()).findings), ElementsAre("1 EMPTY_PACK")) << yaml;
  }
}

TEST(PackSyntax, ADocumentKeepsItsExactBytes) {
  const std::string first = absl::StrCat("# first\r\n", kMatrix, "\n");
  const std::string second = "calendar: always\nalways: true";
  const Pack pack = ParsePack(absl::StrCat(first, "---  # separator\n", second), PolicySet(), TestNow());
  ASSERT_THAT(pack.findings, IsEmpty()) << Explain(pack.findings);
  ASSERT_EQ(pack.documents.size(), 2);
  EXPECT_EQ(pack.documents[0].yaml, first);
  EXPECT_EQ(pack.documents[1].yaml, second);
  EXPECT_EQ(pack.documents[1].kind, v1::CALENDAR);
}

// By sha256sum.
TEST(PackSyntax, TheDigestIsThatOfTheBytes) {
  const Pack pack = ParsePack("calendar: always\nalways: true\n", PolicySet(), TestNow());
  ASSERT_THAT(pack.findings, IsEmpty());
  std::string hex;
  for (unsigned char byte : pack.documents[0].digest) absl::StrAppend(&hex, absl::Hex(byte, absl::kZeroPad2));
  EXPECT_EQ(hex, "f3df0533ff762aac44fd3172c2f8bcb5142078a0e63f743de330dd2cc68b3fe6");
}

TEST(PackSyntax, LinesAreThoseOfTheWholeFile) {
  const std::string yaml =
      absl::StrCat("# a comment\n---\n", kMatrix, "---\n# another\ncalendar: c\nzone: Nowhere\nweek: {}\n");
  const Pack pack = ParsePack(yaml, PolicySet(), TestNow());
  EXPECT_THAT(Brief(pack.findings), ElementsAre("12 UNKNOWN_ZONE")) << Explain(pack.findings);
}

TEST(PackSyntax, TheSameIdTwiceIsFoundAtTheSecond) {
  const Pack pack = ParsePack(absl::StrCat(kMatrix, "---\n", kMatrix), PolicySet(), TestNow());
  EXPECT_THAT(Brief(pack.findings), ElementsAre("8 DUPLICATE_ID"));
}

TEST(PackSyntax, EffectiveFromIsRead) {
  const Pack pack =
      ParsePack(absl::StrCat(kMatrix, "effective_from: 2016-02-29T01:00:00+01:00\n"), PolicySet(), TestNow());
  ASSERT_THAT(pack.findings, IsEmpty()) << Explain(pack.findings);
  EXPECT_EQ(pack.documents[0].effective_from, absl::FromUnixSeconds(1456704000));
  EXPECT_EQ(ParsePack(kMatrix, PolicySet(), TestNow()).documents[0].effective_from, std::nullopt);
}

TEST(PackSyntax, TheNearestNameIsSuggested) {
  const Pack pack = ParsePack(Break(kMatrix, {"", "[REQUEST]", "[REQUST]", {}}), PolicySet(), TestNow());
  ASSERT_EQ(pack.findings.size(), 1);
  EXPECT_THAT(pack.findings[0].message, HasSubstr("found the text \"REQUST\""));
  EXPECT_THAT(pack.findings[0].message, HasSubstr("nearest: REQUEST"));
}

TEST(PackSyntax, SizeIsLimited) {
  std::string yaml(kMatrix);
  yaml += "#" + std::string(kMaxPackBytes - yaml.size() - 1, 'x');
  ASSERT_EQ(yaml.size(), kMaxPackBytes);
  EXPECT_THAT(ParsePack(yaml, PolicySet(), TestNow()).findings, IsEmpty());
  EXPECT_THAT(Brief(ParsePack(yaml + "x", PolicySet(), TestNow()).findings), ElementsAre("1 PACK_TOO_LARGE"));
}

TEST(PackSyntax, DocumentsAreLimited) {
  std::string yaml;
  for (size_t i = 0; i < kMaxPackDocuments; ++i)
    absl::StrAppend(&yaml, i == 0 ? "" : "---\n", "calendar: c", i, "\nalways: true\n");
  EXPECT_THAT(ParsePack(yaml, PolicySet(), TestNow()).findings, IsEmpty());
  const Pack pack = ParsePack(absl::StrCat(yaml, "---\ncalendar: more\nalways: true\n"), PolicySet(), TestNow());
  EXPECT_THAT(Brief(pack.findings), ElementsAre(absl::StrCat(3 * kMaxPackDocuments, " TOO_MANY")));
}

// A pack is one commit, and a commit may have one MiB.
TEST(PackSyntax, TheCompiledFormIsLimited) {
  std::string yaml;
  for (int i = 0; i < 15; ++i) {
    absl::StrAppend(&yaml, i == 0 ? "" : "---\n", "calendar: c", i,
                    "\nzone: UTC\nweek: {mon..sun: [08:00-12:00, 13:00-17:00]}\n");
  }
  EXPECT_THAT(Brief(ParsePack(yaml, PolicySet(), TestNow()).findings), ElementsAre("1 PACK_TOO_LARGE"));
}

TEST(PackSyntax, DeepNestingAndLongListsCostLittle) {
  const auto nested = [](size_t levels) {
    return Brief(
        ParsePack("calendar: c\nx: " + std::string(levels, '[') + std::string(levels, ']'), PolicySet(), TestNow())
            .findings);
  };
  EXPECT_THAT(nested(39), ElementsAre("1 MISSING_KEY", "1 MISSING_KEY", "2 UNKNOWN_KEY"))
      << "the document is a level itself";
  EXPECT_THAT(nested(40), ElementsAre("2 YAML_TOO_DEEP"));
  EXPECT_THAT(nested(100'000), ElementsAre("2 YAML_TOO_DEEP"));
  EXPECT_THAT(Brief(ParsePack("calendar: c\nx: " + std::string(200'000, '['), PolicySet(), TestNow()).findings),
              ElementsAre("2 YAML_SYNTAX"));
  std::string keys = "calendar: c\nweek:\n";
  for (int i = 0; keys.size() < kMaxPackBytes - 100; ++i) absl::StrAppend(&keys, "  k", i, ": x\n");
  EXPECT_THAT(Brief(ParsePack(keys, PolicySet(), TestNow()).findings), ElementsAre("4099 TOO_MANY"));
}

TEST(PackSyntax, AGarbledFileIsNotRecitedToTheEnd) {
  std::string yaml = kMatrix;
  for (int i = 0; i < 500; ++i) absl::StrAppend(&yaml, "key", i, ": x\n");
  const Pack pack = ParsePack(yaml, PolicySet(), TestNow());
  ASSERT_EQ(pack.findings.size(), 201);
  EXPECT_EQ(pack.findings.back().reason, "TOO_MANY_FINDINGS");
  EXPECT_EQ(pack.findings.back().message, "300 more");
}

}  // namespace
}  // namespace docket::policy
