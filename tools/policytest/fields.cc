#include "tools/policytest/fields.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/policytest/instants.h"
#include "workflow/base/time.h"
#include "workflow/sla/clock_rules.h"
#include "workflow/sla/target.h"

namespace docket::policytest {
namespace {

constexpr Field kClock[] = {{"metric", Form::kText, true},   {"obligation", Form::kText, true},
                            {"cycle", Form::kInteger, true}, {"policy", Form::kText},
                            {"calendar", Form::kText},       {"nature", Form::kText},
                            {"target", Form::kTarget},       {"answerable", Form::kText},
                            {"state", Form::kText},          {"start", Form::kInstant},
                            {"first_due", Form::kInstant},   {"due", Form::kInstant},
                            {"stopped", Form::kInstant},     {"met", Form::kBool},
                            {"late", Form::kBool},           {"elapsed", Form::kBool},
                            {"provisional", Form::kBool},    {"remaining", Form::kSpan},
                            {"used", Form::kSpan},           {"warnings", Form::kInstants},
                            {"extensions", Form::kTexts},    {"cause", Form::kText}};
constexpr Field kWarning[] = {{"metric", Form::kText}, {"obligation", Form::kText},  {"cycle", Form::kInteger},
                              {"at", Form::kInstant},  {"permille", Form::kInteger}, {"before", Form::kSpan}};
constexpr Field kBreach[] = {{"metric", Form::kText}, {"obligation", Form::kText}, {"cycle", Form::kInteger},
                             {"due", Form::kInstant}, {"cause", Form::kText},      {"department", Form::kText}};
constexpr Field kEscalation[] = {{"level", Form::kInteger},   {"kind", Form::kText},   {"target", Form::kTexts},
                                 {"basis", Form::kText},      {"ladder", Form::kText}, {"metric", Form::kText},
                                 {"department", Form::kText}, {"at", Form::kInstant},  {"ack_due", Form::kInstant}};

template <class Message>
std::string Show(bool has, const Message& at, absl::TimeZone zone) {
  return FormatInstant(has ? FromProto(at) : absl::InfiniteFuture(), zone);
}

std::string Show(bool value) { return value ? "true" : "false"; }

// Why it is as it is: cancelled, exempted, reopened, or late.
std::string CauseOf(const v1::Clock& clock) {
  for (const std::string* cause :
       {&clock.cancel_cause(), &clock.exempt_cause(), &clock.annul_cause(), &clock.breach_cause()}) {
    if (!cause->empty()) return *cause;
  }
  return clock.reopen_cause();
}

void SeeStanding(const v1::Clock& clock, absl::Time now, Seen* seen) {
  const bool duty = clock.nature() == v1::DUTY;
  const bool unfinished = clock.state() == v1::RUNNING || clock.state() == v1::PAUSED;
  const bool over = clock.has_due_at() && FromProto(clock.due_at()) < now;
  (*seen)["met"] = Show(clock.state() == v1::FULFILLED && clock.on_time());
  (*seen)["late"] =
      Show(duty && clock.state() != v1::EXEMPTED && (clock.has_breached_due_at() || sla::IsLate(clock, now)));
  (*seen)["elapsed"] = Show(!duty && unfinished && over);
  (*seen)["remaining"] = clock.has_remaining() ? FormatSpan(FromProto(clock.remaining())) : "none";
  (*seen)["used"] = clock.has_elapsed() ? FormatSpan(FromProto(clock.elapsed())) : "none";
}

Seen SeeNames(const v1::Clock& clock) {
  return {{"metric", clock.metric()},
          {"obligation", v1::Obligation_Name(clock.obligation())},
          {"cycle", absl::StrCat(clock.cycle())}};
}

Seen NamesOf(const v1::Case& state, uint32_t clock_no) {
  for (const v1::Clock& clock : state.clocks()) {
    if (clock.clock_no() == clock_no) return SeeNames(clock);
  }
  return {};
}

Seen SeeWarning(const v1::Event& event, const v1::Case& state, absl::TimeZone zone) {
  const v1::WarningReached& reached = event.warning_reached();
  Seen seen = NamesOf(state, reached.clock_no());
  seen["at"] = FormatInstant(FromProto(reached.scheduled_for()), zone);
  for (const v1::Clock& clock : state.clocks()) {
    if (clock.clock_no() != reached.clock_no() || reached.warning() >= clock.warnings_size()) continue;
    const v1::Warning& warning = clock.warnings(reached.warning());
    seen["permille"] = absl::StrCat(warning.permille());
    seen["before"] = warning.has_before() ? FormatSpan(FromProto(warning.before())) : "none";
  }
  return seen;
}

Seen SeeBreach(const v1::Event& event, const v1::Case& state, absl::TimeZone zone) {
  const v1::ClockBreached& breach = event.clock_breached();
  Seen seen = NamesOf(state, breach.clock_no());
  seen["due"] = FormatInstant(FromProto(breach.due_at()), zone);
  seen["cause"] = breach.cause();
  seen["department"] = breach.department();
  return seen;
}

Seen SeeEscalation(const v1::Event& event, const v1::Case& state, absl::TimeZone zone) {
  const v1::EscalationRaised& raised = event.escalation_raised();
  const Seen names = NamesOf(state, raised.clock_no());
  return {{"level", absl::StrCat(raised.level())},
          {"kind", v1::EscalationKind_Name(raised.kind())},
          {"target", absl::StrJoin(raised.targets(), ", ")},
          {"basis", raised.target_basis()},
          {"ladder", raised.ladder().id()},
          {"metric", names.empty() ? "" : names.at("metric")},
          {"department", raised.department()},
          {"at", FormatInstant(FromProto(event.occurred_at()), zone)},
          {"ack_due", Show(raised.has_ack_due_at(), raised.ack_due_at(), zone)}};
}

}  // namespace

absl::Span<const Field> ClockFields() { return kClock; }
absl::Span<const Field> WarningFields() { return kWarning; }
absl::Span<const Field> BreachFields() { return kBreach; }
absl::Span<const Field> EscalationFields() { return kEscalation; }

std::string FormatSpan(absl::Duration span) { return absl::FormatDuration(span); }

Seen SeeClock(const v1::Clock& clock, absl::Time now, absl::TimeZone zone) {
  Seen seen = SeeNames(clock);
  seen["policy"] = clock.policy().id();
  seen["calendar"] = clock.calendar().id();
  seen["nature"] = v1::MetricNature_Name(clock.nature());
  seen["target"] = sla::FormatTarget(clock.target());
  seen["answerable"] = clock.answerable();
  seen["state"] = v1::ClockState_Name(clock.state());
  seen["start"] = Show(clock.has_start_at(), clock.start_at(), zone);
  seen["first_due"] = Show(clock.has_first_due_at(), clock.first_due_at(), zone);
  seen["due"] = Show(clock.has_due_at(), clock.due_at(), zone);
  seen["stopped"] = Show(clock.has_stopped_at(), clock.stopped_at(), zone);
  seen["provisional"] = Show(clock.provisional());
  seen["extensions"] = absl::StrJoin(clock.extensions(), ", ");
  seen["cause"] = CauseOf(clock);
  SeeStanding(clock, now, &seen);
  seen["warnings"] = absl::StrJoin(clock.warnings(), ", ", [&](std::string* out, const v1::Warning& warning) {
    absl::StrAppend(out, Show(warning.has_at(), warning.at(), zone));
  });
  return seen;
}

std::string ClockLine(const Seen& clock) {
  std::string line = absl::StrCat(clock.at("metric"), " ", clock.at("obligation"), " ", clock.at("state"));
  if (clock.at("cycle") != "1") absl::StrAppend(&line, " cycle ", clock.at("cycle"));
  absl::StrAppend(&line, " due ", clock.at("due"));
  if (clock.at("stopped") != "none") absl::StrAppend(&line, " stopped ", clock.at("stopped"));
  for (const char* word : {"met", "late", "elapsed"}) {
    if (clock.at(word) == "true") absl::StrAppend(&line, " ", word);
  }
  if (!clock.at("cause").empty()) absl::StrAppend(&line, " ", clock.at("cause"));
  return line;
}

Happened SeeEvents(absl::Span<const v1::Event> events, const v1::Case& state, absl::TimeZone zone) {
  Happened happened;
  for (const v1::Event& event : events) {
    if (event.has_warning_reached()) happened.warnings.push_back(SeeWarning(event, state, zone));
    if (event.has_clock_breached()) happened.breaches.push_back(SeeBreach(event, state, zone));
    if (event.has_escalation_raised()) happened.escalations.push_back(SeeEscalation(event, state, zone));
  }
  return happened;
}

}  // namespace docket::policytest
