#ifndef DOCKET_SERVICES_RPC_VALIDATION_H_
#define DOCKET_SERVICES_RPC_VALIDATION_H_

#include "absl/status/status.h"
#include "google/protobuf/message.h"

// Shape of requests: everything that can be refused without looking at any state. The rules come from the descriptors
// (docket/v1/annotations.proto) and a short list of named rules, so a new request or field is checked from its first
// day.
namespace docket::rpc {

// From the descriptor: `required`, and then not blank; `max_size` (default 256 bytes for strings, 64 for codes and
// bytes, 64 elements of a repeated field; elements of repeated strings have the default length limit); `form` of public
// strings; every oneof set; enum values known, and in lists not UNSPECIFIED; UTF-8; no control characters, in personal
// strings none but line ends and tabs; Timestamps from 1970 to 9999, Durations valid and not negative; all of it for
// messages inside messages. By name: request_id and case_id are UUIDv7, page_size <= 500, page_token has the form of a
// token, a case is named once, and the few rules listed in validation.cc.
//
// OK, or INVALID_ARGUMENT INVALID_FIELD naming the fields (the first kMaxBadFields). Values of personal fields are
// never repeated in the refusal. Thread-safe.
absl::Status ValidateRequest(const google::protobuf::Message& request);

// The same for the fields of `request` itself, without those of the messages inside it: an envelope whose parts are
// refused one by one.
absl::Status ValidateEnvelope(const google::protobuf::Message& request);

inline constexpr int kMaxBadFields = 16;  // so that a refusal always fits the 8 KiB of a trailer

}  // namespace docket::rpc

#endif  // DOCKET_SERVICES_RPC_VALIDATION_H_
