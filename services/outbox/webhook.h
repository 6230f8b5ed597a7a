#ifndef DOCKET_SERVICES_OUTBOX_WEBHOOK_H_
#define DOCKET_SERVICES_OUTBOX_WEBHOOK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "docket/v1/alert.pb.h"
#include "services/outbox/delivery.h"

// What docketd is told of its webhooks, as YAML: a list of maps, see README.md.
namespace docket::outbox {

inline constexpr size_t kMaxWebhooks = 16;
inline constexpr size_t kMaxWebhookFileBytes = 64 << 10;
inline constexpr size_t kMinSecretBytes = 16;
inline constexpr size_t kMaxSecretBytes = 4096;
inline constexpr absl::Duration kMaxTimeout = absl::Minutes(2);

struct WebhookOptions {
  std::string name;
  std::string url;
  std::string secret;  // HMAC key: the bytes of the file, without the line end behind them
  v1::AlertFilter filter;
  // Where a webhook begins that was never seen before: 0 the end of the log, else the position of the first event it is
  // told of.
  uint64_t from_position = 0;
  absl::Duration connect_timeout = absl::Seconds(5);
  absl::Duration timeout = absl::Seconds(10);
  DeliveryPolicy policy;
  std::string ca_file;
};

// Reads the webhooks of a file; files they name are relative to its folder. kInvalidArgument lists everything that is
// wrong with line numbers; kNotFound: a file cannot be read.
absl::StatusOr<std::vector<WebhookOptions>> ReadWebhooks(const std::string& path);

// OK when alerts may be sent there: https, or http on this machine; over a network in clear only if `insecure`.
// kInvalidArgument names the url and what was wanted. Credentials in a url are refused: it is shown to who asks.
absl::Status CheckUrl(const std::string& url, bool insecure);

// The url without query and fragment, as it is shown.
std::string ShownUrl(const std::string& url);

}  // namespace docket::outbox

#endif  // DOCKET_SERVICES_OUTBOX_WEBHOOK_H_
