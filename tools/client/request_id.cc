#include "tools/client/request_id.h"

#include <limits>

#include "absl/random/random.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"

namespace docket::client {

std::string FormatUuidV7(absl::Time now, uint64_t random_high, uint64_t random_low) {
  const uint64_t millis = static_cast<uint64_t>(absl::ToUnixMillis(now)) & 0xffff'ffff'ffff;
  const uint64_t version = 0x7000 | (random_high & 0x0fff);
  const uint64_t variant = 0x8000'0000'0000'0000 | (random_low & 0x3fff'ffff'ffff'ffff);
  return absl::StrFormat("%08x-%04x-%04x-%04x-%012x", millis >> 16, millis & 0xffff, version, variant >> 48,
                         variant & 0xffff'ffff'ffff);
}

std::string NewRequestId() {
  thread_local absl::BitGen random;
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  return FormatUuidV7(absl::Now(), absl::Uniform<uint64_t>(absl::IntervalClosed, random, 0, kMax),
                      absl::Uniform<uint64_t>(absl::IntervalClosed, random, 0, kMax));
}

bool IsUuid(absl::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !absl::ascii_isxdigit(static_cast<unsigned char>(text[i]))) return false;
  }
  return true;
}

}  // namespace docket::client
