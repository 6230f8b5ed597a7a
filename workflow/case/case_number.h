#ifndef DOCKET_WORKFLOW_CASE_CASE_NUMBER_H_
#define DOCKET_WORKFLOW_CASE_CASE_NUMBER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

// Case numbers for people: "CMP-2026-000017-K": prefix, year of filing (UTC), gapless counter of that prefix and year,
// check character.
namespace docket::workflow {

struct CaseNumber {
  std::string prefix;  // 1..8 of A-Z
  uint32_t year = 0;
  uint64_t counter = 0;  // from 1; at least six digits in print
};

// Upper-case form with its check character (of Crockford's base 32, a weighted sum over GF(32)): every single wrong
// character and every swap of two characters is noticed, of neighbours or not.
std::string FormatCaseNumber(const CaseNumber& number);

// Accepts lower case. nullopt: not of this form, or the check character is wrong.
std::optional<CaseNumber> ParseCaseNumber(absl::string_view text);
// True if the text has the form of a case number, whatever its check character.
bool LooksLikeCaseNumber(absl::string_view text);

}  // namespace docket::workflow

#endif  // DOCKET_WORKFLOW_CASE_CASE_NUMBER_H_
