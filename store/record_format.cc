#include "store/record_format.h"

#include <openssl/evp.h>

#include "absl/strings/str_cat.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "workflow/base/check.h"

namespace docket::store {
namespace {

constexpr size_t kCrcBytes = 4;
constexpr size_t kHeaderBytes = kCrcBytes + 1;  // crc || format

uint32_t ReadLittleEndian32(absl::string_view bytes) {
  uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = (value << 8) | static_cast<uint8_t>(bytes[i]);
  return value;
}

void WriteLittleEndian32(uint32_t value, char* out) {
  for (int i = 0; i < 4; ++i) out[i] = static_cast<char>((value >> (8 * i)) & 0xff);
}

absl::Status CheckLimits(const v1::CommitRecord& record) {
  if (record.slices_size() > kMaxSlices) {
    return absl::InvalidArgumentError(absl::StrCat("slices: ", record.slices_size(), ", want at most ", kMaxSlices));
  }
  int events = 0;
  for (const v1::Slice& slice : record.slices()) events += slice.events_size();
  if (events > kMaxCommitEvents) {
    return absl::InvalidArgumentError(
        absl::StrCat("events of the commit: ", events, ", want at most ", kMaxCommitEvents));
  }
  const size_t bytes = kHeaderBytes + record.ByteSizeLong();
  if (bytes > kMaxCommitBytes) {
    return absl::InvalidArgumentError(absl::StrCat("bytes of the commit: ", bytes, ", want at most ", kMaxCommitBytes));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> EncodeRecord(const v1::CommitRecord& record) {
  DOCKET_RETURN_IF_ERROR(CheckLimits(record));
  std::string stored(kHeaderBytes, '\0');
  stored[kCrcBytes] = static_cast<char>(kRecordFormat);
  {
    google::protobuf::io::StringOutputStream stream(&stored);  // appends
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    if (!record.SerializeToCodedStream(&coded)) {
      return absl::InvalidArgumentError("commit record does not serialise, want valid UTF-8 in its strings");
    }
  }
  WriteLittleEndian32(Crc32c(absl::string_view(stored).substr(kCrcBytes)), stored.data());
  return stored;
}

absl::Status CheckStored(absl::string_view stored) {
  if (stored.size() < kHeaderBytes) {
    return absl::DataLossError(
        absl::StrCat("stored record has ", stored.size(), " bytes, want at least ", kHeaderBytes));
  }
  const uint32_t written = ReadLittleEndian32(stored);
  const uint32_t found = Crc32c(stored.substr(kCrcBytes));
  if (written != found) {
    return absl::DataLossError(absl::StrCat("checksum of a stored record is ", absl::Hex(found, absl::kZeroPad8),
                                            ", want ", absl::Hex(written, absl::kZeroPad8)));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::CommitRecord> DecodeRecord(absl::string_view stored) {
  DOCKET_RETURN_IF_ERROR(CheckStored(stored));
  const auto format = static_cast<uint8_t>(stored[kCrcBytes]);
  if (format != kRecordFormat) {
    return absl::DataLossError(absl::StrCat("format of a stored record is ", format, ", want ", kRecordFormat));
  }
  v1::CommitRecord record;
  const absl::string_view bytes = stored.substr(kHeaderBytes);
  if (!record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError("stored record does not parse as a CommitRecord");
  }
  return record;
}

std::string LeafHashOf(absl::string_view stored) {
  DOCKET_CHECK(stored.size() >= kHeaderBytes);
  return Sha256(absl::StrCat(absl::string_view("\0", 1), stored.substr(kCrcBytes)));
}

std::string Sha256(absl::string_view data) {
  std::string digest(32, '\0');
  unsigned int size = 0;
  const int done = EVP_Digest(data.data(), data.size(), reinterpret_cast<unsigned char*>(digest.data()), &size,
                              EVP_sha256(), nullptr);
  // OpenSSL fails here only when it cannot allocate; there is nothing sensible to do without a digest.
  DOCKET_CHECK(done == 1 && size == digest.size());
  return digest;
}

}  // namespace docket::store
