#include <array>
#include <cstring>

#include "store/record_format.h"

// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78) of RFC 3720 appendix B.4. Written here because neither this
// Abseil, nor OpenSSL, nor RocksDB's public headers offer it.
namespace docket::store {
namespace {

constexpr std::array<uint32_t, 256> MakeTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0u);
    table[i] = crc;
  }
  return table;
}
constexpr std::array<uint32_t, 256> kTable = MakeTable();

uint32_t ExtendByTable(uint32_t crc, const char* data, size_t size) {
  for (size_t i = 0; i < size; ++i) crc = kTable[(crc ^ static_cast<uint8_t>(data[i])) & 0xff] ^ (crc >> 8);
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t ExtendBySse42(uint32_t crc, const char* data, size_t size) {
  uint64_t wide = crc;
  for (; size >= sizeof(uint64_t); size -= sizeof(uint64_t), data += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, data, sizeof(word));
    wide = __builtin_ia32_crc32di(wide, word);
  }
  crc = static_cast<uint32_t>(wide);
  for (; size > 0; --size, ++data) crc = __builtin_ia32_crc32qi(crc, static_cast<uint8_t>(*data));
  return crc;
}
const bool kHasSse42 = __builtin_cpu_supports("sse4.2");
#endif

}  // namespace

uint32_t Crc32cByTable(absl::string_view data) { return ~ExtendByTable(~uint32_t{0}, data.data(), data.size()); }

uint32_t Crc32c(absl::string_view data) {
#if defined(__x86_64__)
  if (kHasSse42) return ~ExtendBySse42(~uint32_t{0}, data.data(), data.size());
#endif
  return Crc32cByTable(data);
}

}  // namespace docket::store
