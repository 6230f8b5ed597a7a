#include "workflow/sla/clock_rules.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/util/message_differencer.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/facts.h"
#include "workflow/sla/clock_apply.h"
#include "workflow/sla/clock_math.h"
#include "workflow/sla/policy_match.h"

namespace docket::sla {
namespace {

using google::protobuf::util::MessageDifferencer;

bool IsClockEvent(const v1::Event& event) {
  switch (event.body_case()) {
    case v1::Event::kClockAttached:
    case v1::Event::kClockRetargeted:
    case v1::Event::kClockPaused:
    case v1::Event::kClockResumed:
    case v1::Event::kWarningReached:
    case v1::Event::kClockBreached:
    case v1::Event::kClockFulfilled:
    case v1::Event::kClockCancelled:
    case v1::Event::kClockReopened:
      return true;
    default:
      return false;
  }
}

std::string RuleName(const v1::PolicyPin& pin) { return absl::StrCat(pin.id(), "@", pin.version()); }

void SetDue(absl::Time at, google::protobuf::Timestamp* due) { *due = ToProto(at); }

// Copies a plan into any event that carries due, warnings and whether the due is provisional.
template <class Message>
void SetPlan(const Plan& plan, Message* message) {
  if (plan.due.at != absl::InfiniteFuture()) SetDue(plan.due.at, message->mutable_due_at());
  message->set_due_provisional(plan.due.provisional);
  message->mutable_warnings()->Assign(plan.warnings.begin(), plan.warnings.end());
}

template <class Message>
void SetRemaining(absl::Duration remaining, Message* message) {
  if (remaining != absl::InfiniteDuration()) *message->mutable_remaining() = ToProto(remaining);
}

bool SameFacts(const v1::CaseFacts& a, const v1::CaseFacts& b) {
  return a.SerializeAsString() == b.SerializeAsString();
}

// Works through the five steps of one event. Each event found is applied at once to a copy of the clocks, so that a
// later step sees what an earlier one did.
class Steps {
 public:
  Steps(const v1::Case& before, const v1::Case& after, const v1::Event& event, const policy::PolicySet& policies,
        absl::Time in_force)
      : before_(before),
        after_(after),
        event_(event),
        body_(BodyOf(event)),
        policies_(policies),
        at_(FromProto(event.occurred_at())),
        in_force_(in_force),
        facts_(workflow::BuildFacts(after)) {
    *work_.mutable_clocks() = after.clocks();
  }

  absl::StatusOr<std::vector<v1::Event>> Run() {
    DOCKET_RETURN_IF_ERROR(StopAndCancel(/*stop=*/true));
    DOCKET_RETURN_IF_ERROR(StopAndCancel(/*stop=*/false));
    DOCKET_RETURN_IF_ERROR(Retarget());
    DOCKET_RETURN_IF_ERROR(PauseAndResume());
    if (event_.has_case_reopened()) DOCKET_RETURN_IF_ERROR(Reopen());
    DOCKET_RETURN_IF_ERROR(Start());
    return std::move(events_);
  }

 private:
  const v1::Clock& clock(int i) const { return work_.clocks(i); }

  v1::Event New(const v1::PolicyPin& policy) const {
    v1::Event event;
    *event.mutable_occurred_at() = event_.occurred_at();
    event.set_rule(RuleName(policy));
    return event;
  }

  absl::Status Emit(v1::Event event) {
    // The number of a new clock is known only to the caller; here any unused, ascending one will do.
    DOCKET_RETURN_IF_ERROR(ApplyClockEvent(event, next_clock_no_++, &work_));
    events_.push_back(std::move(event));
    return absl::OkStatus();
  }

  absl::Status EmitBreach(const v1::Clock& clock, absl::string_view cause) {
    v1::Event event = New(clock.policy());
    FillBreach(after_, clock, cause, event.mutable_clock_breached());
    return Emit(std::move(event));
  }

  // A duty that is over must have its breach on record before anything else happens to it.
  absl::Status RecordBreachIfOver(const v1::Clock& clock, absl::string_view cause) {
    if (clock.nature() != v1::DUTY || clock.has_breached_due_at() || !IsOver(clock, at_)) return absl::OkStatus();
    return EmitBreach(clock, cause);
  }

  absl::StatusOr<const v1::MetricRule*> PinnedRule(const v1::Clock& clock) const {
    const v1::SlaPolicy* policy = policies_.Sla(clock.policy());
    const v1::MetricRule* rule = policy == nullptr ? nullptr : RuleOf(*policy, clock.metric());
    if (rule == nullptr) {
      return absl::InternalError(absl::StrCat("clock ", clock.clock_no(), ": ", RuleName(clock.policy()),
                                              " with metric ", clock.metric(), " is not known"));
    }
    return rule;
  }

  absl::Status StopAndCancel(bool stop);
  absl::Status Fulfil(const v1::Clock& clock, const v1::MetricRule& rule);
  absl::Status Cancel(const v1::Clock& clock, absl::string_view cause);
  absl::Status Retarget();
  absl::Status RetargetOne(int i, const v1::CaseFacts& facts_before);
  absl::Status EmitRetargeted(int i, const Candidate& match, const v1::MetricRule& rule,
                              const v1::MetricRule::Choice& choice);
  absl::Status PauseAndResume();
  absl::Status ReconcilePause(int i);
  absl::Status Pause(int i);
  absl::Status Resume(int i);
  absl::Time PauseStart(const v1::Clock& clock) const;
  absl::Time WaitUntil() const;
  bool StatusPauses(const v1::Clock& clock) const;
  absl::Status FillPaused(const v1::Clock& clock, const Terms& terms, absl::Time since, v1::ClockPaused* paused) const;
  absl::Status Reopen();
  absl::Status ReopenOne(int i);
  absl::Status Start();
  absl::StatusOr<v1::Event> NewClock(const Candidate& match, const v1::MetricRule& rule,
                                     const v1::MetricRule::Choice& choice) const;
  uint32_t NextCycle(const v1::MetricRule& rule, v1::Obligation obligation) const;

  const v1::Case& before_;
  const v1::Case& after_;
  const v1::Event& event_;
  const EventBody body_;
  const policy::PolicySet& policies_;
  const absl::Time at_;
  const absl::Time in_force_;
  const v1::CaseFacts facts_;
  v1::Case work_;  // only the clocks
  std::set<int> retargeted_;
  uint32_t next_clock_no_ = std::numeric_limits<uint32_t>::max() / 2;
  std::vector<v1::Event> events_;
};

absl::Status Steps::StopAndCancel(bool stop) {
  for (int i = 0; i < work_.clocks_size(); ++i) {
    if (!Unfinished(clock(i))) continue;
    DOCKET_ASSIGN_OR_RETURN(const v1::MetricRule* rule, PinnedRule(clock(i)));
    if (!AnyFires(stop ? rule->stop() : rule->cancel(), body_, facts_)) continue;
    DOCKET_RETURN_IF_ERROR(RecordBreachIfOver(clock(i), "TIME"));
    if (stop) {
      DOCKET_RETURN_IF_ERROR(Fulfil(clock(i), *rule));
    } else {
      const std::string& code = event_.has_status_changed() ? event_.status_changed().entered().closure_code() : "";
      DOCKET_RETURN_IF_ERROR(Cancel(clock(i), code.empty() ? absl::AsciiStrToUpper(body_.name) : code));
    }
  }
  return absl::OkStatus();
}

absl::Status Steps::Fulfil(const v1::Clock& clock, const v1::MetricRule& rule) {
  DOCKET_ASSIGN_OR_RETURN(const auto calendar, PinnedCalendar(policies_, clock.calendar()));
  v1::Event event = New(clock.policy());
  v1::ClockFulfilled* fulfilled = event.mutable_clock_fulfilled();
  fulfilled->set_clock_no(clock.clock_no());
  *fulfilled->mutable_stopped_at() = event_.occurred_at();
  // A stop entered late does not undo a breach on record by itself; that takes a second person (R7).
  fulfilled->set_on_time(!IsOver(clock, at_));
  *fulfilled->mutable_elapsed() = ToProto(calendar->Elapsed(FromProto(clock.start_at()), at_, PausesOf(clock)));
  fulfilled->set_provisional(rule.reopens() && clock.obligation() != v1::REGULATOR);
  return Emit(std::move(event));
}

absl::Status Steps::Cancel(const v1::Clock& clock, absl::string_view cause) {
  v1::Event event = New(clock.policy());
  event.mutable_clock_cancelled()->set_clock_no(clock.clock_no());
  event.mutable_clock_cancelled()->set_cause(std::string(cause));
  *event.mutable_clock_cancelled()->mutable_cancelled_at() = event_.occurred_at();
  return Emit(std::move(event));
}

absl::Status Steps::Retarget() {
  const bool any = std::any_of(work_.clocks().begin(), work_.clocks().end(), Unfinished);
  if (!any) return absl::OkStatus();
  const v1::CaseFacts facts_before = workflow::BuildFacts(before_);
  if (SameFacts(facts_before, facts_)) return absl::OkStatus();
  for (int i = 0; i < work_.clocks_size(); ++i) {
    if (Unfinished(clock(i))) DOCKET_RETURN_IF_ERROR(RetargetOne(i, facts_before));
  }
  return absl::OkStatus();
}

// Only a change that this event makes counts: a policy published meanwhile concerns new clocks (unless rolled out), so
// the match before the event is sought among today's policies too.
absl::Status Steps::RetargetOne(int i, const v1::CaseFacts& facts_before) {
  DOCKET_ASSIGN_OR_RETURN(const std::vector<Candidate> candidates, CandidatesFor(policies_, clock(i), in_force_));
  struct Found {
    const Candidate* match = nullptr;
    const v1::MetricRule* rule = nullptr;
    const v1::MetricRule::Choice* choice = nullptr;
  };
  auto find = [&](const v1::CaseFacts& facts) {
    Found found;
    found.match = FirstMatch(candidates, facts);
    if (found.match != nullptr) found.rule = RuleOf(*found.match->policy, clock(i).metric());
    if (found.rule != nullptr) found.choice = ChoiceOf(*found.rule, facts);
    return found;
  };
  const Found now = find(facts_);
  if (now.choice == find(facts_before).choice) return absl::OkStatus();
  if (now.choice == nullptr) {
    DOCKET_RETURN_IF_ERROR(RecordBreachIfOver(clock(i), "TIME"));
    return IsOver(clock(i), at_) ? absl::OkStatus() : Cancel(clock(i), "NO_POLICY");
  }
  const bool same = now.match->pin.id() == clock(i).policy().id() &&
                    MessageDifferencer::Equals(now.choice->target(), clock(i).target()) &&
                    CalendarNameOf(*now.match->policy, *now.choice) == clock(i).calendar().id();
  if (same) return absl::OkStatus();
  DOCKET_RETURN_IF_ERROR(RecordBreachIfOver(clock(i), "TIME"));
  DOCKET_RETURN_IF_ERROR(EmitRetargeted(i, *now.match, *now.rule, *now.choice));
  retargeted_.insert(i);
  return RecordBreachIfOver(clock(i), "RETARGET");
}

absl::Status Steps::EmitRetargeted(int i, const Candidate& match, const v1::MetricRule& rule,
                                   const v1::MetricRule::Choice& choice) {
  const v1::Clock& old = clock(i);
  const std::string& name = CalendarNameOf(*match.policy, choice);
  NamedCalendar calendar;
  if (match.pin.id() == old.policy().id() && name == old.calendar().id()) {
    calendar.pin = old.calendar();
    DOCKET_ASSIGN_OR_RETURN(calendar.calendar, PinnedCalendar(policies_, old.calendar()));
  } else {
    DOCKET_ASSIGN_OR_RETURN(calendar, CalendarAt(policies_, name, in_force_));
  }
  const Terms terms = TermsOf(rule, choice, *calendar.calendar);
  std::vector<TimeSpan> pauses = PausesOf(old);
  // What is owed to a regulator moves earlier only.
  const Plan plan =
      PlanClock(old, terms, pauses, old.obligation() == v1::REGULATOR ? DueAt(old) : absl::InfiniteFuture());
  v1::Event event = New(match.pin);
  v1::ClockRetargeted* retargeted = event.mutable_clock_retargeted();
  retargeted->set_clock_no(old.clock_no());
  retargeted->set_cause(event_.has_priority_set() ? "PRIORITY" : absl::AsciiStrToUpper(body_.name));
  retargeted->set_mode("ALL");
  *retargeted->mutable_old_policy() = old.policy();
  *retargeted->mutable_old_target() = old.target();
  if (old.has_due_at()) *retargeted->mutable_old_due_at() = old.due_at();
  *retargeted->mutable_policy() = match.pin;
  *retargeted->mutable_calendar() = calendar.pin;
  *retargeted->mutable_target() = choice.target();
  retargeted->set_pausable(rule.pausable() && old.obligation() != v1::REGULATOR);
  SetPlan(plan, retargeted);
  if (old.state() == v1::PAUSED) {
    const absl::Time since = pauses.back().start;
    pauses.pop_back();
    SetRemaining(RemainingAt(since, old, terms, pauses), retargeted);
  }
  return Emit(std::move(event));
}

// Another status, or other terms in the same status, may make a clock stand still or run.
absl::Status Steps::PauseAndResume() {
  for (int i = 0; i < work_.clocks_size(); ++i) {
    const bool concerned = event_.has_status_changed() || retargeted_.count(i) > 0;
    if (concerned && Unfinished(clock(i))) DOCKET_RETURN_IF_ERROR(ReconcilePause(i));
  }
  return absl::OkStatus();
}

// Makes the clock stand still or run as the status says.
absl::Status Steps::ReconcilePause(int i) {
  const bool pause = StatusPauses(clock(i)) && clock(i).pausable() && CanPause(clock(i).target());
  if (clock(i).state() == v1::PAUSED) {
    const absl::Time until = clock(i).has_paused_until() ? FromProto(clock(i).paused_until()) : absl::InfiniteFuture();
    if (pause && until == WaitUntil()) return absl::OkStatus();
    DOCKET_RETURN_IF_ERROR(Resume(i));
  }
  return pause ? Pause(i) : absl::OkStatus();
}

bool Steps::StatusPauses(const v1::Clock& clock) const {
  const auto& pauses = after_.status().pauses();
  return std::find(pauses.begin(), pauses.end(), clock.metric()) != pauses.end();
}

absl::Time Steps::WaitUntil() const {
  return after_.wait().has_until() ? FromProto(after_.wait().until()) : absl::InfiniteFuture();
}

absl::Time Steps::PauseStart(const v1::Clock& clock) const {
  const v1::Wait& wait = after_.wait();
  absl::Time since = at_;
  if (wait.has_since()) {
    since = FromProto(wait.since());
  } else if (after_.has_status_since()) {
    since = FromProto(after_.status_since());
  }
  if (wait.on() == v1::COMPLAINANT && after_.has_last_information_request_at()) {
    since = std::max(since, FromProto(after_.last_information_request_at()));
  }
  // One request excuses one wait: held again on the same unanswered request, the clock stands still from now on only.
  for (const v1::Interval& pause : clock.pauses()) {
    if (pause.has_end() && since < FromProto(pause.end())) since = std::max(since, at_);
  }
  return std::max(since, FromProto(clock.start_at()));
}

absl::Status Steps::FillPaused(const v1::Clock& clock, const Terms& terms, absl::Time since,
                               v1::ClockPaused* paused) const {
  std::vector<TimeSpan> pauses = PausesOf(clock);
  SetRemaining(RemainingAt(since, clock, terms, pauses), paused);
  const absl::Time until = WaitUntil();
  pauses.push_back({since, until});
  SetPlan(PlanClock(clock, terms, pauses), paused);
  *paused->mutable_since() = ToProto(since);
  if (until != absl::InfiniteFuture()) *paused->mutable_until() = ToProto(until);
  return absl::OkStatus();
}

absl::Status Steps::Pause(int i) {
  const absl::Time since = PauseStart(clock(i));
  // Late stays late: neither a pause that begins after the due nor one entered after it changes anything (R5).
  if (IsOver(clock(i), at_) || since >= DueAt(clock(i)) || since >= WaitUntil()) return absl::OkStatus();
  DOCKET_ASSIGN_OR_RETURN(const auto calendar, PinnedCalendar(policies_, clock(i).calendar()));
  v1::Event event = New(clock(i).policy());
  event.mutable_clock_paused()->set_clock_no(clock(i).clock_no());
  DOCKET_RETURN_IF_ERROR(FillPaused(clock(i), TermsOf(clock(i), *calendar), since, event.mutable_clock_paused()));
  return Emit(std::move(event));
}

absl::Status Steps::Resume(int i) {
  DOCKET_ASSIGN_OR_RETURN(const auto calendar, PinnedCalendar(policies_, clock(i).calendar()));
  std::vector<TimeSpan> pauses = PausesOf(clock(i));
  pauses.back().end = std::min(pauses.back().end, std::max(at_, pauses.back().start));
  v1::Event event = New(clock(i).policy());
  v1::ClockResumed* resumed = event.mutable_clock_resumed();
  resumed->set_clock_no(clock(i).clock_no());
  *resumed->mutable_paused_until() = ToProto(pauses.back().end);
  SetPlan(PlanClock(clock(i), TermsOf(clock(i), *calendar), pauses), resumed);
  return Emit(std::move(event));
}

absl::Status Steps::Reopen() {
  for (int i = 0; i < work_.clocks_size(); ++i) {
    if (clock(i).state() != v1::FULFILLED || !clock(i).provisional()) continue;
    const bool newest = std::none_of(work_.clocks().begin() + i + 1, work_.clocks().end(), [&](const v1::Clock& later) {
      return later.metric() == clock(i).metric() && later.obligation() == clock(i).obligation();
    });
    if (newest) DOCKET_RETURN_IF_ERROR(ReopenOne(i));
  }
  return absl::OkStatus();
}

absl::Status Steps::ReopenOne(int i) {
  DOCKET_ASSIGN_OR_RETURN(const auto calendar, PinnedCalendar(policies_, clock(i).calendar()));
  std::vector<TimeSpan> pauses = PausesOf(clock(i));
  v1::Event event = New(clock(i).policy());
  v1::ClockReopened* reopened = event.mutable_clock_reopened();
  reopened->set_clock_no(clock(i).clock_no());
  const bool new_facts = event_.case_reopened().reason() == v1::NEW_FACTS;
  reopened->set_mode(new_facts ? "RESUME" : "CONTINUE");
  const absl::Time stopped = FromProto(clock(i).stopped_at());
  if (new_facts && stopped < at_) {
    // For a clock that was stopped late this excludes time after its due only, so it stays late.
    *reopened->mutable_excluded()->mutable_start() = clock(i).stopped_at();
    *reopened->mutable_excluded()->mutable_end() = event_.occurred_at();
    reopened->mutable_excluded()->set_excluded(true);
    pauses.push_back({stopped, at_});
  }
  SetPlan(PlanClock(clock(i), TermsOf(clock(i), *calendar), pauses), reopened);
  DOCKET_RETURN_IF_ERROR(Emit(std::move(event)));
  return RecordBreachIfOver(clock(i), "REOPENED");
}

// 0: the event starts no clock of this metric. A metric counted from the receipt of the case has one cycle, one counted
// from an event of its own has a cycle for each such event that finds no other running.
uint32_t Steps::NextCycle(const v1::MetricRule& rule, v1::Obligation obligation) const {
  uint32_t cycle = 1;
  for (const v1::Clock& clock : work_.clocks()) {
    if (clock.metric() != rule.metric() || clock.obligation() != obligation) continue;
    if (Unfinished(clock) || rule.start_at() != "occurred_at") return 0;
    cycle = std::max(cycle, clock.cycle() + 1);
  }
  return cycle;
}

absl::Status Steps::Start() {
  std::vector<v1::Event> attached;
  const std::vector<const policy::Published<v1::SlaPolicy>*> effective = policies_.SlaPolicies(in_force_);
  for (auto it = effective.begin(); it != effective.end();) {
    const v1::Obligation obligation = (*it)->value->obligation();
    std::vector<Candidate> candidates;
    bool concerned = false;
    for (; it != effective.end() && (*it)->value->obligation() == obligation; ++it) {
      candidates.push_back({(*it)->pin, (*it)->value.get()});
      const auto& metrics = (*it)->value->metrics();
      concerned |= std::any_of(metrics.begin(), metrics.end(),
                               [&](const v1::MetricRule& rule) { return rule.start().event() == body_.name; });
    }
    const Candidate* match = concerned ? FirstMatch(candidates, facts_) : nullptr;
    if (match == nullptr) continue;
    for (const v1::MetricRule& rule : match->policy->metrics()) {
      if (!Fires(rule.start(), body_, facts_)) continue;
      const v1::MetricRule::Choice* choice = ChoiceOf(rule, facts_);
      if (choice == nullptr || NextCycle(rule, obligation) == 0) continue;
      DOCKET_ASSIGN_OR_RETURN(v1::Event event, NewClock(*match, rule, *choice));
      attached.push_back(std::move(event));
    }
  }
  std::sort(attached.begin(), attached.end(), [](const v1::Event& a, const v1::Event& b) {
    const v1::ClockAttached& x = a.clock_attached();
    const v1::ClockAttached& y = b.clock_attached();
    return std::make_tuple(std::cref(x.metric()), x.obligation()) <
           std::make_tuple(std::cref(y.metric()), y.obligation());
  });
  if (work_.clocks_size() + attached.size() > kMaxClocks) {
    return Refuse(absl::StatusCode::kResourceExhausted, "TOO_MANY_CLOCKS",
                  absl::StrCat("clocks: the case has ", work_.clocks_size(), ", want at most ", kMaxClocks));
  }
  for (v1::Event& event : attached) DOCKET_RETURN_IF_ERROR(Emit(std::move(event)));
  return absl::OkStatus();
}

absl::StatusOr<v1::Event> Steps::NewClock(const Candidate& match, const v1::MetricRule& rule,
                                          const v1::MetricRule::Choice& choice) const {
  DOCKET_ASSIGN_OR_RETURN(const NamedCalendar calendar,
                          CalendarAt(policies_, CalendarNameOf(*match.policy, choice), in_force_));
  const v1::Obligation obligation = match.policy->obligation();
  v1::Event event = New(match.pin);
  v1::ClockAttached* attached = event.mutable_clock_attached();
  attached->set_metric(rule.metric());
  attached->set_obligation(obligation);
  attached->set_nature(rule.nature() == v1::WINDOW ? v1::WINDOW : v1::DUTY);
  attached->set_cycle(NextCycle(rule, obligation));
  *attached->mutable_policy() = match.pin;
  *attached->mutable_calendar() = calendar.pin;
  *attached->mutable_target() = choice.target();
  *attached->mutable_start_at() = rule.start_at() == "occurred_at" ? event_.occurred_at() : after_.received_at();
  attached->set_pausable(rule.pausable() && obligation != v1::REGULATOR);
  attached->set_answerable_rule(rule.answerable().empty() ? "ACCOUNTABLE" : rule.answerable());
  attached->set_answerable(AnsweringDepartment(attached->answerable_rule(), after_));
  v1::Clock clock;
  *clock.mutable_start_at() = attached->start_at();
  const Terms terms = TermsOf(rule, choice, *calendar.calendar);
  const Plan plan = PlanClock(clock, terms, {});
  SetPlan(plan, attached);
  // Started while the case waits: paused at once, by the same event, for nothing may come between the two.
  clock.set_metric(rule.metric());
  const absl::Time since = PauseStart(clock);
  if (StatusPauses(clock) && attached->pausable() && CanPause(choice.target()) && since < plan.due.at &&
      plan.due.at >= at_ && since < WaitUntil()) {
    DOCKET_RETURN_IF_ERROR(FillPaused(clock, terms, since, attached->mutable_paused()));
  }
  return event;
}

}  // namespace

absl::StatusOr<std::vector<v1::Event>> ClockConsequences(const v1::Case& before, const v1::Case& after,
                                                         const v1::Event& event, const policy::PolicySet& policies,
                                                         absl::Time in_force) {
  if (IsClockEvent(event)) return std::vector<v1::Event>();
  return Steps(before, after, event, policies, in_force).Run();
}

}  // namespace docket::sla
