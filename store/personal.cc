#include "store/personal.h"

#include "absl/strings/str_cat.h"
#include "store/ordered_key.h"
#include "store/record_format.h"
#include "workflow/base/check.h"

namespace docket::store {
namespace {

constexpr size_t kHeaderBytes = 1 + kSaltBytes;  // alg || salt

std::string AlgorithmByte(v1::SealAlgorithm alg) { return std::string(1, static_cast<char>(alg)); }

std::string KeyOf(const v1::SealedText& reference) {
  return PersonalKey(reference.subject_id(), reference.commit(), reference.n());
}

absl::Status Damaged(const v1::SealedText& reference, absl::string_view what) {
  return absl::DataLossError(absl::StrCat("personal text ", reference.n(), " of commit ", reference.commit(),
                                          ", subject ", reference.subject_id(), ": ", what));
}

absl::Status CheckAlgorithm(const v1::SealedText& reference) {
  if (reference.alg() == v1::SEAL_ALGORITHM_SALTED_CLEAR) return absl::OkStatus();
  return Damaged(reference, absl::StrCat("alg is ", reference.alg(), ", want 0 (salted clear)"));
}

// What a reference points to, from its row.
absl::StatusOr<Opened> OpenRow(const v1::SealedText& reference, absl::string_view row) {
  if (row.size() != kHeaderBytes + reference.length() || row.substr(0, 1) != AlgorithmByte(reference.alg())) {
    return Damaged(reference, "the row has another length or algorithm than its reference");
  }
  Opened opened;
  opened.salt = std::string(row.substr(1, kSaltBytes));
  opened.text = std::string(row.substr(kHeaderBytes));
  if (SealedDigest(reference.alg(), opened.salt, opened.text) != reference.digest()) {
    return Damaged(reference, "the row does not match the digest in the log");
  }
  return opened;
}

}  // namespace

std::string PersonalKey(absl::string_view subject_id, uint64_t commit, uint32_t n) {
  return KeyWriter().Text(subject_id).U64(commit).U32(n).Take();
}

std::string SealedDigest(v1::SealAlgorithm alg, absl::string_view salt, absl::string_view text) {
  return Sha256(absl::StrCat("docket/sealed/v1", AlgorithmByte(alg), salt, text));
}

v1::SealedText Seal(KvBatch* batch, absl::string_view subject_id, uint64_t commit, uint32_t n, absl::string_view text,
                    absl::string_view salt) {
  DOCKET_CHECK(salt.size() == kSaltBytes);
  constexpr v1::SealAlgorithm kAlgorithm = v1::SEAL_ALGORITHM_SALTED_CLEAR;
  v1::SealedText reference;
  reference.set_subject_id(std::string(subject_id));
  reference.set_n(n);
  reference.set_alg(kAlgorithm);
  reference.set_length(static_cast<uint32_t>(text.size()));
  reference.set_digest(SealedDigest(kAlgorithm, salt, text));
  reference.set_commit(commit);
  batch->Put(kPersonalFamily, PersonalKey(subject_id, commit, n), absl::StrCat(AlgorithmByte(kAlgorithm), salt, text));
  return reference;
}

absl::StatusOr<std::optional<Opened>> Open(const KvSnapshot& snapshot, const v1::SealedText& reference) {
  DOCKET_RETURN_IF_ERROR(CheckAlgorithm(reference));
  DOCKET_ASSIGN_OR_RETURN(const auto row, snapshot.Get(kPersonalFamily, KeyOf(reference)));
  if (!row.has_value()) return std::optional<Opened>();
  return OpenRow(reference, *row);
}

absl::StatusOr<std::vector<std::optional<Opened>>> OpenMany(const KvSnapshot& snapshot,
                                                            const std::vector<const v1::SealedText*>& references) {
  std::vector<std::string> keys;
  keys.reserve(references.size());
  for (const v1::SealedText* reference : references) {
    DOCKET_RETURN_IF_ERROR(CheckAlgorithm(*reference));
    keys.push_back(KeyOf(*reference));
  }
  DOCKET_ASSIGN_OR_RETURN(const auto rows, snapshot.GetMany(kPersonalFamily, keys));
  std::vector<std::optional<Opened>> opened(references.size());
  for (size_t i = 0; i < references.size(); ++i) {
    if (!rows[i].has_value()) continue;
    DOCKET_ASSIGN_OR_RETURN(opened[i], OpenRow(*references[i], *rows[i]));
  }
  return opened;
}

absl::StatusOr<size_t> EraseSubject(const KvSnapshot& snapshot, absl::string_view subject_id, KvBatch* batch) {
  const std::string prefix = KeyWriter().Text(subject_id).Take();
  size_t erased = 0;
  auto iterator = snapshot.Scan(kPersonalFamily, prefix, PrefixEnd(prefix));
  for (; iterator->Valid(); iterator->Next(), ++erased) {
    batch->Delete(kPersonalFamily, std::string(iterator->key()));
  }
  DOCKET_RETURN_IF_ERROR(iterator->status());
  return erased;
}

}  // namespace docket::store
