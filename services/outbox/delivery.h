#ifndef DOCKET_SERVICES_OUTBOX_DELIVERY_H_
#define DOCKET_SERVICES_OUTBOX_DELIVERY_H_

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "docket/v1/alert.pb.h"
#include "services/outbox/sender.h"

// What is sent when to one receiver. Pure: time and chance are arguments, sending and storing are others' work.
namespace docket::outbox {

inline constexpr size_t kMaxPending = 65'536;         // letters of one webhook, about 300 bytes each
inline constexpr uint64_t kMaxDeadLetters = 100'000;  // of one webhook; beyond, nothing is given up any more
inline constexpr uint32_t kMaxInFlight = 16;          // of one webhook
inline constexpr uint32_t kMaxRefusals = 3;           // attempts at a message that the receiver refuses as such
inline constexpr absl::Duration kMaxRetryAfter = absl::Hours(1);

// What the answer to an attempt means.
enum class Answer {
  kDelivered,  // 2xx
  kRefused,    // 400, 413, 414, 415, 422, 431: a judgement on this very message, which will not change
  kFailed,     // anything else, redirects and 401, 403, 404, 410 too: how the receiver is set up may be mended
};
Answer AnswerOf(const SendResult& result);

struct DeliveryPolicy {
  absl::Duration first_delay = absl::Seconds(1);
  absl::Duration longest_delay = absl::Minutes(5);
  uint32_t max_attempts = std::numeric_limits<uint32_t>::max();
  absl::Duration give_up_after = absl::Hours(72);  // since the first attempt
  uint32_t max_in_flight = 4;
};

// Before the attempt after `failures` of them: the first delay, doubled each time up to the longest, of which `chance`
// (0..1) takes away up to a half, so that what failed together does not come back together. At least `retry_after`, of
// which at most kMaxRetryAfter counts.
absl::Duration DelayAfter(const DeliveryPolicy& policy, uint32_t failures, double chance, absl::Duration retry_after);

// The letters of one webhook. Of one case only one is ever under way, the first of those that are due, and what was
// tried holds up those behind it, so a case's alerts arrive in order; only what may not be told yet is overtaken by
// later ones of its case. Cases overtake each other. After a failure one letter at a time is tried, at growing
// intervals, until one arrives. Not thread-safe.
class Delivery {
 public:
  explicit Delivery(const DeliveryPolicy& policy) : policy_(policy) {}

  size_t pending() const { return pending_; }
  bool Full() const { return pending_ >= kMaxPending; }
  size_t in_flight() const { return in_flight_.size(); }

  // A letter to send not before its next_attempt_at. False: it is pending already.
  bool Add(v1::OutboxLetter letter);

  // Ends the pause after failures, not one that the receiver asked for: somebody says that it is mended.
  void EndPause() { paused_until_ = absl::InfinitePast(); }

  // The letters to send now, under way until Finish.
  std::vector<v1::OutboxLetter> TakeDue(absl::Time now);

  // Letters that must not be sent before some instant, as of the last TakeDue, and the first such instant;
  // InfiniteFuture: there are none.
  size_t held() const { return held_.size(); }
  absl::Time held_until() const {
    return held_.empty() ? absl::InfiniteFuture() : absl::FromUnixMicros(held_.begin()->first);
  }

  // When TakeDue has something; InfiniteFuture: not before the next Add or Finish.
  absl::Time NextDue() const;

  enum class Verdict { kDelivered, kRetry, kDead };
  // What becomes of a letter under way; `*letter` is how it stands afterwards. It stays pending only with kRetry.
  // `may_give_up`: there is room for a dead letter.
  Verdict Finish(uint64_t position, const SendResult& result, absl::Time now, double chance, bool may_give_up,
                 v1::OutboxLetter* letter);

  // No attempt has succeeded since; InfiniteFuture: none failed.
  absl::Time failing_since() const { return failing_since_; }

 private:
  using Due = std::pair<int64_t, uint64_t>;  // instant in us, position
  struct CaseQueue {
    std::map<uint64_t, v1::OutboxLetter> letters;  // by position
    bool busy = false;                             // one of them is under way
    std::optional<Due> due;                        // its place in due_
  };
  using Cases = std::map<std::string, CaseQueue>;

  // Takes a case out of due_, or puts it in, as it stands.
  void Unschedule(CaseQueue& queue);
  void Schedule(CaseQueue& queue);
  // REQUIRES: the case is due at `now`.
  static v1::OutboxLetter& FirstDue(CaseQueue& queue, absl::Time now);
  void NoteFailure(absl::Time now, double chance, absl::Duration retry_after);
  bool GivesUp(const v1::OutboxLetter& letter, Answer answer, absl::Time now) const;

  const DeliveryPolicy policy_;
  Cases cases_;
  size_t pending_ = 0;
  std::set<Due> due_;                          // what comes next of each case that is not busy
  std::set<Due> held_;                         // not yet tried, and not before their instant
  std::map<uint64_t, std::string> case_of_;    // of every position in due_
  std::map<uint64_t, std::string> in_flight_;  // position to case
  uint32_t failures_ = 0;                      // in a row
  absl::Time paused_until_ = absl::InfinitePast();
  absl::Time held_until_ = absl::InfinitePast();  // what the receiver asked for; no success shortens it
  absl::Time failing_since_ = absl::InfiniteFuture();
};

}  // namespace docket::outbox

#endif  // DOCKET_SERVICES_OUTBOX_DELIVERY_H_
