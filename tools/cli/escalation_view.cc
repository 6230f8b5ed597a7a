#include "tools/cli/escalation_view.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/cli/moments.h"
#include "tools/cli/table.h"
#include "tools/cli/text.h"
#include "workflow/base/time.h"

namespace docket::cli {
namespace {

// Where it goes if nobody acknowledges; of no interest once somebody did.
std::string NextLevel(const v1::Escalation& one) {
  const bool runs = one.state() == v1::Escalation::RAISED && !one.passed() && !one.has_lapsed_at();
  return runs ? NumberText(one.next_level()) : "";
}

std::string Told(const GlobalOptions& options, const v1::Escalation& one) {
  if (one.passed()) return "";
  return FormatMoment(one.has_notify_at() ? one.notify_at() : one.raised_at(), options.zone());
}

}  // namespace

std::string EscalationTargets(const v1::Escalation& escalation) {
  if (escalation.targets().empty()) return "anybody";
  const std::string targets = absl::StrJoin(escalation.targets(), ", ");
  return escalation.absent().empty() ? targets
                                     : absl::StrCat(targets, " for ", absl::StrJoin(escalation.absent(), ", "));
}

std::string EscalationStands(const v1::Escalation& escalation, absl::Time valid_at) {
  const auto ended = [&](absl::string_view how) {
    return absl::StrCat(how, " by ", escalation.ended_by().empty() ? "itself" : escalation.ended_by(), " (",
                        escalation.end_reason_code(), ")");
  };
  switch (escalation.state()) {
    case v1::Escalation::REQUESTED:
      return absl::StrCat("waits for approval, asked by ", escalation.requested_by());
    case v1::Escalation::DECLINED:
      return ended("declined");
    case v1::Escalation::ACKNOWLEDGED:
      return absl::StrCat("acknowledged by ", escalation.acknowledged_by());
    case v1::Escalation::CLOSED:
      return ended("closed");
    default:
      break;
  }
  if (escalation.passed()) return "passed, nobody told";
  if (escalation.has_lapsed_at()) return "lapsed, nobody acknowledged";
  const bool late = escalation.has_ack_due_at() && FromProto(escalation.ack_due_at()) < valid_at;
  return late ? "acknowledgement late" : "open";
}

void PrintEscalations(GlobalOptions& options, const v1::Case& value, absl::Time valid_at) {
  Table table({{"ESCALATION", Table::Align::kRight},
               {"KIND"},
               {"LEVEL"},
               {"RAISED"},
               {"TOLD"},
               {"TO"},
               {"ACKNOWLEDGE BY"},
               {"STANDS"},
               {"NEXT LEVEL"}});
  for (const v1::Escalation& one : value.escalations()) {
    table.AddRow({absl::StrCat(one.escalation_no()), v1::EscalationKind_Name(one.kind()), NumberText(one.level()),
                  FormatMoment(one.raised_at(), options.zone()), Told(options, one), EscalationTargets(one),
                  FormatMoment(one.ack_due_at(), options.zone()), EscalationStands(one, valid_at), NextLevel(one)});
  }
  if (!table.empty()) *options.out << "\n";
  table.Print(*options.out);
}

void PrintEscalationList(GlobalOptions& options, const v1::ListEscalationsReply& reply) {
  Table table({{"CASE"},
               {"NO", Table::Align::kRight},
               {"KIND"},
               {"LEVEL", Table::Align::kRight},
               {"METRIC"},
               {"RAISED"},
               {"TO"},
               {"STANDS IN FOR"},
               {"ACKNOWLEDGE BY"},
               {"STANDS"},
               {"NEXT", Table::Align::kRight},
               {"REASON"},
               {"TITLE", Table::Align::kLeft, 40}});
  const absl::Time valid_at = FromProto(reply.valid_at());
  for (const auto& item : reply.items()) {
    const v1::Escalation& one = item.escalation();
    table.AddRow({item.case_().case_no(), absl::StrCat(one.escalation_no()), v1::EscalationKind_Name(one.kind()),
                  NumberText(one.level()), item.metric(),
                  FormatMoment(one.has_raised_at() ? one.raised_at() : one.requested_at(), options.zone()),
                  EscalationTargets(one), absl::StrJoin(item.stands_in_for(), ", "),
                  FormatMoment(one.ack_due_at(), options.zone()), EscalationStands(one, valid_at), NextLevel(one),
                  one.reason_code(), item.case_().title()});
  }
  table.Print(*options.out);
}

}  // namespace docket::cli
