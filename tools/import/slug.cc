#include "tools/import/slug.h"

#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "tools/import/utf8.h"

namespace docket::import_tool {
namespace {

struct Letters {
  uint32_t first, last;
  const char* latin;
};
// Latin-1 and Latin Extended-A, both cases; umlauts as they are written without them.
constexpr Letters kLatin[] = {
    {0xC0, 0xC3, "a"},   {0xC4, 0xC4, "ae"},   {0xC5, 0xC5, "a"},   {0xC6, 0xC6, "ae"},   {0xC7, 0xC7, "c"},
    {0xC8, 0xCB, "e"},   {0xCC, 0xCF, "i"},    {0xD0, 0xD0, "d"},   {0xD1, 0xD1, "n"},    {0xD2, 0xD5, "o"},
    {0xD6, 0xD6, "oe"},  {0xD8, 0xD8, "o"},    {0xD9, 0xDB, "u"},   {0xDC, 0xDC, "ue"},   {0xDD, 0xDD, "y"},
    {0xDE, 0xDE, "th"},  {0xDF, 0xDF, "ss"},   {0xE0, 0xE3, "a"},   {0xE4, 0xE4, "ae"},   {0xE5, 0xE5, "a"},
    {0xE6, 0xE6, "ae"},  {0xE7, 0xE7, "c"},    {0xE8, 0xEB, "e"},   {0xEC, 0xEF, "i"},    {0xF0, 0xF0, "d"},
    {0xF1, 0xF1, "n"},   {0xF2, 0xF5, "o"},    {0xF6, 0xF6, "oe"},  {0xF8, 0xF8, "o"},    {0xF9, 0xFB, "u"},
    {0xFC, 0xFC, "ue"},  {0xFD, 0xFD, "y"},    {0xFE, 0xFE, "th"},  {0xFF, 0xFF, "y"},    {0x100, 0x105, "a"},
    {0x106, 0x10D, "c"}, {0x10E, 0x111, "d"},  {0x112, 0x11B, "e"}, {0x11C, 0x123, "g"},  {0x124, 0x127, "h"},
    {0x128, 0x131, "i"}, {0x132, 0x133, "ij"}, {0x134, 0x135, "j"}, {0x136, 0x138, "k"},  {0x139, 0x142, "l"},
    {0x143, 0x149, "n"}, {0x14A, 0x14B, "ng"}, {0x14C, 0x151, "o"}, {0x152, 0x153, "oe"}, {0x154, 0x159, "r"},
    {0x15A, 0x161, "s"}, {0x162, 0x167, "t"},  {0x168, 0x173, "u"}, {0x174, 0x175, "w"},  {0x176, 0x178, "y"},
    {0x179, 0x17E, "z"}, {0x17F, 0x17F, "s"},
};

// Marks that stand on the letter before them.
bool IsCombining(uint32_t code) { return code >= 0x300 && code <= 0x36F; }

// Blanks, signs and punctuation of Latin-1 and of the general blocks, as far as names have them.
bool IsSeparator(uint32_t code) {
  return (code >= 0x80 && code < 0xC0) || code == 0xD7 || code == 0xF7 || (code >= 0x2000 && code <= 0x206F) ||
         (code >= 0x3000 && code <= 0x3003) || code == 0xFEFF;
}

std::string Written(uint32_t code) {
  for (const Letters& letters : kLatin) {
    if (letters.first <= code && code <= letters.last) return letters.latin;
  }
  return absl::StrCat("u", absl::Hex(code), "_");
}

// FNV-1a: the same on every machine and in every release.
uint32_t Checksum(absl::string_view text) {
  uint32_t sum = 2166136261u;
  for (const char c : text) sum = (sum ^ static_cast<unsigned char>(c)) * 16777619u;
  return sum;
}

}  // namespace

std::string Slug(absl::string_view text) {
  std::string slug;
  for (size_t at = 0; at < text.size();) {
    const uint32_t code = NextCodePoint(text, &at);
    if (IsCombining(code)) continue;
    if (code < 0x80 ? absl::ascii_isalnum(static_cast<unsigned char>(code)) : !IsSeparator(code)) {
      if (code < 0x80) {
        slug.push_back(absl::ascii_tolower(static_cast<unsigned char>(code)));
      } else {
        slug += Written(code);
      }
    } else if (!slug.empty() && slug.back() != '-') {
      slug.push_back('-');
    }
  }
  while (!slug.empty() && slug.back() == '-') slug.pop_back();
  if (slug.size() <= kMaxSlugBytes) return slug;
  const std::string sum = absl::StrCat("-", absl::Hex(Checksum(text), absl::kZeroPad8));
  slug.resize(kMaxSlugBytes - sum.size());
  return slug + sum;
}

}  // namespace docket::import_tool
