#include "store/requests.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "store/ordered_key.h"
#include "store/record_format.h"
#include "store/uuid.h"
#include "store/view_table.h"

namespace docket::store {

std::string RequestRow::Value() const { return KeyWriter().U64(commit).Take(); }

bool RequestRow::SetValue(absl::string_view bytes) {
  KeyReader reader(bytes);
  uint64_t value = 0;
  if (!reader.U64(&value) || !reader.AtEnd()) return false;
  commit = value;
  return true;
}

std::string RequestKeyFrom(int64_t unix_ms) {
  RequestRow first;
  first.request_id = MakeUuidV7(std::clamp<int64_t>(unix_ms, 0, kMaxUuidMs), std::string(kUuidRandomBytes, '\0'));
  return RowKey(first);
}

std::string RequestDigest(absl::string_view salt, absl::string_view canonical) {
  return Sha256(absl::StrCat("docket/request/v1", salt, canonical));
}

}  // namespace docket::store
