#ifndef DOCKET_STORE_UUID_H_
#define DOCKET_STORE_UUID_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

// UUIDs of version 7 (RFC 9562 section 5.7) as lower-case text of 36 characters: 48 bits of Unix milliseconds, then
// random bits. Their text order is their time order. Pure: time and randomness are the caller's.
namespace docket::store {

inline constexpr size_t kUuidRandomBytes = 10;
inline constexpr int64_t kMaxUuidMs = (int64_t{1} << 48) - 1;

// The Unix milliseconds of a UUIDv7. nullopt: not 36 characters of lower-case 8-4-4-4-12 with version 7 and variant 10.
// Upper case is refused, so that one id has one spelling.
std::optional<int64_t> ParseUuidV7(absl::string_view text);

// REQUIRES: 0 <= unix_ms <= kMaxUuidMs; random10.size() == kUuidRandomBytes (74 of its 80 bits are used).
std::string MakeUuidV7(int64_t unix_ms, absl::string_view random10);

}  // namespace docket::store

#endif  // DOCKET_STORE_UUID_H_
