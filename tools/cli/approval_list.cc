#include "tools/cli/approval_list.h"

#include <ostream>

#include "absl/strings/str_cat.h"
#include "tools/cli/command_form.h"
#include "tools/cli/duty_list.h"
#include "tools/cli/moments.h"
#include "tools/cli/table.h"
#include "tools/cli/text.h"

namespace docket::cli {
namespace {

using Item = v1::ListDutiesReply::Item;

bool IsEscalation(const Item& item) { return item.approval() == v1::Approval::ESCALATION; }

// What is to be decided: "CUSTOMER_ESCALATION, PRESS", "said to be met Wed 2026-11-18 10:00".
std::string Asked(const GlobalOptions& options, const Item& item) {
  if (!IsEscalation(item)) return absl::StrCat("met ", FormatMoment(item.claimed_at(), options.zone()));
  return absl::StrCat(v1::EscalationKind_Name(item.escalation_kind()), item.reason_code().empty() ? "" : ", ",
                      item.reason_code());
}

std::string DecidedBy(const Item& item) {
  if (item.own_request()) return "somebody else than you";
  const std::string number = IsEscalation(item) ? absl::StrCat(" --escalation-no ", item.escalation_no())
                                                : absl::StrCat(" --clock-no ", item.clock_no(), " [--confirmed]");
  return RemedyText(item.command(), absl::StrCat(item.case_().case_no(), number));
}

}  // namespace

std::string ApprovalsHeader(const GlobalOptions& options, const v1::ListDutiesReply& reply) {
  if (!reply.has_header()) return "Approvals, continued";
  const auto& header = reply.header();
  const char* at_least = header.complete() ? "" : "at least ";
  std::string text = header.complete() ? "Approvals: nothing waits for a second person"
                                       : "Approvals: none found so far, but not all was looked at";
  if (header.approvals() > 0) {
    text = absl::StrCat("Approvals: ", at_least, header.approvals(), header.approvals() == 1 ? " waits" : " wait",
                        " for a second person in ", at_least, CountText(header.cases(), "case", "cases"), ", ",
                        RegulatoryText(header));
  }
  if (header.has_oldest_since()) {
    absl::StrAppend(&text, ", the longest since ", FormatMoment(header.oldest_since(), options.zone()));
  }
  if (header.rollouts() > 0) {
    absl::StrAppend(&text, "\nand now ", CountText(header.rollouts(), "rollout of policies", "rollouts of policies"),
                    ": docket policy rollout list");
  }
  return text;
}

void PrintApprovals(GlobalOptions& options, const v1::ListDutiesReply& reply) {
  Table table({{"CASE"},
               {"KIND"},
               {"PRI", Table::Align::kRight},
               {"STATUS"},
               {"WAITS"},
               {"NO", Table::Align::kRight},
               {"METRIC"},
               {"OWED TO"},
               {"DUE"},
               {"ASKED"},
               {"ASKED BY"},
               {"SINCE"},
               {"ANSWERS"},
               {"OWNER"},
               {"QUEUE"},
               {"DECIDED BY", Table::Align::kLeft, 100},
               {"TITLE", Table::Align::kLeft, 40}});
  for (const Item& item : reply.items()) {
    const v1::CaseSummary& row = item.case_();
    table.AddRow({row.case_no(), v1::CaseKind_Name(row.kind()), NumberText(row.priority()), row.status(),
                  IsEscalation(item) ? "escalation" : "late entry",
                  absl::StrCat(IsEscalation(item) ? item.escalation_no() : item.clock_no()), item.metric(),
                  IsEscalation(item) ? "" : v1::Obligation_Name(item.obligation()),
                  FormatMoment(item.due_at(), options.zone()), Asked(options, item), item.asked_by(),
                  FormatMoment(item.since(), options.zone()), item.department(), item.owner(), row.queue(),
                  DecidedBy(item), row.title()});
  }
  table.Print(*options.out);
}

}  // namespace docket::cli
