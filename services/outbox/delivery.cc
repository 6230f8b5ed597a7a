#include "services/outbox/delivery.h"

#include <algorithm>

#include "workflow/base/check.h"

namespace docket::outbox {
namespace {

constexpr uint32_t kMaxDoublings = 20;  // beyond any longest delay that makes sense

}  // namespace

Answer AnswerOf(const SendResult& result) {
  if (result.http_status >= 200 && result.http_status <= 299) return Answer::kDelivered;
  switch (result.http_status) {
    case 400:
    case 413:
    case 414:
    case 415:
    case 422:
    case 431:
      return Answer::kRefused;
    default:
      return Answer::kFailed;
  }
}

absl::Duration DelayAfter(const DeliveryPolicy& policy, uint32_t failures, double chance, absl::Duration retry_after) {
  const uint32_t doublings = std::min(failures == 0 ? 0 : failures - 1, kMaxDoublings);
  const absl::Duration longest = std::min(policy.first_delay * (int64_t{1} << doublings), policy.longest_delay);
  const absl::Duration delay = longest - longest * (chance / 2);
  return std::max(delay, std::min(retry_after, kMaxRetryAfter));
}

bool Delivery::Add(v1::OutboxLetter letter) {
  CaseQueue& queue = cases_[letter.case_id()];
  if (queue.letters.count(letter.position()) > 0) return false;
  Unschedule(queue);
  if (letter.attempts() == 0 && letter.next_attempt_at_us() > 0) {
    held_.insert({letter.next_attempt_at_us(), letter.position()});
  }
  queue.letters.emplace(letter.position(), std::move(letter));
  ++pending_;
  Schedule(queue);
  return true;
}

void Delivery::Unschedule(CaseQueue& queue) {
  if (!queue.due.has_value()) return;
  due_.erase(*queue.due);
  case_of_.erase(queue.due->second);
  queue.due.reset();
}

// What was tried holds up those behind it; what waits for its first attempt holds up nobody.
void Delivery::Schedule(CaseQueue& queue) {
  if (queue.busy || queue.letters.empty()) return;
  for (const auto& [position, letter] : queue.letters) {
    const Due due(letter.next_attempt_at_us(), position);
    queue.due = std::min(queue.due.value_or(due), due);
    if (letter.attempts() > 0 || letter.next_attempt_at_us() <= 0) break;
  }
  due_.insert(*queue.due);
  case_of_[queue.due->second] = queue.letters.begin()->second.case_id();
}

v1::OutboxLetter& Delivery::FirstDue(CaseQueue& queue, absl::Time now) {
  const auto found = std::find_if(queue.letters.begin(), queue.letters.end(), [&](const auto& one) {
    return absl::FromUnixMicros(one.second.next_attempt_at_us()) <= now;
  });
  DOCKET_CHECK(found != queue.letters.end());
  return found->second;
}

std::vector<v1::OutboxLetter> Delivery::TakeDue(absl::Time now) {
  std::vector<v1::OutboxLetter> taken;
  while (!held_.empty() && absl::FromUnixMicros(held_.begin()->first) <= now) held_.erase(held_.begin());
  if (now < std::max(paused_until_, held_until_)) return taken;
  const size_t most = failures_ == 0 ? std::min(policy_.max_in_flight, kMaxInFlight) : 1;
  while (in_flight_.size() < most && !due_.empty() && absl::FromUnixMicros(due_.begin()->first) <= now) {
    CaseQueue& queue = cases_[case_of_[due_.begin()->second]];
    v1::OutboxLetter& head = FirstDue(queue, now);
    Unschedule(queue);
    queue.busy = true;
    in_flight_[head.position()] = head.case_id();
    if (head.first_attempt_at_us() == 0) head.set_first_attempt_at_us(absl::ToUnixMicros(now));
    head.set_attempts(head.attempts() + 1);
    taken.push_back(head);
  }
  return taken;
}

absl::Time Delivery::NextDue() const {
  const size_t most = failures_ == 0 ? std::min(policy_.max_in_flight, kMaxInFlight) : 1;
  if (due_.empty() || in_flight_.size() >= most) return absl::InfiniteFuture();
  return std::max({absl::FromUnixMicros(due_.begin()->first), paused_until_, held_until_});
}

void Delivery::NoteFailure(absl::Time now, double chance, absl::Duration retry_after) {
  failing_since_ = std::min(failing_since_, now);
  if (retry_after > absl::ZeroDuration())
    held_until_ = std::max(held_until_, now + std::min(retry_after, kMaxRetryAfter));
  // Of several that were under way together only the first tells something new.
  if (failures_ > 0 && now < paused_until_) return;
  ++failures_;
  paused_until_ = now + DelayAfter(policy_, failures_, chance, absl::ZeroDuration());
}

bool Delivery::GivesUp(const v1::OutboxLetter& letter, Answer answer, absl::Time now) const {
  if (answer == Answer::kRefused && letter.attempts() >= kMaxRefusals) return true;
  return letter.attempts() >= policy_.max_attempts ||
         now - absl::FromUnixMicros(letter.first_attempt_at_us()) >= policy_.give_up_after;
}

Delivery::Verdict Delivery::Finish(uint64_t position, const SendResult& result, absl::Time now, double chance,
                                   bool may_give_up, v1::OutboxLetter* letter) {
  const auto under_way = in_flight_.find(position);
  DOCKET_CHECK(under_way != in_flight_.end());
  const auto found = cases_.find(under_way->second);
  in_flight_.erase(under_way);
  CaseQueue& queue = found->second;
  const auto kept = queue.letters.find(position);
  const Answer answer = AnswerOf(result);
  Verdict verdict = Verdict::kDelivered;
  if (answer == Answer::kDelivered) {
    failures_ = 0;
    paused_until_ = absl::InfinitePast();
    failing_since_ = absl::InfiniteFuture();
  } else {
    NoteFailure(now, chance, result.retry_after);
    kept->second.set_last_error(result.error);
    const absl::Time next = now + DelayAfter(policy_, kept->second.attempts(), chance, result.retry_after);
    kept->second.set_next_attempt_at_us(absl::ToUnixMicros(next));
    verdict = may_give_up && GivesUp(kept->second, answer, now) ? Verdict::kDead : Verdict::kRetry;
    if (verdict == Verdict::kDead) kept->second.set_dead_at_us(absl::ToUnixMicros(now));
  }
  *letter = kept->second;
  if (verdict != Verdict::kRetry) {
    queue.letters.erase(kept);
    --pending_;
  }
  queue.busy = false;
  Schedule(queue);
  if (queue.letters.empty()) cases_.erase(found);
  return verdict;
}

}  // namespace docket::outbox
