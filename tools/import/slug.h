#ifndef DOCKET_TOOLS_IMPORT_SLUG_H_
#define DOCKET_TOOLS_IMPORT_SLUG_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace docket::import_tool {

// What the server takes as a code at most.
inline constexpr size_t kMaxSlugBytes = 64;

// A code for a name: lower case, runs of anything but letters and digits as one dash, no dash at the ends. "Group 56"
// becomes "group-56". Latin letters with marks lose them ("Zürich Süd", "zuerich-sued"), every other letter beyond
// ASCII is written as its number ("客服", "u5ba2_u670d_"), so that names in no Latin script stay apart. What is longer
// than kMaxSlugBytes is cut and ends with a checksum of the whole. "" when there is no letter or digit. `text` is
// UTF-8.
std::string Slug(absl::string_view text);

}  // namespace docket::import_tool

#endif  // DOCKET_TOOLS_IMPORT_SLUG_H_
