#ifndef DOCKET_SERVICES_OUTBOX_CURL_SENDER_H_
#define DOCKET_SERVICES_OUTBOX_CURL_SENDER_H_

#include <memory>
#include <string>

#include "services/outbox/sender.h"

namespace docket::outbox {

inline constexpr size_t kMaxResponseBytes = 64 << 10;  // of a body; a longer one is cut off, the status counts

// POSTs by libcurl, all of them on one thread. Redirects are not followed (the key is the receiver's, not that of whom
// it points to), certificates are verified, no proxy of the environment is used, no cookie is kept, bodies of answers
// are thrown away.
std::unique_ptr<Sender> MakeCurlSender(const std::string& user_agent);

}  // namespace docket::outbox

#endif  // DOCKET_SERVICES_OUTBOX_CURL_SENDER_H_
