#include "store/high_water.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "store/hex.h"
#include "store/record_format.h"
#include "workflow/base/check.h"

namespace docket::store {
namespace {

constexpr absl::string_view kTitle = "docket-high-water 1";
constexpr size_t kLogIdBytes = 16;
constexpr size_t kLeafBytes = 32;

absl::Status SystemError(absl::string_view doing, const std::string& path) {
  return absl::UnavailableError(absl::StrCat(doing, " ", path, ": ", std::strerror(errno)));
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

bool WriteAll(int fd, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string Body(const HighWater& mark) {
  return absl::StrCat(kTitle, "\nlog_id ", absl::BytesToHexString(mark.log_id), "\ncommits ", mark.commits, "\nleaf ",
                      absl::BytesToHexString(mark.last_leaf), "\n");
}

}  // namespace

std::string FormatHighWater(const HighWater& mark) {
  const std::string body = Body(mark);
  return absl::StrCat(body, "crc32c ", absl::Hex(Crc32c(body), absl::kZeroPad8), "\n");
}

absl::StatusOr<HighWater> ParseHighWater(absl::string_view text) {
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  HighWater mark;
  absl::string_view log_id, commits, leaf;
  if (lines.size() == 6 && lines[0] == kTitle) {
    log_id = lines[1];
    commits = lines[2];
    leaf = lines[3];
  }
  if (!absl::ConsumePrefix(&log_id, "log_id ") || !absl::ConsumePrefix(&commits, "commits ") ||
      !absl::ConsumePrefix(&leaf, "leaf ") || !absl::SimpleAtoi(commits, &mark.commits)) {
    return absl::DataLossError("high-water mark is malformed");
  }
  mark.log_id = HexToBytes(log_id);
  mark.last_leaf = HexToBytes(leaf);
  // Formatting it again checks the checksum, the spelling of every number and that nothing else is there.
  if (mark.log_id.size() != kLogIdBytes || mark.last_leaf.size() != (mark.commits == 0 ? 0 : kLeafBytes) ||
      FormatHighWater(mark) != text) {
    return absl::DataLossError("high-water mark has a wrong checksum or is malformed");
  }
  return mark;
}

absl::StatusOr<std::optional<HighWater>> ReadHighWater(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    if (errno == ENOENT) return std::optional<HighWater>();
    return SystemError("open", path);
  }
  char buffer[1024];  // several times the longest mark
  std::string text;
  while (text.size() < sizeof(buffer)) {
    const ssize_t got = ::read(file.get(), buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError("read", path);
    if (got == 0) break;
    text.append(buffer, static_cast<size_t>(got));
  }
  absl::StatusOr<HighWater> mark = ParseHighWater(text);
  if (!mark.ok()) return absl::DataLossError(absl::StrCat(path, ": ", mark.status().message()));
  return std::optional<HighWater>(*std::move(mark));
}

absl::Status WriteHighWater(const std::string& path, const HighWater& mark) {
  const std::string temporary = absl::StrCat(path, ".tmp");
  {
    const FileDescriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (file.get() < 0) return SystemError("create", temporary);
    if (!WriteAll(file.get(), FormatHighWater(mark))) return SystemError("write", temporary);
    if (::fsync(file.get()) != 0) return SystemError("sync", temporary);
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) return SystemError("rename", temporary);
  const std::string folder = FolderOf(path);
  const FileDescriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0) return SystemError("open", folder);
  if (::fsync(directory.get()) != 0) return SystemError("sync", folder);
  return absl::OkStatus();
}

}  // namespace docket::store
