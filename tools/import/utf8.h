#ifndef DOCKET_TOOLS_IMPORT_UTF8_H_
#define DOCKET_TOOLS_IMPORT_UTF8_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace docket::import_tool {

// The longest prefix of well-formed `text` of at most `limit` bytes that cuts no character.
size_t Utf8Prefix(absl::string_view text, size_t limit);

// The code point at `*at`, which moves behind it. REQUIRES: `text` is UTF-8 and `*at` lies inside it.
uint32_t NextCodePoint(absl::string_view text, size_t* at);

}  // namespace docket::import_tool

#endif  // DOCKET_TOOLS_IMPORT_UTF8_H_
