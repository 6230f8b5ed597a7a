// CSV as RFC 4180 has it, one column per JSON field.
#include "tools/cli/csv_output.h"

#include <functional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "docket/v1/queue_service.pb.h"
#include "gtest/gtest.h"
#include "tests/tools/cli/cli_runner.h"
#include "tests/tools/support/fake_server.h"

namespace docket::cli {
namespace {

TEST(CsvField, IsQuotedWhenItHoldsACommaAQuoteOrALineEnd) {
  EXPECT_EQ(CsvField("plain text; 'so'"), "plain text; 'so'");
  EXPECT_EQ(CsvField(""), "");
  EXPECT_EQ(CsvField("a,b"), "\"a,b\"");
  EXPECT_EQ(CsvField("say \"no\""), "\"say \"\"no\"\"\"");
  EXPECT_EQ(CsvField("two\nlines"), "\"two\nlines\"");
  EXPECT_EQ(CsvField("two\rlines"), "\"two\rlines\"");
}

v1::ListControlReply OneItem() {
  v1::ListControlReply reply;
  v1::ListControlReply::Item& item = *reply.add_items();
  item.mutable_case_()->set_case_no("CMP-1");
  item.mutable_case_()->set_kind(v1::COMPLAINT);
  item.mutable_case_()->set_title("Cold, \"wet\"");
  item.mutable_case_()->set_safety(true);
  item.mutable_since()->set_seconds(1795424400);
  item.set_waiting_on(v1::LEGAL);
  return reply;
}

TEST(CsvOutput, NamesTheJsonFieldsOfAnItem) {
  std::ostringstream out;
  PrintCsvHeader(v1::ListControlReply(), "items", out);
  EXPECT_EQ(out.str(),
            "case.caseId,case.caseNo,case.kind,case.status,case.category,case.priority,case.department,case.queue,"
            "case.owner,case.receivedAt,case.title,case.revision,case.reopenCount,case.safety,case.tier,since,"
            "escalationLevel,waitingOn,waitingReason,waitingUntil,untilPassed\r\n");
}

TEST(CsvOutput, TellsInstantsInUtcAndLeavesOutWhatIsUnset) {
  std::ostringstream out;
  PrintCsv(OneItem(), "items", out);
  EXPECT_EQ(out.str(), ",CMP-1,COMPLAINT,,,,,,,,\"Cold, \"\"wet\"\"\",,,true,,2026-11-23T09:00:00Z,,LEGAL,,,\r\n");
}

TEST(CsvOutput, TellsSpansAndListsOfWords) {
  v1::ListDutiesReply duties;
  duties.add_items()->mutable_late_by()->set_seconds(90);
  v1::ListEscalationsReply escalations;
  escalations.add_items()->mutable_escalation()->add_targets("a.b");
  escalations.mutable_items(0)->mutable_escalation()->add_targets("c.d");
  std::ostringstream out;
  PrintCsv(duties, "items", out);
  EXPECT_NE(out.str().find(",90s,"), std::string::npos) << out.str();
  duties.mutable_items(0)->mutable_late_by()->set_seconds(2210460);
  PrintCsv(duties, "items", out);
  EXPECT_NE(out.str().find(",2210460s,"), std::string::npos) << out.str();
  duties.mutable_items(0)->mutable_late_by()->set_nanos(1000);
  PrintCsv(duties, "items", out);
  EXPECT_NE(out.str().find(",2210460.000001s,"), std::string::npos) << out.str();
  PrintCsv(escalations, "items", out);
  EXPECT_NE(out.str().find(",a.b c.d,"), std::string::npos) << out.str();
}

TEST(CsvOutput, TextThatLooksLikeAFormulaIsMarkedAndNothingElseIs) {
  v1::ListDutiesReply duties;
  v1::ListDutiesReply::Item& item = *duties.add_items();
  for (const char* title : {"=HYPERLINK(\"x\")", "+1", "-1", "@SUM(A1)", "\tx", "\rx"}) {
    item.mutable_case_()->set_title(title);
    std::ostringstream out;
    PrintCsv(duties, "items", out);
    EXPECT_NE(out.str().find(CsvField(std::string("'") + title)), std::string::npos) << out.str();
  }
  item.mutable_case_()->set_title("a=b");
  item.mutable_late_by()->set_seconds(-90);
  std::ostringstream out;
  PrintCsv(duties, "items", out);
  EXPECT_EQ(out.str().find('\''), std::string::npos) << out.str();
}

class ControlLists : public ::testing::Test {
 protected:
  Ran Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--server", server_.address()});
    return RunDocket(std::move(arguments));
  }

  docket::testing::FakeServer server_;
};

TEST_F(ControlLists, AskForTheirListWithTheirFilters) {
  v1::ListControlRequest asked;
  server_.list_control = [&](const v1::ListControlRequest& request, v1::ListControlReply* reply) {
    asked = request;
    *reply = OneItem();
    return absl::OkStatus();
  };
  const Ran ran = Run({"wake-up", "--department", "complaints", "--kind", "COMPLAINT", "--tier", "VIP", "--waiting-on",
                       "LEGAL", "--as-of", "2026-11-20T17:00:00Z", "--utc"});
  EXPECT_EQ(ran.exit_code, kExitOk) << ran.err;
  EXPECT_EQ(asked.list(), v1::WAKE_UP);
  EXPECT_EQ(asked.department(), "complaints");
  EXPECT_EQ(asked.tiers(0), "VIP");
  EXPECT_EQ(asked.waiting_on(0), v1::LEGAL);
  EXPECT_TRUE(asked.has_valid_at());
  EXPECT_FALSE(asked.has_known_at());
  EXPECT_NE(ran.out.find("1 case\n"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("CMP-1"), std::string::npos) << ran.out;
  EXPECT_EQ(Run({"unowned"}).exit_code, kExitOk);
  EXPECT_EQ(asked.list(), v1::UNOWNED);
  EXPECT_EQ(Run({"no-clock"}).exit_code, kExitOk);
  EXPECT_EQ(asked.list(), v1::NO_CLOCK);
}

// Two pages, one header.
TEST_F(ControlLists, CsvIsOneTableOfAllPages) {
  server_.list_control = [&](const v1::ListControlRequest& request, v1::ListControlReply* reply) {
    *reply = OneItem();
    if (request.page_token().empty()) reply->set_next_page_token("two");
    return absl::OkStatus();
  };
  const std::string out = Run({"unowned", "-o", "csv"}).out;
  EXPECT_EQ(out.find("case.caseId"), 0u) << out;
  EXPECT_EQ(out.rfind("case.caseId"), 0u) << out;
  size_t lines = 0;
  for (size_t at = out.find("\r\n"); at != std::string::npos; at = out.find("\r\n", at + 1)) ++lines;
  EXPECT_EQ(lines, 3u) << out;
}

TEST_F(ControlLists, CsvIsThereForTheClocksOfACase) {
  server_.get_case = [](const v1::GetCaseRequest&, v1::GetCaseReply* reply) {
    reply->mutable_case_()->set_case_id("id");
    return absl::OkStatus();
  };
  server_.get_clocks = [](const v1::GetClocksRequest&, v1::GetClocksReply* reply) {
    v1::Clock* clock = reply->add_clocks();
    clock->set_clock_no(4);
    clock->set_metric("RESOLUTION");
    clock->mutable_policy()->set_id("basic");
    clock->mutable_due_at()->set_seconds(1795424400);
    clock->add_pauses();
    return absl::OkStatus();
  };
  const Ran ran = Run({"case", "clocks", "CMP-1", "-o", "csv"});
  EXPECT_EQ(ran.exit_code, kExitOk) << ran.err;
  EXPECT_EQ(ran.out.find("clockNo,metric,obligation,nature,cycle,policy.id,policy.version,"), 0u) << ran.out;
  EXPECT_NE(ran.out.find("\r\n4,RESOLUTION,,,,basic,"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find(",2026-11-23T09:00:00Z,"), std::string::npos) << ran.out;
}

// It comes in messages, and has one header also when there are none.
TEST_F(ControlLists, CsvIsThereForTheHistoryOfACase) {
  server_.get_case = [](const v1::GetCaseRequest&, v1::GetCaseReply* reply) {
    reply->mutable_case_()->set_case_id("id");
    return absl::OkStatus();
  };
  int events = 0;
  server_.read_history = [&](const v1::ReadHistoryRequest&,
                             const std::function<bool(const v1::ReadHistoryReply&)>& send) {
    for (int i = 1; i <= events; ++i) {
      v1::ReadHistoryReply reply;
      auto* entry = reply.add_entries();
      entry->mutable_event()->set_position(10 + i);
      entry->mutable_event()->set_revision(i);
      entry->mutable_event()->set_type("OwnerAssigned");
      entry->mutable_event()->mutable_actor()->set_principal_id("-2+3");
      entry->mutable_event()->mutable_recorded_at()->set_seconds(1795424460);
      entry->mutable_event()->mutable_event()->mutable_occurred_at()->set_seconds(1795424400);
      entry->mutable_event()->mutable_event()->mutable_owner_assigned()->set_owner("grace.lind");
      entry->mutable_state()->mutable_status()->set_status("INVESTIGATION");
      send(reply);
    }
    return absl::OkStatus();
  };
  const std::string header = "position,revision,occurredAt,recordedAt,type,by,what,marks,statusAfter\r\n";
  const Ran none = Run({"case", "history", "CMP-1", "-o", "csv"});
  EXPECT_EQ(none.exit_code, kExitOk) << none.err;
  EXPECT_EQ(none.out, header);
  events = 2;
  EXPECT_EQ(
      Run({"case", "history", "CMP-1", "-o", "csv"}).out,
      header +
          "11,1,2026-11-23T09:00:00Z,2026-11-23T09:01:00Z,OwnerAssigned,'-2+3,owner=grace.lind,,INVESTIGATION\r\n"
          "12,2,2026-11-23T09:00:00Z,2026-11-23T09:01:00Z,OwnerAssigned,'-2+3,owner=grace.lind,,INVESTIGATION\r\n");
}

TEST_F(ControlLists, CsvIsRefusedWhereThereIsNoList) {
  const Ran ran = Run({"case", "show", "CMP-1", "-o", "csv"});
  EXPECT_EQ(ran.exit_code, kExitUsage);
  EXPECT_NE(ran.err.find("csv"), std::string::npos) << ran.err;
}

}  // namespace
}  // namespace docket::cli
