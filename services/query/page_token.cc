#include "services/query/page_token.h"

#include <memory>

#include "absl/strings/escaping.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "store/ordered_key.h"
#include "store/record_format.h"
#include "workflow/base/refusal.h"

namespace docket::query {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kDigestBytes = 16;
constexpr size_t kFixedBytes = 1 + kDigestBytes + 1 + 8 + 8;

std::string Deterministic(const google::protobuf::Message& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream out(&stream);
    out.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&out);
  }
  return bytes;
}

absl::Status Mismatch(absl::string_view why) {
  return RefuseFields("PAGE_TOKEN_MISMATCH", {{"page_token", std::string(why)}});
}

}  // namespace

std::string QueryDigest(const google::protobuf::Message& request, const Viewer& viewer) {
  std::unique_ptr<google::protobuf::Message> question(request.New());
  question->CopyFrom(request);
  for (const char* paging : {"page_size", "page_token", "min_position"}) {
    if (const auto* field = request.GetDescriptor()->FindFieldByName(paging)) {
      question->GetReflection()->ClearField(question.get(), field);
    }
  }
  store::KeyWriter text;
  text.Text(request.GetDescriptor()->full_name()).Text(viewer.principal_id).Text(Deterministic(*question));
  return store::Sha256(text.str()).substr(0, kDigestBytes);
}

std::string EncodePageToken(const std::string& query_digest, const Cursor& cursor) {
  std::string bytes(1, static_cast<char>(kVersion));
  bytes += query_digest;
  store::KeyWriter rest;
  rest.U8(cursor.by_replay ? 1 : 0).I64(absl::ToUnixMicros(cursor.valid_at)).I64(absl::ToUnixMicros(cursor.known_at));
  bytes += rest.str();
  bytes += cursor.key;
  return absl::WebSafeBase64Escape(bytes);
}

// Of the years 1 to 9999, as a Timestamp is.
bool IsInstant(int64_t at_us) { return at_us >= -62'135'596'800'000'000 && at_us < 253'402'300'800'000'000; }

bool IsPageToken(absl::string_view token) {
  std::string bytes;
  return absl::WebSafeBase64Unescape(token, &bytes) && bytes.size() > kFixedBytes &&
         bytes[0] == static_cast<char>(kVersion);
}

absl::StatusOr<Cursor> DecodePageToken(absl::string_view token, const std::string& query_digest) {
  std::string bytes;
  if (!IsPageToken(token) || !absl::WebSafeBase64Unescape(token, &bytes)) {
    return Mismatch("not a token of this server; want a next_page_token as it was given");
  }
  if (bytes.compare(1, kDigestBytes, query_digest) != 0) {
    return Mismatch("belongs to another query; want the token of this one, or none to begin again");
  }
  Cursor cursor;
  const size_t times_at = 1 + kDigestBytes;
  store::KeyReader rest(absl::string_view(bytes).substr(times_at, kFixedBytes - times_at));
  uint8_t mode = 0;
  int64_t valid_at_us = 0;
  int64_t known_at_us = 0;
  if (!rest.U8(&mode) || mode > 1 || !rest.I64(&valid_at_us) || !rest.I64(&known_at_us) || !IsInstant(valid_at_us) ||
      !IsInstant(known_at_us)) {
    return Mismatch("not a token of this server; want a next_page_token as it was given");
  }
  cursor.by_replay = mode == 1;
  cursor.valid_at = absl::FromUnixMicros(valid_at_us);
  cursor.known_at = absl::FromUnixMicros(known_at_us);
  cursor.key = bytes.substr(kFixedBytes);
  return cursor;
}

}  // namespace docket::query
