#include "store/ordered_key.h"

namespace docket::store {
namespace {

constexpr char kEscape = '\x00';
constexpr char kEscapedZero = '\xff';
constexpr char kEndOfText = '\x01';
constexpr uint64_t kSignBit = uint64_t{1} << 63;

template <class Integer>
void AppendBigEndian(std::string* out, Integer value) {
  for (int shift = static_cast<int>(sizeof(Integer) - 1) * 8; shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>((value >> shift) & 0xff));
  }
}

template <class Integer>
bool ReadBigEndian(absl::string_view* rest, Integer* value) {
  if (rest->size() < sizeof(Integer)) return false;
  Integer result = 0;
  for (size_t i = 0; i < sizeof(Integer); ++i) {
    result = static_cast<Integer>((static_cast<uint64_t>(result) << 8) | static_cast<uint8_t>((*rest)[i]));
  }
  rest->remove_prefix(sizeof(Integer));
  *value = result;
  return true;
}

}  // namespace

KeyWriter& KeyWriter::U8(uint8_t value) {
  AppendBigEndian(&out_, value);
  return *this;
}

KeyWriter& KeyWriter::U16(uint16_t value) {
  AppendBigEndian(&out_, value);
  return *this;
}

KeyWriter& KeyWriter::U32(uint32_t value) {
  AppendBigEndian(&out_, value);
  return *this;
}

KeyWriter& KeyWriter::U64(uint64_t value) {
  AppendBigEndian(&out_, value);
  return *this;
}

KeyWriter& KeyWriter::I64(int64_t value) {
  // With the sign bit flipped, two's complement order is unsigned order.
  AppendBigEndian(&out_, static_cast<uint64_t>(value) ^ kSignBit);
  return *this;
}

KeyWriter& KeyWriter::Text(absl::string_view value) {
  out_.reserve(out_.size() + value.size() + 2);
  for (char byte : value) {
    out_.push_back(byte);
    if (byte == kEscape) out_.push_back(kEscapedZero);
  }
  out_.push_back(kEscape);
  out_.push_back(kEndOfText);
  return *this;
}

bool KeyReader::U8(uint8_t* value) { return ReadBigEndian(&rest_, value); }
bool KeyReader::U16(uint16_t* value) { return ReadBigEndian(&rest_, value); }
bool KeyReader::U32(uint32_t* value) { return ReadBigEndian(&rest_, value); }
bool KeyReader::U64(uint64_t* value) { return ReadBigEndian(&rest_, value); }

bool KeyReader::I64(int64_t* value) {
  uint64_t flipped = 0;
  if (!ReadBigEndian(&rest_, &flipped)) return false;
  *value = static_cast<int64_t>(flipped ^ kSignBit);
  return true;
}

bool KeyReader::Text(std::string* value) {
  std::string text;
  for (size_t i = 0; i < rest_.size(); ++i) {
    if (rest_[i] != kEscape) {
      text.push_back(rest_[i]);
      continue;
    }
    if (++i == rest_.size()) return false;
    if (rest_[i] == kEndOfText) {
      rest_.remove_prefix(i + 1);
      *value = std::move(text);
      return true;
    }
    if (rest_[i] != kEscapedZero) return false;
    text.push_back(kEscape);
  }
  return false;
}

std::string PrefixEnd(absl::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<uint8_t>(end.back()) + 1);
  return end;
}

}  // namespace docket::store
