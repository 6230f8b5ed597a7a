#include <cstdio>
#include <fstream>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "tests/tools/cli/cli_runner.h"
#include "tests/tools/support/fake_server.h"
#include "workflow/base/time.h"

namespace docket::cli {
namespace {

using docket::testing::FakeServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const absl::Time kDue = absl::FromUnixSeconds(1'795'192'200);  // 2026-11-20T16:30:00Z

class Commands : public ::testing::Test {
 protected:
  Ran Run(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), {"--server", server_.address()});
    return RunDocket(std::move(arguments), input);
  }

  // Accepts every command and keeps the request.
  void AcceptCommands() {
    server_.execute = [this](const v1::ExecuteRequest& request, v1::ExecuteReply* reply) {
      executed_ = request;
      reply->set_case_id("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
      reply->set_case_no("CMP-2026-000017-K");
      reply->set_status("ASSESSMENT");
      reply->set_revision(5);
      reply->set_commit(41);
      reply->set_first_position(120);
      reply->set_last_position(122);
      reply->mutable_next_duty()->set_metric("FIRST_RESPONSE");
      reply->mutable_next_duty()->set_department("complaints");
      *reply->mutable_next_duty()->mutable_due_at() = ToProto(kDue);
      return absl::OkStatus();
    };
    server_.list_allowed = [](const v1::ListAllowedCommandsRequest&, v1::ListAllowedCommandsReply* reply) {
      auto* one = reply->add_commands();
      one->set_command("add_note");
      one->set_allowed(true);
      reply->add_commands()->set_command("close");
      return absl::OkStatus();
    };
  }

  FakeServer server_;
  v1::ExecuteRequest executed_;
};

TEST_F(Commands, FilingSendsTheFieldsAndSaysWhatCameOfIt) {
  AcceptCommands();
  const Ran ran = Run({"case", "file", "--kind", "complaint", "--title", "Charged twice", "--matters", "first", "--matters",
                       "second", "--channel.carrier", "phone", "--as", "alice"});
  EXPECT_EQ(ran.exit_code, kExitOk) << ran.err;
  EXPECT_EQ(ran.out,
            "CMP-2026-000017-K  ASSESSMENT  (revision 5)\n"
            "next duty    FIRST_RESPONSE, due Fri 2026-11-20 16:30, complaints\n"
            "allowed now  add-note\n"
            "commit       41, positions 120-122\n");
  const v1::FileCase& file = executed_.command().file();
  EXPECT_EQ(file.kind(), v1::COMPLAINT);
  EXPECT_EQ(file.title(), "Charged twice");
  EXPECT_THAT(file.matters(), ElementsAre("first", "second"));
  EXPECT_EQ(file.channel().carrier(), "phone");
  EXPECT_EQ(executed_.case_id() + executed_.case_no(), "");
  EXPECT_EQ(server_.last_principal(), "alice");
}

TEST_F(Commands, AVerbNamesTheCaseAndCarriesItsOptions) {
  AcceptCommands();
  const Ran ran =
      Run({"case", "record-inbound", "CMP-1", "--body", "-- angry --", "--internal", "--no-reply-needed=false",
           "--occurred-at", "2026-11-20T10:00:00Z", "--evidence-ref", "call-7", "--expected-revision", "0", "--request-id",
           "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"});
  EXPECT_EQ(ran.exit_code, kExitOk) << ran.err;
  EXPECT_EQ(executed_.case_no(), "CMP-1");
  EXPECT_EQ(executed_.command().record_inbound().body(), "-- angry --");
  EXPECT_TRUE(executed_.command().record_inbound().internal());
  EXPECT_FALSE(executed_.command().record_inbound().no_reply_needed());
  EXPECT_EQ(FormatUtc(FromProto(executed_.occurred_at())), "2026-11-20T10:00:00Z");
  EXPECT_EQ(executed_.evidence_ref(), "call-7");
  EXPECT_TRUE(executed_.has_expected_revision());
  EXPECT_EQ(executed_.expected_revision(), 0);
  EXPECT_EQ(executed_.request_id(), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

TEST_F(Commands, AVerbWithoutFieldsStillIsThatCommand) {
  AcceptCommands();
  EXPECT_EQ(Run({"case", "resume", "servicenow:INC1"}).exit_code, kExitOk);
  EXPECT_TRUE(executed_.command().has_resume());
  EXPECT_FALSE(executed_.has_expected_revision());
  EXPECT_EQ(executed_.external_ref().source(), "servicenow");
  EXPECT_EQ(executed_.external_ref().key(), "INC1");
}

TEST_F(Commands, OptionsComeOnTopOfJson) {
  AcceptCommands();
  const Ran ran = Run({"case", "file", "--json", "-", "--title", "From the line"},
                      R"({"kind":"COMPLAINT","title":"From the file","language":"en"})");
  EXPECT_EQ(ran.exit_code, kExitOk) << ran.err;
  EXPECT_EQ(executed_.command().file().title(), "From the line");
  EXPECT_EQ(executed_.command().file().language(), "en");
}

TEST_F(Commands, JsonWithAnUnknownFieldIsUsage) {
  const Ran ran = Run({"case", "file", "--json", "-"}, R"({"titel":"x"})");
  EXPECT_EQ(ran.exit_code, kExitUsage);
  EXPECT_THAT(ran.err, HasSubstr("titel"));
}

TEST_F(Commands, ADryRunShowsEventsAndWritesNothing) {
  server_.execute = [this](const v1::ExecuteRequest& request, v1::ExecuteReply* reply) {
    executed_ = request;
    auto* event = reply->add_events();
    event->set_type("OwnerAssigned");
    event->mutable_event()->mutable_owner_assigned()->set_owner("bob");
    return absl::OkStatus();
  };
  const Ran ran = Run({"case", "assign", "CMP-1", "--owner", "bob", "--dry-run"});
  EXPECT_EQ(ran.exit_code, kExitOk) << ran.err;
  EXPECT_TRUE(executed_.validate_only());
  EXPECT_THAT(ran.out, HasSubstr("OwnerAssigned"));
  EXPECT_THAT(ran.out, HasSubstr("owner=bob"));
  EXPECT_THAT(ran.out, HasSubstr("nothing was written"));
}

TEST_F(Commands, ARefusalListsEveryUnmetConditionWithTheCommandThatMeetsIt) {
  server_.execute = [](const v1::ExecuteRequest&, v1::ExecuteReply*) {
    return RefuseUnmet("GUARD_UNMET", "case CMP-1",
                       {{"OWNER_REQUIRED", "the case has no owner", "assign"},
                        {"MESSAGE_UNANSWERED", "message 7 is unanswered", "mark_no_reply_needed"},
                        {"RIGHTS_NOT_TOLD", "the referral rights were not told", "a letter"}});
  };
  const Ran ran = Run({"case", "resolve", "CMP-1", "--resolution-code", "FIXED"});
  EXPECT_EQ(ran.exit_code, kExitRefused);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err,
            "refused: FAILED_PRECONDITION GUARD_UNMET\n"
            "  case CMP-1: the case has no owner; message 7 is unanswered; the referral rights were not told\n"
            "unmet:\n"
            "  OWNER_REQUIRED: the case has no owner\n"
            "    met by: docket case assign CMP-1\n"
            "  MESSAGE_UNANSWERED: message 7 is unanswered\n"
            "    met by: docket case mark-no-reply-needed CMP-1\n"
            "  RIGHTS_NOT_TOLD: the referral rights were not told\n"
            "    met by: a letter\n");
}

TEST_F(Commands, ARefusalOfFieldsNamesEachOnce) {
  server_.execute = [](const v1::ExecuteRequest&, v1::ExecuteReply*) {
    return RefuseFields("INVALID_FIELD", {{"triage.severity", "9, want 1..4"}, {"triage.impact", "0, want 1..3"}});
  };
  const Ran ran = Run({"case", "triage", "CMP-1", "--severity", "9"});
  EXPECT_EQ(ran.exit_code, kExitRefused);
  EXPECT_EQ(ran.err,
            "refused: INVALID_ARGUMENT INVALID_FIELD\n"
            "  triage.severity: 9, want 1..4\n"
            "  triage.impact: 0, want 1..3\n");
}

TEST_F(Commands, AStaleRevisionSaysWhereTheCaseIs) {
  server_.execute = [](const v1::ExecuteRequest&, v1::ExecuteReply*) {
    return Refuse(absl::StatusCode::kAborted, "REVISION_MISMATCH", "the case has moved on", {{"actual", "4"}});
  };
  const Ran ran = Run({"case", "accept", "CMP-1", "--expected-revision", "1"});
  EXPECT_EQ(ran.exit_code, kExitRefused);
  EXPECT_EQ(ran.err, "refused: ABORTED REVISION_MISMATCH\n  the case has moved on\n  actual: 4\n");
}

TEST_F(Commands, AllowedTellsWhatForbidsTheRest) {
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
            "hold     no                   --waiting-on  nobody asked (met by: docket case send-outbound CMP-1)\n");
}

TEST_F(Commands, AnUnknownOutcomeSaysHowToRepeat) {
  server_.execute = [](const v1::ExecuteRequest&, v1::ExecuteReply*) {
    return Refuse(absl::StatusCode::kUnavailable, "OUTCOME_UNKNOWN", "failed while writing");
  };
  const Ran ran = Run({"case", "take", "CMP-1", "--request-id", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"});
  EXPECT_EQ(ran.exit_code, kExitRefused);
  EXPECT_THAT(ran.err, HasSubstr("--request-id 017f22e2-79b0-7cc3-98c4-dc0c0c07398f"));
}

TEST_F(Commands, AWriteStaysAWriteWhenTheNextQuestionFails) {
  AcceptCommands();
  server_.list_allowed = nullptr;
  const Ran ran = Run({"case", "take", "CMP-1"});
  EXPECT_EQ(ran.exit_code, kExitOk);
  EXPECT_THAT(ran.out, HasSubstr("allowed now  not known"));
}

TEST_F(Commands, NobodyListeningIsThree) {
  const std::string address = server_.address();
  server_.Stop();
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"overdue"}, {"case", "take", "CMP-1"}, {"log", "read"}, {"admin", "rebuild"}}) {
    const Ran ran = Run(arguments);
    EXPECT_EQ(ran.exit_code, kExitNoConnection) << arguments[0];
    EXPECT_THAT(ran.err, HasSubstr("cannot connect to " + address));
  }
}

TEST_F(Commands, TheTwoAxesOfThePast) {
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

TEST_F(Commands, CaseReadersWithoutReferencesResolveThemFirst) {
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

TEST_F(Commands, JsonIsOneDocumentOfAllPages) {
  std::vector<uint32_t> page_sizes;
  ServePages(server_, &page_sizes);
  const Ran ran = Run({"case", "list", "-o", "json"});
  EXPECT_EQ(ran.out, "{\"cases\":[{\"caseNo\":\"C1\"},{\"caseNo\":\"C2\"},{\"caseNo\":\"C3\"}],\"position\":\"9\"}\n");
  EXPECT_THAT(page_sizes, ElementsAre(500, 500));
}

TEST_F(Commands, JsonlIsOneItemPerLine) {
  std::vector<uint32_t> page_sizes;
  ServePages(server_, &page_sizes);
  EXPECT_EQ(Run({"case", "list", "-o", "jsonl"}).out, "{\"caseNo\":\"C1\"}\n{\"caseNo\":\"C2\"}\n{\"caseNo\":\"C3\"}\n");
}

TEST_F(Commands, ALimitStopsAndSaysSo) {
  std::vector<uint32_t> page_sizes;
  ServePages(server_, &page_sizes);
  const Ran ran = Run({"case", "list", "--limit", "2"});
  EXPECT_THAT(page_sizes, ElementsAre(2));
  EXPECT_THAT(ran.out, HasSubstr("--limit 0 shows all"));
  EXPECT_THAT(ran.out, Not(HasSubstr("C3")));
}

TEST_F(Commands, FiltersGoByName) {
  v1::CaseFilter asked;
  server_.list_cases = [&](const v1::ListCasesRequest& request, v1::ListCasesReply*) {
    asked = request.filter();
    return absl::OkStatus();
  };
  EXPECT_EQ(Run({"case", "list", "--kind", "internal-complaint", "--kind", "task", "--status-category", "waiting", "--owner",
                 "-", "--priority", "1"})
                .exit_code,
            kExitOk);
  EXPECT_THAT(asked.kinds(), ElementsAre(v1::INTERNAL_COMPLAINT, v1::TASK));
  EXPECT_THAT(asked.categories(), ElementsAre(v1::WAITING));
  EXPECT_EQ(asked.owner(), "-");
  EXPECT_THAT(asked.priorities(), ElementsAre(1));
  EXPECT_EQ(Run({"case", "list", "--kind", "grievance"}).exit_code, kExitUsage);
}

TEST_F(Commands, OverdueBeginsWithItsHeader) {
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
    return absl::OkStatus();
  };
  const Ran ran = Run({"overdue", "--by", "case", "--department", "complaints", "--metric", "RESOLUTION", "--priority", "1",
                       "--priority", "2"});
  EXPECT_EQ(ran.out,
            "Overdue: 3 late duties in 1 case, 2 regulatory, oldest due Fri 2026-11-20 16:30\n"
            "valid at Fri 2026-11-20 17:30, known at Fri 2026-11-20 18:30, position 77, times in UTC\n"
            "\n"
            "CASE   KIND       PRI  STATUS   METRIC      OWED TO    DUE                   STANDS             BY\n"
            "CMP-1  COMPLAINT    0  ON_HOLD  RESOLUTION  REGULATOR  Fri 2026-11-20 16:30  late, waiting  1h 30m\n");
  EXPECT_EQ(asked.preset(), v1::OVERDUE);
  EXPECT_TRUE(asked.by_case());
  EXPECT_EQ(asked.department(), "complaints");
  EXPECT_EQ(asked.metric(), "RESOLUTION");
  EXPECT_THAT(asked.priorities(), ElementsAre(1, 2));
}

TEST_F(Commands, EachDutyListAsksForItsOwn) {
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
  ASSERT_EQ(Run({"mine"}).exit_code, kExitOk);
  EXPECT_EQ(asked.preset(), v1::MINE);
  EXPECT_EQ(Run({"at-risk", "--within", "soon"}).exit_code, kExitUsage);
}

TEST_F(Commands, AQueueNamedLikeACommandIsStillAQueue) {
  AcceptCommands();
  std::string taken;
  server_.take_next = [&](const v1::TakeNextRequest& request, v1::ExecuteReply* reply) {
    taken = request.queue();
    reply->set_case_no("CMP-1");
    return absl::OkStatus();
  };
  const Ran ran = Run({"queue", "take", "watch"});
  EXPECT_EQ(ran.exit_code, kExitOk) << ran.err;
  EXPECT_EQ(taken, "watch");
  EXPECT_THAT(ran.out, HasSubstr("CMP-1"));
}

TEST_F(Commands, FindingsAreFileLineReason) {
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

TEST_F(Commands, ARebuildThatDiffersIsFour) {
  bool equal = true;
  server_.rebuild = [&](const v1::RebuildViewsRequest&, const std::function<bool(const v1::RebuildViewsReply&)>& write) {
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

void ServeLog(FakeServer& server) {
  server.read_log = [](const v1::ReadLogRequest& request, const std::function<bool(const v1::ReadLogReply&)>& write) {
    for (uint64_t position = request.from_position(); position <= 4; position += 2) {
      v1::ReadLogReply reply;
      reply.add_events()->set_position(position);
      reply.add_events()->set_position(position + 1);
      reply.set_scanned_position(position + 1);
      write(reply);
    }
    return absl::OkStatus();
  };
}

TEST_F(Commands, TheLogIsOneJsonDocumentOrALinePerEvent) {
  ServeLog(server_);
  v1::ReadLogReply parsed;
  const Ran json = Run({"log", "read", "-o", "json"});
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(json.out, &parsed).ok()) << json.out;
  EXPECT_EQ(parsed.events_size(), 4);
  EXPECT_EQ(Run({"log", "read", "--from", "3", "-o", "jsonl"}).out, "{\"position\":\"3\"}\n{\"position\":\"4\"}\n");
  EXPECT_EQ(Run({"log", "read", "--from", "9", "-o", "json"}).out, "{\"events\":[]}\n");
}

TEST_F(Commands, FollowingEndsAtTheLimit) {
  server_.subscribe = [](const v1::SubscribeRequest& request, const std::function<bool(const v1::SubscribeReply&)>& write) {
    v1::SubscribeReply reply;
    for (uint64_t position = request.from_position();; ++position) {
      reply.clear_events();
      reply.add_events()->set_position(position);
      reply.set_progress(position);
      if (!write(reply)) return absl::OkStatus();
    }
  };
  EXPECT_EQ(Run({"log", "read", "--from", "3", "--follow", "--limit", "2", "-o", "jsonl"}).out,
            "{\"position\":\"3\"}\n{\"position\":\"4\"}\n");
}

TEST_F(Commands, HistoryShowsWhoAndHow) {
  server_.read_history = [](const v1::ReadHistoryRequest&, const std::function<bool(const v1::ReadHistoryReply&)>& write) {
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

TEST_F(Commands, WatchPrintsPlainLinesWhenThereIsNoTerminal) {
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
