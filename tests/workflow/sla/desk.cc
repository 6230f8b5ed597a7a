#include "tests/workflow/sla/desk.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"
#include "workflow/case/communication.h"
#include "workflow/case/replay.h"
#include "workflow/sla/clock_decisions.h"
#include "workflow/sla/clock_math.h"
#include "workflow/sla/clock_rules.h"
#include "workflow/sla/target.h"

namespace docket::sla::testing {
namespace {

constexpr char kLondon[] = "Europe/London";

v1::Target Parse(const std::string& text) {
  auto target = ParseTarget(text);
  DOCKET_CHECK(target.ok());
  return *target;
}

// "Wed 18 17:00", with seconds where there are any.
std::string Short(const google::protobuf::Timestamp& at) {
  const bool whole_minute = at.seconds() % 60 == 0 && at.nanos() == 0;
  return absl::FormatTime(whole_minute ? "%a %d %H:%M" : "%a %d %H:%M:%E*S", FromProto(at), Zone(kLondon));
}

template <class Message>
std::string Due(const Message& message) {
  return message.has_due_at() ? absl::StrCat(" due ", Short(message.due_at())) : " no due";
}

std::string Span(const google::protobuf::Duration& span) { return absl::FormatDuration(FromProto(span)); }

std::string Detail(const v1::Event& event) {
  switch (event.body_case()) {
    case v1::Event::kClockAttached: {
      const v1::ClockAttached& it = event.clock_attached();
      return absl::StrCat(
          "attached", it.cycle() > 1 ? absl::StrCat(" cycle ", it.cycle()) : "", Due(it),
          it.has_paused() ? absl::StrCat(", paused since ", Short(it.paused().since()), Due(it.paused())) : "");
    }
    case v1::Event::kClockRetargeted: {
      const v1::ClockRetargeted& it = event.clock_retargeted();
      return absl::StrCat("retargeted ", it.cause(), " ", FormatTarget(it.old_target()), " to ",
                          FormatTarget(it.target()), Due(it),
                          it.has_remaining() ? absl::StrCat(" remaining ", Span(it.remaining())) : "");
    }
    case v1::Event::kClockPaused:
      return absl::StrCat("paused since ", Short(event.clock_paused().since()), Due(event.clock_paused()),
                          " remaining ", Span(event.clock_paused().remaining()));
    case v1::Event::kClockResumed:
      return absl::StrCat("resumed, paused until ", Short(event.clock_resumed().paused_until()),
                          Due(event.clock_resumed()));
    case v1::Event::kWarningReached:
      return absl::StrCat("warning ", event.warning_reached().warning(), " of ",
                          Short(event.warning_reached().scheduled_for()));
    case v1::Event::kClockBreached:
      return absl::StrCat("breached ", event.clock_breached().cause(), Due(event.clock_breached()));
    case v1::Event::kClockFulfilled:
      return absl::StrCat("fulfilled ", event.clock_fulfilled().on_time() ? "on time" : "late", " after ",
                          Span(event.clock_fulfilled().elapsed()));
    case v1::Event::kClockCancelled:
      return absl::StrCat("cancelled ", event.clock_cancelled().cause());
    case v1::Event::kClockReopened:
      return absl::StrCat("reopened ", event.clock_reopened().mode(), Due(event.clock_reopened()));
    case v1::Event::kClockExtended:
      return absl::StrCat("extended ", event.clock_extended().ground(), Due(event.clock_extended()));
    case v1::Event::kClockExempted:
      return absl::StrCat("exempted ", event.clock_exempted().cause());
    case v1::Event::kBreachAnnulled:
      return absl::StrCat("annulled ", event.breach_annulled().cause());
    default:
      return "?";
  }
}

uint32_t ClockNoIn(const v1::Event& event, const v1::Case& state) {
  if (event.has_clock_attached()) return state.clocks(state.clocks_size() - 1).clock_no();
  const google::protobuf::Reflection* reflection = event.GetReflection();
  const auto* field = reflection->GetOneofFieldDescriptor(event, v1::Event::descriptor()->FindOneofByName("body"));
  const google::protobuf::Message& body = reflection->GetMessage(event, field);
  return body.GetReflection()->GetUInt32(body, body.GetDescriptor()->FindFieldByName("clock_no"));
}

}  // namespace

v1::Condition Fact(const std::string& fact, v1::Condition::Operator op, const std::vector<std::string>& values) {
  v1::Condition condition;
  condition.mutable_comparison()->set_fact(fact);
  condition.mutable_comparison()->set_op(op);
  for (const std::string& value : values) condition.mutable_comparison()->add_values(value);
  return condition;
}
v1::Condition Is(const std::string& fact, const std::string& value) { return Fact(fact, v1::Condition::EQ, {value}); }
v1::Condition All(const std::vector<v1::Condition>& conditions) {
  v1::Condition all;
  all.mutable_all();
  for (const v1::Condition& condition : conditions) *all.mutable_all()->add_of() = condition;
  return all;
}
v1::MetricRule::Trigger On(const std::string& event, const std::vector<v1::Condition>& where) {
  v1::MetricRule::Trigger trigger;
  trigger.set_event(event);
  if (!where.empty()) *trigger.mutable_where() = All(where);
  return trigger;
}

v1::MetricRule Metric(const std::string& name, v1::MetricRule::Trigger start, v1::MetricRule::Trigger stop,
                      const std::string& target) {
  v1::MetricRule rule;
  rule.set_metric(name);
  rule.set_nature(v1::DUTY);
  *rule.mutable_start() = std::move(start);
  *rule.add_stop() = std::move(stop);
  if (!target.empty()) *rule.add_targets()->mutable_target() = Parse(target);
  return rule;
}

void AddChoice(v1::MetricRule* rule, const v1::Condition& when, const std::string& target,
               const std::string& calendar) {
  v1::MetricRule::Choice* choice = rule->add_targets();
  *choice->mutable_when() = when;
  *choice->mutable_target() = Parse(target);
  choice->set_calendar(calendar);
}

v1::SlaPolicy Policy(const std::string& id, v1::Obligation obligation, int order, const std::string& calendar,
                     const std::vector<v1::MetricRule>& metrics) {
  v1::SlaPolicy policy;
  policy.set_id(id);
  policy.set_obligation(obligation);
  policy.set_order(order);
  policy.set_calendar(calendar);
  for (const v1::MetricRule& metric : metrics) *policy.add_metrics() = metric;
  return policy;
}

v1::SlaPolicy StandardPolicy() {
  const auto answered = On("outbound_sent", {Is("event.human", "true"), Is("event.public_message", "true")});
  v1::MetricRule first = Metric("FIRST_RESPONSE", On("case_received"), answered, "4h");
  v1::MetricRule next = Metric(
      "NEXT_RESPONSE", On("inbound_received", {Is("event.from_requester", "true"), Is("case.responded", "true")}),
      answered, "2h");
  next.set_start_at("occurred_at");
  next.set_answerable("HANDLER");
  *next.add_cancel() = On("status_changed", {Fact("case.category", v1::Condition::IN, {"RESOLVED", "CLOSED"})});
  *next.add_cancel() = On("no_reply_needed_marked", {Is("case.unanswered_messages", "0")});
  v1::MetricRule resolution =
      Metric("RESOLUTION", On("case_received"), On("status_changed", {Is("case.category", "RESOLVED")}), "");
  AddChoice(&resolution, Is("case.priority", "1"), "4h");
  AddChoice(&resolution, Is("case.priority", "2"), "8h");
  AddChoice(&resolution, All({}), "24h");
  *resolution.add_cancel() = On("status_changed", {Is("case.category", "CLOSED")});
  resolution.set_pausable(true);
  resolution.set_reopens(true);
  for (uint32_t permille : {500, 750, 900, 1000}) resolution.add_warnings_permille(permille);
  return Policy("standard", v1::CUSTOMER, 100, "london", {first, next, resolution});
}

v1::StatusEntered Entered(const std::string& status) {
  v1::StatusEntered entered;
  entered.set_status(status);
  entered.set_active(true);
  entered.set_category(v1::OPEN);
  if (status == "WAITING" || status == "WAITING_OTHER" || status == "WAITING_INSIDE") {
    entered.set_category(v1::WAITING);
    if (status != "WAITING_INSIDE") entered.add_pauses("RESOLUTION");
  } else if (status == "RESOLVED") {
    entered.set_category(v1::RESOLVED);
  } else if (status == "CLOSED" || status == "VOIDED") {
    entered.set_category(v1::CLOSED);
    entered.set_active(false);
    if (status == "VOIDED") entered.set_closure_code("VOIDED");
  }
  return entered;
}

Desk::Desk() : policies_(std::make_shared<policy::PolicySet>()) { Publish("london", London()); }

void Desk::Publish(v1::PolicyKind kind, const std::string& id, const v1::CompiledPolicy& compiled,
                   absl::Time effective_from) {
  auto newest = policies_->Get(kind, id, 0);
  v1::Event event;
  v1::PolicyPublished* published = event.mutable_policy_published();
  published->set_kind(kind);
  published->set_id(id);
  published->set_version(newest.ok() ? newest->pin.version() + 1 : 1);
  *published->mutable_effective_from() = docket::ToProto(effective_from);
  *published->mutable_compiled() = compiled;
  auto next = policies_->With(event, ++position_, effective_from, "tester");
  ASSERT_TRUE(next.ok()) << next.status();
  policies_ = *next;
}

void Desk::Publish(const v1::SlaPolicy& policy, absl::Time effective_from) {
  v1::CompiledPolicy compiled;
  *compiled.mutable_sla() = policy;
  Publish(v1::SLA, policy.id(), compiled, effective_from);
}

void Desk::Publish(const std::string& id, const CalendarSpec& spec, absl::Time effective_from) {
  v1::CompiledPolicy compiled;
  *compiled.mutable_calendar() = Compiled(spec);
  Publish(v1::CALENDAR, id, compiled, effective_from);
}

// As the commands fill them.
void Desk::Complete(v1::Event* event) const {
  if (event->has_case_received()) {
    v1::CaseReceived* received = event->mutable_case_received();
    if (!received->has_received_at()) *received->mutable_received_at() = event->occurred_at();
    if (received->priority() == 0) received->set_priority(state_.priority());
  }
  if (event->has_status_changed()) {
    event->mutable_status_changed()->set_from(state_.status().status());
    event->mutable_status_changed()->set_from_category(state_.status().category());
  }
  if (event->has_outbound_sent()) CompleteOutbound(event);
  if (event->has_delivery_reported()) {
    v1::ReportDelivery report;
    report.set_outbound_revision(event->delivery_reported().outbound_revision());
    report.set_outcome(event->delivery_reported().outcome());
    *event->mutable_delivery_reported() = workflow::DeliveryOf(state_, report);
  }
}

// An answer answers what had been asked by then.
void Desk::CompleteOutbound(v1::Event* event) const {
  v1::OutboundSent* sent = event->mutable_outbound_sent();
  if (!sent->human() || !sent->public_message()) return;
  for (int i = 0; i < state_.unanswered_inbound_size(); ++i) {
    if (FromProto(state_.unanswered_since(i)) > FromProto(event->occurred_at())) continue;
    sent->add_answers(state_.unanswered_inbound(i));
    *sent->add_answers_since() = state_.unanswered_since(i);
  }
}

uint32_t Desk::Draft(const google::protobuf::Timestamp& at) {
  v1::Event drafted;
  *drafted.mutable_occurred_at() = at;
  drafted.mutable_decision_drafted()->set_kind(v1::FINAL);
  Fold(drafted);
  return state_.revision();
}

void Desk::Fold(const v1::Event& event) {
  const absl::Status status = workflow::Apply(event, &state_);
  ASSERT_TRUE(status.ok()) << status << "\n" << event.DebugString();
}

void Desk::FoldClock(const v1::Event& event, std::vector<std::string>* lines) {
  ASSERT_NO_FATAL_FAILURE(Fold(event));
  log_.emplace_back(state_.revision(), event);
  std::string metric;
  for (const v1::Clock& clock : state_.clocks()) {
    if (clock.clock_no() == ClockNoIn(event, state_)) metric = clock.metric();
  }
  lines->push_back(absl::StrCat(metric, " ", Detail(event)));
  CheckInvariants();
}

void Desk::CheckInvariants() const {
  std::set<std::pair<std::string, int>> running;
  for (const v1::Clock& clock : state_.clocks()) {
    if (Unfinished(clock)) {
      // A cycle whose answer bounced runs again beside the one that began meanwhile, also until an answer that has
      // arrived after all is entered.
      const bool again = clock.reopen_cause() == "UNDELIVERED" || clock.reopen_cause() == "DELIVERED";
      EXPECT_TRUE(again || running.emplace(clock.metric(), clock.obligation()).second)
          << clock.metric() << " runs twice";
    }
    EXPECT_EQ(clock.has_breached_due_at(), !clock.breach_cause().empty());
    if (clock.state() == v1::FULFILLED) {
      EXPECT_FALSE(clock.on_time() && clock.has_breached_due_at()) << clock.metric() << " is met and breached";
      EXPECT_TRUE(clock.on_time() || clock.has_breached_due_at() || clock.nature() == v1::WINDOW)
          << clock.metric() << " is late without a breach";
    }
    EXPECT_FALSE(clock.obligation() == v1::REGULATOR && !clock.pauses().empty()) << "a regulator's clock paused";
    // The due on record is the one its own intervals make, however it came about.
    if (clock.obligation() != v1::REGULATOR && Unfinished(clock)) {
      const auto calendar = policies_->Calendar(clock.calendar());
      ASSERT_NE(calendar, nullptr);
      const Base base = BaseOf(clock);
      const docket::sla::Due due =
          ComputeDue(*calendar, base.at, clock.target(), PausesOf(clock), PromisedDue(state_), base.used);
      EXPECT_EQ(due.at, DueAt(clock)) << clock.ShortDebugString();
    }
  }
}

void Desk::AdvanceTo(absl::Time at, std::vector<std::string>* lines) {
  if (state_.revision() == 0) return;
  for (int i = 0; i < 100; ++i) {
    const ClockMoment moment = NextClockMoment(state_);
    if (moment.true_from > at) return;
    FoldClock(moment.event, lines);
  }
  ADD_FAILURE() << "time does not come to rest";
}

std::vector<std::string> Desk::Advance(const std::string& at) { return Advance(At(kLondon, at)); }

std::vector<std::string> Desk::Advance(absl::Time at) {
  std::vector<std::string> lines;
  AdvanceTo(at, &lines);
  return lines;
}

std::vector<std::string> Desk::Do(const std::string& at, v1::Event event) {
  return Do(At(kLondon, at), std::move(event));
}

std::vector<std::string> Desk::Do(absl::Time at, v1::Event event) {
  std::vector<std::string> lines = Advance(at);
  if (!event.has_occurred_at()) *event.mutable_occurred_at() = docket::ToProto(at);
  if (event.has_decision_issued()) event.mutable_decision_issued()->set_draft_revision(Draft(event.occurred_at()));
  Complete(&event);
  const v1::Case before = state_;
  Fold(event);
  return FoldAll(ClockConsequences(before, state_, event, *policies_, {.in_force = at, .actor = "clerk"}),
                 std::move(lines));
}

std::vector<std::string> Desk::Extend(absl::Time at, uint32_t clock_no, const v1::Target& target) {
  std::vector<std::string> lines = Advance(at);
  v1::MetricRule::Extension extension;
  extension.set_ground("COMPLEX");
  *extension.mutable_target() = target;
  return FoldAll(ExtendClock(state_, clock_no, extension, 0, at, *policies_, {.in_force = at, .actor = "clerk"}),
                 std::move(lines));
}

std::vector<std::string> Desk::Exempt(absl::Time at, uint32_t clock_no) {
  return FoldAll(ExemptClock(state_, clock_no, "MANUAL", "", at, *policies_, {.in_force = at, .actor = "clerk"}),
                 Advance(at));
}

std::vector<std::string> Desk::FoldAll(const absl::StatusOr<std::vector<v1::Event>>& events,
                                       std::vector<std::string> lines) {
  if (!events.ok()) {
    lines.push_back(std::string(events.status().message()));
    return lines;
  }
  for (const v1::Event& event : *events) FoldClock(event, &lines);
  return lines;
}

std::vector<std::string> Desk::Receive(const std::string& at, v1::CaseReceived received) {
  if (!received.has_entered()) *received.mutable_entered() = Entered("OPEN");
  v1::Event event;
  *event.mutable_case_received() = std::move(received);
  return Do(at, std::move(event));
}

std::vector<std::string> Desk::Move(const std::string& at, const std::string& status, const v1::Wait& wait) {
  v1::Event event;
  event.mutable_status_changed()->set_from(state_.status().status());
  *event.mutable_status_changed()->mutable_entered() = Entered(status);
  if (wait.ByteSizeLong() > 0) *event.mutable_status_changed()->mutable_wait() = wait;
  return Do(at, std::move(event));
}

std::vector<std::string> Desk::Wait(const std::string& at, const std::string& status, const std::string& until) {
  v1::Wait wait;
  wait.set_on(v1::THIRD_PARTY);
  *wait.mutable_since() = docket::ToProto(At(kLondon, at));
  if (!until.empty()) *wait.mutable_until() = docket::ToProto(At(kLondon, until));
  return Move(at, status, wait);
}

std::vector<std::string> Desk::Reopen(const std::string& at, v1::ReopenReason reason) {
  v1::Event event;
  event.mutable_case_reopened()->set_reopen_no(state_.reopen_count() + 1);
  event.mutable_case_reopened()->set_reason(reason);
  std::vector<std::string> lines = Do(at, std::move(event));
  for (std::string& line : Move(at, "OPEN")) lines.push_back(std::move(line));
  return lines;
}

std::vector<std::string> Desk::Prioritise(const std::string& at, uint32_t priority) {
  v1::Event event;
  event.mutable_priority_set()->set_priority(priority);
  return Do(at, std::move(event));
}

std::vector<std::string> Desk::Promise(const std::string& at, const std::string& due) {
  v1::Event event;
  event.mutable_promised_due_set();
  if (!due.empty()) *event.mutable_promised_due_set()->mutable_due_at() = docket::ToProto(At(kLondon, due));
  return Do(at, std::move(event));
}

std::vector<std::string> Desk::Send(const std::string& at, bool human, bool public_message, v1::OutboundKind kind) {
  v1::Event event;
  event.mutable_outbound_sent()->set_human(human);
  event.mutable_outbound_sent()->set_public_message(public_message);
  event.mutable_outbound_sent()->set_kind(kind);
  return Do(at, std::move(event));
}

std::vector<std::string> Desk::Hear(const std::string& at) {
  v1::Event event;
  event.mutable_inbound_received()->set_from_requester(true);
  event.mutable_inbound_received()->set_public_message(true);
  return Do(at, std::move(event));
}

const v1::Clock& Desk::Clock(absl::string_view metric) const {
  for (int i = state_.clocks_size() - 1; i >= 0; --i) {
    if (state_.clocks(i).metric() == metric) return state_.clocks(i);
  }
  DOCKET_CHECK(false);
  return state_.clocks(0);
}

std::string Desk::Standing(absl::string_view metric, const std::string& at) const {
  const v1::Clock& clock = Clock(metric);
  std::string text = IsLate(clock, At(kLondon, at)) ? "LATE " : "";
  absl::StrAppend(&text, v1::ClockState_Name(clock.state()));
  if (Unfinished(clock)) return absl::StrCat(text, Due(clock));
  return clock.state() == v1::FULFILLED ? absl::StrCat(text, clock.on_time() ? " on time" : " late") : text;
}

}  // namespace docket::sla::testing
