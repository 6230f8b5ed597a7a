#ifndef DOCKET_STORE_ORDERED_KEY_H_
#define DOCKET_STORE_ORDERED_KEY_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

// Keys whose byte order is the order of their parts. Integers are big endian, signed ones with the sign bit flipped;
// text is escaped (0x00 -> 0x00 0xFF) and ended by 0x00 0x01, so that no text is a prefix of a longer one's key.
namespace docket::store {

class KeyWriter {
 public:
  KeyWriter& U8(uint8_t value);
  KeyWriter& U16(uint16_t value);
  KeyWriter& U32(uint32_t value);
  KeyWriter& U64(uint64_t value);
  KeyWriter& I64(int64_t value);
  KeyWriter& Text(absl::string_view value);
  const std::string& str() const { return out_; }
  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

// Reads what KeyWriter wrote; every call returns false (and leaves the value alone) on a malformed or short key.
class KeyReader {
 public:
  explicit KeyReader(absl::string_view key) : rest_(key) {}
  bool U8(uint8_t* value);
  bool U16(uint16_t* value);
  bool U32(uint32_t* value);
  bool U64(uint64_t* value);
  bool I64(int64_t* value);
  bool Text(std::string* value);
  bool AtEnd() const { return rest_.empty(); }

 private:
  absl::string_view rest_;
};

// The smallest key greater than every key with this prefix; "" when there is none.
std::string PrefixEnd(absl::string_view prefix);

}  // namespace docket::store

#endif  // DOCKET_STORE_ORDERED_KEY_H_
