#include "workflow/case/case_number.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace docket::workflow {
namespace {

constexpr absl::string_view kAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

// ISO 7064 MOD 37,36, hybrid system: modulus 36 with carry 37.
char CheckCharacter(absl::string_view text) {
  int product = 36;
  for (const char c : text) {
    const size_t value = kAlphabet.find(c);
    if (value == absl::string_view::npos) continue;  // hyphens do not count
    int sum = (product + static_cast<int>(value)) % 36;
    if (sum == 0) sum = 36;
    product = sum * 2 % 37;
  }
  return kAlphabet[(37 - product) % 36];
}

struct Parts {
  CaseNumber number;
  char check;
  std::string body;
};

std::optional<Parts> Split(absl::string_view text) {
  const std::string upper = absl::AsciiStrToUpper(text);
  const std::vector<std::string> parts = absl::StrSplit(upper, '-');
  if (parts.size() != 4 || parts[0].empty() || parts[0].size() > 8 || parts[1].size() != 4 || parts[2].size() < 6 ||
      parts[2].size() > 18 || parts[3].size() != 1) {
    return std::nullopt;
  }
  Parts result;
  for (const char c : parts[0]) {
    if (!absl::ascii_isupper(c)) return std::nullopt;
  }
  for (const char c : absl::StrCat(parts[1], parts[2])) {
    if (!absl::ascii_isdigit(c)) return std::nullopt;  // SimpleAtoi would take signs and blanks too
  }
  result.number.prefix = parts[0];
  if (!absl::SimpleAtoi(parts[1], &result.number.year) || !absl::SimpleAtoi(parts[2], &result.number.counter)) {
    return std::nullopt;
  }
  result.check = parts[3][0];
  result.body = absl::StrCat(parts[0], "-", parts[1], "-", parts[2]);
  return result;
}

}  // namespace

std::string FormatCaseNumber(const CaseNumber& number) {
  const std::string body = absl::StrFormat("%s-%04d-%06d", number.prefix, number.year, number.counter);
  return absl::StrCat(body, "-", std::string(1, CheckCharacter(body)));
}

bool LooksLikeCaseNumber(absl::string_view text) { return Split(text).has_value(); }

std::optional<CaseNumber> ParseCaseNumber(absl::string_view text) {
  const std::optional<Parts> parts = Split(text);
  if (!parts.has_value() || CheckCharacter(parts->body) != parts->check) return std::nullopt;
  return parts->number;
}

}  // namespace docket::workflow
