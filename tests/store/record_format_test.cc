#include "store/record_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "store/hex.h"

namespace docket::store {
namespace {

using ::testing::HasSubstr;

v1::CommitRecord SampleRecord() {
  v1::CommitRecord record;
  record.set_log_id("0123456789abcdef");
  record.set_commit(7);
  record.set_first_position(21);
  record.set_recorded_at_us(1'700'000'000'000'000);
  record.mutable_actor()->set_principal_id("p-1");
  v1::Slice* slice = record.add_slices();
  slice->set_kind(v1::STREAM_KIND_CASE);
  slice->set_stream_id("stream");
  slice->set_first_revision(3);
  v1::RecordedEvent* event = slice->add_events();
  event->set_type(4);
  event->set_version(1);
  event->set_payload(std::string("\0\x01\xff", 3));
  return record;
}

std::string Crc(const std::string& bytes) { return absl::StrCat(absl::Hex(Crc32c(bytes), absl::kZeroPad8)); }

// RFC 3720 appendix B.4, and the check value that catalogues of checksums give.
TEST(Crc32cTest, AgreesWithPublishedVectors) {
  std::string up(32, '\0'), down(32, '\0');
  for (int i = 0; i < 32; ++i) up[i] = static_cast<char>(i), down[i] = static_cast<char>(31 - i);
  EXPECT_EQ(Crc(std::string(32, '\0')), "8a9136aa");
  EXPECT_EQ(Crc(std::string(32, '\xff')), "62a8ab43");
  EXPECT_EQ(Crc(up), "46dd794e");
  EXPECT_EQ(Crc(down), "113fdb5c");
  EXPECT_EQ(Crc(HexToBytes("01c00000000000000000000000000000140000000000040000000014"
                           "0000001828000000000000000200000000000000")),
            "d9963a56");
  EXPECT_EQ(Crc("123456789"), "e3069283");
  EXPECT_EQ(Crc(""), "00000000");
}

TEST(Crc32cTest, TheInstructionAndTheTableAgreeAtEveryLength) {
  std::string bytes;
  for (int size = 0; size < 300; ++size) {
    EXPECT_EQ(Crc32c(bytes), Crc32cByTable(bytes)) << size;
    bytes.push_back(static_cast<char>(size * 37 + 11));
  }
}

// FIPS 180-2 appendix B.
TEST(Sha256Test, AgreesWithPublishedVectors) {
  EXPECT_EQ(absl::BytesToHexString(Sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(absl::BytesToHexString(Sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(RecordFormatTest, ReadsBackWhatWasEncoded) {
  const auto stored = EncodeRecord(SampleRecord());
  ASSERT_TRUE(stored.ok()) << stored.status();
  const auto record = DecodeRecord(*stored);
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->SerializeAsString(), SampleRecord().SerializeAsString());
  EXPECT_EQ(*EncodeRecord(SampleRecord()), *stored) << "encoding is deterministic";
}

TEST(RecordFormatTest, IsCrcLittleEndianThenFormatThenRecord) {
  v1::CommitRecord record;
  record.set_commit(1);  // field 2, varint 1
  const auto stored = EncodeRecord(record);
  ASSERT_TRUE(stored.ok());
  const std::string body = HexToBytes("011001");
  EXPECT_EQ(stored->substr(4), body);
  const uint32_t crc = Crc32c(body);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(static_cast<uint8_t>((*stored)[i]), (crc >> (8 * i)) & 0xff);
}

// RFC 6962 section 2.1: the hash of a leaf is SHA-256(0x00 || data). The format byte is data here.
TEST(RecordFormatTest, TheLeafIsTheHashOfTheStoredBytesWithoutTheChecksum) {
  const std::string stored = *EncodeRecord(SampleRecord());
  EXPECT_EQ(LeafHashOf(stored), Sha256(std::string(1, '\0') + stored.substr(4)));
  // The reference leaf "00" of RFC 6962's test vectors, whose tree of one leaf has this root.
  EXPECT_EQ(absl::BytesToHexString(LeafHashOf(std::string(4, 'x') + std::string(1, '\0'))),
            absl::BytesToHexString(Sha256(std::string(2, '\0'))));
}

TEST(RecordFormatTest, EveryFlippedBitIsDetected) {
  const std::string stored = *EncodeRecord(SampleRecord());
  for (size_t bit = 0; bit < stored.size() * 8; ++bit) {
    std::string damaged = stored;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(CheckStored(damaged).code(), absl::StatusCode::kDataLoss) << bit;
    EXPECT_EQ(DecodeRecord(damaged).status().code(), absl::StatusCode::kDataLoss) << bit;
  }
}

TEST(RecordFormatTest, EveryTruncationIsDetected) {
  const std::string stored = *EncodeRecord(SampleRecord());
  for (size_t size = 0; size < stored.size(); ++size) {
    EXPECT_EQ(DecodeRecord(stored.substr(0, size)).status().code(), absl::StatusCode::kDataLoss) << size;
  }
  EXPECT_EQ(DecodeRecord(stored + '\0').status().code(), absl::StatusCode::kDataLoss);
}

// A stored value around `body` (format byte and record) whose checksum is right.
std::string WithCrc(const std::string& body) {
  const uint32_t crc = Crc32c(body);
  std::string stored;
  for (int i = 0; i < 4; ++i) stored.push_back(static_cast<char>((crc >> (8 * i)) & 0xff));
  return stored + body;
}

TEST(RecordFormatTest, AnUnknownFormatOrForeignBytesAreRefusedThoughTheChecksumIsRight) {
  const std::string body = EncodeRecord(SampleRecord())->substr(4);
  ASSERT_TRUE(DecodeRecord(WithCrc(body)).ok());
  for (int format : {0, 2, 255}) {
    std::string other = body;
    other[0] = static_cast<char>(format);
    const absl::Status status = DecodeRecord(WithCrc(other)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()), HasSubstr("format"));
  }
  EXPECT_EQ(DecodeRecord(WithCrc("\x01\xff\xff")).status().code(), absl::StatusCode::kDataLoss);
}

TEST(RecordFormatTest, TakesAsManySlicesAsTheLimitAndNoMore) {
  v1::CommitRecord record;
  for (int i = 0; i < kMaxSlices; ++i) record.add_slices();
  EXPECT_TRUE(EncodeRecord(record).ok());
  record.add_slices();
  const absl::Status status = EncodeRecord(record).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "slices: 17, want at most 16");
}

TEST(RecordFormatTest, TakesAsManyEventsOverAllSlicesAsTheLimitAndNoMore) {
  v1::CommitRecord record;
  for (int i = 0; i < 2; ++i) {
    v1::Slice* slice = record.add_slices();
    for (int k = 0; k < kMaxCommitEvents / 2; ++k) slice->add_events();
  }
  EXPECT_TRUE(EncodeRecord(record).ok());
  record.mutable_slices(0)->add_events();
  const absl::Status status = EncodeRecord(record).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "events of the commit: 257, want at most 256");
}

TEST(RecordFormatTest, TakesAsManyBytesAsTheLimitAndNoMore) {
  v1::CommitRecord record;
  std::string* payload = record.add_slices()->add_events()->mutable_payload();
  payload->resize(kMaxCommitBytes - 64);
  payload->resize(payload->size() + kMaxCommitBytes - EncodeRecord(record)->size());
  ASSERT_TRUE(EncodeRecord(record).ok());
  EXPECT_EQ(EncodeRecord(record)->size(), kMaxCommitBytes);
  payload->push_back('x');
  const absl::Status status = EncodeRecord(record).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("want at most 1048576"));
}

}  // namespace
}  // namespace docket::store
