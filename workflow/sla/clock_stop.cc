// What ends a clock, and what a reopening makes of the end (R4).
#include <algorithm>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"
#include "workflow/sla/clock_steps.h"

namespace docket::sla {
namespace {

// Says by itself that something is owed no more, although it was not done.
bool LetsOff(const v1::Event& event) { return event.has_no_reply_needed_marked() || event.has_owed_item_cancelled(); }

}  // namespace

bool Withdraws(const v1::Event& event) {
  return event.case_declined().reason_code() == kWithdrawn || event.case_closed().basis() == kWithdrawn;
}

std::string CancelCauseOf(const v1::Event& event) {
  const std::string& closure = event.status_changed().entered().closure_code();
  return closure.empty() ? absl::AsciiStrToUpper(BodyOf(event).name) : closure;
}

// The message a clock counts from no longer waits for an answer.
bool Steps::OldestAnswered(const v1::Clock& clock) const {
  const absl::Time oldest = OldestUnanswered(after_);
  return oldest == absl::InfiniteFuture() || oldest > FromProto(clock.start_at());
}

absl::Status Steps::StopAndCancel(bool stop) {
  for (int i = 0; i < work_.clocks_size(); ++i) {
    // What happened before a cycle began, entered late, belongs to an earlier one. The rows of an import are all there
    // is.
    if (!Unfinished(clock(i)) || (at_ < FromProto(clock(i).start_at()) && !after_.history())) continue;
    DOCKET_ASSIGN_OR_RETURN(const v1::MetricRule* rule, PinnedRule(clock(i)));
    const bool by_oldest = rule->start_at() == kOldestUnanswered;
    bool ends = FiresFor(clock(i), stop ? rule->stop() : rule->cancel());
    if (by_oldest && stop) ends = ends && OldestAnswered(clock(i));
    std::string cause = CancelCauseOf(event_);
    if (by_oldest && !stop && event_.has_no_reply_needed_marked() && OldestAnswered(clock(i))) {
      ends = true;
      cause = "NO_REPLY_NEEDED";
    }
    if (!ends) continue;
    DOCKET_RETURN_IF_ERROR(RecordBreachIfOver(clock(i), "TIME"));
    if (stop) {
      DOCKET_RETURN_IF_ERROR(Fulfil(clock(i), *rule, at_, after_.revision()));
    } else if (LetsOff(event_) && IsOver(clock(i), at_) && NeedsSecondPerson(i, occasion_.approver)) {
      return SecondPersonMissing(
          absl::StrCat(clock(i).metric(), " is late; that it is owed no more wants a second person"));
    } else {
      DOCKET_RETURN_IF_ERROR(Cancel(clock(i), {at_, after_.revision(), cause}));
    }
  }
  return absl::OkStatus();
}

// Nobody is owed an answer any more, and none was given.
absl::Status Steps::Withdraw() {
  for (int i = 0; i < work_.clocks_size(); ++i) {
    if (!Unfinished(clock(i))) continue;
    DOCKET_RETURN_IF_ERROR(RecordBreachIfOver(clock(i), "TIME"));
    DOCKET_RETURN_IF_ERROR(Cancel(clock(i), {at_, after_.revision(), kWithdrawn}));
  }
  return absl::OkStatus();
}

absl::Status Steps::Fulfil(const v1::Clock& clock, const v1::MetricRule& rule, absl::Time stopped_at,
                           uint32_t revision) {
  DOCKET_ASSIGN_OR_RETURN(const auto calendar, PinnedCalendar(policies_, clock.calendar()));
  v1::Event event = New(clock.policy());
  v1::ClockFulfilled* fulfilled = event.mutable_clock_fulfilled();
  fulfilled->set_clock_no(clock.clock_no());
  *fulfilled->mutable_stopped_at() = ToProto(stopped_at);
  // A stop entered late does not undo a breach on record by itself; that takes a second person (R7).
  fulfilled->set_on_time(!IsOver(clock, stopped_at));
  if (clock.has_breached_due_at() && stopped_at <= FromProto(clock.breached_due_at()) && !IsLateAtStart(clock)) {
    fulfilled->set_disputed(true);
    fulfilled->set_entered_by(occasion_.actor);
    *fulfilled->mutable_entered_at() = ToProto(std::max(occasion_.now, at_));
  }
  *fulfilled->mutable_elapsed() =
      ToProto(FromProto(clock.brought()) + calendar->Elapsed(FromProto(clock.start_at()), stopped_at, PausesOf(clock)));
  fulfilled->set_provisional(rule.reopens() && clock.obligation() != v1::REGULATOR);
  fulfilled->set_stop_revision(revision);
  return Emit(std::move(event));
}

absl::Status Steps::Cancel(const v1::Clock& clock, const Ending& ending) {
  v1::Event event = New(clock.policy());
  v1::ClockCancelled* cancelled = event.mutable_clock_cancelled();
  cancelled->set_clock_no(clock.clock_no());
  cancelled->set_cause(ending.cancels);
  *cancelled->mutable_cancelled_at() = ToProto(ending.at);
  cancelled->set_cancel_revision(ending.revision);
  return Emit(std::move(event));
}

// False where an earlier cycle, whose answer bounced, runs again.
bool Steps::IsOldestRunning(int i) const {
  return std::none_of(work_.clocks().begin(), work_.clocks().begin() + i, [&](const v1::Clock& earlier) {
    return Unfinished(earlier) && earlier.metric() == clock(i).metric() &&
           earlier.obligation() == clock(i).obligation() && earlier.item() == clock(i).item();
  });
}

bool Steps::IsNewestCycle(int i) const {
  return std::none_of(work_.clocks().begin() + i + 1, work_.clocks().end(), [&](const v1::Clock& later) {
    return later.metric() == clock(i).metric() && later.obligation() == clock(i).obligation() &&
           later.item() == clock(i).item();
  });
}

// What a regulator was no longer owed because the case was resolved, or by a letter about that, is owed again, from the
// same receipt. What an earlier reopening ended stays so.
bool Steps::EndedByResolution(int i) const {
  const bool ended = i < before_.clocks_size() && before_.clocks(i).state() == v1::CANCELLED &&
                     clock(i).obligation() == v1::REGULATOR && clock(i).nature() == v1::DUTY;
  const absl::Time reopened = before_.has_reopened_at() ? FromProto(before_.reopened_at()) : absl::InfinitePast();
  return ended && clock(i).cancel_cause() != kNoPolicy && before_.has_resolved_at() && IsNewestCycle(i) &&
         FromProto(clock(i).stopped_at()) > reopened;
}

// What was taken back with the case comes back with it, unless the reopening ends it or begins it anew, or the work was
// called off meanwhile.
bool Steps::EndedByWithdrawal(int i, const v1::MetricRule& rule) const {
  const v1::Clock& ended = clock(i);
  const absl::Time reopened = before_.has_reopened_at() ? FromProto(before_.reopened_at()) : absl::InfinitePast();
  const bool withdrawn = ended.state() == v1::CANCELLED && ended.cancel_cause() == kWithdrawn && IsNewestCycle(i) &&
                         FromProto(ended.stopped_at()) >= reopened;
  const bool owed = ended.item() == 0 || absl::c_any_of(after_.items(), [&](const v1::OwedItem& item) {
                      return item.item_no() == ended.item() &&
                             (item.state() == v1::OwedItem::ASKED || item.state() == v1::OwedItem::TAKEN_ON);
                    });
  return withdrawn && owed && !FiresFor(ended, rule.stop()) && !FiresFor(ended, rule.cancel()) && !Starts(rule);
}

absl::Status Steps::Reopen() {
  for (int i = 0; i < work_.clocks_size(); ++i) {
    DOCKET_ASSIGN_OR_RETURN(const v1::MetricRule* rule, PinnedRule(clock(i)));
    if (EndedByResolution(i)) {
      DOCKET_RETURN_IF_ERROR(EmitReopened(i, /*exclude=*/false, "REOPENED"));
      DOCKET_RETURN_IF_ERROR(CatchUpStart(i));
      DOCKET_RETURN_IF_ERROR(RecordBreachIfOver(clock(i), "REOPENED"));
    } else if (EndedByWithdrawal(i, *rule)) {
      DOCKET_RETURN_IF_ERROR(ReopenOne(i));
    }
    if (clock(i).state() != v1::FULFILLED || !clock(i).provisional() || !IsNewestCycle(i)) continue;
    DOCKET_RETURN_IF_ERROR(ReopenOne(i));
  }
  return absl::OkStatus();
}

// Only new facts make a new promise; what was not resolved is still the old one (R4).
bool Steps::Restarts(const v1::MetricRule& rule) const {
  return event_.has_case_reopened() && event_.case_reopened().reason() == v1::NEW_FACTS && rule.reopen() == "RESTART";
}

absl::Status Steps::ReopenOne(int i) {
  DOCKET_ASSIGN_OR_RETURN(const v1::MetricRule* rule, PinnedRule(clock(i)));
  if (Restarts(*rule)) return absl::OkStatus();  // a new cycle is started instead
  const bool new_facts = event_.case_reopened().reason() == v1::NEW_FACTS;
  const bool resumes = rule->reopen() == "RESUME" || (rule->reopen().empty() && new_facts) ||
                       (rule->reopen() == "BY_REASON" && new_facts);
  const bool exclude = resumes && clock(i).obligation() != v1::REGULATOR;
  DOCKET_RETURN_IF_ERROR(EmitReopened(i, exclude, "REOPENED"));
  DOCKET_RETURN_IF_ERROR(CatchUpStart(i));
  return RecordBreachIfOver(clock(i), "REOPENED");
}

absl::Status Steps::EmitReopened(int i, bool exclude, absl::string_view cause) {
  DOCKET_ASSIGN_OR_RETURN(const auto calendar, PinnedCalendar(policies_, clock(i).calendar()));
  std::vector<TimeSpan> pauses = PausesOf(clock(i));
  v1::Event event = New(clock(i).policy());
  v1::ClockReopened* reopened = event.mutable_clock_reopened();
  reopened->set_clock_no(clock(i).clock_no());
  reopened->set_cause(std::string(cause));
  reopened->set_mode(exclude ? "RESUME" : "CONTINUE");
  const absl::Time stopped = FromProto(clock(i).stopped_at());
  if (exclude && stopped < at_) {
    // For a clock that was stopped late this excludes time after its due only, so it stays late.
    *reopened->mutable_excluded()->mutable_start() = clock(i).stopped_at();
    *reopened->mutable_excluded()->mutable_end() = event_.occurred_at();
    reopened->mutable_excluded()->set_excluded(true);
    pauses.push_back({stopped, at_});
  }
  const Terms terms = TermsOf(clock(i), *calendar, promised_);
  SetPlan(PlanClock(clock(i), terms, pauses, CapOf(clock(i), terms)), reopened);
  DOCKET_RETURN_IF_ERROR(Emit(std::move(event)));
  return JudgeFormerTerms(i, cause);
}

}  // namespace docket::sla
