// What ends a clock, and what sets an end aside again (R4).
#include <algorithm>
#include <optional>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"
#include "workflow/sla/clock_steps.h"

namespace docket::sla {

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
    std::string cause = event_.has_status_changed() ? event_.status_changed().entered().closure_code() : "";
    if (by_oldest && !stop && event_.has_no_reply_needed_marked() && OldestAnswered(clock(i))) {
      ends = true;
      cause = "NO_REPLY_NEEDED";
    }
    if (!ends) continue;
    DOCKET_RETURN_IF_ERROR(RecordBreachIfOver(clock(i), "TIME"));
    if (stop) {
      DOCKET_RETURN_IF_ERROR(Fulfil(clock(i), *rule, at_, after_.revision()));
    } else {
      DOCKET_RETURN_IF_ERROR(Cancel(clock(i), cause.empty() ? absl::AsciiStrToUpper(body_.name) : cause));
    }
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

absl::Status Steps::Cancel(const v1::Clock& clock, absl::string_view cause) {
  v1::Event event = New(clock.policy());
  event.mutable_clock_cancelled()->set_clock_no(clock.clock_no());
  event.mutable_clock_cancelled()->set_cause(std::string(cause));
  *event.mutable_clock_cancelled()->mutable_cancelled_at() = event_.occurred_at();
  return Emit(std::move(event));
}

// A message that bounced told nobody anything.
absl::Status Steps::SetBouncedStopsAside() {
  const v1::DeliveryReported& report = event_.delivery_reported();
  for (int i = 0; i < work_.clocks_size(); ++i) {
    if (clock(i).state() != v1::FULFILLED || clock(i).stop_revision() != report.outbound_revision()) continue;
    DOCKET_ASSIGN_OR_RETURN(const v1::MetricRule* rule, PinnedRule(clock(i)));
    const std::optional<Answer> other = OtherAnswer(clock(i), *rule);
    DOCKET_RETURN_IF_ERROR(EmitReopened(i, /*exclude=*/false, "UNDELIVERED"));
    if (!other.has_value()) DOCKET_RETURN_IF_ERROR(CatchUpStart(i));
    const absl::Time until = other.has_value() ? other->at : at_;
    if (DueAt(clock(i)) < until) DOCKET_RETURN_IF_ERROR(RecordBreachIfOver(clock(i), "UNDELIVERED"));
    if (other.has_value()) DOCKET_RETURN_IF_ERROR(Fulfil(clock(i), *rule, other->at, other->revision));
  }
  return absl::OkStatus();
}

bool Steps::StopsByItself(const v1::MetricRule& rule, const v1::SentMessage& message) const {
  v1::Event sent;
  sent.mutable_outbound_sent()->set_kind(message.kind());
  sent.mutable_outbound_sent()->set_human(message.human());
  sent.mutable_outbound_sent()->set_public_message(true);
  *sent.mutable_outbound_sent()->mutable_parts() = message.parts();
  return AnyFires(rule.stop(), BodyOf(sent), facts_);
}

bool Steps::StopsByItself(const v1::MetricRule& rule, const v1::PastAnswer& answer) const {
  v1::Event event;
  if (answer.event() == "case_accepted") event.mutable_case_accepted();
  if (answer.event() == "case_declined") event.mutable_case_declined()->set_reason_code(answer.reason_code());
  if (answer.event() == "resolution_accepted") event.mutable_resolution_accepted();
  if (answer.event() == "decision_issued") *event.mutable_decision_issued()->mutable_parts() = answer.parts();
  return AnyFires(rule.stop(), BodyOf(event), facts_);
}

// Whether what stood at `revision` and `at` can have answered the cycle: it came neither before it nor as what began
// it, and no reopening has set it aside since.
bool Steps::CanAnswer(const v1::Clock& clock, const v1::MetricRule& rule, uint32_t revision, absl::Time at) const {
  if (at < FromProto(clock.start_at()) || revision < clock.clock_no()) return false;
  return !rule.reopens() || !after_.has_reopened_at() || at >= FromProto(after_.reopened_at());
}

// The earliest other thing that stops such a clock too: a message that reached the requester, or a decision. What waits
// for the answer to one message is told by that message.
std::optional<Steps::Answer> Steps::OtherAnswer(const v1::Clock& clock, const v1::MetricRule& rule) const {
  std::optional<Answer> earliest;
  if (rule.start_at() == kOldestUnanswered) return earliest;
  const auto consider = [&](const auto& one, absl::Time at) {
    const bool earlier = !earliest.has_value() || at < earliest->at;
    if (!CanAnswer(clock, rule, one.revision(), at) || !earlier || !StopsByItself(rule, one)) return;
    earliest = Answer{.at = at, .revision = one.revision()};
  };
  for (const v1::SentMessage& one : after_.sent()) {
    if (one.outcome() != v1::BOUNCED) consider(one, FromProto(one.sent_at()));
  }
  for (const v1::PastAnswer& one : after_.past_answers()) consider(one, FromProto(one.at()));
  return earliest;
}

// What was said to have bounced has arrived after all, and stopped what it would have stopped. A breach found in
// between stands until somebody else has judged it (R7).
absl::Status Steps::RestoreStops() {
  const v1::DeliveryReported& report = event_.delivery_reported();
  const auto named = [&](const v1::SentMessage& one) { return one.revision() == report.outbound_revision(); };
  const auto sent = absl::c_find_if(after_.sent(), named);
  const auto was = absl::c_find_if(before_.sent(), named);
  if (sent == after_.sent().end() || was == before_.sent().end() || was->outcome() != v1::BOUNCED) {
    return absl::OkStatus();
  }
  const absl::Time at = FromProto(sent->sent_at());
  for (int i = 0; i < work_.clocks_size(); ++i) {
    const bool stopped_later = clock(i).state() == v1::FULFILLED && at < FromProto(clock(i).stopped_at());
    if (!Unfinished(clock(i)) && !stopped_later) continue;
    DOCKET_ASSIGN_OR_RETURN(const v1::MetricRule* rule, PinnedRule(clock(i)));
    if (!CanAnswer(clock(i), *rule, sent->revision(), at)) continue;
    const bool by_oldest = rule->start_at() == kOldestUnanswered;
    if (!StopsByItself(*rule, *sent) || (by_oldest && (stopped_later || !OldestAnswered(clock(i))))) continue;
    if (stopped_later) DOCKET_RETURN_IF_ERROR(EmitReopened(i, /*exclude=*/false, "DELIVERED"));
    if (DueAt(clock(i)) < at) DOCKET_RETURN_IF_ERROR(RecordBreachIfOver(clock(i), "TIME"));
    DOCKET_RETURN_IF_ERROR(Fulfil(clock(i), *rule, at, sent->revision()));
  }
  return absl::OkStatus();
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

absl::Status Steps::Reopen() {
  for (int i = 0; i < work_.clocks_size(); ++i) {
    if (EndedByResolution(i)) {
      DOCKET_RETURN_IF_ERROR(EmitReopened(i, /*exclude=*/false, "REOPENED"));
      DOCKET_RETURN_IF_ERROR(CatchUpStart(i));
      DOCKET_RETURN_IF_ERROR(RecordBreachIfOver(clock(i), "REOPENED"));
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
  const bool exclude = rule->reopen() == "RESUME" || (rule->reopen().empty() && new_facts) ||
                       (rule->reopen() == "BY_REASON" && new_facts);
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
  return Emit(std::move(event));
}

}  // namespace docket::sla
