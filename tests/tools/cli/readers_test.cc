#include "tests/tools/cli/readers.h"

#include <algorithm>
#include <sstream>

#include "gmock/gmock.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "workflow/base/time.h"

namespace docket::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const absl::Time kDue = absl::FromUnixSeconds(1'795'192'200);  // 2026-11-20T16:30:00Z

TEST_F(Readers, AllowedTellsWhatForbidsTheRest) {
  server_.list_allowed = [](const v1::ListAllowedCommandsRequest&, v1::ListAllowedCommandsReply* reply) {
    reply->set_status("RECEIVED");
    reply->set_revision(4);
    auto* accept = reply->add_commands();
    accept->set_command("accept");
    accept->set_allowed(true);
    accept->set_leads_to("ASSESSMENT");
    auto* release = reply->add_commands();
    release->set_command("hold");
    release->add_required_fields("waiting_on");
    release->add_unmet()->set_description("nobody asked");
    release->mutable_unmet(0)->set_meet_by("send_outbound");
    return absl::OkStatus();
  };
  EXPECT_EQ(Run({"case", "allowed", "CMP-1"}).out,
            "CMP-1  RECEIVED  (revision 4)\n"
            "COMMAND  ALLOWED  LEADS TO    NEEDS         FORBIDDEN BY\n"
            "accept   yes      ASSESSMENT\n"
            "hold     no                   --waiting-on  nobody asked (met by: docket case send-outbound CMP-1 "
            "--kind ACKNOWLEDGEMENT --body …)\n");
}

TEST_F(Readers, TheTwoAxesOfThePast) {
  v1::GetCaseRequest asked;
  server_.get_case = [&](const v1::GetCaseRequest& request, v1::GetCaseReply*) {
    asked = request;
    return absl::OkStatus();
  };
  const std::string friday = "2026-11-20T17:00:00Z", monday = "2026-11-23T09:00:00Z";
  ASSERT_EQ(Run({"case", "show", "CMP-1", "--as-of", friday}).exit_code, kExitOk);
  EXPECT_EQ(FormatUtc(FromProto(asked.valid_at())), friday);
  EXPECT_FALSE(asked.has_known_at());
  ASSERT_EQ(Run({"case", "show", "CMP-1", "--as-known", friday}).exit_code, kExitOk);
  EXPECT_EQ(FormatUtc(FromProto(asked.valid_at())), friday);
  EXPECT_EQ(FormatUtc(FromProto(asked.known_at())), friday);
  ASSERT_EQ(Run({"case", "show", "CMP-1", "--as-of", friday, "--as-known", monday}).exit_code, kExitOk);
  EXPECT_EQ(FormatUtc(FromProto(asked.valid_at())), friday);
  EXPECT_EQ(FormatUtc(FromProto(asked.known_at())), monday);
}

TEST_F(Readers, LatenessIsThatOfTheInstantTheServerAnsweredFor) {
  const auto late = [](v1::Clock* clock) {
    clock->set_nature(v1::DUTY);
    clock->set_state(v1::RUNNING);
    *clock->mutable_due_at() = ToProto(kDue);
  };
  const absl::Time valid_at = kDue + absl::Hours(24 * 35 + 6);  // this program's clock stands before kDue
  server_.get_case = [&](const v1::GetCaseRequest&, v1::GetCaseReply* reply) {
    late(reply->mutable_case_()->add_clocks());
    *reply->mutable_valid_at() = ToProto(valid_at);
    return absl::OkStatus();
  };
  server_.get_clocks = [&](const v1::GetClocksRequest&, v1::GetClocksReply* reply) {
    late(reply->add_clocks());
    *reply->mutable_valid_at() = ToProto(valid_at);
    return absl::OkStatus();
  };
  EXPECT_THAT(Run({"case", "show", "CMP-1", "--as-of", "+35d"}).out, HasSubstr("late by 35d 6h"));
  EXPECT_THAT(Run({"case", "clocks", "CMP-1", "--as-of", "+35d"}).out, HasSubstr("late by 35d 6h"));
}

TEST_F(Readers, CaseReadersWithoutReferencesResolveThemFirst) {
  server_.get_case = [](const v1::GetCaseRequest& request, v1::GetCaseReply* reply) {
    reply->mutable_case_()->set_case_id("id of " + request.external_ref().key());
    return absl::OkStatus();
  };
  std::string asked;
  server_.get_clocks = [&](const v1::GetClocksRequest& request, v1::GetClocksReply*) {
    asked = request.case_id();
    return absl::OkStatus();
  };
  EXPECT_EQ(Run({"case", "clocks", "src:K1"}).exit_code, kExitOk);
  EXPECT_EQ(asked, "id of K1");
}

// Three cases on pages of two.
void ServePages(FakeServer& server, std::vector<uint32_t>* page_sizes) {
  server.list_cases = [page_sizes](const v1::ListCasesRequest& request, v1::ListCasesReply* reply) {
    page_sizes->push_back(request.page_size());
    reply->set_position(9);
    const bool first = request.page_token().empty();
    for (const char* number : first ? std::vector<const char*>{"C1", "C2"} : std::vector<const char*>{"C3"}) {
      reply->add_cases()->set_case_no(number);
    }
    if (first) reply->set_next_page_token("two");
    return absl::OkStatus();
  };
}

TEST_F(Readers, JsonIsOneDocumentOfAllPages) {
  std::vector<uint32_t> page_sizes;
  ServePages(server_, &page_sizes);
  const Ran ran = Run({"case", "list", "-o", "json"});
  v1::ListCasesReply parsed;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(ran.out, &parsed).ok()) << ran.out;
  ASSERT_EQ(parsed.cases_size(), 3);
  EXPECT_EQ(parsed.cases(2).case_no(), "C3");
  EXPECT_EQ(parsed.position(), 9u);
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 1);
  EXPECT_THAT(page_sizes, ElementsAre(500, 500));
}

TEST_F(Readers, JsonlIsOneItemPerLine) {
  std::vector<uint32_t> page_sizes;
  ServePages(server_, &page_sizes);
  const Ran ran = Run({"case", "list", "-o", "jsonl"});
  std::istringstream lines(ran.out);
  std::vector<std::string> numbers;
  for (std::string line; std::getline(lines, line);) {
    v1::CaseSummary parsed;
    ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(line, &parsed).ok()) << line;
    numbers.push_back(parsed.case_no());
  }
  EXPECT_THAT(numbers, ElementsAre("C1", "C2", "C3"));
}

TEST_F(Readers, JsonOfListsHasWhatIsEmptyFalseOrNought) {
  server_.list_duties = [](const v1::ListDutiesRequest& request, v1::ListDutiesReply* reply) {
    reply->mutable_header()->set_complete(true);
    if (request.preset() == v1::AT_RISK) reply->add_items()->set_metric("RESOLUTION");
    return absl::OkStatus();
  };
  server_.list_escalations = [](const v1::ListEscalationsRequest&, v1::ListEscalationsReply*) {
    return absl::OkStatus();
  };
  server_.list_control = [](const v1::ListControlRequest&, v1::ListControlReply*) { return absl::OkStatus(); };
  server_.list_queue = [](const v1::ListQueueRequest&, v1::ListQueueReply*) { return absl::OkStatus(); };
  server_.list_cases = [](const v1::ListCasesRequest&, v1::ListCasesReply*) { return absl::OkStatus(); };
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"overdue"}, {"escalations"}, {"unowned"}, {"queue", "show", "intake"}}) {
    std::vector<std::string> arguments = command;
    arguments.insert(arguments.end(), {"-o", "json"});
    EXPECT_THAT(Run(arguments).out, HasSubstr("\"items\":[]")) << command[0];
  }
  EXPECT_THAT(Run({"case", "list", "-o", "json"}).out, HasSubstr("\"cases\":[]"));
  EXPECT_THAT(Run({"overdue", "-o", "json"}).out, HasSubstr("\"lateDuties\":0"));
  EXPECT_THAT(Run({"at-risk", "-o", "jsonl"}).out, HasSubstr("\"late\":false"));
  const Ran watched = Run({"watch", "--once", "-o", "json"});
  EXPECT_EQ(watched.exit_code, kExitOk) << watched.err;
  EXPECT_EQ(watched.out.find("{\"overdue\":{\"items\":[],"), 0u) << watched.out;
  google::protobuf::Struct whole;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(watched.out, &whole).ok()) << watched.out;
  EXPECT_EQ(whole.fields().at("atRisk").struct_value().fields().at("items").list_value().values_size(), 1);
  EXPECT_EQ(whole.fields().count("escalations"), 1u);
  EXPECT_EQ(Run({"watch", "-o", "json"}).exit_code, kExitUsage);
}

TEST_F(Readers, ALimitStopsAndSaysSo) {
  std::vector<uint32_t> page_sizes;
  ServePages(server_, &page_sizes);
  const Ran ran = Run({"case", "list", "--limit", "2"});
  EXPECT_THAT(page_sizes, ElementsAre(2));
  EXPECT_THAT(ran.out, HasSubstr("--limit 0 shows all"));
  EXPECT_THAT(ran.out, Not(HasSubstr("C3")));
}

TEST_F(Readers, ATokenGoesOnBehindTheAnswerThatGaveIt) {
  std::vector<uint32_t> page_sizes;
  ServePages(server_, &page_sizes);
  const Ran ran = Run({"case", "list", "--page-token", "two"});
  EXPECT_THAT(ran.out, HasSubstr("C3"));
  EXPECT_THAT(ran.out, Not(HasSubstr("C1")));
  const Ran csv = Run({"case", "list", "--page-token", "two", "-o", "csv"});
  EXPECT_EQ(csv.out.rfind("caseId,", 0), 0u) << csv.out;
  server_.list_duties = [](const v1::ListDutiesRequest& request, v1::ListDutiesReply*) {
    EXPECT_EQ(request.page_token(), "two");
    return absl::OkStatus();
  };
  EXPECT_THAT(Run({"overdue", "--page-token", "two"}).out, HasSubstr("Overdue, continued\n"));
}

TEST_F(Readers, FiltersGoByName) {
  v1::CaseFilter asked;
  server_.list_cases = [&](const v1::ListCasesRequest& request, v1::ListCasesReply*) {
    asked = request.filter();
    return absl::OkStatus();
  };
  EXPECT_EQ(Run({"case", "list", "--kind", "internal-complaint", "--kind", "task", "--status-category", "waiting",
                 "--owner", "-", "--priority", "1", "--tier", "VIP"})
                .exit_code,
            kExitOk);
  EXPECT_THAT(asked.kinds(), ElementsAre(v1::INTERNAL_COMPLAINT, v1::TASK));
  EXPECT_THAT(asked.categories(), ElementsAre(v1::WAITING));
  EXPECT_EQ(asked.owner(), "-");
  EXPECT_THAT(asked.priorities(), ElementsAre(1));
  EXPECT_THAT(asked.tiers(), ElementsAre("VIP"));
  EXPECT_EQ(Run({"case", "list", "--kind", "grievance"}).exit_code, kExitUsage);
}

TEST_F(Readers, OverdueBeginsWithItsHeader) {
  v1::ListDutiesRequest asked;
  server_.list_duties = [&](const v1::ListDutiesRequest& request, v1::ListDutiesReply* reply) {
    asked = request;
    auto* header = reply->mutable_header();
    header->set_late_duties(3);
    header->set_cases(1);
    header->set_regulatory(2);
    header->set_complete(true);
    *header->mutable_oldest_due() = ToProto(kDue);
    *reply->mutable_valid_at() = ToProto(kDue + absl::Hours(1));
    *reply->mutable_known_at() = ToProto(kDue + absl::Hours(2));
    reply->set_position(77);
    auto* item = reply->add_items();
    item->mutable_case_()->set_case_no("CMP-1");
    item->mutable_case_()->set_kind(v1::COMPLAINT);
    item->mutable_case_()->set_status("ON_HOLD");
    item->set_metric("RESOLUTION");
    item->set_obligation(v1::REGULATOR);
    item->set_late(true);
    item->set_words("late, waiting");
    *item->mutable_due_at() = *item->mutable_first_due_at() = ToProto(kDue);
    *item->mutable_late_by() = ToProto(absl::Minutes(90));
    *item->mutable_late_since() = item->due_at();
    return absl::OkStatus();
  };
  const Ran ran = Run({"overdue", "--by", "case", "--department", "complaints", "--metric", "resolution", "--priority",
                       "1", "--priority", "2"});
  EXPECT_EQ(ran.out,
            "Overdue: 3 late duties in 1 case, 2 regulatory, the oldest late since Fri 2026-11-20 16:30\n"
            "valid at Fri 2026-11-20 17:30, known at Fri 2026-11-20 18:30, position 77, times in UTC\n"
            "\n"
            "CASE   KIND       STATUS   METRIC      OWED TO    DUE                   STANDS             BY\n"
            "CMP-1  COMPLAINT  ON_HOLD  RESOLUTION  REGULATOR  Fri 2026-11-20 16:30  late, waiting  1h 30m\n");
  EXPECT_EQ(asked.preset(), v1::OVERDUE);
  EXPECT_TRUE(asked.by_case());
  EXPECT_EQ(asked.department(), "complaints");
  EXPECT_EQ(asked.metric(), "RESOLUTION");
  EXPECT_THAT(asked.priorities(), ElementsAre(1, 2));
}

TEST_F(Readers, APriorityIsOneToFiveAndNoneIsNotShown) {
  server_.list_control = [](const v1::ListControlRequest&, v1::ListControlReply* reply) {
    reply->add_items()->mutable_case_()->set_case_no("C1");
    return absl::OkStatus();
  };
  EXPECT_THAT(Run({"unowned"}).out, Not(HasSubstr("PRI")));
  for (const char* priority : {"0", "6", "high", "11"}) {
    for (const std::vector<std::string>& command :
         std::vector<std::vector<std::string>>{{"unowned"}, {"case", "list"}}) {
      std::vector<std::string> arguments = command;
      arguments.insert(arguments.end(), {"--priority", priority});
      const Ran ran = Run(arguments);
      EXPECT_EQ(ran.exit_code, kExitUsage) << priority;
      EXPECT_THAT(ran.err, HasSubstr(std::string("--priority: ") + priority + ", want 1 (highest) to 5"));
    }
  }
}

TEST_F(Readers, ACountThatWasCutShortIsNoAllClear) {
  v1::ListDutiesReply::Header header;
  server_.list_duties = [&](const v1::ListDutiesRequest&, v1::ListDutiesReply* reply) {
    *reply->mutable_header() = header;
    return absl::OkStatus();
  };
  EXPECT_THAT(Run({"overdue"}).out, HasSubstr("Overdue: none found so far, but not all was looked at\n"));
  EXPECT_THAT(Run({"approvals"}).out, HasSubstr("Approvals: none found so far, but not all was looked at\n"));
  header.set_late_duties(3);
  header.set_approvals(3);
  header.set_cases(2);
  EXPECT_THAT(Run({"overdue"}).out,
              HasSubstr("Overdue: at least 3 late duties in at least 2 cases, regulatory: not counted\n"));
  EXPECT_THAT(Run({"approvals"}).out, HasSubstr("Approvals: at least 3 wait for a second person in at least 2 cases, "
                                                "regulatory: not counted\n"));
  header.set_regulatory(1);
  EXPECT_THAT(Run({"overdue"}).out, HasSubstr(" in at least 2 cases, at least 1 regulatory\n"));
}

TEST_F(Readers, AListThatWasCutSaysAtLeast) {
  server_.list_escalations = [](const v1::ListEscalationsRequest&, v1::ListEscalationsReply* reply) {
    reply->add_items();
    reply->set_next_page_token("more");
    return absl::OkStatus();
  };
  server_.list_duties = [](const v1::ListDutiesRequest& request, v1::ListDutiesReply* reply) {
    reply->mutable_header()->set_complete(true);
    if (request.preset() == v1::AT_RISK) reply->set_next_page_token("more");
    return absl::OkStatus();
  };
  EXPECT_THAT(Run({"escalations", "--limit", "1"}).out, HasSubstr("Escalations: at least 1\n"));
  const Ran watched = Run({"watch", "--once"});
  EXPECT_THAT(watched.out, HasSubstr("Due within 4h of working time: none found so far\n"));
  EXPECT_THAT(watched.out, HasSubstr("Escalations not acknowledged: at least 1\n"));
}

TEST_F(Readers, ADutyTellsTheDueThatPassedAndOneThatIsNotLateWhatIsLeft) {
  server_.list_duties = [&](const v1::ListDutiesRequest&, v1::ListDutiesReply* reply) {
    auto* late = reply->add_items();
    late->set_late(true);
    *late->mutable_due_at() = ToProto(kDue + absl::Hours(24));
    *late->mutable_late_since() = ToProto(kDue);
    *late->mutable_late_by() = ToProto(absl::Hours(2));
    auto* next = reply->add_items();
    *next->mutable_due_at() = ToProto(kDue + absl::Hours(5));
    *next->mutable_time_left() = ToProto(absl::Hours(3));
    return absl::OkStatus();
  };
  const Ran ran = Run({"mine", "--as", "alice"});
  EXPECT_THAT(ran.out, HasSubstr("LATE SINCE"));
  EXPECT_THAT(ran.out, HasSubstr("Sat 2026-11-21 16:30  Fri 2026-11-20 16:30"));
  EXPECT_THAT(ran.out, HasSubstr("3h left"));
  EXPECT_THAT(ran.out, Not(HasSubstr("2h left")));
}

TEST_F(Readers, ApprovalsTellWhatIsAskedByWhomAndWhatDecidesIt) {
  v1::ListDutiesRequest asked;
  server_.list_duties = [&](const v1::ListDutiesRequest& request, v1::ListDutiesReply* reply) {
    asked = request;
    auto* header = reply->mutable_header();
    header->set_approvals(2);
    header->set_cases(2);
    header->set_complete(true);
    header->set_rollouts(1);
    *header->mutable_oldest_since() = ToProto(kDue);
    auto* escalation = reply->add_items();
    escalation->mutable_case_()->set_case_no("CMP-1");
    escalation->mutable_case_()->set_kind(v1::COMPLAINT);
    escalation->set_approval(v1::Approval::ESCALATION);
    escalation->set_escalation_no(7);
    escalation->set_escalation_kind(v1::CUSTOMER_ESCALATION);
    escalation->set_reason_code("PRESS");
    escalation->set_asked_by("grace.lind");
    escalation->set_command("approve_escalation");
    *escalation->mutable_since() = ToProto(kDue);
    auto* entry = reply->add_items();
    entry->mutable_case_()->set_case_no("TCK-1");
    entry->mutable_case_()->set_kind(v1::INCIDENT);
    entry->set_approval(v1::Approval::LATE_ENTRY);
    entry->set_clock_no(4);
    entry->set_metric("RESOLUTION");
    entry->set_obligation(v1::CUSTOMER);
    entry->set_asked_by("helen.marsh");
    entry->set_own_request(true);
    entry->set_command("judge_late_entry");
    *entry->mutable_due_at() = *entry->mutable_since() = ToProto(kDue);
    *entry->mutable_claimed_at() = ToProto(kDue - absl::Minutes(30));
    return absl::OkStatus();
  };
  const Ran ran = Run({"approvals", "--department", "complaints", "--tier", "VIP", "--metric", "RESOLUTION", "--owner",
                       "bob", "--owed-to", "customer", "--as-of", "2026-11-20T17:00:00Z", "--as", "helen.marsh"});
  EXPECT_EQ(ran.exit_code, kExitOk) << ran.err;
  EXPECT_THAT(ran.out,
              HasSubstr("Approvals: 2 wait for a second person in 2 cases, 0 regulatory, the longest since Fri "
                        "2026-11-20 16:30\nand now 1 rollout of policies: docket policy rollout list\n"));
  EXPECT_THAT(ran.out, HasSubstr("escalation   7"));
  EXPECT_THAT(ran.out, HasSubstr("CUSTOMER_ESCALATION, PRESS"));
  EXPECT_THAT(ran.out, HasSubstr("docket case approve-escalation CMP-1 --escalation-no 7"));
  EXPECT_THAT(ran.out, HasSubstr("late entry   4"));
  EXPECT_THAT(ran.out, HasSubstr("met Fri 2026-11-20 16:00"));
  EXPECT_THAT(ran.out, HasSubstr("somebody else than you"));
  EXPECT_EQ(asked.preset(), v1::APPROVALS);
  EXPECT_EQ(asked.department(), "complaints");
  EXPECT_EQ(asked.metric(), "RESOLUTION");
  EXPECT_EQ(asked.owner(), "bob");
  EXPECT_THAT(asked.tiers(), ElementsAre("VIP"));
  EXPECT_THAT(asked.obligations(), ElementsAre(v1::CUSTOMER));
  EXPECT_TRUE(asked.has_valid_at());
  EXPECT_THAT(Run({"approvals", "-o", "csv"}).out, HasSubstr(",ESCALATION,grace.lind,2026-11-20T16:30:00Z,"));
}

TEST_F(Readers, NothingToApproveIsSaid) {
  server_.list_duties = [](const v1::ListDutiesRequest&, v1::ListDutiesReply* reply) {
    reply->mutable_header()->set_complete(true);
    return absl::OkStatus();
  };
  EXPECT_THAT(Run({"approvals"}).out, HasSubstr("Approvals: nothing waits for a second person\n"));
}

TEST_F(Readers, AQueueIsShownByTierAndTellsTheSkillsItWants) {
  v1::ListQueueRequest asked;
  server_.list_queue = [&](const v1::ListQueueRequest& request, v1::ListQueueReply* reply) {
    asked = request;
    reply->add_items()->mutable_case_()->set_case_no("CMP-1");
    reply->mutable_items(0)->add_required_skills("WELSH");
    reply->mutable_items(0)->add_required_skills("SAFETY");
    return absl::OkStatus();
  };
  const Ran ran = Run({"queue", "show", "complaints", "--tier", "VIP", "--tier", "MAIN"});
  EXPECT_EQ(ran.exit_code, kExitOk) << ran.err;
  EXPECT_THAT(asked.tiers(), ElementsAre("VIP", "MAIN"));
  EXPECT_THAT(ran.out, HasSubstr("WELSH SAFETY"));
}

TEST_F(Readers, EachDutyListAsksForItsOwn) {
  v1::ListDutiesRequest asked;
  server_.list_duties = [&](const v1::ListDutiesRequest& request, v1::ListDutiesReply*) {
    asked = request;
    return absl::OkStatus();
  };
  ASSERT_EQ(Run({"at-risk", "--within", "90m", "--elapsed"}).exit_code, kExitOk);
  EXPECT_EQ(asked.preset(), v1::AT_RISK);
  EXPECT_EQ(FromProto(asked.within()), absl::Minutes(90));
  EXPECT_TRUE(asked.elapsed());
  ASSERT_EQ(Run({"waiting"}).exit_code, kExitOk);
  EXPECT_EQ(asked.preset(), v1::WAITING_DUTIES);
  ASSERT_EQ(Run({"mine", "--as", "alice"}).exit_code, kExitOk);
  EXPECT_EQ(asked.preset(), v1::MINE);
  EXPECT_EQ(Run({"at-risk", "--within", "soon"}).exit_code, kExitUsage);
}

TEST_F(Readers, AListKnownBeforeTheLogBeganSaysSo) {
  server_.list_duties = [&](const v1::ListDutiesRequest& request, v1::ListDutiesReply* reply) {
    *reply->mutable_known_at() = request.known_at();
    return absl::OkStatus();
  };
  server_.read_log = [](const v1::ReadLogRequest&, const std::function<bool(const v1::ReadLogReply&)>& write) {
    v1::ReadLogReply reply;
    *reply.add_events()->mutable_recorded_at() = ToProto(kDue);
    write(reply);
    return absl::OkStatus();
  };
  EXPECT_THAT(Run({"overdue", "--as-known", "2020-01-01T00:00:00Z"}).out,
              HasSubstr("nothing was known then: the log begins Fri 2026-11-20 16:30\n"));
  EXPECT_THAT(Run({"overdue", "--as-known", "2026-11-20T16:30:00Z"}).out, Not(HasSubstr("nothing was known then")));
}

TEST_F(Readers, MineNeedsSomebody) {
  bool asked = false;
  server_.list_duties = [&](const v1::ListDutiesRequest&, v1::ListDutiesReply*) {
    asked = true;
    return absl::OkStatus();
  };
  const Ran nobody = Run({"mine"});
  EXPECT_EQ(nobody.exit_code, kExitUsage);
  EXPECT_THAT(nobody.err, HasSubstr("--as PRINCIPAL"));
  EXPECT_FALSE(asked);
  EXPECT_EQ(Run({"mine", "--owner", "alice"}).exit_code, kExitOk);
}

TEST_F(Readers, FindingsAreFileLineReason) {
  server_.validate = [](const v1::ValidatePoliciesRequest& request, v1::ValidatePoliciesReply* reply) {
    if (request.yaml() == "good") return absl::OkStatus();
    auto* finding = reply->add_findings();
    finding->set_line(12);
    finding->set_reason("UNKNOWN_STATUS");
    finding->set_message("to: OPENN, want a status of the chart");
    return absl::OkStatus();
  };
  const Ran bad = Run({"policy", "validate", "-"}, "bad");
  EXPECT_EQ(bad.exit_code, kExitRefused);
  EXPECT_EQ(bad.out, "-:12: UNKNOWN_STATUS to: OPENN, want a status of the chart\n");
  EXPECT_EQ(Run({"policy", "validate", "-"}, "good").exit_code, kExitOk);
}

TEST_F(Readers, ARebuildThatDiffersIsFour) {
  bool equal = true;
  server_.rebuild = [&](const v1::RebuildViewsRequest&,
                        const std::function<bool(const v1::RebuildViewsReply&)>& write) {
    v1::RebuildViewsReply reply;
    reply.set_commits_total(10);
    reply.set_commits_done(5);
    write(reply);
    reply.set_commits_done(10);
    reply.set_done(true);
    reply.set_digests_equal(equal);
    write(reply);
    return absl::OkStatus();
  };
  const Ran same = Run({"admin", "rebuild"});
  EXPECT_EQ(same.exit_code, kExitOk) << same.err;
  EXPECT_EQ(same.err, "rebuilding views, commits: 5 of 10\nrebuilding views, commits: 10 of 10\n");
  equal = false;
  EXPECT_EQ(Run({"admin", "rebuild"}).exit_code, kExitNotVerified);
}

TEST_F(Readers, AReassignmentTellsOfAbsencesOnce) {
  server_.reassign = [](const v1::ReassignCasesRequest&,
                        const std::function<bool(const v1::ReassignCasesReply&)>& write) {
    for (const char* number : {"CMP-1", "CMP-2", "CMP-3"}) {
      v1::ReassignCasesReply reply;
      auto* result = reply.add_results();
      result->set_case_no(number);
      result->add_warnings()->set_reason("OWNER_ABSENT");
      result->mutable_warnings(0)->set_description(result->case_no() == "CMP-3" ? "luis is away, nobody stands in"
                                                                                : "luis is away, sam stands in");
      write(reply);
    }
    return absl::OkStatus();
  };
  const Ran ran = Run({"reassign", "--from", "grace", "--to", "luis", "--as", "helen.marsh"});
  EXPECT_EQ(ran.exit_code, kExitOk) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("3 cases given, 0 left with grace\n"
                                 "warning: OWNER_ABSENT: luis is away, nobody stands in (1 case)\n"
                                 "warning: OWNER_ABSENT: luis is away, sam stands in (2 cases)\n"));
}

TEST_F(Readers, HistoryShowsWhoAndHow) {
  server_.read_history = [](const v1::ReadHistoryRequest&,
                            const std::function<bool(const v1::ReadHistoryReply&)>& write) {
    v1::ReadHistoryReply reply;
    auto* event = reply.add_entries()->mutable_event();
    event->set_revision(1);
    event->set_type("OwnerAssigned");
    event->set_entered_late(true);
    event->mutable_actor()->set_principal_id("alice");
    event->mutable_actor()->set_authentication("claimed");
    event->mutable_event()->mutable_owner_assigned()->set_owner("bob");
    reply.set_position(8);
    write(reply);
    return absl::OkStatus();
  };
  const Ran ran = Run({"case", "history", "CMP-1"});
  EXPECT_EQ(ran.out,
            "REV  EVENT          BY               WHAT       MARKS\n"
            "  1  OwnerAssigned  alice (claimed)  owner=bob  entered late\n"
            "(claimed): identity not verified\n"
            "position 8, times in UTC\n");
}

TEST_F(Readers, WatchPrintsPlainLinesWhenThereIsNoTerminal) {
  server_.list_duties = [](const v1::ListDutiesRequest&, v1::ListDutiesReply* reply) {
    reply->mutable_header()->set_complete(true);
    return absl::OkStatus();
  };
  server_.subscribe = [](const v1::SubscribeRequest&, const std::function<bool(const v1::SubscribeReply&)>& write) {
    v1::SubscribeReply reply;
    auto* event = reply.add_events();
    event->set_position(3);
    event->set_stream_kind(v1::STREAM_KIND_CASE);
    event->set_stream_id("c1");
    event->set_type("ClockBreached");
    write(reply);
    return absl::OkStatus();
  };
  const Ran ran = Run({"watch", "--events", "1"});
  EXPECT_EQ(ran.exit_code, kExitOk) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("Overdue: nothing is late"));
  EXPECT_THAT(ran.out, HasSubstr("3    case c1  rev 0  ClockBreached\n"));
}

}  // namespace
}  // namespace docket::cli
