#ifndef DOCKET_SERVICES_ENGINE_SEALED_TEXTS_H_
#define DOCKET_SERVICES_ENGINE_SEALED_TEXTS_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "docket/v1/record.pb.h"
#include "google/protobuf/message.h"
#include "store/kv.h"

namespace docket::engine {

// Calls `visit` for every SealedText inside `message`, depth first.
void ForEachSealedText(const google::protobuf::Message& message,
                       const std::function<void(const v1::SealedText&)>& visit);

// Was `record` made by a request of this canonical content? The digest is salted with the salt of the record's first
// personal text, so that nobody can guess a text from it; once that text is erased the question cannot be answered any
// more and the same request_id is taken as proof enough. Texts staged but not yet written are looked up in `staged`.
absl::StatusOr<bool> SameRequest(const v1::CommitRecord& record, const std::string& canonical,
                                 const store::KvSnapshot& snapshot, const store::KvBatch& staged);

}  // namespace docket::engine

#endif  // DOCKET_SERVICES_ENGINE_SEALED_TEXTS_H_
