// What starts a clock.
#include <algorithm>
#include <tuple>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/escalation/instants.h"
#include "workflow/policy/condition.h"
#include "workflow/sla/clock_steps.h"

namespace docket::sla {
namespace {

const v1::OwedItem* ItemNumbered(const v1::Case& state, uint32_t item_no) {
  const auto found = absl::c_find_if(state.items(), [&](const v1::OwedItem& one) { return one.item_no() == item_no; });
  return found == state.items().end() ? nullptr : &*found;
}

}  // namespace

// 0: the event starts no clock of this metric. A metric counted from the receipt of the case has one cycle, one counted
// from an event of its own has a cycle for each such event that finds no other running. A clock that ended because its
// promise was taken back makes room for the next promise.
uint32_t Steps::NextCycle(const v1::MetricRule& rule, v1::Obligation obligation) const {
  const bool restarts = Restarts(rule);
  uint32_t cycle = 1;
  for (const v1::Clock& clock : work_.clocks()) {
    if (clock.metric() != rule.metric() || clock.obligation() != obligation) continue;
    if (rule.per_item() && clock.item() != item_) continue;
    const bool taken_back = event_.has_promised_due_set() && clock.cancel_cause() == kNoPolicy;
    if (Unfinished(clock) || (rule.start_at() == "received_at" && !restarts && !taken_back)) return 0;
    cycle = std::max(cycle, clock.cycle() + 1);
  }
  return restarts && cycle == 1 ? 0 : cycle;
}

// An instant first promised after the receipt starts what it would have started with it, unless the case is over.
bool Steps::StartsLate(const v1::MetricRule& rule) const {
  const v1::StatusCategory category = after_.status().category();
  const v1::MetricRule::Choice* choice = ChoiceOf(rule, facts_);
  return event_.has_promised_due_set() && !before_.has_promised_due_at() && rule.start().event() == "case_received" &&
         !rule.start().has_where() && category != v1::RESOLVED && category != v1::CLOSED && choice != nullptr &&
         choice->target().unit() == v1::Target::FIXED;
}

bool Steps::Starts(const v1::MetricRule& rule) const {
  if (StartsLate(rule)) return true;
  if (rule.reopens() && Restarts(rule)) return true;
  if (!Fires(rule.start(), body_, facts_) && !AnyFires(rule.start_also(), body_, facts_)) return false;
  if (rule.per_item() && item_ == 0) return false;
  return rule.start_at() != kOldestUnanswered || OldestUnanswered(after_) != absl::InfiniteFuture();
}

absl::Time Steps::StartAt(const v1::MetricRule& rule) const {
  if (Restarts(rule)) return at_;
  if (rule.start_at() == kOldestUnanswered) return OldestUnanswered(after_);
  return rule.start_at() == "occurred_at" ? at_ : FromProto(after_.received_at());
}

absl::Status Steps::Start() {
  std::vector<v1::Event> attached;
  const std::vector<const policy::Published<v1::SlaPolicy>*> effective = policies_.SlaPolicies(occasion_.in_force);
  for (auto it = effective.begin(); it != effective.end();) {
    const v1::Obligation obligation = (*it)->value->obligation();
    std::vector<Candidate> candidates;
    bool concerned = false;
    for (; it != effective.end() && (*it)->value->obligation() == obligation; ++it) {
      candidates.push_back({(*it)->pin, (*it)->value.get()});
      concerned |= absl::c_any_of((*it)->value->metrics(), [&](const v1::MetricRule& rule) { return Starts(rule); });
    }
    const Candidate* match = concerned ? FirstMatch(candidates, facts_) : nullptr;
    if (match == nullptr) continue;
    for (const v1::MetricRule& rule : match->policy->metrics()) {
      if (!Starts(rule)) continue;
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
  const int first = work_.clocks_size();
  // The first events about clocks that there are: each is numbered by the revision it gets.
  if (event_.has_case_received()) next_clock_no_ = after_.revision() + 1;
  for (v1::Event& event : attached) DOCKET_RETURN_IF_ERROR(Emit(std::move(event)));
  return event_.has_case_received() ? StopAtOnce(first) : absl::OkStatus();
}

// The history of a case may begin when what is promised for it was done already.
absl::Status Steps::StopAtOnce(int first) {
  for (int i = first; i < work_.clocks_size(); ++i) {
    DOCKET_ASSIGN_OR_RETURN(const v1::MetricRule* rule, PinnedRule(clock(i)));
    if (!FiresFor(clock(i), rule->stop())) continue;
    DOCKET_RETURN_IF_ERROR(RecordBreachIfOver(clock(i), "TIME"));
    DOCKET_RETURN_IF_ERROR(Fulfil(clock(i), *rule, at_, after_.revision()));
  }
  return absl::OkStatus();
}

// Working time that earlier cycles of the same visit used, and who answered for it.
absl::Status Steps::Bring(const v1::MetricRule& rule, v1::ClockAttached* attached) const {
  if (attached->visit().empty() || attached->target().unit() != v1::Target::WORKING_TIME) return absl::OkStatus();
  absl::Duration used;
  const absl::Time since = after_.has_reopened_at() ? FromProto(after_.reopened_at()) : absl::InfinitePast();
  for (const v1::Clock& clock : work_.clocks()) {
    const bool same = clock.metric() == rule.metric() && clock.obligation() == attached->obligation() &&
                      clock.visit() == attached->visit() && (!rule.per_item() || clock.item() == item_);
    const absl::Time start = FromProto(clock.start_at());
    if (!same || start < since || Unfinished(clock)) continue;
    DOCKET_ASSIGN_OR_RETURN(const auto calendar, PinnedCalendar(policies_, clock.calendar()));
    const absl::Time stopped = std::max(start, FromProto(clock.stopped_at()));
    used += calendar->Elapsed(start, stopped, PausesOf(clock));
    AddShares(clock, *calendar, stopped, attached->mutable_brought_shares());
  }
  if (used > absl::ZeroDuration()) *attached->mutable_brought() = ToProto(used);
  return absl::OkStatus();
}

Terms Steps::NewTerms(const v1::MetricRule& rule, const v1::MetricRule::Choice& choice,
                      const WorkingCalendar& calendar) const {
  Terms terms = TermsOf(rule, choice, calendar, promised_);
  const v1::MetricNature nature = rule.nature() == v1::WINDOW ? v1::WINDOW : v1::DUTY;
  terms.silent = escalation::InstantsFor(policies_, rule.metric(), nature, occasion_.in_force);
  return terms;
}

absl::StatusOr<v1::Event> Steps::NewClock(const Candidate& match, const v1::MetricRule& rule,
                                          const v1::MetricRule::Choice& choice) const {
  DOCKET_ASSIGN_OR_RETURN(const NamedCalendar calendar,
                          CalendarAt(policies_, CalendarNameOf(*match.policy, choice), occasion_.in_force));
  const v1::Obligation obligation = match.policy->obligation();
  v1::MetricRule::Choice promised = choice;
  if (Restarts(rule) && rule.has_reopen_target()) *promised.mutable_target() = rule.reopen_target();
  const v1::OwedItem* item = rule.per_item() ? ItemNumbered(after_, item_) : nullptr;
  // What a regulator is promised is not put off by asking for it later.
  const bool sooner =
      item != nullptr && item->has_due_at() &&
      (obligation != v1::REGULATOR ||
       FromProto(item->due_at()) <
           ComputeDue(*calendar.calendar, StartAt(rule), choice.target(), {}, promised_, absl::ZeroDuration()).at);
  if (sooner) {
    promised.mutable_target()->Clear();
    promised.mutable_target()->set_unit(v1::Target::UNTIL);
    *promised.mutable_target()->mutable_until() = item->due_at();
  }
  v1::Event event = New(match.pin);
  v1::ClockAttached* attached = event.mutable_clock_attached();
  attached->set_metric(rule.metric());
  attached->set_obligation(obligation);
  attached->set_nature(rule.nature() == v1::WINDOW ? v1::WINDOW : v1::DUTY);
  attached->set_cycle(NextCycle(rule, obligation));
  attached->set_item(rule.per_item() ? item_ : 0);
  *attached->mutable_policy() = match.pin;
  *attached->mutable_calendar() = calendar.pin;
  *attached->mutable_target() = promised.target();
  *attached->mutable_start_at() = ToProto(StartAt(rule));
  attached->set_pausable(rule.pausable() && obligation != v1::REGULATOR);
  attached->set_answerable_rule(rule.answerable().empty() ? "ACCOUNTABLE" : rule.answerable());
  attached->set_answerable(AnsweringDepartment(attached->answerable_rule(), attached->item(), after_));
  attached->set_visit(policy::TextOf(rule.visit(), {.case_facts = &facts_, .event = body_.message}));
  DOCKET_RETURN_IF_ERROR(Bring(rule, attached));
  attached->set_start_revision(after_.revision());
  v1::Clock clock;
  *clock.mutable_start_at() = attached->start_at();
  *clock.mutable_brought() = attached->brought();
  const Terms terms = NewTerms(rule, promised, *calendar.calendar);
  const Plan plan = PlanClock(clock, terms, {});
  SetPlan(plan, attached);
  // Started while the case waits: paused at once, by the same event, for nothing may come between the two.
  clock.set_metric(rule.metric());
  const absl::Time since = PauseStart(clock);
  if (StatusPauses(clock) && attached->pausable() && CanPause(promised.target()) && since < plan.due.at &&
      plan.due.at >= at_ && since < WaitUntil()) {
    FillPaused(clock, terms, since, WaitUntil(), attached->mutable_paused());
    SetWait(attached->mutable_paused());
  }
  return event;
}

}  // namespace docket::sla
