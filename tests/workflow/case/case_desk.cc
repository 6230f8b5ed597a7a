#include "tests/workflow/case/case_desk.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/text_format.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"
#include "workflow/base/check.h"
#include "workflow/base/refusal.h"
#include "workflow/base/time.h"
#include "workflow/case/advance.h"
#include "workflow/case/case_number.h"
#include "workflow/case/decide.h"
#include "workflow/case/replay.h"
#include "workflow/policy/pack.h"

namespace docket::workflow::testing {
namespace {

constexpr char kFailureType[] = "type.googleapis.com/google.rpc.PreconditionFailure";
constexpr char kCaseId[] = "01936f00-0000-7000-8000-000000000001";

std::string ReadPack(absl::string_view name) {
  std::ifstream file(absl::StrCat("workflow/policy/packs/", name));
  DOCKET_CHECK(file.good());
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

// References to texts that nobody keeps.
class CountingSealer : public Sealer {
 public:
  v1::SealedText Seal(absl::string_view subject_id, absl::string_view text) override {
    v1::SealedText sealed;
    sealed.set_subject_id(std::string(subject_id));
    sealed.set_n(count_++);
    sealed.set_length(static_cast<uint32_t>(text.size()));
    return sealed;
  }

 private:
  uint32_t count_ = 0;
};

google::rpc::PreconditionFailure FailureOf(const absl::Status& refusal) {
  google::rpc::PreconditionFailure failure;
  if (const auto payload = refusal.GetPayload(kFailureType); payload.has_value()) {
    const bool parsed = failure.ParseFromString(std::string(*payload));
    DOCKET_CHECK(parsed);
  }
  return failure;
}

}  // namespace

absl::Time At(absl::string_view london) {
  static const auto& zone = *new absl::TimeZone([] {
    absl::TimeZone found;
    DOCKET_CHECK(absl::LoadTimeZone("Europe/London", &found));
    return found;
  }());
  absl::Time time;
  std::string error;
  const bool parsed = absl::ParseTime("%Y-%m-%d %H:%M:%E*S", london, zone, &time, &error) ||
                      absl::ParseTime("%Y-%m-%d %H:%M", london, zone, &time, &error);
  DOCKET_CHECK(parsed);
  return time;
}

std::shared_ptr<const policy::PolicySet> With(const std::shared_ptr<const policy::PolicySet>& policies,
                                              absl::string_view yaml) {
  const policy::Pack pack = policy::ParsePack(yaml, *policies, At("2026-11-18 09:00"));
  for (const policy::Finding& finding : pack.findings) ADD_FAILURE() << finding.line << ": " << finding.message;
  std::shared_ptr<const policy::PolicySet> set = policies;
  uint64_t position = 1;
  for (const auto& listed : policies->List(v1::POLICY_KIND_UNSPECIFIED))
    position = std::max(position, listed.pin.position() + 1);
  for (const v1::Event& event : policy::PublicationsOf(pack, *policies)) {
    auto next = set->With(event, position++, At("2026-11-18 08:00"), "mei.tan");
    DOCKET_CHECK(next.ok());
    set = *std::move(next);
  }
  return set;
}

std::shared_ptr<const policy::PolicySet> ShippedPolicies() {
  static const auto& shipped = *new std::shared_ptr<const policy::PolicySet>([] {
    std::shared_ptr<const policy::PolicySet> set = std::make_shared<policy::PolicySet>();
    for (const char* name : {"directory-sample.yaml", "calendar-always.yaml", "calendar-london.yaml",
                             "priority-matrix.yaml", "sla-standard.yaml", "complaint-iso10002.yaml",
                             "ticket-basic.yaml", "ladder-standard.yaml", "servicenow-incident.yaml"}) {
      set = With(set, ReadPack(name));
    }
    return set;
  }());
  return shipped;
}

CaseDesk::CaseDesk() : CaseDesk(ShippedPolicies()) {}

CaseDesk::CaseDesk(std::shared_ptr<const policy::PolicySet> policies)
    : policies_(std::move(policies)), now_(At("2026-11-18 09:00")) {
  state_.set_case_id(kCaseId);
}

absl::StatusOr<std::vector<v1::Event>> CaseDesk::Would(absl::string_view text, const Given& given,
                                                       v1::Case* after) const {
  v1::Command command;
  const bool parsed = google::protobuf::TextFormat::ParseFromString(std::string(text), &command);
  DOCKET_CHECK(parsed);
  DOCKET_ASSIGN_OR_RETURN(const absl::Time effective,
                          EffectiveTime(state_, command, given.occurred_at, given.evidence, now_));
  v1::Actor actor;
  actor.set_principal_id(given.principal);
  if (const v1::Principal* principal = policies_->Principal(given.principal); principal != nullptr) {
    actor.set_department_id(principal->department());
  }
  CountingSealer sealer;
  DecideContext context;
  context.now = now_;
  context.effective = effective;
  context.actor = &actor;
  context.policies = policies_.get();
  context.sealer = &sealer;
  context.approver = given.approver;
  if (given.evidence) context.evidence_ref = "call-record-17";
  context.new_case_id = state_.case_id();
  context.next_case_no = [](absl::string_view prefix, int year) {
    return FormatCaseNumber({std::string(prefix), static_cast<uint32_t>(year), 1});
  };
  return Decide(state_, command, context, after);
}

absl::StatusOr<std::vector<v1::Event>> CaseDesk::Do(absl::string_view command, const Given& given) {
  v1::Case after;
  auto events = Would(command, given, &after);
  if (!events.ok()) return events;
  // The state given back must be the one that the events make.
  v1::Case folded = state_;
  for (const v1::Event& event : *events) {
    const auto decoded = DecodeEvent(EncodeEvent(event));
    DOCKET_CHECK(decoded.ok());
    const absl::Status applied = Apply(*decoded, &folded);
    EXPECT_TRUE(applied.ok()) << applied;
  }
  EXPECT_EQ(folded.SerializeAsString(), after.SerializeAsString()) << command;
  state_ = std::move(after);
  events_.insert(events_.end(), events->begin(), events->end());
  return events;
}

std::string CaseDesk::Must(absl::string_view command, const Given& given) {
  const auto events = Do(command, given);
  EXPECT_TRUE(events.ok()) << command << ": " << events.status();
  return events.ok() ? Story(*events) : "";
}

void CaseDesk::MoveTo(absl::Time now, bool timers) {
  const absl::Time to = now;
  while (timers && state_.revision() > 0) {
    const absl::Time next = workflow::NextMoment(state_);
    if (next > to) break;
    now_ = std::max(now_, next);
    const auto events = Do("advance {}");
    DOCKET_CHECK(events.ok());
  }
  now_ = to;
}

const v1::Clock& CaseDesk::clock(absl::string_view metric) const {
  const v1::Clock* newest = nullptr;
  for (const v1::Clock& one : state_.clocks()) {
    if (one.metric() == metric) newest = &one;
  }
  DOCKET_CHECK(newest != nullptr);
  return *newest;
}

std::string Story(const std::vector<v1::Event>& events) {
  return absl::StrJoin(events, " ", [](std::string* out, const v1::Event& event) {
    absl::StrAppend(out, EventTypeName(event.body_case()));
  });
}

std::vector<std::string> UnmetOf(const absl::Status& refusal) {
  std::vector<std::string> reasons;
  const google::rpc::PreconditionFailure failure = FailureOf(refusal);
  for (const auto& one : failure.violations()) reasons.push_back(one.type());
  return reasons;
}

std::vector<std::string> MetBy(const absl::Status& refusal) {
  std::vector<std::string> commands;
  const google::rpc::PreconditionFailure failure = FailureOf(refusal);
  for (const auto& one : failure.violations()) {
    const size_t begin = one.description().rfind("(met by: ");
    commands.push_back(
        begin == std::string::npos ? "" : one.description().substr(begin + 9, one.description().size() - begin - 10));
  }
  return commands;
}

std::string Told(const absl::StatusOr<std::vector<v1::Event>>& outcome) {
  if (outcome.ok()) return absl::StrCat("ok: ", Story(*outcome));
  const std::vector<std::string> unmet = UnmetOf(outcome.status());
  const std::string reason = ReasonOf(outcome.status());
  if (unmet.empty() || (unmet.size() == 1 && unmet[0] == reason)) return reason;
  return absl::StrCat(reason, ": ", absl::StrJoin(unmet, " "));
}

}  // namespace docket::workflow::testing
