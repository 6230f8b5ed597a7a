#ifndef DOCKET_SERVICES_QUERY_PAGE_TOKEN_H_
#define DOCKET_SERVICES_QUERY_PAGE_TOKEN_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "services/query/visibility.h"

// Keyset tokens: where the last page ended and which question it belonged to. Opaque to clients; not a secret.
// Form: web-safe base64 of version (1) || digest of the query (16) || mode (1) || valid_at_us (8) || known_at_us (8) ||
// key.
namespace docket::query {

struct Cursor {
  std::string key;  // of the last row looked at; "": from the start
  // The two times of the first page, so that a list does not change its meaning between pages.
  absl::Time valid_at;
  absl::Time known_at;
  bool by_replay = false;
};

// Digest of the question without page_size, page_token and min_position: the same question has the same digest.
std::string QueryDigest(const google::protobuf::Message& request, const Viewer& viewer);

std::string EncodePageToken(const std::string& query_digest, const Cursor& cursor);

// REQUIRES: !token.empty(). INVALID_ARGUMENT PAGE_TOKEN_MISMATCH naming page_token: malformed or of another question.
absl::StatusOr<Cursor> DecodePageToken(absl::string_view token, const std::string& query_digest);

// Whether `token` has the form of a token at all (request validation).
bool IsPageToken(absl::string_view token);

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_PAGE_TOKEN_H_
