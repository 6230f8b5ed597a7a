#include "store/uuid.h"

#include <array>

#include "workflow/base/check.h"

namespace docket::store {
namespace {

constexpr size_t kTextSize = 36;

bool IsDashAt(size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

// -1: not a lower-case hexadecimal digit.
int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::optional<int64_t> ParseUuidV7(absl::string_view text) {
  if (text.size() != kTextSize) return std::nullopt;
  std::array<int, 32> digits{};
  size_t count = 0;
  for (size_t i = 0; i < kTextSize; ++i) {
    if (IsDashAt(i)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const int digit = HexValue(text[i]);
    if (digit < 0) return std::nullopt;
    digits[count++] = digit;
  }
  constexpr size_t kVersionDigit = 12;
  constexpr size_t kVariantDigit = 16;
  if (digits[kVersionDigit] != 7 || (digits[kVariantDigit] & 0xc) != 0x8) return std::nullopt;
  int64_t unix_ms = 0;
  for (size_t i = 0; i < 12; ++i) unix_ms = unix_ms * 16 + digits[i];
  return unix_ms;
}

std::string MakeUuidV7(int64_t unix_ms, absl::string_view random10) {
  DOCKET_CHECK(unix_ms >= 0 && unix_ms <= kMaxUuidMs);
  DOCKET_CHECK(random10.size() == kUuidRandomBytes);
  std::array<uint8_t, 16> bytes{};
  for (int i = 0; i < 6; ++i) bytes[i] = static_cast<uint8_t>(unix_ms >> (8 * (5 - i)));
  for (size_t i = 0; i < kUuidRandomBytes; ++i) bytes[6 + i] = static_cast<uint8_t>(random10[i]);
  bytes[6] = static_cast<uint8_t>((bytes[6] & 0x0f) | 0x70);
  bytes[8] = static_cast<uint8_t>((bytes[8] & 0x3f) | 0x80);
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(kTextSize);
  for (uint8_t byte : bytes) {
    if (IsDashAt(text.size())) text.push_back('-');
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 0xf]);
  }
  return text;
}

}  // namespace docket::store
