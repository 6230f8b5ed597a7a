#ifndef DOCKET_SERVICES_OUTBOX_OUTBOX_H_
#define DOCKET_SERVICES_OUTBOX_OUTBOX_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "docket/v1/alert.pb.h"
#include "prometheus/registry.h"
#include "services/engine/engine.h"
#include "services/outbox/sender.h"
#include "services/outbox/webhook.h"
#include "services/query/reader.h"
#include "store/kv.h"

// Alerts on their way to webhooks: at least once, those of a case in order, over crashes of either side. Start here to
// understand services/outbox. It reads the log like any other reader, on a thread of its own, and keeps its state in a
// store of its own, so that neither a receiver nor the outbox can hold up the writer.
namespace docket::outbox {

// Commits are looked at this much later at most, many at a time, so that a busy writer does not wake the outbox for
// each of its groups.
inline constexpr absl::Duration kReadPace = absl::Milliseconds(20);
inline constexpr size_t kMaxWaitingReplays = 16;

struct OutboxOptions {
  std::vector<WebhookOptions> webhooks;
  engine::Engine* engine = nullptr;  // outlives the outbox; its clock and randomness are used
  store::KvStore* kv = nullptr;      // outlives the outbox; nobody else writes it
  std::unique_ptr<Sender> sender;
  std::shared_ptr<prometheus::Registry> metrics;  // null: kept but not exposed
};

// Thread-safe.
class Outbox {
 public:
  // Takes up every webhook where it stood and begins to deliver. kInvalidArgument: a filter names what nobody ever had.
  // kOutOfRange: a position lies beyond the end of the log. kUnavailable: the store failed; with a full disk it waits
  // for space.
  static absl::StatusOr<std::unique_ptr<Outbox>> Open(OutboxOptions options);
  virtual ~Outbox() = default;  // what is under way is given up, and sent again by the next outbox

  virtual v1::ListWebhooksReply ListWebhooks() const = 0;
  // kInvalidArgument UNKNOWN_WEBHOOK, PAGE_TOKEN_MISMATCH.
  virtual absl::StatusOr<v1::ListDeadLettersReply> ListDeadLetters(const query::Reader& reader,
                                                                   const v1::ListDeadLettersRequest& request) const = 0;
  // `done` runs on the outbox's thread, or at once when refused; with OK what was replayed is on disk. REQUIRES: either
  // ids or all (request validation). kInvalidArgument UNKNOWN_WEBHOOK, INVALID_FIELD; kNotFound DEAD_LETTER_NOT_FOUND;
  // kResourceExhausted OUTBOX_FULL, OVERLOADED; kUnavailable STOPPING, or the store takes no writes.
  using ReplayDone = absl::AnyInvocable<void(absl::StatusOr<v1::ReplayDeadLettersReply>)>;
  virtual void Replay(v1::ReplayDeadLettersRequest request, ReplayDone done) = 0;

  // Looks at the clock again, for tests whose clock moves by itself.
  virtual void Wake() = 0;
};

}  // namespace docket::outbox

#endif  // DOCKET_SERVICES_OUTBOX_OUTBOX_H_
