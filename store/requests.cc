#include "store/requests.h"

#include "absl/strings/str_cat.h"
#include "store/ordered_key.h"
#include "store/record_format.h"

namespace docket::store {

std::string RequestRow::Value() const { return KeyWriter().U64(commit).Take(); }

bool RequestRow::SetValue(absl::string_view bytes) {
  KeyReader reader(bytes);
  uint64_t value = 0;
  if (!reader.U64(&value) || !reader.AtEnd()) return false;
  commit = value;
  return true;
}

std::string RequestDigest(absl::string_view salt, absl::string_view canonical) {
  return Sha256(absl::StrCat("docket/request/v1", salt, canonical));
}

}  // namespace docket::store
