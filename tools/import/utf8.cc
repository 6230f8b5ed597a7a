#include "tools/import/utf8.h"

namespace docket::import_tool {

size_t Utf8Prefix(absl::string_view text, size_t limit) {
  if (text.size() <= limit) return text.size();
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  return limit;
}

uint32_t NextCodePoint(absl::string_view text, size_t* at) {
  const auto lead = static_cast<unsigned char>(text[(*at)++]);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
  uint32_t code = lead & (0x3F >> more);
  for (int i = 0; i < more && *at < text.size(); ++i) {
    code = (code << 6) | (static_cast<unsigned char>(text[(*at)++]) & 0x3F);
  }
  return code;
}

}  // namespace docket::import_tool
