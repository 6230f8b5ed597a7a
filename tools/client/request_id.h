#ifndef DOCKET_TOOLS_CLIENT_REQUEST_ID_H_
#define DOCKET_TOOLS_CLIENT_REQUEST_ID_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace docket::client {

// A UUIDv7 (RFC 9562) of `now` (milliseconds) and 74 of the 128 random bits given, in lower case with dashes.
std::string FormatUuidV7(absl::Time now, uint64_t random_high, uint64_t random_low);

// A fresh UUIDv7 from the wall clock and the system's randomness. Thread-safe.
std::string NewRequestId();

// Whether `text` has the shape of a UUID of any version: 8-4-4-4-12 hexadecimal digits.
bool IsUuid(absl::string_view text);

}  // namespace docket::client

#endif  // DOCKET_TOOLS_CLIENT_REQUEST_ID_H_
