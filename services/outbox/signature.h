#ifndef DOCKET_SERVICES_OUTBOX_SIGNATURE_H_
#define DOCKET_SERVICES_OUTBOX_SIGNATURE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace docket::outbox {

inline constexpr char kSignatureHeader[] = "Docket-Signature";

// "t=<unix seconds>,v1=<hex of HMAC-SHA-256(key, "<unix seconds>.<body>")>". A receiver computes it again over the
// bytes it received, compares in constant time, and refuses a `t` that is minutes away from its clock, so that an old
// message cannot be sent again by somebody else. More schemes may follow as v2; unknown parts are to be skipped.
std::string Sign(absl::string_view key, absl::Time now, absl::string_view body);

}  // namespace docket::outbox

#endif  // DOCKET_SERVICES_OUTBOX_SIGNATURE_H_
