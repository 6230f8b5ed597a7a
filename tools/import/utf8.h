#ifndef DOCKET_TOOLS_IMPORT_UTF8_H_
#define DOCKET_TOOLS_IMPORT_UTF8_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace docket::import_tool {

// Whether `text` is well-formed UTF-8 (no overlong forms, no surrogates): what a proto3 string must be.
bool IsUtf8(absl::string_view text);

// The longest prefix of well-formed `text` of at most `limit` bytes that cuts no character.
size_t Utf8Prefix(absl::string_view text, size_t limit);

}  // namespace docket::import_tool

#endif  // DOCKET_TOOLS_IMPORT_UTF8_H_
