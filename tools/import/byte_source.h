#ifndef DOCKET_TOOLS_IMPORT_BYTE_SOURCE_H_
#define DOCKET_TOOLS_IMPORT_BYTE_SOURCE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace docket::import_tool {

// A file read once from front to end, gunzipped on the way when it is compressed. Holds two buffers of kBufferBytes,
// whatever the size of the file. Skips a UTF-8 byte order mark. Counts lines. Not thread-safe.
//
// Damage (a truncated or corrupt gzip file, other bytes behind it, a failing disk) and text in UTF-16 end the bytes
// early and are told by status(): whoever meets the end must ask it before believing that the file is over.
class ByteSource {
 public:
  static constexpr size_t kBufferBytes = 256 * 1024;
  static constexpr int kEnd = -1;

  // kNotFound: no such file. kInvalidArgument: a folder or unreadable.
  static absl::StatusOr<std::unique_ptr<ByteSource>> Open(const std::string& path);

  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  // The next byte (0..255), or kEnd; Peek() leaves it there.
  int Peek() { return position_ < filled_ || Fill() ? static_cast<unsigned char>(buffer_[position_]) : kEnd; }
  int Get() {
    const int byte = Peek();
    if (byte == kEnd) return kEnd;
    ++position_;
    if (byte == '\n') ++line_;
    return byte;
  }

  // Line of the byte that Get() would return, from 1. A lone CR does not end a line.
  uint64_t line() const { return line_; }

  // OK, or why the bytes ended before the file did (kDataLoss; kInvalidArgument: UTF-16). Does not name the file.
  const absl::Status& status() const { return status_; }

  // How much of the file on disk was read, 0 to 1.
  double Progress() const;

 private:
  class Input;  // the file as plain bytes; zlib stays out of the header

  explicit ByteSource(std::unique_ptr<Input> input);
  bool Fill();
  // Looks at the first bytes.
  void Begin();

  std::unique_ptr<Input> input_;
  std::vector<char> buffer_;
  size_t position_ = 0;
  size_t filled_ = 0;
  uint64_t line_ = 1;
  bool at_end_ = false;
  bool started_ = false;
  absl::Status status_;
};

}  // namespace docket::import_tool

#endif  // DOCKET_TOOLS_IMPORT_BYTE_SOURCE_H_
