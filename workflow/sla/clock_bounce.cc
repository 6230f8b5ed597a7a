// What becomes of clocks when a message turns out not to have arrived, or to have arrived after all.
#include <algorithm>
#include <optional>

#include "absl/algorithm/container.h"
#include "workflow/base/check.h"
#include "workflow/sla/clock_steps.h"

namespace docket::sla {
namespace {

v1::Event AsEvent(const v1::SentMessage& message) {
  v1::Event event;
  v1::OutboundSent* sent = event.mutable_outbound_sent();
  sent->set_kind(message.kind());
  sent->set_human(message.human());
  sent->set_public_message(true);
  *sent->mutable_parts() = message.parts();
  return event;
}

// Whether the message answered the one that the clock counts from.
bool AnswersStart(const v1::SentMessage& message, const v1::Clock& clock) {
  return absl::c_any_of(message.answers_since(),
                        [&](const auto& since) { return FromProto(since) == FromProto(clock.start_at()); });
}

}  // namespace

const v1::SentMessage* SentNumbered(const v1::Case& state, uint32_t revision) {
  const auto found =
      absl::c_find_if(state.sent(), [&](const v1::SentMessage& one) { return one.revision() == revision; });
  return found == state.sent().end() ? nullptr : &*found;
}

// What it had ended runs on, what it began never did, and what it asked excuses no wait.
absl::Status Steps::SetBouncedStopsAside() {
  const uint32_t message = event_.delivery_reported().outbound_revision();
  for (int i = 0; i < work_.clocks_size(); ++i) {
    const bool ended = clock(i).state() == v1::FULFILLED || clock(i).state() == v1::CANCELLED;
    if (!ended || clock(i).stop_revision() != message || clock(i).cancel_cause() == kUndelivered) continue;
    DOCKET_ASSIGN_OR_RETURN(const v1::MetricRule* rule, PinnedRule(clock(i)));
    DOCKET_RETURN_IF_ERROR(EmitReopened(i, /*exclude=*/false, kUndelivered));
    DOCKET_RETURN_IF_ERROR(CatchUpStart(i));
    const std::optional<Ending> other = OtherEnding(clock(i), *rule);
    const absl::Time until = other.has_value() ? other->at : at_;
    if (DueAt(clock(i)) < until) DOCKET_RETURN_IF_ERROR(RecordBreachIfOver(clock(i), kUndelivered));
    if (other.has_value()) DOCKET_RETURN_IF_ERROR(End(i, *rule, *other));
  }
  DOCKET_RETURN_IF_ERROR(TakeStartsBack());
  return TakePausesBack();
}

// Cycles that count from the oldest message without an answer each have one of their own, and may run side by side.
absl::Status Steps::TakeStartsBack() {
  const uint32_t message = event_.delivery_reported().outbound_revision();
  for (int i = 0; i < work_.clocks_size(); ++i) {
    if (!Unfinished(clock(i))) continue;
    DOCKET_ASSIGN_OR_RETURN(const v1::MetricRule* rule, PinnedRule(clock(i)));
    const bool begun = clock(i).start_revision() == message;
    const bool beside = !IsOldestRunning(i);
    if (rule->start_at() == kOldestUnanswered || (!begun && !beside)) continue;
    const absl::Time other = beside ? absl::InfiniteFuture() : OtherStart(*rule);
    if (other != absl::InfiniteFuture()) {
      DOCKET_RETURN_IF_ERROR(MoveStart(i, other, kUndelivered, /*annuls=*/true));
    } else {
      DOCKET_RETURN_IF_ERROR(Cancel(clock(i), {at_, message, kUndelivered}));
    }
  }
  return absl::OkStatus();
}

// When a later message, which did not bounce, would have begun what the one reported began; InfiniteFuture: none would.
absl::Time Steps::OtherStart(const v1::MetricRule& rule) const {
  if (rule.start_at() != "occurred_at") return absl::InfiniteFuture();
  absl::Time earliest = absl::InfiniteFuture();
  for (const v1::SentMessage& one : after_.sent()) {
    if (one.outcome() == v1::BOUNCED || one.revision() < event_.delivery_reported().outbound_revision()) continue;
    const v1::Event sent = AsEvent(one);
    const bool begins = Fires(rule.start(), BodyOf(sent), facts_) || AnyFires(rule.start_also(), BodyOf(sent), facts_);
    if (begins) earliest = std::min(earliest, FromProto(one.sent_at()));
  }
  return earliest;
}

// What stood at `revision` and `at` ended the cycle only if it came neither before it nor as what began it, and no
// reopening has set it aside since.
std::optional<Steps::Ending> Steps::EndingBy(const v1::Clock& clock, const v1::MetricRule& rule, const v1::Event& what,
                                             absl::Time at, uint32_t revision) const {
  if (at < FromProto(clock.start_at()) || revision < clock.clock_no()) return std::nullopt;
  const bool reopened = after_.has_reopened_at() && at < FromProto(after_.reopened_at());
  const bool withdraws = Withdraws(what);
  if (!withdraws && !(rule.reopens() && reopened) && AnyFires(rule.stop(), BodyOf(what), facts_)) {
    return Ending{.at = at, .revision = revision};
  }
  if (reopened || (withdraws && after_.has_reopened_at() && at == FromProto(after_.reopened_at()))) return std::nullopt;
  if (withdraws) return Ending{.at = at, .revision = revision, .cancels = kWithdrawn};
  // That it waited for no answer any more was said when it seemed to have one.
  const bool cancels = rule.start_at() != kOldestUnanswered && AnyFires(rule.cancel(), BodyOf(what), facts_);
  if (!cancels) return std::nullopt;
  return Ending{.at = at, .revision = revision, .cancels = CancelCauseOf(what)};
}

std::optional<Steps::Ending> Steps::EndingByMessage(const v1::Clock& clock, const v1::MetricRule& rule,
                                                    const v1::SentMessage& message) const {
  const bool by_oldest = rule.start_at() == kOldestUnanswered;
  if (by_oldest && !(AnswersStart(message, clock) && OldestAnswered(clock))) return std::nullopt;
  return EndingBy(clock, rule, AsEvent(message), FromProto(message.sent_at()), message.revision());
}

// The earliest other thing that ends such a clock too. What waits for the answer to one message is told by a message.
std::optional<Steps::Ending> Steps::OtherEnding(const v1::Clock& clock, const v1::MetricRule& rule) const {
  std::optional<Ending> earliest;
  const auto consider = [&](std::optional<Ending> one) {
    if (one.has_value() && (!earliest.has_value() || one->at < earliest->at)) earliest = std::move(one);
  };
  for (const v1::SentMessage& one : after_.sent()) {
    if (one.outcome() != v1::BOUNCED) consider(EndingByMessage(clock, rule, one));
  }
  for (const v1::PastAnswer& one : after_.past_answers()) {
    const std::optional<Ending> ending = EndingBy(clock, rule, one.what(), FromProto(one.at()), one.revision());
    const bool answers = ending.has_value() && ending->cancels.empty();
    if (!answers || rule.start_at() != kOldestUnanswered) consider(ending);
  }
  return earliest;
}

absl::Status Steps::End(int i, const v1::MetricRule& rule, const Ending& ending) {
  return ending.cancels.empty() ? Fulfil(clock(i), rule, ending.at, ending.revision) : Cancel(clock(i), ending);
}

// What was said to have bounced has arrived after all, and ended and began what it would have. A breach found in
// between stands until somebody else has judged it (R7).
absl::Status Steps::RestoreStops() {
  const uint32_t message = event_.delivery_reported().outbound_revision();
  const v1::SentMessage* sent = SentNumbered(after_, message);
  const v1::SentMessage* was = SentNumbered(before_, message);
  if (sent == nullptr || was == nullptr || was->outcome() != v1::BOUNCED) return absl::OkStatus();
  for (int i = 0; i < work_.clocks_size(); ++i) DOCKET_RETURN_IF_ERROR(RestoreStop(i, *sent));
  for (int i = 0; i < work_.clocks_size(); ++i) DOCKET_RETURN_IF_ERROR(RestoreStart(i));
  return absl::OkStatus();
}

absl::Status Steps::RestoreStop(int i, const v1::SentMessage& sent) {
  const absl::Time at = FromProto(sent.sent_at());
  const bool stopped_later = clock(i).state() == v1::FULFILLED && at < FromProto(clock(i).stopped_at());
  if (!Unfinished(clock(i)) && !stopped_later) return absl::OkStatus();
  DOCKET_ASSIGN_OR_RETURN(const v1::MetricRule* rule, PinnedRule(clock(i)));
  const std::optional<Ending> ending = EndingByMessage(clock(i), *rule, sent);
  if (!ending.has_value() || (stopped_later && !ending->cancels.empty())) return absl::OkStatus();
  if (stopped_later) DOCKET_RETURN_IF_ERROR(EmitReopened(i, /*exclude=*/false, "DELIVERED"));
  if (DueAt(clock(i)) < at) DOCKET_RETURN_IF_ERROR(RecordBreachIfOver(clock(i), "TIME"));
  return End(i, *rule, *ending);
}

absl::Status Steps::RestoreStart(int i) {
  const bool taken_back = clock(i).state() == v1::CANCELLED && clock(i).cancel_cause() == kUndelivered &&
                          clock(i).stop_revision() == event_.delivery_reported().outbound_revision();
  if (!taken_back) return absl::OkStatus();
  DOCKET_ASSIGN_OR_RETURN(const v1::MetricRule* rule, PinnedRule(clock(i)));
  const std::optional<Ending> other = OtherEnding(clock(i), *rule);
  const bool runs = absl::c_any_of(work_.clocks(), [&](const v1::Clock& one) {
    return Unfinished(one) && one.metric() == clock(i).metric() && one.obligation() == clock(i).obligation() &&
           one.item() == clock(i).item();
  });
  if (runs && !other.has_value()) return absl::OkStatus();
  DOCKET_RETURN_IF_ERROR(EmitReopened(i, /*exclude=*/false, "DELIVERED"));
  if (DueAt(clock(i)) < (other.has_value() ? other->at : at_)) {
    DOCKET_RETURN_IF_ERROR(RecordBreachIfOver(clock(i), "TIME"));
  }
  return other.has_value() ? End(i, *rule, *other) : absl::OkStatus();
}

}  // namespace docket::sla
