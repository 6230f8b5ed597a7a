#ifndef DOCKET_SERVICES_OUTBOX_MAILBOX_H_
#define DOCKET_SERVICES_OUTBOX_MAILBOX_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "docket/v1/alert.pb.h"
#include "services/engine/engine.h"
#include "services/outbox/delivery.h"
#include "services/outbox/sender.h"
#include "services/outbox/webhook.h"
#include "services/query/alert_follower.h"
#include "store/kv.h"

namespace docket::outbox {

// How far the position of a webhook may run ahead of its row while there is nothing to tell: what is read again after a
// crash, against a write per commit.
inline constexpr absl::Duration kPositionInterval = absl::Seconds(10);

// One webhook: reads its alerts off the log into letters, and says which to send. What it changes it puts into a batch,
// which must be on disk before the next Send: so a letter is recorded before it goes, and a dead letter before the one
// behind it. Not thread-safe.
class Mailbox {
 public:
  // Takes up what the store holds, or begins where the options say (in `batch`). kInvalidArgument: the filter names
  // what nobody ever had. kOutOfRange: the position lies beyond the end. kDataLoss: a row does not parse.
  static absl::StatusOr<std::unique_ptr<Mailbox>> Open(const WebhookOptions& options, const engine::Engine& engine,
                                                       const store::KvStore& kv, store::KvBatch* batch);

  // Reads on by one message of the log while there is room. True: there is more at once.
  bool Read(absl::Time now, store::KvBatch* batch);

  // Sends what is due. `done` runs on another thread.
  void Send(absl::Time now, Sender& sender, std::function<void(uint64_t position, SendResult)> done);

  // What became of one letter.
  Delivery::Verdict Finish(uint64_t position, const SendResult& result, absl::Time now, double chance,
                           store::KvBatch* batch);

  // Dead letters become pending again, as if new: those `wanted` names, while there is room. Returns how many.
  absl::StatusOr<uint64_t> Replay(absl::FunctionRef<bool(uint64_t position)> wanted, absl::Time now,
                                  store::KvBatch* batch);

  // Puts the position down, should it have moved.
  void PutPosition(store::KvBatch* batch);

  absl::Time NextDue() const { return delivery_.NextDue(); }
  size_t room() const { return kMaxPending - delivery_.pending(); }
  const std::string& name() const { return options_.name; }
  v1::Webhook Describe() const;

 private:
  Mailbox(const WebhookOptions& options, const engine::Engine& engine, const store::KvStore& kv);
  absl::Status Load(store::KvBatch* batch);
  absl::StatusOr<v1::Alert> AlertOf(const v1::OutboxLetter& letter);
  // Id of the newest earlier dead letter of the same case; "": none.
  absl::StatusOr<std::string> PrecedingLost(const v1::OutboxLetter& letter) const;
  absl::StatusOr<SendRequest> RequestFor(const v1::OutboxLetter& letter, absl::Time now);
  void AddLetter(const v1::Alert& alert, store::KvBatch* batch);

  const WebhookOptions options_;
  const engine::Engine& engine_;
  const store::KvStore& kv_;
  const std::string log_id_;
  const query::Viewer viewer_;
  std::unique_ptr<query::AlertFollower> follower_;
  const query::AlertMatcher everything_;
  query::AlertBuilder builder_;
  Delivery delivery_;
  uint64_t position_ = 0;
  uint64_t saved_position_ = 0;
  absl::Time saved_at_ = absl::InfinitePast();
  absl::Status trouble_;
  v1::Webhook status_;  // counts and times
};

}  // namespace docket::outbox

#endif  // DOCKET_SERVICES_OUTBOX_MAILBOX_H_
