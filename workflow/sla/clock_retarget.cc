// What moves a running clock to other terms (R8, R10) or to another start (R7).
#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/util/message_differencer.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/case/facts.h"
#include "workflow/sla/clock_steps.h"

namespace docket::sla {
namespace {

using google::protobuf::util::MessageDifferencer;

bool SameFacts(const v1::CaseFacts& a, const v1::CaseFacts& b) {
  return a.SerializeAsString() == b.SerializeAsString();
}

// Who has the case, not what it is.
bool ChangesHandsOnly(const v1::Event& event) {
  switch (event.body_case()) {
    case v1::Event::kCaseQueued:
    case v1::Event::kCaseDequeued:
    case v1::Event::kOwnerAssigned:
    case v1::Event::kOwnerReleased:
    case v1::Event::kAccountableOwnerSet:
    case v1::Event::kCaseTransferred:
    case v1::Event::kTransferAccepted:
    case v1::Event::kTransferRefused:
      return true;
    default:
      return false;
  }
}

// What we owe a customer or a regulator does not move with hands; what departments and vendors owe may (R10).
bool FollowsHands(v1::Obligation obligation) { return obligation == v1::INTERNAL || obligation == v1::VENDOR; }

std::vector<TimeSpan> WithoutOpenPause(const v1::Clock& clock) {
  std::vector<TimeSpan> pauses = PausesOf(clock);
  if (clock.state() == v1::PAUSED && !pauses.empty() && pauses.back().end == absl::InfiniteFuture()) pauses.pop_back();
  return pauses;
}

bool BothWorkingTime(const v1::Target& a, const v1::Target& b) {
  return a.unit() == v1::Target::WORKING_TIME && b.unit() == v1::Target::WORKING_TIME;
}

void SetCarried(absl::Time at, absl::Duration used, v1::Clock* clock) {
  *clock->mutable_carried_at() = ToProto(at);
  *clock->mutable_carried_used() = ToProto(used);
}

void ClearCarried(v1::Clock* clock) {
  clock->clear_carried_at();
  clock->clear_carried_used();
}

}  // namespace

absl::Status Steps::Retarget() {
  const bool any = std::any_of(work_.clocks().begin(), work_.clocks().end(), [](const v1::Clock& clock) {
    return Unfinished(clock) || clock.cancel_cause() == kNoPolicy;
  });
  if (!any) return absl::OkStatus();
  const v1::CaseFacts facts_before = workflow::BuildFacts(before_);
  if (SameFacts(facts_before, facts_) && PromisedDue(before_) == promised_) return absl::OkStatus();
  for (int i = 0; i < work_.clocks_size(); ++i) {
    DOCKET_RETURN_IF_ERROR(RestoreOne(i));
    if (Unfinished(clock(i))) DOCKET_RETURN_IF_ERROR(RetargetOne(i, facts_before));
  }
  return absl::OkStatus();
}

// What ended only because the facts chose no policy runs on, as if never ended, once they choose one again.
absl::Status Steps::RestoreOne(int i) {
  const v1::Clock& old = clock(i);
  const bool ended = old.state() == v1::CANCELLED && old.cancel_cause() == kNoPolicy && old.item() == 0;
  const v1::StatusCategory category = after_.status().category();
  if (!ended || event_.has_promised_due_set() || !IsNewestCycle(i) || category == v1::RESOLVED ||
      category == v1::CLOSED) {
    return absl::OkStatus();
  }
  DOCKET_ASSIGN_OR_RETURN(const std::vector<Candidate> candidates, CandidatesFor(policies_, old, occasion_.in_force));
  const Candidate* match = FirstMatch(candidates, facts_);
  const v1::MetricRule* rule = match == nullptr ? nullptr : RuleOf(*match->policy, old.metric());
  if (rule == nullptr || ChoiceOf(*rule, facts_) == nullptr) return absl::OkStatus();
  DOCKET_RETURN_IF_ERROR(EmitReopened(i, /*exclude=*/false, "POLICY"));
  DOCKET_RETURN_IF_ERROR(CatchUpStart(i));
  return RecordBreachIfOver(clock(i), "TIME");
}

// Only a change that this event makes counts: a policy published meanwhile concerns new clocks (unless rolled out), so
// the match before the event is sought among today's policies too.
absl::Status Steps::RetargetOne(int i, const v1::CaseFacts& facts_before) {
  // A due set by hand or extended stays as granted.
  if (clock(i).pinned() || !clock(i).extensions().empty() || clock(i).item() != 0) return absl::OkStatus();
  if (ChangesHandsOnly(event_) && !FollowsHands(clock(i).obligation())) return absl::OkStatus();
  DOCKET_ASSIGN_OR_RETURN(const std::vector<Candidate> candidates,
                          CandidatesFor(policies_, clock(i), occasion_.in_force));
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
  const bool moved =
      now.choice != nullptr && now.choice->target().unit() == v1::Target::FIXED && PromisedDue(before_) != promised_;
  if (now.choice == find(facts_before).choice && !moved) return absl::OkStatus();
  if (now.choice == nullptr) {
    DOCKET_RETURN_IF_ERROR(RecordBreachIfOver(clock(i), "TIME"));
    if (IsOver(clock(i), at_)) return absl::OkStatus();
    if (clock(i).obligation() == v1::REGULATOR && NeedsSecondPerson(i, occasion_.approver)) {
      return SecondPersonMissing(
          absl::StrCat(clock(i).metric(), " is owed to a regulator; that it is owed no more wants a second person"));
    }
    return Cancel(clock(i), {at_, after_.revision(), kNoPolicy});
  }
  const bool same = now.match->pin.id() == clock(i).policy().id() &&
                    MessageDifferencer::Equals(now.choice->target(), clock(i).target()) &&
                    CalendarNameOf(*now.match->policy, *now.choice) == clock(i).calendar().id();
  if (same && !moved) return absl::OkStatus();
  DOCKET_RETURN_IF_ERROR(RecordBreachIfOver(clock(i), "TIME"));
  const absl::Time old_due = DueAt(clock(i));
  DOCKET_ASSIGN_OR_RETURN(const Match match, MatchOf(i, *now.match, *now.rule, *now.choice));
  Carrying carrying{.cause = event_.has_priority_set()       ? "PRIORITY"
                             : event_.has_promised_due_set() ? "PROMISED_DUE"
                                                             : absl::AsciiStrToUpper(body_.name),
                    .never_later = clock(i).obligation() == v1::REGULATOR,
                    .approver = occasion_.approver};
  DOCKET_RETURN_IF_ERROR(EmitRetargeted(i, match, carrying));
  retargeted_.insert(i);
  return RecordBreachIfOver(clock(i), "RETARGET", old_due >= at_ ? old_due : absl::InfinitePast());
}

absl::StatusOr<Steps::Match> Steps::MatchOf(int i, const Candidate& policy, const v1::MetricRule& rule,
                                            const v1::MetricRule::Choice& choice) const {
  const v1::Clock& old = clock(i);
  const std::string& name = CalendarNameOf(*policy.policy, choice);
  Match match{.policy = policy.pin, .rule = &rule, .target = choice.target()};
  match.pausable = rule.pausable() && old.obligation() != v1::REGULATOR;
  if (policy.pin.id() == old.policy().id() && name == old.calendar().id()) {
    match.calendar_pin = old.calendar();
    DOCKET_ASSIGN_OR_RETURN(const auto pinned, PinnedCalendar(policies_, old.calendar()));
    match.calendar = pinned.get();  // held by the policy set
  } else {
    DOCKET_ASSIGN_OR_RETURN(const NamedCalendar named, CalendarAt(policies_, name, occasion_.in_force));
    match.calendar_pin = named.pin;
    match.calendar = named.calendar.get();
  }
  return match;
}

absl::Time Steps::DueWithoutOpenPause(const v1::Clock& clock, const Terms& terms) const {
  const Base base = BaseOf(clock);
  return ComputeDue(*terms.calendar, base.at, terms.target, WithoutOpenPause(clock), terms.promised, base.used).at;
}

bool Steps::NeedsSecondPerson(int i, absl::string_view approver) const {
  return occasion_.by_person && event_.rule().empty() && approver.empty() && clock(i).nature() == v1::DUTY;
}

absl::Status Steps::SecondPersonMissing(absl::string_view why) const {
  return RefuseUnmet("CONDITIONS_UNMET", absl::StrCat("case ", after_.case_no()),
                     {{"SECOND_PERSON_MISSING", absl::StrCat("approver: missing, ", why), ""}});
}

// Past half of the target, or late, nobody gives himself more time (R8).
absl::Status Steps::WantSecondPerson(int i, const WorkingCalendar& calendar, absl::string_view approver) const {
  if (!NeedsSecondPerson(i, approver)) return absl::OkStatus();
  const v1::Clock& old = clock(i);
  bool past_half = IsOver(old, at_);
  if (old.target().unit() == v1::Target::WORKING_TIME) {
    past_half |= 2 * UsedAt(at_, old, calendar, PausesOf(old)) >= FromProto(old.target().duration());
  } else if (old.has_due_at()) {
    past_half |= at_ - FromProto(old.start_at()) >= FromProto(old.due_at()) - at_;
  }
  if (!past_half) return absl::OkStatus();
  return SecondPersonMissing(
      absl::StrCat(old.metric(), " has used half of its time or is late; more time wants a second person"));
}

absl::Status Steps::EmitRetargeted(int i, const Match& match, const Carrying& carrying) {
  const v1::Clock old = clock(i);
  DOCKET_ASSIGN_OR_RETURN(const auto old_calendar, PinnedCalendar(policies_, old.calendar()));
  const bool paused = old.state() == v1::PAUSED;
  const absl::Time moment = paused ? PausesOf(old).back().start : std::max(at_, BaseOf(old).at);
  v1::MetricRule::Choice choice;
  *choice.mutable_target() = match.target;
  const Terms terms = NewTerms(*match.rule, choice, *match.calendar);
  v1::Clock next = old;
  ClearCarried(&next);
  const bool later =
      DueWithoutOpenPause(next, terms) > DueWithoutOpenPause(old, TermsOf(old, *old_calendar, promised_));
  const v1::MetricRule::Retarget& how = match.rule->retarget();
  std::string carry = later ? how.loosen() : how.tighten();
  if (carry.empty()) carry = later ? "SHARE" : "ALL";
  if (carrying.always_all) carry = "ALL";
  if (carry != "NONE" && !BothWorkingTime(old.target(), match.target)) carry = "ALL";
  if (later && !carrying.always_all) DOCKET_RETURN_IF_ERROR(WantSecondPerson(i, *old_calendar, carrying.approver));
  // Its due stays, but what ends it may be another thing.
  const bool looser = later && carrying.never_later && match.policy.id() != old.policy().id();
  if (looser && !carrying.always_all && NeedsSecondPerson(i, carrying.approver)) {
    return SecondPersonMissing(
        absl::StrCat(old.metric(), " is owed to a regulator; a looser policy for it wants a second person"));
  }
  const absl::Duration whole = FromProto(match.target.duration());
  if (carry != "ALL") {
    const absl::Duration used = UsedAt(moment, old, *old_calendar, WithoutOpenPause(old));
    const absl::Duration share = ShareOf(whole, used, FromProto(old.target().duration()));
    SetCarried(moment, carry == "NONE" ? absl::ZeroDuration() : std::min(whole, carry == "SHARE" ? share : used),
               &next);
  }
  // Without a pause whose end is not known, so that it is the same whether the pause or the retarget came first.
  const bool open = paused && !old.has_due_at();
  const absl::Time old_due = open ? DueWithoutOpenPause(old, TermsOf(old, *old_calendar, promised_)) : DueAt(old);
  absl::Time lowest = absl::InfinitePast();
  if (!carrying.always_all && how.not_before_old_due()) lowest = old_due;
  if (!carrying.always_all && how.has_min_remaining()) {
    lowest = std::max(lowest, match.calendar->Advance(open ? moment : at_, FromProto(how.min_remaining())));
  }
  // A tighter promise never gives more time than there was.
  const bool tighter = !later && !carrying.always_all && match.target.unit() != v1::Target::FIXED;
  const bool capped = carrying.never_later || tighter || (how.not_after_old_due() && !carrying.always_all);
  const absl::Time highest = capped ? old_due : absl::InfiniteFuture();
  const absl::Time planned = DueWithoutOpenPause(next, terms);
  const absl::Time wanted = std::min(highest, std::max(lowest, planned));
  if (match.target.unit() == v1::Target::WORKING_TIME && wanted != absl::InfiniteFuture() && wanted != planned) {
    const absl::Time from = std::min(moment, wanted);
    SetCarried(from, whole - match.calendar->Elapsed(from, wanted, WithoutOpenPause(old)), &next);
  }
  return EmitTerms(i, next, match, terms, carrying, carry, open ? absl::InfiniteFuture() : highest);
}

// `next` is the clock with its new start and what is carried over; `highest` the latest due it may get.
absl::Status Steps::EmitTerms(int i, const v1::Clock& next, const Match& match, const Terms& terms,
                              const Carrying& carrying, const std::string& mode, absl::Time highest) {
  const v1::Clock& old = clock(i);
  v1::Event event = New(match.policy);
  if (after_.has_last_event_at())
    *event.mutable_occurred_at() = ToProto(std::max(at_, FromProto(after_.last_event_at())));
  v1::ClockRetargeted* retargeted = event.mutable_clock_retargeted();
  retargeted->set_clock_no(old.clock_no());
  retargeted->set_cause(carrying.cause);
  retargeted->set_mode(mode);
  retargeted->set_approver(carrying.approver);
  retargeted->set_rollout_id(carrying.rollout_id);
  *retargeted->mutable_old_policy() = old.policy();
  *retargeted->mutable_old_target() = old.target();
  if (old.has_due_at()) *retargeted->mutable_old_due_at() = old.due_at();
  *retargeted->mutable_policy() = match.policy;
  *retargeted->mutable_calendar() = match.calendar_pin;
  *retargeted->mutable_target() = match.target;
  retargeted->set_pausable(match.pausable);
  retargeted->set_pinned(next.pinned());
  if (FromProto(next.start_at()) != FromProto(old.start_at())) *retargeted->mutable_start_at() = next.start_at();
  if (next.has_carried_at()) {
    *retargeted->mutable_carried_at() = next.carried_at();
    *retargeted->mutable_carried_used() = next.carried_used();
  }
  std::vector<TimeSpan> pauses = PausesOf(old);
  SetPlan(PlanClock(next, terms, pauses, highest), retargeted);
  if (old.state() == v1::PAUSED) {
    const absl::Time since = pauses.back().start;
    pauses.pop_back();
    SetRemaining(RemainingAt(since, next, terms, pauses), retargeted);
  }
  return Emit(std::move(event));
}

// The terms a clock has, with which only its start or its calendar changes.
absl::StatusOr<Steps::Match> Steps::SameTerms(const v1::Clock& old) const {
  DOCKET_ASSIGN_OR_RETURN(const v1::MetricRule* rule, PinnedRule(old));
  DOCKET_ASSIGN_OR_RETURN(const auto calendar, PinnedCalendar(policies_, old.calendar()));
  return Match{.policy = old.policy(),
               .calendar_pin = old.calendar(),
               .calendar = calendar.get(),  // held by the policy set
               .rule = rule,
               .target = old.target(),
               .pausable = old.pausable()};
}

// What a regulator's clock was once kept to is forgotten by no later recomputation; InfiniteFuture: its own terms.
absl::Time Steps::CapOf(const v1::Clock& clock, const Terms& terms) const {
  if (clock.obligation() != v1::REGULATOR) return absl::InfiniteFuture();
  const absl::Time due = DueAt(clock);
  return due < DueWithoutOpenPause(clock, terms) ? due : absl::InfiniteFuture();
}

absl::Status Steps::CorrectStarts() {
  const absl::Time oldest = OldestUnanswered(after_);
  for (int i = 0; i < work_.clocks_size(); ++i) {
    if (!Unfinished(clock(i))) continue;
    DOCKET_ASSIGN_OR_RETURN(const v1::MetricRule* rule, PinnedRule(clock(i)));
    const absl::Time start = FromProto(clock(i).start_at());
    if (event_.has_received_at_corrected() && rule->start_at() == "received_at" &&
        start == FromProto(before_.received_at())) {
      DOCKET_RETURN_IF_ERROR(CorrectStart(i, FromProto(after_.received_at()), "CORRECTION", /*annuls=*/true));
    } else if (event_.inbound_received().from_requester() && rule->start_at() == kOldestUnanswered && oldest < start &&
               IsOldestRunning(i)) {
      DOCKET_RETURN_IF_ERROR(CorrectStart(i, oldest, "LATE_RECORDED", /*annuls=*/false));
    }
  }
  return absl::OkStatus();
}

absl::Status Steps::CorrectStart(int i, absl::Time start, absl::string_view cause, bool annuls) {
  DOCKET_RETURN_IF_ERROR(RecordBreachIfOver(clock(i), "TIME"));
  DOCKET_RETURN_IF_ERROR(MoveStart(i, start, cause, annuls));
  return RecordBreachIfOver(clock(i), cause);
}

// A receipt corrected while the clock stood finished counts when it runs again.
absl::Status Steps::CatchUpStart(int i) {
  DOCKET_ASSIGN_OR_RETURN(const v1::MetricRule* rule, PinnedRule(clock(i)));
  const absl::Time received = FromProto(after_.received_at());
  const bool counted_from_it = rule->start_at() == "received_at" && clock(i).cycle() == 1;
  if (!counted_from_it || FromProto(clock(i).start_at()) == received) return absl::OkStatus();
  return MoveStart(i, received, "CORRECTION", /*annuls=*/true);
}

absl::Status Steps::MoveStart(int i, absl::Time start, absl::string_view cause, bool annuls) {
  DOCKET_ASSIGN_OR_RETURN(const Match match, SameTerms(clock(i)));
  v1::Clock next = clock(i);
  *next.mutable_start_at() = ToProto(start);
  if (next.has_carried_at()) {
    const absl::Time before = FromProto(clock(i).start_at());
    const std::vector<TimeSpan> pauses = PausesOf(next);
    const absl::Duration moved = start < before ? match.calendar->Elapsed(start, before, pauses)
                                                : -match.calendar->Elapsed(before, start, pauses);
    *next.mutable_carried_used() = ToProto(FromProto(next.carried_used()) + moved);
  }
  const Carrying carrying{.cause = std::string(cause), .approver = occasion_.approver};
  const absl::Duration later = std::max(start - FromProto(clock(i).start_at()), absl::ZeroDuration());
  const absl::Time cap = CapOf(clock(i), TermsOf(clock(i), *match.calendar, promised_)) + later;
  DOCKET_RETURN_IF_ERROR(EmitTerms(i, next, match, TermsOf(next, *match.calendar, promised_), carrying, "ALL", cap));
  // The due that was said to be missed may be none any more.
  if (annuls && clock(i).has_breached_due_at() && DueAt(clock(i)) != FromProto(clock(i).breached_due_at())) {
    DOCKET_RETURN_IF_ERROR(Annul(i, cause, occasion_.approver));
  }
  return absl::OkStatus();
}

absl::Status Steps::RollOut(const v1::PolicyRolloutPlanned& plan) {
  for (int i = 0; i < work_.clocks_size(); ++i) {
    if (Unfinished(clock(i))) DOCKET_RETURN_IF_ERROR(RollOutOne(i, plan));
  }
  return absl::OkStatus();
}

absl::Status Steps::RollOutOne(int i, const v1::PolicyRolloutPlanned& plan) {
  const v1::Clock& old = clock(i);
  const bool of_calendar = plan.kind() == v1::CALENDAR;
  const v1::PolicyPin& pin = of_calendar ? old.calendar() : old.policy();
  if (pin.id() != plan.to().id() || pin.version() >= plan.to().version()) return absl::OkStatus();
  DOCKET_ASSIGN_OR_RETURN(Match match, SameTerms(old));
  if (!of_calendar) {
    if (old.pinned() || !old.extensions().empty() || old.item() != 0) return absl::OkStatus();
    const v1::SlaPolicy* policy = policies_.Sla(plan.to());
    const v1::MetricRule* next = policy == nullptr ? nullptr : RuleOf(*policy, old.metric());
    const v1::MetricRule::Choice* choice = next == nullptr ? nullptr : ChoiceOf(*next, facts_);
    if (choice == nullptr) return absl::OkStatus();  // the new version promises nothing here; what was promised stays
    DOCKET_ASSIGN_OR_RETURN(match, MatchOf(i, {plan.to(), policy}, *next, *choice));
  }
  DOCKET_RETURN_IF_ERROR(RecordBreachIfOver(old, "TIME"));
  const absl::Time old_due = DueAt(clock(i));
  const Carrying carrying{.cause = plan.cause(),
                          .always_all = true,
                          .never_later = !of_calendar && clock(i).obligation() == v1::REGULATOR,
                          .rollout_id = plan.rollout_id()};
  if (of_calendar) {
    const absl::Time cap = CapOf(clock(i), TermsOf(clock(i), *match.calendar, promised_));
    match.calendar_pin = plan.to();
    DOCKET_ASSIGN_OR_RETURN(const auto calendar, PinnedCalendar(policies_, plan.to()));
    match.calendar = calendar.get();
    DOCKET_RETURN_IF_ERROR(
        EmitTerms(i, clock(i), match, TermsOf(clock(i), *calendar, promised_), carrying, "ALL", cap));
  } else {
    DOCKET_RETURN_IF_ERROR(EmitRetargeted(i, match, carrying));
    if (!clock(i).trigger_paused()) DOCKET_RETURN_IF_ERROR(ReconcilePause(i));
  }
  return RecordBreachIfOver(clock(i), "RETARGET", old_due >= at_ ? old_due : absl::InfinitePast());
}

}  // namespace docket::sla
