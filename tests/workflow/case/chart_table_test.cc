// Every (status, command) pair of the shipped charts, refused ones too, against a table that people read. The table
// lies in tests/scenarios; a line is "STATUS  command  outcome".
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "docket/v1/command.pb.h"
#include "gtest/gtest.h"
#include "tests/workflow/case/case_desk.h"
#include "workflow/case/allowed.h"
#include "workflow/case/status.h"

namespace docket::workflow::testing {
namespace {

// How a case gets into a status.
struct Route {
  std::string status;
  std::vector<std::string> commands;
};

struct Try {
  std::string name;  // as the table shows it
  std::string command;
};

// One ordinary form of every command; of hold one for each it may wait for.
std::vector<Try> Tries() {
  const auto hold = [](const std::string& on, const std::string& more) {
    return Try{absl::StrCat("hold ", on), absl::StrCat("hold { waiting_on: ", on, " reason_code: 'WAIT' ", more, " }")};
  };
  const std::string until = "until { seconds: 1797000000 }";  // 2026-12-11
  return {
      {"file", kFileComplaint},
      {"accept", "accept {}"},
      {"decline", "decline { reason_code: 'OUT_OF_SCOPE' explanation: 'Not ours' }"},
      {"decline WITHDRAWN", "decline { reason_code: 'WITHDRAWN' explanation: 'No longer wanted' }"},
      {"triage", kTriage},
      {"set_priority", "set_priority { priority: 1 override_reason: 'BY_MANAGER' }"},
      {"classify", "classify { category: 'water' }"},
      {"queue", "queue { queue: 'complaints' }"},
      {"assign", "assign { owner: 'luis.romero' }"},
      {"take", "take {}"},
      {"release", "release {}"},
      {"transfer", "transfer { to_queue: 'billing' handoff_note: 'A bill' }"},
      {"accept_transfer", "accept_transfer {}"},
      {"refuse_transfer", "refuse_transfer { reason_code: 'NOT_OURS' }"},
      hold("COMPLAINANT", ""),
      hold("DEPARTMENT", ""),
      hold("THIRD_PARTY", ""),
      hold("LEGAL", ""),
      hold("SCHEDULE", until),
      {"resume", "resume {}"},
      {"record_inbound", kInbound},
      {"record_inbound thanks", "record_inbound { body: 'Thank you' no_reply_needed: true }"},
      {"record_inbound internal", "record_inbound { body: 'Pump is old' internal: true }"},
      {"send_outbound", kAnswer},
      {"add_note", "add_note { body: 'Called the plumber' }"},
      {"mark_no_reply_needed", "mark_no_reply_needed { inbound_revision: 99 }"},
      {"resolve", "resolve { resolution_code: 'FIXED' }"},
      {"draft_decision", kDraft},
      {"issue_decision", kIssue},
      {"resolve_on_the_spot", "resolve_on_the_spot { remedy: 'APOLOGY' accepted_how: 'SPOKEN' }"},
      {"close", "close { basis: 'ACCEPTED' }"},
      {"close NO_REPLY", "close { basis: 'NO_REPLY' }"},
      {"reopen", "reopen { reason: NOT_RESOLVED }"},
      {"void", "void { reason_code: 'CREATED_IN_ERROR' approver: 'helen.marsh' }"},
      {"escalate", "escalate { kind: HIERARCHICAL reason_code: 'ANGRY' justification: 'Third call' }"},
      {"acknowledge_escalation", "acknowledge_escalation {}"},
      {"record_source_row", "record_source_row { row { cursor: 1 status: 'RECEIVED' } }"},
      {"end_history", "end_history { observed_until { seconds: 1795000000 } }"},
      {"advance", "advance {}"},
      {"approve_escalation", "approve_escalation {}"},
      {"decline_escalation", "decline_escalation { reason_code: 'NOT_NEEDED' }"},
      {"close_escalation", "close_escalation { reason_code: 'SOLVED' justification: 'x' }"},
      {"declare_conflict", "declare_conflict { nature: 'KINSHIP' }"},
      {"clear_conflict", "clear_conflict { principal: 'grace.lind' reason_code: 'MISTAKE' }"},
      {"add_watcher", "add_watcher {}"},
      {"remove_watcher", "remove_watcher {}"},
      {"correct_received_at", "correct_received_at { received_at { seconds: 1794990000 } reason_code: 'MISREAD' }"},
      {"report_delivery", "report_delivery { outbound_revision: 99 outcome: DELIVERED }"},
      {"extend_clock", "extend_clock { metric: 'RESOLUTION' ground: 'COMPLEX' }"},
      {"exempt_clock", "exempt_clock { metric: 'RESOLUTION' cause: 'FORCE_MAJEURE' }"},
      {"judge_late_entry", "judge_late_entry { confirmed: true }"},
      {"set_due", "set_due { metric: 'RESOLUTION' due_at { seconds: 1797000000 } reason_code: 'AGREED' }"},
      {"ask_item", "ask_item { kind: WORK department: 'legal' what: 'LEGAL_ADVICE' }"},
      {"accept_item", "accept_item {}"},
      {"return_item", "return_item { reason_code: 'FILE_MISSING' }"},
      {"complete_item", "complete_item { result: 'Done' }"},
      {"refuse_item", "refuse_item { reason_code: 'NOT_OURS' }"},
      {"cancel_item", "cancel_item { reason_code: 'NOT_NEEDED' }"},
      {"roll_out", "roll_out { rollout_id: 'r1' }"},
      {"route", "route {}"},
  };
}

std::vector<Route> ComplaintRoutes() {
  const std::string complaint = kFileComplaint;
  const std::vector<std::string> investigated = {complaint, "take {}", "accept {}", kTriage};
  const auto then = [](std::vector<std::string> commands, const std::vector<std::string>& more) {
    commands.insert(commands.end(), more.begin(), more.end());
    return commands;
  };
  const auto hold = [](const std::string& on) {
    return absl::StrCat("hold { waiting_on: ", on, " reason_code: 'WAIT' }");
  };
  const std::vector<std::string> issued = then(investigated, {kDraft, kIssue});
  return {
      {"RECEIVED", {complaint}},
      {"ASSESSMENT", {complaint, "accept {}"}},
      {"INVESTIGATION", investigated},
      {"WAITING_COMPLAINANT", then(investigated, {kAsk, hold("COMPLAINANT")})},
      {"WAITING_DEPARTMENT", then(investigated, {hold("DEPARTMENT")})},
      {"WAITING_THIRD_PARTY", then(investigated, {hold("THIRD_PARTY")})},
      {"WAITING_LEGAL", then(investigated, {hold("LEGAL")})},
      {"DECISION_DRAFT", then(investigated, {kDraft})},
      {"DECISION_ISSUED", issued},
      {"ON_THE_SPOT", {complaint, "resolve_on_the_spot { remedy: 'APOLOGY' accepted_how: 'SPOKEN' }"}},
      {"CLOSED", then(issued, {"close { basis: 'ACCEPTED' }"})},
      {"DECLINED", {complaint, "decline { reason_code: 'OUT_OF_SCOPE' explanation: 'Not ours' }"}},
      {"WITHDRAWN",
       {complaint, "record_inbound { body: 'Leave it' no_reply_needed: true }",
        "decline { reason_code: 'WITHDRAWN' explanation: 'No longer wanted' }"}},
      {"VOIDED", {complaint, "void { reason_code: 'CREATED_IN_ERROR' approver: 'helen.marsh' }"}},
  };
}

std::vector<Route> TicketRoutes() {
  const std::string ticket = kFileTicket;
  const auto hold = [](const std::string& on) {
    return absl::StrCat("hold { waiting_on: ", on, " reason_code: 'WAIT' }");
  };
  return {
      {"NEW", {ticket}},
      {"OPEN", {ticket, "accept {}"}},
      {"PENDING_REQUESTER", {ticket, "accept {}", kAsk, hold("COMPLAINANT")}},
      {"PENDING_DEPARTMENT", {ticket, "accept {}", hold("DEPARTMENT")}},
      {"PENDING_VENDOR", {ticket, "accept {}", hold("THIRD_PARTY")}},
      {"SCHEDULED",
       {ticket, "accept {}", "hold { waiting_on: SCHEDULE reason_code: 'WAIT' until { seconds: 1796000000 } }"}},
      {"RESOLVED", {ticket, "accept {}", "resolve { resolution_code: 'FIXED' }"}},
      {"CLOSED", {ticket, "accept {}", "resolve { resolution_code: 'FIXED' }", "close { basis: 'ACCEPTED' }"}},
      {"CANCELLED", {ticket, "decline { reason_code: 'OUT_OF_SCOPE' explanation: 'Not ours' }"}},
      {"VOIDED", {ticket, "void { reason_code: 'CREATED_IN_ERROR' approver: 'helen.marsh' }"}},
  };
}

void Follow(const Route& route, CaseDesk* desk) {
  for (const std::string& command : route.commands) {
    // Who declined may not reopen.
    desk->Must(command, {.principal = absl::StartsWith(command, "decline {") ? "luis.romero" : "grace.lind"});
    desk->MoveBy(absl::Minutes(1));
  }
  ASSERT_EQ(desk->status(), route.status);
}

// "-> STATUS" for a move, "stays" for work without one, else the refusal.
std::string Outcome(const CaseDesk& desk, const std::string& command) {
  v1::Case after;
  const auto events = desk.Would(command, {.evidence = true, .approver = "helen.marsh"}, &after);
  if (!events.ok()) return Told(events);
  if (events->empty()) return "nothing to do";
  if (after.status().status() == desk.status()) return "stays";
  return absl::StrCat("-> ", after.status().status());
}

std::string TableOf(const std::vector<Route>& routes) {
  std::string table;
  for (const Route& route : routes) {
    CaseDesk desk;
    Follow(route, &desk);
    for (const Try& one : Tries()) {
      absl::StrAppendFormat(&table, "%-20s %-24s %s\n", route.status, one.name, Outcome(desk, one.command));
    }
  }
  return table;
}

// The table without its comments.
std::string ReadTable(const std::string& name) {
  std::ifstream file(absl::StrCat("tests/scenarios/", name));
  EXPECT_TRUE(file.good()) << name;
  std::string table;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') absl::StrAppend(&table, line, "\n");
  }
  return table;
}

// With DOCKET_TABLE_WRITE set the table is written anew, to be read and judged by a person, and compared as ever.
void WriteTable(const std::string& name, const std::string& table) {
  std::string comments;
  std::ifstream old(absl::StrCat("tests/scenarios/", name));
  for (std::string line; std::getline(old, line) && !line.empty() && line[0] == '#';) {
    absl::StrAppend(&comments, line, "\n");
  }
  std::ofstream(absl::StrCat("tests/scenarios/", name)) << comments << table;
}

void ExpectTable(const std::string& name, const std::vector<Route>& routes) {
  if (std::getenv("DOCKET_TABLE_WRITE") != nullptr) WriteTable(name, TableOf(routes));
  const std::vector<std::string> expected = absl::StrSplit(ReadTable(name), '\n');
  const std::vector<std::string> actual = absl::StrSplit(TableOf(routes), '\n');
  for (size_t i = 0; i < std::max(expected.size(), actual.size()); ++i) {
    EXPECT_EQ(i < actual.size() ? actual[i] : "(no line)", i < expected.size() ? expected[i] : "(no line)");
  }
}

// Every status and every command has its line.
void ExpectComplete(const std::vector<Route>& routes, v1::CaseKind kind) {
  const auto* chart = ShippedPolicies()->ChartFor(kind, At("2026-11-18 09:00"));
  ASSERT_NE(chart, nullptr);
  std::vector<std::string> statuses;
  for (const v1::Status& status : chart->value->statuses()) statuses.push_back(status.id());
  std::vector<std::string> reached;
  for (const Route& route : routes) reached.push_back(route.status);
  EXPECT_EQ(reached, statuses);
}

TEST(ChartTableTest, EveryCommandInEveryStatusOfTheComplaintChart) {
  ExpectComplete(ComplaintRoutes(), v1::COMPLAINT);
  ExpectTable("complaint-iso10002.table.txt", ComplaintRoutes());
}

TEST(ChartTableTest, EveryCommandInEveryStatusOfTheTicketChart) {
  ExpectComplete(TicketRoutes(), v1::REQUEST);
  ExpectTable("ticket-basic.table.txt", TicketRoutes());
}

TEST(ChartTableTest, EveryCommandIsTried) {
  const auto* oneof = v1::Command::descriptor()->FindOneofByName("command");
  std::vector<std::string> tried;
  for (const Try& one : Tries()) {
    const std::string name = one.name.substr(0, one.name.find(' '));
    if (tried.empty() || tried.back() != name) tried.push_back(name);
  }
  std::vector<std::string> known;
  for (int i = 0; i < oneof->field_count(); ++i) known.push_back(oneof->field(i)->name());
  EXPECT_EQ(tried, known);
}

// What ListAllowedCommands offers is what Decide accepts: of a command offered at least one form is not refused for the
// status, of one not offered no form is accepted.
TEST(ChartTableTest, WhatIsOfferedIsWhatIsAccepted) {
  for (const auto& routes : {ComplaintRoutes(), TicketRoutes()}) {
    for (const Route& route : routes) {
      CaseDesk desk;
      Follow(route, &desk);
      std::map<std::string, bool> possible;
      for (const Try& one : Tries()) {
        const std::string outcome = Outcome(desk, one.command);
        const bool refused = outcome == "TRANSITION_NOT_ALLOWED" || outcome == "COMMAND_NOT_IN_CHART" ||
                             absl::StartsWith(outcome, "CONDITIONS_UNMET");
        possible[one.name.substr(0, one.name.find(' '))] |= !refused;
      }
      for (const AllowedCommand& offer : AllowedCommands(desk.state(), desk.policies())) {
        // The forms tried of these name nothing real, or a clock that may have ended.
        const bool names_nothing = offer.command == "mark_no_reply_needed" || offer.command == "report_delivery" ||
                                   offer.command == "extend_clock" || offer.command == "exempt_clock" ||
                                   offer.command == "set_due";
        if (names_nothing && offer.allowed) continue;
        EXPECT_EQ(offer.allowed, possible[offer.command]) << route.status << " " << offer.command;
        EXPECT_EQ(offer.allowed, offer.unmet.empty()) << route.status << " " << offer.command;
      }
    }
  }
}

}  // namespace
}  // namespace docket::workflow::testing
