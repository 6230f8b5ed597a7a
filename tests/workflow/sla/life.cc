#include "tests/workflow/sla/life.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "workflow/base/time.h"

namespace docket::sla::testing {
namespace {

constexpr int kDaysKnown = 25;  // to the twin, before and after the middle of its world
constexpr int kDaysLived = 12;  // after it
constexpr int kDaysBefore = 4;  // when a case is received

v1::Target Working(absl::Duration span) {
  v1::Target target;
  target.set_unit(v1::Target::WORKING_TIME);
  *target.mutable_duration() = docket::ToProto(span);
  return target;
}

constexpr auto kForever = absl::InfiniteFuture();

}  // namespace

Life::Life() : world_(kDaysKnown, "08:00-16:00"), promises_(SomePromises()), twin_(world_.twin.get()) {
  now_ = world_.middle - absl::Hours(24 * kDaysBefore);
  desk_.Publish("place", world_.spec);
  Publish(promises_, &desk_);
  received_ = now_ - absl::Minutes(*rc::gen::element(0, 0, 30, 600));
  v1::Event event;
  *event.mutable_case_received()->mutable_entered() = Entered("OPEN");
  *event.mutable_case_received()->mutable_received_at() = docket::ToProto(received_);
  Do("receive", event);
  Start(promises_.first, received_, kFirst);
  Start(promises_.resolution, received_, OfPriority(0));
  Start(promises_.final, received_, OfSeverity(0));
  Start(promises_.review, received_, kReview);
  Compare();
}

void Life::Step() {
  now_ += absl::Minutes(*rc::gen::element(0, 0, 1, 7, 30, 60, 119, 300, 900, 1500));
  if (now_ > world_.middle + absl::Hours(24 * kDaysLived)) over_ = true;
  if (over_) return;
  Pass();
  const v1::Case before = desk_.state();
  excused_ = false;
  Act(*rc::gen::inRange(0, 18));
  JudgeAgainst(before);
  Pass();
  Compare();
}

void Life::Act(int what) {
  switch (what) {
    case 0:
    case 1:
      return ended() ? Reopen() : Hold();
    case 2:
      return ended() ? Reopen() : Resume();
    case 3:
      return ended() ? Reopen() : Resolve();
    case 4:
    case 5:
      return Prioritise(*rc::gen::inRange<uint32_t>(1, 5));
    case 6:
      return Prioritise(desk_.state().priority());
    case 7:
      return Triage(*rc::gen::inRange<uint32_t>(1, 3));
    case 8:
    case 9:
      return Hear(Moment(), *rc::gen::inRange(0, 4) > 0);
    case 10:
    case 11:
      return Send(Moment(), *rc::gen::inRange(0, 3) > 0, *rc::gen::inRange(0, 3) > 0);
    case 12:
      return Bounce();
    case 13:
      return CorrectReceipt();
    case 14:
      return *rc::gen::arbitrary<bool>() ? Extend() : Decide();
    case 15:
      return *rc::gen::arbitrary<bool>() ? Exempt() : Withdraw();
    default:
      return ChangeHands();
  }
}

// Mostly now; sometimes earlier: what is entered late.
absl::Time Life::Moment() const {
  return std::max(received_, now_ - absl::Minutes(*rc::gen::element(0, 0, 0, 20, 200, 2000)));
}

std::vector<TwinClock*> Life::Running(const TwinRule& rule) {
  std::vector<TwinClock*> found;
  for (TwinClock& clock : twin_.clocks()) {
    if (clock.rule == &rule && Unended(clock)) found.push_back(&clock);
  }
  return found;
}

TwinClock* Life::Start(const TwinRule& rule, absl::Time start, absl::Duration target) {
  TwinClock* clock = twin_.Start(rule, start, target);
  clock->began = desk_.state().revision();
  return clock;
}

// Time alone.
void Life::Pass() {
  Note("time", desk_.Advance(now_));
  for (TwinClock& clock : twin_.clocks()) {
    if (Unended(clock)) twin_.Pass(clock, now_);
  }
}

void Life::Enter(const char* what, const std::string& status, const v1::Wait& wait) {
  v1::Event event;
  *event.mutable_status_changed()->mutable_entered() = Entered(status);
  if (wait.has_since()) *event.mutable_status_changed()->mutable_wait() = wait;
  Do(what, event);
}

void Life::FollowStatus() {
  const absl::Time until = wait_.has_until() ? FromProto(wait_.until()) : kForever;
  const absl::Time since = wait_.has_since() ? FromProto(wait_.since()) : now_;
  for (TwinClock* clock : Running(promises_.resolution)) {
    twin_.Wait(*clock, pauses_, since, until, wait_.on() == v1::COMPLAINANT, asked_, now_);
  }
}

void Life::Hold() {
  const std::string status = *rc::gen::element<std::string>("WAITING", "WAITING_OTHER", "WAITING_INSIDE");
  pauses_ = status != "WAITING_INSIDE";
  wait_.Clear();
  wait_.set_on(*rc::gen::arbitrary<bool>() ? v1::COMPLAINANT : v1::THIRD_PARTY);
  absl::Time since = now_;
  if (wait_.on() == v1::COMPLAINANT && asked_ < now_) since = asked_;
  *wait_.mutable_since() = docket::ToProto(since);
  const int minutes = *rc::gen::element(0, 0, 60, 600, 3000);
  if (minutes > 0) *wait_.mutable_until() = docket::ToProto(now_ + absl::Minutes(minutes));
  Enter("hold", status, wait_);
  FollowStatus();
}

void Life::Resume() {
  pauses_ = false;
  wait_.Clear();
  Enter("open", "OPEN", wait_);
  FollowStatus();
}

void Life::Resolve() {
  pauses_ = false;
  wait_.Clear();
  Enter("resolve", "RESOLVED", wait_);
  for (TwinClock* clock : Running(promises_.resolution)) twin_.Stop(*clock, now_);
}

// Ends every clock and meets none.
void Life::Withdraw() {
  if (desk_.state().status().category() == v1::CLOSED) return;
  v1::Event event;
  event.mutable_case_closed()->set_closure_code("CLOSED");
  event.mutable_case_closed()->set_basis("WITHDRAWN");
  Do("withdraw", event);
  withdrawn_ = now_;
  withdrawn_by_ = desk_.state().revision();
  for (TwinClock& clock : twin_.clocks()) {
    if (!Unended(clock)) continue;
    twin_.Cancel(clock, now_);
    clock.withdrawn = true;
  }
  pauses_ = false;
  wait_.Clear();
  Enter("close", "CLOSED", wait_);
}

void Life::Reopen() {
  const auto reason = *rc::gen::element(v1::NOT_RESOLVED, v1::QUESTION_UNANSWERED, v1::NEW_FACTS);
  v1::Event event;
  event.mutable_case_reopened()->set_reopen_no(desk_.state().reopen_count() + 1);
  event.mutable_case_reopened()->set_reason(reason);
  Do("reopen", event);
  const absl::Time before = std::exchange(reopened_, now_);
  for (const TwinRule* rule : promises_.all()) {
    TwinClock* newest = nullptr;
    for (TwinClock& clock : twin_.clocks()) newest = clock.rule == rule ? &clock : newest;
    if (newest == nullptr) continue;
    const bool restarts = rule->reopen == "RESTART" && reason == v1::NEW_FACTS;
    const bool resolved = rule->reopens && newest->ending == TwinClock::kMet;
    const bool withdrawn = newest->ending == TwinClock::kCancelled && newest->withdrawn && newest->stopped >= before;
    if (restarts) {
      if (!Unended(*newest)) Start(*rule, now_, OfPriority(desk_.state().priority()));
    } else if (resolved || withdrawn) {
      const bool resumes = rule->reopen == "RESUME" || (rule->reopen.empty() && reason == v1::NEW_FACTS);
      twin_.SetAside(*newest, resumes && !rule->regulatory ? now_ : absl::InfinitePast());
      CatchUp(newest);
      twin_.BreachIfOver(*newest, now_);
    }
  }
  Enter("open", "OPEN", {});
}

void Life::Prioritise(uint32_t priority) {
  const absl::Duration before = OfPriority(desk_.state().priority());
  const absl::Duration own_before = OwnOfPriority(desk_.state().priority());
  const size_t events = desk_.log().size();
  v1::Event event;
  event.mutable_priority_set()->set_priority(priority);
  Do("priority", event);
  if (OfPriority(priority) == before) {
    RC_ASSERT(desk_.log().size() == events);  // nothing else was promised
    return;
  }
  for (TwinClock* clock : Running(promises_.own)) {
    if (OwnOfPriority(priority) != own_before) twin_.Retarget(*clock, OwnOfPriority(priority), now_);
  }
  for (TwinClock* clock : Running(promises_.resolution)) {
    if (clock->target == OfPriority(priority)) continue;
    twin_.Retarget(*clock, OfPriority(priority), now_);
    const absl::Time until = wait_.has_until() ? FromProto(wait_.until()) : kForever;
    const absl::Time since = FromProto(wait_.has_since() ? wait_.since() : desk_.state().status_since());
    twin_.Wait(*clock, pauses_, since, until, wait_.on() == v1::COMPLAINANT, asked_, now_);
  }
}

void Life::Triage(uint32_t severity) {
  const absl::Duration before = OfSeverity(desk_.state().severity());
  v1::Event event;
  event.mutable_case_triaged()->set_severity(severity);
  Do("triage", event);
  if (OfSeverity(severity) == before) return;
  for (TwinClock* clock : Running(promises_.final)) twin_.Retarget(*clock, OfSeverity(severity), now_);
}

std::vector<absl::Time> Life::StandingQuestions() const {
  std::vector<absl::Time> questions;
  for (const Sent& one : sent_) {
    if (one.asks && !one.bounced) questions.push_back(one.at);
  }
  return questions;
}

absl::Time Life::OldestUnanswered() const {
  absl::Time oldest = kForever;
  if (!unanswered_.empty()) oldest = unanswered_.begin()->first;
  return oldest;
}

void Life::Hear(absl::Time at, bool from_requester) {
  v1::Event event;
  event.mutable_inbound_received()->set_from_requester(from_requester);
  event.mutable_inbound_received()->set_public_message(from_requester);
  *event.mutable_occurred_at() = docket::ToProto(at);
  Do("hear", event);
  if (!from_requester) return;
  unanswered_.emplace(at, desk_.state().revision());
  if (at >= asked_) asked_ = kForever;  // what came before the question does not answer it
  heard_ = std::max(heard_, at);
  const std::vector<TwinClock*> running = Running(promises_.next);
  if (running.empty()) {
    Start(promises_.next, OldestUnanswered(), kNext);
  } else if (OldestUnanswered() < running.front()->start) {
    twin_.CorrectStart(*running.front(), OldestUnanswered(), at, /*annuls=*/false);
  }
  for (TwinClock* window : Running(promises_.referral)) {
    if (at >= window->start) twin_.Stop(*window, at);
  }
  for (TwinClock& clock : twin_.clocks()) {
    if (clock.ending != TwinClock::kExempted) twin_.Heard(clock, at);
  }
  if (wait_.on() == v1::COMPLAINANT) Resume();  // as every chart has it
}

void Life::Send(absl::Time at, bool human, bool public_message) {
  v1::Event event;
  const bool asks = *rc::gen::arbitrary<bool>();
  event.mutable_outbound_sent()->set_kind(asks ? v1::INFORMATION_REQUEST : v1::RESPONSE);
  event.mutable_outbound_sent()->set_human(human);
  event.mutable_outbound_sent()->set_public_message(public_message);
  *event.mutable_occurred_at() = docket::ToProto(at);
  const uint32_t revision = desk_.state().revision() + 1;
  const size_t events = desk_.log().size();
  Do("send", event);
  if (!human || !public_message) RC_ASSERT(desk_.log().size() == events);  // nobody was answered
  if (!public_message) return;
  if (asks) asked_ = at;
  if (asks) asked_by_ = revision;
  Sent sent{.revision = revision, .at = at, .answer = human, .asks = asks};
  for (const Heard& one : unanswered_) {
    if (human && one.first <= at) sent.answered.insert(one);
  }
  for (const Heard& one : sent.answered) unanswered_.erase(one);
  sent_.push_back(sent);
  if (!human) return;
  for (TwinClock* clock : Running(promises_.first)) StopBy(sent, clock);
  for (TwinClock* clock : Running(promises_.next)) {
    if (OldestUnanswered() > clock->start) StopBy(sent, clock);
  }
}

void Life::StopBy(const Sent& sent, TwinClock* clock) {
  if (sent.at < clock->start) return;
  twin_.Stop(*clock, sent.at);
  clock->stopped_by = sent.revision;
}

bool Life::CanAnswer(const Sent& sent, const TwinClock& clock) const {
  if (clock.rule != &promises_.first && clock.rule != &promises_.next) return false;
  if (!sent.answer || sent.bounced || sent.at < clock.start || sent.revision < clock.began) return false;
  // What waits for the answer to one message is told by that answer.
  const bool answers_it = std::any_of(sent.answered.begin(), sent.answered.end(),
                                      [&](const Heard& one) { return one.first == clock.start; });
  return clock.rule == &promises_.first || (answers_it && OldestUnanswered() > clock.start);
}

void Life::Bounce() {
  if (sent_.empty()) return;
  Sent& sent = sent_[*rc::gen::inRange<size_t>(0, sent_.size())];
  if (sent.bounced) return Deliver(&sent);
  sent.bounced = true;
  for (const Heard& heard : sent.answered) {
    const bool answered = std::any_of(sent_.begin(), sent_.end(),
                                      [&](const Sent& one) { return !one.bounced && one.answered.count(heard) > 0; });
    if (!answered) unanswered_.insert(heard);
  }
  v1::Event event;
  event.mutable_delivery_reported()->set_outbound_revision(sent.revision);
  event.mutable_delivery_reported()->set_outcome(v1::BOUNCED);
  Do("bounce", event);
  if (asked_by_ == sent.revision) asked_ = kForever;
  AskAgain();
  for (TwinClock& clock : twin_.clocks()) {
    if (clock.ending != TwinClock::kMet || clock.stopped_by != sent.revision) continue;
    twin_.SetAside(clock);
    CatchUp(&clock);
    const Sent* other = nullptr;
    for (const Sent& one : sent_) {
      if (!CanAnswer(one, clock)) continue;
      if (other == nullptr || one.at < other->at) other = &one;
    }
    const bool withdrawn = withdrawn_ >= clock.start && withdrawn_ > reopened_ && withdrawn_by_ >= clock.began;
    if (other != nullptr && (!withdrawn || other->at <= withdrawn_)) {
      StopBy(*other, &clock);
    } else if (withdrawn) {
      twin_.Cancel(clock, withdrawn_);
      clock.withdrawn = true;
    } else {
      twin_.BreachIfOver(clock, now_);
    }
  }
  for (TwinClock& clock : twin_.clocks()) {
    if (sent.asks && clock.ending != TwinClock::kExempted)
      twin_.Unasked(clock, sent.at, StandingQuestions(), heard_, now_);
  }
}

// The newest question that stands and has no answer.
void Life::AskAgain() {
  for (const Sent& one : sent_) {
    if (!one.asks || one.bounced || one.at <= heard_) continue;
    asked_ = one.at;
    asked_by_ = one.revision;
  }
}

// What bounced has arrived after all.
void Life::Deliver(Sent* sent) {
  sent->bounced = false;
  for (const Heard& heard : sent->answered) unanswered_.erase(heard);
  v1::Event event;
  event.mutable_delivery_reported()->set_outbound_revision(sent->revision);
  event.mutable_delivery_reported()->set_outcome(v1::DELIVERED);
  Do("deliver", event);
  AskAgain();
  for (TwinClock& clock : twin_.clocks()) {
    if (!CanAnswer(*sent, clock)) continue;
    const bool stopped_later = clock.ending == TwinClock::kMet && sent->at < clock.stopped;
    if (stopped_later) twin_.SetAside(clock);
    if (Unended(clock)) StopBy(*sent, &clock);
  }
}

// A receipt corrected while the clock was finished.
void Life::CatchUp(TwinClock* clock) {
  if (!clock->rule->from_receipt || clock->cycle > 1 || clock->start == received_) return;
  excused_ = true;
  twin_.MoveStart(*clock, received_, /*annuls=*/true);
}

void Life::CorrectReceipt() {
  const absl::Time to = std::min(now_, received_ + absl::Minutes(*rc::gen::element(-600, -90, -1, 1, 90, 600)));
  v1::Event event;
  *event.mutable_received_at_corrected()->mutable_received_at() = docket::ToProto(to);
  *event.mutable_received_at_corrected()->mutable_previous() = docket::ToProto(received_);
  Do("correct", event);
  excused_ = true;
  for (TwinClock& clock : twin_.clocks()) {
    if (!Unended(clock) || clock.start != received_ || !clock.rule->from_receipt) continue;
    twin_.CorrectStart(clock, to, now_, /*annuls=*/true);
  }
  received_ = to;
}

void Life::Extend() {
  if (Running(promises_.final).empty()) return;
  const absl::Duration target = absl::Minutes(*rc::gen::element(300, 600, 960));
  excused_ = true;
  Note("extend", desk_.Extend(now_, desk_.Clock("FINAL").clock_no(), Working(target)));
  twin_.Extend(*Running(promises_.final).front(), target, now_);
}

// What is exempted is owed no more; of what was done, entered late, it settles the dispute.
void Life::Exempt() {
  const TwinRule& rule = **rc::gen::element(&promises_.first, &promises_.review, &promises_.resolution);
  for (TwinClock& clock : twin_.clocks()) {
    if (clock.rule != &rule || (!Unended(clock) && !clock.disputed)) continue;
    Note("exempt", desk_.Exempt(now_, Real(clock).clock_no()));
    twin_.Exempt(clock, now_);
    return;
  }
}

void Life::Decide() {
  v1::Event event;
  event.mutable_decision_issued();
  Do("decide", event);
  for (const TwinRule* rule : {&promises_.final, &promises_.review}) {
    for (TwinClock* clock : Running(*rule)) twin_.Stop(*clock, now_);
  }
  if (Running(promises_.referral).empty()) Start(promises_.referral, now_, kReferral);
}

// From entering a queue without an owner; those in one queue share the time.
void Life::StartOwn() {
  if (!Running(promises_.own).empty()) return;
  absl::Duration brought;
  for (const TwinClock& clock : twin_.clocks()) {
    const bool same = clock.rule == &promises_.own && clock.visit == queue_ && clock.start >= reopened_;
    if (same) brought += twin_.Counted(clock.start, clock.stopped, clock.pauses);
  }
  TwinClock* clock = Start(promises_.own, now_, OwnOfPriority(desk_.state().priority()));
  clock->visit = queue_;
  clock->brought = clock->used = brought;
}

void Life::Queue(const std::string& queue) {
  v1::Event event;
  event.mutable_case_queued()->set_queue(queue);
  Do("queue", event);
  queue_ = queue;
  for (TwinClock* clock : Running(promises_.own)) twin_.Cancel(*clock, now_);
  if (owner_.empty()) StartOwn();
}

void Life::Assign() {
  v1::Event event;
  event.mutable_owner_assigned()->set_owner("h");
  event.mutable_owner_assigned()->set_department("h");
  Do("assign", event);
  owner_ = "h";
  for (TwinClock* clock : Running(promises_.own)) twin_.Stop(*clock, now_);
}

void Life::Release() {
  v1::Event event;
  event.mutable_owner_released();
  Do("release", event);
  owner_.clear();
  if (!queue_.empty()) StartOwn();
}

// What we owe for the case itself does not move with hands.
void Life::ChangeHands() {
  const size_t events = desk_.log().size();
  const std::string to = absl::StrCat("h", *rc::gen::inRange(0, 3));
  switch (*rc::gen::inRange(0, 6)) {
    case 0:
    case 1:
      Queue(to);
      break;
    case 2:
    case 3:
      owner_.empty() ? Assign() : Release();
      break;
    case 4:
      Assign();
      break;
    default: {
      v1::Event event;
      event.mutable_accountable_owner_set()->set_department(to);
      Do("hands", event);
      break;
    }
  }
  RC_ASSERT(desk_.log().size() - events <= 2);  // one visit ended, one begun
}

void Life::Do(const char* what, const v1::Event& event) { Note(what, desk_.Do(now_, event)); }

void Life::Note(const char* what, const std::vector<std::string>& lines) const {
  RC_LOG() << absl::FormatTime(now_, absl::UTCTimeZone()) << " " << what << ": " << absl::StrJoin(lines, "; ") << "\n";
  RC_ASSERT(!::testing::Test::HasFailure());
}

}  // namespace docket::sla::testing
