#include "tools/import/byte_source.h"

#include <sys/stat.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace docket::import_tool {

absl::StatusOr<std::unique_ptr<ByteSource>> ByteSource::Open(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) {
    return absl::NotFoundError(absl::StrCat(path, ": ", std::strerror(errno)));
  }
  if (!S_ISREG(info.st_mode) && !S_ISFIFO(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": not a file"));
  }
  auto source = std::unique_ptr<ByteSource>(new ByteSource(path));
  // zlib reads what is not compressed as it is.
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) return absl::InvalidArgumentError(absl::StrCat(path, ": ", std::strerror(errno)));
  gzbuffer(file, kBufferBytes);
  source->file_ = file;
  source->file_bytes_ = static_cast<uint64_t>(info.st_size);
  return source;
}

ByteSource::~ByteSource() {
  if (file_ != nullptr) gzclose_r(static_cast<gzFile>(file_));
}

bool ByteSource::Fill() {
  if (at_end_) return false;
  gzFile file = static_cast<gzFile>(file_);
  const int read = gzread(file, buffer_.data(), static_cast<unsigned>(buffer_.size()));
  int code = Z_OK;
  const char* message = gzerror(file, &code);
  // A truncated file gives its last bytes together with Z_BUF_ERROR; they are still served.
  if (code != Z_OK && code != Z_STREAM_END) {
    status_ = absl::DataLossError(
        absl::StrCat(path_, ": ", code == Z_ERRNO ? std::strerror(errno) : message, ", after line ", line_));
  }
  filled_ = read > 0 ? static_cast<size_t>(read) : 0;
  position_ = 0;
  at_end_ = filled_ == 0;
  if (!started_) {
    started_ = true;
    if (filled_ >= 3 && std::memcmp(buffer_.data(), "\xEF\xBB\xBF", 3) == 0) position_ = 3;
    if (position_ == filled_) return !at_end_ && Fill();
  }
  return !at_end_;
}

double ByteSource::Progress() const {
  if (at_end_ || file_bytes_ == 0) return 1.0;
  const z_off_t offset = gzoffset(static_cast<gzFile>(file_));
  if (offset < 0) return 0.0;
  const double share = static_cast<double>(offset) / static_cast<double>(file_bytes_);
  return share > 1.0 ? 1.0 : share;
}

}  // namespace docket::import_tool
