#include "tools/cli/duty_list.h"

#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/cli/moments.h"
#include "tools/cli/table.h"
#include "tools/cli/text.h"
#include "workflow/base/time.h"

namespace docket::cli {
namespace {

std::string WaitingText(const v1::ListDutiesReply::Item& item) {
  if (item.waiting_on() == v1::WAITING_ON_UNSPECIFIED) return "";
  return absl::StrCat(v1::WaitingOn_Name(item.waiting_on()), item.waiting_reason().empty() ? "" : ", ",
                      item.waiting_reason());
}

// How late, or how much time is left.
std::string SpanText(const v1::ListDutiesReply::Item& item) {
  if (item.has_late_by()) return FormatSpan(FromProto(item.late_by()));
  return item.has_time_left() ? absl::StrCat(FormatSpan(FromProto(item.time_left())), " left") : "";
}

std::string WorkingSpanText(const v1::ListDutiesReply::Item& item) {
  if (item.has_late_by_working()) return FormatWorkingTime(FromProto(item.late_by_working()));
  return item.has_time_left_working() ? absl::StrCat(FormatWorkingTime(FromProto(item.time_left_working())), " left")
                                      : "";
}

}  // namespace

std::string RegulatoryText(const v1::ListDutiesReply::Header& header) {
  if (header.complete()) return absl::StrCat(header.regulatory(), " regulatory");
  return header.regulatory() == 0 ? "regulatory: not counted"
                                  : absl::StrCat("at least ", header.regulatory(), " regulatory");
}

std::string OverdueHeader(const GlobalOptions& options, const v1::ListDutiesReply& reply) {
  if (!reply.has_header()) return "Overdue, continued";
  const auto& header = reply.header();
  if (header.late_duties() == 0) {
    return header.complete() ? "Overdue: nothing is late" : "Overdue: none found so far, but not all was looked at";
  }
  const char* at_least = header.complete() ? "" : "at least ";
  std::string text =
      absl::StrCat("Overdue: ", at_least, CountText(header.late_duties(), "late duty", "late duties"), " in ", at_least,
                   CountText(header.cases(), "case", "cases"), ", ", RegulatoryText(header));
  if (header.has_oldest_due()) {
    absl::StrAppend(&text, ", the oldest late since ", FormatMoment(header.oldest_due(), options.zone()));
  }
  return text;
}

void PrintDuties(GlobalOptions& options, const v1::ListDutiesReply& reply, bool waits) {
  Table table({{"CASE"},
               {"KIND"},
               {"PRI", Table::Align::kRight},
               {"STATUS"},
               {"METRIC"},
               {"OWED TO"},
               {"DUE"},
               {"FIRST DUE"},
               {"LATE SINCE"},
               {"STANDS"},
               {"BY", Table::Align::kRight},
               {"WORKING", Table::Align::kRight},
               {"WAITS FOR"},
               {"SINCE"},
               {"UNTIL"},
               {"LEVEL", Table::Align::kRight},
               {"ANSWERS"},
               {"OWNER"},
               {"STANDS IN FOR"},
               {"QUEUE"},
               {"TITLE", Table::Align::kLeft, 40}});
  for (const auto& item : reply.items()) {
    const std::string due = FormatMoment(item.due_at(), options.zone());
    const std::string first_due = FormatMoment(item.first_due_at(), options.zone());
    const std::string late_since = FormatMoment(item.late_since(), options.zone());
    table.AddRow({item.case_().case_no(),
                  v1::CaseKind_Name(item.case_().kind()),
                  NumberText(item.case_().priority()),
                  item.case_().status(),
                  item.metric(),
                  v1::Obligation_Name(item.obligation()),
                  due,
                  first_due == due ? "" : first_due,
                  late_since == due ? "" : late_since,
                  item.words(),
                  SpanText(item),
                  WorkingSpanText(item),
                  waits ? WaitingText(item) : "",
                  waits ? FormatMoment(item.waiting_since(), options.zone()) : "",
                  waits ? FormatMoment(item.waiting_until(), options.zone()) : "",
                  NumberText(item.escalation_level()),
                  item.department(),
                  item.owner(),
                  item.stands_in_for(),
                  item.case_().queue(),
                  item.case_().title()});
  }
  table.Print(*options.out);
}

}  // namespace docket::cli
