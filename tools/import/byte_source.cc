#include "tools/import/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"

namespace docket::import_tool {

// zlib's own reader of files passes over what stands behind the compressed data without a word, so this one is ours.
class ByteSource::Input {
 public:
  Input(int file, uint64_t file_bytes) : file_(file), file_bytes_(file_bytes), raw_(kBufferBytes) {}
  ~Input() {
    close(file_);
    if (unzipping_) inflateEnd(&zip_);
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  // Fills `out` as far as one read of the file goes; 0 at the end. What was read before a damage is still given; the
  // call after that tells of it.
  absl::StatusOr<size_t> Read(std::vector<char>* out) {
    if (!begun_) {
      begun_ = true;
      DOCKET_RETURN_IF_ERROR(Refill());
      if (AtMagic()) BeginUnzip();
    }
    if (unzipping_) return Unzip(out);
    if (left_ == 0) DOCKET_RETURN_IF_ERROR(Refill());
    const size_t size = std::min(left_, out->size());
    std::memcpy(out->data(), next_, size);
    Skip(size);
    return size;
  }

  double Progress() const {
    if (file_bytes_ == 0) return 0.0;
    return std::min(1.0, static_cast<double>(bytes_read_ - left_) / static_cast<double>(file_bytes_));
  }

 private:
  void Skip(size_t size) {
    next_ += size;
    left_ -= size;
  }

  // Reads until the buffer holds at least two bytes, enough to know a gzip member by, or the file is over.
  absl::Status Refill() {
    if (left_ > 0) std::memmove(raw_.data(), next_, left_);
    next_ = raw_.data();
    while (left_ < 2) {
      const ssize_t size = read(file_, raw_.data() + left_, raw_.size() - left_);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) return absl::DataLossError(std::strerror(errno));
      if (size == 0) return absl::OkStatus();
      left_ += static_cast<size_t>(size);
      bytes_read_ += static_cast<uint64_t>(size);
    }
    return absl::OkStatus();
  }

  bool AtMagic() const { return left_ >= 2 && std::memcmp(next_, "\x1F\x8B", 2) == 0; }

  void BeginUnzip() {
    constexpr int kGzipWindow = 15 + 16;
    DOCKET_CHECK(inflateInit2(&zip_, kGzipWindow) == Z_OK);
    unzipping_ = true;
  }

  absl::StatusOr<size_t> Unzip(std::vector<char>* out) {
    zip_.next_out = reinterpret_cast<Bytef*>(out->data());
    zip_.avail_out = static_cast<uInt>(out->size());
    while (zip_.avail_out == out->size()) {
      if (member_ended_) {
        DOCKET_ASSIGN_OR_RETURN(const bool more, NextMember());
        if (!more) return 0;
      }
      if (left_ == 0) DOCKET_RETURN_IF_ERROR(Refill());
      if (left_ == 0) return absl::DataLossError("the file ends inside its gzip data");
      zip_.next_in = reinterpret_cast<Bytef*>(next_);
      zip_.avail_in = static_cast<uInt>(left_);
      const int code = inflate(&zip_, Z_NO_FLUSH);
      Skip(left_ - zip_.avail_in);
      if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
        return absl::DataLossError(
            absl::StrCat("the gzip data are damaged", zip_.msg == nullptr ? "" : absl::StrCat(" (", zip_.msg, ")")));
      }
      member_ended_ = code == Z_STREAM_END;
    }
    return out->size() - zip_.avail_out;
  }

  // Several gzip files one behind the other are one; padding with zeros is no damage. False at the end.
  absl::StatusOr<bool> NextMember() {
    while (true) {
      if (left_ < 2) DOCKET_RETURN_IF_ERROR(Refill());
      if (left_ == 0) return false;
      if (AtMagic()) break;
      if (*next_ != 0) return absl::DataLossError("behind the gzip data stands something that is none");
      Skip(1);
    }
    DOCKET_CHECK(inflateReset(&zip_) == Z_OK);
    member_ended_ = false;
    return true;
  }

  const int file_;
  const uint64_t file_bytes_;
  std::vector<char> raw_;
  char* next_ = nullptr;  // in raw_
  size_t left_ = 0;
  uint64_t bytes_read_ = 0;
  bool begun_ = false;
  bool unzipping_ = false;
  bool member_ended_ = false;
  z_stream zip_ = {};
};

ByteSource::ByteSource(std::unique_ptr<Input> input) : input_(std::move(input)), buffer_(kBufferBytes) {}

absl::StatusOr<std::unique_ptr<ByteSource>> ByteSource::Open(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) {
    return absl::NotFoundError(absl::StrCat(path, ": ", std::strerror(errno)));
  }
  if (!S_ISREG(info.st_mode) && !S_ISFIFO(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": not a file"));
  }
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return absl::InvalidArgumentError(absl::StrCat(path, ": ", std::strerror(errno)));
  auto input = std::make_unique<Input>(file, static_cast<uint64_t>(info.st_size));
  return std::unique_ptr<ByteSource>(new ByteSource(std::move(input)));
}

ByteSource::~ByteSource() = default;

bool ByteSource::Fill() {
  if (at_end_) return false;
  const absl::StatusOr<size_t> read = input_->Read(&buffer_);
  if (!read.ok()) {
    status_ = absl::Status(read.status().code(), absl::StrCat(read.status().message(), ", after line ", line_));
  }
  filled_ = read.value_or(0);
  position_ = 0;
  if (!started_) Begin();
  at_end_ = at_end_ || filled_ == 0;
  if (!at_end_ && position_ == filled_) return Fill();
  return !at_end_;
}

void ByteSource::Begin() {
  started_ = true;
  const absl::string_view first(buffer_.data(), std::min<size_t>(filled_, 3));
  if (first == "\xEF\xBB\xBF") position_ = 3;
  const absl::string_view two = first.substr(0, 2);
  const bool marked = two == "\xFF\xFE" || two == "\xFE\xFF";
  if (marked || (two.size() == 2 && (two[0] == 0) != (two[1] == 0))) {
    status_ = absl::InvalidArgumentError("the file looks like UTF-16, want UTF-8: iconv -f UTF-16 -t UTF-8");
    filled_ = 0;
  }
}

double ByteSource::Progress() const { return at_end_ ? 1.0 : input_->Progress(); }

}  // namespace docket::import_tool
