// Random lives of a case by the real rules, beside a twin that knows the rulings and counts minute by minute, in zones
// and at times where the clocks change.
#include "tests/workflow/sla/clock_twin.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/workflow/sla/desk.h"
#include "tests/workflow/sla/world.h"
#include "workflow/base/time.h"
#include "workflow/sla/clock_math.h"
#include "workflow/sla/clock_rules.h"

namespace docket::sla {
namespace {

using testing::ClockTwin;
using testing::Desk;
using testing::Is;
using testing::On;
using testing::TwinClock;
using testing::TwinRule;
using testing::World;

constexpr int kDaysKnown = 25;  // to the twin, before and after the middle of its world
constexpr int kDaysLived = 12;  // after it
constexpr int kDaysBefore = 4;  // when a case is received
constexpr auto kForever = absl::InfiniteFuture();

std::string Minutes(absl::Duration span) { return absl::StrCat(absl::ToInt64Minutes(span), "m"); }

v1::Target Working(absl::Duration span) {
  v1::Target target;
  target.set_unit(v1::Target::WORKING_TIME);
  *target.mutable_duration() = ToProto(span);
  return target;
}

// Each twice the one before, so that shares of them are whole microseconds.
absl::Duration OfPriority(uint32_t priority) {
  return absl::Minutes(priority == 1 ? 60 : priority == 2 ? 120 : priority == 3 ? 240 : 480);
}
absl::Duration OfSeverity(uint32_t severity) { return absl::Minutes(severity == 1 ? 240 : 480); }

// What is promised in one life.
struct Promises {
  TwinRule first{.metric = "FIRST_RESPONSE"};
  TwinRule next{.metric = "NEXT_RESPONSE"};
  TwinRule resolution{.metric = "RESOLUTION", .pausable = true, .reopens = true};
  TwinRule final{.metric = "FINAL", .regulatory = true};
  TwinRule review{.metric = "REVIEW"};
};
constexpr absl::Duration kFirst = absl::Hours(4);
constexpr absl::Duration kNext = absl::Hours(2);
constexpr absl::Duration kReview = absl::Hours(6);

Promises SomePromises() {
  Promises promises;
  TwinRule& rule = promises.resolution;
  rule.tighten = *rc::gen::element<std::string>("ALL", "SHARE", "TIME", "NONE");
  rule.loosen = *rc::gen::element<std::string>("ALL", "SHARE", "TIME", "NONE");
  rule.reopen = *rc::gen::element<std::string>("", "CONTINUE", "RESUME", "RESTART");
  rule.not_before_old_due = *rc::gen::inRange(0, 3) == 0;
  rule.not_after_old_due = !rule.not_before_old_due && *rc::gen::inRange(0, 3) == 0;
  return promises;
}

void Publish(const Promises& promises, Desk* desk) {
  const auto answered = On("outbound_sent", {Is("event.human", "true"), Is("event.public_message", "true")});
  v1::MetricRule first = testing::Metric("FIRST_RESPONSE", On("case_received"), answered, Minutes(kFirst));
  v1::MetricRule next = testing::Metric("NEXT_RESPONSE", On("inbound_received", {Is("event.from_requester", "true")}),
                                        answered, Minutes(kNext));
  v1::MetricRule resolution =
      testing::Metric("RESOLUTION", On("case_received"), On("status_changed", {Is("case.category", "RESOLVED")}), "");
  for (const char* priority : {"1", "2", "3"}) {
    testing::AddChoice(&resolution, Is("case.priority", priority),
                       Minutes(OfPriority(static_cast<uint32_t>(*priority - '0'))));
  }
  testing::AddChoice(&resolution, testing::All({}), Minutes(OfPriority(4)));
  const TwinRule& rule = promises.resolution;
  resolution.set_pausable(true);
  resolution.set_reopens(true);
  resolution.set_reopen(rule.reopen);
  resolution.mutable_retarget()->set_tighten(rule.tighten);
  resolution.mutable_retarget()->set_loosen(rule.loosen);
  resolution.mutable_retarget()->set_not_before_old_due(rule.not_before_old_due);
  resolution.mutable_retarget()->set_not_after_old_due(rule.not_after_old_due);
  v1::MetricRule final = testing::Metric("FINAL", On("case_received"), On("decision_issued"), "");
  testing::AddChoice(&final, Is("case.severity", "1"), Minutes(OfSeverity(1)));
  testing::AddChoice(&final, testing::All({}), Minutes(OfSeverity(2)));
  final.set_pausable(true);  // to be ignored
  final.set_reopens(true);   // to be ignored
  v1::MetricRule review = testing::Metric("REVIEW", On("case_received"), On("decision_issued"), Minutes(kReview));
  for (v1::MetricRule* one : {&first, &resolution, &final, &review}) one->set_start_at("received_at");
  next.set_start_at("oldest_unanswered");
  desk->Publish(testing::Policy("standard", v1::CUSTOMER, 1, "place", {first, next, resolution}));
  desk->Publish(testing::Policy("law", v1::REGULATOR, 1, "place", {final}));
  desk->Publish(testing::Policy("house", v1::INTERNAL, 1, "place", {review}));
}

class Life {
 public:
  Life() : world_(kDaysKnown, "08:00-16:00"), promises_(SomePromises()), twin_(world_.twin.get()) {
    now_ = world_.middle - absl::Hours(24 * kDaysBefore);
    desk_.Publish("place", world_.spec);
    Publish(promises_, &desk_);
    received_ = now_ - absl::Minutes(*rc::gen::element(0, 0, 30, 600));
    v1::Event event;
    *event.mutable_case_received()->mutable_entered() = testing::Entered("OPEN");
    *event.mutable_case_received()->mutable_received_at() = ToProto(received_);
    Do("receive", event);
    twin_.Start(promises_.first, received_, kFirst);
    twin_.Start(promises_.resolution, received_, OfPriority(0));
    twin_.Start(promises_.final, received_, OfSeverity(0));
    twin_.Start(promises_.review, received_, kReview);
    Compare();
  }

  bool over() const { return over_; }
  const Desk& desk() const { return desk_; }

  void Step() {
    now_ += absl::Minutes(*rc::gen::element(0, 0, 1, 7, 30, 60, 119, 300, 900, 1500));
    if (now_ > world_.middle + absl::Hours(24 * kDaysLived)) over_ = true;
    if (over_) return;
    Pass();
    const v1::Case before = desk_.state();
    excused_ = false;
    Act(*rc::gen::inRange(0, 16));
    JudgeAgainst(before);
    Pass();
    Compare();
  }

 private:
  void Act(int what) {
    switch (what) {
      case 0:
      case 1:
        return resolved() ? Reopen() : Hold();
      case 2:
        return resolved() ? Reopen() : Resume();
      case 3:
        return resolved() ? Reopen() : Resolve();
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
      default:
        return ChangeHands();
    }
  }

  // Mostly now; sometimes earlier: what is entered late.
  absl::Time Moment() const {
    return std::max(received_, now_ - absl::Minutes(*rc::gen::element(0, 0, 0, 20, 200, 2000)));
  }
  bool resolved() const { return desk_.state().status().category() == v1::RESOLVED; }
  static bool Unended(const TwinClock& clock) { return clock.ending == TwinClock::kNone; }
  std::vector<TwinClock*> Running(const TwinRule& rule) {
    std::vector<TwinClock*> found;
    for (TwinClock& clock : twin_.clocks()) {
      if (clock.rule == &rule && Unended(clock)) found.push_back(&clock);
    }
    return found;
  }

  // Time alone.
  void Pass() {
    Note("time", desk_.Advance(now_));
    for (TwinClock& clock : twin_.clocks()) {
      if (Unended(clock)) twin_.BreachIfOver(clock, now_);
    }
  }

  void Enter(const char* what, const std::string& status, const v1::Wait& wait) {
    v1::Event event;
    *event.mutable_status_changed()->mutable_entered() = testing::Entered(status);
    if (wait.has_since()) *event.mutable_status_changed()->mutable_wait() = wait;
    Do(what, event);
  }
  void FollowStatus() {
    const absl::Time until = wait_.has_until() ? FromProto(wait_.until()) : kForever;
    const absl::Time since = wait_.has_since() ? FromProto(wait_.since()) : now_;
    for (TwinClock* clock : Running(promises_.resolution)) {
      twin_.Wait(*clock, pauses_, since, until, wait_.on() == v1::COMPLAINANT, asked_, now_);
    }
  }

  void Hold() {
    const std::string status = *rc::gen::element<std::string>("WAITING", "WAITING_OTHER", "WAITING_INSIDE");
    pauses_ = status != "WAITING_INSIDE";
    wait_.Clear();
    wait_.set_on(*rc::gen::arbitrary<bool>() ? v1::COMPLAINANT : v1::THIRD_PARTY);
    absl::Time since = now_;
    if (wait_.on() == v1::COMPLAINANT && asked_ < now_) since = asked_;
    *wait_.mutable_since() = ToProto(since);
    const int minutes = *rc::gen::element(0, 0, 60, 600, 3000);
    if (minutes > 0) *wait_.mutable_until() = ToProto(now_ + absl::Minutes(minutes));
    Enter("hold", status, wait_);
    FollowStatus();
  }
  void Resume() {
    pauses_ = false;
    wait_.Clear();
    Enter("open", "OPEN", wait_);
    FollowStatus();
  }
  void Resolve() {
    pauses_ = false;
    wait_.Clear();
    Enter("resolve", "RESOLVED", wait_);
    for (TwinClock* clock : Running(promises_.resolution)) twin_.Stop(*clock, now_);
  }
  void Reopen() {
    const auto reason = *rc::gen::element(v1::NOT_RESOLVED, v1::QUESTION_UNANSWERED, v1::NEW_FACTS);
    const TwinRule& rule = promises_.resolution;
    v1::Event event;
    event.mutable_case_reopened()->set_reopen_no(desk_.state().reopen_count() + 1);
    event.mutable_case_reopened()->set_reason(reason);
    Do("reopen", event);
    if (rule.reopen == "RESTART" && reason == v1::NEW_FACTS) {
      twin_.Start(rule, now_, OfPriority(desk_.state().priority()));
    } else {
      const bool resumes = rule.reopen == "RESUME" || (rule.reopen.empty() && reason == v1::NEW_FACTS);
      TwinClock* newest = nullptr;
      for (TwinClock& clock : twin_.clocks()) newest = clock.rule == &rule ? &clock : newest;
      twin_.SetAside(*newest, resumes ? now_ : absl::InfinitePast());
      CatchUp(newest);
      twin_.BreachIfOver(*newest, now_);
    }
    Enter("open", "OPEN", {});
  }

  void Prioritise(uint32_t priority) {
    const absl::Duration before = OfPriority(desk_.state().priority());
    const size_t events = desk_.log().size();
    v1::Event event;
    event.mutable_priority_set()->set_priority(priority);
    Do("priority", event);
    if (OfPriority(priority) == before) {
      RC_ASSERT(desk_.log().size() == events);  // nothing else was promised
      return;
    }
    for (TwinClock* clock : Running(promises_.resolution)) {
      if (clock->target == OfPriority(priority)) continue;
      twin_.Retarget(*clock, OfPriority(priority), now_);
      const absl::Time until = wait_.has_until() ? FromProto(wait_.until()) : kForever;
      const absl::Time since = wait_.has_since() ? FromProto(wait_.since()) : FromProto(desk_.state().status_since());
      twin_.Wait(*clock, pauses_, since, until, wait_.on() == v1::COMPLAINANT, asked_, now_);
    }
  }
  void Triage(uint32_t severity) {
    const absl::Duration before = OfSeverity(desk_.state().severity());
    v1::Event event;
    event.mutable_case_triaged()->set_severity(severity);
    Do("triage", event);
    if (OfSeverity(severity) == before) return;
    for (TwinClock* clock : Running(promises_.final)) twin_.Retarget(*clock, OfSeverity(severity), now_);
  }

  absl::Time OldestUnanswered() const {
    absl::Time oldest = kForever;
    for (const absl::Time since : unanswered_) oldest = std::min(oldest, since);
    return oldest;
  }
  void Hear(absl::Time at, bool from_requester) {
    v1::Event event;
    event.mutable_inbound_received()->set_from_requester(from_requester);
    event.mutable_inbound_received()->set_public_message(from_requester);
    *event.mutable_occurred_at() = ToProto(at);
    Do("hear", event);
    if (!from_requester) return;
    unanswered_.insert(at);
    asked_ = kForever;
    const std::vector<TwinClock*> running = Running(promises_.next);
    if (running.empty()) {
      twin_.Start(promises_.next, OldestUnanswered(), kNext);
    } else if (OldestUnanswered() < running.front()->start) {
      twin_.CorrectStart(*running.front(), OldestUnanswered(), at, /*annuls=*/false);
    }
    for (TwinClock& clock : twin_.clocks()) {
      if (Unended(clock)) twin_.Heard(clock, at);
    }
    if (wait_.on() == v1::COMPLAINANT) Resume();  // as every chart has it
  }
  void Send(absl::Time at, bool human, bool public_message) {
    v1::Event event;
    const bool asks = *rc::gen::arbitrary<bool>();
    event.mutable_outbound_sent()->set_kind(asks ? v1::INFORMATION_REQUEST : v1::RESPONSE);
    event.mutable_outbound_sent()->set_human(human);
    event.mutable_outbound_sent()->set_public_message(public_message);
    *event.mutable_occurred_at() = ToProto(at);
    const uint32_t revision = desk_.state().revision() + 1;
    const size_t events = desk_.log().size();
    Do("send", event);
    if (asks) asked_ = at;
    if (asks) asked_by_ = revision;
    if (!human || !public_message) {
      RC_ASSERT(desk_.log().size() == events);  // nobody was answered
      return;
    }
    Sent sent{.revision = revision, .at = at};
    for (const absl::Time since : unanswered_) {
      if (since <= at) sent.answered.insert(since);
    }
    for (const absl::Time since : sent.answered) unanswered_.erase(since);
    sent_.push_back(sent);
    for (TwinClock* clock : Running(promises_.first)) StopBy(sent, clock);
    for (TwinClock* clock : Running(promises_.next)) {
      if (OldestUnanswered() > clock->start) StopBy(sent, clock);
    }
  }
  struct Sent {
    uint32_t revision = 0;
    absl::Time at;
    bool bounced = false;
    std::multiset<absl::Time> answered;
  };
  void StopBy(const Sent& sent, TwinClock* clock) {
    if (sent.at < clock->start) return;
    twin_.Stop(*clock, sent.at);
    clock->stopped_by = sent.revision;
  }
  void Bounce() {
    if (sent_.empty()) return;
    Sent& sent = sent_[*rc::gen::inRange<size_t>(0, sent_.size())];
    if (sent.bounced) return;
    sent.bounced = true;
    unanswered_.insert(sent.answered.begin(), sent.answered.end());
    v1::Event event;
    event.mutable_delivery_reported()->set_outbound_revision(sent.revision);
    event.mutable_delivery_reported()->set_outcome(v1::BOUNCED);
    Do("bounce", event);
    if (asked_by_ == sent.revision) asked_ = kForever;
    for (TwinClock& clock : twin_.clocks()) {
      if (Unended(clock) || clock.stopped_by != sent.revision) continue;
      twin_.SetAside(clock);
      const Sent* other = nullptr;
      for (const Sent& one : sent_) {
        if (clock.rule == &promises_.next || one.bounced || one.at < clock.start) continue;
        if (other == nullptr || one.at < other->at) other = &one;
      }
      if (other == nullptr) {
        CatchUp(&clock);
        twin_.BreachIfOver(clock, now_);
      } else {
        StopBy(*other, &clock);
      }
    }
  }

  // A receipt corrected while the clock was finished.
  void CatchUp(TwinClock* clock) {
    if (clock->rule == &promises_.next || clock->cycle > 1 || clock->start == received_) return;
    excused_ = true;
    twin_.MoveStart(*clock, received_, /*annuls=*/true);
  }
  void CorrectReceipt() {
    const absl::Time to = std::min(now_, received_ + absl::Minutes(*rc::gen::element(-600, -90, -1, 1, 90, 600)));
    v1::Event event;
    *event.mutable_received_at_corrected()->mutable_received_at() = ToProto(to);
    *event.mutable_received_at_corrected()->mutable_previous() = ToProto(received_);
    Do("correct", event);
    excused_ = true;
    for (TwinClock& clock : twin_.clocks()) {
      if (!Unended(clock) || clock.start != received_ || clock.rule == &promises_.next) continue;
      twin_.CorrectStart(clock, to, now_, /*annuls=*/true);
    }
    received_ = to;
  }
  void Extend() {
    if (Running(promises_.final).empty()) return;
    const absl::Duration target = absl::Minutes(*rc::gen::element(300, 600, 960));
    excused_ = true;
    Note("extend", desk_.Extend(now_, desk_.Clock("FINAL").clock_no(), Working(target)));
    twin_.Extend(*Running(promises_.final).front(), target, now_);
  }
  void Decide() {
    v1::Event event;
    event.mutable_decision_issued();
    Do("decide", event);
    for (const TwinRule* rule : {&promises_.final, &promises_.review}) {
      for (TwinClock* clock : Running(*rule)) twin_.Stop(*clock, now_);
    }
  }
  void ChangeHands() {
    v1::Event event;
    const std::string to = absl::StrCat("h", *rc::gen::inRange(0, 3));
    switch (*rc::gen::inRange(0, 3)) {
      case 0:
        event.mutable_case_queued()->set_queue(to);
        break;
      case 1:
        event.mutable_owner_assigned()->set_owner(to);
        event.mutable_owner_assigned()->set_department(to);
        break;
      default:
        event.mutable_accountable_owner_set()->set_department(to);
        break;
    }
    const size_t events = desk_.log().size();
    Do("hands", event);
    RC_ASSERT(desk_.log().size() == events);
  }

  // What must hold of any one act, told by the real clocks alone.
  void JudgeAgainst(const v1::Case& before) const {
    for (int i = 0; i < before.clocks_size(); ++i) {
      const v1::Clock& was = before.clocks(i);
      const v1::Clock& is = desk_.state().clocks(i);
      const bool judged = IsDisputed(was) && !IsDisputed(is);
      const bool ended = (was.state() != is.state() || judged) && !Unfinished(is);
      if (IsLate(was, now_) && !excused_) RC_ASSERT(ended || IsLate(is, now_));
      if (was.obligation() != v1::REGULATOR) continue;
      RC_ASSERT(is.pauses().empty());
      if (!excused_ && Unfinished(is)) RC_ASSERT(DueAt(is) <= DueAt(was));
    }
  }

  // The real clocks beside the twin's.
  void Compare() {
    for (const TwinClock& clock : twin_.clocks()) {
      const bool waits = clock.paused && clock.pauses.back().end == kForever;
      if (Unended(clock) && !waits && twin_.Due(clock) == kForever) over_ = true;  // beyond the minutes known
    }
    if (over_) return;
    RC_ASSERT(desk_.state().clocks_size() == static_cast<int>(twin_.clocks().size()));
    for (const TwinClock& clock : twin_.clocks()) CompareOne(clock, Real(clock));
  }
  const v1::Clock& Real(const TwinClock& clock) const {
    for (const v1::Clock& one : desk_.state().clocks()) {
      if (one.metric() == clock.rule->metric && one.cycle() == static_cast<uint32_t>(clock.cycle)) return one;
    }
    RC_FAIL("a clock is missing");
    return desk_.state().clocks(0);
  }
  void CompareOne(const TwinClock& clock, const v1::Clock& real) const {
    RC_LOG() << "  twin of " << clock.rule->metric << " cycle " << clock.cycle << ": due "
             << absl::FormatTime(twin_.Due(clock), absl::UTCTimeZone()) << (clock.paused ? ", paused" : "")
             << (clock.breached ? ", breached" : "") << "; real: " << real.ShortDebugString() << "\n";
    RC_ASSERT(Unfinished(real) == Unended(clock));
    RC_ASSERT(real.has_breached_due_at() == clock.breached.has_value());
    if (clock.breached) RC_ASSERT(FromProto(real.breached_due_at()) == *clock.breached);
    RC_ASSERT(Breaches(real.clock_no()) == clock.breaches);
    RC_ASSERT(IsLate(real, now_) == twin_.Late(clock, now_));
    if (Unended(clock)) {
      RC_ASSERT((real.state() == v1::PAUSED) == clock.paused);
      if (!clock.breached) RC_ASSERT(DueAt(real) == twin_.Due(clock));
      return;
    }
    RC_ASSERT(FromProto(real.stopped_at()) == clock.stopped);
    RC_ASSERT(real.on_time() == clock.on_time);
    RC_ASSERT(real.disputed() == clock.disputed);
    RC_ASSERT(FromProto(real.elapsed()) == twin_.Counted(clock.start, clock.stopped, clock.pauses));
    // A breach stands if and only if nothing stopped the clock up to its due; what was entered late waits for a second
    // person.
    if (!clock.breached) RC_ASSERT(clock.stopped <= DueAt(real));
    if (clock.breached && !clock.disputed) RC_ASSERT(clock.stopped > *clock.breached);
  }
  // The dues whose breach is on record, in the order of the log; never two at once.
  std::vector<absl::Time> Breaches(uint32_t clock_no) const {
    std::vector<absl::Time> dues;
    bool stands = false;
    for (const auto& [revision, event] : desk_.log()) {
      if (event.has_breach_annulled() && event.breach_annulled().clock_no() == clock_no) stands = false;
      if (!event.has_clock_breached() || event.clock_breached().clock_no() != clock_no) continue;
      RC_ASSERT(!stands);
      stands = true;
      dues.push_back(FromProto(event.clock_breached().due_at()));
    }
    return dues;
  }

  void Do(const char* what, const v1::Event& event) { Note(what, desk_.Do(now_, event)); }
  void Note(const char* what, const std::vector<std::string>& lines) const {
    RC_LOG() << absl::FormatTime(now_, absl::UTCTimeZone()) << " " << what << ": " << absl::StrJoin(lines, "; ")
             << "\n";
    RC_ASSERT(!::testing::Test::HasFailure());
  }

  World world_;
  Promises promises_;
  ClockTwin twin_;
  Desk desk_;
  absl::Time now_;
  absl::Time received_;
  bool over_ = false;
  bool excused_ = false;  // the last act may take a late duty off the list, or move a regulatory one
  bool pauses_ = false;
  v1::Wait wait_;
  uint32_t asked_by_ = 0;        // revision of the question
  absl::Time asked_ = kForever;  // when the party was last asked something it has not answered
  std::multiset<absl::Time> unanswered_;
  std::vector<Sent> sent_;
};

RC_GTEST_PROP(ClockTwin, EveryLifeOfACaseGoesAsTheTwinSays, ()) {
  Life life;
  const int steps = *rc::gen::inRange(1, 30);
  for (int i = 0; i < steps && !life.over(); ++i) life.Step();
}

// A hold and another priority at the same instant, in either order (glpi#6902).
RC_GTEST_PROP(ClockTwin, PauseThenRetargetEqualsRetargetThenPause, ()) {
  const World world;
  const Promises promises = SomePromises();
  const absl::Time start = world.Instant();
  const absl::Time at = start + absl::Minutes(*rc::gen::inRange(0, 2000));
  const absl::Time later = at + absl::Minutes(*rc::gen::inRange(0, 3000));
  const uint32_t from = *rc::gen::inRange<uint32_t>(1, 5);
  const uint32_t to = *rc::gen::inRange<uint32_t>(1, 5);
  const int minutes = *rc::gen::element(0, 0, 60, 600);
  std::vector<absl::Time> dues;
  for (const bool pause_first : {true, false}) {
    Desk desk;
    desk.Publish("place", world.spec);
    Publish(promises, &desk);
    v1::Event received;
    *received.mutable_case_received()->mutable_entered() = testing::Entered("OPEN");
    desk.state().set_priority(from);
    desk.Do(start, received);
    v1::Event hold;
    *hold.mutable_status_changed()->mutable_entered() = testing::Entered("WAITING");
    *hold.mutable_status_changed()->mutable_wait()->mutable_since() = ToProto(at);
    if (minutes > 0) {
      *hold.mutable_status_changed()->mutable_wait()->mutable_until() = ToProto(at + absl::Minutes(minutes));
    }
    v1::Event priority;
    priority.mutable_priority_set()->set_priority(to);
    desk.Do(at, pause_first ? hold : priority);
    desk.Do(at, pause_first ? priority : hold);
    v1::Event open;
    *open.mutable_status_changed()->mutable_entered() = testing::Entered("OPEN");
    desk.Do(later, open);
    dues.push_back(desk.Clock("RESOLUTION").has_breached_due_at()
                       ? FromProto(desk.Clock("RESOLUTION").breached_due_at())
                       : DueAt(desk.Clock("RESOLUTION")));
  }
  RC_ASSERT(dues[0] == dues[1]);
}

}  // namespace
}  // namespace docket::sla
