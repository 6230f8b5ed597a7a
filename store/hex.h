#ifndef DOCKET_STORE_HEX_H_
#define DOCKET_STORE_HEX_H_

#include <string>

#include "absl/strings/string_view.h"
#include "openssl/crypto.h"

namespace docket::store {

// The bytes that pairs of hexadecimal digits stand for; "" when `text` is anything else. Abseil's function for this has
// another form in every release.
inline std::string HexToBytes(absl::string_view text) {
  const std::string terminated(text);
  std::string bytes(text.size() / 2, '\0');
  size_t size = 0;
  const bool parsed = OPENSSL_hexstr2buf_ex(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), &size,
                                            terminated.c_str(), '\0') == 1;
  return parsed && size == bytes.size() ? bytes : std::string();
}

}  // namespace docket::store

#endif  // DOCKET_STORE_HEX_H_
