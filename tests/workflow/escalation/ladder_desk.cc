#include "tests/workflow/escalation/ladder_desk.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "workflow/base/check.h"
#include "workflow/base/time.h"

namespace docket::escalation::testing {
namespace {

using workflow::testing::At;
using workflow::testing::CaseDesk;

std::string Show(const google::protobuf::Timestamp& time) {
  // London, so that a test reads like the working day.
  absl::TimeZone london;
  DOCKET_CHECK(absl::LoadTimeZone("Europe/London", &london));
  return absl::FormatTime("%a %H:%M", FromProto(time), london);
}

std::string LineOf(const v1::Event& event) {
  const std::string at = Show(event.occurred_at());
  switch (event.body_case()) {
    case v1::Event::kEscalationRaised: {
      const v1::EscalationRaised& raised = event.escalation_raised();
      return absl::StrCat(raised.level(), " ", at, " ", absl::StrJoin(raised.targets(), "+"),
                          raised.passed() ? " passed" : "");
    }
    case v1::Event::kEscalationAckLapsed:
      return absl::StrCat("lapsed ", at);
    case v1::Event::kEscalationLevelSkipped:
      return absl::StrCat("skipped ", event.escalation_level_skipped().reason(),
                          event.escalation_level_skipped().principals().empty() ? "" : " ",
                          absl::StrJoin(event.escalation_level_skipped().principals(), "+"));
    case v1::Event::kEscalationClosed:
      return absl::StrCat("closed ", event.escalation_closed().reason_code());
    case v1::Event::kEscalationRequested:
      return absl::StrCat("requested of ", absl::StrJoin(event.escalation_requested().targets(), "+"));
    case v1::Event::kEscalationDeclined:
      return absl::StrCat("declined ", event.escalation_declined().reason_code());
    case v1::Event::kEscalationScheduled:
      if (event.escalation_scheduled().level() == 0) return "scheduled nothing";
      return absl::StrCat("scheduled ", event.escalation_scheduled().level(), " ",
                          Show(event.escalation_scheduled().at()));
    case v1::Event::kWatcherAdded:
      return absl::StrCat("watcher ", event.watcher_added().principal());
    default:
      return "";
  }
}

}  // namespace

std::shared_ptr<const policy::PolicySet> Ladder(const std::vector<std::string>& levels, absl::string_view ladder) {
  std::string yaml = absl::StrCat("ladder: standard\n", ladder, "levels:\n");
  for (const std::string& level : levels) absl::StrAppend(&yaml, "  - {", level, "}\n");
  return workflow::testing::With(workflow::testing::ShippedPolicies(), yaml);
}

std::shared_ptr<const policy::PolicySet> Away(const std::shared_ptr<const policy::PolicySet>& policies,
                                              absl::string_view who, absl::string_view from, absl::string_view until,
                                              absl::string_view deputy) {
  v1::Event event;
  v1::Absence* absence = event.mutable_absence_recorded()->mutable_absence();
  absence->set_principal(std::string(who));
  *absence->mutable_from() = ToProto(At(from));
  *absence->mutable_until() = ToProto(At(until));
  absence->set_deputy(std::string(deputy));
  auto next = policies->With(event, 1000, At("2026-11-18 08:00"), "mei.tan");
  DOCKET_CHECK(next.ok());
  return *std::move(next);
}

std::vector<std::string> Climbed(const CaseDesk& desk) {
  std::vector<std::string> lines;
  for (const v1::Event& event : desk.events()) {
    if (std::string line = LineOf(event); !line.empty()) lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string> Raised(const CaseDesk& desk) {
  std::vector<std::string> lines;
  for (const v1::Event& event : desk.events()) {
    if (event.has_escalation_raised()) lines.push_back(LineOf(event));
  }
  return lines;
}

}  // namespace docket::escalation::testing
