#ifndef DOCKET_STORE_RECORD_FORMAT_H_
#define DOCKET_STORE_RECORD_FORMAT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "docket/v1/record.pb.h"

// Stored value = crc32c (4 bytes little endian, over all that follows) || format (1 byte) || CommitRecord.
// store/README.md describes it byte by byte and changes together with this file.
namespace docket::store {

inline constexpr uint8_t kRecordFormat = 1;
inline constexpr size_t kMaxCommitBytes = 1 << 20;  // whole stored value
inline constexpr int kMaxSlices = 16;
inline constexpr int kMaxCommitEvents = 256;

// kInvalidArgument: over a limit of this file; the message names limit and value. Deterministic.
absl::StatusOr<std::string> EncodeRecord(const v1::CommitRecord& record);

// kDataLoss: too short, wrong checksum, unknown format or not a CommitRecord.
absl::StatusOr<v1::CommitRecord> DecodeRecord(absl::string_view stored);

// Checks the checksum only.
absl::Status CheckStored(absl::string_view stored);

// SHA-256(0x00 || stored without the crc), 32 bytes. REQUIRES: stored.size() >= 5.
std::string LeafHashOf(absl::string_view stored);

uint32_t Crc32c(absl::string_view data);
uint32_t Crc32cByTable(absl::string_view data);  // the same without the processor's instruction; for other machines
std::string Sha256(absl::string_view data);  // 32 bytes

}  // namespace docket::store

#endif  // DOCKET_STORE_RECORD_FORMAT_H_
