#ifndef DOCKET_STORE_PERSONAL_H_
#define DOCKET_STORE_PERSONAL_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "docket/v1/record.pb.h"
#include "store/kv.h"

// Personal texts, outside the log. Key: Text(subject_id) U64(commit) U32(n); value: alg (1) || salt (32) || text.
// Erasing a subject deletes its rows and tears nothing: the log holds only digests over a random salt and the text.
namespace docket::store {

inline constexpr size_t kSaltBytes = 32;

std::string PersonalKey(absl::string_view subject_id, uint64_t commit, uint32_t n);

// SHA-256("docket/sealed/v1" || alg || salt || text).
std::string SealedDigest(v1::SealAlgorithm alg, absl::string_view salt, absl::string_view text);

// Makes the reference for `text` and adds its row to `batch`. REQUIRES: salt.size() == kSaltBytes.
v1::SealedText Seal(KvBatch* batch, absl::string_view subject_id, uint64_t commit, uint32_t n, absl::string_view text,
                    absl::string_view salt);

struct Opened {
  std::string text;
  std::string salt;
};
// The text of a reference; nullopt: erased. kDataLoss: the text does not match the digest.
absl::StatusOr<std::optional<Opened>> Open(const KvSnapshot& snapshot, const v1::SealedText& reference);

// The same of many references, in their order.
absl::StatusOr<std::vector<std::optional<Opened>>> OpenMany(const KvSnapshot& snapshot,
                                                            const std::vector<const v1::SealedText*>& references);

// Adds to `batch` the deletion of every text of `subject_id` that `snapshot` holds; returns how many. The digests in
// the log stay and prove nothing about the texts, for the salts go with them. kDataLoss: the rows cannot be read.
absl::StatusOr<size_t> EraseSubject(const KvSnapshot& snapshot, absl::string_view subject_id, KvBatch* batch);

}  // namespace docket::store

#endif  // DOCKET_STORE_PERSONAL_H_
