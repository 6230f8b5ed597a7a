#include "services/outbox/signature.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "openssl/evp.h"
#include "openssl/hmac.h"
#include "workflow/base/check.h"

namespace docket::outbox {

std::string Sign(absl::string_view key, absl::Time now, absl::string_view body) {
  const std::string seconds = absl::StrCat(absl::ToUnixSeconds(now));
  const std::string signed_bytes = absl::StrCat(seconds, ".", body);
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  DOCKET_CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                    reinterpret_cast<const unsigned char*>(signed_bytes.data()), signed_bytes.size(), mac,
                    &size) != nullptr);
  const absl::string_view bytes(reinterpret_cast<const char*>(mac), size);
  return absl::StrCat("t=", seconds, ",v1=", absl::BytesToHexString(bytes));
}

}  // namespace docket::outbox
