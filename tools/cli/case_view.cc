#include "tools/cli/case_view.h"

#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/cli/escalation_view.h"
#include "tools/cli/moments.h"
#include "tools/cli/table.h"
#include "tools/cli/text.h"
#include "workflow/base/time.h"
#include "workflow/sla/target.h"

namespace docket::cli {
namespace {

std::string StatusText(const GlobalOptions& options, const v1::Case& value) {
  return absl::StrCat(value.status().status(), " (", v1::StatusCategory_Name(value.status().category()), ") since ",
                      FormatMoment(value.status_since(), options.zone()));
}

std::string WaitText(const GlobalOptions& options, const v1::Case& value) {
  if (!value.has_wait()) return "";
  const v1::Wait& wait = value.wait();
  std::string text =
      absl::StrCat("on ", v1::WaitingOn_Name(wait.on()), " since ", FormatMoment(wait.since(), options.zone()));
  if (wait.has_until()) absl::StrAppend(&text, " until ", FormatMoment(wait.until(), options.zone()));
  if (!wait.reason_code().empty()) absl::StrAppend(&text, ", ", wait.reason_code());
  return absl::StrCat(text, ", then ", wait.resume_to());
}

std::string TransferText(const v1::Case& value) {
  if (!value.has_transfer()) return "";
  return absl::StrCat("in transit ", value.transfer().from_department(), "→", value.transfer().to_department(),
                      ", queue ", value.transfer().to_queue());
}

std::string Flags(const v1::Case& value) {
  std::vector<std::string> flags;
  if (value.safety()) flags.push_back("safety");
  if (value.legal()) flags.push_back("legal");
  if (value.regulatory()) flags.push_back("regulatory");
  if (value.vulnerable()) flags.push_back("vulnerable");
  if (value.public_exposure()) flags.push_back("public exposure");
  if (value.history()) flags.push_back("imported, history not ended");
  return absl::StrJoin(flags, ", ");
}

void PrintText(const char* title, const v1::SealedText& text, std::ostream& out) {
  const std::string value = TextOf(text);
  if (!value.empty()) out << "\n" << title << "\n" << Block(value, "  ");
}

void PrintMatters(const v1::Case& value, std::ostream& out) {
  Table table(
      {{"MATTER", Table::Align::kRight}, {"TEXT", Table::Align::kLeft, 80}, {"CATEGORY"}, {"FINDING"}, {"ROOT CAUSE"}});
  for (const v1::Matter& matter : value.matters()) {
    table.AddRow({absl::StrCat(matter.matter_no()), TextOf(matter.text()), matter.category(),
                  matter.finding() == v1::FINDING_UNSPECIFIED ? "" : v1::Finding_Name(matter.finding()),
                  matter.root_cause()});
  }
  if (!table.empty()) out << "\n";
  table.Print(out);
}

void PrintItems(GlobalOptions& options, const v1::Case& value) {
  Table table({{"ITEM", Table::Align::kRight}, {"KIND"}, {"WHAT"}, {"OWED BY"}, {"STATE"}, {"ASKED"}, {"BY"}, {"DUE"}});
  for (const v1::OwedItem& one : value.items()) {
    table.AddRow({absl::StrCat(one.item_no()), v1::OwedItemKind_Name(one.kind()), one.what(),
                  one.principal().empty() ? one.department() : absl::StrCat(one.department(), "/", one.principal()),
                  v1::OwedItem::State_Name(one.state()), FormatMoment(one.asked_at(), options.zone()), one.asked_by(),
                  FormatMoment(one.due_at(), options.zone())});
  }
  if (!table.empty()) *options.out << "\n";
  table.Print(*options.out);
}

std::string Conflicts(const v1::Case& value) {
  std::vector<std::string> parts;
  for (const v1::Conflict& one : value.conflicts())
    parts.push_back(absl::StrCat(one.principal(), " (", one.nature(), ")"));
  return absl::StrJoin(parts, ", ");
}

}  // namespace

std::string ClockStands(const v1::Clock& clock, absl::Time valid_at) {
  const bool window = clock.nature() == v1::WINDOW;
  if (clock.state() == v1::CANCELLED) return absl::StrCat("cancelled, ", clock.cancel_cause());
  if (clock.state() == v1::EXEMPTED) return absl::StrCat("exempted, ", clock.exempt_cause());
  if (clock.state() == v1::FULFILLED) {
    if (window) return "ended";
    return absl::StrCat(clock.on_time() ? "met" : "late", clock.disputed() ? ", disputed" : "",
                        clock.exempt_cause().empty() ? "" : ", exempted", clock.provisional() ? ", provisional" : "");
  }
  const bool paused = clock.state() == v1::PAUSED;
  // Late stays late: a breach counts also while the clock waits and has no due.
  const absl::Time due = clock.has_due_at() ? FromProto(clock.due_at()) : absl::InfiniteFuture();
  const bool breached = clock.has_breached_due_at();
  const absl::Time late_since = breached ? FromProto(clock.breached_due_at()) : due;
  if (breached || due < valid_at) {
    if (window) return "elapsed";
    const bool excused = clock.has_excused_until() && valid_at <= FromProto(clock.excused_until());
    return absl::StrCat("late by ", FormatSpan(valid_at - late_since), paused ? ", waiting" : "",
                        excused ? ", excused" : "");
  }
  if (paused) {
    if (!clock.has_remaining()) return "waiting";
    const bool working = clock.target().unit() == v1::Target::WORKING_TIME;
    const absl::Duration left = FromProto(clock.remaining());
    return absl::StrCat("waiting, ", working ? FormatWorkingTime(left) + " of working time" : FormatSpan(left),
                        " left");
  }
  return due == absl::InfiniteFuture() ? "" : absl::StrCat(FormatSpan(due - valid_at), " left");
}

std::string ClockNotes(const v1::Clock& clock, absl::TimeZone zone) {
  std::vector<std::string> notes;
  if (clock.pinned()) notes.push_back("due set by hand");
  for (const std::string& ground : clock.extensions()) notes.push_back(absl::StrCat("extended, ", ground));
  if (clock.has_carried_at()) {
    notes.push_back(absl::StrCat("carried over ", FormatMoment(clock.carried_at(), zone), ": ",
                                 FormatWorkingTime(FromProto(clock.carried_used())), " of the target used"));
  }
  if (clock.has_annulled_due_at()) {
    notes.push_back(
        absl::StrCat("breach of ", FormatMoment(clock.annulled_due_at(), zone), " annulled, ", clock.annul_cause()));
  }
  if (!clock.exempt_cause().empty()) {
    notes.push_back(absl::StrCat("exempted, ", clock.exempt_cause(), ", agreed by ", clock.exempt_approver()));
  }
  if (clock.disputed())
    notes.push_back(absl::StrCat("entered by ", clock.entered_by(), ", wants somebody else's word"));
  if (!clock.reopen_cause().empty()) notes.push_back(absl::StrCat("its end was set aside, ", clock.reopen_cause()));
  return absl::StrJoin(notes, "; ");
}

void PrintClocks(GlobalOptions& options, const google::protobuf::RepeatedPtrField<v1::Clock>& clocks,
                 absl::Time valid_at, const v1::Case* of_case) {
  Table table({{"CLOCK", Table::Align::kRight},
               {"METRIC"},
               {"OWED TO"},
               {"TARGET"},
               {"STARTED"},
               {"DUE"},
               {"FIRST DUE"},
               {"STANDS"},
               {"STOPPED"},
               {"ANSWERS"},
               {"POLICY"}});
  const absl::TimeZone zone = options.zone();
  for (const v1::Clock& clock : clocks) {
    const std::string due = FormatMoment(clock.due_at(), zone);
    const std::string first_due = FormatMoment(clock.first_due_at(), zone);
    table.AddRow(
        {absl::StrCat(clock.clock_no()),
         clock.cycle() > 1 ? absl::StrCat(clock.metric(), " #", clock.cycle()) : clock.metric(),
         v1::Obligation_Name(clock.obligation()), sla::FormatTarget(clock.target()),
         FormatMoment(clock.start_at(), zone), clock.due_provisional() ? absl::StrCat(due, " (provisional)") : due,
         first_due == due ? "" : first_due, ClockStands(clock, valid_at), FormatMoment(clock.stopped_at(), zone),
         clock.answerable(), absl::StrCat(clock.policy().id(), "@", clock.policy().version())});
  }
  if (of_case != nullptr && !table.empty()) *options.out << "\n";
  table.Print(*options.out);
}

void PrintCase(GlobalOptions& options, const v1::Case& value, absl::Time valid_at) {
  std::ostream& out = *options.out;
  const absl::TimeZone zone = options.zone();
  out << OneLine(value.case_no()) << "  " << OneLine(TextOf(value.title())) << "\n";
  PrintFields(
      {{"status", StatusText(options, value)},
       {"waiting", WaitText(options, value)},
       {"kind", v1::CaseKind_Name(value.kind())},
       {"priority", NumberText(value.priority())},
       {"department", value.department()},
       {"transfer", TransferText(value)},
       {"queue", value.queue()},
       {"owner", value.owner()},
       {"watched by", absl::StrJoin(value.watchers(), ", ")},
       {"in conflict", Conflicts(value)},
       {"requester", TextOf(value.requester())},
       {"tier", value.tier()},
       {"category", absl::StrCat(value.category(), value.subcategory().empty() ? "" : "/", value.subcategory())},
       {"flags", Flags(value)},
       {"received", FormatMoment(value.received_at(), zone)},
       {"promised", FormatMoment(value.promised_due_at(), zone)},
       {"accepted", FormatMoment(value.accepted_at(), zone)},
       {"resolved", FormatMoment(value.resolved_at(), zone)},
       {"closed", FormatMoment(value.closed_at(), zone)},
       {"resolution", value.resolution_code()},
       {"closing basis", value.closure_basis()},
       {"reopened", value.reopen_count() == 0 ? "" : absl::StrCat(value.reopen_count(), " times")},
       {"unanswered", value.unanswered_inbound_size() == 0
                          ? ""
                          : absl::StrCat("messages of revisions ", absl::StrJoin(value.unanswered_inbound(), ", "))},
       {"external",
        value.has_external_ref() ? absl::StrCat(value.external_ref().source(), ":", value.external_ref().key()) : ""},
       {"workflow", absl::StrCat(value.workflow().id(), "@", value.workflow().version())},
       {"case id", value.case_id()},
       {"revision", NumberText(value.revision())}},
      out);
  PrintText("narrative", value.narrative(), out);
  PrintMatters(value, out);
  PrintText("draft decision", value.draft().text(), out);
  PrintText("decision", value.decision().text(), out);
  PrintText("solution", value.solution(), out);
  PrintClocks(options, value.clocks(), valid_at, &value);
  PrintItems(options, value);
  PrintEscalations(options, value, valid_at);
}

}  // namespace docket::cli
