#ifndef DOCKET_SERVICES_QUERY_TEXTS_H_
#define DOCKET_SERVICES_QUERY_TEXTS_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "docket/v1/record.pb.h"
#include "google/protobuf/message.h"
#include "store/kv.h"

// Personal texts inside messages, found by reflection so that a new field cannot be forgotten.
namespace docket::query {

// Calls `visit` for every SealedText inside `message`, in field order; stops at the first error. Types that cannot hold
// one are not entered: which can is worked out once per type.
absl::Status ForEachSealedText(google::protobuf::Message* message,
                               absl::FunctionRef<absl::Status(v1::SealedText*)> visit);

// Whether a message of this type can hold a SealedText, at any depth.
bool MayHoldText(const google::protobuf::Descriptor* type);

// Fills in text, or erased, of every reference. kDataLoss: a text does not match the digest in the log.
absl::Status RevealTexts(const store::KvSnapshot& snapshot, google::protobuf::Message* message);

}  // namespace docket::query

#endif  // DOCKET_SERVICES_QUERY_TEXTS_H_
