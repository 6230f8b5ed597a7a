#include "workflow/case/case_number.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace docket::workflow {
namespace {

// Crockford's base 32: no I, L, O, U, which people take for other characters.
constexpr absl::string_view kCheckAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

// The letters it leaves out may stand in a prefix; there they take the values of digits, which can't.
constexpr absl::string_view kLeftOut = "ILOU";

// A weighted sum over GF(32), modulo the primitive polynomial x^5 + x^2 + 1: with the check character as number 0, the
// k-th character from the right weighs x^k, and the sum of all is 0. x has order 31 and there are at most 31
// characters, so that no two weigh the same: a difference d in one place leaves x^k d, a swap of two leaves (x^j - x^k)
// d, and neither is ever 0. ISO 7064 MOD 37,36 misses one swap of neighbouring digits in 180.
char CheckCharacter(absl::string_view text) {
  unsigned sum = 0;
  for (const char c : text) {
    if (c == '-') continue;
    const size_t value = kCheckAlphabet.find(c);
    sum ^= value != absl::string_view::npos ? value : kLeftOut.find(c);
    sum <<= 1;
    if (sum & 32) sum ^= 0b100101;
  }
  return kCheckAlphabet[sum];
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
