#include "workflow/case/case_number.h"

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"

namespace docket::workflow {
namespace {

constexpr absl::string_view kAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

const std::vector<CaseNumber>& Samples() {
  static const auto& samples = *new std::vector<CaseNumber>{
      {"CMP", 2026, 1},        {"CMP", 2026, 17},          {"TCK", 2026, 999999}, {"SNI", 1999, 1000000},
      {"AB", 2030, 123456789}, {"ZZZZZZZZ", 9999, 808080}, {"IO", 2026, 100001}};
  return samples;
}

TEST(CaseNumberTest, LooksAsPeopleKnowIt) {
  const std::string text = FormatCaseNumber({"CMP", 2026, 17});
  EXPECT_EQ(text.substr(0, 16), "CMP-2026-000017-");
  EXPECT_EQ(text.size(), 17u);
  EXPECT_EQ(FormatCaseNumber({"CMP", 2026, 1234567}).substr(0, 17), "CMP-2026-1234567-");
}

TEST(CaseNumberTest, IsReadBackInEitherCase) {
  for (const CaseNumber& sample : Samples()) {
    const std::string text = FormatCaseNumber(sample);
    for (const std::string& form : {text, absl::AsciiStrToLower(text)}) {
      const auto parsed = ParseCaseNumber(form);
      ASSERT_TRUE(parsed.has_value()) << form;
      EXPECT_EQ(parsed->prefix, sample.prefix);
      EXPECT_EQ(parsed->year, sample.year);
      EXPECT_EQ(parsed->counter, sample.counter);
    }
  }
}

TEST(CaseNumberTest, EveryWrongCharacterIsNoticed) {
  for (const CaseNumber& sample : Samples()) {
    const std::string text = FormatCaseNumber(sample);
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '-') continue;
      for (const char c : kAlphabet) {
        if (c == text[i]) continue;
        std::string wrong = text;
        wrong[i] = c;
        EXPECT_FALSE(ParseCaseNumber(wrong).has_value()) << wrong << " for " << text;
      }
    }
  }
}

TEST(CaseNumberTest, EverySwapOfTwoIsNoticed) {
  for (const CaseNumber& sample : Samples()) {
    const std::string text = FormatCaseNumber(sample);
    for (size_t i = 0; i < text.size(); ++i) {
      for (size_t j = i + 1; j < text.size(); ++j) {
        if (text[i] == text[j]) continue;
        std::string wrong = text;
        std::swap(wrong[i], wrong[j]);
        EXPECT_FALSE(ParseCaseNumber(wrong).has_value()) << wrong << " for " << text;
      }
    }
  }
}

TEST(CaseNumberTest, AnySwapAndAnySlipIsNoticedInAnyNumber) {
  EXPECT_TRUE(rc::check("one slip or one swap", [] {
    CaseNumber number;
    number.prefix = *rc::gen::container<std::string>(*rc::gen::inRange<size_t>(1, 9),
                                                     rc::gen::inRange('A', static_cast<char>('Z' + 1)));
    number.year = *rc::gen::inRange(1990, 2100);
    number.counter = *rc::gen::inRange<uint64_t>(1, 1'000'000'000'000);
    const std::string text = FormatCaseNumber(number);
    RC_ASSERT(ParseCaseNumber(text).has_value());
    for (size_t i = 0; i < text.size(); ++i) {
      for (size_t j = i + 1; j < text.size(); ++j) {
        std::string wrong = text;
        std::swap(wrong[i], wrong[j]);
        RC_ASSERT(wrong == text || !ParseCaseNumber(wrong).has_value());
      }
      for (const char c : kAlphabet) {
        std::string wrong = text;
        wrong[i] = c;
        RC_ASSERT(wrong == text || !ParseCaseNumber(wrong).has_value());
      }
    }
  }));
}

TEST(CaseNumberTest, OtherTextsAreNone) {
  for (const char* text : {"", "CMP", "CMP-2026-000017", "CMP-26-000017-K", "CMP-2026-17-K", "1MP-2026-000017-K",
                           "CMP-2026-00001A-K", "CMP-2026-000017-KK", "TOOLONGXX-2026-000017-K", "CMP-2026--00017-K",
                           "CMP-+026-000017-K", "CMP-2026-00001 -K"}) {
    EXPECT_FALSE(LooksLikeCaseNumber(text)) << text;
    EXPECT_FALSE(ParseCaseNumber(text).has_value()) << text;
  }
  EXPECT_TRUE(LooksLikeCaseNumber("CMP-2026-000017-0"));
}

}  // namespace
}  // namespace docket::workflow
