#ifndef DOCKET_STORE_REQUESTS_H_
#define DOCKET_STORE_REQUESTS_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

// Which commit answered a request, so that the same request sent again gets the same answer.
namespace docket::store {

// Ids are remembered for this long after the time in them. An older id is refused, so its row says nothing any more: it
// may be there still or be deleted, and counts for no digest.
inline constexpr std::chrono::hours kRequestHorizon{30 * 24};

// By request id. Ids are UUIDv7, so new rows land at the end and expired ones lie together at the front. The answer
// itself is rebuilt from the commit.
struct RequestRow {
  static constexpr uint16_t kKeyspace = 8;
  static constexpr uint32_t kVersion = 1;
  std::string request_id;
  uint64_t commit = 0;

  template <class W>
  void WriteKey(W& w) const {
    w.Text(request_id);
  }
  template <class R>
  bool ReadKey(R& r) {
    return r.Text(&request_id);
  }
  std::string Value() const;  // U64(commit)
  bool SetValue(absl::string_view bytes);
};

// The key of the first row whose id is of `unix_ms` or later: where the rows that were made before it end.
std::string RequestKeyFrom(int64_t unix_ms);

// SHA-256("docket/request/v1" || salt || canonical), 32 bytes: tells whether a repeated request_id came with the same
// content. The digest is stored in the log for ever, so `canonical` must hold no personal text in clear (put the sealed
// digests in its place) unless `salt` is random and erased together with that text.
std::string RequestDigest(absl::string_view salt, absl::string_view canonical);

}  // namespace docket::store

#endif  // DOCKET_STORE_REQUESTS_H_
