#include "tools/import/slug.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace docket::import_tool {
namespace {

TEST(SlugTest, LettersAndDigitsStayTheRestIsOneDash) {
  EXPECT_EQ(Slug("Group 56"), "group-56");
  EXPECT_EQ(Slug("  A--b_C!  "), "a-b-c");
  EXPECT_EQ(Slug("Noise \u2013 Street\u00A0/ Sidewalk"), "noise-street-sidewalk");
  EXPECT_EQ(Slug("??"), "");
}

TEST(SlugTest, LatinLettersLoseTheirMarks) {
  EXPECT_EQ(Slug("Z\u00FCrich S\u00FCd"), "zuerich-sued");
  EXPECT_EQ(Slug("\u00C5ngstr\u00F6m stra\u00DFe"), "angstroem-strasse");
  EXPECT_EQ(Slug("Ca\u00F1\u00F3n, \u0141\u00F3d\u017A"), "canon-lodz");
  EXPECT_EQ(Slug("cafe\u0301"), "cafe");  // the mark apart from its letter
  EXPECT_EQ(Slug("4\u00D74"), "4-4");
}

TEST(SlugTest, OtherLettersAreWrittenAsNumbersSoThatNamesStayApart) {
  EXPECT_EQ(Slug("\u5ba2\u670d 1"), "u5ba2_u670d_-1");
  EXPECT_EQ(Slug("\u5ba2\u670d1"), "u5ba2_u670d_1");
  EXPECT_EQ(Slug("\U0001F642"), "u1f642_");
  const std::set<std::string> slugs = {Slug("\u5ba2\u670d"), Slug("\u5ba2"), Slug("\u670d"), Slug("\u041e\u0442"),
                                       Slug("u5ba2 u670d")};
  EXPECT_EQ(slugs.size(), 5u);
}

TEST(SlugTest, WhatIsTooLongEndsWithAChecksumOfTheWhole) {
  const std::string longest(kMaxSlugBytes, 'a');
  EXPECT_EQ(Slug(longest), longest);
  const std::string one = Slug(longest + "b"), other = Slug(longest + "c");
  EXPECT_EQ(one.size(), kMaxSlugBytes);
  EXPECT_EQ(one.substr(0, 55), longest.substr(0, 55));
  EXPECT_NE(one, other);
}

}  // namespace
}  // namespace docket::import_tool
