#include "workflow/sla/policy_match.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "workflow/base/time.h"
#include "workflow/policy/condition.h"

namespace docket::sla {
namespace {

bool IsAlways(absl::string_view id) { return id.empty() || id == "ALWAYS"; }

std::shared_ptr<const WorkingCalendar> RoundTheClock() {
  static const auto* const calendar = new std::shared_ptr<const WorkingCalendar>(WorkingCalendar::Always());
  return *calendar;
}

}  // namespace

EventBody BodyOf(const v1::Event& event) {
  static const google::protobuf::OneofDescriptor* const body = v1::Event::descriptor()->FindOneofByName("body");
  const google::protobuf::Reflection* reflection = event.GetReflection();
  const google::protobuf::FieldDescriptor* field = reflection->GetOneofFieldDescriptor(event, body);
  if (field == nullptr) return {};
  return {field->name(), &reflection->GetMessage(event, field)};
}

bool Fires(const v1::MetricRule::Trigger& trigger, const EventBody& event, const v1::CaseFacts& facts) {
  if (event.message == nullptr || trigger.event() != event.name) return false;
  return policy::Evaluate(trigger.where(), {.case_facts = &facts, .command = nullptr, .event = event.message});
}

bool AnyFires(const google::protobuf::RepeatedPtrField<v1::MetricRule::Trigger>& triggers, const EventBody& event,
              const v1::CaseFacts& facts) {
  return std::any_of(triggers.begin(), triggers.end(),
                     [&](const v1::MetricRule::Trigger& trigger) { return Fires(trigger, event, facts); });
}

std::vector<Candidate> Candidates(const policy::PolicySet& policies, v1::Obligation obligation, absl::Time at) {
  std::vector<Candidate> candidates;
  for (const policy::Published<v1::SlaPolicy>* published : policies.SlaPolicies(at)) {
    if (published->value->obligation() != obligation) continue;
    candidates.push_back({published->pin, published->value.get()});
  }
  return candidates;
}

absl::StatusOr<std::vector<Candidate>> CandidatesFor(const policy::PolicySet& policies, const v1::Clock& clock,
                                                     absl::Time at) {
  const v1::SlaPolicy* pinned = policies.Sla(clock.policy());
  if (pinned == nullptr) {
    return absl::InternalError(absl::StrCat("clock ", clock.clock_no(), ": policy ", clock.policy().id(), "@",
                                            clock.policy().version(), " is not known"));
  }
  std::vector<Candidate> candidates = Candidates(policies, clock.obligation(), at);
  candidates.erase(std::remove_if(candidates.begin(), candidates.end(),
                                  [&](const Candidate& one) { return one.pin.id() == clock.policy().id(); }),
                   candidates.end());
  candidates.push_back({clock.policy(), pinned});
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::forward_as_tuple(a.policy->order(), a.pin.id()) < std::forward_as_tuple(b.policy->order(), b.pin.id());
  });
  return candidates;
}

const Candidate* FirstMatch(const std::vector<Candidate>& candidates, const v1::CaseFacts& facts) {
  for (const Candidate& candidate : candidates) {
    if (policy::Evaluate(candidate.policy->when(), {.case_facts = &facts})) return &candidate;
  }
  return nullptr;
}

const v1::MetricRule* RuleOf(const v1::SlaPolicy& policy, absl::string_view metric) {
  for (const v1::MetricRule& rule : policy.metrics()) {
    if (rule.metric() == metric) return &rule;
  }
  return nullptr;
}

const v1::MetricRule::Choice* ChoiceOf(const v1::MetricRule& rule, const v1::CaseFacts& facts) {
  for (const v1::MetricRule::Choice& choice : rule.targets()) {
    const bool has_instant = choice.target().unit() != v1::Target::FIXED || facts.has_promised_due();
    if (has_instant && policy::Evaluate(choice.when(), {.case_facts = &facts})) return &choice;
  }
  return nullptr;
}

absl::StatusOr<NamedCalendar> CalendarAt(const policy::PolicySet& policies, const std::string& id, absl::Time at) {
  const policy::Published<WorkingCalendar>* published = policies.CalendarNamed(id, at);
  if (published != nullptr) return NamedCalendar{published->pin, published->value};
  if (!IsAlways(id)) {
    return absl::FailedPreconditionError(
        absl::StrCat("calendar ", id, ": no version is effective at ", FormatUtc(at), "; publish one"));
  }
  NamedCalendar named;
  named.pin.set_id("ALWAYS");
  named.calendar = RoundTheClock();
  return named;
}

absl::StatusOr<std::shared_ptr<const WorkingCalendar>> PinnedCalendar(const policy::PolicySet& policies,
                                                                      const v1::PolicyPin& pin) {
  std::shared_ptr<const WorkingCalendar> calendar = policies.Calendar(pin);
  if (calendar == nullptr && IsAlways(pin.id()) && pin.version() == 0) calendar = RoundTheClock();
  if (calendar == nullptr) {
    return absl::InternalError(absl::StrCat("calendar ", pin.id(), "@", pin.version(), " is not known"));
  }
  return calendar;
}

const std::string& CalendarNameOf(const v1::SlaPolicy& policy, const v1::MetricRule::Choice& choice) {
  return choice.calendar().empty() ? policy.calendar() : choice.calendar();
}

Terms TermsOf(const v1::MetricRule& rule, const v1::MetricRule::Choice& choice, const WorkingCalendar& calendar,
              absl::Time promised) {
  Terms terms{.target = choice.target(), .calendar = &calendar, .promised = promised};
  terms.permille.assign(rule.warnings_permille().begin(), rule.warnings_permille().end());
  for (const google::protobuf::Duration& before : rule.warnings_before()) terms.before.push_back(FromProto(before));
  return terms;
}

std::string AnsweringDepartment(absl::string_view rule, uint32_t item, const v1::Case& state) {
  if (rule == "RECEIVER" && state.has_transfer()) return state.transfer().to_department();
  if (rule == "ITEM") {
    for (const v1::OwedItem& one : state.items()) {
      if (one.item_no() != item) continue;
      return one.state() == v1::OwedItem::RETURNED ? one.asked_by_department() : one.department();
    }
  }
  const bool handler = rule == "HANDLER";
  if (handler && !state.owner_department().empty()) return state.owner_department();
  if ((handler || rule == "QUEUE") && !state.queue_department().empty()) return state.queue_department();
  return state.department();
}

}  // namespace docket::sla
